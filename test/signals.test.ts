// Signals: signal(7), kill(2), sigaction(2), sigprocmask(2), sigwaitinfo(2), and the mission's "Signals".

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Worker } from "node:worker_threads";
import { E2BIG, EAGAIN, EFAULT, EINTR, EINVAL, EPERM, EPIPE, ESRCH } from "../src/abi/errno.ts";
import { defaultAction, SI_QUEUE, SI_TKILL, signals } from "../src/abi/signals.ts";
import type { Kernel } from "../src/index.ts";
import { blockUntilAny } from "../src/sync/polling.ts";
import { FOR_EVER } from "../src/sync/waiting.ts";
import { Machine } from "./crash-fixture.ts";
import { ipcError } from "./expectations.ts";
import { inWorld, overWorlds, until, untilAsleep } from "./worlds.ts";

const SIGUSR1 = 10;
const SIGUSR2 = 12;
const REAL_TIME = 40;
const SET = 1024;
const INFO = 2048;
const ACTION = 4096;
const BAD = 2 ** 30;
const [BLOCK, UNBLOCK, SETMASK] = [0, 1, 2];

const bit = (...numbers: number[]): bigint => numbers.reduce((set, signal) => set | (1n << BigInt(signal - 1)), 0n);
const view = (kernel: Kernel): DataView => new DataView(kernel.memory.buffer);

function placeSet(kernel: Kernel, set: bigint): number {
  view(kernel).setBigUint64(SET, set, true);
  return SET;
}

function pendingOf(kernel: Kernel): bigint {
  assert.equal(kernel.sys.rt_sigpending(SET + 8, 8), 0);
  return view(kernel).getBigUint64(SET + 8, true);
}

function placeAction(kernel: Kernel, ...members: bigint[]): void {
  [0, 1, 2, 3].forEach((i) => {
    view(kernel).setBigUint64(ACTION + 8 * i, members[i] ?? 0n, true);
  });
}

function placeInfo(kernel: Kernel, code: number, value: bigint): void {
  kernel.memory.fill(0, INFO, INFO + 128);
  view(kernel).setInt32(INFO + 8, code, true);
  view(kernel).setBigUint64(INFO + 24, value, true);
}

/** Without a turn of the event loop. */
function spinUntil(holds: () => boolean): void {
  const end = performance.now() + 60_000;
  while (!holds()) assert.ok(performance.now() < end, "it holds within a minute");
}

/** Calls of every kind of handle, each of which finds what it wants at once. */
function callsThatDoNotWait(kernel: Kernel): [string, () => unknown][] {
  const bytes = new Uint8Array(16);
  const lengths = new Int32Array(4);
  const queue = kernel.queue({ depth: 64 });
  const { reader, writer } = kernel.pipe();
  const semaphore = kernel.semaphore({ value: 9 });
  const mutex = kernel.mutex();
  const lock = kernel.rwlock();
  const barrier = kernel.barrier({ parties: 1 });
  const signals = kernel.signals.open(["SIGUSR2"]);
  const opened: { close(): void }[] = [];
  return [
    ["send", () => queue.send(bytes)],
    ["sendSync", () => queue.sendSync(bytes)],
    ["trySend", () => queue.trySend(bytes)],
    ["sendManySync", () => queue.sendManySync([bytes, bytes, bytes, bytes])],
    ["trySendMany", () => queue.trySendMany(new Array(32).fill(bytes))],
    ["sendInPlaceSync", () => queue.sendInPlaceSync(1, () => {})],
    ["trySendInPlace", () => queue.trySendInPlace(1, () => {})],
    ["receive", () => queue.receive()],
    ["receiveSync", () => queue.receiveSync()],
    ["tryReceive", () => queue.tryReceive()],
    ["receive of a type", () => queue.receive({ type: 1 })],
    ["receiveSync of a type", () => queue.receiveSync({ type: 1 })],
    ["receiveInto", () => queue.receiveInto(bytes)],
    ["receiveIntoSync", () => queue.receiveIntoSync(bytes)],
    ["tryReceiveInto", () => queue.tryReceiveInto(bytes)],
    ["receiveManyIntoSync", () => queue.receiveManyIntoSync(bytes, lengths)],
    ["tryReceiveManyInto", () => queue.tryReceiveManyInto(bytes, lengths)],
    ["receiveInPlaceSync", () => queue.receiveInPlaceSync(() => {})],
    ["tryReceiveInPlace", () => queue.tryReceiveInPlace(() => {})],
    ["receiveManySync", () => queue.receiveManySync(2)],
    ["tryReceiveMany", () => queue.tryReceiveMany(2)],
    ["queue", () => opened.push(kernel.queue())],
    ["semaphore", () => opened.push(kernel.semaphore())],
    ["mutex", () => opened.push(kernel.mutex())],
    ["pipe", () => opened.push(kernel.pipe().reader)],
    ["sharedMemory", () => opened.push(kernel.sharedMemory({ bytes: 1 }))],
    ["signals.open", () => opened.unshift(kernel.signals.open(["SIGUSR2"]))],
    ["close of a segment", () => opened.pop()?.close()],
    ["close", () => opened.pop()?.close()],
    ["write", () => writer.write(bytes)],
    ["writeSync", () => writer.writeSync(bytes)],
    ["tryWrite", () => writer.tryWrite(bytes)],
    ["writeInPlaceSync", () => writer.writeInPlaceSync(1, () => 1)],
    ["tryWriteInPlace", () => writer.tryWriteInPlace(1, () => 1)],
    ["read", () => reader.read(bytes)],
    ["readSync", () => reader.readSync(bytes)],
    ["readInPlaceSync", () => reader.readInPlaceSync(() => 1)],
    ["tryReadInPlace", () => reader.tryReadInPlace(() => 1)],
    ["tryRead", () => reader.tryRead(bytes)],
    ["pollSync", () => kernel.pollSync([{ handle: writer }])],
    ["semaphore.wait", () => semaphore.wait()],
    ["semaphore.waitSync", () => semaphore.waitSync()],
    ["semaphore.tryWait", () => semaphore.tryWait()],
    ["semaphore.post", () => semaphore.post()],
    ["mutex.lock", async () => (await mutex.lock()).unlock()],
    ["mutex.lockSync", () => mutex.lockSync().unlock()],
    ["mutex.tryLock", () => mutex.tryLock()?.unlock()],
    ["readLockSync", () => lock.readLockSync().unlock()],
    ["tryReadLock", () => lock.tryReadLock()?.unlock()],
    ["writeLockSync", () => lock.writeLockSync().unlock()],
    ["tryWriteLock", () => lock.tryWriteLock()?.unlock()],
    ["barrier.waitSync", () => barrier.waitSync()],
    ["signal reader tryReceive", () => signals.tryReceive()],
    ["kernel.tryWait", () => assert.throws(() => kernel.tryWait(), ipcError("ECHILD", "waitpid"))],
    ["signals.tryWait", () => kernel.signals.tryWait(["SIGUSR2"])],
    ["kill", () => kernel.kill(kernel.pid, 0)],
  ];
}

