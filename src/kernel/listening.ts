// Waiting as a promise for what rings a task's bell without standing in an object's list: signals, and news of children.

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

/** Resolves with what `find` finds, once it finds something; with undefined where the time passes first. */
export function heard<T>(
  listen: (look: () => void) => () => void,
  find: () => T | undefined,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      stop();
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    const look = (): void => {
      const found = find();
      if (found === undefined) return;
      end();
      resolve(found);
    };
    const onAbort = (): void => {
      end();
      reject(signal?.reason);
    };
    const onTime = (): void => {
      // A timer counts from the beginning of the turn that set it, and so fires early.
      const left = endMs - performance.now();
      if (left > 0) {
        timer = setTimeout(onTime, Math.ceil(left));
        return;
      }
      const found = find();
      end();
      resolve(found);
    };
    const endMs = performance.now() + timeoutMs;
    const stop = listen(look);
    let timer = timeoutMs === FOR_EVER ? undefined : setTimeout(onTime, timeoutMs);
    signal?.addEventListener("abort", onAbort);
    look();
  });
}
