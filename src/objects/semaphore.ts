// A counting semaphore (sem_overview(7), the mission's "Semaphore"). The value goes down by one compare-exchange and up by one;
// the lock of the monitor is for those who wait.
//
// What a death leaves behind: before a compare-exchange nothing; after it a wait that has happened, or a post whose wake call
// is missing: sleepers look by themselves at the end of their slice.

import { EAGAIN, EOVERFLOW } from "../abi/errno.ts";
import { semaphore } from "../memory/layout.ts";
import { field, LINE_WORDS, WORD_BYTES, type Word, type Words } from "../memory/words.ts";
import { Monitor, type MonitorUser } from "../sync/monitor.ts";
import type { Condition } from "../sync/waiting.ts";

export const SEMAPHORE_BODY_BYTES = semaphore.WORDS * WORD_BYTES;
/** SEM_VALUE_MAX of Linux. */
export const SEMAPHORE_VALUE_MAX = 2 ** 31 - 1;

export class Semaphore {
  /** For those who wait: the value is above 0. */
  readonly positive: Condition;
  readonly #words: Words;
  readonly #monitor: Monitor;
  readonly #value: Word;

  constructor(user: MonitorUser, bodyLine: number) {
    const body = (bodyLine * LINE_WORDS) as Word;
    this.#words = user.words;
    this.#value = field(body, semaphore.VALUE);
    this.#monitor = new Monitor(user, field(body, semaphore.MONITOR), { repair: () => {} });
    this.positive = { monitor: this.#monitor, spin: user.newSpin(), ready: () => this.value > 0 };
  }

  /** Writes the body of a new semaphore. Nobody else can see it yet. */
  static format(words: Words, bodyLine: number, value: number): void {
    words.set(field((bodyLine * LINE_WORDS) as Word, semaphore.VALUE), value);
  }

  get value(): number {
    return this.#words.load(this.#value);
  }

  /** P, or sem_trywait: 0, or EAGAIN where the value is 0. */
  tryWait(): number {
    for (;;) {
      const value = this.#words.load(this.#value);
      if (value <= 0) return EAGAIN;
      if (this.#words.compareExchange(this.#value, value, value - 1) === value) return 0;
    }
  }

  /** V, or sem_post: 0, or EOVERFLOW. */
  post(): number {
    for (;;) {
      const value = this.#words.load(this.#value);
      if (value === SEMAPHORE_VALUE_MAX) return EOVERFLOW;
      if (this.#words.compareExchange(this.#value, value, value + 1) !== value) continue; // PUBLISHES → observed in tryWait()
      if (!this.#monitor.isQuiet()) this.#monitor.notify(1);
      return 0;
    }
  }
}
