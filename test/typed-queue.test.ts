// Queues of values: a codec before a queue of bytes, with all its calls.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import {
  type Codec,
  DecodeError,
  IpcError,
  json,
  Kernel,
  MessageQueue,
  structured,
  TypedQueue,
  text,
} from "../src/index.ts";
import { bytes, ipcError, typeError } from "./expectations.ts";
import { bounded, overWorlds, until, untilAsleep, waitsUnderWay } from "./worlds.ts";

interface Job {
  readonly id: number;
  readonly args?: readonly string[];
}

const roundTrip = <T>(codec: Codec<T>, value: T): T => {
  const encoded = codec.encode(value);
  // As a message that lies in the middle of a pool.
  const pool = new Uint8Array(encoded.length + 24).fill(0xff);
  pool.set(encoded, 11);
  return codec.decode(pool.subarray(11, 11 + encoded.length));
};

test("json carries what JSON can say, in UTF-8", () => {
  for (const value of [null, true, 0, -1.5, "", "größer ✓ 𝄞", "\ud800", [], [1, [2]], { a: { b: ["c"] } }]) {
    assert.deepEqual(roundTrip(json(), value), value);
  }
});

test("json refuses what JSON has no text for", () => {
  const ring: unknown[] = [];
  ring.push(ring);
  for (const value of [undefined, () => {}, Symbol("s"), 1n, ring])
    assert.throws(() => json().encode(value), TypeError);
});

test("structured carries what the structured clone algorithm can clone", () => {
  const ring: { self?: unknown } = {};
  ring.self = ring;
  const value = {
    map: new Map([["a", new Set([1, 2])]]),
    date: new Date(0),
    big: 2n ** 70n,
    pattern: /x/g,
    nothing: undefined,
    bytes: new Uint8Array([1, 2, 3]),
    floats: new Float64Array([0.1, Number.NaN]),
    buffer: Buffer.from("short"),
    ring,
  };
  const came = roundTrip(structured<typeof value>(), value);
  assert.deepEqual(came, value);
  assert.equal((came.ring as { self: unknown }).self, came.ring);
});

test("structured sends a view's own bytes, and not the buffer that it lies in", () => {
  const view = new Uint8Array(100_000).subarray(5, 8);
  assert.ok(structured().encode({ view }).length < 100);
  assert.ok(structured().encode({ buffer: Buffer.from("from a pool") }).length < 100);
});

test("what structured has decoded shares no memory with the message", () => {
  const encoded = structured().encode({ data: new Uint8Array([1, 2, 3]) });
  const pool = new Uint8Array(encoded.length + 8);
  pool.set(encoded, 8);
  const { data } = structured<{ data: Uint8Array }>().decode(pool.subarray(8));
  pool.fill(0);
  assert.deepEqual(data, new Uint8Array([1, 2, 3]));
});

test("structured refuses what cannot be cloned", () => {
  for (const value of [() => {}, Symbol("s"), new SharedArrayBuffer(4), new WeakMap(), Promise.resolve()]) {
    assert.throws(() => structured().encode(value), /could not be cloned/);
  }
});

test("text carries strings as they are, and refuses what UTF-8 cannot say", () => {
  for (const value of ["", "größer ✓ 𝄞", "\ufeffwith a mark", "a\0b"]) assert.equal(roundTrip(text(), value), value);
  assert.throws(() => text().encode("half \ud800 of a pair"), /surrogate/);
  assert.throws(() => text().encode(7 as never), /must be a string/);
  assert.throws(() => text().decode(Uint8Array.of(0xff)), TypeError);
});

test("what is no codec, or no check, is a TypeError, and no queue is made", () => {
  using kernel = Kernel.create();
  const before = kernel.usage();
  for (const codec of [null, 7, "json", json, {}, { encode: () => {} }] as never[]) {
    assert.throws(() => kernel.queue({ name: "q", create: true, codec }), typeError("msgget", "codec"));
  }
  for (const check of [null, 7, {}] as never[]) assert.throws(() => json(check), typeError("check"));
  assert.deepEqual(kernel.usage(), before);
  using queue = kernel.queue();
  assert.throws(() => new TypedQueue({} as never, json()), typeError("msgget", "MessageQueue"));
  assert.throws(() => new TypedQueue(queue, {} as never), typeError("msgget", "codec"));
});

