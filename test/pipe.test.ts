// Pipes: the mission's section "Pipes", pipe(7), and the public handles of both ends.

import assert from "node:assert/strict";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { test } from "node:test";
import type { Kernel } from "../src/index.ts";
import { PIPE_BUF } from "../src/index.ts";
import { assertSameBytes, bytes, ipcError, pattern, RECORD_HEADER_BYTES, text, typeError } from "./expectations.ts";
import type { Form } from "./tasks-pipe.ts";
import { bounded, overWorlds, untilAsleep, waitsUnderWay } from "./worlds.ts";

const CAPACITIES = [1, 2, 64, 4096, 65_536, 1024 * 1024];
const FORMS: readonly Form[] = ["sync", "awaited"];

/** Every write of several writers, from the bytes that came out: each record whole, and each writer's in order. */
function checkRecords(data: Uint8Array): Map<number, number> {
  const counts = new Map<number, number>();
  const all = Buffer.from(data.buffer, data.byteOffset, data.length);
  for (let at = 0; at < all.length; ) {
    const length = all.readUInt16LE(at);
    const id = all.readUInt16LE(at + 2);
    const count = counts.get(id) ?? 0;
    assert.equal(all.readUInt32LE(at + 4), count, `record ${count} of writer ${id} comes next`);
    const body = all.subarray(at + RECORD_HEADER_BYTES, at + length);
    assert.ok(
      body.every((byte) => byte === id),
      `record ${count} of writer ${id} is whole`,
    );
    counts.set(id, count + 1);
    at += length;
  }
  return counts;
}

