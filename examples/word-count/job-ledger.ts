// Every job that has no result yet, with its message, and who has taken it: what must be sent again when a worker dies.

import { encodeJob } from "./messages.ts";

interface Job {
  readonly message: Uint8Array;
  /** Living workers that have said that they work on it: more than one if it was sent again. */
  readonly takers: Set<number>;
}

export class JobLedger {
  readonly #unfinished = new Map<number, Job>();
  readonly #dead = new Set<number>();
  #added = 0;

  get added(): number {
    return this.#added;
  }

  get unfinished(): number {
    return this.#unfinished.size;
  }

  /** A new job; returns its message. */
  add(text: Uint8Array): Uint8Array {
    const number = ++this.#added;
    const message = encodeJob(number, text);
    this.#unfinished.set(number, { message, takers: new Set() });
    return message;
  }

  /** The notice of a worker that died before it was read counts for nothing: its jobs have been given away. */
  taken(number: number, worker: number): void {
    if (!this.#dead.has(worker)) this.#unfinished.get(number)?.takers.add(worker);
  }

  /** True for the first result of a job; a job that was sent again can have two. */
  finish(number: number): boolean {
    return this.#unfinished.delete(number);
  }

  /**
   * A worker is dead. Returns the messages to send again: every job without a living taker. Some of these may still
   * be in the queue, or in the hands of a worker whose notice is on its way; they are done twice and counted once.
   */
  abandon(worker: number): Uint8Array[] {
    this.#dead.add(worker);
    const again: Uint8Array[] = [];
    for (const job of this.#unfinished.values()) {
      job.takers.delete(worker);
      if (job.takers.size === 0) again.push(job.message);
    }
    return again;
  }
}
