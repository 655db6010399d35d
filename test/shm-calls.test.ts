// System V shared memory by its calls: what Linux does, in the order in which Linux finds what is wrong. Random calls beside
// Linux itself are in the differential test.

import assert from "node:assert/strict";
import { test } from "node:test";
import { EACCES, EEXIST, EFAULT, EINVAL, ENOENT, ENOMEM, ENOSPC, EPERM } from "../src/abi/errno.ts";
import {
  IPC_CREAT,
  IPC_EXCL,
  IPC_INFO,
  IPC_PRIVATE,
  IPC_RMID,
  IPC_SET,
  IPC_STAT,
  SHM_DEST,
  SHM_EXEC,
  SHM_INFO,
  SHM_LOCK,
  SHM_LOCKED,
  SHM_RDONLY,
  SHM_RND,
  SHM_STAT,
  SHM_UNLOCK,
} from "../src/abi/flags.ts";
import type { Kernel } from "../src/index.ts";
import { overWorlds } from "./worlds.ts";

const PAGE = 4096;
const KEY = 7;
const STATUS = 1024;
const BAD = 2 ** 30;
const KEEP = -1;
const USER = 1000;

/** struct shmid_ds, as far as it is looked at. */
function statusOf(kernel: Kernel, id: number) {
  assert.equal(kernel.sys.shmctl(id, IPC_STAT, STATUS), 0);
  const view = new DataView(kernel.memory.buffer, STATUS);
  return {
    key: view.getInt32(0, true),
    uid: view.getUint32(4, true),
    mode: view.getUint32(20, true),
    bytes: view.getBigUint64(48, true),
    creator: view.getInt32(80, true),
    last: view.getInt32(84, true),
    attached: Number(view.getBigUint64(88, true)),
  };
}

/** What IPC_SET is given. */
function placeOwner(kernel: Kernel, uid: number, gid: number, mode: number): void {
  const view = new DataView(kernel.memory.buffer, STATUS);
  view.setInt32(4, uid, true);
  view.setInt32(8, gid, true);
  view.setUint32(20, mode, true);
}

/** Runs `calls` as another user, and becomes user 0 again. */
function asUser<T>({ sys }: Kernel, calls: () => T): T {
  assert.equal(sys.setresuid(KEEP, USER, KEEP), 0);
  try {
    return calls();
  } finally {
    sys.setresuid(KEEP, 0, KEEP);
  }
}

