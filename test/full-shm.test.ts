import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const task = fileURLToPath(new URL("./full-shm-task.js", import.meta.url));

/** Runs the task in a mount namespace whose /dev/shm has 4 MiB; undefined where we may not make one. */
function runWithSmallShm():
  | { status: number | null; signal: string | null; stdout: string; stderr: string }
  | undefined {
  const mount = "mount -t tmpfs -o size=4m tmpfs /dev/shm";
  const unshare = (command: string) => spawnSync("unshare", ["-m", "sh", "-c", command], { encoding: "utf8" });
  if (unshare(mount).status !== 0) return undefined;
  return unshare(`${mount} && exec "${process.execPath}" "${task}"`);
}

test("a full /dev/shm is an error when something is made, never a SIGBUS when it is used", (t) => {
  const run = runWithSmallShm();
  if (!run) return t.skip("needs the right to mount (root)");
  assert.equal(run.signal, null);
  assert.equal(run.status, 0, run.stderr);
  const seen = JSON.parse(run.stdout);
  assert.equal(seen.tooLarge, "ENOSPC", "tables larger than /dev/shm");
  assert.deepEqual(seen.leftBehind, [], "a kernel that was refused left no file");
  assert.equal(seen.filled.refused, "ENOSPC", "a pipe that /dev/shm has no room for");
  assert.ok(seen.filled.pipes >= 8, `${seen.filled.pipes} pipes of 256 KiB were made and filled`);
  assert.equal(seen.usageAfter.objects, seen.usageBefore.objects + seen.filled.pipes + 1, "a small pipe still fits");
  assert.deepEqual(seen.atEnd, []);
});
