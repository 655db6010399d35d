// Many damaged regions, in two threads that are watched from a third: one that makes no progress hangs, one that ends has crashed.

import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { type Findings, Hostile } from "./hostile.ts";
import { type Watched, watch } from "./watched.ts";

const THREADS = 2;
const REPORT_EVERY = 200;

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

interface Report {
  readonly done: number;
  /** With the last report. */
  readonly findings?: Findings;
}

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
  const done = new Array<number>(THREADS).fill(0);
  const share = Math.ceil(count / THREADS);
  const threads = done.map((_, i) => {
    const range = { from: seed + i * share, count: Math.max(0, Math.min(share, count - i * share)) };
    return tryRange(range, found, (regions) => {
      done[i] = regions;
      progress(done.reduce((sum, one) => sum + one, 0));
    });
  });
  await Promise.all(threads);
  return found;
}

/** Tries one thread's share. */
function tryRange(range: Range, found: Found, progress: (done: number) => void): Promise<void> {
  let last = 0;
  return watch<Report>(fileURLToPath(import.meta.url), { hostile: range }, found, {
    where: () => `after region ${range.from + last}`,
    heard: ({ done, findings }) => {
      last = done;
      progress(done);
      if (findings) add(found, findings);
      return findings !== undefined;
    },
  });
}

function add(found: Found, findings: Findings): void {
  found.regions += findings.regions;
  found.changes += findings.changes;
  found.operations += findings.operations;
  for (const [end, times] of findings.ends) found.ends.set(end, (found.ends.get(end) ?? 0) + times);
  for (const [where, { count, region, what }] of findings.violations) {
    found.violations.push(`${where}: ${what}, ${count} times, the first with --regions 1 --seed ${region}`);
  }
}

const range = (workerData as { hostile?: Range } | null)?.hostile;
if (!isMainThread && range) {
  const hostile = new Hostile();
  for (let i = 0; i < range.count; i++) {
    hostile.try(range.from + i);
    if (i % REPORT_EVERY === 0) parentPort?.postMessage({ done: i } satisfies Report);
  }
  parentPort?.postMessage({ done: range.count, findings: hostile.findings } satisfies Report);
}
