// System V semaphore sets by their calls: what Linux does, in the order in which Linux finds what is wrong, in threads and in
// processes, and what is left when a task dies. Random calls beside Linux itself are in the differential test; a death after
// any write is in the crash tests.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  E2BIG,
  EACCES,
  EAGAIN,
  EEXIST,
  EFAULT,
  EFBIG,
  EIDRM,
  EINTR,
  EINVAL,
  ENOENT,
  ENOMEM,
  ENOSPC,
  EPERM,
  ERANGE,
} from "../src/abi/errno.ts";
import {
  GETALL,
  GETNCNT,
  GETPID,
  GETVAL,
  GETZCNT,
  IPC_CREAT,
  IPC_EXCL,
  IPC_INFO,
  IPC_NOWAIT,
  IPC_PRIVATE,
  IPC_RMID,
  IPC_SET,
  IPC_STAT,
  SEM_INFO,
  SEM_STAT,
  SEM_STAT_ANY,
  SEM_UNDO,
  SETALL,
  SETVAL,
} from "../src/abi/flags.ts";
import type { Kernel } from "../src/index.ts";
import { type Change, OPERATIONS, placeOperations, semop } from "./place-operations.ts";
import { NOTICED_MS_MAX, overWorlds, type Task, type TestWorld, until, untilAsleep } from "./worlds.ts";

const KEY = 7;
const TIME = 16_384;
const STATUS = 1024;
const BAD = 2 ** 30;
const KEEP = -1;
const USER = 1000;
const VALUE_MAX = 32_767;

function semtimedop(kernel: Kernel, id: number, ms: number, ...changes: readonly Change[]): number {
  placeOperations(kernel, changes);
  const view = new DataView(kernel.memory.buffer, TIME);
  view.setBigInt64(0, BigInt(Math.floor(ms / 1000)), true);
  view.setBigInt64(8, BigInt((ms % 1000) * 1e6), true);
  return kernel.sys.semtimedop(id, OPERATIONS, changes.length, TIME);
}

function newSet(kernel: Kernel, ...values: readonly number[]): number {
  const id = kernel.sys.semget(IPC_PRIVATE, values.length, 0o600);
  assert.ok(id >= 0);
  values.forEach((value, i) => {
    assert.equal(kernel.sys.semctl(id, i, SETVAL, value), 0);
  });
  return id;
}

function valuesOf(kernel: Kernel, id: number, count: number): number[] {
  assert.equal(kernel.sys.semctl(id, 0, GETALL, STATUS), 0);
  const view = new DataView(kernel.memory.buffer, STATUS);
  return Array.from({ length: count }, (_, i) => view.getUint16(2 * i, true));
}

