// What is known of a sequence's mutexes: who holds each, and in what state. All are robust.

import type { Random } from "../random.ts";
import { OBJECTS } from "./calls.ts";
import { call } from "./family.ts";
import { ENOTRECOVERABLE, EOWNERDEAD, mutexTypes } from "./library-calls.ts";
import type { Observation, Operand, Operation } from "./operation.ts";
import { inAnyOrder, isImpatient } from "./waiters.ts";

/** At one time, of those that are of use. */
const MUTEXES = 3;
const EPERM = -1;
const ETIMEDOUT = -110;
const [RECURSIVE, ERROR_CHECKING] = [1, 2] as const;

const LOCKS: readonly string[] = ["pthread_mutex_lock", "pthread_mutex_trylock", "pthread_mutex_timedlock"];

/** Those who want a mutex, and sleep. */
type Contenders = (mutex: number) => readonly Operation[];

const untouched = { isLeft: false, isLeftInconsistent: false, isInconsistent: false, isLost: false };

interface Mutex {
  readonly type: number;
  owner: number | undefined;
  /** How often the owner has locked it. */
  count: number;
  /** Its owner died, and nobody has had it since. */
  isLeft: boolean;
  /** And that owner had taken it over from one that had died before, and had not declared it consistent. */
  isLeftInconsistent: boolean;
  /** Its owner took it over from one that died, and has not declared it consistent. */
  isInconsistent: boolean;
  /** It was unlocked so, and is of no use any more. */
  isLost: boolean;
}

export class MutexModel {
  readonly #mutexes = new Map<number, Mutex>();
  /** Glibc's pthread_mutex_trylock that finds a mutex not recoverable leaves it locked: nothing more can be compared. */
  readonly #spoilt = new Set<number>();

