// Shared memory segments between tasks, by the handles of the API.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, ipcError, text } from "./expectations.ts";
import { overWorlds, until } from "./worlds.ts";

overWorlds((world) => {
  test("a segment that two tasks attach and detach is gone with the last", async () => {
    const kernel = world.createKernel();
    const before = kernel.usage();
    const segment = kernel.sharedMemory({ bytes: 4096 });
    const { token } = segment;
    const task = await world.startTask(kernel, "attachSegment", { segment: token });
    assert.deepEqual(await task.report(), [kernel.pid, task.pid]);
    segment.bytes.set(bytes("hello"));
    segment.close();
    assert.equal(kernel.usage().objects, before.objects + 1, "the second task still has it");
    task.send("detach");
    assert.equal(((await task.result()) as { read: string }).read, "hello");
    await until(() => kernel.usage().objects === before.objects, "the last detach");
    assert.equal(kernel.usage().freeLines, before.freeLines);
    assert.throws(() => kernel.openToken(token), ipcError("ENOENT", "shmget"));
  });

  test("what one task stores in a segment, another sees in the same place", async () => {
    const kernel = world.createKernel();
    using reader = kernel.sharedMemory({ bytes: 4096 });
    const writer = await world.startTask(kernel, "attachSegment", { segment: reader.token });
    await writer.report();
    writer.send(bytes("five!"));
    assert.equal(await writer.report(), "written");
    assert.equal(text(reader.bytes.slice(0, 5)), "five!");
  });

  test("two tasks work on one data structure in shared memory, and none of their changes is lost", async () => {
    const kernel = world.createKernel();
    using segment = kernel.sharedMemory({ bytes: 8 });
    const args = { segment: segment.token, times: 20_000 };
    const tasks = [
      await world.startTask(kernel, "addInSegment", args),
      await world.startTask(kernel, "addInSegment", args),
    ];
    for (const task of tasks) await task.result();
    assert.equal(segment.view(Int32Array)[0], 40_000);
  });

  test("a segment begins at the same physical address for every task that has it", async () => {
    const kernel = world.createKernel();
    using segment = kernel.sharedMemory({ bytes: 100 });
    const task = await world.startTask(kernel, "attachSegment", { segment: segment.token });
    task.send("detach");
    assert.equal(((await task.result()) as { offset: number }).offset, segment.offset);
    assert.equal(segment.offset % 4096, 0);
  });

  test("a segment may have any size, and its bytes are zeros at first", () => {
    const kernel = world.createKernel();
    for (const size of [1, 7, 4095, 4096, 4097, 1_000_003]) {
      using segment = kernel.sharedMemory({ bytes: size });
      assert.equal(segment.byteLength, size);
      assert.equal(segment.bytes.length, size);
      assert.ok(segment.bytes.every((byte) => byte === 0));
      segment.bytes.fill(255);
    }
  });

  test("a segment knows which tasks have it attached, each as often as it has", async () => {
    const kernel = world.createKernel();
    using segment = kernel.sharedMemory({ bytes: 4096 });
    assert.deepEqual(segment.attachedTasks, [kernel.pid]);
    const task = await world.startTask(kernel, "attachSegment", { segment: segment.token });
    await task.report();
    using again = kernel.openToken(segment.token);
    assert.deepEqual(again.attachedTasks.toSorted(), [kernel.pid, kernel.pid, task.pid].toSorted());
    task.send("detach");
    await task.result();
    assert.deepEqual(segment.attachedTasks, [kernel.pid, kernel.pid]);
  });

  test("a segment's references count its attachments: its memory is freed by the last detach, not before", () => {
    const kernel = world.createKernel();
    const before = kernel.usage();
    const first = kernel.sharedMemory({ name: "counted", create: true, bytes: 10_000 });
    const second = kernel.sharedMemory({ name: "counted" });
    kernel.unlinkSharedMemory("counted");
    first.close();
    assert.equal(kernel.usage().objects, before.objects + 1);
    second.bytes[9_999] = 1;
    second.close();
    assert.deepEqual(kernel.usage(), before);
  });

  test("a task that is killed is detached, and the segment goes if it was the last", async () => {
    const kernel = world.createKernel();
    const before = kernel.usage();
    const segment = kernel.sharedMemory({ bytes: 4096 });
    const task = await world.startTask(kernel, "attachSegment", { segment: segment.token });
    await task.report();
    segment.close();
    task.kill();
    await task.exited;
    await until(() => kernel.reap() > 0 || kernel.usage().objects === before.objects, "the burial");
    assert.equal(kernel.usage().objects, before.objects);
    assert.equal(kernel.usage().freeLines, before.freeLines);
  });

  test("a detached segment is not to be touched: its handle refuses with a TypeError", () => {
    const kernel = world.createKernel();
    const segment = kernel.sharedMemory({ bytes: 16 });
    segment.close();
    segment.close();
    assert.throws(() => segment.bytes, TypeError);
    assert.throws(() => segment.view(Int32Array), TypeError);
  });

  test("a large block of data passes from task to task through shared memory", async () => {
    const kernel = world.createKernel();
    using segment = kernel.sharedMemory({ bytes: 4 * 1024 * 1024 });
    const writer = await world.startTask(kernel, "attachSegment", { segment: segment.token });
    await writer.report();
    writer.send(new Uint8Array(segment.byteLength).fill(7));
    assert.equal(await writer.report(), "written");
    assert.ok(segment.bytes.every((byte) => byte === 7));
  });
});
