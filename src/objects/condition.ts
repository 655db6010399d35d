// A condition variable (pthread_cond_wait(3p)): those who wait, in order of arrival, and nothing else. A task enlists before it
// unlocks its mutex, so a signal that is given with the mutex locked finds it. One that was taken out by a signal, and then gives
// up or dies, hands the signal on.

import { condition } from "../memory/layout.ts";
import { field, LINE_WORDS, WORD_BYTES, type Word } from "../memory/words.ts";
import { EVERYBODY, Monitor, type MonitorUser } from "../sync/monitor.ts";
import { noSpin } from "../sync/spin.ts";
import type { Condition as Waited } from "../sync/waiting.ts";

export const CONDITION_BODY_BYTES = condition.WORDS * WORD_BYTES;

export class Condition {
  /** For those who wait: nothing holds but what a signal says. */
  readonly signalled: Waited;
  readonly #monitor: Monitor;

  constructor(user: MonitorUser, bodyLine: number) {
    this.#monitor = new Monitor(user, field((bodyLine * LINE_WORDS) as Word, condition.MONITOR), { repair: () => {} });
    this.signalled = { monitor: this.#monitor, spin: noSpin, ready: () => false };
  }

  /** Wakes the one that has waited longest, if any does. */
  signal(): void {
    if (!this.#monitor.isQuiet()) this.#monitor.notify(1);
  }

  /** Wakes all that wait. */
  broadcast(): void {
    if (!this.#monitor.isQuiet()) this.#monitor.notify(EVERYBODY);
  }
}