overWorlds((world) => {
  test("shmget finds a segment by its key, and says what does not fit", () => {
    const { sys } = world.createKernel();
    assert.equal(sys.shmget(KEY, PAGE, 0o600), ENOENT);
    assert.equal(sys.shmget(KEY, 0, IPC_CREAT | 0o600), EINVAL, "nothing has no bytes");
    const id = sys.shmget(KEY, 100, IPC_CREAT | 0o600);
    assert.ok(id >= 0);
    assert.equal(sys.shmget(KEY, 0, 0), id);
    assert.equal(sys.shmget(KEY, 100, IPC_CREAT | 0o600), id);
    assert.equal(sys.shmget(KEY, 101, 0), EINVAL, "it is smaller");
    assert.equal(sys.shmget(KEY, 101, IPC_CREAT | IPC_EXCL), EEXIST, "found before its size is looked at");
    assert.notEqual(sys.shmget(IPC_PRIVATE, 100, 0o600), sys.shmget(IPC_PRIVATE, 100, 0o600));
  });

  test("more bytes than the region has are ENOMEM, more segments than objects ENOSPC, and nothing is left of either", () => {
    const kernel = world.createKernel({ objectsMax: 4 });
    const { sys } = kernel;
    const before = kernel.usage();
    for (const bytes of [kernel.limits.regionBytes, 2 ** 32, 2 ** 53]) {
      assert.equal(sys.shmget(IPC_PRIVATE, bytes, 0o600), ENOMEM, String(bytes));
    }
    for (const bytes of [2 ** 63, -4096, -1]) {
      assert.equal(sys.shmget(IPC_PRIVATE, bytes, 0o600), EINVAL, `${bytes} are more than any file has`);
    }
    assert.deepEqual(kernel.usage(), before);
    for (let i = 0; i < 4; i++) assert.ok(sys.shmget(IPC_PRIVATE, PAGE, 0o600) >= 0);
    assert.equal(sys.shmget(IPC_PRIVATE, PAGE, 0o600), ENOSPC);
  });

  test("a mapping reaches to the end of its last page, and every attachment shows the same bytes", () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    const id = sys.shmget(IPC_PRIVATE, 100, 0o600);
    const first = sys.shmat(id, 0, 0);
    const second = sys.shmat(id, 0, 0);
    const bytes = kernel.memoryAt(first, PAGE);
    assert.ok(bytes);
    assert.equal(kernel.memoryAt(first, PAGE + 1), undefined);
    bytes[PAGE - 1] = 9;
    assert.equal(kernel.memoryAt(second, PAGE)?.[PAGE - 1], 9);
  });

  test("shmat takes a free address on a page, or rounds one down with SHM_RND; shmdt wants the very address", () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    const id = sys.shmget(IPC_PRIVATE, 2 * PAGE, 0o600);
    const address = sys.shmat(id, 0, 0) + 64 * PAGE;
    assert.equal(sys.shmat(id, address + 1, 0), EINVAL);
    assert.equal(sys.shmat(id, address + 1, SHM_RND), address);
    assert.equal(sys.shmat(id, address + PAGE, 0), EINVAL, "it is taken");
    assert.equal(sys.shmat(id, 2 ** 47 - 2 * PAGE, 0), ENOMEM, "its end is beyond all addresses");
    assert.equal(sys.shmat(id, -2 * PAGE, 0), EINVAL, "its end is at 2 ** 64");
    assert.equal(sys.shmat(id, -3 * PAGE, 0), ENOMEM);
    assert.equal(sys.shmat(id + 1, 0, 0), EINVAL);
    assert.equal(sys.shmdt(address + 1), EINVAL);
    assert.equal(sys.shmdt(address + PAGE), EINVAL, "a mapping is given back whole");
    assert.equal(sys.shmdt(address), 0);
    assert.equal(sys.shmdt(address), EINVAL);
  });

  test("what is attached for reading alone is EFAULT for a call that would write there", () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    const id = sys.shmget(IPC_PRIVATE, PAGE, 0o600);
    const readOnly = sys.shmat(id, 0, SHM_RDONLY);
    assert.equal(sys.pipe(readOnly), EFAULT);
    assert.equal(sys.shmctl(id, IPC_STAT, readOnly), EFAULT);
    assert.equal(sys.pipe(sys.shmat(id, 0, 0)), 0);
  });

  test("a removed segment lives while it is attached: without a key, marked SHM_DEST, and still attached by its id", () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    const before = kernel.usage();
    const id = sys.shmget(KEY, PAGE, IPC_CREAT | 0o600);
    const address = sys.shmat(id, 0, 0);
    assert.equal(statusOf(kernel, id).key, KEY);
    assert.equal(sys.shmctl(id, IPC_RMID, 0), 0);
    assert.equal(sys.shmctl(id, IPC_RMID, 0), 0, "a second time too");
    assert.equal(sys.shmget(KEY, 0, 0), ENOENT);
    const again = sys.shmat(id, 0, 0);
    const { key, mode, attached } = statusOf(kernel, id);
    assert.deepEqual({ key, mode, attached }, { key: IPC_PRIVATE, mode: SHM_DEST | 0o600, attached: 2 });
    assert.equal(sys.shmdt(address), 0);
    assert.equal(statusOf(kernel, id).attached, 1);
    assert.equal(sys.shmdt(again), 0);
    assert.equal(sys.shmctl(id, IPC_STAT, STATUS), EINVAL, "gone with the last");
    assert.deepEqual(kernel.usage(), before);
  });

  test("a task that is killed is detached, and is the one that detached last", async () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    const id = sys.shmget(KEY, PAGE, IPC_CREAT | 0o600);
    const calls = [
      { name: "shmat", args: [id, 0, 0] },
      { name: "shmat", args: [id, 0, SHM_RDONLY] },
    ] as const;
    const task = await world.startTask(kernel, "runCalls", { calls, hold: true });
    for (const _ of calls) assert.ok(((await task.report()) as number) > 0);
    assert.equal(statusOf(kernel, id).attached, 2);
    assert.equal(sys.shmctl(id, IPC_RMID, 0), 0);
    const own = sys.shmat(id, 0, 0);
    task.kill();
    await task.exited;
    kernel.reap();
    const { attached, last, creator } = statusOf(kernel, id);
    assert.deepEqual({ attached, last, creator }, { attached: 1, last: task.pid, creator: kernel.pid });
    assert.equal(sys.shmdt(own), 0);
    assert.equal(kernel.usage().objects, 0);
  });

  test("a removed segment whose last task is killed is gone", async () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    const before = kernel.usage();
    const id = sys.shmget(IPC_PRIVATE, 10 * PAGE, 0o600);
    const calls = [{ name: "shmat", args: [id, 0, 0] }] as const;
    const task = await world.startTask(kernel, "runCalls", { calls, hold: true });
    await task.report();
    assert.equal(sys.shmctl(id, IPC_RMID, 0), 0);
    assert.equal(kernel.usage().objects, before.objects + 1);
    task.kill();
    await task.exited;
    kernel.reap();
    assert.deepEqual(kernel.usage(), before);
  });

  test("SHM_EXEC wants the permission to execute, SHM_RDONLY only that to read", (t) => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    if (sys.geteuid() !== 0) return t.skip("only user 0 becomes another");
    asUser(kernel, () => {
      const attach = (mode: number, flags: number): number => {
        const id = sys.shmget(IPC_PRIVATE, PAGE, mode);
        const result = Math.min(0, sys.shmat(id, 0, flags));
        sys.shmctl(id, IPC_RMID, 0);
        return result;
      };
      assert.equal(attach(0o600, SHM_EXEC), EACCES);
      assert.equal(attach(0o700, SHM_EXEC), 0);
      assert.equal(attach(0o500, SHM_EXEC | SHM_RDONLY), 0);
      assert.equal(attach(0o400, SHM_RDONLY), 0);
      assert.equal(attach(0o400, 0), EACCES);
    });
    assert.ok(sys.shmat(sys.shmget(IPC_PRIVATE, PAGE, 0), 0, SHM_EXEC) > 0, "user 0 may");
  });

  test("IPC_SET gives a segment another owner and mode; nobody has the id -1", (t) => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    const id = sys.shmget(IPC_PRIVATE, PAGE, 0o600);
    assert.equal(sys.shmctl(id, IPC_SET, BAD), EFAULT);
    placeOwner(kernel, USER, 100, 0o7640);
    assert.equal(sys.shmctl(id, IPC_SET, STATUS), 0);
    const { uid, mode } = statusOf(kernel, id);
    assert.deepEqual({ uid, mode }, { uid: USER, mode: 0o640 }, "of the mode the permissions alone");
    for (const [user, group] of [
      [-1, 0],
      [0, -1],
    ] as const) {
      placeOwner(kernel, user, group, 0o600);
      assert.equal(sys.shmctl(id, IPC_SET, STATUS), EINVAL);
    }
    if (sys.geteuid() !== 0) return t.skip("only user 0 becomes another");
    const ofUser0 = sys.shmget(IPC_PRIVATE, PAGE, 0o600);
    asUser(kernel, () => {
      placeOwner(kernel, -1, -1, 0o600);
      assert.equal(sys.shmctl(ofUser0, IPC_SET, STATUS), EPERM, "who asks is looked at before what for");
      assert.equal(sys.shmctl(ofUser0, IPC_RMID, 0), EPERM);
      assert.equal(sys.shmctl(ofUser0, IPC_STAT, BAD), EACCES);
      assert.equal(sys.shmctl(id, IPC_RMID, 0), 0, "its owner by now");
    });
  });

  test("shmctl tells of all segments, and keeps SHM_LOCK", () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    const id = sys.shmget(IPC_PRIVATE, PAGE + 1, 0o600);
    assert.equal(sys.shmctl(id, SHM_LOCK, 0), 0);
    assert.equal(statusOf(kernel, id).mode, SHM_LOCKED | 0o600);
    assert.equal(sys.shmctl(id, SHM_UNLOCK, 0), 0);
    assert.equal(statusOf(kernel, id).bytes, BigInt(PAGE + 1), "as it was asked for");
    const index = sys.shmctl(0, SHM_INFO, STATUS);
    const view = new DataView(kernel.memory.buffer, STATUS);
    assert.deepEqual([view.getInt32(0, true), view.getBigUint64(8, true)], [1, 2n], "one segment of two pages");
    assert.equal(sys.shmctl(index, SHM_STAT, STATUS), id);
    assert.equal(sys.shmctl(0, IPC_INFO, STATUS), index);
    assert.equal(sys.shmctl(0, IPC_INFO, BAD), EFAULT);
    assert.equal(sys.shmctl(-1, IPC_INFO, STATUS), EINVAL);
    assert.equal(sys.shmctl(id, 99, STATUS), EINVAL);
  });
});