test("the mission's signals have the mission's numbers and descriptions", () => {
  const mission = {
    SIGHUP: [1, "Hangup"],
    SIGINT: [2, "Interrupt (Ctrl+C)"],
    SIGQUIT: [3, "Quit"],
    SIGILL: [4, "Illegal instruction"],
    SIGTRAP: [5, "Trace/breakpoint trap"],
    SIGABRT: [6, "Abort"],
    SIGBUS: [7, "Bus error"],
    SIGFPE: [8, "Floating point exception"],
    SIGKILL: [9, "Kill (cannot be caught)"],
    SIGUSR1: [10, "User-defined signal 1"],
    SIGSEGV: [11, "Segmentation fault"],
    SIGUSR2: [12, "User-defined signal 2"],
    SIGPIPE: [13, "Broken pipe"],
    SIGALRM: [14, "Alarm clock"],
    SIGTERM: [15, "Termination"],
    SIGCHLD: [17, "Child stopped or terminated"],
    SIGCONT: [18, "Continue"],
    SIGSTOP: [19, "Stop (cannot be caught)"],
    SIGTSTP: [20, "Terminal stop"],
  } as const;
  for (const [name, expected] of Object.entries(mission)) {
    const { number, description } = signals[name as keyof typeof signals];
    assert.deepEqual([number, description], expected, name);
  }
  assert.equal(Object.keys(signals).length, 31);
  assert.deepEqual([17, 18, 19, 9, 11, 40].map(defaultAction), [
    "ignore",
    "continue",
    "stop",
    "terminate",
    "core",
    "terminate",
  ]);
});

