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

  test("totals that their worker had not published when it died are not there", () => {
    const kernel = world.createKernel();
    using totals = Totals.make(kernel, 2);
    using segment = kernel.sharedMemory({ name: "totals" });
    segment.view(Int32Array).set([0, 100, 20, 5], 4);
    assert.deepEqual(totals.sum(), { jobs: 0, bytes: 0, words: 0 });
    segment.view(Int32Array)[4] = 2;
    assert.deepEqual(totals.sum(), { jobs: 1, bytes: 100, words: 20 });
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
