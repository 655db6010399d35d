// What each hot path costs in accesses to shared memory, pinned: with nobody waiting, the path warm, and the object's words known. A
// change that makes a path longer fails here, on any machine; what that costs in time is the bench's.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { MessageQueue } from "../src/api/message-queue.ts";
import { Mutex } from "../src/api/mutex.ts";
import { PipeReader } from "../src/api/pipe-reader.ts";
import { PipeWriter } from "../src/api/pipe-writer.ts";
import { ReadWriteLock } from "../src/api/read-write-lock.ts";
import { Semaphore } from "../src/api/semaphore.ts";
import { makingMutex, makingPipe, makingQueue, makingRwlock, makingSemaphore } from "../src/kernel/making.ts";
import type { Making, Opened } from "../src/kernel/opening.ts";
import type { System } from "../src/kernel/system.ts";
import { access, kinds, mutexTypes } from "../src/memory/layout.ts";
import { type Offset, type Word, Words } from "../src/memory/words.ts";
import { Machine } from "./crash-fixture.ts";
import { inMachineCode } from "./machine/interpreted-words.ts";
import { callsOf } from "./task-calls.ts";

const MODE = 0o600;
const BYTES = 256;
/** Of a message that machine code stages. */
const BYTES_SHORT = 64;

/** What is counted. A wake is a call of the host's: of futex(2), or of a bell. */
interface Counts {
  loads: number;
  stores: number;
  /** Read-modify-writes. */
  exchanges: number;
  /** Copies of bytes, or of six words at once. */
  copies: number;
  wakes: number;
}

const nothing = (): Counts => ({ loads: 0, stores: 0, exchanges: 0, copies: 0, wakes: 0 });

/** Words that count the atomic accesses and the copies. Plain ones cost about what a local variable does. */
class CountingWords extends Words {
  counts = nothing();

  override load(word: Word): number {
    this.counts.loads++;
    return super.load(word);
  }

  override store(word: Word, value: number): void {
    this.counts.stores++;
    super.store(word, value);
  }

  override exchange(word: Word, value: number): number {
    this.counts.exchanges++;
    return super.exchange(word, value);
  }

  override compareExchange(word: Word, expected: number, value: number): number {
    this.counts.exchanges++;
    return super.compareExchange(word, expected, value);
  }

  override load64(word: Word): bigint {
    this.counts.loads++;
    return super.load64(word);
  }

  override compareExchange64(word: Word, expected: bigint, value: bigint): bigint {
    this.counts.exchanges++;
    return super.compareExchange64(word, expected, value);
  }

  override copyIn(offset: Offset, source: Uint8Array, start: number, length: number): void {
    this.counts.copies++;
    super.copyIn(offset, source, start, length);
  }

  override copyAllIn(offset: Offset, source: Uint8Array): void {
    this.counts.copies++;
    super.copyAllIn(offset, source);
  }

  override copyOut(offset: Offset, target: Uint8Array, start: number, length: number): void {
    this.counts.copies++;
    super.copyOut(offset, target, start, length);
  }

  override copyView(view: Uint8Array, target: Uint8Array, start: number): void {
    this.counts.copies++;
    super.copyView(view, target, start);
  }
}

const CountingMachineWords = inMachineCode(CountingWords);

class Bench {
  readonly words: CountingWords;
  readonly system: System;

  constructor(Counting = CountingWords) {
    const machine = new Machine();
    const words = new Counting(machine.buffer);
    const world = machine.world();
    const wake = (): void => {
      words.counts.wakes++;
    };
    const doorbell = { ...world.doorbell, ring: wake };
    this.words = words;
    this.system = machine.attach(words, { ...world, parker: { park: () => {}, unpark: wake }, doorbell });
    this.#countStaged();
  }

