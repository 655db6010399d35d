// A task for tests of locks, which does what it is told step by step.

import type { Kernel, LockGuard, LockToken, SharedMemoryToken } from "../src/index.ts";
import { codeOf } from "./expectations.ts";
import type { Peer } from "./task-runner.ts";

type Kinds = "semaphore" | "mutex" | "rwlock" | "condition" | "barrier";

/** A method of what a token leads to. Of a condition, `mutex` is what to wait with. "end" ends the task. */
export interface Step {
  readonly token: LockToken<Kinds>;
  readonly verb: string;
  readonly options?: object;
  readonly mutex?: LockToken<"mutex">;
}

/** Makes each step and reports what it gave: "locked", "owner died", "undefined", another value, or an error's code. */
export async function followSteps(kernel: Kernel, peer: Peer): Promise<void> {
  const open = new Map<number, { [verb: string]: (...args: unknown[]) => unknown }>();
  const handleOf = (token: LockToken<Kinds>): { [verb: string]: (...args: unknown[]) => unknown } => {
    let handle = open.get(token.objectIndex);
    if (!handle) {
      handle = kernel.openToken(token) as never;
      open.set(token.objectIndex, handle as never);
    }
    return handle as never;
  };
  for (;;) {
    const step = (await peer.hear()) as Step | "end";
    if (step === "end") return;
    let said: unknown;
    const code = await codeOf(async () => {
      const handle = handleOf(step.token);
      const first = step.mutex ? [handleOf(step.mutex)] : [];
      said = told(await handle[step.verb]?.(...first, step.options));
    });
    peer.report(code === "nothing" ? said : code);
  }
}

function told(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return String(value);
  return (value as LockGuard).ownerDied ? "owner died" : "locked";
}

/** Adds to a plain word of a segment, so often, with the mutex locked. */
export async function addUnderMutex(
  kernel: Kernel,
  peer: Peer,
  args: { mutex: LockToken<"mutex">; segment: SharedMemoryToken; count: number; form: "sync" | "awaited" },
): Promise<void> {
  using mutex = kernel.openToken(args.mutex);
  using segment = kernel.openToken(args.segment);
  const words = segment.view(Int32Array);
  peer.report("open");
  await peer.hear();
  for (let i = 0; i < args.count; i++) {
    using _guard = args.form === "sync" ? mutex.lockSync() : await mutex.lock();
    words[0] = (words[0] as number) + 1;
  }
}

/** Fills a ring in a segment with the numbers from 1 up, as there is room. */
export function produceNumbers(
  kernel: Kernel,
  peer: Peer,
  args: { empty: LockToken<"semaphore">; full: LockToken<"semaphore">; segment: SharedMemoryToken; count: number },
): void {
  using empty = kernel.openToken(args.empty);
  using full = kernel.openToken(args.full);
  using segment = kernel.openToken(args.segment);
  const slots = segment.view(Int32Array);
  peer.report("open");
  for (let i = 0; i < args.count; i++) {
    empty.waitSync();
    slots[i % slots.length] = i + 1;
    full.post();
  }
}

/** What the tasks of the torture share: two words that are equal whenever nobody holds the mutex, and a count of turns. */
export interface TortureArgs {
  readonly mutex: LockToken<"mutex">;
  readonly rwlock: LockToken<"rwlock">;
  readonly segment: SharedMemoryToken;
}

/** Changes two words with the mutex locked, one after the other, and reads and writes under the other lock: to be killed. */
export function tortureLocks(kernel: Kernel, peer: Peer, args: TortureArgs): never {
  const mutex = kernel.openToken(args.mutex);
  const rwlock = kernel.openToken(args.rwlock);
  const words = kernel.openToken(args.segment).view(Int32Array);
  peer.report("open");
  for (let turn = 0; ; turn++) {
    const guard = mutex.lockSync();
    if (guard.ownerDied) {
      words[1] = words[0] as number;
      mutex.markConsistent();
    }
    if (words[0] !== words[1]) throw new Error("two tasks at once");
    words[0] = turn;
    words[1] = turn;
    guard.unlock();
    (turn % 3 === 0 ? rwlock.writeLockSync() : rwlock.readLockSync()).unlock();
    Atomics.add(words, 2, 1);
  }
}
