// Semaphores, mutexes, read/write locks, condition variables and barriers: sem_overview(7), pthread_mutex_lock(3p),
// pthread_rwlock_rdlock(3p), pthread_cond_wait(3p), pthread_barrier_wait(3p).

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Kernel, LockToken } from "../src/index.ts";
import { ipcError } from "./expectations.ts";
import { overWorlds, type Task, type TestWorld, until, untilAsleep } from "./worlds.ts";

type Token = LockToken<"semaphore" | "mutex" | "rwlock" | "condition" | "barrier">;

/** Another task, which does one step at a time. */
class Other {
  readonly task: Task;
  readonly #kernel: Kernel;

  private constructor(kernel: Kernel, task: Task) {
    this.#kernel = kernel;
    this.task = task;
  }

  static async start(world: TestWorld, kernel: Kernel): Promise<Other> {
    return new Other(kernel, await world.startTask(kernel, "followSteps", undefined));
  }

  get pid(): number {
    return this.task.pid;
  }

  /** Begins a step. */
  begin(token: Token, verb: string, options?: object, mutex?: Token): void {
    this.task.send({ token, verb, options, mutex });
  }

  /** Makes a step and tells what it gave. */
  async does(token: Token, verb: string, options?: object): Promise<unknown> {
    this.begin(token, verb, options);
    return this.task.report();
  }

