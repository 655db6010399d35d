// A cyclic barrier (pthread_barrier_wait(3p)). Who has arrived stands in the monitor's list, and nowhere else: a task that dies
// or gives up waiting has not arrived. The last one to arrive opens it for all by one store.

import { EAGAIN } from "../abi/errno.ts";
import { barrier } from "../memory/layout.ts";
import { field, LINE_WORDS, WORD_BYTES, type Word, type Words } from "../memory/words.ts";
import { EVERYBODY, Monitor, type MonitorUser } from "../sync/monitor.ts";
import { noSpin } from "../sync/spin.ts";
import type { Attempt, Condition } from "../sync/waiting.ts";

export const BARRIER_BODY_BYTES = barrier.WORDS * WORD_BYTES;

/** What waiting says to the one who opened it (PTHREAD_BARRIER_SERIAL_THREAD). */
export const LEADER = 1;

/** One task's arrival: what to wait for, and how. */
export interface Arrival {
  readonly open: Condition;
  /** 0, or LEADER, once it is open; EAGAIN. */
  readonly attempt: Attempt;
  /** Whether it has opened since this task stood in the list. */
  readonly hasOpened: () => boolean;
}

export class Barrier {
  readonly #words: Words;
  readonly #monitor: Monitor;
  readonly #parties: Word;
  readonly #generation: Word;

  constructor(user: MonitorUser, bodyLine: number) {
    const body = (bodyLine * LINE_WORDS) as Word;
    this.#words = user.words;
    this.#parties = field(body, barrier.PARTIES);
    this.#generation = field(body, barrier.GENERATION);
    this.#monitor = new Monitor(user, field(body, barrier.MONITOR), { repair: () => {} });
  }

  /** Writes the body of a new barrier. Nobody else can see it yet. */
  static format(words: Words, bodyLine: number, parties: number): void {
    words.set(field((bodyLine * LINE_WORDS) as Word, barrier.PARTIES), parties);
  }

  /** How many open it together. */
  get parties(): number {
    return this.#words.load(this.#parties);
  }

  /** How many have arrived and wait. A look without the lock. */
  get waiting(): number {
    return [...this.#monitor.waitersLocked()].length;
  }

  arrive(): Arrival {
    /** The generation in which this task stands in the list. */
    let arrivedIn: number | undefined;
    const isOpen = (): boolean => arrivedIn !== undefined && this.#words.load(this.#generation) !== arrivedIn;
    const ready = (): boolean => {
      if (arrivedIn !== undefined) return isOpen();
      if (this.waiting + 1 >= this.parties) return true; // the last one opens it by its attempt
      arrivedIn = this.#words.load(this.#generation);
      return false;
    };
    const attempt = (): number => {
      this.#monitor.enter();
      if (isOpen()) return this.#leaveWith(0);
      arrivedIn = undefined; // no longer in the list, and it is not open: as if it had never been there
      if (this.waiting + 1 < this.parties) return this.#leaveWith(EAGAIN);
      this.#words.store(this.#generation, (this.#words.load(this.#generation) + 1) | 0); // PUBLISHES → observed in isOpen()
      this.#monitor.leave(EVERYBODY);
      return LEADER;
    };
    return { open: { monitor: this.#monitor, spin: noSpin, ready }, attempt, hasOpened: isOpen };
  }

  #leaveWith(result: number): number {
    this.#monitor.leave(0);
    return result;
  }
}
