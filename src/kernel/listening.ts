// Waiting as a promise for what rings a task's bell without standing in an object's list: signals, and news of children.

import { WAIT_SLICE_MS } from "../abi/limits.ts";
import type { Bell } from "../sync/bell.ts";
import { FOR_EVER } from "../sync/waiting.ts";

/** Resolves with what `look` finds, once it finds something; with undefined where the time passes first. */
export function heard<T>(
  bell: Bell,
  look: () => T | undefined,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearInterval(alive);
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      bell.quiet(onRing);
    };
    const onRing = (): void => {
      bell.arm(onRing);
      const found = look();
      if (found === undefined) return;
      end();
      resolve(found);
    };
    const onAbort = (): void => {
      end();
      reject(signal?.reason);
    };
    const onExpire = (): void => {
      end();
      resolve(undefined);
    };
    // It keeps the event loop alive, and looks in case whoever was to ring died before.
    const alive = setInterval(onRing, WAIT_SLICE_MS);
    const timer = timeoutMs === FOR_EVER ? undefined : setTimeout(onExpire, timeoutMs);
    signal?.addEventListener("abort", onAbort);
    onRing();
  });
}
