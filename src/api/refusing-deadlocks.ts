// Locks that are asked to refuse where waiting for them would close a circle of tasks that wait for each other.

import { EAGAIN, EDEADLK } from "../abi/errno.ts";
import { closesCycle } from "../kernel/deadlocks.ts";
import type { System } from "../kernel/system.ts";
import type { Attempt, Condition } from "../sync/waiting.ts";

/** What a lock does about deadlocks. */
export interface DeadlockOptions {
  /**
   * Fail with EDEADLK where this wait would close a cycle of tasks that wait for each other's locks: of several that would close it
   * together, one is refused. Where a task that did not ask closes it, those are refused that did, within 100 ms.
   */
  readonly refuseDeadlock?: boolean | undefined;
}

/** How to lock: what to wait for, and one try. */
interface Way {
  readonly condition: Condition;
  readonly attempt: Attempt;
}

/** The same way, refused where it leads round in a circle. `awaits`: a promise, which its own task may let on. */
export function refusingDeadlocks(
  system: System,
  objectIndex: number,
  { condition, attempt }: Way,
  awaits: boolean,
): Way {
  const closes = (): boolean => closesCycle(system, objectIndex, awaits);
  const { ready, readyOrMarked = ready } = condition;
  return {
    condition: {
      ...condition,
      ready: (want) => ready(want) || closes(),
      readyOrMarked: (want) => readyOrMarked(want) || closes(),
      // Between the look and the list nobody else may do the same: neither would see the other.
      enlisting: (enlist) => {
        let listed = false;
        system.transaction(() => {
          listed = enlist();
          return 0;
        });
        return listed;
      },
    },
    attempt: (woken) => {
      const result = attempt(woken);
      return result === EAGAIN && closes() ? EDEADLK : result;
    },
  };
}
