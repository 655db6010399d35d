// Robust mutexes of every type: pthread_mutex_lock, pthread_mutex_trylock, pthread_mutex_timedlock, pthread_mutex_unlock,
// pthread_mutex_consistent; their owners die while they hold them.

import type { Random } from "../random.ts";
import { allTasks, type Context, type Drawing, type Family, idleTasks, type Sleeping } from "./family.ts";
import { MutexModel } from "./mutex-model.ts";
import type { Observation, Operation } from "./operation.ts";
import { callInTime, drawDeath, drawVainInterrupt, mayOneSleep, objectOf } from "./waiters.ts";

class Mutexes implements Drawing {
  readonly leftovers = { objects: ["mutex"] } as const;
  readonly #context: Context;
  readonly #mutexes = new MutexModel();

  constructor(context: Context) {
    this.#context = context;
  }

  draw(random: Random, sleeping: Sleeping): Operation | undefined {
    const holders = allTasks(this.#context.tasks).filter((task) => this.#mutexes.heldBy(task).length > 0);
    const disturbance = drawDeath(random, this.#context, holders) ?? drawVainInterrupt(random, sleeping);
    if (disturbance) return disturbance;
    const task = random.pick(idleTasks(this.#context.tasks, sleeping));
    const init = this.#mutexes.drawInit(random, task);
    if (init) return init;
    const held = this.#mutexes.heldBy(task);
    const mutex = held.length > 0 && random.chance(60) ? random.pick(held) : random.pick(this.#mutexes.all);
    const name = random.weighted([
      [held.includes(mutex) ? 40 : 3, "pthread_mutex_unlock"],
      [this.#mutexes.isInconsistent(mutex) ? 40 : 3, "pthread_mutex_consistent"],
      [20, "pthread_mutex_lock"],
      [10, "pthread_mutex_trylock"],
      [12, "pthread_mutex_timedlock"],
      [8, "pthread_mutex_pass"],
    ] as const);
    return callInTime(random, task, name, mutex);
  }

  admits(operation: Operation, sleeping: Sleeping): boolean {
    const { task, name } = operation;
    const waiting = contendersIn(sleeping, task);
    // One of those who wait gets the news of the death, and which decides what the others get.
    if (name === "die") return this.#mutexes.heldBy(task).every((mutex) => waiting(mutex).length < 2);
    return this.#mutexes.admits(operation, waiting, mayOneSleep(this.#context, sleeping));
  }

  rouse(sleeping: Sleeping): Operation | undefined {
    return this.#mutexes.release(idleTasks(this.#context.tasks, sleeping), contendersIn(sleeping));
  }

  observe(observation: Observation): void {
    this.#mutexes.observe(observation);
  }
}

/** Those besides a task who wait for a mutex. */
const contendersIn =
  (sleeping: Sleeping, besides?: number) =>
  (mutex: number): Operation[] =>
    [...sleeping.values()].filter((other) => other.task !== besides && objectOf(other) === mutex);

export const mutex: Family = { name: "mutex", begin: (context) => new Mutexes(context) };
