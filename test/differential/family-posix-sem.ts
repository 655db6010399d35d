// POSIX semaphores: sem_open, sem_close, sem_unlink, sem_wait, sem_trywait, sem_timedwait, sem_post, sem_getvalue; by several
// users, and with tasks that die while they wait.

import type { Random } from "../random.ts";
import {
  type Context,
  call,
  type Drawing,
  drawInterrupt,
  type Family,
  idleTasks,
  type Sleeping,
  text,
} from "./family.ts";
import * as is from "./flags.ts";
import type { Observation, Operation } from "./operation.ts";
import { callInTime, drawDeath, inAnyOrder, isImpatient, objectOf } from "./waiters.ts";

const NAME = 4096;
const NAMES = ["a", "b"] as const;
const HANDLES = 3;
const VALUE_MAX = 2 ** 31 - 1;
const NONE = -1;
const USERS = [0, 0, 1000, 1001] as const;

class PosixSemaphores implements Drawing {
  readonly leftovers: { readonly semaphores: readonly string[] };
  readonly #context: Context;
  /** Which semaphore each handle of the tasks is of. */
  readonly #handles: Map<number, number>[];
  /** Which semaphore has a name. */
  readonly #named = new Map<string, number>();
  readonly #values: number[] = [];

  constructor(context: Context) {
    this.#context = context;
    this.#handles = Array.from({ length: context.tasks }, () => new Map());
    this.leftovers = { semaphores: NAMES.map((name) => context.prefix + name) };
  }

  draw(random: Random, sleeping: Sleeping): Operation | undefined {
    const idle = idleTasks(this.#context.tasks, sleeping);
    const death = drawDeath(random, this.#context, [...sleeping.keys()]);
    if (death) return death;
    if (idle.length === 0 || (sleeping.size > 0 && random.chance(4))) return drawInterrupt(random, sleeping);
    const task = random.pick(idle);
    const open = [...this.#of(task).keys()];
    const kind = random.weighted([
      [open.length < 2 ? 40 : 4, "open"],
      [2, "close"],
      [2, "unlink"],
      [this.#context.isRoot ? 2 : 0, "user"],
      [1, "umask"],
      [100, "use"],
    ] as const);
    if (kind === "open") return this.#open(random, task);
    if (kind === "unlink") return call(task, "sem_unlink", [{ at: NAME }], { inputs: [this.#name(random)] });
    if (kind === "user") return call(task, "setresuid", [NONE, random.pick(USERS), NONE]);
    if (kind === "umask") return call(task, "umask", [random.pick([0, 0o022, 0o077, 0o777])]);
    if (open.length === 0) return undefined;
    const handle = random.pick(open);
    return kind === "close" ? call(task, "sem_close", [handle]) : this.#use(random, task, handle);
  }

  admits(operation: Operation, sleeping: Sleeping): boolean {
    const { task, name } = operation;
    if (!name.startsWith("sem_") || name === "sem_unlink") return true;
    const semaphore = this.#semaphoreOf(operation);
    if (name === "sem_open") return semaphore === undefined;
    if (semaphore === undefined) return false;
    const waits = name.endsWith("wait") || name === "sem_pass";
    if (!waits || isImpatient(operation) || (this.#values[semaphore] as number) > 0) return true;
    const others = [...sleeping.values()].filter(
      (other) => other.task !== task && this.#semaphoreOf(other) === semaphore,
    );
    return inAnyOrder([...others, operation]);
  }

  observe({ operation, result }: Observation): void {
    const { task, name } = operation;
    if (name === "die") this.#of(task).clear();
    if (result !== 0) return;
    const semaphore = this.#semaphoreOf(operation);
    if (name === "sem_open") this.#opened(operation);
    else if (name === "sem_close") this.#of(task).delete(objectOf(operation));
    else if (name === "sem_unlink") this.#named.delete(nameIn(operation));
    else if (semaphore !== undefined) {
      const change = name === "sem_post" ? 1 : name.endsWith("wait") ? -1 : 0;
      this.#values[semaphore] = (this.#values[semaphore] as number) + change;
    }
  }

  #of(task: number): Map<number, number> {
    return this.#handles[task] as Map<number, number>;
  }

  #semaphoreOf(operation: Operation): number | undefined {
    return this.#of(operation.task).get(objectOf(operation));
  }

  #opened(operation: Operation): void {
    const { task, args } = operation;
    const name = nameIn(operation);
    let semaphore = this.#named.get(name);
    if (semaphore === undefined) {
      semaphore = this.#values.push(args[4] as number) - 1;
      this.#named.set(name, semaphore);
    }
    this.#of(task).set(objectOf(operation), semaphore);
  }

  #name(random: Random): { at: number; value: Uint8Array } {
    return { at: NAME, value: text(this.#context.prefix + random.pick(NAMES)) };
  }

  #open(random: Random, task: number): Operation {
    let flags = random.chance(80) ? is.O_CREAT : 0;
    if (random.chance(12)) flags |= is.O_EXCL;
    const mode = random.pick([0o600, 0o600, 0o666, 0o666, 0o644, 0o400, 0]);
    const value = random.weighted([
      [60, random.below(3)],
      [4, VALUE_MAX],
      [4, VALUE_MAX - 1],
      [2, VALUE_MAX + 1],
      [2, 2 ** 32 - 1],
    ]);
    return call(task, "sem_open", [random.below(HANDLES), { at: NAME }, flags, mode, value], {
      inputs: [this.#name(random)],
    });
  }

  #use(random: Random, task: number, handle: number): Operation {
    const name = random.weighted([
      [40, "sem_post"],
      [25, "sem_wait"],
      [8, "sem_pass"],
      [10, "sem_trywait"],
      [12, "sem_timedwait"],
      [15, "sem_getvalue"],
    ] as const);
    return callInTime(random, task, name, handle);
  }
}

function nameIn({ inputs = [] }: Operation): string {
  const value = inputs[0]?.value;
  return value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : "";
}

export const posixSem: Family = { name: "posix-sem", begin: (context) => new PosixSemaphores(context) };