overWorlds((world) => {
  test("blocked signals stay pending, and are delivered lowest number first when they are unblocked", () => {
    const kernel = world.createKernel();
    const order: string[] = [];
    for (const name of ["SIGUSR2", "SIGHUP", "SIGUSR1"] as const) kernel.signals.on(name, (s) => order.push(s.name));
    kernel.signals.block("SIGUSR2", "SIGHUP", "SIGUSR1");
    for (const name of ["SIGUSR2", "SIGUSR1", "SIGHUP"] as const) kernel.kill(kernel.pid, name);
    assert.deepEqual(kernel.signals.pending, ["SIGHUP", "SIGUSR1", "SIGUSR2"]);
    assert.deepEqual([kernel.signals.isPending("SIGUSR1"), kernel.signals.hasPending(), order], [true, false, []]);
    kernel.signals.clear("SIGUSR1");
    kernel.signals.unblock("SIGUSR2", "SIGHUP", "SIGUSR1");
    assert.deepEqual(order, ["SIGHUP", "SIGUSR2"]);
    assert.deepEqual(kernel.signals.pending, []);
  });

  test("the mission's signal handler example: a pending signal is handled and cleared, another blocked for a while", () => {
    const kernel = world.createKernel();
    const handler = kernel.signals;
    const handled: string[] = [];
    handler.block("SIGINT", "SIGUSR1");
    kernel.kill(kernel.pid, "SIGINT");
    if (handler.isPending("SIGINT")) {
      handled.push("SIGINT");
      handler.clear("SIGINT");
    }
    assert.ok(!handler.isPending("SIGINT"));
    handler.on("SIGUSR1", ({ name }) => handled.push(name));
    kernel.kill(kernel.pid, "SIGUSR1");
    assert.deepEqual(handled, ["SIGINT"], "in the critical section");
    handler.unblock("SIGUSR1");
    assert.deepEqual(handled, ["SIGINT", "SIGUSR1"]);
  });

  test("the mission's signal handling example: signals are looked for now and then, and each is cleared as it is handled", () => {
    const kernel = world.createKernel();
    const handled: string[] = [];
    const actions = { SIGTERM: "shut down", SIGINT: "cancelled" } as const;
    kernel.signals.block("SIGTERM", "SIGINT");
    kernel.kill(kernel.pid, "SIGTERM");
    kernel.kill(kernel.pid, "SIGINT");
    for (let signal = kernel.signals.tryWait(["SIGTERM", "SIGINT"]); signal; ) {
      handled.push(actions[signal.name as keyof typeof actions]);
      signal = kernel.signals.tryWait(["SIGTERM", "SIGINT"]);
    }
    assert.deepEqual(handled, ["cancelled", "shut down"], "the lower number first");
    assert.equal(kernel.signals.next(), undefined);
    assert.deepEqual(kernel.signals.pending, []);
  });

  test("a standard signal is pending once, a real-time one as often as it was sent, in order and with its value", () => {
    const kernel = world.createKernel();
    kernel.signals.block("SIGUSR1", REAL_TIME);
    for (const value of [1, 2, 3]) {
      kernel.kill(kernel.pid, "SIGUSR1", value);
      kernel.kill(kernel.pid, REAL_TIME, value);
    }
    const taken = [1, 2, 3, 4, 5].map(() => kernel.signals.tryWait(["SIGUSR1", REAL_TIME]));
    assert.deepEqual(
      taken.map((one) => one && `${one.name}:${one.value}`),
      ["SIGUSR1:1", "SIGRTMIN+8:1", "SIGRTMIN+8:2", "SIGRTMIN+8:3", undefined],
    );
  });

  test("so many real-time signals are queued and no more: the next is EAGAIN, and what was queued is freed", () => {
    const kernel = world.createKernel();
    const before = kernel.usage();
    kernel.signals.block(REAL_TIME);
    for (let i = 0; i < 1024; i++) kernel.kill(kernel.pid, REAL_TIME, i);
    assert.throws(() => kernel.kill(kernel.pid, REAL_TIME, 0), ipcError("EAGAIN", "kill"));
    kernel.signals.clear(REAL_TIME);
    assert.deepEqual(kernel.usage(), before);
  });

  test("SIGKILL and SIGSTOP are never blocked, caught or ignored", () => {
    const kernel = world.createKernel();
    kernel.signals.block("SIGKILL", "SIGSTOP", "SIGUSR1");
    assert.deepEqual(kernel.signals.blocked, ["SIGUSR1"]);
    for (const signal of ["SIGKILL", "SIGSTOP"] as const) {
      assert.throws(() => kernel.signals.on(signal, () => {}), ipcError("EINVAL", "sigaction"));
      assert.throws(() => kernel.signals.ignore(signal), ipcError("EINVAL", "sigaction"));
    }
  });

  test("an ignored signal is dropped, also one that was pending, save where it is blocked when it comes", () => {
    const kernel = world.createKernel();
    kernel.signals.block("SIGUSR1");
    kernel.kill(kernel.pid, "SIGUSR1");
    kernel.signals.ignore("SIGUSR1");
    assert.deepEqual(kernel.signals.pending, []);
    kernel.kill(kernel.pid, "SIGUSR1");
    assert.deepEqual(kernel.signals.pending, ["SIGUSR1"], "blocked, so kept");
    kernel.signals.unblock("SIGUSR1");
    assert.deepEqual(kernel.signals.pending, []);
    kernel.kill(kernel.pid, "SIGCHLD");
    assert.deepEqual(kernel.signals.pending, [], "ignored by default");
  });

  test("SIGCONT takes pending stop signals away, and they take it", () => {
    const kernel = world.createKernel();
    kernel.signals.block("SIGTSTP", "SIGTTIN", "SIGCONT");
    kernel.kill(kernel.pid, "SIGTSTP");
    kernel.kill(kernel.pid, "SIGTTIN");
    kernel.kill(kernel.pid, "SIGCONT");
    assert.deepEqual(kernel.signals.pending, ["SIGCONT"]);
    kernel.kill(kernel.pid, "SIGTSTP");
    assert.deepEqual(kernel.signals.pending, ["SIGTSTP"]);
    kernel.signals.clear("SIGTSTP");
  });

  test("SIGCONT and the stop signals take each other away also where they are ignored", () => {
    const kernel = world.createKernel();
    kernel.signals.ignore("SIGCONT");
    kernel.signals.block("SIGTSTP");
    kernel.kill(kernel.pid, "SIGTSTP");
    kernel.kill(kernel.pid, "SIGCONT");
    assert.deepEqual(kernel.signals.pending, []);
    kernel.signals.ignore("SIGTTIN");
    kernel.signals.block("SIGCONT");
    kernel.kill(kernel.pid, "SIGCONT");
    kernel.kill(kernel.pid, "SIGTTIN");
    assert.deepEqual(kernel.signals.pending, []);
  });

  test("an ignored signal that is not blocked is dropped, though the task waits for it", async () => {
    const kernel = world.createKernel();
    const abort = new AbortController();
    const wait = assert.rejects(kernel.signals.wait(["SIGURG"], { signal: abort.signal }), (reason) => reason === 1);
    kernel.kill(kernel.pid, "SIGURG");
    assert.deepEqual(kernel.signals.pending, []);
    abort.abort(1);
    await wait;
  });

  test("a handler's own signal and its mask are blocked while it runs, unless it says nodefer; once is once", () => {
    const kernel = world.createKernel();
    const depths: number[] = [];
    let depth = 0;
    const handler = (again: boolean) => (): void => {
      depths.push(++depth);
      if (again && depth < 3) kernel.kill(kernel.pid, "SIGUSR1");
      depth--;
    };
    kernel.signals.on("SIGUSR1", handler(true), { nodefer: true });
    kernel.kill(kernel.pid, "SIGUSR1");
    assert.deepEqual(depths, [1, 2, 3]);
    depths.length = 0;
    let sent = 0;
    kernel.signals.off("SIGUSR1").on("SIGUSR1", () => {
      depths.push(++depth);
      if (++sent < 3) kernel.kill(kernel.pid, "SIGUSR1");
      depth--;
    });
    kernel.kill(kernel.pid, "SIGUSR1");
    assert.deepEqual(depths, [1, 1, 1], "after one another");
    kernel.signals.on("SIGURG", () => sent++, { once: true });
    kernel.kill(kernel.pid, "SIGURG");
    kernel.kill(kernel.pid, "SIGURG");
    assert.equal(sent, 4);
  });

  test("a task's handlers run on its event loop, for signals of other tasks", async () => {
    const kernel = world.createKernel();
    const task = await world.startTask(kernel, "catchSignals", { caught: ["SIGUSR1", REAL_TIME] });
    assert.equal(await task.report(), "ready");
    for (let i = 0; i < 3; i++) {
      kernel.kill(task.pid, REAL_TIME, i);
      assert.equal(await task.report(), `SIGRTMIN+8:${kernel.pid}:${i}`);
    }
    kernel.kill(task.pid, "SIGUSR1");
    assert.equal(await task.report(), `SIGUSR1:${kernel.pid}:0`);
    task.send("end");
    await task.result();
  });

  /** Another task, whose signal is pending once `signalled` returns, and not delivered: the next call does that. */
  async function startSignaller(kernel: Kernel): Promise<{ signalled: () => void }> {
    const told = kernel.semaphore({ value: 0 });
    const rounds = kernel.sharedMemory({ bytes: 4 });
    const counted = rounds.view(Int32Array);
    const args = { told: told.token, rounds: rounds.token, parent: kernel.pid, signal: "SIGUSR1" } as const;
    await world.startTask(kernel, "signalWhenTold", args);
    return {
      signalled: () => {
        told.post();
        Atomics.add(counted, 0, 1); // that call is over
        spinUntil(() => kernel.signals.isPending("SIGUSR1"));
      },
    };
  }

  test("a handler runs at the end of every call, also of one that did not wait", async () => {
    const kernel = world.createKernel();
    const { signalled } = await startSignaller(kernel);
    let ran = 0;
    kernel.signals.on("SIGUSR1", () => ran++);
    for (const [name, call] of callsThatDoNotWait(kernel)) {
      signalled();
      const before = ran;
      const result = call();
      assert.equal(ran - before, 1, name);
      await result;
    }
  });

  const opening: [string, (kernel: Kernel) => { readonly closed: boolean }[]][] = [
    ["a semaphore", (kernel) => [kernel.semaphore()]],
    ["a pipe", (kernel) => Object.values(kernel.pipe())],
    ["a segment", (kernel) => [kernel.sharedMemory({ bytes: 1 })]],
  ];
  for (const [what, open] of opening) {
    test(`a handler may close the kernel at the end of the call that opens ${what}, which is closed then`, async () => {
      const kernel = world.createKernel();
      const { signalled } = await startSignaller(kernel);
      kernel.signals.on("SIGUSR1", () => kernel.close());
      signalled();
      for (const handle of open(kernel)) assert.ok(handle.closed);
      assert.ok(kernel.closed);
    });
  }

  for (const restart of [true, false]) {
    test(`a handler interrupts a blocked call, which ${restart ? "goes on" : "is EINTR"} (restart: ${restart})`, async () => {
      const kernel = world.createKernel();
      const { reader, writer } = kernel.pipe();
      const args = { caught: ["SIGUSR1"] as const, restart, reader: reader.token };
      const task = await world.startTask(kernel, "catchSignals", args);
      assert.equal(await task.report(), "ready");
      task.send("read");
      await untilAsleep(kernel, task.pid);
      kernel.kill(task.pid, "SIGUSR1");
      assert.equal(await task.report(), `SIGUSR1:${kernel.pid}:0`);
      if (restart) {
        await untilAsleep(kernel, task.pid);
        writer.tryWrite(new Uint8Array(1));
        assert.equal(await task.report(), "nothing");
      } else assert.equal(await task.report(), "EINTR");
    });
  }

  for (const form of ["sync", "awaited"] as const) {
    test(`a task waits for signals, which come with their values (${form})`, async () => {
      const kernel = world.createKernel();
      const args = { signals: ["SIGUSR1", REAL_TIME] as const, form, count: 4 };
      const task = await world.startTask(kernel, "waitForSignals", args);
      assert.equal(await task.report(), "ready");
      for (const value of [7, 8, 9]) {
        kernel.kill(task.pid, REAL_TIME, value);
        assert.equal(await task.report(), `SIGRTMIN+8:${value}`);
      }
      kernel.kill(task.pid, "SIGUSR1");
      assert.equal(await task.report(), "SIGUSR1:0");
    });
  }

  test("a wait for signals ends with its time, or its abort", async () => {
    const kernel = world.createKernel();
    kernel.signals.block("SIGUSR1");
    assert.throws(() => kernel.signals.waitSync(["SIGUSR1"], { timeout: 10 }), ipcError("ETIMEDOUT", "sigwaitinfo"));
    await assert.rejects(kernel.signals.wait(["SIGUSR1"], { timeout: 10 }), ipcError("ETIMEDOUT", "sigwaitinfo"));
    const abort = new AbortController();
    const wait = assert.rejects(kernel.signals.wait(["SIGUSR1"], { signal: abort.signal }), (reason) => reason === 1);
    abort.abort(1);
    await wait;
    assert.equal(kernel.signals.tryWait(["SIGUSR1"]), undefined);
    assert.throws(() => kernel.signals.block("SIGNONE" as "SIGHUP"), TypeError);
    assert.throws(() => kernel.signals.block(65), ipcError("EINVAL", "signal"));
  });

  test("kill finds a task, a group or all others, and says whom it cannot find", async () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    const tasks = await Promise.all([0, 1].map(() => world.startTask(kernel, "catchSignals", { caught: ["SIGUSR1"] })));
    for (const task of tasks) assert.equal(await task.report(), "ready");
    const [first, second] = tasks as [(typeof tasks)[0], (typeof tasks)[0]];
    assert.equal(sys.kill(first.pid, 0), 0);
    assert.equal(sys.kill(first.pid, 65), EINVAL);
    assert.equal(sys.kill(9999, SIGUSR1), ESRCH);
    assert.equal(sys.kill(9999, 65), ESRCH, "the task is looked for first");
    assert.equal(sys.kill(-9999, SIGUSR1), ESRCH);
    const heard = `SIGUSR1:${kernel.pid}:0`;
    assert.equal(sys.kill(-1, SIGUSR1), 0);
    assert.deepEqual([await first.report(), await second.report()], [heard, heard]);
    assert.equal(sys.getpgid(first.pid), sys.getpgrp(), "children are of their parent's group");
    assert.equal(sys.setpgid(first.pid, 0), 0);
    assert.equal(sys.setpgid(first.pid, 9999), EPERM);
    assert.equal(sys.getpgid(first.pid), first.pid);
    assert.equal(sys.setpgid(second.pid, first.pid), 0);
    assert.equal(sys.kill(-first.pid, SIGUSR1), 0);
    assert.deepEqual([await first.report(), await second.report()], [heard, heard]);
    for (const task of tasks) task.send("end");
  });

  test("another user's task is not to be signalled", async (t) => {
    const kernel = world.createKernel();
    if (kernel.sys.geteuid() !== 0) return t.skip("only user 0 becomes another");
    const calls = [
      { name: "setresuid", args: [1000, 1000, 1000] },
      { name: "kill", args: [kernel.pid, 0] },
      { name: "kill", args: [kernel.pid, SIGUSR1] },
      { name: "kill", args: [-1, SIGUSR1] },
    ] as const;
    const task = await world.startTask(kernel, "runCalls", { calls });
    assert.deepEqual(await task.result(), [0, EPERM, EPERM, 0]);
    assert.deepEqual(kernel.signals.pending, [], "all others were left out");
  });

  test("rt_sigprocmask, rt_sigpending and rt_sigtimedwait are Linux's", () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    assert.equal(sys.rt_sigprocmask(BLOCK, placeSet(kernel, bit(SIGUSR1, 9, REAL_TIME)), 0, 8), 0);
    assert.equal(sys.rt_sigprocmask(BLOCK, 0, SET, 8), 0);
    assert.equal(view(kernel).getBigUint64(SET, true), bit(SIGUSR1, REAL_TIME), "SIGKILL is left out");
    assert.equal(sys.rt_sigprocmask(7, SET, 0, 8), EINVAL);
    assert.equal(sys.rt_sigprocmask(7, 0, 0, 8), 0, "how is not looked at without a set");
    assert.equal(sys.rt_sigprocmask(BLOCK, SET, 0, 4), EINVAL);
    assert.equal(sys.kill(kernel.pid, SIGUSR1), 0);
    assert.equal(pendingOf(kernel), bit(SIGUSR1));
    assert.equal(sys.rt_sigtimedwait(placeSet(kernel, bit(SIGUSR1)), INFO, 0, 8), SIGUSR1);
    const info = [0, 8, 16].map((at) => view(kernel).getInt32(INFO + at, true));
    assert.deepEqual(info, [SIGUSR1, 0, kernel.pid]);
    view(kernel).setBigInt64(INFO + 512, 0n, true);
    view(kernel).setBigInt64(INFO + 520, 1_000_000n, true);
    assert.equal(sys.rt_sigtimedwait(SET, INFO, INFO + 512, 8), EAGAIN);
    view(kernel).setBigInt64(INFO + 520, 1_000_000_000n, true);
    assert.equal(sys.rt_sigtimedwait(SET, INFO, INFO + 512, 8), EINVAL);
    assert.equal(sys.rt_sigprocmask(SETMASK, placeSet(kernel, 0n), 0, 8), 0);
    assert.deepEqual(kernel.signals.blocked, []);
    assert.equal(sys.rt_sigprocmask(UNBLOCK, BAD, 0, 8), -14);
  });

  test("rt_sigaction gives a signal a handler by its number, and tells the one before", () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    let ran = 0;
    kernel.handlers.set(1000n, () => ran++);
    const place = (handler: bigint, flags = 0n): number => {
      [handler, flags, 0n, 0n].forEach((value, i) => {
        view(kernel).setBigUint64(ACTION + 8 * i, value, true);
      });
      return ACTION;
    };
    assert.equal(sys.rt_sigaction(SIGUSR2, place(1000n), 0, 8), 0);
    assert.equal(sys.kill(kernel.pid, SIGUSR2), 0);
    assert.equal(ran, 1);
    assert.equal(sys.rt_sigaction(SIGUSR2, place(1n), ACTION + 64, 8), 0);
    assert.equal(view(kernel).getBigUint64(ACTION + 64, true), 1000n);
    assert.equal(sys.kill(kernel.pid, SIGUSR2), 0);
    assert.equal(ran, 1, "ignored");
    for (const signal of [9, 19, 0, 65]) assert.equal(sys.rt_sigaction(signal, place(1n), 0, 8), EINVAL, `${signal}`);
    assert.equal(sys.rt_sigaction(9, 0, ACTION, 8), 0, "looking is allowed");
  });

  test("rt_sigaction keeps the flags that there are, and tells of a handler that ran once what it was but for the handler", () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    let ran = 0;
    kernel.handlers.set(1000n, () => ran++);
    const all = 2n ** 64n - 1n;
    const known = 0xdc000807n;
    placeAction(kernel, 1000n, all, 7n, all);
    assert.equal(sys.rt_sigaction(SIGUSR2, ACTION, 0, 8), 0);
    assert.equal(sys.kill(kernel.pid, SIGUSR2), 0);
    assert.equal(ran, 1);
    assert.equal(sys.rt_sigaction(SIGUSR2, 0, ACTION, 8), 0);
    const told = [0, 8, 16, 24].map((at) => view(kernel).getBigUint64(ACTION + at, true));
    assert.deepEqual(told, [0n, known, 7n, all & ~bit(9, 19)]);
  });

  test("a call that finds no place for what it tells has changed nothing", () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    assert.equal(sys.rt_sigprocmask(BLOCK, placeSet(kernel, bit(SIGUSR1)), BAD, 8), EFAULT);
    assert.deepEqual(kernel.signals.blocked, []);
    placeAction(kernel, 1n);
    assert.equal(sys.rt_sigaction(SIGUSR1, ACTION, BAD, 8), EFAULT);
    assert.equal(sys.rt_sigaction(SIGUSR1, 0, ACTION, 8), 0);
    assert.equal(view(kernel).getBigUint64(ACTION, true), 0n, "still the default");
    kernel.signals.block("SIGUSR1");
    kernel.kill(kernel.pid, "SIGUSR1");
    assert.equal(sys.rt_sigtimedwait(SET, BAD, 0, 8), EFAULT);
    assert.deepEqual(kernel.signals.pending, ["SIGUSR1"]);
    kernel.signals.clear("SIGUSR1");
  });

  test("a task's one thread has its pid: tkill, tgkill and rt_tgsigqueueinfo", () => {
    const kernel = world.createKernel();
    const { sys, pid } = kernel;
    kernel.signals.block("SIGUSR1", REAL_TIME);
    assert.equal(sys.tkill(pid, SIGUSR1), 0);
    assert.equal(sys.rt_sigtimedwait(placeSet(kernel, bit(SIGUSR1)), INFO, 0, 8), SIGUSR1);
    assert.equal(view(kernel).getInt32(INFO + 8, true), SI_TKILL);
    assert.equal(sys.tgkill(pid, pid, 0), 0);
    assert.equal(sys.tgkill(pid, pid + 1, SIGUSR1), ESRCH);
    for (const wrong of [0, -1]) assert.equal(sys.tgkill(pid, wrong, SIGUSR1), EINVAL);
    placeInfo(kernel, SI_QUEUE, 5n);
    assert.equal(sys.rt_tgsigqueueinfo(pid, pid, REAL_TIME, INFO), 0);
    assert.equal(sys.rt_tgsigqueueinfo(pid, 0, REAL_TIME, INFO), EINVAL);
    assert.equal(kernel.signals.next(), undefined);
    assert.equal(kernel.signals.tryWait([REAL_TIME])?.value, 5n);
  });

  test("a siginfo of a code that nobody knows must be zeros behind what is known", () => {
    const kernel = world.createKernel();
    const { sys, pid } = kernel;
    kernel.signals.block(REAL_TIME);
    placeInfo(kernel, -100, 1n);
    view(kernel).setUint8(INFO + 127, 1);
    assert.equal(sys.rt_sigqueueinfo(pid, REAL_TIME, INFO), E2BIG);
    placeInfo(kernel, SI_QUEUE, 1n);
    view(kernel).setUint8(INFO + 127, 1);
    assert.equal(sys.rt_sigqueueinfo(pid, REAL_TIME, INFO), 0);
    assert.equal(sys.rt_sigqueueinfo(pid, REAL_TIME, BAD), EFAULT);
    placeInfo(kernel, SI_TKILL, 1n);
    assert.equal(sys.rt_sigqueueinfo(pid + 1, REAL_TIME, INFO), EPERM);
    kernel.signals.clear(REAL_TIME);
  });

  test("rt_sigsuspend delivers what its first handler lets through, and then the old mask is back", () => {
    const kernel = world.createKernel();
    const order: string[] = [];
    const note = ({ name }: { name: string }) => void order.push(name);
    kernel.signals.on("SIGHUP", note, { mask: ["SIGUSR1"] });
    kernel.signals.on("SIGUSR1", note);
    kernel.signals.on("SIGUSR2", note);
    kernel.signals.block("SIGHUP", "SIGUSR1", "SIGUSR2");
    for (const name of ["SIGHUP", "SIGUSR1", "SIGUSR2"] as const) kernel.kill(kernel.pid, name);
    assert.equal(kernel.sys.rt_sigsuspend(placeSet(kernel, 0n), 8), EINTR);
    assert.deepEqual(order, ["SIGHUP", "SIGUSR2"]);
    assert.deepEqual(kernel.signals.pending, ["SIGUSR1"]);
    kernel.signals.clear("SIGUSR1");
  });

  test("alarm tells the time that was left, to the nearest second", () => {
    const { sys } = world.createKernel();
    assert.equal(sys.alarm(0xffffffff), 0);
    assert.equal(sys.alarm(100), 0xffffffff);
    assert.equal(sys.alarm(0), 100);
    assert.equal(sys.alarm(0), 0);
  });

  test("a write that nobody will read is EPIPE and SIGPIPE, which a task ignores unless it says otherwise, as Node does", () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    assert.equal(sys.pipe(SET), 0);
    const [reader, writer] = [0, 4].map((at) => view(kernel).getInt32(SET + at, true)) as [number, number];
    sys.close(reader);
    assert.equal(sys.write(writer, INFO, 1), EPIPE);
    let caught = 0;
    kernel.signals.on("SIGPIPE", () => caught++);
    assert.equal(sys.write(writer, INFO, 1), EPIPE);
    assert.equal(caught, 1);
  });

  test("mq_notify with SIGEV_SIGNAL sends its signal, with its value, once", () => {
    const kernel = world.createKernel();
    using queue = kernel.queue();
    const heard: string[] = [];
    kernel.signals.on(REAL_TIME, ({ value, sender }) => heard.push(`${value}:${sender}`));
    view(kernel).setBigUint64(INFO, 77n, true);
    view(kernel).setInt32(INFO + 8, REAL_TIME, true);
    view(kernel).setInt32(INFO + 12, 0, true); // SIGEV_SIGNAL
    assert.equal(kernel.sys.mq_notify(queue.descriptor, INFO), 0);
    queue.trySend(new Uint8Array(1));
    queue.trySend(new Uint8Array(1));
    kernel.sys.getpid(); // at its return
    assert.deepEqual(heard, [`77:${kernel.pid}`]);
  });

  test("pause and rt_sigsuspend sleep until a handler has run", async () => {
    const kernel = world.createKernel();
    const calls = [
      { name: "alarm", args: [1] },
      { name: "pause", args: [] },
      { name: "alarm", args: [0] },
    ] as const;
    const task = await world.startTask(kernel, "runCalls", { calls, catches: [14] });
    assert.deepEqual(await task.result(), [0, EINTR, 0]);
  });

  test("a signal that nobody catches ends a task that sleeps", async () => {
    const kernel = world.createKernel();
    const task = await world.startTask(kernel, "sleepInRead", undefined);
    assert.equal(await task.report(), "ready");
    await untilAsleep(kernel, task.pid);
    kernel.kill(task.pid, "SIGTERM");
    await task.exited;
    kernel.reap();
    assert.throws(() => kernel.kill(task.pid, "SIGTERM"), ipcError("ESRCH", "kill"));
  });
});

