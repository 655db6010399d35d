// The mission's Rust examples, and what it promises of queues, pipes and shared memory where no other test says it.
// docs/fangaos-map.md says which test stands for which of its sentences.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, ipcError, text } from "./expectations.ts";
import { bounded, overWorlds, until } from "./worlds.ts";

overWorlds((world) => {
  test("the mission's message queue example: a queue of ten, a message that is sent, and one that is received", () => {
    const kernel = world.createKernel();
    using queue = kernel.queue({ depth: 10 });
    queue.sendSync(bytes("a message"), bounded);
    const message = queue.tryReceive();
    assert.equal(message && text(message.data), "a message");
    assert.equal(message?.sender, kernel.pid);
    assert.equal(queue.tryReceive(), undefined);
  });

  test("the mission's pipe example: a reader and a writer are there, and what is written is read", () => {
    const kernel = world.createKernel();
    const { reader, writer } = kernel.pipe();
    const written = writer.writeSync(bytes("Hello, pipe!"), bounded);
    const buffer = new Uint8Array(32);
    const read = reader.readSync(buffer, bounded);
    assert.equal(read, written);
    assert.equal(text(buffer.subarray(0, read)), "Hello, pipe!");
  });

  test("the mission's shared memory example: two tasks attach a segment, detach it, and with the last it is gone", async () => {
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
    assert.throws(() => kernel.openToken(token), ipcError("ENOENT", "open"));
  });

  test("the mission's producer and consumer with a pipe: the consumer gets the bytes, and only those", async () => {
    const kernel = world.createKernel();
    const { reader, writer } = kernel.pipe();
    const producer = await world.startTask(kernel, "write", {
      writer: writer.token,
      data: bytes("Hello from producer!"),
      form: "sync",
    });
    const buffer = new Uint8Array(1024);
    const read = await reader.read(buffer, bounded);
    assert.equal(text(buffer.subarray(0, read)), "Hello from producer!");
    assert.equal(await producer.result(), read);
  });

  test("the mission's shared memory communication: what the writer stores, the reader sees in the same place", async () => {
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

  test("the message of the highest priority is received first, equals in the order they were sent", () => {
    const kernel = world.createKernel();
    using queue = kernel.queue();
    for (const [word, priority] of [
      ["low", 0],
      ["urgent 1", 9],
      ["middle", 5],
      ["urgent 2", 9],
    ] as const) {
      queue.sendSync(bytes(word), { priority, ...bounded });
    }
    const received = queue.tryReceiveMany(4).map(({ data }) => text(data));
    assert.deepEqual(received, ["urgent 1", "urgent 2", "middle", "low"]);
  });

  test("a message is received by its type, past those that came before", () => {
    const kernel = world.createKernel();
    using queue = kernel.queue();
    for (const type of [3, 1, 2, 1]) queue.sendSync(bytes(`of type ${type}`), { type, ...bounded });
    const received = (options: { type: number; except?: boolean }): number | undefined =>
      queue.tryReceive(options)?.type;
    assert.equal(received({ type: 2 }), 2);
    assert.equal(received({ type: 3, except: true }), 1);
    assert.equal(received({ type: -2 }), 1);
    assert.equal(received({ type: -2 }), undefined);
    assert.equal(received({ type: 0 }), 3);
  });

  test("another user's queue, FIFO and segment open only as far as their modes permit", async (t) => {
    const kernel = world.createKernel();
    if (kernel.sys.geteuid() !== 0) return t.skip("only user 0 becomes another");
    const make = (name: string, mode: number): void => {
      kernel.queue({ name, create: true, mode });
      kernel.mkfifo(name, { mode });
      kernel.sharedMemory({ name, create: true, bytes: 64, mode });
    };
    kernel.sys.umask(0);
    make("private", 0o600);
    make("readable", 0o644);
    make("open", 0o666);
    const seen = async (name: string): Promise<unknown> =>
      (await world.startTask(kernel, "openAsUser", { user: 1000, name })).result();
    const [no, yes] = ["EACCES", "nothing"];
    const opened = (queue: string, fifo: string, segment: string, toRead: string) => ({
      queue,
      fifo,
      segment,
      "segment to read": toRead,
      "unlink the segment": "EPERM",
    });
    assert.deepEqual(await seen("private"), opened(no, no, no, no));
    assert.deepEqual(await seen("readable"), opened(no, yes, no, yes));
    assert.deepEqual(await seen("open"), opened(yes, yes, yes, yes));
  });
});