  /** Begins a step that sleeps. */
  async sleepsIn(token: Token, verb: string, options?: object, mutex?: Token): Promise<void> {
    this.begin(token, verb, options, mutex);
    await untilAsleep(this.#kernel, this.pid);
  }

  said(): Promise<unknown> {
    return this.task.report();
  }

  async dies(): Promise<void> {
    this.task.kill();
    await this.task.exited;
    this.#kernel.reap();
  }
}

overWorlds((world) => {
  const both = async (count = 1): Promise<{ kernel: Kernel; others: Other[]; other: Other }> => {
    const kernel = world.createKernel();
    const others = await Promise.all(Array.from({ length: count }, () => Other.start(world, kernel)));
    return { kernel, others, other: others[0] as Other };
  };

  test("a mutex that is unlocked while another task sleeps for it is that task's", async () => {
    const { kernel, other } = await both();
    using mutex = kernel.mutex();
    const guard = mutex.lockSync();
    await other.sleepsIn(mutex.token, "lockSync");
    guard.unlock();
    assert.equal(mutex.owner, other.pid);
    assert.equal(await other.said(), "locked");
    assert.equal(mutex.owner, other.pid);
  });

  test("a semaphore counts down to 0 and up, and no further", async () => {
    const { kernel } = await both(0);
    using semaphore = kernel.semaphore({ value: 2 });
    assert.equal(semaphore.value, 2);
    assert.deepEqual([semaphore.tryWait(), semaphore.tryWait(), semaphore.tryWait()], [true, true, false]);
    assert.throws(() => semaphore.waitSync({ timeout: 10 }), ipcError("ETIMEDOUT", "sem_wait"));
    await assert.rejects(semaphore.wait({ timeout: 10 }), ipcError("ETIMEDOUT", "sem_wait"));
    semaphore.post();
    assert.equal(semaphore.value, 1);
    using full = kernel.semaphore({ value: 2 ** 31 - 1 });
    assert.throws(() => full.post(), ipcError("EOVERFLOW", "sem_post"));
    assert.throws(() => kernel.semaphore({ value: -1 }), ipcError("EINVAL", "sem_open"));
  });

  for (const form of ["waitSync", "wait"]) {
    test(`a post wakes those who wait for a semaphore, in their order (${form})`, async () => {
      const { kernel, others } = await both(2);
      using semaphore = kernel.semaphore({ name: "s", create: true });
      for (const other of others) await other.sleepsIn(semaphore.token, form);
      for (const other of others) {
        semaphore.post();
        assert.equal(await other.said(), "undefined");
      }
      assert.equal(semaphore.value, 0);
    });
  }

  test("a waiter that is killed takes nothing from a semaphore", async () => {
    const { kernel, others } = await both(2);
    const [first, second] = others as [Other, Other];
    using semaphore = kernel.semaphore();
    await first.sleepsIn(semaphore.token, "waitSync");
    await second.sleepsIn(semaphore.token, "waitSync");
    await first.dies();
    semaphore.post();
    assert.equal(await second.said(), "undefined");
  });

  test("a semaphore limits how many work at once, and lets everybody have a turn", async () => {
    const { kernel } = await both(0);
    using places = kernel.semaphore({ value: 3 });
    let [working, most, done] = [0, 0, 0];
    const work = async (): Promise<void> => {
      await places.wait();
      most = Math.max(most, ++working);
      await new Promise((resolve) => setImmediate(resolve));
      working--;
      done++;
      places.post();
    };
    await Promise.all(Array.from({ length: 20 }, work));
    assert.deepEqual({ most, done, value: places.value }, { most: 3, done: 20, value: 3 });
  });

  test("a producer and a consumer share a ring by two semaphores: one counts what is free, one what is there", async () => {
    const { kernel } = await both(0);
    using empty = kernel.semaphore({ value: 4 });
    using full = kernel.semaphore();
    using segment = kernel.sharedMemory({ bytes: 16 });
    const count = 500;
    const args = { empty: empty.token, full: full.token, segment: segment.token, count };
    const task = await world.startTask(kernel, "produceNumbers", args);
    const slots = segment.view(Int32Array);
    for (let i = 0; i < count; i++) {
      if (i % 2 === 0) full.waitSync();
      else await full.wait();
      assert.equal(slots[i % 4], i + 1);
      empty.post();
    }
    await task.result();
  });

  test("an interrupted wait for a semaphore is EINTR; a lock goes on waiting", async () => {
    const { kernel, other } = await both();
    using semaphore = kernel.semaphore();
    using mutex = kernel.mutex();
    await other.sleepsIn(semaphore.token, "waitSync");
    assert.ok(kernel.interrupt(other.pid));
    assert.equal(await other.said(), "EINTR");
    const guard = mutex.lockSync();
    await other.sleepsIn(mutex.token, "lockSync");
    assert.ok(kernel.interrupt(other.pid));
    await untilAsleep(kernel, other.pid);
    guard.unlock();
    assert.equal(await other.said(), "locked");
  });

  test("a mutex excludes: who comes second waits, a try is refused, and a stranger unlocks nothing", async () => {
    const { kernel, other } = await both();
    using mutex = kernel.mutex();
    {
      using _guard = mutex.lockSync();
      assert.equal(mutex.owner, kernel.pid);
      assert.equal(await other.does(mutex.token, "tryLock"), "undefined");
      assert.equal(await other.does(mutex.token, "unlock"), "EPERM");
      assert.equal(await other.does(mutex.token, "lockSync", { timeout: 10 }), "ETIMEDOUT");
      assert.equal(await other.does(mutex.token, "lock", { timeout: 10 }), "ETIMEDOUT");
      await other.sleepsIn(mutex.token, "lockSync");
    }
    assert.equal(await other.said(), "locked");
    assert.equal(mutex.owner, other.pid);
    assert.equal(mutex.tryLock(), undefined);
    assert.throws(() => mutex.unlock(), ipcError("EPERM", "pthread_mutex_unlock"));
    assert.equal(await other.does(mutex.token, "unlock"), "undefined");
    assert.equal(mutex.owner, 0);
  });

  for (const form of ["sync", "awaited"] as const) {
    test(`tasks that add to a plain word with a mutex locked lose nothing (${form})`, async () => {
      const kernel = world.createKernel();
      using mutex = kernel.mutex();
      using segment = kernel.sharedMemory({ bytes: 4 });
      const count = form === "sync" ? 20_000 : 1000;
      const args = { mutex: mutex.token, segment: segment.token, count, form };
      const tasks = await Promise.all([0, 1, 2].map(() => world.startTask(kernel, "addUnderMutex", args)));
      for (const task of tasks) assert.equal(await task.report(), "open");
      for (const task of tasks) task.send("go");
      for (const task of tasks) await task.result();
      assert.equal(segment.view(Int32Array)[0], 3 * count);
    });
  }

  test("two async functions of one task exclude each other by a normal mutex", async () => {
    const { kernel } = await both(0);
    using mutex = kernel.mutex();
    const order: string[] = [];
    const run = async (name: string): Promise<void> => {
      using _guard = await mutex.lock();
      order.push(`${name} in`);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`${name} out`);
    };
    await Promise.all(["a", "b", "c"].map(run));
    assert.deepEqual(order, ["a in", "a out", "b in", "b out", "c in", "c out"]);
  });

  test("a task that locks an error-checking mutex twice is told EDEADLK; a recursive one counts", async () => {
    const { kernel, other } = await both();
    using checking = kernel.mutex({ type: "error-checking" });
    using _held = checking.lockSync();
    assert.throws(() => checking.lockSync(), ipcError("EDEADLK", "pthread_mutex_lock"));
    await assert.rejects(checking.lock(), ipcError("EDEADLK", "pthread_mutex_lock"));
    assert.equal(checking.tryLock(), undefined);
    using recursive = kernel.mutex({ type: "recursive" });
    recursive.lockSync();
    recursive.lockSync();
    recursive.unlock();
    assert.equal(await other.does(recursive.token, "tryLock"), "undefined", "locked once still");
    recursive.unlock();
    assert.equal(await other.does(recursive.token, "tryLock"), "locked");
  });

  test("the next one after a dead owner gets the mutex with the news, and makes it consistent", async () => {
    const { kernel, others } = await both(3);
    const [first, second, third] = others as [Other, Other, Other];
    using mutex = kernel.mutex();
    assert.equal(await first.does(mutex.token, "lockSync"), "locked");
    await second.sleepsIn(mutex.token, "lockSync");
    await first.dies();
    assert.equal(await second.said(), "owner died");
    assert.equal(await third.does(mutex.token, "markConsistent"), "EINVAL");
    assert.equal(await second.does(mutex.token, "markConsistent"), "undefined");
    assert.equal(await second.does(mutex.token, "unlock"), "undefined");
    assert.equal(await third.does(mutex.token, "lockSync"), "locked");
    assert.equal(await third.does(mutex.token, "markConsistent"), "EINVAL");
  });

  test("a mutex that is unlocked without being made consistent is ENOTRECOVERABLE for all", async () => {
    const { kernel, others } = await both(3);
    const [first, second, third] = others as [Other, Other, Other];
    using mutex = kernel.mutex();
    await first.does(mutex.token, "lockSync");
    await first.dies();
    assert.equal(await second.does(mutex.token, "tryLock"), "owner died");
    await third.sleepsIn(mutex.token, "lock");
    assert.equal(await second.does(mutex.token, "unlock"), "undefined");
    assert.equal(await third.said(), "ENOTRECOVERABLE");
    assert.throws(() => mutex.tryLock(), ipcError("ENOTRECOVERABLE", "pthread_mutex_trylock"));
  });

  test("a task that leaves the kernel with a mutex held has died, for the mutex", async () => {
    const { kernel, other } = await both();
    using mutex = kernel.mutex();
    await other.does(mutex.token, "lockSync");
    other.task.send("end");
    await other.task.result();
    await other.task.exited;
    kernel.reap();
    assert.ok(mutex.lockSync().ownerDied);
  });

  test("many read at once, and who writes is alone", async () => {
    const { kernel, others } = await both(2);
    const [first, second] = others as [Other, Other];
    using lock = kernel.rwlock();
    const own = lock.readLockSync();
    assert.equal(await first.does(lock.token, "readLockSync"), "locked");
    assert.equal(lock.readers, 2);
    assert.equal(await second.does(lock.token, "tryWriteLock"), "undefined");
    await second.sleepsIn(lock.token, "writeLockSync");
    own.unlock();
    assert.equal(await first.does(lock.token, "unlock"), "undefined");
    assert.equal(await second.said(), "locked");
    assert.deepEqual([lock.writer, lock.readers], [second.pid, 0]);
    assert.equal(lock.tryReadLock(), undefined);
    assert.throws(() => lock.unlock(), ipcError("EPERM", "pthread_rwlock_unlock"));
    assert.equal(await second.does(lock.token, "readLockSync"), "EDEADLK");
    await first.sleepsIn(lock.token, "readLock");
    assert.equal(await second.does(lock.token, "unlock"), "undefined");
    assert.equal(await first.said(), "locked");
  });

  test("a writer that waits is not starved: readers that come later wait, save one that reads already", async () => {
    const { kernel, others } = await both(3);
    const [writer, reader, late] = others as [Other, Other, Other];
    using lock = kernel.rwlock();
    assert.equal(await reader.does(lock.token, "readLockSync"), "locked");
    await writer.sleepsIn(lock.token, "writeLockSync");
    assert.equal(lock.tryReadLock(), undefined);
    await late.sleepsIn(lock.token, "readLockSync");
    assert.equal(await reader.does(lock.token, "readLockSync"), "locked", "once more");
    await reader.does(lock.token, "unlock");
    await reader.does(lock.token, "unlock");
    assert.equal(await writer.said(), "locked");
    await writer.does(lock.token, "unlock");
    assert.equal(await late.said(), "locked");
  });

  for (const end of ["gives up", "is killed"]) {
    test(`readers that wait for a writer go on when it ${end}`, async () => {
      const { kernel, others } = await both(3);
      const [writer, reader, holder] = others as [Other, Other, Other];
      using lock = kernel.rwlock();
      assert.equal(await holder.does(lock.token, "readLockSync"), "locked");
      if (end === "gives up") await writer.sleepsIn(lock.token, "writeLockSync", { timeout: 3000 });
      else await writer.sleepsIn(lock.token, "writeLockSync");
      await reader.sleepsIn(lock.token, "readLockSync");
      if (end === "gives up") assert.equal(await writer.said(), "ETIMEDOUT");
      else await writer.dies();
      assert.equal(await reader.said(), "locked");
    });
  }

  for (const way of ["readLockSync", "writeLockSync"]) {
    test(`what a dead task held by ${way} goes to the next`, async () => {
      const { kernel, others } = await both(2);
      const [first, second] = others as [Other, Other];
      using lock = kernel.rwlock();
      assert.equal(await first.does(lock.token, way), "locked");
      await second.sleepsIn(lock.token, "writeLockSync");
      await first.dies();
      assert.equal(await second.said(), "locked");
    });
  }

  for (const form of ["waitSync", "wait"]) {
    test(`a signal wakes one that waits for a condition, a broadcast all, with the mutex locked (${form})`, async () => {
      const { kernel, others } = await both(3);
      using condition = kernel.condition();
      using mutex = kernel.mutex();
      for (const other of others) {
        assert.equal(await other.does(mutex.token, "lockSync"), "locked");
        await other.sleepsIn(condition.token, form, undefined, mutex.token);
      }
      const [first, ...rest] = others as [Other, ...Other[]];
      condition.signal();
      assert.equal(await first.said(), "locked");
      assert.equal(mutex.owner, first.pid);
      condition.broadcast();
      await first.does(mutex.token, "unlock");
      const owners = new Set<number>();
      for (let i = 0; i < rest.length; i++) {
        await until(() => mutex.owner !== 0, "the next to lock it");
        const owner = rest.find(({ pid }) => pid === mutex.owner) as Other;
        assert.equal(await owner.said(), "locked");
        owners.add(owner.pid);
        await owner.does(mutex.token, "unlock");
      }
      assert.equal(owners.size, 2);
    });
  }

  test("a wait for a condition that fails has locked the mutex again", async () => {
    const { kernel, other } = await both();
    using condition = kernel.condition();
    using mutex = kernel.mutex();
    await assert.rejects(condition.wait(mutex), ipcError("EPERM", "pthread_cond_wait"));
    using _guard = mutex.lockSync();
    assert.throws(() => condition.waitSync(mutex, { timeout: 10 }), ipcError("ETIMEDOUT", "pthread_cond_wait"));
    assert.equal(mutex.owner, kernel.pid);
    await assert.rejects(condition.wait(mutex, { timeout: 10 }), ipcError("ETIMEDOUT", "pthread_cond_wait"));
    const abort = new AbortController();
    const aborted = condition.wait(mutex, { signal: abort.signal });
    const wait = assert.rejects(aborted, (reason) => reason === "enough");
    assert.equal(await other.does(mutex.token, "tryLock"), "locked", "it is unlocked meanwhile");
    abort.abort("enough");
    await other.does(mutex.token, "unlock");
    await wait;
    assert.equal(mutex.owner, kernel.pid);
  });

  for (const form of ["waitSync", "wait"]) {
    test(`a wait for a condition whose time passes brings the news that the mutex's owner has died (${form})`, async () => {
      const { kernel, others } = await both(2);
      const [waiter, owner] = others as [Other, Other];
      using condition = kernel.condition();
      using mutex = kernel.mutex();
      await waiter.does(mutex.token, "lockSync");
      await owner.sleepsIn(mutex.token, "lockSync");
      waiter.begin(condition.token, form, { timeout: 500 }, mutex.token);
      assert.equal(await owner.said(), "locked");
      await owner.dies();
      assert.equal(await waiter.said(), "owner died", "as pthread_cond_timedwait says EOWNERDEAD, not ETIMEDOUT");
      assert.equal(await waiter.does(mutex.token, "markConsistent"), "undefined");
    });
  }

  test("a task that is killed while it waits for a condition takes no signal", async () => {
    const { kernel, others } = await both(2);
    const [first, second] = others as [Other, Other];
    using condition = kernel.condition();
    using mutex = kernel.mutex();
    for (const other of others) {
      await other.does(mutex.token, "lockSync");
      await other.sleepsIn(condition.token, "waitSync", undefined, mutex.token);
    }
    await first.dies();
    condition.signal();
    assert.equal(await second.said(), "locked");
  });

  test("a barrier opens for as many as it was made for, with one leader, again and again", async () => {
    const { kernel, others } = await both(2);
    using barrier = kernel.barrier({ parties: 3 });
    for (let round = 0; round < 3; round++) {
      for (const other of others) await other.sleepsIn(barrier.token, round === 1 ? "wait" : "waitSync");
      assert.equal(barrier.waiting, 2);
      assert.equal(round === 2 ? await barrier.wait() : barrier.waitSync(), true);
      for (const other of others) assert.equal(await other.said(), "false");
    }
  });

  test("who gives up, or dies, has not come to the barrier", async () => {
    const { kernel, others } = await both(2);
    const [first, second] = others as [Other, Other];
    using barrier = kernel.barrier({ parties: 2 });
    assert.throws(() => barrier.waitSync({ timeout: 10 }), ipcError("ETIMEDOUT", "pthread_barrier_wait"));
    await first.sleepsIn(barrier.token, "waitSync");
    await first.dies();
    assert.equal(barrier.waiting, 0);
    await second.sleepsIn(barrier.token, "waitSync");
    assert.equal(barrier.waitSync(), true);
    assert.equal(await second.said(), "false");
    const abort = new AbortController();
    const wait = barrier.wait({ signal: abort.signal });
    assert.equal(barrier.waitSync(), true, "it opens for the one that awaits");
    abort.abort(1);
    assert.equal(await wait, false, "one that has come cannot give up");
    const another = barrier.wait({ signal: AbortSignal.timeout(5) });
    await assert.rejects(another, { name: "TimeoutError" });
    assert.equal(barrier.waiting, 0);
    using alone = kernel.barrier({ parties: 1 });
    assert.equal(await alone.wait(), true);
    assert.throws(() => kernel.barrier({ parties: 0 }), ipcError("EINVAL", "pthread_barrier_init"));
  });

  test("names lead to the same lock, each kind has its own, and unlinking leaves what is open", () => {
    const kernel = world.createKernel();
    const mutex = kernel.mutex({ name: "x", create: true });
    using semaphore = kernel.semaphore({ name: "x", create: true, value: 3 });
    using same = kernel.mutex({ name: "x" });
    using _guard = mutex.lockSync();
    assert.equal(same.owner, kernel.pid);
    assert.equal(semaphore.value, 3);
    assert.throws(
      () => kernel.mutex({ name: "x", create: true, exclusive: true }),
      ipcError("EEXIST", "pthread_mutex_init"),
    );
    assert.throws(() => kernel.rwlock({ name: "x" }), ipcError("ENOENT", "pthread_rwlock_init"));
    kernel.unlinkMutex("x");
    assert.throws(() => kernel.mutex({ name: "x" }), ipcError("ENOENT", "pthread_mutex_init"));
    assert.equal(mutex.owner, kernel.pid);
    kernel.unlinkSemaphore("x");
    assert.throws(() => kernel.unlinkSemaphore("x"), ipcError("ENOENT", "sem_unlink"));
  });

  test("a semaphore's value is looked at where it is made, and its name is its owner's to remove", (t) => {
    const kernel = world.createKernel();
    const tooLarge = { name: "s", create: true, value: 2 ** 31 };
    assert.throws(() => kernel.semaphore(tooLarge), ipcError("EINVAL", "sem_open"));
    using made = kernel.semaphore({ name: "s", create: true, value: 1, mode: 0o666 });
    using same = kernel.semaphore(tooLarge);
    assert.deepEqual([made.value, same.value], [1, 1]);
    if (kernel.sys.geteuid() !== 0) return t.skip("only user 0 becomes another");
    assert.equal(kernel.sys.setresuid(1000, 1000, 1000), 0);
    assert.throws(() => kernel.unlinkSemaphore("s"), ipcError("EACCES", "sem_unlink"));
  });

  test("a closed lock is a TypeError, and its waits are EBADF", async () => {
    const { kernel } = await both(0);
    const semaphore = kernel.semaphore();
    const waiting = assert.rejects(semaphore.wait(), ipcError("EBADF", "sem_wait"));
    semaphore.close();
    await waiting;
    assert.throws(() => semaphore.post(), TypeError);
    assert.throws(() => kernel.mutex({ type: "fair" as "normal" }), TypeError);
  });

  test("tasks that wait for each other's locks are named, and one that asks is refused instead", async () => {
    const { kernel, others } = await both(2);
    const [first, second] = others as [Other, Other];
    using mutex = kernel.mutex({ name: "m", create: true });
    using lock = kernel.rwlock();
    using own = kernel.mutex();
    await first.does(mutex.token, "lockSync");
    await second.does(lock.token, "readLockSync");
    using _guard = own.lockSync();
    await first.sleepsIn(lock.token, "writeLock");
    assert.deepEqual(kernel.deadlocks(), []);
    assert.equal(await second.does(mutex.token, "lockSync", { refuseDeadlock: true }), "EDEADLK");
    await second.sleepsIn(mutex.token, "lock");
    const cycle = [
      { pid: first.pid, lock: "rwlock", name: undefined, heldBy: second.pid },
      { pid: second.pid, lock: "mutex", name: "m", heldBy: first.pid },
    ];
    assert.deepEqual(kernel.deadlocks(), [cycle.sort((one, other) => one.pid - other.pid)]);
    await second.dies();
    assert.equal(await first.said(), "locked");
    assert.deepEqual(kernel.deadlocks(), []);
  });

  test("of two that would close a circle together one is refused, and the other goes on", async () => {
    const kernel = world.createKernel();
    for (const name of ["a", "b"]) kernel.mutex({ name, create: true });
    kernel.barrier({ name: "start", create: true, parties: 2 });
    const rounds = 50;
    const pairs = [["a", "b"] as const, ["b", "a"] as const];
    const tasks = await Promise.all(pairs.map((names) => world.startTask(kernel, "raceForLocks", { names, rounds })));
    const [first, second] = (await Promise.all(tasks.map((task) => task.result()))) as { refused: number[] }[];
    const all = [...(first?.refused ?? []), ...(second?.refused ?? [])].sort((one, other) => one - other);
    assert.deepEqual(
      all,
      Array.from({ length: rounds }, (_, round) => round),
      "one in each round",
    );
  });

  test("each circle is named, though two share a task; a promise that waits for its own task is none", async () => {
    const { kernel, others } = await both(2);
    const [first, second] = others as [Other, Other];
    using lock = kernel.rwlock();
    using mutex = kernel.mutex();
    const guard = mutex.lockSync();
    for (const other of others) {
      await other.does(lock.token, "readLockSync");
      await other.sleepsIn(mutex.token, "lockSync");
    }
    const ours = new AbortController();
    const write = lock.writeLock({ signal: ours.signal });
    const cycles = kernel.deadlocks();
    const pids = cycles.map((cycle) => cycle.map(({ pid }) => pid));
    assert.deepEqual(pids.sort(), [first.pid, second.pid].map((pid) => [kernel.pid, pid]).sort());
    await assert.rejects(lock.writeLock({ refuseDeadlock: true }), ipcError("EDEADLK", "pthread_rwlock_wrlock"));
    assert.throws(() => lock.writeLockSync({ refuseDeadlock: true }), ipcError("EDEADLK", "pthread_rwlock_wrlock"));
    ours.abort(1);
    await assert.rejects(write);
    const again = mutex.lock({ refuseDeadlock: true }).then((last) => last.unlock()); // whoever is quickest gets it
    assert.deepEqual(kernel.deadlocks(), []);
    guard.unlock();
    for (const other of others) {
      assert.equal(await other.said(), "locked");
      await other.does(mutex.token, "unlock");
    }
    await again;
  });
});
