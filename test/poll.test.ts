// Waiting for the first of several handles, and what else handles and descriptors share.

import assert from "node:assert/strict";
import { test } from "node:test";
import { F_GETFL, O_NONBLOCK, O_RDWR, S_IFIFO } from "../src/abi/flags.ts";
import { IpcError, MessageQueue, PipeReader, PipeWriter } from "../src/index.ts";
import { bytes } from "./expectations.ts";
import { placeText } from "./place-text.ts";
import { bounded, overWorlds, untilAsleep } from "./worlds.ts";

const code = (expected: string) => (error: unknown) => error instanceof IpcError && error.code === expected;

overWorlds((world) => {
  test("pollSync returns what is ready now without waiting", () => {
    const kernel = world.createKernel();
    const { reader, writer } = kernel.pipe();
    const queue = kernel.queue();
    const items = [{ handle: reader }, { handle: writer }, { handle: queue, read: true, write: true }] as const;
    const ready = kernel.pollSync(items);
    assert.deepEqual(
      ready.map(({ item, readable, writable }) => [item.handle, readable, writable]),
      [
        [writer, false, true],
        [queue, false, true],
      ],
    );
    assert.equal(ready[0]?.item, items[1], "the item itself");
  });

  test("a time-out gives no item, asleep and as a promise", async () => {
    const kernel = world.createKernel();
    const items = [{ handle: kernel.pipe().reader }, { handle: kernel.queue() }];
    for (const timeout of [0, 20]) {
      assert.deepEqual(kernel.pollSync(items, { timeout }), []);
      assert.deepEqual(await kernel.poll(items, { timeout }), []);
      assert.deepEqual(kernel.pollSync([], { timeout }), []);
      assert.deepEqual(await kernel.poll([], { timeout }), []);
    }
  });

  test("a promise for several handles resolves with the one that becomes ready", async () => {
    const kernel = world.createKernel();
    const { reader } = kernel.pipe();
    const queue = kernel.queue();
    const other = kernel.pipe();
    const waiting = kernel.poll([{ handle: reader }, { handle: queue }, { handle: other.reader }], bounded);
    await untilAsleep(kernel, kernel.pid, 3);
    queue.trySend(bytes("here"));
    const ready = await waiting;
    assert.deepEqual(
      ready.map(({ item, readable, writable, hungUp, error }) => [item.handle, readable, writable, hungUp, error]),
      [[queue, true, false, false, false]],
    );
    assert.equal(queue.length, 1, "it only looked");
  });

  test("another task's write wakes a task that sleeps in pollSync", async () => {
    const kernel = world.createKernel();
    const { reader, writer } = kernel.pipe();
    const task = await world.startTask(kernel, "write", { writer: writer.token, data: bytes("x"), form: "sync" });
    const ready = kernel.pollSync([{ handle: kernel.queue() }, { handle: reader }], bounded);
    assert.deepEqual(
      ready.map(({ item, readable }) => [item.handle, readable]),
      [[reader, true]],
    );
    await task.result();
  });

  test("a reader without writers hangs up, and a writer without readers is in error", async () => {
    const kernel = world.createKernel();
    const first = kernel.pipe();
    const second = kernel.pipe();
    const waiting = kernel.poll([{ handle: first.reader }, { handle: second.writer, read: true }], bounded);
    second.reader.close();
    first.writer.close();
    await waiting;
    const [hungUp, broken] = kernel.pollSync([{ handle: first.reader }, { handle: second.writer }]);
    assert.ok(hungUp?.hungUp && !hungUp.error && !hungUp.readable);
    assert.ok(broken?.error && !broken.hungUp && broken.writable);
  });

  test("a writer is writable again once a reader has made room for PIPE_BUF bytes", async () => {
    const kernel = world.createKernel();
    const { reader, writer } = kernel.pipe();
    writer.tryWrite(new Uint8Array(4096));
    const waiting = kernel.poll([{ handle: writer }], bounded);
    reader.tryRead(new Uint8Array(4000));
    assert.deepEqual(kernel.pollSync([{ handle: writer }], { timeout: 0 }), []);
    reader.tryRead(new Uint8Array(4000));
    assert.ok((await waiting)[0]?.writable);
  });

  test("a handle that is closed while it is waited for is in error, and nothing leaks", async () => {
    const kernel = world.createKernel();
    const before = kernel.usage();
    const { reader, writer } = kernel.pipe();
    const waiting = kernel.poll([{ handle: reader }], bounded);
    writer.close();
    reader.close();
    const ready = await waiting;
    assert.ok(ready[0]?.error);
    assert.deepEqual(kernel.usage(), before);
    assert.throws(() => kernel.pollSync([{ handle: reader }]), TypeError);
  });

  test("an abort signal ends the wait with its reason", async () => {
    const kernel = world.createKernel();
    for (const items of [[{ handle: kernel.queue() }], []]) {
      const controller = new AbortController();
      const waiting = kernel.poll(items, { signal: controller.signal });
      controller.abort(new Error("enough"));
      await assert.rejects(waiting, /enough/);
      await assert.rejects(kernel.poll(items, { signal: AbortSignal.abort(new Error("before")) }), /before/);
    }
  });

  test("closing the kernel ends a promise of poll with EBADF", async () => {
    const kernel = world.createKernel();
    const waiting = kernel.poll([{ handle: kernel.queue() }]);
    const none = kernel.poll([]);
    kernel.close();
    await assert.rejects(waiting, code("EBADF"));
    await assert.rejects(none, code("EBADF"));
  });

  test("a descriptor can be waited for as a handle can, and one that is not open is in error", () => {
    const kernel = world.createKernel();
    const { writer } = kernel.pipe();
    const ready = kernel.pollSync([{ handle: writer.descriptor, write: true }, { handle: 99 }]);
    assert.deepEqual(
      ready.map(({ item, writable, error }) => [item.handle, writable, error]),
      [
        [writer.descriptor, true, false],
        [99, false, true],
      ],
    );
  });

  test("what is no handle, no descriptor and no option is refused", async () => {
    const kernel = world.createKernel();
    assert.throws(() => kernel.pollSync("all" as never), TypeError);
    assert.throws(() => kernel.pollSync([{ handle: "3" as never }]), TypeError);
    assert.throws(() => kernel.pollSync([null as never]), TypeError);
    assert.throws(() => kernel.pollSync([], { timeout: -1 }), code("EINVAL"));
    await assert.rejects(kernel.poll([], { signal: 3 as never }), TypeError);
  });

  test("fromDescriptor makes handles of what system calls opened", () => {
    const kernel = world.createKernel();
    kernel.sys.pipe2(64, O_NONBLOCK);
    const reader = kernel.fromDescriptor(3);
    const writer = kernel.fromDescriptor(4);
    assert.ok(reader instanceof PipeReader && writer instanceof PipeWriter);
    assert.equal(kernel.fromDescriptor(3), reader);
    writer.writeSync(bytes("through"));
    assert.equal(reader.readSync(new Uint8Array(9)), 7);
    writer.close();
    assert.equal(kernel.sys.fcntl(4, F_GETFL), -9);
    placeText(kernel, 64, "f");
    kernel.sys.mknod(64, S_IFIFO | 0o600, 0);
    assert.ok(kernel.fromDescriptor(kernel.sys.open(64, O_RDWR, 0)) instanceof PipeReader);
    const queue = kernel.queue();
    assert.equal(kernel.fromDescriptor(queue.descriptor), queue);
    assert.ok(kernel.fromDescriptor(kernel.sys.dup(queue.descriptor)) instanceof MessageQueue);
    assert.throws(() => kernel.fromDescriptor(99), code("EBADF"));
    assert.throws(() => kernel.fromDescriptor(0), code("EINVAL"));
  });

  test("resize changes what a pipe holds, and keeps what was written", () => {
    const kernel = world.createKernel();
    const { reader, writer } = kernel.pipe();
    writer.tryWrite(bytes("kept"));
    assert.equal(writer.resize(5000), 8192);
    assert.equal(reader.capacity, 8192);
    writer.writeSync(new Uint8Array(8188));
    assert.throws(() => reader.resize(4096), code("EBUSY"));
    assert.throws(() => reader.resize(0), code("EINVAL"));
    assert.equal(reader.tryRead(new Uint8Array(4)), 4);
    assert.equal(reader.length, 8188);
  });
});
