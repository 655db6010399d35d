// Waiting as a promise for what rings a task's bell without standing in an object's list: signals, and news of children.

import { EBADF } from "../abi/errno.ts";
import { WAIT_SLICE_MS } from "../abi/limits.ts";
import type { Bell } from "../sync/bell.ts";
import { FOR_EVER } from "../sync/waiting.ts";

/** Calls `look` on the event loop after each ring, until the function is called that is returned. */
export function listenTo(bell: Bell, look: () => void): () => void {
  const onRing = (): void => {
    bell.arm(onRing);
    look();
  };
  // It keeps the event loop alive, and looks in case whoever was to ring died before.
  const alive = setInterval(onRing, WAIT_SLICE_MS);
  bell.arm(onRing);
  return () => {
    clearInterval(alive);
    bell.quiet(onRing);
  };
}

/** The waits of a task that are under way, and stand in no object's list. */
export class Hearing {
  readonly #underWay = new Map<() => void, object>();

  /**
   * Resolves with what `find` finds, once it finds something; with undefined where the time passes first, and with EBADF where the
   * waits of `owner`, or all, are ended by `cancelAll`.
   */
  until<T>(
    owner: object,
    listen: (look: () => void) => () => void,
    find: () => T | undefined,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<T | undefined | typeof EBADF> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        stop();
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
        this.#underWay.delete(cancel);
      };
      const settle = (result: T | undefined | typeof EBADF): void => {
        end();
        resolve(result);
      };
      const cancel = (): void => settle(EBADF);
      const look = (): void => {
        const found = find();
        if (found !== undefined) settle(found);
      };
      const onAbort = (): void => {
        end();
        reject(signal?.reason);
      };
      const onTime = (): void => {
        // A timer counts from the beginning of the turn that set it, and so fires early.
        const left = endMs - performance.now();
        if (left > 0) timer = setTimeout(onTime, left);
        else settle(find());
      };
      const endMs = performance.now() + timeoutMs;
      let timer = timeoutMs === FOR_EVER ? undefined : setTimeout(onTime, timeoutMs);
      const stop = listen(look);
      this.#underWay.set(cancel, owner);
      signal?.addEventListener("abort", onAbort);
      look();
    });
  }

  /** Ends every wait of a handle that is being closed, or all. */
  cancelAll(owner?: object): void {
    for (const [cancel, of] of [...this.#underWay]) if (owner === undefined || of === owner) cancel();
  }
}
