// When a call lets the handlers of signals run that have come (signal(7)): where one ends its sleep, and at its end.

import { EINTR } from "../abi/errno.ts";
import type { System } from "../kernel/system.ts";

/**
 * Sleeps, by a function that can be called again: where a signal ends the sleep its handlers run, and it goes on if the first
 * of them wants that (SA_RESTART); else it is EINTR, as it is where another task interrupted it (signal(7)). `checkStillOpen` throws
 * where a handler has closed what is slept on.
 */
export function sleepThroughSignals(system: System, sleep: () => number, checkStillOpen: () => void): number {
  let result = sleep();
  while (result === EINTR) {
    const { ran, restart } = system.signals.deliver();
    checkStillOpen();
    if (!ran || !restart) return EINTR;
    result = sleep();
  }
  deliverAtEnd(system);
  return result;
}

/**
 * The end of a call: handlers run of what has come meanwhile; one that comes in this moment, at the end of the next. Where nothing is
 * pending, that costs three plain reads. The call has done what it was for: an error of a handler's is nobody's to catch, and must not
 * take its result away.
 */
export function deliverAtEnd({ words, pendingSignals, signals }: System): void {
  if (words.isAnySet(pendingSignals)) signals.deliver(throwLater);
}

function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
