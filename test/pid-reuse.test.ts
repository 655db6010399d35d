// A process's number that the host gives to another one, after its task has died, does not bring the task back to life.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { bounded, inWorld, until } from "./worlds.ts";

const LAST_PID = "/proc/sys/kernel/ns_last_pid";
const ATTEMPTS = 50;

/** A process that lives until it is killed and has the number `osPid`; undefined where the host may not be asked for that. */
async function processNumbered(osPid: number): Promise<ChildProcess | undefined> {
  for (let i = 0; i < ATTEMPTS; i++) {
    try {
      writeFileSync(LAST_PID, String(osPid - 1));
    } catch {
      return undefined;
    }
    const child = spawn("sleep", ["600"], { stdio: "ignore" });
    if (child.pid === osPid) return child;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  return undefined;
}

inWorld("processes", (world) => {
  test("a dead owner whose process number is another process's by now is dead", async (t) => {
    const kernel = world.createKernel();
    using mutex = kernel.mutex();
    const task = await world.startTask(kernel, "followSteps", undefined as never);
    task.send({ token: mutex.token, verb: "lockSync" });
    assert.equal(await task.report(), "locked");
    assert.equal(mutex.owner, task.pid);
    const osPid = (task.child as ChildProcess).pid as number;
    task.kill();
    await task.exited;
    const other = await processNumbered(osPid);
    if (!other) return t.skip("needs the right to choose the next process's number (root)");
    try {
      using guard = mutex.lockSync(bounded);
      assert.ok(guard.ownerDied);
      mutex.markConsistent();
      await until(() => kernel.tasks().length === 1, "the burial");
    } finally {
      other.kill("SIGKILL");
      await once(other, "exit");
    }
  });
});
