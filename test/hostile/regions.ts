// Many damaged regions, in two processes that are watched: each says which region is next before it works with it, so that one that
// does not end, or that ends the process, is known by its seed; the others after it are tried all the same.

import { fileURLToPath } from "node:url";
import { type Findings, Hostile } from "./hostile.ts";
import { jobOf, say, type Watched, watch } from "./watched.ts";

const module = fileURLToPath(import.meta.url);
const PROCESSES = 2;
const REPORT_EVERY = 200;
/** After so many hangs and crashes the rest is not worth its time. */
const GIVEN_UP_AFTER = 5;

export interface Found extends Watched {
  regions: number;
  changes: number;
  operations: number;
  readonly ends: Map<string, number>;
}

interface Range {
  readonly from: number;
  readonly count: number;
}

/** The seed of the region that is next, or what was found since the last report; `isLast` with the last. */
type Report = { readonly next: number } | { readonly findings: Portable; readonly isLast: boolean };

/** Findings as text can hold them. */
type Portable = Omit<Findings, "ends" | "violations"> & {
  readonly ends: readonly [string, number][];
  readonly violations: readonly [string, { count: number; region: number; what: string }][];
};

/** Tries `count` regions from a seed on. */
export async function tryRegions(count: number, seed: number, progress: (done: number) => void): Promise<Found> {
  const found: Found = {
    regions: 0,
    changes: 0,
    operations: 0,
    hangs: 0,
    crashes: 0,
    ends: new Map(),
    violations: [],
  };
  const share = Math.ceil(count / PROCESSES);
  const ranges = Array.from({ length: PROCESSES }, (_, i) => ({
    from: seed + i * share,
    count: Math.max(0, Math.min(share, count - i * share)),
  }));
  await Promise.all(ranges.map((range) => tryRange(range, found, () => progress(found.regions))));
  return found;
}

/** Tries one process's share, in another process after each that hung or crashed. */
async function tryRange({ from, count }: Range, found: Found, progress: () => void): Promise<void> {
  const end = from + count;
  let next = from;
  while (next < end && found.hangs + found.crashes < GIVEN_UP_AFTER) {
    const isDone = await watch<Report>(module, { from: next, count: end - next }, found, {
      where: () => `in the region of --regions 1 --seed ${next}`,
      heard: (report) => {
        if ("next" in report) {
          next = report.next;
          return false;
        }
        add(found, report.findings);
        progress();
        return report.isLast;
      },
    });
    if (isDone) return;
    next++;
  }
}

function add(found: Found, findings: Portable): void {
  found.regions += findings.regions;
  found.changes += findings.changes;
  found.operations += findings.operations;
  for (const [end, times] of findings.ends) found.ends.set(end, (found.ends.get(end) ?? 0) + times);
  for (const [where, { count, region, what }] of findings.violations) {
    found.violations.push(`${where}: ${what}, ${count} times, the first with --regions 1 --seed ${region}`);
  }
}

const range = jobOf<Range>(module);
if (range) {
  const hostile = new Hostile();
  const report = (isLast: boolean): void => {
    const { ends, violations, ...counts } = hostile.takeFindings();
    say({ findings: { ...counts, ends: [...ends], violations: [...violations] }, isLast } satisfies Report);
  };
  for (let i = 0; i < range.count; i++) {
    say({ next: range.from + i } satisfies Report);
    hostile.try(range.from + i);
    if (i % REPORT_EVERY === REPORT_EVERY - 1) report(false);
  }
  report(true);
}
