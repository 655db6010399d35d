// Shared memory segments between tasks, by the handles of the API.

import assert from "node:assert/strict";
import { test } from "node:test";
import { runScript } from "./child-script.ts";
import { bytes, ipcError, text } from "./expectations.ts";
import { inWorld, overWorlds, until } from "./worlds.ts";

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

  test("a view lies in the segment, aligned as its type wants, or is a RangeError", () => {
    const kernel = world.createKernel();
    using segment = kernel.sharedMemory({ bytes: 10 });
    assert.equal(segment.view(Int32Array).length, 2, "as many as there is room for");
    assert.equal(segment.view(Uint8Array, 10).length, 0);
    segment.view(Uint16Array, 8)[0] = 0x0201;
    assert.deepEqual([...segment.bytes.subarray(8)], [1, 2]);
    for (const [at, length] of [
      [-4, undefined],
      [12, undefined],
      [0, 3],
      [0, -1],
      [1, 1],
      [Number.NaN, 1],
    ] as const) {
      assert.throws(() => segment.view(Int32Array, at, length), RangeError, `${at}, ${length}`);
    }
  });

  test("a segment for reading alone says so, and shows what others write", () => {
    const kernel = world.createKernel();
    using writer = kernel.sharedMemory({ bytes: 16 });
    using reader = kernel.openToken(writer.token, { readOnly: true });
    assert.deepEqual([writer.readOnly, reader.readOnly], [false, true]);
    writer.bytes[15] = 8;
    assert.equal(reader.bytes[15], 8);
  });
});

inWorld("threads", (world) => {
  test("between threads the views lie over the region's SharedArrayBuffer", () => {
    const kernel = world.createKernel();
    using segment = kernel.sharedMemory({ bytes: 16 });
    assert.ok(segment.bytes.buffer instanceof SharedArrayBuffer);
    assert.equal(segment.bytes.byteOffset, segment.offset);
  });
});

inWorld("processes", (world) => {
  test("between processes a segment's buffer is its own pages, and not the region", () => {
    const kernel = world.createKernel();
    using segment = kernel.sharedMemory({ bytes: 5000 });
    assert.equal(segment.bytes.byteOffset, 0);
    assert.equal(segment.bytes.buffer.byteLength, 8192);
  });

  test("between processes a view that is left after the detach shows zeros, and harms nobody", () => {
    const kernel = world.createKernel();
    const segment = kernel.sharedMemory({ bytes: 16 });
    using other = kernel.openToken(segment.token);
    const left = segment.bytes;
    left.fill(7);
    segment.close();
    assert.ok(left.every((byte) => byte === 0));
    left.fill(9);
    assert.ok(other.bytes.every((byte) => byte === 7));
  });

  test("between processes a write to a segment for reading alone is a SIGSEGV, and changes nothing", async () => {
    const kernel = world.createKernel();
    using segment = kernel.sharedMemory({ name: "guarded", create: true, bytes: 16 });
    segment.bytes.fill(7);
    const { signal, stdout } = await runScript(`
      const kernel = ipc.Kernel.attach(${JSON.stringify(kernel.handle)});
      const segment = kernel.sharedMemory({ name: "guarded", readOnly: true });
      await new Promise((resolve) => process.stdout.write("read " + segment.bytes[3], resolve));
      segment.bytes[3] = 9;
      process.stdout.write("; written");
    `);
    assert.deepEqual({ signal, stdout }, { signal: "SIGSEGV", stdout: "read 7" });
    assert.ok(segment.bytes.every((byte) => byte === 7));
    kernel.reap();
    assert.deepEqual(segment.attachedTasks, [kernel.pid]);
  });
});
