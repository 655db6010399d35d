// The totals of the run, in a segment of shared memory that all tasks have attached. Each job has four numbers of its own:
//
//   0 the job's number, once its totals stand · 1 bytes · 2 words · 3 distinct words
//
// A worker writes its job's totals, and publishes them by the one store of the number. If it is killed before, they are not
// there, and the job is dealt again; a job that is counted twice has the same totals twice. So whoever adds them up adds each
// job once, whole, whoever has died meanwhile.

import type { Kernel, SharedMemory } from "../../src/index.ts";

const NAME = "totals";
const JOB_NUMBERS = 4;
const JOB_BYTES = 4 * JOB_NUMBERS;

export interface Sums {
  readonly jobs: number;
  readonly bytes: number;
  readonly words: number;
}

export class Totals implements Disposable {
  readonly #segment: SharedMemory;
  readonly #numbers: Int32Array;

  private constructor(segment: SharedMemory) {
    this.#segment = segment;
    this.#numbers = segment.view(Int32Array);
  }

  /** For so many jobs at most. */
  static make(kernel: Kernel, jobsMax: number): Totals {
    return new Totals(kernel.sharedMemory({ name: NAME, create: true, exclusive: true, bytes: jobsMax * JOB_BYTES }));
  }

  static open(kernel: Kernel): Totals {
    return new Totals(kernel.sharedMemory({ name: NAME }));
  }

  get jobsMax(): number {
    return this.#numbers.length / JOB_NUMBERS;
  }

  /** Jobs are numbered from 1. */
  record(job: number, bytes: number, words: number, distinct: number): void {
    const at = (job - 1) * JOB_NUMBERS;
    Atomics.store(this.#numbers, at + 1, bytes);
    Atomics.store(this.#numbers, at + 2, words);
    Atomics.store(this.#numbers, at + 3, distinct);
    Atomics.store(this.#numbers, at, job); // PUBLISHES the job's totals → observed in sum()
  }

  sum(): Sums {
    const sums = { jobs: 0, bytes: 0, words: 0 };
    for (let at = 0; at < this.#numbers.length; at += JOB_NUMBERS) {
      if (Atomics.load(this.#numbers, at) === 0) continue;
      sums.jobs++;
      sums.bytes += Atomics.load(this.#numbers, at + 1);
      sums.words += Atomics.load(this.#numbers, at + 2);
    }
    return sums;
  }

  [Symbol.dispose](): void {
    this.#segment.close();
  }
}
