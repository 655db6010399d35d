// The totals of the main job, which lie in shared memory.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Totals } from "../examples/word-count/totals.ts";
import { overWorlds } from "./worlds.ts";

const JOBS_MAX = 200_000;

overWorlds((world) => {
  test("a job's totals are added once, whoever else has counted it too", () => {
    const kernel = world.createKernel();
    using totals = Totals.make(kernel, 3);
    totals.record(1, 100, 20, 5);
    totals.record(3, 10, 2, 1);
    totals.record(1, 100, 20, 5);
    assert.deepEqual(totals.sum(), { jobs: 2, bytes: 110, words: 22 });
  });

  test("totals that a worker left half-done, with the mutex in hand, are added up anew from the jobs that stand", async () => {
    const kernel = world.createKernel();
    using totals = Totals.make(kernel, 3);
    using segment = kernel.sharedMemory({ name: "totals" });
    totals.record(1, 10, 2, 1);
    const worker = await world.startTask(kernel, "holdTotals", undefined);
    assert.equal(await worker.report(), "locked");
    worker.kill();
    await worker.exited;
    kernel.reap();
    segment.view(Float64Array, 0, 3).set([7, 7, 7]);
    segment.view(Int32Array, 48, 8).set([2, 100, 20, 5, 0, 1000, 200, 50]);
    assert.deepEqual(totals.sum(), { jobs: 2, bytes: 110, words: 22 });
    totals.record(3, 1000, 200, 50);
    assert.deepEqual(totals.sum(), { jobs: 3, bytes: 1110, words: 222 });
  });

  test("a worker killed at any instruction leaves no job half in the totals", async () => {
    const kernel = world.createKernel({ regionBytes: 16 * 1024 * 1024 });
    using totals = Totals.make(kernel, JOBS_MAX);
    const worker = await world.startTask(kernel, "recordTotals", {});
    assert.equal(await worker.report(), "open");
    worker.kill();
    await worker.exited;
    const { jobs, bytes, words } = totals.sum();
    const numbers = (jobs * (jobs + 1)) / 2; // the jobs before it all stand, for they were recorded in their order
    assert.deepEqual({ bytes, words }, { bytes: 5 * numbers, words: 3 * numbers });
  });
});