test("a task that sleeps in a call wakes when its alarm is due, and not at the end of a slice", () => {
  const machine = new Machine();
  const asleep = new Int32Array(new SharedArrayBuffer(4));
  let sleptMs = 0;
  const park = (_word: number, _expected: number, milliseconds: number): void => {
    sleptMs += milliseconds;
    Atomics.wait(asleep, 0, 0, milliseconds);
  };
  const system = machine.attach(undefined, { ...machine.world(), parker: { park, unpark: () => {} } });
  system.signals.catch(14, { run: () => {}, mask: 0n, restart: false, once: false, nodefer: false });
  const end = performance.now() + 1000;
  assert.equal(system.signals.alarm(1), 0);
  Atomics.wait(asleep, 0, 0, 50);
  const leftMs = Math.ceil(end - performance.now()) + 1;
  assert.equal(
    blockUntilAny(system, [], () => 0, FOR_EVER),
    EINTR,
  );
  assert.ok(sleptMs <= leftMs, `${sleptMs} ms where ${leftMs} ms were left`);
});

inWorld("threads", (world) => {
  for (const signal of ["SIGKILL", "SIGTERM"] as const) {
    test(`${signal} ends a worker that spins, at once`, async () => {
      const kernel = world.createKernel();
      const task = await world.startTask(kernel, "spin", undefined);
      assert.equal(await task.report(), "ready");
      kernel.kill(task.pid, signal);
      await task.exited;
    });
  }

  test("a worker that is to end is asked to once, however often it is sent what ends it", async ({ mock }) => {
    const kernel = world.createKernel();
    const task = await world.startTask(kernel, "spin", undefined);
    assert.equal(await task.report(), "ready");
    const { mock: terminate } = mock.method(task.child as Worker, "terminate");
    for (let i = 0; i < 20; i++) kernel.kill(task.pid, "SIGKILL");
    await task.exited;
    assert.equal(terminate.callCount(), 1);
  });

  test("another task's SIGKILL ends a worker that spins, while its parent sleeps in a call", async () => {
    const kernel = world.createKernel();
    const task = await world.startTask(kernel, "spin", undefined);
    assert.equal(await task.report(), "ready");
    const killer = await world.startTask(kernel, "runCalls", { calls: [{ name: "kill", args: [task.pid, 9] }] });
    using never = kernel.semaphore();
    assert.throws(() => never.waitSync({ timeout: 300 }), ipcError("ETIMEDOUT", "sem_wait"));
    await task.exited;
    await killer.result();
  });
});