  /** Each staged message is copied twice: here, and by lanes in the step, from here to the slot or from there to here. */
  #countStaged(): void {
    const { staging } = this.system;
    const { words } = this;
    const counting =
      <A extends unknown[]>(copy: (...args: A) => void) =>
      (...args: A): void => {
        words.counts.copies += 2;
        copy.apply(staging, args);
      };
    Object.assign(staging, { put: counting(staging.put), get: counting(staging.get) });
  }

  open(kind: number, making: Making, ...ends: number[]): Opened[] {
    const accesses = ends.length > 0 ? ends : [access.READ | access.WRITE];
    const opened = this.system.createAnonymous(kind, making, accesses);
    assert.ok(typeof opened !== "number");
    return opened;
  }

  /** The counts of one run of a warm path. */
  of(run: () => void): Counts {
    for (let i = 0; i < 3; i++) run();
    this.words.counts = nothing();
    run();
    return this.words.counts;
  }
}

const handle = <T>(
  Handle: new (system: System, opened: Opened, label: string, onClose: () => void) => T,
  bench: Bench,
  opened: Opened | undefined,
): T => new Handle(bench.system, opened as Opened, "it", () => {});

/** How a path runs: access by access, or in machine code, which is what a thread's first region has. */
interface Way {
  readonly suffix: string;
  readonly words: typeof CountingWords;
}

const ways: readonly Way[] = [
  { suffix: "", words: CountingWords },
  { suffix: ", in machine code", words: CountingMachineWords },
];

function queuePaths({ suffix, words }: Way): [string, () => Counts][] {
  const shape = { depth: 64, bytesMax: 0, messageBytesMax: BYTES };
  const made = (): { bench: Bench; queue: MessageQueue } => {
    const bench = new Bench(words);
    return {
      bench,
      queue: handle(MessageQueue, bench, bench.open(kinds.QUEUE, makingQueue(bench.words, shape, MODE))[0]),
    };
  };
  const into = new Uint8Array(BYTES);
  return [BYTES_SHORT, BYTES].flatMap((length): [string, () => Counts][] => {
    const message = new Uint8Array(length);
    return [
      [
        `queue: trySend of ${length} bytes${suffix}`,
        () => {
          const { bench, queue } = made();
          return bench.of(() => assert.ok(queue.trySend(message)));
        },
      ],
      [
        `queue: trySend and tryReceiveInto of ${length} bytes${suffix}`,
        () => {
          const { bench, queue } = made();
          for (let i = 0; i < 8; i++) queue.trySend(message);
          queue.tryReceiveInto(into); // now it knows of more than one
          return bench.of(() => {
            queue.trySend(message);
            queue.tryReceiveInto(into);
          });
        },
      ],
      [
        `queue: trySendMany and tryReceiveMany of 16 times ${length} bytes${suffix}`,
        () => {
          const { bench, queue } = made();
          const many = Array.from({ length: 16 }, () => message);
          return bench.of(() => {
            assert.equal(queue.trySendMany(many), 16);
            assert.equal(queue.tryReceiveMany(16).length, 16);
          });
        },
      ],
    ];
  });
}

function pipePaths({ suffix, words }: Way): [string, () => Counts][] {
  const data = new Uint8Array(4096);
  return [
    [
      `pipe: tryWrite and tryRead of 4096 bytes${suffix}`,
      () => {
        const bench = new Bench(words);
        const [read, write] = bench.open(kinds.PIPE, makingPipe(bench.words, 8192, MODE), access.READ, access.WRITE);
        const [reader, writer] = [handle(PipeReader, bench, read), handle(PipeWriter, bench, write)];
        return bench.of(() => {
          assert.equal(writer.tryWrite(data), data.length);
          assert.equal(reader.tryRead(data), data.length);
        });
      },
    ],
  ];
}

