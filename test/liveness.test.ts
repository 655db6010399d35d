import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Kernel } from "../src/index.ts";
import { inWorld } from "./worlds.ts";

const task = fileURLToPath(new URL("./liveness-task.js", import.meta.url));

/** Runs the task in a process of few descriptors. */
function runShort(name: string, when: "attached" | "attaching") {
  const command = `ulimit -n 256 && exec "${process.execPath}" "${task}" "${name}" ${when}`;
  const { status, stdout, stderr } = spawnSync("sh", ["-c", command], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as { full: string; buried: number; states: string[]; refused: string };
}

inWorld("processes", (world) => {
  test("a task that cannot ask the system who lives takes nobody for dead", () => {
    const name = world.freshName();
    const kernel = world.keep(Kernel.open(name, { create: true }));
    const queue = kernel.queue();
    const seen = runShort(name, "attached");
    assert.equal(seen.full, "EMFILE");
    assert.deepEqual([seen.buried, seen.states], [0, ["alive", "alive"]]);
    assert.equal(kernel.tasks().length, 1);
    assert.equal(queue.trySend(new Uint8Array(1)), true);
  });

  test("a task that cannot find out who it is does not attach", () => {
    const name = world.freshName();
    const kernel = world.keep(Kernel.open(name, { create: true }));
    assert.equal(runShort(name, "attaching").refused, "EMFILE");
    assert.equal(kernel.tasks().length, 1);
  });
});
