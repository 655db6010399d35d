// Messages and bytes that are written and read where they lie, and batches into the caller's buffer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertSameBytes, bytes, ipcError, pattern, text, typeError } from "./expectations.ts";
import { bounded, overWorlds } from "./worlds.ts";

overWorlds((world) => {
  test("a message that is written in place is received as it was written, with its type, priority and sender", () => {
    const kernel = world.createKernel();
    const queue = kernel.queue();
    queue.sendInPlaceSync(5, (room) => room.set(bytes("hello")), { type: 7, priority: 3 });
    const message = queue.receiveSync();
    assert.deepEqual([text(message.data), message.type, message.priority, message.sender], ["hello", 7, 3, kernel.pid]);
  });

  test("a message is read in place, and taken once the function has returned", () => {
    const kernel = world.createKernel();
    const queue = kernel.queue();
    queue.sendSync(pattern(200), { type: 9 });
    const length = queue.tryReceiveInPlace((lent) => {
      assertSameBytes(lent, pattern(200));
      assert.deepEqual([queue.lastType, queue.lastSender], [9, kernel.pid]);
    });
    assert.deepEqual([length, queue.length], [200, 0]);
  });

  test("messages in place are in order with the others, priorities first", () => {
    const queue = world.createKernel().queue();
    queue.trySend(bytes("b"));
    queue.trySendInPlace(1, (room) => room.set(bytes("c")));
    queue.trySendInPlace(1, (room) => room.set(bytes("a")), { priority: 1 });
    const seen: string[] = [];
    while (queue.tryReceiveInPlace((lent) => void seen.push(text(lent))) >= 0);
    assert.deepEqual(seen, ["a", "b", "c"]);
  });

  test("where the function throws, nothing was sent, and the message stays", () => {
    const queue = world.createKernel().queue();
    const broken = (): never => {
      throw new Error("broken");
    };
    assert.throws(() => queue.trySendInPlace(3, broken), /broken/);
    assert.equal(queue.length, 0);
    queue.trySend(bytes("stays"));
    assert.throws(() => queue.tryReceiveInPlace(broken), /broken/);
    assert.equal(text(queue.tryReceive()?.data as Uint8Array), "stays");
  });

  test("a full queue is false, an empty one -1, and a message too long EMSGSIZE: the function is not called", () => {
    const queue = world.createKernel().queue({ depth: 1 });
    const never = (): never => assert.fail("it was called");
    assert.equal(queue.tryReceiveInPlace(never), -1);
    assert.throws(() => queue.trySendInPlace(257, never), ipcError("EMSGSIZE", "msgsnd", "at most 256 bytes"));
    queue.trySend(bytes("1"));
    assert.equal(queue.trySendInPlace(1, never), false);
    assert.throws(() => queue.sendInPlaceSync(1, never, { timeout: 1 }), ipcError("ETIMEDOUT", "msgsnd"));
  });

  test("the function cannot use what it is in the middle of, by this handle or another, and may use all else", () => {
    const kernel = world.createKernel();
    const queue = kernel.queue({ name: "one", create: true });
    const again = kernel.queue({ name: "one" });
    const other = kernel.queue();
    for (const handle of [queue, again]) {
      assert.throws(
        () => queue.trySendInPlace(1, () => void handle.trySend(bytes("x"))),
        typeError("being written or read in place"),
      );
    }
    assert.ok(queue.trySendInPlace(1, () => void other.trySend(bytes("x"))));
    assert.deepEqual([queue.length, other.length], [1, 1]);
    assert.ok(queue.trySend(bytes("y")), "the lock is free again");
  });

  test("promises in place wait for a message, and for room", async () => {
    const queue = world.createKernel().queue({ depth: 1 });
    const seen: string[] = [];
    const receiving = queue.receiveInPlace((lent) => void seen.push(text(lent)), bounded);
    await queue.sendInPlace(1, (room) => room.set(bytes("1")));
    assert.equal(await receiving, 1);
    await queue.send(bytes("2"));
    const sending = queue.sendInPlace(1, (room) => room.set(bytes("3")), bounded);
    assert.equal(text((await queue.receive()).data), "2");
    await sending;
    assert.equal(text((await queue.receive()).data), "3");
    assert.deepEqual(seen, ["1"]);
  });

  test("a batch comes into the caller's buffer, one message behind the other, as many as fit", () => {
    const queue = world.createKernel().queue();
    const lengths = new Int32Array(8);
    const buffer = new Uint8Array(10);
    assert.equal(queue.tryReceiveManyInto(buffer, lengths), 0);
    for (const word of ["one", "", "three", "four"]) queue.trySend(bytes(word));
    assert.equal(queue.receiveManyIntoSync(buffer, lengths), 3);
    assert.deepEqual([...lengths.subarray(0, 3)], [3, 0, 5]);
    assert.equal(text(buffer.subarray(0, 8)), "onethree");
    assert.throws(() => queue.tryReceiveManyInto(new Uint8Array(3), lengths), ipcError("E2BIG", "msgrcv"));
    assert.equal(queue.tryReceiveManyInto(buffer, new Uint32Array(1)), 1);
  });

  test("a batch into a buffer takes the highest priority first, and what was taken by type is not there", () => {
    const queue = world.createKernel().queue();
    const buffer = new Uint8Array(64);
    queue.trySend(bytes("b"));
    queue.trySend(bytes("x"), { type: 5 });
    queue.trySend(bytes("c"));
    queue.trySend(bytes("a"), { priority: 9 });
    assert.equal(text(queue.tryReceive({ type: 5 })?.data as Uint8Array), "x");
    assert.equal(queue.tryReceiveManyInto(buffer, new Int32Array(64)), 3);
    assert.equal(text(buffer.subarray(0, 3)), "abc");
  });

  test("lengths that are no Int32Array or Uint32Array, and a use that is no function, are TypeErrors at once", async () => {
    const kernel = world.createKernel();
    const queue = kernel.queue();
    const { reader, writer } = kernel.pipe();
    const wrong = [1] as unknown as Int32Array;
    const none = 1 as unknown as () => number;
    assert.throws(() => queue.tryReceiveManyInto(new Uint8Array(1), wrong), typeError("the lengths must be"));
    assert.throws(
      () => queue.tryReceiveManyInto(new Uint8Array(1), new Int32Array(0)),
      typeError("at least one place"),
    );
    assert.throws(() => queue.trySendInPlace(1, none), typeError("must be a function"));
    await assert.rejects(queue.receiveInPlace(none), typeError("must be a function"));
    assert.throws(() => reader.tryReadInPlace(none), typeError("must be a function"));
    await assert.rejects(writer.writeInPlace(1, none), typeError("must be a function"));
  });

  test("bytes of a pipe are written and read in place, as many as the functions say, in one piece", () => {
    const { reader, writer } = world.createKernel().pipe({ capacity: 8 });
    const write = (most: number, what: string): number =>
      writer.tryWriteInPlace(most, (room) => {
        const some = bytes(what).subarray(0, room.length);
        room.set(some);
        return some.length;
      });
    const read = (count: number): string => {
      let seen = "";
      reader.tryReadInPlace((lent) => {
        seen = text(lent.subarray(0, count));
        return Math.min(count, lent.length);
      });
      return seen;
    };
    assert.equal(write(6, "abcdef"), 6);
    assert.equal(read(4), "abcd");
    assert.equal(write(100, "ghijkl"), 2, "up to where the ring ends");
    assert.equal(write(100, "ijkl"), 4, "and on from its beginning");
    assert.equal(write(1, "m"), -1, "full");
    assert.deepEqual([read(8), read(8)], ["efgh", "ijkl"]);
    assert.equal(
      reader.tryReadInPlace(() => 0),
      -1,
    );
  });

  test("reading in place is 0 at end-of-file, and writing EPIPE without a reader: the function is not called", async () => {
    const kernel = world.createKernel();
    const never = (): never => assert.fail("it was called");
    const one = kernel.pipe();
    one.writer.close();
    assert.deepEqual([one.reader.tryReadInPlace(never), await one.reader.readInPlace(never)], [0, 0]);
    const other = kernel.pipe();
    other.reader.close();
    assert.throws(() => other.writer.tryWriteInPlace(1, never), ipcError("EPIPE", "write"));
  });

  test("a use that says more than it was given, or throws, has used nothing", () => {
    const { reader, writer } = world.createKernel().pipe();
    assert.throws(() => writer.tryWriteInPlace(4, () => 5), /of 4 bytes in place, 5 cannot have been used/);
    writer.tryWrite(bytes("abc"));
    assert.throws(() => reader.tryReadInPlace(() => Number.NaN), RangeError);
    assert.throws(
      () =>
        reader.tryReadInPlace(() => {
          throw new Error("broken");
        }),
      /broken/,
    );
    assert.equal(reader.length, 3);
  });

  test("a task that is in the middle of a message in place makes the others wait, and one that dies there has sent nothing", async () => {
    const kernel = world.createKernel();
    const queue = kernel.queue({ name: "shared", create: true });
    const writer = await world.startTask(kernel, "stallInPlace", { queue: { name: "shared" } });
    assert.equal(await writer.report(), "inside");
    writer.kill();
    queue.sendSync(bytes("next"));
    assert.equal(text((await queue.receive(bounded)).data), "next");
    assert.equal(queue.length, 0);
  });
});
