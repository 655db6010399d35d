// Barriers: pthread_barrier_init, pthread_barrier_wait. Nobody dies: on Linux a dead task has arrived for ever.

import { type Context, call, type Drawing, type Family, idleTasks, type Sleeping } from "./family.ts";
import type { Observation, Operation } from "./operation.ts";
import type { Random } from "./random.ts";
import { objectOf } from "./waiters.ts";

const BARRIERS = 3;
const EINVAL = -22;

class Barriers implements Drawing {
  readonly leftovers = { objects: ["barrier"] } as const;
  readonly #context: Context;
  /** How many each waits for. */
  readonly #parties = new Map<number, number>();

  constructor(context: Context) {
    this.#context = context;
  }

  draw(random: Random, sleeping: Sleeping): Operation | undefined {
    const idle = idleTasks(this.#context.tasks, sleeping);
    if (idle.length === 0) return undefined;
    const task = random.pick(idle);
    const all = [...this.#parties.keys()];
    if (all.length === 0 || random.chance(all.length < BARRIERS ? 10 : 0))
      return call(task, "pthread_barrier_init", [random.below(BARRIERS), random.below(1 + this.#context.tasks)]);
    return call(task, "pthread_barrier_wait", [random.pick(all)]);
  }

  /** One task stays awake, or none could be woken. */
  admits(operation: Operation, sleeping: Sleeping): boolean {
    const parties = this.#parties.get(objectOf(operation));
    if (operation.name === "pthread_barrier_init") return parties === undefined;
    if (parties === undefined) return false;
    const waiting = [...sleeping.values()].filter((other) => objectOf(other) === objectOf(operation)).length;
    return waiting + 1 === parties || idleTasks(this.#context.tasks, sleeping).length > 1;
  }

  observe({ operation, result }: Observation): void {
    if (operation.name !== "pthread_barrier_init" || result === EINVAL) return;
    this.#parties.set(objectOf(operation), operation.args[1] as number);
  }
}

export const barrier: Family = { name: "barrier", begin: (context) => new Barriers(context) };
