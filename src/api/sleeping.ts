// Calls that block this thread, and the signals that come meanwhile.

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
  if (system.signals.own.isDue()) deliverAfterwards(system);
  return result;
}

/** The call has done what it was for: an error of a handler's is nobody's to catch, and must not take its result away. */
function deliverAfterwards(system: System): void {
  try {
    system.signals.deliver();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