/** struct semid_ds, as far as it is looked at. */
function statusOf(kernel: Kernel, id: number) {
  assert.equal(kernel.sys.semctl(id, 0, IPC_STAT, STATUS), 0);
  const view = new DataView(kernel.memory.buffer, STATUS);
  return {
    key: view.getInt32(0, true),
    uid: view.getUint32(4, true),
    mode: view.getUint32(20, true),
    operated: view.getBigUint64(48, true),
    changed: view.getBigUint64(64, true),
    count: view.getBigUint64(80, true),
  };
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
  /** A second task in one semop. */
  const operating = async (kernel: Kernel, id: number, ...changes: readonly Change[]): Promise<Task> =>
    world.startTask(kernel, "operate", { id, changes });

  /** The same, until it sleeps. */
  const asleep = async (kernel: Kernel, id: number, ...changes: readonly Change[]): Promise<Task> => {
    const task = await operating(kernel, id, ...changes);
    await untilAsleep(kernel, task.pid);
    return task;
  };

  test("semget finds a set by its key, and says what does not fit", () => {
    const { sys } = world.createKernel();
    assert.equal(sys.semget(KEY, 1, 0o600), ENOENT);
    assert.equal(sys.semget(KEY, 0, IPC_CREAT | 0o600), EINVAL, "no set of none");
    assert.equal(sys.semget(KEY, -1, IPC_CREAT | 0o600), EINVAL);
    assert.equal(sys.semget(KEY, 32_001, 0), EINVAL, "wrong before the key is looked for");
    const id = sys.semget(KEY, 3, IPC_CREAT | 0o600);
    assert.ok(id >= 0);
    assert.equal(sys.semget(KEY, 0, 0), id);
    assert.equal(sys.semget(KEY, 3, IPC_CREAT | 0o600), id);
    assert.equal(sys.semget(KEY, 4, 0), EINVAL, "it has fewer");
    assert.equal(sys.semget(KEY, 4, IPC_CREAT | IPC_EXCL), EEXIST, "found before its size is looked at");
    assert.notEqual(sys.semget(IPC_PRIVATE, 1, 0o600), sys.semget(IPC_PRIVATE, 1, 0o600));
  });

  test("more semaphores than the region has room for are ENOMEM, more sets than objects ENOSPC, and nothing is left", () => {
    const kernel = world.createKernel({ objectsMax: 4, regionBytes: 2 ** 20 });
    const { sys } = kernel;
    const { objects } = kernel.usage();
    const large: number[] = [];
    let id = sys.semget(IPC_PRIVATE, 32_000, 0o600);
    for (; id >= 0; id = sys.semget(IPC_PRIVATE, 32_000, 0o600)) large.push(id);
    assert.equal(id, ENOMEM);
    for (const one of large) assert.equal(sys.semctl(one, 0, IPC_RMID, 0), 0);
    assert.equal(kernel.usage().objects, objects);
    for (let i = 0; i < 4; i++) assert.ok(sys.semget(IPC_PRIVATE, 1, 0o600) >= 0);
    assert.equal(sys.semget(IPC_PRIVATE, 1, 0o600), ENOSPC);
  });

  test("semop does all of its operations or none, one after the other", () => {
    const kernel = world.createKernel();
    const id = newSet(kernel, 1, 0, 5);
    assert.equal(semop(kernel, id, [0, -1], [1, 2], [2, -5], [2, 0]), 0);
    assert.deepEqual(valuesOf(kernel, id, 3), [0, 2, 0]);
    assert.equal(semop(kernel, id, [1, -1], [2, 1], [0, -1, IPC_NOWAIT]), EAGAIN);
    assert.deepEqual(valuesOf(kernel, id, 3), [0, 2, 0], "nothing of it was done");
    assert.equal(semop(kernel, id, [0, 1], [0, -1], [0, 0]), 0, "each sees what those before it did");
    assert.equal(semop(kernel, id, [0, 1], [0, 0, IPC_NOWAIT]), EAGAIN);
    assert.deepEqual(valuesOf(kernel, id, 3), [0, 2, 0]);
    const many = Array.from({ length: 500 }, (_, i): Change => [i % 3, 1]);
    assert.equal(semop(kernel, id, ...many), 0);
    assert.deepEqual(valuesOf(kernel, id, 3), [167, 169, 166]);
  });

  test("semop finds what is wrong in Linux's order, and has changed nothing", () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    const id = newSet(kernel, VALUE_MAX, 1);
    assert.equal(sys.semop(-1, BAD, 501), E2BIG);
    assert.equal(sys.semop(-1, BAD, -1), E2BIG, "a count is unsigned");
    assert.equal(sys.semop(-1, BAD, 0), EINVAL);
    assert.equal(sys.semop(-1, BAD, 1), EFAULT);
    assert.equal(sys.semop(id, 0, 1), EFAULT);
    placeOperations(kernel, [[2, -1]]);
    assert.equal(sys.semop(-1, OPERATIONS, 1), EINVAL);
    assert.equal(sys.semop(id + 1, OPERATIONS, 1), EINVAL);
    assert.equal(sys.semop(id, OPERATIONS, 1), EFBIG);
    assert.equal(
      asUser(kernel, () => semop(kernel, id, [2, -1])),
      EFBIG,
      "before who asks",
    );
    assert.equal(
      asUser(kernel, () => semop(kernel, id, [1, -1])),
      EACCES,
    );
    assert.equal(semop(kernel, id, [1, -1], [0, 1]), ERANGE);
    assert.equal(semop(kernel, id, [1, -1], [0, -1, SEM_UNDO], [0, 1]), 0);
    assert.deepEqual(valuesOf(kernel, id, 2), [VALUE_MAX, 0]);
    assert.equal(semop(kernel, id, [0, -VALUE_MAX, SEM_UNDO]), ERANGE, "more than can be undone");
    assert.deepEqual(valuesOf(kernel, id, 2), [VALUE_MAX, 0]);
  });

  test("semtimedop gives up after its time, and says which time is none", () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    const id = newSet(kernel, 0);
    assert.equal(semtimedop(kernel, id, 0, [0, -1]), EAGAIN);
    const begun = performance.now();
    assert.equal(semtimedop(kernel, id, 30, [0, -1]), EAGAIN);
    assert.ok(performance.now() - begun >= 29);
    assert.equal(semtimedop(kernel, id, 0, [0, 0]), 0, "what can be done is done");
    assert.equal(sys.semtimedop(id, OPERATIONS, 1, BAD), EFAULT);
    assert.equal(sys.semtimedop(id, OPERATIONS, 501, BAD), EFAULT, "the time is read first");
    assert.equal(semtimedop(kernel, id, -1000, [0, 0]), EINVAL);
    new DataView(kernel.memory.buffer).setBigInt64(TIME, 0n, true);
    new DataView(kernel.memory.buffer).setBigInt64(TIME + 8, 1_000_000_000n, true);
    assert.equal(sys.semtimedop(id, OPERATIONS, 1, TIME), EINVAL);
    assert.equal(sys.semtimedop(id, OPERATIONS, 1, 0), 0, "without a time as semop");
    assert.equal(sys.semctl(id, 0, GETNCNT, 0), 0);
  });

  test("who waits gets what it waits for before anybody who comes later", async () => {
    const kernel = world.createKernel();
    const id = newSet(kernel, 0);
    const task = await asleep(kernel, id, [0, -1]);
    assert.equal(kernel.sys.semctl(id, 0, GETNCNT, 0), 1);
    assert.equal(semop(kernel, id, [0, 1]), 0);
    assert.equal(semop(kernel, id, [0, -1, IPC_NOWAIT]), EAGAIN, "it was the waiter's as soon as it was there");
    assert.equal(kernel.sys.semctl(id, 0, GETPID, 0), task.pid);
    assert.equal(kernel.sys.semctl(id, 0, GETNCNT, 0), 0);
    assert.equal(await task.result(), 0);
  });

  test("of two who wait the first who can go on goes on, and the other when there is enough", async () => {
    const kernel = world.createKernel();
    const id = newSet(kernel, 0);
    const much = await asleep(kernel, id, [0, -3]);
    const little = await asleep(kernel, id, [0, -1]);
    assert.equal(semop(kernel, id, [0, 1]), 0);
    assert.equal(await little.result(), 0);
    assert.equal(semop(kernel, id, [0, 2]), 0);
    assert.equal(kernel.sys.semctl(id, 0, GETNCNT, 0), 1);
    assert.equal(semop(kernel, id, [0, 1]), 0);
    assert.equal(await much.result(), 0);
    assert.equal(kernel.sys.semctl(id, 0, GETVAL, 0), 0);
  });

  test("who waits for zero goes on before the value is taken on from zero", async () => {
    const kernel = world.createKernel();
    const id = newSet(kernel, 1, 1);
    const zero = await asleep(kernel, id, [0, 0]);
    const both = await asleep(kernel, id, [0, 0], [1, 0]);
    assert.equal(kernel.sys.semctl(id, 0, GETZCNT, 0), 2);
    assert.equal(kernel.sys.semctl(id, 1, GETZCNT, 0), 0);
    assert.equal(semop(kernel, id, [0, -1]), 0);
    assert.equal(semop(kernel, id, [0, 1]), 0);
    assert.equal(await zero.result(), 0);
    assert.equal(kernel.sys.semctl(id, 0, GETZCNT, 0), 0);
    assert.equal(kernel.sys.semctl(id, 1, GETZCNT, 0), 1, "it found the first zero, and waits for the second");
    assert.equal(semop(kernel, id, [0, -1], [1, -1]), 0);
    assert.equal(await both.result(), 0);
  });

  test("one who was woken wakes the next: a chain of tasks goes through at one call", async () => {
    const kernel = world.createKernel();
    const id = newSet(kernel, 0, 0, 0);
    const third = await asleep(kernel, id, [2, -1]);
    const second = await asleep(kernel, id, [1, -1], [2, 1]);
    const first = await asleep(kernel, id, [0, -1], [1, 1]);
    assert.equal(semop(kernel, id, [0, 1]), 0);
    assert.deepEqual(valuesOf(kernel, id, 3), [0, 0, 0], "all of it was done before the call came back");
    assert.deepEqual(await Promise.all([first, second, third].map((task) => task.result())), [0, 0, 0]);
  });

  test("a waiter whose later operation says IPC_NOWAIT is told EAGAIN once it comes to that", async () => {
    const kernel = world.createKernel();
    const id = newSet(kernel, 0, 0);
    const task = await asleep(kernel, id, [0, -1], [1, -1, IPC_NOWAIT]);
    assert.equal(semop(kernel, id, [0, 1]), 0);
    assert.equal(await task.result(), EAGAIN);
    assert.deepEqual(valuesOf(kernel, id, 2), [1, 0]);
  });

  test("a waiter with hundreds of operations waits as one with one does", async () => {
    const kernel = world.createKernel();
    const id = newSet(kernel, 0, 0);
    const task = await asleep(kernel, id, ...Array.from({ length: 500 }, (_, i): Change => [i % 2, -1]));
    assert.equal(semop(kernel, id, [0, 250]), 0);
    assert.equal(kernel.sys.semctl(id, 1, GETNCNT, 0), 1, "now it waits for the other");
    assert.equal(semop(kernel, id, [1, 250]), 0);
    assert.equal(await task.result(), 0);
    assert.deepEqual(valuesOf(kernel, id, 2), [0, 0]);
  });

  test("SETVAL and SETALL let go on whoever can", async () => {
    const kernel = world.createKernel();
    const id = newSet(kernel, 0, 0);
    const one = await asleep(kernel, id, [0, -1]);
    assert.equal(kernel.sys.semctl(id, 0, SETVAL, 2), 0);
    assert.equal(await one.result(), 0);
    const both = await asleep(kernel, id, [0, -2], [1, -3]);
    new DataView(kernel.memory.buffer).setUint32(STATUS, 2 | (3 << 16), true);
    assert.equal(kernel.sys.semctl(id, 0, SETALL, STATUS), 0);
    assert.equal(await both.result(), 0);
    assert.deepEqual(valuesOf(kernel, id, 2), [0, 0]);
  });

  test("an interrupted waiter is told EINTR and takes nothing, one of a removed set EIDRM", async () => {
    const kernel = world.createKernel();
    const id = newSet(kernel, 0);
    const before = kernel.usage();
    const interrupted = await asleep(kernel, id, [0, -1]);
    assert.ok(kernel.interrupt(interrupted.pid));
    assert.equal(await interrupted.result(), EINTR);
    assert.equal(kernel.sys.semctl(id, 0, GETNCNT, 0), 0);
    assert.equal(semop(kernel, id, [0, 1]), 0);
    assert.equal(semop(kernel, id, [0, -1]), 0);
    const waiters = [await asleep(kernel, id, [0, -1, SEM_UNDO]), await asleep(kernel, id, [0, -1])];
    assert.equal(kernel.sys.semctl(id, 0, IPC_RMID, 0), 0);
    for (const task of waiters) {
      assert.equal(await task.result(), EIDRM);
      await task.exited;
    }
    assert.equal(semop(kernel, id, [0, 1]), EINVAL, "who comes later finds nothing");
    await until(() => kernel.reap() === 0 && kernel.tasks().length === 1, "the tasks to be gone");
    assert.equal(kernel.usage().objects, before.objects - 1);
    assert.ok(kernel.usage().freeLines > before.freeLines, "the set, and what would have been undone");
  });

  test("what a task did with SEM_UNDO is undone when it is killed, and who waits for it gets it", async () => {
    const kernel = world.createKernel();
    const id = newSet(kernel, 1, 0, 5);
    const holder = await world.startTask(kernel, "operateAndHold", {
      id,
      changes: [
        [0, -1, SEM_UNDO],
        [1, 3, SEM_UNDO],
        [2, -5],
      ],
    });
    assert.equal(await holder.report(), 0);
    assert.equal(semop(kernel, id, [1, -2]), 0, "some of what it gave is used");
    const task = await asleep(kernel, id, [0, -1]);
    const killed = performance.now();
    holder.kill();
    assert.equal(await task.result(), 0);
    assert.ok(performance.now() - killed < NOTICED_MS_MAX);
    assert.deepEqual(valuesOf(kernel, id, 3), [0, 0, 0], "a value is not undone below zero");
    assert.equal(kernel.sys.semctl(id, 1, GETPID, 0), holder.pid);
  });

  test("a task that leaves in good order undoes at once; SETVAL before it makes undone what is to be undone", async () => {
    const kernel = world.createKernel();
    const id = newSet(kernel, 2, 2);
    const usage = kernel.usage();
    const changes: Change[] = [
      [0, -1, SEM_UNDO],
      [1, -1, SEM_UNDO],
    ];
    const task = await world.startTask(kernel, "operateAndHold", { id, changes });
    assert.equal(await task.report(), 0);
    assert.equal(kernel.sys.semctl(id, 0, SETVAL, 7), 0);
    task.send("end");
    await task.exited;
    await until(() => valuesOf(kernel, id, 2)[1] === 2, "the task to have left");
    assert.deepEqual(valuesOf(kernel, id, 2), [7, 2]);
    assert.deepEqual(kernel.usage().freeLines, usage.freeLines, "its adjustments are gone");
  });

  test("a waiter that is killed keeps nothing of what is given for it meanwhile", async () => {
    const kernel = world.createKernel();
    const id = newSet(kernel, 0);
    const task = await asleep(kernel, id, [0, -1]);
    task.kill();
    await task.exited;
    assert.equal(semop(kernel, id, [0, 1]), 0);
    assert.equal(semtimedop(kernel, id, NOTICED_MS_MAX, [0, -1]), 0);
  });

  test("semctl reads and sets values, and says what is wrong in Linux's order", () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    const id = newSet(kernel, 4, 5);
    assert.equal(sys.semctl(id, 1, GETVAL, 0), 5);
    assert.equal(sys.semctl(id, 1, GETPID, 0), kernel.pid);
    for (const command of [GETVAL, GETPID, GETNCNT, GETZCNT]) {
      assert.equal(sys.semctl(id, 2, command, 0), EINVAL);
      assert.equal(sys.semctl(id, -1, command, 0), EINVAL);
    }
    assert.equal(sys.semctl(-1, 9, SETVAL, -1), EINVAL);
    assert.equal(sys.semctl(id, 9, SETVAL, -1), ERANGE);
    assert.equal(sys.semctl(id, 9, SETVAL, VALUE_MAX + 1), ERANGE);
    assert.equal(sys.semctl(id, 9, SETVAL, 1), EINVAL);
    assert.equal(sys.semctl(id, 0, GETALL, BAD), EFAULT);
    assert.equal(sys.semctl(id, 0, SETALL, BAD), EFAULT);
    new DataView(kernel.memory.buffer).setUint32(STATUS, (1 << 16) | 0x8000, true);
    assert.equal(sys.semctl(id, 0, SETALL, STATUS), ERANGE);
    assert.deepEqual(valuesOf(kernel, id, 2), [4, 5]);
    for (const command of [-1, 4, 10, 21, 256 | GETVAL]) assert.equal(sys.semctl(id, 0, command, STATUS), EINVAL);
    asUser(kernel, () => {
      assert.equal(sys.semctl(id, 9, GETVAL, 0), EACCES);
      assert.equal(sys.semctl(id, 0, GETALL, BAD), EACCES);
      assert.equal(sys.semctl(id, 9, SETVAL, 1), EINVAL, "SETVAL looks at the number first");
      assert.equal(sys.semctl(id, 0, SETVAL, 1), EACCES);
      assert.equal(sys.semctl(id, 0, IPC_STAT, BAD), EACCES);
      assert.equal(sys.semctl(id, 0, IPC_SET, BAD), EFAULT);
      assert.equal(sys.semctl(id, 0, IPC_RMID, 0), EPERM);
    });
  });

  test("semctl tells of a set as a whole: struct semid_ds, by its id and by its place", () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    const id = sys.semget(KEY, 3, IPC_CREAT | 0o600);
    const fresh = statusOf(kernel, id);
    const { changed } = fresh;
    assert.deepEqual(fresh, { key: KEY, uid: fresh.uid, mode: 0o600, operated: 0n, changed, count: 3n });
    assert.ok(changed > 0n);
    assert.equal(semop(kernel, id, [0, 0]), 0);
    assert.ok(statusOf(kernel, id).operated > 0n);
    const place = sys.semctl(0, 0, SEM_INFO, STATUS);
    assert.equal(sys.semctl(place, 0, SEM_STAT, STATUS), id);
    assert.equal(sys.semctl(place, 0, SEM_STAT_ANY, STATUS), id);
    assert.equal(sys.semctl(place + 1, 0, SEM_STAT, STATUS), EINVAL);
    assert.equal(
      asUser(kernel, () => sys.semctl(place, 0, SEM_STAT, STATUS)),
      EACCES,
    );
    assert.equal(
      asUser(kernel, () => sys.semctl(place, 0, SEM_STAT_ANY, STATUS)),
      id,
    );
    assert.equal(sys.semctl(id, 0, IPC_STAT, 0), EFAULT);
  });

  test("IPC_INFO says what may be, SEM_INFO what is", () => {
    const kernel = world.createKernel({ objectsMax: 16 });
    const { sys } = kernel;
    newSet(kernel, 1);
    newSet(kernel, 1, 2, 3);
    const numbers = (): number[] =>
      Array.from({ length: 10 }, (_, i) => new DataView(kernel.memory.buffer, STATUS).getInt32(4 * i, true));
    assert.equal(sys.semctl(0, 0, IPC_INFO, STATUS), 1, "the highest place");
    assert.deepEqual(numbers().slice(1, 2), [16]);
    assert.deepEqual(numbers().slice(4), [32_000, 500, 500, 20, VALUE_MAX, VALUE_MAX]);
    assert.equal(sys.semctl(0, 0, SEM_INFO, STATUS), 1);
    assert.deepEqual(numbers().slice(7), [2, VALUE_MAX, 4]);
    assert.equal(sys.semctl(0, 0, SEM_INFO, BAD), EFAULT);
    assert.equal(sys.semctl(-1, 0, SEM_INFO, STATUS), EINVAL);
  });

  test("IPC_SET gives a set to another user, whom then its mode lets in", () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    const id = newSet(kernel, 1);
    assert.equal(
      asUser(kernel, () => semop(kernel, id, [0, -1])),
      EACCES,
    );
    assert.equal(sys.semctl(id, 0, IPC_STAT, STATUS), 0);
    const view = new DataView(kernel.memory.buffer, STATUS);
    view.setInt32(4, USER, true);
    view.setUint32(20, 0o7600, true);
    assert.equal(sys.semctl(id, 0, IPC_SET, STATUS), 0);
    assert.equal(statusOf(kernel, id).mode, 0o600);
    asUser(kernel, () => {
      assert.equal(semop(kernel, id, [0, -1]), 0);
      assert.equal(sys.semctl(id, 0, IPC_RMID, 0), 0);
    });
  });

  test("tasks that take from and give to the same semaphores at the same time lose and gain nothing", async () => {
    const kernel = world.createKernel();
    const id = newSet(kernel, 2, 1, 0);
    const rounds = 400;
    const tasks = await Promise.all(
      [0, 1, 2].map((seed) => world.startTask(kernel, "takeAndGive", { id, rounds, seed })),
    );
    for (const task of tasks) assert.equal(await task.result(), rounds);
    assert.deepEqual(valuesOf(kernel, id, 3), [2, 1, 0]);
  });

  test("tasks that are killed while they take and give, with SEM_UNDO, leave the values as they were", async () => {
    const kernel = world.createKernel();
    const id = newSet(kernel, 2, 2, 0);
    const before = kernel.usage();
    for (let round = 0; round < 8; round++) await killSome(world, kernel, id);
    assert.deepEqual(valuesOf(kernel, id, 3), [2, 2, 0]);
    assert.deepEqual(kernel.usage(), before);
  });
});

/** Two tasks take and give until they are killed. */
async function killSome(world: TestWorld, kernel: Kernel, id: number): Promise<void> {
  const args = { id, rounds: Number.POSITIVE_INFINITY, seed: 3 };
  const tasks = await Promise.all([
    world.startTask(kernel, "takeAndGive", args),
    world.startTask(kernel, "takeAndGive", args),
  ]);
  for (const task of tasks) {
    await task.report();
    task.kill();
    await task.exited;
  }
  await until(() => kernel.reap() === 0 && kernel.tasks().length === 1, "the tasks to be buried");
}