overWorlds((world) => {
  const fresh = (depth = 10): TypedQueue<Job> =>
    world.createKernel().queue({ name: "jobs", create: true, depth, codec: json<Job>() });

  test("values go through in all three forms, with type, priority and sender", async () => {
    const kernel = world.createKernel();
    const queue = kernel.queue({ codec: json<Job>() });
    await queue.send({ id: 1 }, { type: 7 });
    queue.sendSync({ id: 2, args: ["a"] });
    assert.equal(queue.trySend({ id: 3 }, { priority: 9 }), true);
    assert.equal(queue.length, 3);
    const sender = kernel.pid;
    assert.deepEqual(queue.tryReceive(), { data: { id: 3 }, sender, type: 1, priority: 9 });
    assert.deepEqual(await queue.receive({ type: 7 }), { data: { id: 1 }, sender, type: 7, priority: 0 });
    assert.deepEqual(queue.receiveSync(bounded).data, { id: 2, args: ["a"] });
    assert.equal(queue.tryReceive(), undefined);
  });

  test("batches go through in all three forms", async () => {
    const queue = fresh();
    const jobs = [{ id: 1 }, { id: 2 }, { id: 3 }];
    await queue.sendMany(jobs);
    queue.sendManySync(jobs);
    assert.equal(queue.trySendMany([...jobs, ...jobs]), 4);
    const ids = (some: readonly { data: Job }[]): number[] => some.map(({ data }) => data.id);
    assert.deepEqual(ids(await queue.receiveMany(2)), [1, 2]);
    assert.deepEqual(ids(queue.receiveManySync(2, bounded)), [3, 1]);
    assert.deepEqual(ids(queue.tryReceiveMany(100)), [2, 3, 1, 2, 3, 1]);
    assert.deepEqual(queue.tryReceiveMany(100), []);
  });

  test("a value goes to another task and comes back, by name and by token", async () => {
    const kernel = world.createKernel();
    const there = kernel.queue({ name: "there", create: true, codec: json<Job>() });
    const back = kernel.queue({ codec: json<Job>() });
    const args = { from: { name: "there" }, to: { token: back.token }, form: "sync" } as const;
    const task = await world.startTask(kernel, "echo", args);
    await task.report();
    there.sendSync({ id: 5, args: ["x"] });
    const { data, sender } = await back.receive(bounded);
    assert.deepEqual([data, sender], [{ id: 5, args: ["x"] }, task.pid]);
    there.bytes.sendSync(bytes("last"));
    assert.equal(await task.result(), 1);
  });

  test("a token opens a typed queue where a codec is given, else one of bytes", () => {
    const kernel = world.createKernel();
    const queue = kernel.queue({ codec: json<Job>() });
    queue.sendSync({ id: 1 });
    assert.deepEqual(kernel.openToken(queue.token, { codec: json<Job>() }).tryReceive()?.data, { id: 1 });
    assert.ok(kernel.openToken(queue.token) instanceof MessageQueue);
    assert.throws(() => kernel.openToken(queue.token, { codec: {} as never }), typeError("codec"));
  });

  test("tokens go through postMessage and JSON as they are", () => {
    const kernel = world.createKernel();
    const { port1, port2 } = new MessageChannel();
    const { reader, writer } = kernel.pipe();
    const segment = kernel.sharedMemory({ bytes: 64 });
    const locks = [
      kernel.mutex(),
      kernel.semaphore(),
      kernel.rwlock(),
      kernel.condition(),
      kernel.barrier({ parties: 2 }),
    ];
    for (const { token } of [kernel.queue(), reader, writer, segment, ...locks]) {
      port1.postMessage(token);
      const posted = receiveMessageOnPort(port2)?.message as typeof token;
      const parsed = JSON.parse(JSON.stringify(token)) as typeof token;
      assert.deepEqual([posted, parsed], [token, token]);
      for (const copy of [posted, parsed]) (kernel.openToken as (token: unknown) => Disposable)(copy)[Symbol.dispose]();
    }
    port1.close();
  });

  test("a value that cannot be encoded is a TypeError at once, with its cause, and nothing is sent", async () => {
    const queue = fresh(1);
    const wrong = undefined as unknown as Job;
    const refused = typeError("msgsnd", 'queue "jobs"', "cannot be encoded", "JSON has no text");
    assert.throws(() => queue.trySend(wrong), refused);
    assert.throws(() => queue.sendSync(wrong), refused);
    await assert.rejects(queue.send(wrong), refused);
    for (const batch of [() => queue.trySendMany([{ id: 1 }, wrong]), () => queue.sendManySync([{ id: 1 }, wrong])]) {
      assert.throws(batch, refused);
    }
    await assert.rejects(queue.sendMany([{ id: 1 }, wrong]), refused);
    assert.throws(() => queue.sendManySync("ab" as never), typeError("msgsnd", "array"));
    assert.equal(queue.length, 0);
    const cause = new RangeError("mine");
    const own = new TypedQueue(queue.bytes, {
      encode: () => {
        throw cause;
      },
      decode: () => 0,
    });
    assert.throws(() => own.trySend(1), { name: "TypeError", cause });
    const noBytes = new TypedQueue(queue.bytes, { encode: () => "text" as never, decode: () => "" });
    assert.throws(() => noBytes.trySend(""), typeError("msgsnd", "Uint8Array"));
  });

  test("a value whose message is too long is EMSGSIZE that names the bytes", async () => {
    const queue = fresh();
    const long = { id: 1, args: ["x".repeat(300)] };
    const tooLong = ipcError("EMSGSIZE", "msgsnd", "at most 256 bytes", "this one has 320");
    assert.throws(() => queue.trySend(long), tooLong);
    assert.throws(() => queue.sendSync(long), tooLong);
    await assert.rejects(queue.send(long), tooLong);
    assert.throws(() => queue.trySendMany([{ id: 1 }, long]), tooLong);
    assert.equal(queue.length, 0);
  });

  const FOREIGN = "{ not json";

  test("a message that cannot be decoded is a DecodeError that keeps its bytes, and the next is next", async () => {
    const queue = fresh();
    const receives: (() => unknown)[] = [
      () => queue.receive(bounded),
      () => queue.receiveSync(bounded),
      () => queue.tryReceive(),
      () => queue.values(bounded).next(),
      () => queue.receiveMany(1),
    ];
    for (const receive of receives) {
      queue.bytes.sendSync(bytes(FOREIGN), { type: 3 });
      queue.sendSync({ id: 8 });
      await assert.rejects(
        async () => receive(),
        (error: unknown) => {
          assert.ok(error instanceof DecodeError && error instanceof IpcError);
          assert.deepEqual([error.name, error.code, error.errno], ["DecodeError", "EBADMSG", -74]);
          assert.match(error.message, /^EBADMSG: bad message, msgrcv queue "jobs": .* 10 bytes .*they are taken/);
          assert.ok(error.cause instanceof SyntaxError);
          const [message] = error.undecoded;
          assert.deepEqual([Buffer.from(message?.data ?? []).toString(), message?.type], [FOREIGN, 3]);
          return true;
        },
      );
      assert.deepEqual(queue.tryReceive()?.data, { id: 8 });
    }
  });

  test("of a batch with messages that cannot be decoded none is lost: the error has them, and the others", async () => {
    const queue = fresh();
    for (const receive of [() => queue.receiveMany(9), () => queue.receiveManySync(9), () => queue.tryReceiveMany(9)]) {
      queue.sendSync({ id: 1 });
      queue.bytes.sendManySync([bytes(FOREIGN), bytes("]")]);
      queue.sendSync({ id: 2 });
      await assert.rejects(
        async () => receive(),
        (error: unknown) => {
          assert.ok(error instanceof DecodeError);
          assert.deepEqual(
            error.undecoded.map(({ data }) => Buffer.from(data).toString()),
            [FOREIGN, "]"],
          );
          assert.deepEqual(
            error.decoded.map(({ data }) => data),
            [{ id: 1 }, { id: 2 }],
          );
          return true;
        },
      );
      assert.equal(queue.length, 0);
    }
  });

  test("a check looks at what comes, and what it refuses is a DecodeError", async () => {
    const kernel = world.createKernel();
    const asJob = (value: unknown): Job => {
      if (typeof (value as Job | null)?.id !== "number") throw new Error("that is no job");
      return value as Job;
    };
    for (const codec of [json(asJob), structured(asJob)]) {
      const queue = kernel.queue({ codec });
      queue.sendSync({ id: 1 });
      assert.equal((await queue.receive()).data.id, 1);
      queue.sendSync({ name: "x" } as never);
      await assert.rejects(queue.receive(), { code: "EBADMSG", message: /that is no job/ });
    }
  });

  test("structured values decode from messages of every length, short, pooled and long", () => {
    const kernel = world.createKernel({ messageBytesMax: 16_384 });
    const queue = kernel.queue({ codec: structured<{ data: Uint8Array }>() });
    for (let length = 0; length < 8192; length = length * 2 + 1) {
      const data = new Uint8Array(length).fill(length);
      queue.sendSync({ data });
      queue.sendSync({ data });
      const came = [queue.receiveSync(bounded), queue.receiveSync(bounded)];
      for (const { data: value } of came) assert.deepEqual(value, { data });
    }
  });

  test("iteration gives values of a type as they come, and ends with the handle", async () => {
    const queue = fresh();
    for (const id of [1, 2, 3]) queue.sendSync({ id }, { type: id === 2 ? 2 : 1 });
    const ids: number[] = [];
    for await (const { data } of queue.values({ type: 1 })) {
      ids.push(data.id);
      if (data.id === 3) setImmediate(() => queue.close());
    }
    assert.deepEqual(ids, [1, 3]);
    const all = fresh();
    all.sendSync({ id: 4 });
    for await (const { data } of all) {
      ids.push(data.id);
      all.close();
    }
    assert.deepEqual(ids, [1, 3, 4]);
  });

  test("a typed queue is polled, notified of and closed as its queue is", async () => {
    const kernel = world.createKernel();
    const queue = kernel.queue({ codec: text() });
    const notified = queue.notified();
    queue.sendSync("hello");
    await notified;
    const [ready] = await kernel.poll([{ handle: queue }]);
    assert.deepEqual([ready?.item.handle, ready?.readable], [queue, true]);
    assert.equal(kernel.fromDescriptor(queue.descriptor), queue.bytes);
    {
      using _queue = queue;
    }
    assert.deepEqual([queue.closed, queue.bytes.closed], [true, true]);
    await assert.rejects(queue.receive(), typeError("closed"));
    await assert.rejects(queue.send(""), typeError("closed"));
    assert.throws(() => kernel.pollSync([{ handle: queue }]), typeError("closed"));
  });

  test("values go through a pair of Web Streams, which leave the handle open", async () => {
    const queue = fresh(2);
    const { readable, writable } = queue.toWeb({ send: { type: 5 }, select: { type: 5 } });
    const written = ReadableStream.from([{ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 }]).pipeTo(writable);
    const ids: number[] = [];
    for await (const { data, type } of readable) {
      assert.equal(type, 5);
      if (ids.push(data.id) === 4) break;
    }
    await written;
    assert.deepEqual([ids, queue.closed], [[1, 2, 3, 4], false]);
  });

  test("a stream of a queue takes no message before it is read, and none once it is cancelled", async () => {
    const kernel = world.createKernel();
    const queue = kernel.queue({ codec: text() });
    const { readable } = queue.toWeb();
    const node = queue.toNode();
    queue.sendSync("stays");
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(queue.length, 1);
    const reader = readable.getReader();
    assert.equal((await reader.read()).value?.data, "stays");
    const waiting = reader.read();
    await untilAsleep(kernel, kernel.pid);
    await reader.cancel();
    assert.equal((await waiting).done, true);
    await until(() => waitsUnderWay(kernel, kernel.pid) === 0, "the wait to be over");
    node.destroy();
    queue.sendSync("stays too");
    assert.equal(queue.tryReceive()?.data, "stays too");
  });

  test("a write to a full queue ends when its Web Stream is aborted, and has sent nothing", async () => {
    const kernel = world.createKernel();
    const queue = kernel.queue({ depth: 1, codec: text() });
    queue.sendSync("full");
    const writer = queue.toWeb().writable.getWriter();
    const reason = new Error("enough");
    const write = writer.write("never sent");
    await untilAsleep(kernel, kernel.pid);
    await writer.abort(reason);
    await assert.rejects(write, reason);
    assert.deepEqual([queue.tryReceive()?.data, queue.tryReceive()], ["full", undefined]);
  });

  test("values go through a node:stream, which ends when the handle is closed", async () => {
    const queue = fresh(2);
    const stream = queue.toNode();
    for (const id of [1, 2, 3]) stream.write({ id });
    const ids: number[] = [];
    stream.on("data", ({ data }: { data: Job }) => {
      if (ids.push(data.id) === 3) setImmediate(() => queue.close());
    });
    await new Promise((resolve) => stream.once("end", resolve));
    assert.deepEqual(ids, [1, 2, 3]);
  });

  test("a queue of bytes streams too", async () => {
    const queue = world.createKernel().queue();
    const { readable, writable } = queue.toWeb();
    await writable.getWriter().write(bytes("a"));
    const { value } = await readable.getReader().read();
    assert.deepEqual(value?.data, bytes("a"));
  });
});
