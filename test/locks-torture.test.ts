// Tasks that are killed while they lock and unlock, whatever they are at: nobody is stuck, and no two hold a mutex at once.

import assert from "node:assert/strict";
import { test } from "node:test";
import { overWorlds, type Task, until } from "./worlds.ts";

const KILLS = 15;

overWorlds((world) => {
  test("tasks that are killed at any instruction of locking and unlocking stop nobody", async () => {
    const kernel = world.createKernel();
    using mutex = kernel.mutex();
    using rwlock = kernel.rwlock();
    using segment = kernel.sharedMemory({ bytes: 12 });
    const words = segment.view(Int32Array);
    const args = { mutex: mutex.token, rwlock: rwlock.token, segment: segment.token };
    const start = async (): Promise<Task> => {
      const task = await world.startTask(kernel, "tortureLocks", args);
      assert.equal(await task.report(), "open");
      return task;
    };
    const tasks = [await start(), await start()];
    for (let kill = 0; kill < KILLS; kill++) {
      const turns = Atomics.load(words, 2);
      await until(() => Atomics.load(words, 2) > turns + 100, "the others to go on");
      const [victim] = tasks.splice(kill % 2, 1, await start());
      victim?.kill();
      await victim?.exited;
    }
    for (const task of tasks) {
      task.kill();
      await task.exited;
    }
    kernel.reap();
    using guard = mutex.lockSync({ timeout: 1000 });
    if (!guard.ownerDied) assert.equal(words[0], words[1]);
    rwlock.writeLockSync({ timeout: 1000 }).unlock();
  });
});