  /** The mutexes that can be used, by their numbers. */
  get all(): number[] {
    return [...this.#mutexes.keys()];
  }

  /** A new one, where there are too few that are of use. */
  drawInit(random: Random, task: number): Operation | undefined {
    const good = [...this.#mutexes.values()].filter(({ isLost }) => !isLost).length;
    if (good > 0 && (good >= MUTEXES || !random.chance(10))) return undefined;
    return call(task, "pthread_mutex_init", [random.below(OBJECTS), random.below(mutexTypes.length)]);
  }

  has(mutex: Operand | undefined): boolean {
    return this.#get(mutex) !== undefined;
  }

  heldBy(task: number): number[] {
    return this.all.filter((mutex) => this.isHeldBy(mutex, task));
  }

  /** Whether the next who gets it is told of a death. */
  isLeft(mutex: Operand | undefined): boolean {
    return this.#get(mutex)?.isLeft === true;
  }

  /** Whether it is, or will be when its owner unlocks it, of no use any more. */
  isLost(mutex: Operand | undefined): boolean {
    return this.#get(mutex)?.isLost === true || this.isInconsistent(mutex);
  }

  /** Whether its owner has to say that what it guards is whole again. */
  isInconsistent(mutex: Operand | undefined): boolean {
    return this.#get(mutex)?.isInconsistent === true;
  }

  isHeldBy(mutex: Operand | undefined, task: number): boolean {
    return this.#get(mutex)?.owner === task;
  }

  /** How often its owner has locked it. */
  countOf(mutex: Operand | undefined): number {
    return this.#get(mutex)?.count ?? 0;
  }

  /**
   * Whether it is determined what a call of pthread_mutex_… comes to, and it does not make all sleep. What POSIX leaves open
   * is not drawn: a second lock of a normal mutex, which waits for itself; pthread_mutex_consistent by another than the owner.
   * Nor what glibc does otherwise than POSIX says (row mutex-glibc).
   */
  admits(operation: Operation, contendersOf: Contenders, maySleep: boolean): boolean {
    const { task, name, args } = operation;
    const number = args[0] as number;
    const mutex = this.#get(number);
    if (name === "pthread_mutex_init") return mutex === undefined && !this.#spoilt.has(number);
    if (mutex === undefined) return false;
    const isOwn = mutex.owner === task;
    if (name === "pthread_mutex_unlock") return !(isOwn && mutex.isInconsistent && contendersOf(number).length > 1);
    if (name === "pthread_mutex_consistent") return isOwn || !(mutex.isInconsistent || mutex.isLeftInconsistent);
    if (isOwn && mutex.type === RECURSIVE) return !mutex.isInconsistent;
    if (isOwn && mutex.type === ERROR_CHECKING) return name !== "pthread_mutex_trylock";
    if (isImpatient(operation) || mutex.owner === undefined) return true;
    if (isOwn || !maySleep || this.#closesCycle(task, mutex.owner, contendersOf)) return false;
    return inAnyOrder([...contendersOf(number), operation]);
  }

  /** What lets go of a mutex that a task holds which is awake, for one of those who contend for it. */
  release(awake: readonly number[], contendersOf: Contenders): Operation | undefined {
    for (const [number, { owner, isInconsistent }] of this.#mutexes) {
      if (owner === undefined || !awake.includes(owner) || contendersOf(number).length === 0) continue;
      return call(owner, isInconsistent ? "pthread_mutex_consistent" : "pthread_mutex_unlock", [number]);
    }
    return undefined;
  }

  observe({ operation, result }: Observation): void {
    const { task, name, args } = operation;
    if (name === "die") this.#leave(task);
    if (name === "pthread_mutex_init" && result === 0) {
      const type = args[1] as number;
      this.#mutexes.set(args[0] as number, { type, owner: undefined, count: 0, ...untouched });
    }
    if (name.startsWith("pthread_cond_")) this.#observeWait(operation, result);
    const mutex = this.#get(args[0]);
    if (!mutex || !name.startsWith("pthread_mutex_")) return;
    if (name === "pthread_mutex_unlock" && result === 0 && --mutex.count === 0) release(mutex);
    if (name === "pthread_mutex_consistent" && result === 0) mutex.isInconsistent = false;
    if (LOCKS.includes(name)) got(mutex, task, result);
    if (name === "pthread_mutex_trylock" && result === ENOTRECOVERABLE) this.#spoil(args[0] as number);
    if (name === "pthread_mutex_pass" && result === EOWNERDEAD) takeOver(mutex);
  }

  /** Whether a task would wait for one that waits for it: none could be woken. */
  #closesCycle(task: number, owner: number, contendersOf: Contenders): boolean {
    return this.heldBy(task).some((mutex) => contendersOf(mutex).some((other) => other.task === owner));
  }

  #spoil(mutex: number): void {
    this.#mutexes.delete(mutex);
    this.#spoilt.add(mutex);
  }

  #leave(task: number): void {
    for (const mutex of this.#mutexes.values()) {
      if (mutex.owner !== task) continue;
      mutex.isLeftInconsistent = mutex.isInconsistent;
      mutex.isInconsistent = false; // whoever is next is told once more
      release(mutex);
      mutex.isLeft = true;
    }
  }

  /** A wait lets go of the mutex, and has it again when it returns. */
  #observeWait({ task, name, args }: Operation, result: Observation["result"]): void {
    const mutex = this.#get(args[1]);
    if (!mutex) return;
    if (mutex.owner === task && result !== EPERM) release(mutex);
    if (result === "sleeps") return;
    if (name !== "pthread_cond_pass") got(mutex, task, result === ETIMEDOUT ? 0 : result);
    else if (result === EOWNERDEAD) takeOver(mutex);
  }

  #get(mutex: Operand | undefined): Mutex | undefined {
    return this.#mutexes.get(mutex as number);
  }
}

function got(mutex: Mutex, task: number, result: Observation["result"]): void {
  if (result !== 0 && result !== EOWNERDEAD) return;
  mutex.owner = task;
  takeOver(mutex);
  mutex.count++;
  if (result === EOWNERDEAD) mutex.isInconsistent = true;
}

function takeOver(mutex: Mutex): void {
  mutex.isLeft = false;
  mutex.isLeftInconsistent = false;
}

function release(mutex: Mutex): void {
  mutex.isLost ||= mutex.isInconsistent;
  mutex.owner = undefined;
  mutex.count = 0;
  mutex.isInconsistent = false;
}
