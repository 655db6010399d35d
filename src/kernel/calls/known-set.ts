// What a task remembers of a semaphore set, so that a call need not find and judge it anew.

import type { SemaphoreSet } from "../../objects/semaphore-set.ts";
import type { Description } from "../../tasks/descriptors.ts";

/** A set that this task has used before, and what it decided about it by the rules of then. */
export interface KnownSet {
  readonly set: SemaphoreSet;
  readonly objectIndex: number;
  readonly used: Description;
  /** How often the task had let go of objects by then: it may have let go of this one since. */
  readonly letGo: number;
  rules: number;
  credentials: number;
  mayRead: boolean;
  mayWrite: boolean;
}
