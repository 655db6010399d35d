// Barriers: pthread_barrier_init, pthread_barrier_wait. Nobody dies: on Linux a dead task has arrived for ever.

import type { Random } from "../random.ts";
import { type Context, call, type Drawing, type Family, idleTasks, type Sleeping } from "./family.ts";
import type { Observation, Operation } from "./operation.ts";
import { drawVainInterrupt, objectOf } from "./waiters.ts";

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
    const interrupt = drawVainInterrupt(random, sleeping);
    if (interrupt) return interrupt;
    const task = random.pick(idleTasks(this.#context.tasks, sleeping));
    const all = [...this.#parties.keys()];
    if (all.length === 0 || (all.length < BARRIERS && random.chance(10)))
      return call(task, "pthread_barrier_init", [random.below(BARRIERS), random.below(1 + this.#context.tasks)]);
    return call(task, "pthread_barrier_wait", [random.pick(all)]);
  }

  /** Those who stay awake suffice to open one of the barriers, or none could be woken. */
  admits(operation: Operation, sleeping: Sleeping): boolean {
    const isMade = this.#parties.has(objectOf(operation));
    if (operation.name === "pthread_barrier_init") return !isMade;
    if (!isMade) return false;
    const waits = [...sleeping.values(), operation];
    const awake = this.#context.tasks - waits.length;
    return waits.some((wait) => this.#missing(wait, waits) <= awake);
  }

  rouse(sleeping: Sleeping): Operation | undefined {
    const waits = [...sleeping.values()];
    const [task] = idleTasks(this.#context.tasks, sleeping);
    const [next] = waits.sort((one, other) => this.#missing(one, waits) - this.#missing(other, waits));
    return next && call(task as number, "pthread_barrier_wait", next.args);
  }

  observe({ operation, result }: Observation): void {
    if (operation.name !== "pthread_barrier_init" || result === EINVAL) return;
    this.#parties.set(objectOf(operation), operation.args[1] as number);
  }

  /** How many have still to come where one waits. */
  #missing(wait: Operation, waits: readonly Operation[]): number {
    const parties = this.#parties.get(objectOf(wait)) ?? 0;
    return parties - waits.filter((other) => objectOf(other) === objectOf(wait)).length;
  }
}

export const barrier: Family = { name: "barrier", begin: (context) => new Barriers(context) };
