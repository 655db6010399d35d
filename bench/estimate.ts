// How long a run will take: told before it starts, and corrected as it goes.

import type { Effort } from "./rounds.ts";
import { roundsOf } from "./rounds.ts";
import { type Case, peersOf, type Row } from "./rows.ts";

/** What one measurement takes besides its clock, about: starting Node, compiling, warming up. */
const NODE_EXTRA_MS = 550;
const NATIVE_EXTRA_MS = 120;

/** How long a case takes, about, in milliseconds. */
export function estimateMs(row: Row, one: Case, effort: Effort): number {
  const peers = peersOf(row, one);
  const depths = one.beside === undefined ? new Set(peers.map(({ depth }) => depth?.(one.bytes))).size : 2;
  const native = peers.filter(({ program }) => "c" in program).length;
  const clock = row.fixedOperations === undefined ? effort.measureMs : row.fixedOperations / 1000;
  const round = (depths + peers.length - native) * (NODE_EXTRA_MS + clock) + native * (NATIVE_EXTRA_MS + clock);
  return Math.min((1 + roundsOf(row, one, effort)) * round, effort.caseMsMax + round);
}

/** Corrects what is left by how the estimate did so far. */
export function leftMs(estimates: readonly number[], done: number, elapsedMs: number): number {
  const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
  const expected = sum(estimates.slice(0, done));
  const left = sum(estimates.slice(done));
  return expected === 0 ? left : left * (elapsedMs / expected);
}

export function inWords(ms: number): string {
  const minutes = ms / 60_000;
  return minutes < 1 ? `${Math.max(1, Math.round(ms / 1000))} s` : `${Math.round(minutes)} min`;
}
