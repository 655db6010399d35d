// Our system calls beside Linux's: a small run of the differential test (npm run test:differential runs more), and what it is
// made of.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { libc } from "../src/platforms/libc.ts";
import { type CallName, type ObjectKind, objectKinds } from "./differential/calls.ts";
import { differences, differencesTable } from "./differential/differences.ts";
import { Differential, summaryOf, Unfit } from "./differential/differential.ts";
import { families } from "./differential/families.ts";
import { call, longs } from "./differential/family.ts";
import * as is from "./differential/flags.ts";
import { RESTORER, WITHOUT_INFO } from "./differential/handlers.ts";
import { mutexTypes } from "./differential/library-calls.ts";
import type { Operand, Operation } from "./differential/operation.ts";
import { PATH, pathInput } from "./differential/paths.ts";
import { ByteStore, PipeModel, SlotStore } from "./differential/pipe-model.ts";
import { shortest } from "./differential/shrink.ts";
import { PASSED, TIME } from "./differential/waiters.ts";
import { Random } from "./random.ts";

const CALLS = 500;
const missing = libc();
const seed = Number(process.env.DIFFERENTIAL_SEED ?? Date.now() % 1_000_000);

describe("beside Linux", { skip: typeof missing === "string" ? missing : false }, () => {
  let differential: Differential | undefined;
  let unfit: string | undefined;

  before(async () => {
    try {
      differential = await Differential.begin("ours");
    } catch (error) {
      if (!(error instanceof Unfit)) throw error;
      unfit = error.message;
    }
  });

  after(() => differential?.end());

  for (const family of families) {
    test(`random calls of the family ${family.name} give the same on Linux and here (DIFFERENTIAL_SEED=${seed})`, async (t) => {
      if (!differential) return t.skip(unfit);
      const outcome = await differential.run(family, CALLS, seed);
      const reports = outcome.reports.map((lines) => lines.join("\n")).join("\n\n");
      assert.equal(outcome.reports.length, 0, `${summaryOf(outcome)}\n${reports}`);
    });
  }

  /** Plays the same on both sides, and gives back the words for each. */
  const played = (differential: Differential, operations: readonly Operation[]): string[][] =>
    differential.players().map((player) => {
      const texts = operations.map((operation) => player.play(operation)[0]?.text ?? "");
      for (const symbol of player.symbols.all("queue")) player.play(call(0, "msgctl", [{ symbol }, is.IPC_RMID, 0]));
      player.play(call(0, "reset", []));
      return texts;
    });

  const [reader, writer] = [{ symbol: "reader" }, { symbol: "writer" }];
  const newPipe = (flags: number) =>
    call(0, "pipe2", [{ at: PATH }, flags], {
      made: [reader, writer].map(({ symbol }, i) => ({ at: PATH + 4 * i, symbol })),
    });

  test("row pipe-bytes: a pipe counts pages on Linux, and bytes here, as the models of both say", async (t) => {
    if (!differential) return t.skip(unfit);
    const write = (bytes: number) => call(0, "write", [writer, { at: 8192 }, bytes]);
    const read = (bytes: number) => call(0, "read", [reader, { at: 8192 }, bytes]);
    const resize = (bytes: number) => call(0, "fcntl", [reader, is.F_SETPIPE_SZ, bytes]);
    const steps = [resize(4096), write(3000), read(2000), write(2000), read(4096)];
    steps.push(resize(8192), write(4090), write(10), read(4080), resize(4096));
    const modelled = [new SlotStore(4096), new ByteStore(4096)].map((store) =>
      steps.map(({ name, args }) => {
        const bytes = args[2] as number;
        if (name === "read") return String(store.take(bytes));
        if (name === "fcntl") return store.resize(bytes) ? String(bytes) : "EBUSY";
        return String(store.append(bytes, bytes, true) || "EAGAIN");
      }),
    );
    const given = played(differential, [newPipe(is.O_NONBLOCK), ...steps]).map((texts) => texts.slice(1));
    assert.deepEqual(given, modelled);
    assert.deepEqual(given, [
      ["4096", "3000", "2000", "EAGAIN", "1000", "8192", "4090", "10", "4080", "EBUSY"],
      ["4096", "3000", "2000", "2000", "3000", "8192", "4090", "10", "4080", "4096"],
    ]);
  });

  test("rows pipe-size, pipe-direct and no-regular-files", async (t) => {
    if (!differential) return t.skip(unfit);
    const size = [newPipe(0), call(0, "fcntl", [reader, is.F_GETPIPE_SZ, 0])];
    assert.deepEqual(played(differential, size), [
      ["0", "65536"],
      ["0", "4096"],
    ]);
    assert.deepEqual(played(differential, [newPipe(is.O_DIRECT)]), [["0"], ["EINVAL"]]);
    const create = call(0, "open", [{ at: PATH }, is.O_CREAT | is.O_RDWR, 0o600], {
      inputs: [pathInput("regular")],
      result: { names: "file", as: "descriptor" },
    });
    assert.deepEqual(played(differential, [create]), [["descriptor 0"], ["EOPNOTSUPP"]]);
    played(differential, [call(0, "unlink", [{ at: PATH }], { inputs: [pathInput("regular")] })]);
  });

  test("row efault-keeps: a message that finds no place is lost on Linux, and stays here", async (t) => {
    if (!differential) return t.skip(unfit);
    const queue = { symbol: "queue" };
    const receive = (pointer: Operand) => call(0, "msgrcv", [queue, pointer, 64, 0, is.IPC_NOWAIT]);
    const texts = played(differential, [
      call(0, "msgget", [0, 0o600], { result: { names: "queue", as: "queue" } }),
      call(0, "msgsnd", [queue, { at: PATH }, 3, 0], { inputs: [{ at: PATH, value: longs(1, 0) }] }),
      receive(-8),
      receive({ at: PATH }),
    ]);
    assert.deepEqual(texts, [
      ["a new queue", "0", "EFAULT", "ENOMSG"],
      ["a new queue", "0", "EFAULT", "3"],
    ]);
  });

  const forgotten = (kind: ObjectKind, object: number) => call(0, "forget", [objectKinds.indexOf(kind), object]);

  test("row lock-again: a task that would wait for itself is told so here", async (t) => {
    if (!differential) return t.skip(unfit);
    const timed = (name: CallName, ...objects: number[]) => call(0, name, [...objects, { at: TIME }], PASSED);
    const upgraded = played(differential, [
      call(0, "pthread_rwlock_init", [0]),
      call(0, "pthread_rwlock_rdlock", [0]),
      timed("pthread_rwlock_timedwrlock", 0),
      call(0, "pthread_rwlock_trywrlock", [0]),
      forgotten("rwlock", 0),
    ]);
    assert.deepEqual(upgraded, [
      ["0", "0", "ETIMEDOUT", "EBUSY", "0"],
      ["0", "0", "EDEADLK", "EBUSY", "0"],
    ]);
    const lockedTwice = played(differential, [
      call(0, "pthread_cond_init", [0]),
      call(0, "pthread_mutex_init", [0, mutexTypes.indexOf("recursive")]),
      call(0, "pthread_mutex_lock", [0]),
      call(0, "pthread_mutex_lock", [0]),
      timed("pthread_cond_timedwait", 0, 0),
      forgotten("condition", 0),
      forgotten("mutex", 0),
    ]);
    assert.deepEqual(lockedTwice, [
      ["0", "0", "0", "0", "ETIMEDOUT", "0", "0"],
      ["0", "0", "0", "0", "EPERM", "0", "0"],
    ]);
  });

  test("row condition-interrupted: a wait that is interrupted sleeps on there, and returns here", async (t) => {
    if (!differential) return t.skip(unfit);
    const woken = differential.players().map((player) => {
      const play = (...[task, name, args]: Parameters<typeof call>): number =>
        player.play(call(task, name, args)).length;
      play(0, "pthread_mutex_init", [0, mutexTypes.indexOf("normal")]);
      play(0, "pthread_cond_init", [0]);
      play(1, "pthread_mutex_lock", [0]);
      play(1, "pthread_cond_wait", [0, 0]);
      const others = play(0, "interrupt", [1]) - 1;
      play(0, "pthread_cond_signal", [0]);
      for (const task of [1, 0]) play(task, "reset", []);
      for (const kind of ["condition", "mutex"] as const) player.play(forgotten(kind, 0));
      return others;
    });
    assert.deepEqual(woken, [0, 1]);
  });

  test("row mutex-glibc: a try of one's own error-checking mutex is EBUSY here, as POSIX says", async (t) => {
    if (!differential) return t.skip(unfit);
    const texts = played(differential, [
      call(0, "pthread_mutex_init", [0, mutexTypes.indexOf("error-checking")]),
      call(0, "pthread_mutex_lock", [0]),
      call(0, "pthread_mutex_trylock", [0]),
      forgotten("mutex", 0),
    ]);
    assert.deepEqual(texts, [
      ["0", "0", "EDEADLK", "0"],
      ["0", "0", "EBUSY", "0"],
    ]);
  });

  const [SIGUSR2, REAL_TIME, SIGSYS] = [12, 40, 31];
  const [ACTION, SET, INFO, LOG] = [4096, 4608, 8192, 16_384];
  const bit = (signal: number): bigint => 1n << BigInt(signal - 1);
  const catches = (signal: number) =>
    call(0, "rt_sigaction", [signal, { at: ACTION }, 0, 8], {
      inputs: [{ at: ACTION, value: longs(WITHOUT_INFO, is.SA_RESTORER, RESTORER, 0) }],
    });
  const mask = (how: number, set: bigint, old: Operand = 0) =>
    call(0, "rt_sigprocmask", [how, { at: SET }, old, 8], { inputs: [{ at: SET, value: longs(set) }] });
  const send = (signal: number) => call(0, "tgkill", [{ pidOf: 0 }, { pidOf: 0 }, signal]);
  const blocked = call(0, "rt_sigprocmask", [0, 0, { at: SET }, 8], { outputs: [{ at: SET, bytes: 8, as: "set" }] });

  test("row efault-keeps: a mask is set on Linux though the old one finds no place, and a signal taken, and here they stay", async (t) => {
    if (!differential) return t.skip(unfit);
    const wait = (info: Operand) =>
      call(0, "rt_sigtimedwait", [{ at: SET }, info, { at: LOG }, 8], {
        inputs: [
          { at: SET, value: longs(bit(SIGUSR2)) },
          { at: LOG, value: longs(0, 0) },
        ],
      });
    const steps = [mask(is.SIG_BLOCK, bit(SIGUSR2), -8), blocked, mask(is.SIG_BLOCK, bit(SIGUSR2)), send(SIGUSR2)];
    const texts = played(differential, [...steps, wait(-8), wait(0)]);
    assert.deepEqual(texts, [
      ["EFAULT", "0 800", "0", "0", "EFAULT", "EAGAIN"],
      ["EFAULT", "0 0", "0", "0", "EFAULT", String(SIGUSR2)],
    ]);
  });

  test("row handler-order: handlers that do not block each other begin in another order on Linux, and faults come first", async (t) => {
    if (!differential) return t.skip(unfit);
    const all = [SIGUSR2, REAL_TIME, SIGSYS];
    const set = all.reduce((sum, signal) => sum | bit(signal), 0n);
    const log = call(0, "handled", [{ at: LOG }], { outputs: [{ at: LOG, bytes: 256, as: "handled" }] });
    const steps = [...all.map(catches), mask(is.SIG_BLOCK, set), ...all.map(send), mask(is.SIG_UNBLOCK, set), log];
    const orders = played(differential, steps).map((texts) =>
      [...(texts.at(-1) ?? "").matchAll(/(\d+) code/g)].map(([, signal]) => Number(signal)),
    );
    assert.deepEqual(orders, [
      [REAL_TIME, SIGUSR2, SIGSYS],
      [SIGUSR2, SIGSYS, REAL_TIME],
    ]);
  });

  test("row signal-info: of what a sender says Linux keeps all, and we the code, the sender and the value", async (t) => {
    if (!differential) return t.skip(unfit);
    const info = longs(5n << 32n, 0xffff_ffffn, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    const texts = played(differential, [
      mask(is.SIG_BLOCK, bit(REAL_TIME)),
      call(0, "rt_tgsigqueueinfo", [{ pidOf: 0 }, { pidOf: 0 }, REAL_TIME, { at: INFO }], {
        inputs: [{ at: INFO, value: info }],
      }),
      call(0, "rt_sigtimedwait", [{ at: SET }, { at: INFO }, 0, 8], {
        inputs: [{ at: SET, value: longs(bit(REAL_TIME)) }],
        outputs: [{ at: INFO, bytes: 128, as: "info" }],
      }),
    ]);
    assert.deepEqual(
      texts.map((all) => all.at(-1)),
      [
        "40 signal,errno,code 40,5,-1 of nobody uid 0 value 7 and more",
        "40 signal,errno,code 40,0,-1 of nobody uid 0 value 7",
      ],
    );
  });

  test("row no-sessions: SIGCONT may be sent to another user's task, as within a session on Linux, and no other signal", async (t) => {
    if (!differential) return t.skip(unfit);
    if (!differential.context.isRoot) return t.skip("only user 0 becomes another");
    const texts = played(differential, [
      call(0, "setresuid", [1000, 1000, 0]),
      call(0, "tgkill", [{ pidOf: 1 }, { pidOf: 1 }, SIGUSR2]),
      call(0, "tgkill", [{ pidOf: 1 }, { pidOf: 1 }, 18]),
    ]);
    assert.deepEqual(texts, [
      ["0", "EPERM", "0"],
      ["0", "EPERM", "0"],
    ]);
  });

  test("a kernel that differs is found, and shown by its shortest sequence", async (t) => {
    if (!differential) return t.skip(unfit);
    await differential.end();
    differential = await Differential.begin("ours", { messageBytesMax: 4096 });
    const family = families.find(({ name }) => name === "sysv-msg");
    assert.ok(family);
    const { reports } = await differential.run(family, 2000, 1);
    assert.ok(reports.length > 0, "8192 bytes are too many for the kernel, and not for Linux");
    for (const lines of reports) {
      assert.ok(lines.length <= 3, lines.join("\n"));
      assert.match(lines.at(-1) ?? "", /msgsnd\(.*Linux 0, ours EINVAL$/);
    }
  });
});

test("the same seed draws the same", () => {
  const draw = (seed: number): number[] => {
    const random = new Random(seed);
    return Array.from({ length: 50 }, () => random.below(1000));
  };
  assert.deepEqual(draw(7), draw(7));
  assert.notDeepEqual(draw(7), draw(8));
});

test("the shortest sequence that fails is found, wherever its parts are", async () => {
  const whole = Array.from({ length: 100 }, (_, i) => i);
  const kept = await shortest(whole, async (some) => [3, 57, 98].every((one) => some.includes(one)));
  assert.deepEqual(kept, [3, 57, 98]);
});

test("each difference from Linux has a row of its own", () => {
  const table = differencesTable();
  for (const { id } of differences) assert.equal(table.split(`| \`${id}\` |`).length, 2, id);
  assert.ok(differences.some(({ id }) => id === "pipe-bytes"));
});

describe("the model of Linux's pipe", () => {
  test("merges a short write into the last page only where it fits behind what is there", () => {
    const store = new SlotStore(4096);
    assert.equal(store.append(4000, 4000, true), 4000);
    assert.equal(store.append(96, 96, true), 96);
    assert.equal(store.append(1, 1, true), 0);
  });

  test("gives the space of a page back when all of it was read", () => {
    const store = new SlotStore(4096);
    store.append(4096, 4096, true);
    assert.equal(store.take(4095), 4095);
    assert.equal(store.hasRoom, false);
    assert.equal(store.take(1), 1);
    assert.equal(store.hasRoom, true);
  });

  test("takes a long write in part, and a page for each that does not merge", () => {
    const store = new SlotStore(8192);
    assert.equal(store.append(10_000, 10_000, true), 8192);
    const pages = new SlotStore(16_384);
    pages.append(4090, 4090, true);
    pages.append(10, 10, true);
    pages.take(4080);
    assert.equal(pages.used, 20);
    assert.equal(pages.resize(4096), false);
    assert.equal(pages.resize(8192), true);
  });

  test("agrees with ours where a reader waits for what is written, and a writer for what is read", () => {
    const model = new PipeModel(4096);
    assert.equal(
      model.apply((flow) => flow.read(100, true)),
      "waits",
    );
    assert.ok(model.agrees((flow) => flow.write(50, true), false));
    assert.equal(
      model.apply((flow) => flow.write(50, true)),
      "50, reader 50",
    );
    assert.equal(
      model.apply((flow) => flow.write(8192, true)),
      "waits",
    );
    assert.equal(
      model.apply((flow) => flow.read(4096, true)),
      "4096, writer 8192",
    );
  });

  test("and ours do not agree on space that was read from the front", () => {
    const model = new PipeModel(4096);
    model.apply((flow) => flow.write(3000, false));
    model.apply((flow) => flow.read(2000, false));
    assert.equal(
      model.agrees((flow) => flow.write(2000, false), false),
      false,
    );
    assert.equal(
      model.agrees((flow) => flow.write(1000, false), false),
      true,
    );
  });
});
