// Read/write locks that prefer writers: pthread_rwlock_rdlock, pthread_rwlock_wrlock, their try and timed forms,
// pthread_rwlock_unlock. Nobody dies: on Linux what a dead task held stays locked.

import type { Random } from "../random.ts";
import { type Context, call, type Drawing, type Family, idleTasks, type Sleeping } from "./family.ts";
import type { Observation, Operation } from "./operation.ts";
import { callInTime, drawVainInterrupt, inAnyOrder, isImpatient, mayOneSleep, objectOf } from "./waiters.ts";

const LOCKS = 2;

const isOfWriter = ({ name }: Operation): boolean => name.includes("wrlock") || name.endsWith("wrpass");
const isOfReader = (operation: Operation): boolean => !isOfWriter(operation);

class Lock {
  writer: number | undefined;
  /** How often each task has locked it for reading. */
  readonly readers = new Map<number, number>();
}

class ReadWriteLocks implements Drawing {
  readonly leftovers = { objects: ["rwlock"] } as const;
  readonly #context: Context;
  readonly #locks = new Map<number, Lock>();

  constructor(context: Context) {
    this.#context = context;
  }

  draw(random: Random, sleeping: Sleeping): Operation | undefined {
    const interrupt = drawVainInterrupt(random, sleeping);
    if (interrupt) return interrupt;
    const task = random.pick(idleTasks(this.#context.tasks, sleeping));
    const all = [...this.#locks.keys()];
    if (all.length === 0 || (all.length < LOCKS && random.chance(10)))
      return call(task, "pthread_rwlock_init", [random.below(LOCKS)]);
    const held = all.filter((lock) => this.#holds(task, lock));
    if (held.length > 0 && random.chance(50)) return call(task, "pthread_rwlock_unlock", [random.pick(held)]);
    const name = random.pick([
      "pthread_rwlock_rdlock",
      "pthread_rwlock_rdlock",
      "pthread_rwlock_tryrdlock",
      "pthread_rwlock_timedrdlock",
      "pthread_rwlock_rdpass",
      "pthread_rwlock_wrlock",
      "pthread_rwlock_trywrlock",
      "pthread_rwlock_timedwrlock",
      "pthread_rwlock_wrpass",
    ] as const);
    return callInTime(random, task, name, random.pick(all));
  }

  /**
   * What POSIX leaves open is not drawn (row lock-again): that a task which reads waits to write, or reads once more while a
   * writer waits; and that one unlocks what it has not locked.
   */
  admits(operation: Operation, sleeping: Sleeping): boolean {
    const { task, name } = operation;
    const lock = this.#locks.get(objectOf(operation));
    if (name === "pthread_rwlock_init") return lock === undefined;
    if (lock === undefined) return false;
    if (name === "pthread_rwlock_unlock") return this.#holds(task, objectOf(operation));
    if (lock.writer === task) return true;
    const waiters = [...sleeping.values()].filter((other) => objectOf(other) === objectOf(operation));
    const writes = isOfWriter(operation);
    if (name === "pthread_rwlock_trywrlock") return true;
    if (lock.readers.has(task) && (writes || waiters.some(isOfWriter))) return false;
    if (isImpatient(operation)) return true;
    const waits = lock.writer !== undefined || (writes ? lock.readers.size > 0 : waiters.some(isOfWriter));
    if (!waits) return true;
    if (!mayOneSleep(this.#context, sleeping)) return false;
    const all = [...waiters, operation];
    return all.every(isOfReader) || inAnyOrder(all);
  }

  observe({ operation, result }: Observation): void {
    const { task, name } = operation;
    if (result !== 0) return;
    if (name === "pthread_rwlock_init") this.#locks.set(objectOf(operation), new Lock());
    const lock = this.#locks.get(objectOf(operation));
    if (!lock || name.endsWith("pass")) return;
    const times = lock.readers.get(task) ?? 0;
    if (name === "pthread_rwlock_unlock") {
      if (lock.writer === task) lock.writer = undefined;
      else if (times > 1) lock.readers.set(task, times - 1);
      else lock.readers.delete(task);
    } else if (name.endsWith("wrlock")) lock.writer = task;
    else if (name.endsWith("rdlock")) lock.readers.set(task, times + 1);
  }

  #holds(task: number, number: number): boolean {
    const lock = this.#locks.get(number);
    return lock !== undefined && (lock.writer === task || lock.readers.has(task));
  }
}

export const rwlock: Family = { name: "rwlock", begin: (context) => new ReadWriteLocks(context) };
