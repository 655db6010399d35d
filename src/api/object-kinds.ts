// What the kinds of objects are called outside.

import { kinds } from "../memory/layout.ts";

/** The kinds of objects, by the words for them. */
export const objectKinds = {
  pipe: kinds.PIPE,
  fifo: kinds.FIFO,
  queue: kinds.QUEUE,
  "sysv-queue": kinds.SYSV_QUEUE,
  shm: kinds.SEGMENT,
  semaphore: kinds.SEMAPHORE,
  "semaphore-set": kinds.SEMAPHORE_SET,
  mutex: kinds.MUTEX,
  rwlock: kinds.RWLOCK,
  condition: kinds.CONDITION,
  barrier: kinds.BARRIER,
  signals: kinds.SIGNALS,
} as const;

/**
 * A kind of object: `queue` is POSIX's, `sysv-queue` and `semaphore-set` are System V's, `shm` a shared memory segment, `signals`
 * what signalfd(2) opens.
 */
export type ObjectKind = keyof typeof objectKinds;

export const kindWords = Object.keys(objectKinds) as ObjectKind[];

/** The word for a kind's number, undefined where there is none. */
export const kindWordOf = (kind: number): ObjectKind | undefined =>
  kindWords.find((word) => objectKinds[word] === kind);
