// The jobs in flight, in a segment of shared memory: a table of slots, each with a job and what became of it.
//
//   words:   the slots' states (common/slots.ts) · the jobs' numbers · how often each was begun
//   results: 32 bytes for each slot
//
// The queues carry slot numbers only. A number may be lost with the worker that received it, and may come twice; the slot's state
// is what counts.

import type { Kernel, SharedMemory } from "../../src/index.ts";
import { Slots } from "../common/slots.ts";

export const SLOTS = 16;
const RESULT_BYTES = 32;
const WORDS_OF_SLOT = 3;
const BYTES = SLOTS * (WORDS_OF_SLOT * 4 + RESULT_BYTES);
const NAME = "jobs";

export class JobStore {
  readonly slots: Slots;
  readonly #jobs: Int32Array;
  readonly #attempts: Int32Array;
  readonly #results: Uint8Array;

  private constructor(segment: SharedMemory) {
    this.slots = new Slots(segment.view(Int32Array, 0, SLOTS));
    this.#jobs = segment.view(Int32Array, SLOTS * 4, SLOTS);
    this.#attempts = segment.view(Int32Array, SLOTS * 8, SLOTS);
    this.#results = segment.view(Uint8Array, SLOTS * 12);
  }

  static make(kernel: Kernel): JobStore {
    return new JobStore(kernel.sharedMemory({ name: NAME, create: true, exclusive: true, bytes: BYTES }));
  }

  static open(kernel: Kernel): JobStore {
    return new JobStore(kernel.sharedMemory({ name: NAME }));
  }

  /** Into a free slot. */
  put(slot: number, job: number): void {
    this.#jobs[slot] = job;
    this.#attempts[slot] = 0;
    this.slots.offer(slot);
  }

  jobOf(slot: number): number {
    return this.#jobs[slot];
  }

  /** How often the job was begun, the attempts of workers that were killed among them. */
  attemptsOf(slot: number): number {
    return this.#attempts[slot];
  }

  /** Called by whoever has taken it. */
  begin(slot: number): void {
    this.#attempts[slot]++;
  }

  /** The bytes themselves: the worker writes them, the main task reads them once the slot is done. */
  resultOf(slot: number): Uint8Array {
    return this.#results.subarray(slot * RESULT_BYTES, (slot + 1) * RESULT_BYTES);
  }
}