overWorlds((world) => {
  const pipeOf = (capacity?: number): ReturnType<Kernel["pipe"]> & { kernel: Kernel } => {
    const kernel = world.createKernel();
    return { kernel, ...kernel.pipe({ capacity }) };
  };

  test("the mission's example: what was written is read", () => {
    const { reader, writer } = pipeOf();
    const written = writer.writeSync(bytes("Hello, pipe!"));
    const buffer = new Uint8Array(32);
    const count = reader.readSync(buffer);
    assert.deepEqual([written, count, text(buffer.subarray(0, count))], [12, 12, "Hello, pipe!"]);
  });

  test("the mission's producer and consumer: another task reads what this one writes", async () => {
    const { kernel, reader, writer } = pipeOf();
    const consumer = await world.startTask(kernel, "readOnce", { reader: reader.token, bytes: 1024, form: "sync" });
    writer.writeSync(bytes("Hello from producer!"));
    const { data } = (await consumer.result()) as { data: Uint8Array };
    assert.equal(text(data), "Hello from producer!");
  });

  test("a pipe holds 4096 bytes by default, and not one more", () => {
    const { reader, writer } = pipeOf();
    assert.deepEqual([reader.capacity, writer.capacity], [4096, 4096]);
    assert.equal(writer.tryWrite(new Uint8Array(4096)), 4096);
    assert.equal(writer.tryWrite(new Uint8Array(1)), -1);
  });

  for (const capacity of CAPACITIES) {
    test(`a pipe of ${capacity} bytes holds ${capacity} bytes, and not one more`, () => {
      const { reader, writer } = pipeOf(capacity);
      assert.equal(writer.tryWrite(pattern(capacity)), capacity);
      assert.equal(writer.tryWrite(new Uint8Array(1)), -1);
      const buffer = new Uint8Array(capacity + 1);
      assert.equal(reader.tryRead(buffer), capacity);
      assertSameBytes(buffer.subarray(0, capacity), pattern(capacity));
    });

    test(`bytes keep their order round a ring of ${capacity} bytes`, () => {
      const { reader, writer } = pipeOf(capacity);
      const buffer = new Uint8Array(capacity);
      const steps = [capacity, Math.ceil(capacity / 3), Math.ceil(capacity / 2), 1, capacity, Math.ceil(capacity / 7)];
      for (let round = 0, position = 0; round < 12; round++) {
        const length = steps[round % steps.length] as number;
        assert.equal(writer.tryWrite(pattern(length, position)), length);
        assert.equal(reader.tryRead(buffer), length);
        assertSameBytes(buffer.subarray(0, length), pattern(length, position));
        position += length;
      }
    });
  }

  test("length is the bytes written and not yet read, seen from both ends", () => {
    const { reader, writer } = pipeOf();
    writer.tryWrite(new Uint8Array(100));
    reader.tryRead(new Uint8Array(30));
    assert.deepEqual([reader.length, writer.length], [70, 70]);
  });

  test("a non-blocking read of an empty pipe returns -1 at once", () => {
    const { reader } = pipeOf();
    assert.equal(reader.tryRead(new Uint8Array(8)), -1);
  });

  test("a read takes what is there when that is less than the buffer", () => {
    const { reader, writer } = pipeOf();
    writer.tryWrite(bytes("abc"));
    const buffer = new Uint8Array(10).fill(120);
    assert.equal(reader.readSync(buffer, bounded), 3);
    assert.equal(text(buffer), "abcxxxxxxx");
  });

  test("a read leaves what does not fit the buffer for the next", () => {
    const { reader, writer } = pipeOf();
    writer.tryWrite(bytes("abcdef"));
    const buffer = new Uint8Array(4);
    reader.tryRead(buffer);
    const rest = new Uint8Array(4);
    assert.equal(reader.tryRead(rest), 2);
    assert.equal(text(buffer) + text(rest.subarray(0, 2)), "abcdef");
  });

  test("a non-blocking write above PIPE_BUF is partial where the pipe is partly full", () => {
    const { reader, writer } = pipeOf(8192);
    writer.tryWrite(pattern(5000));
    assert.equal(writer.tryWrite(pattern(PIPE_BUF + 1, 5000)), 3192);
    const buffer = new Uint8Array(8192);
    assert.equal(reader.tryRead(buffer), 8192);
    assertSameBytes(buffer, pattern(8192));
  });

  test("a non-blocking write of up to PIPE_BUF is never partial", () => {
    const { writer } = pipeOf(8192);
    writer.tryWrite(pattern(5000));
    assert.equal(writer.tryWrite(new Uint8Array(PIPE_BUF)), -1);
    assert.equal(writer.length, 5000);
  });

  test("in a pipe smaller than PIPE_BUF a longer write than its capacity is partial when non-blocking", () => {
    const { writer } = pipeOf(64);
    assert.equal(writer.tryWrite(pattern(100)), 64);
  });

  test("a write of no bytes succeeds and changes nothing, in a full pipe too", async () => {
    const { writer } = pipeOf(64);
    writer.tryWrite(new Uint8Array(64));
    const none = new Uint8Array(0);
    assert.deepEqual([writer.tryWrite(none), writer.writeSync(none), await writer.write(none)], [0, 0, 0]);
    assert.equal(writer.length, 64);
  });

  test("a read of no bytes returns 0 at once, from an empty pipe too", async () => {
    const { reader } = pipeOf();
    const none = new Uint8Array(0);
    assert.deepEqual([reader.tryRead(none), reader.readSync(none), await reader.read(none)], [0, 0, 0]);
  });

  test("a read returns 0, end-of-file, where there is no data and no writer", async () => {
    const { reader, writer } = pipeOf();
    writer.close();
    const buffer = new Uint8Array(8);
    assert.deepEqual([reader.tryRead(buffer), reader.readSync(buffer), await reader.read(buffer)], [0, 0, 0]);
  });

  test("what was written before the last close is read before end-of-file", () => {
    const { reader, writer } = pipeOf();
    writer.tryWrite(bytes("the last words"));
    writer.close();
    const buffer = new Uint8Array(64);
    assert.equal(text(buffer.subarray(0, reader.readSync(buffer))), "the last words");
    assert.equal(reader.readSync(buffer), 0);
  });

  test("a write fails with EPIPE where no reader is left, in all three forms", async () => {
    const { reader, writer } = pipeOf();
    reader.close();
    const broken = ipcError("EPIPE", "write", "pipe", "no reader is left");
    assert.throws(() => writer.tryWrite(bytes("x")), broken);
    assert.throws(() => writer.writeSync(bytes("x")), broken);
    await assert.rejects(writer.write(bytes("x")), broken);
  });

  test("writers are counted: end-of-file comes with the last close, not with the first", () => {
    const { kernel, reader, writer } = pipeOf();
    const second = kernel.openToken(writer.token);
    const buffer = new Uint8Array(8);
    writer.close();
    assert.equal(reader.tryRead(buffer), -1);
    second.close();
    assert.equal(reader.tryRead(buffer), 0);
  });

  test("readers are counted: the pipe is broken by the last close, not by the first", () => {
    const { kernel, reader, writer } = pipeOf();
    const second = kernel.openToken(reader.token);
    reader.close();
    assert.equal(writer.tryWrite(bytes("x")), 1);
    second.close();
    assert.throws(() => writer.tryWrite(bytes("x")), ipcError("EPIPE", "write"));
  });

  test("a writer of another task is counted too", async () => {
    const { kernel, reader, writer } = pipeOf();
    const holder = await world.startTask(kernel, "holdEnd", { end: writer.token });
    await holder.report();
    writer.close();
    assert.equal(reader.tryRead(new Uint8Array(8)), -1);
    holder.send("close");
    await holder.result();
    assert.equal(reader.tryRead(new Uint8Array(8)), 0);
  });

  for (const form of FORMS) {
    test(`a write wakes a sleeping reader (${form})`, async () => {
      const { kernel, reader, writer } = pipeOf();
      const sleeper = await world.startTask(kernel, "readOnce", { reader: reader.token, bytes: 64, form });
      await untilAsleep(kernel, sleeper.pid);
      writer.writeSync(bytes("good morning"));
      const { data } = (await sleeper.result()) as { data: Uint8Array };
      assert.equal(text(data), "good morning");
    });

    test(`closing the last writer wakes a sleeping reader with end-of-file (${form})`, async () => {
      const { kernel, reader, writer } = pipeOf();
      const sleeper = await world.startTask(kernel, "readOnce", { reader: reader.token, bytes: 64, form });
      await untilAsleep(kernel, sleeper.pid);
      writer.close();
      assert.equal(((await sleeper.result()) as { count: number }).count, 0);
    });

    test(`closing the last reader wakes a sleeping writer with EPIPE (${form})`, async () => {
      const { kernel, reader, writer } = pipeOf(64);
      writer.tryWrite(new Uint8Array(64));
      const data = new Uint8Array(10);
      const sleeper = await world.startTask(kernel, "write", { writer: writer.token, data, form });
      await untilAsleep(kernel, sleeper.pid);
      reader.close();
      assert.equal(await sleeper.result(), "EPIPE");
    });

    test(`a blocked write finishes when a reader drains the pipe (${form})`, async () => {
      const { kernel, reader, writer } = pipeOf(4096);
      const data = pattern(100_000);
      const sleeper = await world.startTask(kernel, "write", { writer: writer.token, data, form });
      writer.close();
      await untilAsleep(kernel, sleeper.pid);
      const chunks: Uint8Array[] = [];
      for await (const chunk of reader) chunks.push(chunk);
      assertSameBytes(Buffer.concat(chunks), data);
      assert.equal(await sleeper.result(), data.length);
    });

    test(`a write that loses its reader half way returns what it wrote (${form})`, async () => {
      const { kernel, reader, writer } = pipeOf(4096);
      const data = pattern(10_000);
      const sleeper = await world.startTask(kernel, "write", { writer: writer.token, data, form });
      await untilAsleep(kernel, sleeper.pid);
      reader.close();
      assert.equal(await sleeper.result(), 4096);
    });

    test(`a blocked write of up to PIPE_BUF waits for room for all of it (${form})`, async () => {
      const { kernel, reader, writer } = pipeOf(4096);
      writer.tryWrite(pattern(4096));
      const data = new Uint8Array(2000).fill(255);
      const sleeper = await world.startTask(kernel, "write", { writer: writer.token, data, form });
      await untilAsleep(kernel, sleeper.pid);
      reader.tryRead(new Uint8Array(1999));
      assert.equal(waitsUnderWay(kernel, sleeper.pid), 1);
      assert.equal(reader.length, 2097);
      reader.tryRead(new Uint8Array(1));
      assert.equal(await sleeper.result(), 2000);
    });

    for (const capacity of [4096, 65_536]) {
      test(`writes of up to PIPE_BUF of several writers never mix in ${capacity} bytes (${form})`, async () => {
        const { kernel, reader, writer } = pipeOf(capacity);
        const ids = [1, 2, 3];
        const count = 150;
        const start = (id: number) =>
          world.startTask(kernel, "writeRecords", { writer: writer.token, id, count, bytesMax: PIPE_BUF, form });
        const tasks = await Promise.all(ids.map(start));
        await Promise.all(tasks.map((task) => task.report()));
        writer.close();
        for (const task of tasks) task.send("go");
        const chunks: Uint8Array[] = [];
        for await (const chunk of reader) chunks.push(chunk);
        const counts = checkRecords(new Uint8Array(Buffer.concat(chunks)));
        assert.deepEqual([...counts].sort(), [
          [1, count],
          [2, count],
          [3, count],
        ]);
      });
    }
  }

  test("several readers share the bytes: each is read once", async () => {
    const { kernel, reader, writer } = pipeOf(4096);
    const args = { reader: reader.token, chunk: 512 };
    const readers = await Promise.all([
      world.startTask(kernel, "readAll", { ...args, form: "sync" }),
      world.startTask(kernel, "readAll", { ...args, form: "awaited" }),
    ]);
    await Promise.all(readers.map((task) => task.report()));
    reader.close();
    const counts = new Array<number>(251).fill(0);
    const data = pattern(251 * 400);
    await writer.write(data);
    writer.close();
    for (const task of readers) for (const byte of (await task.result()) as Uint8Array) (counts[byte] as number)++;
    assert.deepEqual(counts, new Array(251).fill(400));
  });

  test("a reader whose time passes gets ETIMEDOUT, asleep and awaited", async () => {
    const { reader } = pipeOf();
    const late = ipcError("ETIMEDOUT", "read", "pipe");
    assert.throws(() => reader.readSync(new Uint8Array(1), { timeout: 20 }), late);
    await assert.rejects(reader.read(new Uint8Array(1), { timeout: 20 }), late);
  });

  test("a writer whose time passes gets ETIMEDOUT and has written nothing, asleep and awaited", async () => {
    const { writer } = pipeOf(64);
    writer.tryWrite(new Uint8Array(60));
    const late = ipcError("ETIMEDOUT", "write", "pipe");
    assert.throws(() => writer.writeSync(new Uint8Array(5), { timeout: 20 }), late);
    await assert.rejects(writer.write(new Uint8Array(5), { timeout: 20 }), late);
    assert.equal(writer.length, 60);
  });

  test("a time-out of 0 looks once", async () => {
    const { reader, writer } = pipeOf();
    const buffer = new Uint8Array(1);
    assert.throws(() => reader.readSync(buffer, { timeout: 0 }), ipcError("ETIMEDOUT", "read"));
    await assert.rejects(reader.read(buffer, { timeout: 0 }), ipcError("ETIMEDOUT", "read"));
    writer.tryWrite(bytes("ab"));
    assert.equal(reader.readSync(buffer, { timeout: 0 }) + (await reader.read(buffer, { timeout: 0 })), 2);
  });

  test("a long write whose time passes returns what it wrote, asleep and awaited", async () => {
    const { reader, writer } = pipeOf(64);
    assert.equal(writer.writeSync(new Uint8Array(100), { timeout: 20 }), 64);
    reader.tryRead(new Uint8Array(64));
    assert.equal(await writer.write(new Uint8Array(100), { timeout: 20 }), 64);
  });

  test("the time-out of a long write counts from its beginning, however often it comes on", async () => {
    const { reader, writer } = pipeOf(1);
    const drip = setInterval(() => reader.tryRead(new Uint8Array(1)), 20);
    try {
      const written = await writer.write(new Uint8Array(200), { timeout: 200 });
      assert.ok(written < 200, `${written} bytes in 200 ms, one each 20 ms`);
    } finally {
      clearInterval(drip);
    }
  });

  test("aborting a read rejects it with the signal's reason", async () => {
    const { reader } = pipeOf();
    const controller = new AbortController();
    const reason = new Error("changed my mind");
    const read = reader.read(new Uint8Array(1), { signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(read, (error) => error === reason);
  });

  test("an aborted read is gone: the bytes go to the next reader", async () => {
    const { kernel, reader, writer } = pipeOf();
    const controller = new AbortController();
    const aborted = new Uint8Array(8);
    const next = new Uint8Array(8);
    const first = reader.read(aborted, { signal: controller.signal });
    const second = reader.read(next);
    controller.abort();
    await assert.rejects(first, { name: "AbortError" });
    assert.equal(waitsUnderWay(kernel, kernel.pid), 1);
    writer.tryWrite(bytes("late"));
    assert.equal(await second, 4);
    assert.deepEqual([text(next.subarray(0, 4)), aborted], ["late", new Uint8Array(8)]);
  });

  test("a read aborted after it was woken hands the bytes to a reader of another task", async () => {
    const { kernel, reader, writer } = pipeOf();
    const controller = new AbortController();
    const first = reader.read(new Uint8Array(8), { signal: controller.signal });
    const other = await world.startTask(kernel, "readOnce", { reader: reader.token, bytes: 8, form: "sync" });
    await untilAsleep(kernel, other.pid);
    writer.tryWrite(bytes("x")); // wakes the first
    controller.abort(); // which never looks
    await assert.rejects(first, { name: "AbortError" });
    assert.equal(((await other.result()) as { count: number }).count, 1);
  });

  test("an aborted write has written nothing where it had no room", async () => {
    const { kernel, reader, writer } = pipeOf(64);
    writer.tryWrite(new Uint8Array(64));
    const controller = new AbortController();
    const write = writer.write(bytes("never"), { signal: controller.signal });
    controller.abort();
    await assert.rejects(write, { name: "AbortError" });
    reader.tryRead(new Uint8Array(64));
    assert.deepEqual([writer.length, waitsUnderWay(kernel, kernel.pid)], [0, 0]);
  });

  test("a signal aborted beforehand rejects at once, and no byte is taken", async () => {
    const { reader, writer } = pipeOf();
    writer.tryWrite(bytes("abc"));
    const signal = AbortSignal.abort("no");
    await assert.rejects(reader.read(new Uint8Array(8), { signal }), (reason) => reason === "no");
    await assert.rejects(writer.write(bytes("x"), { signal }), (reason) => reason === "no");
    assert.equal(reader.length, 3);
  });

  test("reads that are awaited together are served in the order they came", async () => {
    const { reader, writer } = pipeOf();
    const buffers = [0, 1, 2, 3].map(() => new Uint8Array(1));
    const reads = buffers.map((buffer) => reader.read(buffer));
    for (const letter of "abcd") writer.tryWrite(bytes(letter));
    await Promise.all(reads);
    assert.equal(buffers.map(text).join(""), "abcd");
  });

  test("closing a read end rejects the read that waits on it with EBADF", async () => {
    const { reader } = pipeOf();
    const read = reader.read(new Uint8Array(1));
    reader.close();
    await assert.rejects(read, ipcError("EBADF", "read", "closed while this waited"));
  });

  test("a closed end refuses to work, with a TypeError", async () => {
    const { reader, writer } = pipeOf();
    reader.close();
    writer.close();
    assert.throws(() => reader.tryRead(new Uint8Array(1)), typeError("read", "closed"));
    assert.throws(() => reader.readSync(new Uint8Array(1)), typeError("read", "closed"));
    await assert.rejects(reader.read(new Uint8Array(1)), typeError("read", "closed"));
    assert.throws(() => writer.tryWrite(bytes("x")), typeError("write", "closed"));
    assert.throws(() => writer.writeSync(bytes("x")), typeError("write", "closed"));
    await assert.rejects(writer.write(bytes("x")), typeError("write", "closed"));
  });

  test("an end is closed when its `using` block ends", () => {
    const { reader, writer } = pipeOf();
    {
      using _end = writer;
    }
    assert.equal(reader.tryRead(new Uint8Array(1)), 0);
    assert.ok(writer.closed);
  });

  test("iterating gives the bytes until the last writer has closed", async () => {
    const { kernel, reader, writer } = pipeOf(64);
    const data = pattern(5000);
    const other = await world.startTask(kernel, "write", { writer: writer.token, data, form: "sync" });
    await other.report();
    writer.close();
    const chunks: Uint8Array[] = [];
    for await (const chunk of reader) chunks.push(chunk);
    assertSameBytes(Buffer.concat(chunks), data);
  });

  test("iterating ends when the handle is closed", async () => {
    const { reader, writer } = pipeOf();
    writer.tryWrite(bytes("one"));
    const chunks: string[] = [];
    for await (const chunk of reader) {
      chunks.push(text(chunk));
      queueMicrotask(() => reader.close());
    }
    assert.deepEqual(chunks, ["one"]);
  });

  test("a Web Stream of the read end gives another task's bytes, and ends", async () => {
    const { kernel, reader, writer } = pipeOf(1024);
    const data = pattern(20_000);
    const other = await world.startTask(kernel, "write", { writer: writer.token, data, form: "awaited" });
    await other.report();
    writer.close();
    const response = new Response(reader.toWeb() as ReadableStream<Uint8Array<ArrayBuffer>>);
    assertSameBytes(new Uint8Array(await response.arrayBuffer()), data);
    assert.ok(reader.closed);
  });

  test("a Web Stream into the write end brings the bytes to another task, and closing it is end-of-file", async () => {
    const { kernel, reader, writer } = pipeOf(1024);
    const other = await world.startTask(kernel, "readAll", { reader: reader.token, chunk: 700, form: "sync" });
    await other.report();
    const source = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let i = 0; i < 10; i++) controller.enqueue(pattern(3000, i * 3000));
        controller.close();
      },
    });
    await source.pipeTo(writer.toWeb());
    assertSameBytes(await other.result(), pattern(30_000));
  });

  test("cancelling the Web Stream of a read end breaks the pipe for its writer", async () => {
    const { reader, writer } = pipeOf();
    await reader.toWeb().cancel();
    assert.throws(() => writer.tryWrite(bytes("x")), ipcError("EPIPE", "write"));
  });

  test("node streams carry a pipeline through the pipe to another task", async () => {
    const { kernel, reader, writer } = pipeOf(1024);
    const other = await world.startTask(kernel, "readAll", { reader: reader.token, chunk: 999, form: "awaited" });
    await other.report();
    const parts = Array.from({ length: 10 }, (_, i) => Buffer.from(pattern(3000, i * 3000)));
    await pipeline(Readable.from(parts), writer.toNode());
    assertSameBytes(await other.result(), pattern(30_000));
    assert.ok(writer.closed);
  });

  test("node streams carry another task's bytes out of the pipe", async () => {
    const { kernel, reader, writer } = pipeOf(1024);
    const data = pattern(30_000);
    const other = await world.startTask(kernel, "write", { writer: writer.token, data, form: "sync" });
    await other.report();
    writer.close();
    const chunks: Buffer[] = [];
    const sink = new Writable({
      write(chunk, _encoding, callback) {
        chunks.push(chunk);
        callback();
      },
    });
    await pipeline(reader.toNode(), sink);
    assertSameBytes(Buffer.concat(chunks), data);
    assert.ok(reader.closed);
  });

  test("a node stream into a pipe without readers fails with EPIPE", async () => {
    const { reader, writer } = pipeOf();
    reader.close();
    await assert.rejects(pipeline(Readable.from([Buffer.from("x")]), writer.toNode()), { code: "EPIPE" });
    assert.ok(writer.closed);
  });

  test("destroying a node stream of the read end closes the end, also while it waits", async () => {
    const { reader, writer } = pipeOf();
    const stream = reader.toNode();
    stream.resume();
    await new Promise((resolve) => setImmediate(resolve));
    stream.destroy();
    await new Promise((resolve) => stream.once("close", resolve));
    assert.throws(() => writer.tryWrite(bytes("x")), ipcError("EPIPE", "write"));
  });

  test("a token leads nowhere once the pipe is gone, even if another lives in its place", () => {
    const { kernel, reader, writer } = pipeOf();
    const { token } = reader;
    reader.close();
    writer.close();
    kernel.pipe();
    assert.throws(() => kernel.openToken(token), ipcError("ENOENT", "open", "it is gone"));
  });

  test("a pipe whose ends are all closed gives its memory back", () => {
    const kernel = world.createKernel();
    const before = kernel.usage();
    const { reader, writer } = kernel.pipe({ capacity: 65_536 });
    assert.notDeepEqual(kernel.usage(), before);
    writer.tryWrite(bytes("unread"));
    reader.close();
    writer.close();
    assert.deepEqual(kernel.usage(), before);
  });

  test("writers of one task that wait together are all served, the later ones' small writes past a large one too", async () => {
    const { reader, writer } = pipeOf(64);
    writer.tryWrite(new Uint8Array(64));
    const writes = [writer.write(new Uint8Array(60).fill(1)), writer.write(new Uint8Array(4).fill(2))];
    const chunks: Uint8Array[] = [];
    const buffer = new Uint8Array(7);
    for (let count = 0; count < 128; ) {
      const got = await reader.read(buffer, bounded);
      chunks.push(buffer.slice(0, got));
      count += got;
    }
    assert.deepEqual(await Promise.all(writes), [60, 4]);
    const all = Buffer.concat(chunks).subarray(64);
    assert.equal(all.filter((byte) => byte === 1).length, 60);
    assert.equal(all.filter((byte) => byte === 2).length, 4);
  });
});
