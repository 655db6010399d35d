// The handlers of signals that the differential test installs: on Linux a few bytes of machine code at a fixed address, with us
// functions that go by the same number. Both write down in a log what they were called with.

import { numbers } from "./calls.ts";
import { SCRATCH_BYTES } from "./mailbox.ts";

/** Far from all that a process has of its own. */
export const HANDLER_PAGES = 3 * 2 ** 43;
export const HANDLER_PAGES_BYTES = 8192;
/** For actions with SA_SIGINFO: logs all. */
export const WITH_INFO = HANDLER_PAGES;
/** For those without: logs the signal's number. */
export const WITHOUT_INFO = HANDLER_PAGES + 0x100;
/** What a handler of Linux's returns to. */
export const RESTORER = HANDLER_PAGES + 0x200;

/** The log: how many entries, and the entries. */
export const LOG = HANDLER_PAGES + 4096;
export const LOG_ENTRIES = LOG + 64;
export const ENTRY_BYTES = 32;
export const ENTRIES_MAX = 64;
/** An entry, in bytes. MASK is what is blocked while the handler runs. */
export const entry = { SIGNAL: 0, CODE: 4, VALUE: 8, MASK: 16, PID: 24 } as const;

/**
 * The signals that are compared. Not those that the tasks need for themselves: SIGUSR1 is the harness's, 32 and 33 are the C
 * library's, and faults would be the engine's.
 */
export const standardSignals = [1, 2, 3, 12, 13, 14, 15, 17, 18, 20, 21, 22, 23, 24, 26, 28, 29, 30] as const;
export const realTimeSignals = [34, 35, 40, 63, 64] as const;
export const ignoredByDefault: readonly number[] = [17, 18, 23, 28];
/** Of the harness: the call that a task sleeps in is interrupted by it. */
export const SIGUSR1 = 10;

const SIG_DFL = 0n;
const SIG_IGN = 1n;
const SETMASK = 2;
const SIGSET_BYTES = 8;
/** Where in scratch memory structures are put. */
const PLACE = SCRATCH_BYTES - 8192;
const ALL_BUT_OURS = ~(1n << BigInt(SIGUSR1 - 1));

/** Calls after which there is something to put back. */
export const changesSignals: ReadonlySet<number> = new Set([
  numbers.rt_sigaction,
  numbers.rt_sigprocmask,
  numbers.alarm,
  numbers.setpgid,
]);

/** Puts a task's signals back: none pending or blocked, all ignored, and the task in a group of its own. */
export function calm(make: (number: number, ...args: number[]) => number, scratch: DataView, base: number): void {
  const mask = (set: bigint): void => {
    scratch.setBigUint64(PLACE, BigInt.asUintN(64, set), true);
    make(numbers.rt_sigprocmask, SETMASK, base + PLACE, 0, SIGSET_BYTES);
  };
  const act = (signal: number, handler: bigint): void => {
    [handler, 0n, 0n, 0n].forEach((value, i) => {
      scratch.setBigUint64(PLACE + 8 * i, value, true);
    });
    make(numbers.rt_sigaction, signal, base + PLACE, 0, SIGSET_BYTES);
  };
  mask(ALL_BUT_OURS);
  make(numbers.alarm, 0);
  for (const signal of [...standardSignals, ...realTimeSignals]) {
    act(signal, SIG_IGN); // which forgets one that is pending
    if (ignoredByDefault.includes(signal)) act(signal, SIG_DFL);
  }
  make(numbers.setpgid, 0, 0);
  mask(0n);
}
