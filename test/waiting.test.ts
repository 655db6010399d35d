// What can go wrong while a call waits, in one task.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { EAGAIN, EIO } from "../src/abi/errno.ts";
import { limitDefaults } from "../src/abi/limits.ts";
import { type IpcError, Kernel } from "../src/index.ts";
import { makingSemaphore } from "../src/kernel/making.ts";
import type { Opened } from "../src/kernel/opening.ts";
import { access, kinds } from "../src/memory/layout.ts";
import { Semaphore } from "../src/objects/semaphore.ts";
import { noSpin } from "../src/sync/spin.ts";
import { blockUntil, deadlineIn, FOR_EVER, remainingMs, TIMEOUT_MS_MAX } from "../src/sync/waiting.ts";
import type { World } from "../src/sync/world.ts";
import { Machine } from "./crash-fixture.ts";
import { smallLimits } from "./memory-fixture.ts";

const text = (data: Uint8Array): string => new TextDecoder().decode(data);

test("the longest time-out has not passed when it begins, wherever the clock stands", () => {
  for (const now of [0, 1, 2 ** 30, 2 ** 31 - 1]) {
    const world = { nowMs: () => now } as World;
    assert.ok(remainingMs(world, deadlineIn(world, TIMEOUT_MS_MAX) as number) >= TIMEOUT_MS_MAX);
  }
});

test("a wait for what is always there, and can never be had, ends with EIO", async () => {
  const system = new Machine().attach();
  const token = system.createAnonymous(kinds.SEMAPHORE, makingSemaphore(system.words, 0, 0o600), [access.READ]);
  assert.ok(typeof token !== "number");
  const { monitor } = new Semaphore(system, (token[0] as Opened).bodyLine).positive;
  const condition = { monitor, spin: noSpin, ready: () => true };
  const attempt = (): number => EAGAIN;
  assert.equal(blockUntil(system, condition, 1, attempt, FOR_EVER), EIO);
  assert.equal(await system.awaits.until({}, condition, 1, attempt, FOR_EVER, undefined), EIO);
});

test("a try that throws when its wait is over leaves no wait node behind", () => {
  const system = new Machine({ ...smallLimits, taskWaitersMax: 1 }).attach();
  const token = system.createAnonymous(kinds.SEMAPHORE, makingSemaphore(system.words, 0, 0o600), [access.READ]);
  assert.ok(typeof token !== "number");
  const { monitor } = new Semaphore(system, (token[0] as Opened).bodyLine).positive;
  let looks = 0;
  const condition = { monitor, spin: noSpin, ready: () => ++looks > 1 };
  const attempt = (): never => {
    throw new Error("what the caller threw");
  };
  for (let i = 0; i < 2; i++) {
    looks = 0;
    assert.throws(() => blockUntil(system, condition, 1, attempt, FOR_EVER), /what the caller threw/);
  }
});

test("a wait of no time has ended when it begins", () => {
  const world = { nowMs: () => 7 } as World;
  assert.equal(remainingMs(world, deadlineIn(world, 0) as number), 0);
});

test("no wait is shorter than its time, asleep or promised", async () => {
  using kernel = Kernel.create();
  const queue = kernel.queue();
  const semaphore = kernel.semaphore({ value: 0 });
  const { reader } = kernel.pipe();
  const timeout = 3;
  const timedOut = { code: "ETIMEDOUT" };
  const waits: { readonly [name: string]: () => unknown } = {
    receiveSync: () => assert.throws(() => queue.receiveSync({ timeout }), timedOut),
    receive: () => assert.rejects(queue.receive({ timeout }), timedOut),
    waitSync: () => assert.throws(() => semaphore.waitSync({ timeout }), timedOut),
    readSync: () => assert.throws(() => reader.readSync(new Uint8Array(1), { timeout }), timedOut),
    read: () => assert.rejects(reader.read(new Uint8Array(1), { timeout }), timedOut),
    pollSync: () => assert.deepEqual(kernel.pollSync([{ handle: reader }], { timeout }), []),
    poll: async () => assert.deepEqual(await kernel.poll([{ handle: reader }], { timeout }), []),
  };
  for (const [name, wait] of Object.entries(waits)) {
    for (let turn = 0; turn < 10; turn++) {
      const begun = process.hrtime.bigint();
      await wait();
      const lasted = process.hrtime.bigint() - begun;
      assert.ok(lasted >= BigInt(timeout) * 1_000_000n, `${name} waited for ${lasted} ns`);
    }
  }
});

