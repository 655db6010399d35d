// The mission's examples, in TypeScript, and those of its sentences that no other test states.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Kernel } from "../src/index.ts";
import { bounded, overWorlds } from "./worlds.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);

overWorlds((world) => {
  test("the mission's message queue example: a queue of ten, a message sent and received", () => {
    const kernel = world.createKernel();
    using queue = kernel.queue({ depth: 10 });
    queue.sendSync(bytes("data"), bounded);
    const message = queue.tryReceive();
    assert.equal(message?.sender, kernel.pid);
    assert.equal(text(message?.data ?? new Uint8Array()), "data");
    assert.equal(queue.tryReceive(), undefined);
  });

  test("the mission's pipe example: what is written is read", () => {
    using kernel = world.createKernel();
    const { reader, writer } = kernel.pipe();
    assert.equal(writer.writeSync(bytes("Hello, pipe!"), bounded), 12);
    const buffer = new Uint8Array(32);
    const count = reader.readSync(buffer, bounded);
    assert.equal(text(buffer.subarray(0, count)), "Hello, pipe!");
  });

  test("the mission's shared memory example: two tasks attach, and with the last detach it is gone", async () => {
    const kernel = world.createKernel();
    const before = kernel.usage().objects;
    const segment = kernel.sharedMemory({ bytes: 4096 });
    const other = kernel.openToken(segment.token);
    assert.deepEqual(segment.attachedTasks, [kernel.pid, kernel.pid]);
    segment.bytes[7] = 42;
    assert.equal(other.bytes[7], 42);
    segment.close();
    assert.equal(kernel.usage().objects, before + 1);
    other.close();
    assert.equal(kernel.usage().objects, before);
  });

  test("the mission's producer-consumer example: a producer writes, a consumer reads into a larger buffer", () => {
    const kernel = world.createKernel();
    const { reader, writer } = kernel.pipe();
    const data = bytes("Hello from producer!");
    writer.writeSync(data, bounded);
    const buffer = new Uint8Array(1024);
    const count = reader.readSync(buffer, bounded);
    assert.deepEqual(buffer.subarray(0, count), data);
  });

  test("the mission's shared memory communication example: a writer attaches and writes, a reader attaches and reads", async () => {
    const kernel = world.createKernel();
    using segment = kernel.sharedMemory({ bytes: 4096 });
    const writer = await world.startTask(kernel, "attachSegment", { segment: segment.token });
    await writer.report();
    writer.send(bytes("five!"));
    assert.equal(await writer.report(), "written");
    assert.equal(text(segment.bytes.slice(0, 5)), "five!");
  });

  test("a message has at most 256 bytes by default", () => {
    const kernel = world.createKernel();
    using queue = kernel.queue();
    queue.sendSync(new Uint8Array(256), bounded);
    assert.throws(() => queue.sendSync(new Uint8Array(257), bounded), { code: "EMSGSIZE" });
  });

  test("messages of a higher priority are received first, those of one priority in the order they were sent", () => {
    const kernel = world.createKernel();
    using queue = kernel.queue({ depth: 40 });
    for (let priority = 0; priority < 32; priority++) queue.sendSync(bytes(`a${priority}`), { priority, ...bounded });
    queue.sendSync(bytes("b31"), { priority: 31, ...bounded });
    assert.equal(text(queue.receiveSync(bounded).data), "a31");
    assert.equal(text(queue.receiveSync(bounded).data), "b31");
    for (let priority = 30; priority >= 0; priority--) {
      const message = queue.receiveSync(bounded);
      assert.equal(message.priority, priority);
      assert.equal(text(message.data), `a${priority}`);
    }
  });

  test("a receiver takes messages of one type, of all but one, or of the lowest type", () => {
    const kernel = world.createKernel();
    using queue = kernel.queue();
    for (const type of [5, 3, 9, 3]) queue.sendSync(bytes(`type ${type}`), { type, ...bounded });
    assert.equal(queue.receiveSync({ type: 9, ...bounded }).type, 9);
    assert.equal(queue.receiveSync({ type: -4, ...bounded }).type, 3);
    assert.equal(queue.receiveSync({ type: 5, except: true, ...bounded }).type, 3);
    assert.equal(queue.tryReceive({ type: 1 }), undefined);
    assert.equal(queue.receiveSync(bounded).type, 5);
  });

  test("a task is told once that a message came into the empty queue", async () => {
    const kernel = world.createKernel();
    using queue = kernel.queue();
    const told = queue.notified();
    await assert.rejects(queue.notified(), { code: "EBUSY" });
    queue.sendSync(bytes("news"), bounded);
    await told;
    const gone = new AbortController();
    const again = queue.notified({ signal: gone.signal });
    gone.abort(new Error("enough"));
    await assert.rejects(again, /enough/);
  });

  test("a segment has any size up to the region, is zeroed, and is found by its name or key", () => {
    const kernel = world.createKernel();
    for (const size of [1, 100, 4096, 100_001]) {
      using segment = kernel.sharedMemory({ bytes: size });
      assert.equal(segment.byteLength, size);
      assert.ok(segment.bytes.every((byte) => byte === 0));
      segment.bytes.fill(255);
    }
    using named = kernel.sharedMemory({ name: "totals", create: true, bytes: 64 });
    using keyed = kernel.sharedMemory({ key: 77, create: true, bytes: 64 });
    using again = kernel.sharedMemory({ name: "totals" });
    named.view(Int32Array)[3] = 5;
    assert.equal(again.view(Int32Array, 12, 1)[0], 5);
    assert.throws(() => kernel.sharedMemory({ name: "totals", create: true, exclusive: true, bytes: 1 }), {
      code: "EEXIST",
    });
    assert.throws(() => kernel.sharedMemory({ key: 77, bytes: 65 }), { code: "EINVAL" });
    assert.throws(() => kernel.sharedMemory({ name: "none" }), { code: "ENOENT" });
    assert.throws(() => kernel.sharedMemory({ bytes: 2 ** 31 }), { code: "ENOMEM" });
    assert.throws(() => named.view(Int32Array, 60, 2), RangeError);
    kernel.unlinkSharedMemory("totals");
    kernel.unlinkSharedMemory(77);
    assert.equal(again.bytes[12], 5);
    assert.equal(keyed.byteLength, 64);
  });

  test("a pointer outside of the task's memory is EFAULT, and nothing has changed", () => {
    const kernel = world.createKernel();
    const { sys, memory } = kernel;
    const id = sys.msgget(0, 0o600);
    assert.equal(sys.msgsnd(id, memory.length - 4, 8, 0), -14);
    assert.equal(sys.msgsnd(id, 0, 8, 0), -14);
    new DataView(memory.buffer).setBigInt64(64, 7n, true);
    memory.set(bytes("whole"), 72);
    assert.equal(sys.msgsnd(id, 64, 5, 0), 0);
    assert.equal(sys.msgrcv(id, memory.length - 4, 5, 0, 0), -14);
    assert.equal(sys.msgrcv(id, 128, 5, 0, 0), 5);
    assert.equal(text(memory.slice(136, 141)), "whole");
  });

  test("a task of another user is refused what the mode does not grant, and cannot make itself root", () => {
    const kernel = world.createKernel();
    if (kernel.sys.geteuid() !== 0) return;
    using queue = kernel.queue({ name: "private", create: true });
    kernel.mkfifo("open", { mode: 0o666 });
    const { sys } = kernel;
    assert.equal(sys.setresuid(1000, 1000, 1000), 0);
    assert.throws(() => kernel.queue({ name: "private" }), { code: "EACCES" });
    assert.throws(() => kernel.unlinkQueue("private"), { code: "EPERM" });
    assert.equal(sys.setresuid(-1, 0, -1), -1);
    assert.equal(sys.setuid(0), -1);
    assert.equal(queue.length, 0);
  });
});

test("a kernel may be created with another limit of message bytes", () => {
  using kernel = Kernel.create({ messageBytesMax: 1000 });
  using queue = kernel.queue();
  queue.sendSync(new Uint8Array(1000), bounded);
  assert.equal(queue.receiveSync(bounded).data.length, 1000);
});
