// The functions of the C library that are compared, and what their arguments are: both sides read them from here.

import type { CallName, ObjectKind } from "./calls.ts";

/**
 * An object that all tasks share, one of the task's semaphores, or a pointer: to an absolute time, or a result that is the
 * call's.
 */
export type Argument = ObjectKind | "handle" | "time" | "value";

export const signatures = {
  sem_post: ["handle"],
  sem_wait: ["handle"],
  sem_trywait: ["handle"],
  sem_timedwait: ["handle", "time"],
  sem_getvalue: ["handle", "value"],
  pthread_mutex_lock: ["mutex"],
  pthread_mutex_trylock: ["mutex"],
  pthread_mutex_timedlock: ["mutex", "time"],
  pthread_mutex_unlock: ["mutex"],
  pthread_mutex_consistent: ["mutex"],
  pthread_rwlock_rdlock: ["rwlock"],
  pthread_rwlock_tryrdlock: ["rwlock"],
  pthread_rwlock_timedrdlock: ["rwlock", "time"],
  pthread_rwlock_wrlock: ["rwlock"],
  pthread_rwlock_trywrlock: ["rwlock"],
  pthread_rwlock_timedwrlock: ["rwlock", "time"],
  pthread_rwlock_unlock: ["rwlock"],
  pthread_cond_wait: ["condition", "mutex"],
  pthread_cond_timedwait: ["condition", "mutex", "time"],
  pthread_cond_signal: ["condition"],
  pthread_cond_broadcast: ["condition"],
  pthread_barrier_wait: ["barrier"],
} as const satisfies { readonly [name in CallName]?: readonly Argument[] };

export type FunctionName = keyof typeof signatures;

export const isFunction = (name: CallName): name is FunctionName => name in signatures;

interface Pass {
  readonly first: FunctionName;
  /** What lets go of it again: of which argument. */
  readonly back: FunctionName;
  readonly of: 0 | 1;
}

/** Calls that let go again of what they got. */
export const passes: { readonly [name in CallName]?: Pass } = {
  sem_pass: { first: "sem_wait", back: "sem_post", of: 0 },
  pthread_mutex_pass: { first: "pthread_mutex_lock", back: "pthread_mutex_unlock", of: 0 },
  pthread_rwlock_rdpass: { first: "pthread_rwlock_rdlock", back: "pthread_rwlock_unlock", of: 0 },
  pthread_rwlock_wrpass: { first: "pthread_rwlock_wrlock", back: "pthread_rwlock_unlock", of: 0 },
  pthread_cond_pass: { first: "pthread_cond_wait", back: "pthread_mutex_unlock", of: 1 },
};

/** What follows once such a call's first part has returned: nothing where it got nothing. */
export function* partsAfter(
  { back, of }: Pass,
  result: number,
  args: readonly number[],
): Generator<[FunctionName, number]> {
  const object = args[of] as number;
  if (result === EOWNERDEAD) yield ["pthread_mutex_consistent", object];
  if (result === 0 || result === EOWNERDEAD) yield [back, object];
}

export const EOWNERDEAD = -130;
export const ENOTRECOVERABLE = -131;

/** Types of mutexes, as pthread_mutexattr_settype(3) has them. */
export const mutexTypes = ["normal", "recursive", "error-checking"] as const;
