// A task for tests of the word count's totals.

import { Totals } from "../examples/word-count/totals.ts";
import type { Kernel } from "../src/index.ts";
import type { Peer } from "./task-runner.ts";

/** Records made-up totals of each job in its order, again and again: to be killed. */
export function recordTotals(kernel: Kernel, peer: Peer, _args: object): never {
  const totals = Totals.open(kernel);
  peer.report("open");
  for (;;) for (let job = 1; job <= totals.jobsMax; job++) totals.record(job, 5 * job, 3 * job, job);
}

/** Locks the mutex of the totals and keeps it. */
export async function holdTotals(kernel: Kernel, peer: Peer): Promise<void> {
  kernel.mutex({ name: "totals" }).lockSync();
  peer.report("locked");
  await peer.hear();
}
