// What a task remembers of a SysV queue, so that a call need not find and judge it anew.

import type { MessageRing } from "../../objects/message-ring.ts";

/** A queue that this task has used before, and what it decided about it by the rules of then. */
export interface KnownQueue {
  readonly ring: MessageRing;
  readonly objectIndex: number;
  /** How often the task had let go of queues by then: it may have let go of this one since. */
  readonly letGo: number;
  rules: number;
  credentials: number;
  mayRead: boolean;
  mayWrite: boolean;
}
