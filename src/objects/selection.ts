// Which messages a receiver takes (msgop(2)): any, of one type, of any type but one, or the first of the lowest type up to a
// bound. Types are 64-bit and at least 1; they are kept in halves, which compare without a bigint.

import type { Selector } from "../sync/wait-list.ts";

export const selections = { ANY: 0, TYPE: 1, EXCEPT: 2, LOWEST: 3 } as const;

export const ANY_MESSAGE: Selector = { kind: selections.ANY, low: 0, high: 0 };

/** What msgrcv's type and MSG_EXCEPT ask for. */
export function selectorOf(type: bigint, except: boolean): Selector {
  if (type === 0n) return ANY_MESSAGE;
  if (type > 0n) return selector(except ? selections.EXCEPT : selections.TYPE, type);
  return selector(selections.LOWEST, type === -(2n ** 63n) ? 2n ** 63n - 1n : -type);
}

const selector = (kind: number, type: bigint): Selector => ({
  kind,
  low: Number(BigInt.asIntN(32, type)),
  high: Number(BigInt.asIntN(32, type >> 32n)),
});

export function selects(wanted: Selector, low: number, high: number): boolean {
  if (wanted.kind === selections.ANY) return true;
  if (wanted.kind === selections.TYPE) return low === wanted.low && high === wanted.high;
  if (wanted.kind === selections.EXCEPT) return low !== wanted.low || high !== wanted.high;
  return !isLess(wanted.low, wanted.high, low, high);
}

/** Whether one type is less than another. */
export function isLess(low: number, high: number, thanLow: number, thanHigh: number): boolean {
  return high === thanHigh ? low >>> 0 < thanLow >>> 0 : high < thanHigh;
}