test("a time-out longer than the clock's range is for ever", async () => {
  using kernel = Kernel.create();
  const queue = kernel.queue();
  const received = queue.receive({ timeout: 2 ** 31 });
  queue.sendSync(Buffer.from("in time"));
  assert.equal(text((await received).data), "in time");
});

test("a buffer that is transferred while its write waits is EFAULT, and the pipe works on", async () => {
  using kernel = Kernel.create();
  const { reader, writer } = kernel.pipe();
  writer.writeSync(new Uint8Array(4096));
  const buffer = new Uint8Array(4096);
  const written = writer.write(buffer);
  structuredClone(buffer, { transfer: [buffer.buffer] });
  assert.equal(reader.readSync(new Uint8Array(4096)), 4096);
  await assert.rejects(written, { code: "EFAULT" });
  assert.equal(writer.tryWrite(Buffer.from("next")), 4);
  assert.equal(reader.length, 4);
});

test("a message that is transferred while its send waits is EFAULT, and none is sent", async () => {
  using kernel = Kernel.create();
  const queue = kernel.queue({ depth: 1 });
  queue.sendSync(Buffer.from("first"));
  const message = new Uint8Array(8);
  const sent = queue.send(message);
  structuredClone(message, { transfer: [message.buffer] });
  assert.equal(text(queue.receiveSync().data), "first");
  await assert.rejects(sent, { code: "EFAULT" });
  assert.equal(queue.length, 0);
});

test("a buffer that is transferred while its read waits is EFAULT, and the bytes stay", async () => {
  using kernel = Kernel.create();
  const { reader, writer } = kernel.pipe();
  const buffer = new Uint8Array(16);
  const read = reader.read(buffer);
  structuredClone(buffer, { transfer: [buffer.buffer] });
  writer.writeSync(Buffer.from("bytes"));
  await assert.rejects(read, { code: "EFAULT" });
  assert.equal(reader.length, 5);
});

test("a batch is sent as it was when the call was made, whatever becomes of the caller's array", async () => {
  using kernel = Kernel.create();
  const queue = kernel.queue({ depth: 1 });
  const batch: Uint8Array[] = [Buffer.from("one"), Buffer.from("two")];
  const sent = queue.sendMany(batch);
  batch[1] = null as unknown as Uint8Array;
  const received = [await queue.receive(), await queue.receive()];
  await sent;
  assert.deepEqual(
    received.map(({ data }) => text(data)),
    ["one", "two"],
  );
});

test("a message of a batch that is transferred while the batch waits is EFAULT, and is not sent", async () => {
  using kernel = Kernel.create();
  const queue = kernel.queue({ depth: 1 });
  const second = new Uint8Array(8);
  const sent = queue.sendMany([Buffer.from("one"), second]);
  structuredClone(second, { transfer: [second.buffer] });
  assert.equal(text((await queue.receive()).data), "one");
  await assert.rejects(sent, { code: "EFAULT" });
  assert.equal(queue.length, 0);
});

test("a buffer that is transferred while its receive waits is EFAULT, and the message stays", async () => {
  using kernel = Kernel.create();
  const queue = kernel.queue();
  const buffer = new Uint8Array(16);
  const received = queue.receiveInto(buffer);
  structuredClone(buffer, { transfer: [buffer.buffer] });
  queue.sendSync(Buffer.from("stays"));
  await assert.rejects(received, { code: "EFAULT" });
  assert.equal(queue.length, 1);
});

test("opening a taken name exclusively is EEXIST, and closes what it opened once", () => {
  const name = `test-${process.pid}-taken`;
  using kernel = Kernel.open(name, { create: true, exclusive: true });
  try {
    const descriptors = (): number => readdirSync("/proc/self/fd").length;
    const before = descriptors();
    for (let i = 0; i < 3; i++) {
      assert.throws(
        () => Kernel.open(name, { create: true, exclusive: true }),
        (error: IpcError) => error.code === "EEXIST" && error.message.includes(name),
      );
    }
    assert.equal(descriptors(), before);
    assert.equal(kernel.limits.tasksMax, limitDefaults.tasksMax);
  } finally {
    Kernel.unlink(name);
  }
});
