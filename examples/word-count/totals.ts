// The totals of the run, in a segment of shared memory that all tasks have attached:
//
//   the sums so far, three doubles: jobs, bytes, words; then four numbers for each job:
//   0 the job's number, once its totals stand · 1 bytes · 2 words · 3 distinct words
//
// A mutex guards all of it. If a worker is killed while it holds the mutex, the next one is told, and adds the sums up anew from
// the jobs that stand: a job's number is stored last, so each of them is there whole or not at all. A job that was not is dealt
// again, and one that is counted twice is added once.

import type { Kernel, Mutex, SharedMemory } from "../../src/index.ts";

const NAME = "totals";
const SUMS = 3;
const SUMS_BYTES = 32;
const JOB_NUMBERS = 4;
const JOB_BYTES = 4 * JOB_NUMBERS;

export interface Sums {
  readonly jobs: number;
  readonly bytes: number;
  readonly words: number;
}

export class Totals implements Disposable {
  readonly #segment: SharedMemory;
  readonly #mutex: Mutex;
  readonly #sums: Float64Array;
  readonly #numbers: Int32Array;

  private constructor(segment: SharedMemory, mutex: Mutex) {
    this.#segment = segment;
    this.#mutex = mutex;
    this.#sums = segment.view(Float64Array, 0, SUMS);
    this.#numbers = segment.view(Int32Array, SUMS_BYTES);
  }

  /** For so many jobs at most. */
  static make(kernel: Kernel, jobsMax: number): Totals {
    const options = { name: NAME, create: true, exclusive: true };
    const bytes = SUMS_BYTES + jobsMax * JOB_BYTES;
    return new Totals(kernel.sharedMemory({ ...options, bytes }), kernel.mutex(options));
  }

  static open(kernel: Kernel): Totals {
    return new Totals(kernel.sharedMemory({ name: NAME }), kernel.mutex({ name: NAME }));
  }

  get jobsMax(): number {
    return Math.floor(this.#numbers.length / JOB_NUMBERS);
  }

  /** Jobs are numbered from 1. */
  record(job: number, bytes: number, words: number, distinct: number): void {
    this.#locked(() => {
      const at = (job - 1) * JOB_NUMBERS;
      const numbers = this.#numbers;
      if (numbers[at] !== 0) return;
      numbers.set([bytes, words, distinct], at + 1);
      Atomics.store(numbers, at, job); // PUBLISHES the job's totals → observed in #addUp()
      this.#add(bytes, words);
    });
  }

  sum(): Sums {
    return this.#locked(() => {
      const [jobs, bytes, words] = this.#sums as unknown as [number, number, number];
      return { jobs, bytes, words };
    });
  }

  [Symbol.dispose](): void {
    this.#segment.close();
    this.#mutex.close();
  }

  #locked<Result>(work: () => Result): Result {
    using guard = this.#mutex.lockSync();
    if (guard.ownerDied) {
      this.#addUp();
      this.#mutex.markConsistent();
    }
    return work();
  }

  /** A task was killed with the mutex in hand: what the sums say may be half-done. */
  #addUp(): void {
    this.#sums.fill(0);
    for (let at = 0; at < this.#numbers.length; at += JOB_NUMBERS) {
      if (Atomics.load(this.#numbers, at) !== 0) this.#add(this.#numbers[at + 1], this.#numbers[at + 2]);
    }
  }

  #add(bytes: number, words: number): void {
    [1, bytes, words].forEach((number, i) => {
      this.#sums[i] += number;
    });
  }
}
