// A task that works with an object beside others, and writes down what it did and when.

import type { Kernel, LockGuard, LockToken, QueueToken } from "../src/index.ts";
import type { Recorded } from "./linearizability.ts";
import { Random } from "./random.ts";
import type { Peer } from "./task-runner.ts";

export interface HistoryArgs {
  readonly kind: "queue" | "semaphore" | "mutex" | "rwlock";
  readonly token: QueueToken | LockToken<"semaphore"> | LockToken<"mutex"> | LockToken<"rwlock">;
  /** All tasks begin a round together, and nobody begins the next before all have ended. */
  readonly barrier: LockToken<"barrier">;
  readonly task: number;
  readonly rounds: number;
  readonly operations: number;
  readonly seed: number;
}

/** An operation that may be chosen now: what it gives, -1 for nothing. */
type Choice = readonly [operation: string, run: (argument: number) => number];

/** Works for so many rounds; returns each round's records. */
export function recordHistory(kernel: Kernel, peer: Peer, args: HistoryArgs): Recorded[][] {
  using barrier = kernel.openToken(args.barrier);
  const choices = choicesOf(kernel, args);
  const random = new Random(args.seed);
  peer.report("open");
  const history: Recorded[][] = [];
  let argument = args.task;
  for (let round = 0; round < args.rounds; round++) {
    barrier.waitSync();
    const records: Recorded[] = [];
    for (let i = 0; i < args.operations; i++) {
      const [operation, run] = random.pick(choices(i === args.operations - 1));
      argument += 10; // no two messages are the same
      const start = now();
      const result = run(argument);
      records.push({ task: args.task, operation, argument, result, start, end: now() });
    }
    history.push(records);
  }
  return history;
}

/** Nanoseconds of CLOCK_MONOTONIC, which threads and processes share. */
const now = (): number => Number(process.hrtime.bigint());

/** What can be done next; with the `last` operation of a round a lock is given back. */
function choicesOf(kernel: Kernel, { kind, token }: HistoryArgs): (last: boolean) => readonly Choice[] {
  if (kind === "queue") {
    const queue = kernel.openToken(token as QueueToken);
    const into = new Uint8Array(4);
    const number = new DataView(into.buffer);
    const all: Choice[] = [
      [
        "trySend",
        (argument) => {
          number.setInt32(0, argument);
          return queue.trySend(into) ? 0 : -1;
        },
      ],
      ["tryReceive", () => (queue.tryReceiveInto(into) < 0 ? -1 : number.getInt32(0))],
    ];
    return () => all;
  }
  if (kind === "semaphore") {
    const semaphore = kernel.openToken(token as LockToken<"semaphore">);
    const all: Choice[] = [
      [
        "post",
        () => {
          semaphore.post();
          return 0;
        },
      ],
      ["tryWait", () => (semaphore.tryWait() ? 0 : -1)],
    ];
    return () => all;
  }
  let held: LockGuard | undefined;
  const locking = (lock: () => LockGuard | undefined): number => {
    held = lock();
    return held ? 0 : -1;
  };
  const unlock: Choice[] = [
    [
      "unlock",
      () => {
        held?.unlock();
        held = undefined;
        return 0;
      },
    ],
  ];
  if (kind === "mutex") {
    const mutex = kernel.openToken(token as LockToken<"mutex">);
    const free: Choice[] = [
      ["tryLock", () => locking(() => mutex.tryLock())],
      ["lock", () => locking(() => mutex.lockSync())],
    ];
    return (last) => (held ? unlock : last ? [nothing] : free);
  }
  const rwlock = kernel.openToken(token as LockToken<"rwlock">);
  const free: Choice[] = [
    ["tryRead", () => locking(() => rwlock.tryReadLock())],
    ["tryWrite", () => locking(() => rwlock.tryWriteLock())],
  ];
  return (last) => (held ? unlock : last ? [nothing] : free);
}

/** Where a round ends with nothing held. */
const nothing: Choice = ["nothing", () => 0];
