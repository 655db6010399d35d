// When who sleeps gets its turn. Mostly whoever is awake takes what there is: it has done so hundreds of times before one that was
// woken has got up. Now and then what there is goes to one that sleeps, so that nobody is passed over for ever.

/** At most once in so long, while others want it too: what it costs is a wake-up in which nobody else has it. */
export const HANDING_MS = 2;

/**
 * After so long, who was given something and has not come has lost it: it was stopped, or has died. Longer than a task waits for its turn
 * on a CPU that a few others use.
 */
export const GIVEN_MS_MAX = 20;

/** Milliseconds between two readings of the world's clock, which has 31 bits and wraps. */
export const elapsedMs = (from: number, to: number): number => ((to - from) << 1) >> 1;