function lockPaths(): [string, () => Counts][] {
  return [
    [
      "semaphore: tryWait and post",
      () => {
        const bench = new Bench();
        const [opened] = bench.open(kinds.SEMAPHORE, makingSemaphore(bench.words, 1, MODE));
        const semaphore = handle(Semaphore, bench, opened);
        return bench.of(() => {
          assert.ok(semaphore.tryWait());
          semaphore.post();
        });
      },
    ],
    [
      "mutex: lockSync and unlock",
      () => {
        const bench = new Bench();
        const [opened] = bench.open(kinds.MUTEX, makingMutex(bench.words, mutexTypes.NORMAL, MODE));
        const mutex = handle(Mutex, bench, opened);
        return bench.of(() => mutex.lockSync().unlock());
      },
    ],
    [
      "rwlock: readLockSync and unlock",
      () => {
        const bench = new Bench();
        const [opened] = bench.open(
          kinds.RWLOCK,
          makingRwlock(bench.words, bench.system.geometry.limits.tasksMax, MODE),
        );
        const lock = handle(ReadWriteLock, bench, opened);
        return bench.of(() => lock.readLockSync().unlock());
      },
    ],
    [
      "rwlock: writeLockSync and unlock",
      () => {
        const bench = new Bench();
        const [opened] = bench.open(
          kinds.RWLOCK,
          makingRwlock(bench.words, bench.system.geometry.limits.tasksMax, MODE),
        );
        const lock = handle(ReadWriteLock, bench, opened);
        return bench.of(() => lock.writeLockSync().unlock());
      },
    ],
  ];
}

const AT = 1024;
const SIGUSR1 = 10;

function callPaths(): [string, () => Counts][] {
  return [
    [
      "msgsnd and msgrcv",
      () => {
        const bench = new Bench();
        const { sys, memory } = callsOf(bench.system);
        const queue = sys.msgget(5, 0o1600);
        memory.setBigInt64(AT, 1n, true);
        return bench.of(() => {
          assert.equal(sys.msgsnd(queue, AT, BYTES, 0), 0);
          assert.equal(sys.msgrcv(queue, AT, BYTES, 0, 0), BYTES);
        });
      },
    ],
    [
      "write and read of 1024 bytes",
      () => {
        const bench = new Bench();
        const { sys, memory } = callsOf(bench.system);
        assert.equal(sys.pipe(AT), 0);
        const [reader, writer] = [0, 4].map((at) => memory.getInt32(AT + at, true)) as [number, number];
        return bench.of(() => {
          assert.equal(sys.write(writer, AT, 1024), 1024);
          assert.equal(sys.read(reader, AT, 1024), 1024);
        });
      },
    ],
    [
      "semop down and up",
      () => {
        const bench = new Bench();
        const { sys, memory } = callsOf(bench.system);
        const set = sys.semget(5, 1, 0o1600);
        assert.equal(sys.semctl(set, 0, 16, 1), 0);
        const operation = (value: number): number => {
          [0, value, 0].forEach((half, i) => {
            memory.setInt16(AT + 2 * i, half, true);
          });
          return sys.semop(set, AT, 1);
        };
        return bench.of(() => {
          assert.equal(operation(-1), 0);
          assert.equal(operation(1), 0);
        });
      },
    ],
    [
      "kill of a blocked signal, and rt_sigtimedwait",
      () => {
        const bench = new Bench();
        const { sys, memory } = callsOf(bench.system);
        memory.setBigUint64(AT, 1n << BigInt(SIGUSR1 - 1), true);
        assert.equal(sys.rt_sigprocmask(0, AT, 0, 8), 0);
        return bench.of(() => {
          assert.equal(sys.kill(bench.system.pid, SIGUSR1), 0);
          assert.equal(sys.rt_sigtimedwait(AT, 0, 0, 8), SIGUSR1);
        });
      },
    ],
  ];
}

const paths = [...ways.flatMap(queuePaths), ...ways.flatMap(pipePaths), ...lockPaths(), ...callPaths()];

/** Where the table stands: what it costs is a promise to those who use it. */
const architecture = fileURLToPath(new URL("../../docs/ARCHITECTURE.md", import.meta.url));
const row = (name: string, { loads, stores, exchanges, copies, wakes }: Counts): string =>
  `| ${name} | ${loads} | ${stores} | ${exchanges} | **${loads + stores + exchanges}** | ${copies} | ${wakes} |`;

for (const [name, measure] of paths) {
  test(`the path "${name}" costs what docs/ARCHITECTURE.md says`, () => {
    const expected = row(name, measure());
    const written = readFileSync(architecture, "utf8")
      .split("\n")
      .find((line) => line.startsWith(`| ${name} |`));
    assert.equal(expected, written, "shorter is good news: write it down; longer needs a reason");
  });
}
