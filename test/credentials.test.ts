// Who a task is, and who it may become (credentials(7)).

import assert from "node:assert/strict";
import { test } from "node:test";
import { EFAULT, EINVAL, EPERM } from "../src/abi/errno.ts";
import { Kernel } from "../src/index.ts";
import { overWorlds, until } from "./worlds.ts";

const KEEP = -1;
const IDS = 64;
const BAD = 2 ** 30;
/** As many groups as a task has at most. */
const GROUPS_MAX = 32;

/** Real, effective and saved. */
function triple(kernel: Kernel, call: "getresuid" | "getresgid"): number[] {
  assert.equal(kernel.sys[call](IDS, IDS + 4, IDS + 8), 0);
  return [...new Uint32Array(kernel.memory.buffer, IDS, 3)];
}

function groupsOf(kernel: Kernel): number[] {
  const count = kernel.sys.getgroups(GROUPS_MAX, IDS);
  return [...new Uint32Array(kernel.memory.buffer, IDS, count)];
}

function setGroups(kernel: Kernel, groups: readonly number[]): number {
  new Uint32Array(kernel.memory.buffer, IDS, groups.length).set(groups);
  return kernel.sys.setgroups(groups.length, IDS);
}

overWorlds((world) => {
  /** A kernel whose own task is user 0, or undefined where the test cannot be. */
  const asUser0 = (t: { skip(why: string): void }): Kernel | undefined => {
    const kernel = world.createKernel();
    if (kernel.sys.geteuid() === 0) return kernel;
    t.skip("only user 0 becomes another");
    return undefined;
  };

  test("a task knows itself and the task it comes from, as long as that is there", async () => {
    const kernel = world.createKernel();
    assert.equal(kernel.sys.getpid(), kernel.pid);
    assert.equal(kernel.sys.getppid(), 0);
    const calls = [
      { name: "getpid", args: [] },
      { name: "getppid", args: [] },
    ] as const;
    const task = await world.startTask(kernel, "runCalls", { calls });
    assert.equal(await task.report(), task.pid);
    assert.equal(await task.report(), kernel.pid);
  });

  test("a task whose parent has died has none", async () => {
    const kernel = world.createKernel();
    const parent = await world.startTask(kernel, "idle", {});
    parent.kill();
    await parent.exited;
    await until(() => kernel.reap() > 0 || kernel.tasks().length === 1, "the burial");
    const handle = { ...kernel.handle, parentPid: parent.pid };
    const orphan = await world.startTask(handle, "runCalls", { calls: [{ name: "getppid", args: [] }] });
    assert.equal(await orphan.report(), 0);
  });

  test("user 0 sets all three ids by setuid and setgid, and can never take it back", (t) => {
    const kernel = asUser0(t);
    if (!kernel) return;
    const { sys } = kernel;
    assert.equal(sys.setuid(-1), EINVAL);
    assert.equal(sys.setgid(-1), EINVAL);
    assert.equal(sys.setgid(100), 0);
    assert.equal(sys.setuid(1000), 0);
    assert.deepEqual(triple(kernel, "getresuid"), [1000, 1000, 1000]);
    assert.deepEqual(triple(kernel, "getresgid"), [100, 100, 100]);
    assert.deepEqual([sys.getuid(), sys.geteuid(), sys.getgid(), sys.getegid()], [1000, 1000, 100, 100]);
    assert.equal(sys.setuid(0), EPERM);
    assert.equal(sys.setgid(0), EPERM);
    assert.equal(sys.setuid(-1), EINVAL, "before anybody asks who may");
    assert.equal(sys.setuid(1000), 0);
  });

  test("others become by setuid their real or saved user, and the effective id changes alone", (t) => {
    const kernel = asUser0(t);
    if (!kernel) return;
    const { sys } = kernel;
    assert.equal(sys.setresuid(1000, 1001, 1002), 0);
    assert.equal(sys.setuid(1003), EPERM);
    assert.equal(sys.setuid(1002), 0);
    assert.deepEqual(triple(kernel, "getresuid"), [1000, 1002, 1002]);
    assert.equal(sys.setuid(1001), EPERM, "it was the effective one alone");
    assert.equal(sys.setuid(1000), 0);
    assert.deepEqual(triple(kernel, "getresuid"), [1000, 1000, 1002]);
  });

  test("setresuid and setresgid leave an id of -1 as it is, and give others only what they have", (t) => {
    const kernel = asUser0(t);
    if (!kernel) return;
    const { sys } = kernel;
    assert.equal(sys.setresgid(5, 6, 7), 0);
    assert.equal(sys.setresuid(KEEP, 1000, KEEP), 0);
    assert.deepEqual(triple(kernel, "getresuid"), [0, 1000, 0]);
    assert.equal(sys.setresgid(6, 7, 5), 0);
    assert.deepEqual(triple(kernel, "getresgid"), [6, 7, 5]);
    assert.equal(sys.setresgid(6, 8, 5), EPERM);
    assert.deepEqual(triple(kernel, "getresgid"), [6, 7, 5], "none of the three");
    assert.equal(sys.setgroups(0, 0), EPERM);
    assert.equal(sys.setresuid(KEEP, 0, KEEP), 0, "its saved id");
    assert.equal(sys.getresuid(IDS, IDS, BAD), EFAULT);
  });

  test("supplementary groups are given in order, each as often as it was set; nobody has the group -1", (t) => {
    const kernel = asUser0(t);
    if (!kernel) return;
    const { sys } = kernel;
    assert.equal(setGroups(kernel, [9, 3, 4_000_000_000, 3]), 0);
    assert.deepEqual(groupsOf(kernel), [3, 3, 9, 4_000_000_000]);
    assert.equal(sys.getgroups(0, BAD), 4);
    assert.equal(sys.getgroups(3, IDS), EINVAL);
    assert.equal(sys.getgroups(-1, IDS), EINVAL);
    assert.equal(sys.getgroups(4, BAD), EFAULT);
    assert.equal(setGroups(kernel, [5, 0xffffffff]), EINVAL);
    assert.equal(sys.setgroups(GROUPS_MAX + 1, BAD), EINVAL);
    assert.equal(sys.setgroups(2, BAD), EFAULT);
    assert.deepEqual(groupsOf(kernel), [3, 3, 9, 4_000_000_000], "as before");
    assert.equal(sys.setgroups(0, BAD), 0);
    assert.deepEqual(groupsOf(kernel), []);
  });

  test("groups that a task is attached with are given in order too", async (t) => {
    const kernel = asUser0(t);
    if (!kernel) return;
    const { handle } = kernel;
    kernel.close();
    const again = world.keep(Kernel.attach(handle, { credentials: { groups: [30, 4, 12] } }));
    assert.deepEqual(groupsOf(again), [4, 12, 30]);
  });

  test("umask gives the mask before, and keeps the permissions alone", () => {
    const { sys } = world.createKernel();
    sys.umask(0o7027);
    assert.equal(sys.umask(0o022), 0o027);
    assert.equal(sys.umask(-1), 0o022);
    assert.equal(sys.umask(0), 0o777);
  });
});
