// A signal that comes to a task directly: a standard one, sent by kill(2), and pending by itself. All that there is to know of it is in
// two words that change together, so it is sent by one compare-exchange, and taken by one, without the kernel lock; and no death can
// leave half of it. What does not fit, or finds another one there, is posted otherwise (tasks/signals.ts).
//
//   low   bits 0 to 4 the signal · bits 5 to 31 the lower 27 bits of the sender's pid
//   high  bit 0 the upper bit of the sender's pid · bits 1 to 31 the sender's user
//
// Where there is none, low is 0 and high the pid of the task whose slot it is: who wants to send to a task whose slot has come to be
// another's finds another pid there, and sends nothing. Anybody may send, and take back what was sent; only the owner takes.
//
// One that is pending otherwise, too, was sent by two at one time: it is taken once, for both.

import { isStop, SI_USER, SIGCONT, SIGKILL } from "../abi/signals.ts";
import { task } from "../memory/layout.ts";
import { field, type Word, type Words } from "../memory/words.ts";
import type { Pid } from "../sync/robust-lock.ts";
import type { SignalInfo } from "./signal-info.ts";

const SIGNAL_BITS = 5;
const SIGNAL_MASK = (1 << SIGNAL_BITS) - 1;
/** Bits of a pid that are in the lower word. */
const PID_LOW_BITS = 32 - SIGNAL_BITS;
const UID_MAX = 0x7fffffff;

const bitOf = (signal: number): number => 1 << (signal - 1);

/** The standard signals but those that take others away by being sent, and SIGKILL: a bit each. */
const DIRECT = Array.from({ length: SIGNAL_MASK }, (_, i) => i + 1)
  .filter((signal) => signal !== SIGKILL && signal !== SIGCONT && !isStop(signal))
  .reduce((set, signal) => set | bitOf(signal), 0);

/** Whether a signal, with what is known of it, can come directly. */
export const canComeDirectly = ({ signal, code, uid, value }: SignalInfo): boolean =>
  signal > 0 &&
  signal <= SIGNAL_MASK &&
  (DIRECT & bitOf(signal)) !== 0 &&
  code === SI_USER &&
  uid <= UID_MAX &&
  value === 0n;

export class DirectSignal {
  readonly #words: Words;
  readonly #low: Word;
  readonly #high: Word;

  /** Of the task whose slot it is. */
  constructor(words: Words, slot: Word) {
    this.#words = words;
    this.#low = field(slot, task.SIGNALS_DIRECT);
    this.#high = field(slot, task.SIGNALS_DIRECT + 1);
  }

  /** There is none in the slot of a new task. Who wants to send to the one before finds at any time that it is gone, or nothing comes of it. */
  static begin(words: Words, slot: Word, pid: Pid): void {
    words.set(field(slot, task.SIGNALS_DIRECT + 1), pid);
    words.set(field(slot, task.SIGNALS_DIRECT), 0);
  }

  /** The signal that has come, 0: none. */
  get signal(): number {
    return this.#words.load(this.#low) & SIGNAL_MASK;
  }

  /** Its bit in the lower half of a set; 0: none. */
  get bit(): number {
    const { signal } = this;
    return signal === 0 ? 0 : bitOf(signal);
  }

  /** Sends one to a task; false where there is one, or the slot is not the task's. */
  send(target: Pid, info: SignalInfo): boolean {
    return this.#words.compareExchangePair(this.#low, 0, target, lowOf(info), highOf(info)); // PUBLISHES the signal → observed in take()
  }

  /** Takes back what `send` has sent; false where the owner has taken it. */
  takeBack(target: Pid, info: SignalInfo): boolean {
    return this.#words.compareExchangePair(this.#low, lowOf(info), highOf(info), 0, target);
  }

  /** Takes what has come, for the owner. */
  take(owner: Pid): SignalInfo | undefined {
    const low = this.#words.load(this.#low);
    const high = this.#words.load(this.#high);
    const signal = low & SIGNAL_MASK;
    if (signal === 0 || !this.#words.compareExchangePair(this.#low, low, high, 0, owner)) return undefined;
    const pid = (low >>> SIGNAL_BITS) | ((high & 1) << PID_LOW_BITS);
    return { signal, code: SI_USER, pid, uid: high >>> 1, value: 0n };
  }
}

const lowOf = ({ signal, pid }: SignalInfo): number => signal | (pid << SIGNAL_BITS);
const highOf = ({ pid, uid }: SignalInfo): number => (pid >>> PID_LOW_BITS) | (uid << 1);
