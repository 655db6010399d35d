// What the ratios were, to notice when a change has made something slower: bench/baseline.json, an output of --json.

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { titleOf } from "./results.ts";
import type { Entry } from "./rounds.ts";

/** Of the ratio in the baseline. Machines are noisy: between two runs of the same code ratios were seen to differ by a third. */
export const TOLERATED = 0.6;

export interface Comparison {
  readonly title: string;
  readonly ratio: number;
  readonly before: number;
  readonly least: number;
}

/** Beside this file's source; the compiled file is two directories further down. */
export function baselinePath(): string {
  const candidates = ["baseline.json", "../../bench/baseline.json"].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  const found = candidates.find((path) => existsSync(path));
  if (!found) throw new Error("bench/baseline.json is missing: --json bench/baseline.json makes it");
  return found;
}

export const readBaseline = (): Entry[] => JSON.parse(readFileSync(baselinePath(), "utf8")) as Entry[];

/** Those entries whose ratio has fallen further than is tolerated. What is new, or gone, is no regression. */
export function compareWithBaseline(entries: readonly Entry[], baseline: readonly Entry[]): Comparison[] {
  const before = new Map(baseline.map((entry) => [titleOf(entry), entry.ratio]));
  return entries
    .map((entry) => {
      const ratio = before.get(titleOf(entry)) ?? 0;
      return { title: titleOf(entry), ratio: entry.ratio, before: ratio, least: ratio * TOLERATED };
    })
    .filter(({ ratio, least }) => ratio < least);
}
