// Message queues: the mission's section "Message Passing", msgop(2), mq_overview(7), and the public handle.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { KernelLimits, MessageQueue, QueueOptions } from "../src/index.ts";
import { assertSameBytes, bytes, ipcError, LAST, pattern, text, typeError } from "./expectations.ts";
import type { Form } from "./tasks-pipe.ts";
import { bounded, overWorlds, untilAsleep, waitsUnderWay } from "./worlds.ts";

const FORMS: readonly Form[] = ["sync", "awaited"];

const numbers = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}:${i}`);
const textsOf = (queue: MessageQueue): string[] => queue.tryReceiveMany(1000).map(({ data }) => text(data));

overWorlds((world) => {
  const queueOf = (options?: QueueOptions, limits?: Partial<KernelLimits>) => {
    const kernel = world.createKernel(limits);
    return { kernel, queue: kernel.queue(options) };
  };

  test("the mission's example: a message that was sent is received, and then there is none", () => {
    const { kernel, queue } = queueOf({ depth: 10 });
    queue.sendSync(bytes("data"));
    const message = queue.tryReceive();
    assert.deepEqual([message && text(message.data), message?.sender], ["data", kernel.pid]);
    assert.equal(queue.tryReceive(), undefined);
  });

  test("messages are received in the order they were sent", () => {
    const { queue } = queueOf({ depth: 100 });
    for (const message of numbers("m", 100)) queue.sendSync(bytes(message));
    assert.deepEqual(textsOf(queue), numbers("m", 100));
  });

  test("order holds over many times round the ring, at a depth that is no power of two", () => {
    const { queue } = queueOf({ depth: 5 });
    for (let round = 0; round < 50; round++) {
      const messages = numbers(`${round}`, 1 + (round % 5));
      for (const message of messages) assert.ok(queue.trySend(bytes(message)));
      assert.deepEqual(textsOf(queue), messages);
    }
  });

  test("a message has at most 256 bytes, and a longer one is EMSGSIZE that says the limit", async () => {
    const { queue } = queueOf();
    assert.equal(queue.messageBytesMax, 256);
    queue.sendSync(pattern(256));
    const tooLong = ipcError("EMSGSIZE", "msgsnd", "queue", "at most 256 bytes", "this one has 257", "messageBytesMax");
    assert.throws(() => queue.trySend(new Uint8Array(257)), tooLong);
    assert.throws(() => queue.sendSync(new Uint8Array(257)), tooLong);
    await assert.rejects(queue.send(new Uint8Array(257)), tooLong);
    assertSameBytes(queue.tryReceive()?.data, pattern(256));
    assert.equal(queue.length, 0);
  });

  test("a batch with one message too long sends none of them", async () => {
    const { queue } = queueOf();
    const batch = [bytes("fine"), new Uint8Array(257)];
    assert.throws(() => queue.sendManySync(batch), ipcError("EMSGSIZE", "msgsnd"));
    assert.throws(() => queue.trySendMany(batch), ipcError("EMSGSIZE", "msgsnd"));
    await assert.rejects(queue.sendMany(batch), ipcError("EMSGSIZE", "msgsnd"));
    assert.equal(queue.length, 0);
  });

  test("the longest message is set when the kernel is created", async () => {
    const { kernel, queue } = queueOf({ name: "big", create: true }, { messageBytesMax: 100_000 });
    const receiver = await world.startTask(kernel, "receiveOne", { queue: { name: "big" }, form: "sync" });
    queue.sendSync(pattern(100_000));
    assertSameBytes(((await receiver.result()) as { data: Uint8Array }).data, pattern(100_000));
    assert.throws(() => queue.sendSync(new Uint8Array(100_001)), ipcError("EMSGSIZE", "msgsnd", "100000"));
  });

  test("a queue may have a shorter limit of its own", () => {
    const { queue } = queueOf({ messageBytesMax: 9 });
    queue.sendSync(new Uint8Array(9));
    assert.throws(() => queue.sendSync(new Uint8Array(10)), ipcError("EMSGSIZE", "msgsnd", "at most 9 bytes"));
  });

  test("messages of every length come out as they went in, the empty one too", () => {
    const { queue } = queueOf({ depth: 300 });
    for (let length = 0; length <= 256; length++) queue.sendSync(pattern(length, length));
    for (let length = 0; length <= 256; length++) assertSameBytes(queue.tryReceive()?.data, pattern(length, length));
  });

  test("a received message is a copy: later messages do not change it", () => {
    const { queue } = queueOf({ depth: 1 });
    queue.sendSync(bytes("a".repeat(100)));
    const message = queue.receiveSync(bounded);
    queue.sendSync(bytes("b".repeat(100)));
    assert.equal(text(message.data), "a".repeat(100));
  });

  for (const form of FORMS) {
    test(`a message carries its sender's pid, its type and its priority (${form})`, async () => {
      const { kernel, queue } = queueOf({ name: "jobs", create: true });
      const args = { queue: { name: "jobs" }, data: bytes("hello"), type: 2 ** 40 + 7, form };
      const sender = await world.startTask(kernel, "sendOne", args);
      const message = form === "sync" ? queue.receiveSync(bounded) : await queue.receive(bounded);
      assert.deepEqual(
        { ...message, data: text(message.data) },
        { data: "hello", sender: sender.pid, type: 2 ** 40 + 7, priority: 0 },
      );
    });

    test(`a message wakes a sleeping receiver (${form})`, async () => {
      const { kernel, queue } = queueOf();
      const receiver = await world.startTask(kernel, "receiveOne", { queue: { token: queue.token }, form });
      await untilAsleep(kernel, receiver.pid);
      queue.sendSync(bytes("good morning"));
      const { data, sender } = (await receiver.result()) as { data: Uint8Array; sender: number };
      assert.deepEqual([text(data), sender], ["good morning", kernel.pid]);
    });

    test(`room wakes a sleeping sender (${form})`, async () => {
      const { kernel, queue } = queueOf({ depth: 1 });
      queue.sendSync(bytes("first"));
      const args = { queue: { token: queue.token }, data: bytes("second"), form };
      const sender = await world.startTask(kernel, "sendOne", args);
      await untilAsleep(kernel, sender.pid);
      assert.equal(text(queue.receiveSync(bounded).data), "first");
      assert.equal(text((await queue.receive(bounded)).data), "second");
      assert.equal(await sender.result(), "nothing");
    });

    test(`several senders and receivers: each message once, each sender's in order (${form})`, async () => {
      const { kernel, queue } = queueOf({ name: "jobs", create: true, depth: 7 });
      const senders = ["a", "b"];
      const count = 1500;
      const receivers = await Promise.all(
        [0, 1].map(() => world.startTask(kernel, "receiveUntilLast", { queue: { name: "jobs" }, form })),
      );
      const tasks = await Promise.all(
        senders.map((prefix) =>
          world.startTask(kernel, "sendNumbered", { queue: { name: "jobs" }, prefix, count, form }),
        ),
      );
      for (const task of tasks) await task.result();
      for (const _ of receivers) await queue.send(bytes(LAST), bounded);
      const received = (await Promise.all(receivers.map((task) => task.result()))) as string[][];
      for (const prefix of senders) {
        for (const part of received) {
          const own = part.filter((message) => message.startsWith(prefix)).map((message) => Number(message.slice(2)));
          assert.deepEqual(
            own,
            own.toSorted((x, y) => x - y),
          );
        }
      }
      const expected = senders.flatMap((prefix) => numbers(prefix, count)).sort();
      assert.deepEqual(received.flat().sort(), expected);
    });

    test(`a batch larger than the depth goes through while another task receives (${form})`, async () => {
      const { kernel, queue } = queueOf({ name: "jobs", create: true, depth: 16 });
      const args = { queue: { name: "jobs" }, prefix: "m", count: 1000, batch: 100, form };
      await world.startTask(kernel, "sendNumbered", args);
      const received: string[] = [];
      while (received.length < 1000) {
        const some = form === "sync" ? queue.receiveManySync(64, bounded) : await queue.receiveMany(64, bounded);
        assert.ok(some.length >= 1 && some.length <= 16);
        for (const { data } of some) received.push(text(data));
      }
      assert.deepEqual(received, numbers("m", 1000));
    });

    test(`a thousand round trips to another task and back (${form})`, async () => {
      const { kernel, queue: there } = queueOf({ name: "there", create: true });
      const back = kernel.queue({ name: "back", create: true });
      const echo = await world.startTask(kernel, "echo", { from: { name: "there" }, to: { name: "back" }, form });
      for (let i = 0; i < 1000; i++) {
        const message = bytes(`ping ${i}`);
        if (form === "sync") there.sendSync(message);
        else await there.send(message);
        const answer = form === "sync" ? back.receiveSync(bounded) : await back.receive(bounded);
        assert.equal(text(answer.data), `ping ${i}`);
      }
      there.sendSync(bytes(LAST));
      assert.equal(await echo.result(), 1000);
    });
  }

  test("a message without a type has type 1", () => {
    const { queue } = queueOf();
    queue.sendSync(bytes("x"));
    assert.equal(queue.tryReceive()?.type, 1);
  });

  test("a queue holds ten messages by default, and not one more", () => {
    const { queue } = queueOf();
    assert.equal(queue.depth, 10);
    for (let i = 0; i < 10; i++) assert.equal(queue.trySend(bytes("x")), true);
    assert.equal(queue.trySend(bytes("x")), false);
    assert.equal(queue.length, 10);
  });

  for (const depth of [1, 3, 8, 1000]) {
    test(`a queue of depth ${depth} holds ${depth}, and has room again after one is received`, () => {
      const { queue } = queueOf({ depth });
      for (let i = 0; i < depth; i++) assert.equal(queue.trySend(bytes(`${i}`)), true);
      assert.equal(queue.trySend(bytes("more")), false);
      assert.equal(text(queue.receiveSync(bounded).data), "0");
      assert.equal(queue.trySend(bytes("more")), true);
      assert.equal(queue.trySend(bytes("more")), false);
    });
  }

  test("a queue is reached by its name from another task, with the depth it was made with", async () => {
    const { kernel, queue } = queueOf({ name: "jobs", create: true, depth: 3, messageBytesMax: 100 });
    const receiver = await world.startTask(kernel, "receiveOne", { queue: { name: "jobs" }, form: "sync" });
    queue.sendSync(bytes("by name"));
    assert.equal(text(((await receiver.result()) as { data: Uint8Array }).data), "by name");
    const again = kernel.queue({ name: "jobs", create: true, depth: 50, messageBytesMax: 10 });
    assert.deepEqual([again.depth, again.messageBytesMax], [3, 100]);
  });

  test("a queue is reached by its key from another task", async () => {
    const { kernel, queue } = queueOf({ key: 0x1234, create: true });
    const receiver = await world.startTask(kernel, "receiveOne", { queue: { key: 0x1234 }, form: "sync" });
    queue.sendSync(bytes("by key"));
    assert.equal(text(((await receiver.result()) as { data: Uint8Array }).data), "by key");
  });

  test("a queue without name or key is reached by its token only", async () => {
    const { kernel, queue } = queueOf();
    const other = kernel.queue();
    other.sendSync(bytes("another's"));
    const receiver = await world.startTask(kernel, "receiveOne", { queue: { token: queue.token }, form: "sync" });
    queue.sendSync(bytes("by token"));
    assert.equal(text(((await receiver.result()) as { data: Uint8Array }).data), "by token");
  });

  test("names and keys do not mix: keys whose bytes are a name's are another queue", () => {
    const { kernel, queue } = queueOf({ name: "abcd", create: true });
    const byKey = kernel.queue({ key: 0x64636261, create: true });
    queue.sendSync(bytes("x"));
    assert.equal(byKey.tryReceive(), undefined);
  });

  test("a name of 255 bytes in any language is a name", () => {
    const { kernel, queue } = queueOf({ name: `${"ü".repeat(127)}x`, create: true });
    queue.sendSync(bytes("x"));
    assert.equal(kernel.queue({ name: `${"ü".repeat(127)}x` }).length, 1);
  });

  test("making a queue exclusively is EEXIST where there is one", () => {
    const { kernel } = queueOf({ name: "jobs", create: true });
    const before = kernel.usage();
    assert.throws(
      () => kernel.queue({ name: "jobs", create: true, exclusive: true }),
      ipcError("EEXIST", "msgget", 'queue "jobs"', "unlink it first"),
    );
    kernel.queue({ key: 5, create: true, exclusive: true }).close();
    assert.throws(() => kernel.queue({ key: 5, create: true, exclusive: true }), ipcError("EEXIST", "msgget", "key 5"));
    kernel.unlinkQueue(5);
    assert.deepEqual(kernel.usage(), before);
  });

  test("opening a queue that is not there is ENOENT", () => {
    const kernel = world.createKernel();
    assert.throws(() => kernel.queue({ name: "absent" }), ipcError("ENOENT", "msgget", '"absent"', "{ create: true }"));
    assert.throws(() => kernel.queue({ key: 77 }), ipcError("ENOENT", "msgget", "key 77"));
    assert.throws(() => kernel.unlinkQueue("absent"), ipcError("ENOENT", "mq_unlink", '"absent"'));
  });

  test("a named queue keeps its messages while nobody has it open, until it is unlinked", () => {
    const kernel = world.createKernel();
    const before = kernel.usage();
    const queue = kernel.queue({ name: "jobs", create: true });
    queue.sendSync(bytes("kept"));
    queue.close();
    const again = kernel.queue({ name: "jobs" });
    assert.equal(text(again.receiveSync(bounded).data), "kept");
    again.close();
    kernel.unlinkQueue("jobs");
    assert.deepEqual(kernel.usage(), before);
  });

  test("those who have an unlinked queue open carry on, and its memory goes with the last", () => {
    const kernel = world.createKernel();
    const before = kernel.usage();
    const queue = kernel.queue({ name: "jobs", create: true });
    const second = kernel.queue({ name: "jobs" });
    kernel.unlinkQueue("jobs");
    queue.sendSync(bytes("still"));
    queue.close();
    assert.equal(text(second.receiveSync(bounded).data), "still");
    assert.throws(() => kernel.queue({ name: "jobs" }), ipcError("ENOENT", "msgget"));
    second.close();
    assert.deepEqual(kernel.usage(), before);
  });

  test("trySendMany sends what there is room for and says how many", () => {
    const { queue } = queueOf({ depth: 4 });
    const batch = ["a", "b", "c"].map(bytes);
    assert.deepEqual([queue.trySendMany(batch), queue.trySendMany(batch), queue.trySendMany(batch)], [3, 1, 0]);
    assert.deepEqual(textsOf(queue), ["a", "b", "c", "a"]);
  });

  test("a batch of no messages sends nothing, in a full queue too", async () => {
    const { queue } = queueOf({ depth: 1 });
    queue.sendSync(bytes("x"));
    assert.equal(queue.trySendMany([]), 0);
    queue.sendManySync([]);
    await queue.sendMany([]);
    assert.equal(queue.length, 1);
  });

  test("tryReceiveMany takes at most as many as asked, and none from an empty queue", () => {
    const { queue } = queueOf();
    queue.sendManySync(["a", "b", "c"].map(bytes));
    assert.deepEqual(
      queue.tryReceiveMany(2).map(({ data }) => text(data)),
      ["a", "b"],
    );
    assert.equal(queue.tryReceiveMany(2).length, 1);
    assert.deepEqual(queue.tryReceiveMany(2), []);
  });

  test("a batch wakes as many sleeping receivers as it has messages", async () => {
    const { kernel, queue } = queueOf();
    const receives = [queue.receive(), queue.receive(), queue.receive()];
    const other = await world.startTask(kernel, "receiveOne", { queue: { token: queue.token }, form: "sync" });
    await untilAsleep(kernel, other.pid);
    queue.sendManySync(["a", "b", "c", "d"].map(bytes));
    const texts = (await Promise.all(receives)).map(({ data }) => text(data));
    const last = (await other.result()) as { data: Uint8Array };
    assert.deepEqual([...texts, text(last.data)].sort(), ["a", "b", "c", "d"]);
  });

  test("receiveInto fills the caller's buffer, and tells sender and type", async () => {
    const { kernel, queue } = queueOf();
    const buffer = new Uint8Array(16);
    queue.sendManySync([bytes("one")], { type: 3 });
    assert.equal(await queue.receiveInto(buffer), 3);
    assert.deepEqual([text(buffer.subarray(0, 3)), queue.lastSender, queue.lastType], ["one", kernel.pid, 3]);
    queue.sendSync(bytes("three"), { type: 9 });
    assert.equal(queue.receiveIntoSync(buffer), 5);
    assert.deepEqual([text(buffer.subarray(0, 5)), queue.lastType], ["three", 9]);
    queue.sendSync(bytes("five5"));
    assert.equal(queue.tryReceiveInto(buffer), 5);
    assert.equal(queue.tryReceiveInto(buffer), -1);
  });

  test("lastType is that of what was taken last, not of what did not fit", () => {
    const { queue } = queueOf();
    queue.sendSync(bytes("one"), { type: 3 });
    queue.sendSync(bytes("three"), { type: 9 });
    assert.equal(queue.receiveIntoSync(new Uint8Array(3)), 3);
    assert.throws(() => queue.tryReceiveInto(new Uint8Array(3)), ipcError("E2BIG", "msgrcv"));
    assert.equal(queue.lastType, 3);
  });

  test("a message longer than the caller's buffer is E2BIG and stays, in all three forms", async () => {
    const { queue } = queueOf();
    queue.sendSync(pattern(100));
    const tooShort = ipcError("E2BIG", "msgrcv", "still in the queue", "larger");
    const buffer = new Uint8Array(99);
    assert.throws(() => queue.tryReceiveInto(buffer), tooShort);
    assert.throws(() => queue.receiveIntoSync(buffer), tooShort);
    await assert.rejects(queue.receiveInto(buffer), tooShort);
    assertSameBytes(buffer, new Uint8Array(99));
    assertSameBytes(queue.receiveSync(bounded).data, pattern(100));
  });

  test("a waiting receiveInto whose buffer is too short leaves the message to the next waiter", async () => {
    const { queue } = queueOf();
    const tooShort = queue.receiveInto(new Uint8Array(2));
    const next = queue.receive();
    queue.sendSync(bytes("long"));
    await assert.rejects(tooShort, ipcError("E2BIG", "msgrcv"));
    assert.equal(text((await next).data), "long");
  });

  test("a receive whose time passes is ETIMEDOUT, asleep and awaited", async () => {
    const { kernel, queue } = queueOf();
    const late = ipcError("ETIMEDOUT", "msgrcv", "queue");
    assert.throws(() => queue.receiveSync({ timeout: 20 }), late);
    await assert.rejects(queue.receive({ timeout: 20 }), late);
    await assert.rejects(queue.receiveMany(5, { timeout: 20 }), late);
    await assert.rejects(queue.receiveInto(new Uint8Array(1), { timeout: 0 }), late);
    assert.equal(waitsUnderWay(kernel, kernel.pid), 0);
  });

  test("a send whose time passes is ETIMEDOUT and has sent nothing, asleep and awaited", async () => {
    const { queue } = queueOf({ depth: 1 });
    queue.sendSync(bytes("first"));
    const late = ipcError("ETIMEDOUT", "msgsnd", "queue");
    assert.throws(() => queue.sendSync(bytes("second"), { timeout: 20 }), late);
    await assert.rejects(queue.send(bytes("second"), { timeout: 20 }), late);
    assert.deepEqual(textsOf(queue), ["first"]);
  });

  test("the time-out of a batch counts from its beginning, however often it comes on", async () => {
    const { queue } = queueOf({ depth: 1 });
    const drip = setInterval(() => queue.tryReceive(), 20);
    const batch = Array.from({ length: 100 }, () => bytes("x"));
    try {
      await assert.rejects(queue.sendMany(batch, { timeout: 200 }), ipcError("ETIMEDOUT", "msgsnd"));
    } finally {
      clearInterval(drip);
    }
  });

  test("an aborted receive rejects with the signal's reason, and the message goes to the next", async () => {
    const { kernel, queue } = queueOf();
    const controller = new AbortController();
    const reason = new Error("changed my mind");
    const aborted = queue.receive({ signal: controller.signal });
    const next = queue.receive();
    controller.abort(reason);
    await assert.rejects(aborted, (error) => error === reason);
    assert.equal(waitsUnderWay(kernel, kernel.pid), 1);
    queue.sendSync(bytes("late"));
    assert.equal(text((await next).data), "late");
  });

  test("a receive aborted after it was woken hands the message to a receiver of another task", async () => {
    const { kernel, queue } = queueOf();
    const controller = new AbortController();
    const aborted = queue.receive({ signal: controller.signal });
    const other = await world.startTask(kernel, "receiveOne", { queue: { token: queue.token }, form: "sync" });
    await untilAsleep(kernel, other.pid);
    queue.sendSync(bytes("yours")); // wakes the first
    controller.abort(); // which never looks
    await assert.rejects(aborted, { name: "AbortError" });
    assert.equal(text(((await other.result()) as { data: Uint8Array }).data), "yours");
  });

  test("an aborted send has sent nothing, and its wait is gone", async () => {
    const { kernel, queue } = queueOf({ depth: 1 });
    queue.sendSync(bytes("first"));
    const controller = new AbortController();
    const send = queue.send(bytes("never"), { signal: controller.signal });
    controller.abort();
    await assert.rejects(send, { name: "AbortError" });
    assert.equal(waitsUnderWay(kernel, kernel.pid), 0);
    assert.deepEqual(textsOf(queue), ["first"]);
  });

  test("a signal aborted beforehand rejects at once, and no message is taken", async () => {
    const { queue } = queueOf();
    queue.sendSync(bytes("x"));
    const signal = AbortSignal.abort("no");
    await assert.rejects(queue.receive({ signal }), (reason) => reason === "no");
    await assert.rejects(queue.send(bytes("y"), { signal }), (reason) => reason === "no");
    assert.equal(queue.length, 1);
  });

  test("receivers that wait are served in the order they came", async () => {
    const { queue } = queueOf();
    const receives = [queue.receive(), queue.receive(), queue.receive()];
    for (const message of ["a", "b", "c"]) queue.sendSync(bytes(message));
    const texts = (await Promise.all(receives)).map(({ data }) => text(data));
    assert.deepEqual(texts, ["a", "b", "c"]);
  });

  test("iterating gives the messages as they come, and ends when the handle is closed", async () => {
    const { kernel, queue } = queueOf({ name: "jobs", create: true, depth: 3 });
    await world.startTask(kernel, "sendNumbered", { queue: { name: "jobs" }, prefix: "m", count: 50, form: "sync" });
    const received: string[] = [];
    for await (const { data } of queue) {
      received.push(text(data));
      if (received.length === 50) setImmediate(() => queue.close()); // while the iterator waits
    }
    assert.deepEqual(received, numbers("m", 50));
  });

  test("closing a handle rejects the receive that waits on it with EBADF, and no other's", async () => {
    const { kernel, queue } = queueOf();
    const second = kernel.openToken(queue.token);
    const closed = queue.receive();
    const open = second.receive();
    queue.close();
    await assert.rejects(closed, ipcError("EBADF", "msgrcv", "closed while this waited"));
    second.sendSync(bytes("x"));
    assert.equal(text((await open).data), "x");
  });

  test("a closed queue refuses to work, with a TypeError", async () => {
    const { queue } = queueOf();
    queue.close();
    queue.close();
    assert.throws(() => queue.trySend(bytes("x")), typeError("msgsnd", "closed"));
    assert.throws(() => queue.sendSync(bytes("x")), typeError("msgsnd", "closed"));
    await assert.rejects(queue.send(bytes("x")), typeError("msgsnd", "closed"));
    assert.throws(() => queue.tryReceive(), typeError("msgrcv", "closed"));
    assert.throws(() => queue.receiveSync(), typeError("msgrcv", "closed"));
    await assert.rejects(queue.receive(), typeError("msgrcv", "closed"));
    assert.throws(() => queue.length, typeError("closed"));
  });

  test("a queue is closed when its `using` block ends", () => {
    const kernel = world.createKernel();
    const before = kernel.usage();
    {
      using queue = kernel.queue();
      queue.sendSync(bytes("x"));
    }
    assert.deepEqual(kernel.usage(), before);
  });

  test("a token of a queue that is gone is ENOENT, even if another lives in its place", () => {
    const { kernel, queue } = queueOf();
    const { token } = queue;
    queue.close();
    kernel.queue();
    assert.throws(() => kernel.openToken(token), ipcError("ENOENT", "open", "queue", "it is gone"));
  });

  test("one task awaits a message on each of fifty queues at once", async () => {
    const kernel = world.createKernel();
    const names = Array.from({ length: 50 }, (_, i) => `q${i}`);
    const queues = names.map((name) => kernel.queue({ name, create: true }));
    const waiter = await world.startTask(kernel, "awaitMany", { queues: names.map((name) => ({ name })) });
    await untilAsleep(kernel, waiter.pid, names.length);
    for (const [i, queue] of [...queues.entries()].reverse()) queue.sendSync(bytes(`for ${i}`));
    assert.deepEqual(
      await waiter.result(),
      names.map((_, i) => `for ${i}`),
    );
  });

  test("an awaited receive leaves the event loop to others while messages are always there", async () => {
    const { queue } = queueOf();
    let ticks = 0;
    const ticker = setInterval(() => ticks++, 1);
    try {
      for (let received = 0; ticks === 0 && received < 1_000_000; received++) {
        queue.sendSync(bytes("x"));
        await queue.receive();
      }
    } finally {
      clearInterval(ticker);
    }
    assert.ok(ticks > 0, "a timer had its turn");
  });

  test("more waits than the kernel has room for is ENOSPC, and those under way go on", async () => {
    const { queue } = queueOf({}, { waitersMax: 2 });
    const receives = [queue.receive(), queue.receive()];
    await assert.rejects(queue.receive(), ipcError("ENOSPC", "msgrcv", "waitersMax"));
    assert.throws(() => queue.receiveSync(bounded), ipcError("ENOSPC", "msgrcv", "waitersMax"));
    queue.sendManySync(["a", "b"].map(bytes));
    assert.deepEqual(
      (await Promise.all(receives)).map(({ data }) => text(data)),
      ["a", "b"],
    );
  });

  test("waits that are over leave their room to other tasks", async () => {
    const { kernel, queue } = queueOf({}, { waitersMax: 4 });
    const receives = [queue.receive(), queue.receive(), queue.receive(), queue.receive()];
    queue.sendManySync(["a", "b", "c", "d"].map(bytes));
    await Promise.all(receives);
    const other = await world.startTask(kernel, "receiveOne", { queue: { token: queue.token }, form: "sync" });
    await other.report();
    await untilAsleep(kernel, other.pid);
    queue.sendSync(bytes("e"));
    assert.equal(text(((await other.result()) as { data: Uint8Array }).data), "e");
  });
});
