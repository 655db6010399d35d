// Looking figures up in the results, and saying them.

import type { ResultEntry, Results } from "../results.ts";

/** Which entry is meant; what is left out may be anything. */
export interface Wanted {
  readonly row: string;
  readonly placement?: string | undefined;
  readonly bytes?: number | undefined;
  readonly peer?: string | undefined;
  readonly what?: string | undefined;
}

export const entriesOf = ({ entries }: Results, wanted: Wanted): ResultEntry[] =>
  entries.filter((entry) =>
    (["row", "placement", "bytes", "peer", "what"] as const).every(
      (key) => wanted[key] === undefined || entry[key] === wanted[key],
    ),
  );

export const entryOf = (results: Results, wanted: Wanted): ResultEntry | undefined => entriesOf(results, wanted)[0];

/** Three digits that count. */
export function inDigits(value: number): string {
  if (value === 0) return "0";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return Number(value.toFixed(Math.min(digits, 3))).toString();
}

const UNITS: readonly (readonly [name: string, ns: number])[] = [
  ["s", 1e9],
  ["ms", 1e6],
  ["µs", 1e3],
  ["ns", 1],
];

export function time(ns: number): string {
  const [name, size] = UNITS.find(([, least]) => ns >= least) ?? ["ns", 1];
  return `${inDigits(ns / size)} ${name}`;
}

export function bytesText(bytes: number): string {
  if (bytes >= 1 << 20) return `${bytes >> 20} MiB`;
  return bytes >= 1 << 10 ? `${bytes >> 10} KiB` : `${bytes} B`;
}

const PLACEMENTS: Record<string, string> = { "one-task": "one task", "one-cpu": "one CPU", "two-cpus": "two CPUs" };

export const placementText = (placement: string): string => PLACEMENTS[placement] ?? placement;

/** Rows in which the size of what is sent means something. */
const hasBytes = (row: string): boolean => !/^(semaphore|mutex|signal|start|scale|objects|tasks)/.test(row);

/** What is measured besides the row: "two CPUs, 256 B", with the number of parties or the call. */
export function caseText({ row, placement, bytes, what }: ResultEntry): string {
  const parts = [placementText(placement), ...(hasBytes(row) ? [bytesText(bytes)] : [])];
  if (what === undefined || /^segment/.test(row)) return parts.join(", ");
  const crowd = row.endsWith("fairness") ? "contenders" : "of each side";
  return [...parts, /^\d+$/.test(what) ? `${what} ${crowd}` : what].join(", ");
}

/** The least ratio of all runs. */
export const leastRatio = ({ ratios }: ResultEntry): number => Math.min(...ratios);

export const isMet = (entry: ResultEntry): boolean => entry.budget === undefined || leastRatio(entry) >= entry.budget;
