// The main task's side: deals jobs out, collects what became of them, and finds again what a dead worker had.

import type { Kernel, MessageQueue, Task } from "../../src/index.ts";
import { Children, killInTheMiddle } from "../common/children.ts";
import { dealAgain } from "../common/slots.ts";
import { JobStore, SLOTS } from "./job-store.ts";

const WORKERS = 3;
/** A number for each slot, and one in each worker's hands that has been given out again. */
const DEPTH = SLOTS + WORKERS;

export interface Outcome {
  readonly job: number;
  /** Undefined where its worker died, and jobs are not to be done twice. */
  readonly result: Uint8Array | undefined;
  readonly attempts: number;
}

interface Worker {
  readonly number: number;
  readonly task: Task;
}

export class Dispatcher {
  readonly outcomes: Outcome[] = [];
  readonly #children: Children;
  readonly #store: JobStore;
  readonly #jobs: MessageQueue;
  readonly #done: MessageQueue;
  readonly #redo: boolean;
  readonly #print: (line: string) => void;
  readonly #workers = new Map<number, Worker>();
  readonly #free = Array.from({ length: SLOTS }, (_, slot) => slot);
  /** The numbers of those that are to be killed as soon as they have a job in hand. */
  readonly #doomed = new Set<number>();
  #workersStarted = 0;

  /** `redo`: what a dead worker had in hand is done again, else it is reported. */
  constructor(kernel: Kernel, redo: boolean, print: (line: string) => void) {
    this.#children = new Children(kernel);
    this.#store = JobStore.make(kernel);
    this.#jobs = kernel.queue({ name: "jobs", create: true, depth: DEPTH });
    this.#done = kernel.queue({ name: "done", create: true, depth: DEPTH });
    this.#redo = redo;
    this.#print = print;
    for (let i = 0; i < WORKERS; i++) this.#startWorker();
  }

  /** Has jobs 1 to `count` done; calls back after each. */
  async run(count: number, onOutcome: (outcomes: number) => void): Promise<void> {
    for (let next = 1; this.outcomes.length < count; ) {
      while (next <= count && this.#free.length > 0) await this.#offer(next++);
      const { data } = await this.#done.receive();
      if (this.#collect(data[0])) onOutcome(this.outcomes.length);
    }
  }

  /** kill -9 for a worker in the middle of a job; another one where the first is still waited for to be there. */
  async killOne(): Promise<void> {
    const { number, task } = [...this.#workers.values()].find((worker) => !this.#doomed.has(worker.number)) as Worker;
    this.#doomed.add(number);
    await killInTheMiddle(task, () =>
      this.#store.slots.heldBy(number).some((slot) => this.#store.attemptsOf(slot) > 0),
    );
  }

  /** They are idle, and SIGTERM ends them. */
  async end(): Promise<void> {
    const tasks = [...this.#workers.values()].map(({ task }) => task);
    this.#workers.clear();
    for (const task of tasks) task.kill("SIGTERM");
    for (const task of tasks) await task.wait();
  }

  async #offer(job: number): Promise<void> {
    const slot = this.#free.pop() as number;
    this.#store.put(slot, job);
    await this.#jobs.send(Uint8Array.of(slot));
  }

  /** Returns false for a number that comes once more. */
  #collect(slot: number): boolean {
    const { slots } = this.#store;
    const lost = slots.isLost(slot);
    if (!lost && !slots.isDone(slot)) return false;
    const result = lost ? undefined : this.#store.resultOf(slot).slice();
    this.outcomes.push({ job: this.#store.jobOf(slot), result, attempts: this.#store.attemptsOf(slot) });
    slots.release(slot);
    this.#free.push(slot);
    return true;
  }

  #startWorker(): void {
    const number = ++this.#workersStarted;
    const task = this.#children.start(new URL("./worker.js", import.meta.url), number);
    this.#workers.set(number, { number, task });
    task.wait().then(() => this.#bury(number));
  }

  /** What the dead one had in hand is given back; what it can no longer say, this task says to itself. */
  async #bury(number: number): Promise<void> {
    if (!this.#workers.delete(number)) return; // it was told to end
    const { slots } = this.#store;
    const held = this.#redo ? slots.giveBack(number) : slots.giveUp(number);
    const jobs = held.map((slot) => this.#store.jobOf(slot)).join(", ") || "none";
    this.#print(
      `worker ${number} was killed; in its hands: job ${jobs}, which is ${this.#redo ? "done again" : "lost"}`,
    );
    this.#startWorker();
    await dealAgain(slots, this.#jobs);
    for (const slot of this.#redo ? slots.done : [...slots.done, ...held]) await this.#done.send(Uint8Array.of(slot));
  }
}
