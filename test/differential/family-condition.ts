// Condition variables: pthread_cond_wait, pthread_cond_timedwait, pthread_cond_signal, pthread_cond_broadcast, with robust mutexes
// whose owners die, and tasks that die while they wait.

import type { Random } from "../random.ts";
import { OBJECTS } from "./calls.ts";
import { type Context, call, type Drawing, type Family, idleTasks, type Sleeping } from "./family.ts";
import { MutexModel } from "./mutex-model.ts";
import type { Observation, Operation } from "./operation.ts";
import { callInTime, drawDeath, inAnyOrder, isImpatient, mayOneSleep, objectOf } from "./waiters.ts";

/** At one time. */
const CONDITIONS = 2;

const isWait = ({ name }: Operation): boolean => /^pthread_cond_(wait|timedwait|pass)$/.test(name);
const mutexOf = ({ args }: Operation): number => args[1] as number;

class Conditions implements Drawing {
  readonly leftovers = { objects: ["mutex", "condition"] } as const;
  readonly #context: Context;
  readonly #mutexes = new MutexModel();
  /** Condition variables that may still be used: glibc's counts a dead task among those who wait, and waits for it in the end. */
  readonly #conditions = new Set<number>();
  readonly #retired = new Set<number>();
  /** Tasks whose wait has ended, and which now want the mutex. */
  readonly #roused = new Set<number>();
  #sleeping: Sleeping = new Map();
  /** What a task that is killed sleeps in. */
  #lastOfDying: Operation | undefined;

  constructor(context: Context) {
    this.#context = context;
  }

