// A token bucket that processes share: so many calls a second, so many at once after a pause, for all of them together.
//
//   doubles: 0 tokens in the bucket · 1 when they were counted, in milliseconds of the machine's monotonic clock · 2 calls granted
//            3 when each call was granted, as far as there is room (so that the example can check itself)
//
// A mutex guards it. A client may be killed between the store of the tokens and that of the time: the next one gets the mutex with
// the news (`ownerDied`), and puts the bucket right by what cannot harm: it is as empty as it may be.

import type { Kernel, Mutex, SharedMemory } from "../../src/index.ts";

const NAME = "bucket";
const [TOKENS, COUNTED_MS, GRANTED, TIMES] = [0, 1, 2, 3];
const DOUBLE_BYTES = 8;

export interface Rate {
  readonly perSecond: number;
  /** Calls that may come at one time after a pause. */
  readonly burst: number;
}

export class TokenBucket {
  readonly #rate: Rate;
  readonly #mutex: Mutex;
  readonly #numbers: Float64Array;

  private constructor(rate: Rate, mutex: Mutex, segment: SharedMemory) {
    this.#rate = rate;
    this.#mutex = mutex;
    this.#numbers = segment.view(Float64Array);
  }

  /** Full. `timesMax`: how many grants are written down. */
  static make(kernel: Kernel, rate: Rate, timesMax: number): TokenBucket {
    const options = { name: NAME, create: true, exclusive: true };
    const segment = kernel.sharedMemory({ ...options, bytes: (TIMES + timesMax) * DOUBLE_BYTES });
    const bucket = new TokenBucket(rate, kernel.mutex(options), segment);
    bucket.#numbers[TOKENS] = rate.burst;
    bucket.#numbers[COUNTED_MS] = monotonicMs();
    return bucket;
  }

  static open(kernel: Kernel, rate: Rate): TokenBucket {
    return new TokenBucket(rate, kernel.mutex({ name: NAME }), kernel.sharedMemory({ name: NAME }));
  }

  /** Takes a token, waiting until there is one. `onTaken` is called in the middle of it, with the mutex locked. */
  async take(onTaken: () => void = () => {}): Promise<void> {
    for (;;) {
      const waitMs = await this.#tryTake(onTaken);
      if (waitMs === 0) return;
      await new Promise((resolve) => setTimeout(resolve, waitMs)); // tokens come with time: nobody could wake us sooner
    }
  }

  /** When each call was granted. */
  async times(): Promise<number[]> {
    using _guard = await this.#lock();
    return [...this.#numbers.subarray(TIMES, TIMES + this.#numbers[GRANTED])];
  }

  /** Returns 0, or for how many milliseconds there will be no token. */
  async #tryTake(onTaken: () => void): Promise<number> {
    using _guard = await this.#lock();
    const numbers = this.#numbers;
    const now = monotonicMs();
    const { perSecond, burst } = this.#rate;
    const tokens = Math.min(burst, numbers[TOKENS] + ((now - numbers[COUNTED_MS]) * perSecond) / 1000);
    if (tokens < 1) return Math.ceil(((1 - tokens) * 1000) / perSecond);
    numbers[TOKENS] = tokens - 1;
    onTaken();
    numbers[COUNTED_MS] = now;
    const granted = numbers[GRANTED];
    numbers[TIMES + granted] = now; // beyond the segment's end a store is ignored
    numbers[GRANTED] = granted + 1;
    return 0;
  }

  async #lock(): Promise<Disposable> {
    const guard = await this.#mutex.lock();
    if (guard.ownerDied) {
      this.#numbers[TOKENS] = 0;
      this.#numbers[COUNTED_MS] = monotonicMs();
      this.#mutex.markConsistent();
    }
    return guard;
  }
}

/** CLOCK_MONOTONIC: the same for all processes of the machine, and never set back. */
const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;
