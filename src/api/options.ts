// Checking what callers pass. A wrong type is a TypeError, a value out of range an IpcError EINVAL; both at once, before
// anything has happened.

import { EINVAL } from "../abi/errno.ts";
import { FOR_EVER, TIMEOUT_MS_MAX } from "../sync/waiting.ts";
import { IpcError } from "./ipc-error.ts";

/** Of every call that waits, whether the thread is blocked or a promise waits. */
export interface SyncWaitOptions {
  /** Milliseconds to wait at most; 0 looks once; absent or Infinity waits for ever. Then the call fails with ETIMEDOUT. */
  readonly timeout?: number | undefined;
}

/** Of every call whose promise waits. */
export interface WaitOptions extends SyncWaitOptions {
  /** Aborting rejects the promise with the signal's reason; the wait is gone. */
  readonly signal?: AbortSignal | undefined;
}

/** The time-out of a wait in whole milliseconds, or FOR_EVER. */
export function timeoutOf(options: SyncWaitOptions | undefined, syscall: string, object: string): number {
  if (options === undefined) return FOR_EVER;
  if (typeof options !== "object" || options === null) checkOptions(options, `${syscall} ${object}`);
  const { timeout } = options;
  if (timeout === undefined) return FOR_EVER;
  if (typeof timeout !== "number")
    throw new TypeError(`${syscall} ${object}: timeout must be a number of milliseconds`);
  if (Number.isNaN(timeout) || timeout < 0) {
    throw new IpcError(EINVAL, syscall, object, `timeout must be 0 or more milliseconds, not ${timeout}`);
  }
  return timeout > TIMEOUT_MS_MAX ? FOR_EVER : Math.ceil(timeout);
}

/**
 * Options for each part of a call that waits more than once: what is left of the time-out counts from the beginning. A wrong one is
 * left as it is, for `timeoutOf` to refuse.
 */
export function countdown<T extends SyncWaitOptions>(options: T | undefined): () => T | undefined {
  const timeout = options?.timeout;
  if (options === undefined || typeof timeout !== "number" || !(timeout > 0)) return () => options;
  const end = performance.now() + timeout;
  return () => ({ ...options, timeout: Math.max(0, end - performance.now()) });
}

/** The signal of a wait, checked for its kind. */
export function signalOf(options: WaitOptions | undefined, syscall: string, object: string): AbortSignal | undefined {
  const signal = options?.signal;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError(`${syscall} ${object}: signal must be an AbortSignal`);
  }
  return signal;
}

/** Options are an object: a number or a name in their place would be passed over in silence. */
export function checkOptions(options: unknown, call: string): void {
  if (typeof options === "object" && options !== null) return;
  const what = options === null ? "null" : typeof options;
  throw new TypeError(
    `${call}: the options must be an object, such as { timeout: 100 } or { name: "jobs" }, not ${what}`,
  );
}

/** A byte array, or a TypeError. A Buffer is one. */
export function checkBytes(data: unknown, syscall: string, object: string): asserts data is Uint8Array {
  if (!(data instanceof Uint8Array)) {
    const what =
      data === null ? "null" : typeof data === "object" ? (data.constructor?.name ?? "an object") : typeof data;
    throw new TypeError(`${syscall} ${object}: the data must be a Uint8Array (or Buffer), not ${what}`);
  }
}

/** A whole number from `least` to `most`, or IpcError EINVAL. */
export function checkCount(
  value: unknown,
  name: string,
  least: number,
  most: number,
  syscall: string,
): asserts value is number {
  if (typeof value !== "number") throw new TypeError(`${syscall}: ${name} must be a number`);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new IpcError(
      EINVAL,
      syscall,
      undefined,
      `${name} must be a whole number from ${least} to ${most}, not ${value}`,
    );
  }
}