inWorld("processes", (world) => {
  test("SIGKILL and SIGTERM end a process that spins, at once", async () => {
    const kernel = world.createKernel();
    for (const signal of ["SIGKILL", "SIGTERM"] as const) {
      const task = await world.startTask(kernel, "spin", undefined);
      assert.equal(await task.report(), "ready");
      kernel.kill(task.pid, signal);
      await task.exited;
    }
  });

  const stopAndContinue = async (blocked: readonly "SIGCONT"[]): Promise<void> => {
    const kernel = world.createKernel();
    const task = await world.startTask(kernel, "catchSignals", { caught: ["SIGUSR1"], blocked });
    assert.equal(await task.report(), "ready");
    const { osPid } = kernel.tasks().find(({ pid }) => pid === task.pid) ?? { osPid: 0 };
    const state = (): string => /^State:\s+(\w)/m.exec(readFileSync(`/proc/${osPid}/status`, "utf8"))?.[1] ?? "";
    kernel.kill(task.pid, "SIGSTOP");
    await until(() => state() === "T", "it to stop");
    kernel.kill(task.pid, "SIGCONT");
    kernel.kill(task.pid, "SIGUSR1");
    assert.equal(await task.report(), `SIGUSR1:${kernel.pid}:0`);
    task.send("end");
  };

  test("SIGSTOP stops a process, and SIGCONT lets it go on", () => stopAndContinue([]));

  test("SIGCONT lets a process go on that blocks it", () => stopAndContinue(["SIGCONT"]));
});