  draw(random: Random, sleeping: Sleeping): Operation | undefined {
    const idle = idleTasks(this.#context.tasks, sleeping);
    const holders = idle.filter((task) => this.#mutexes.heldBy(task).length > 0);
    const death = drawDeath(random, this.#context, [...sleeping.keys(), ...holders]);
    if (death) return death;
    const task = random.pick(idle);
    const init = this.#mutexes.drawInit(random, task);
    if (init) return init;
    const count = this.#conditions.size;
    if (count === 0 || (count < CONDITIONS && random.chance(10)))
      return call(task, "pthread_cond_init", [random.below(OBJECTS)]);
    const { all } = this.#mutexes;
    const held = this.#mutexes.heldBy(task);
    const isWaiting = [...sleeping.values()].some(isWait);
    const mutex = held.length > 0 && random.chance(85) ? random.pick(held) : random.pick(all);
    const kind = random.weighted([
      [held.length > 0 ? 30 : 1, "wait"],
      [isWaiting ? 20 : 2, "signal"],
      [held.length > 0 ? 20 : 40, "lock"],
      [held.length > 0 ? 15 : 1, "unlock"],
      [this.#mutexes.isInconsistent(mutex) ? 30 : 2, "consistent"],
    ] as const);
    const condition = random.pick([...this.#conditions]);
    if (kind === "unlock") return call(task, "pthread_mutex_unlock", [mutex]);
    if (kind === "consistent") return call(task, "pthread_mutex_consistent", [mutex]);
    if (kind === "signal")
      return call(task, random.chance(60) ? "pthread_cond_signal" : "pthread_cond_broadcast", [condition]);
    if (kind === "lock")
      return call(task, random.pick(["pthread_mutex_lock", "pthread_mutex_pass"] as const), [random.pick(all)]);
    const name = random.pick(["pthread_cond_wait", "pthread_cond_timedwait", "pthread_cond_pass"] as const);
    return callInTime(random, task, name, condition, mutex);
  }

  admits(operation: Operation, sleeping: Sleeping): boolean {
    const { task, name } = operation;
    this.#sleeping = sleeping;
    this.#lastOfDying = sleeping.get(task);
    const contenders = (mutex: number): Operation[] => this.#contenders(mutex, task);
    if (name === "die") return this.#mutexes.heldBy(task).every((mutex) => contenders(mutex).length < 2);
    if (name === "pthread_cond_init")
      return !this.#conditions.has(objectOf(operation)) && !this.#retired.has(objectOf(operation));
    if (name.startsWith("pthread_mutex_")) {
      return this.#mutexes.admits(operation, contenders, mayOneSleep(this.#context, sleeping));
    }
    if (!this.#conditions.has(objectOf(operation))) return false;
    return isWait(operation) ? this.#admitsWait(operation) : this.#admitsRousing(operation);
  }

  observe(observation: Observation): void {
    const { operation, result } = observation;
    const { task, name } = operation;
    if (name === "die") {
      const wait = this.#lastOfDying;
      if (wait && isWait(wait) && !this.#roused.has(task)) this.#retire(objectOf(wait));
    }
    if (result !== "sleeps") this.#roused.delete(task);
    if (name === "pthread_cond_init" && result === 0) this.#conditions.add(objectOf(operation));
    if (name === "pthread_cond_signal" || name === "pthread_cond_broadcast") {
      for (const wait of this.#waitersOf(objectOf(operation))) this.#roused.add(wait.task);
    }
    this.#mutexes.observe(observation);
  }

  #retire(condition: number): void {
    this.#conditions.delete(condition);
    this.#retired.add(condition);
  }

  /** Those who wait on a condition variable and have not been woken. */
  #waitersOf(condition: number): Operation[] {
    return [...this.#sleeping.values()].filter(
      (other) => isWait(other) && objectOf(other) === condition && !this.#roused.has(other.task),
    );
  }

  /** Those besides a task who want a mutex now. */
  #contenders(mutex: number, besides?: number): Operation[] {
    return [...this.#sleeping.values()].filter((other) => {
      if (other.task === besides) return false;
      return isWait(other) ? this.#roused.has(other.task) && mutexOf(other) === mutex : objectOf(other) === mutex;
    });
  }

  rouse(sleeping: Sleeping): Operation | undefined {
    this.#sleeping = sleeping;
    const awake = idleTasks(this.#context.tasks, sleeping);
    const release = this.#mutexes.release(awake, (mutex) => this.#contenders(mutex));
    const wait = [...sleeping.values()].find((other) => isWait(other) && !this.#roused.has(other.task));
    if (release || !wait) return release;
    const [task] = awake as [number];
    if (this.#mutexes.isLeft(mutexOf(wait))) return call(task, "pthread_mutex_pass", [mutexOf(wait)]);
    return call(task, "pthread_cond_broadcast", [objectOf(wait)]);
  }

  /**
   * All who wait on one condition variable must have the same mutex, and have locked it once. One whose time has passed lets go
   * of the mutex for a moment, in which another may get it or not.
   */
  #admitsWait(operation: Operation): boolean {
    const { task } = operation;
    const mutex = mutexOf(operation);
    if (!this.#mutexes.has(mutex)) return false;
    const others = [...this.#sleeping.values()].filter(
      (other) => isWait(other) && objectOf(other) === objectOf(operation),
    );
    if (others.some((other) => mutexOf(other) !== mutex)) return false;
    if (!this.#mutexes.isHeldBy(mutex, task)) return true; // EPERM
    const contenders = this.#contenders(mutex, task);
    if (this.#mutexes.countOf(mutex) > 1 || (contenders.length > 1 && this.#mutexes.isLost(mutex))) return false;
    if (isImpatient(operation)) return contenders.length === 0;
    return mayOneSleep(this.#context, this.#sleeping) && inAnyOrder([...others, operation]);
  }

  /** A signal wakes one, POSIX does not say which. */
  #admitsRousing({ task, name, args }: Operation): boolean {
    const waiters = this.#waitersOf(args[0] as number);
    const [first] = waiters;
    if (!first) return true;
    const isDetermined = name === "pthread_cond_broadcast" && !this.#mutexes.isLeft(mutexOf(first));
    if (waiters.length > 1 && (!isDetermined || this.#mutexes.isLost(mutexOf(first)))) return false;
    return inAnyOrder([...waiters, ...this.#contenders(mutexOf(first), task)]);
  }
}

export const condition: Family = { name: "condition", begin: (context) => new Conditions(context) };
