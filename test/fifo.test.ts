// Named pipes: fifo(7), mkfifo(3), open(2).

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Kernel } from "../src/index.ts";
import { makingPipe } from "../src/kernel/making.ts";
import type { Opened } from "../src/kernel/opening.ts";
import { otherEndOpened } from "../src/kernel/pipe-ends.ts";
import type { System } from "../src/kernel/system.ts";
import { access, kinds } from "../src/memory/layout.ts";
import { Machine } from "./crash-fixture.ts";
import { bytes, ipcError, text } from "./expectations.ts";
import type { Form } from "./tasks-pipe.ts";
import { bounded, overWorlds, untilAsleep, waitsUnderWay } from "./worlds.ts";

const FORMS: readonly Form[] = ["sync", "awaited"];

overWorlds((world) => {
  const fifoOf = (name = "logs", capacity?: number): Kernel => {
    const kernel = world.createKernel();
    kernel.mkfifo(name, { capacity });
    return kernel;
  };

  for (const form of FORMS) {
    test(`opening a FIFO for reading waits until a writer opens it (${form})`, async () => {
      const kernel = fifoOf();
      const opener = await world.startTask(kernel, "openFifo", { name: "logs", mode: "read", form });
      await untilAsleep(kernel, opener.pid);
      const writer = kernel.openFifoSync("logs", "write", bounded);
      assert.equal(await opener.report(), "open");
      assert.equal(writer.writeSync(bytes("x")), 1);
    });

    test(`opening a FIFO for writing waits until a reader opens it (${form})`, async () => {
      const kernel = fifoOf();
      const opener = await world.startTask(kernel, "openFifo", { name: "logs", mode: "write", form });
      await untilAsleep(kernel, opener.pid);
      const reader = await kernel.openFifo("logs", "read", bounded);
      assert.equal(await opener.report(), "open");
      opener.send(bytes("through the name"));
      await opener.report();
      const buffer = new Uint8Array(64);
      assert.equal(text(buffer.subarray(0, reader.readSync(buffer, bounded))), "through the name");
    });

    test(`a reader that waits is let in by a writer who has closed again already (${form})`, async () => {
      const kernel = fifoOf();
      const opener = await world.startTask(kernel, "openFifo", { name: "logs", mode: "read", form });
      await untilAsleep(kernel, opener.pid);
      kernel.tryOpenFifo("logs", "write").close();
      assert.equal(await opener.report(), "open");
    });
  }

  test("data written into a FIFO is read through it in order", async () => {
    const kernel = fifoOf("logs", 64);
    const opener = await world.startTask(kernel, "openFifo", { name: "logs", mode: "write", form: "sync" });
    const reader = await kernel.openFifo("logs", "read", bounded);
    assert.equal(await opener.report(), "open");
    for (const part of ["one ", "two ", "three"]) {
      opener.send(bytes(part));
      assert.equal(await opener.report(), "written");
    }
    const buffer = new Uint8Array(64);
    assert.equal(text(buffer.subarray(0, reader.readSync(buffer, bounded))), "one two three");
  });

  test("a non-blocking open for reading succeeds at once", () => {
    const kernel = fifoOf();
    const reader = kernel.tryOpenFifo("logs", "read");
    assert.equal(reader.tryRead(new Uint8Array(1)), 0); // no writer: end-of-file
  });

  test("a non-blocking open for writing is ENXIO where nobody reads, and leaves no end open", () => {
    const kernel = fifoOf();
    const before = kernel.usage();
    assert.throws(
      () => kernel.tryOpenFifo("logs", "write"),
      ipcError("ENXIO", "open", 'fifo "logs"', "open the read end first"),
    );
    const reader = kernel.tryOpenFifo("logs", "read");
    assert.equal(reader.tryRead(new Uint8Array(1)), 0);
    reader.close();
    assert.deepEqual(kernel.usage(), before);
  });

  test("a non-blocking open for writing succeeds while somebody reads", () => {
    const kernel = fifoOf();
    const reader = kernel.tryOpenFifo("logs", "read");
    const writer = kernel.tryOpenFifo("logs", "write");
    writer.tryWrite(bytes("hello"));
    assert.equal(reader.tryRead(new Uint8Array(8)), 5);
  });

  test("a FIFO gives end-of-file each time its last writer leaves, and data again with the next", () => {
    const kernel = fifoOf();
    const reader = kernel.tryOpenFifo("logs", "read");
    const buffer = new Uint8Array(8);
    for (let round = 0; round < 3; round++) {
      const writer = kernel.tryOpenFifo("logs", "write");
      writer.tryWrite(bytes("round"));
      writer.close();
      assert.deepEqual([reader.readSync(buffer, bounded), reader.readSync(buffer, bounded)], [5, 0]);
    }
  });

  test("what nobody has read is gone when all ends are closed", () => {
    const kernel = fifoOf();
    const reader = kernel.tryOpenFifo("logs", "read");
    const writer = kernel.tryOpenFifo("logs", "write");
    writer.tryWrite(bytes("never read"));
    reader.close();
    writer.close();
    const again = kernel.tryOpenFifo("logs", "read");
    const writerAgain = kernel.tryOpenFifo("logs", "write");
    assert.equal(again.tryRead(new Uint8Array(64)), -1);
    assert.equal(writerAgain.tryWrite(new Uint8Array(4096)), 4096);
  });

  test("a FIFO whose name is taken is EEXIST", () => {
    const kernel = fifoOf();
    const before = kernel.usage();
    assert.throws(() => kernel.mkfifo("logs"), ipcError("EEXIST", "mkfifo", 'fifo "logs"', "unlink it first"));
    assert.deepEqual(kernel.usage(), before);
  });

  test("opening a FIFO that is not there is ENOENT, in all three forms", async () => {
    const kernel = world.createKernel();
    const absent = ipcError("ENOENT", "open", 'fifo "absent"', "kernel.mkfifo makes it");
    assert.throws(() => kernel.tryOpenFifo("absent", "read"), absent);
    assert.throws(() => kernel.openFifoSync("absent", "read"), absent);
    await assert.rejects(kernel.openFifo("absent", "write"), absent);
  });

  test("unlinking a FIFO that is not there is ENOENT", () => {
    const kernel = world.createKernel();
    assert.throws(() => kernel.unlinkFifo("absent"), ipcError("ENOENT", "unlink", 'fifo "absent"'));
  });

  test("a FIFO and a queue may have the same name", () => {
    const kernel = fifoOf("both");
    const queue = kernel.queue({ name: "both", create: true });
    queue.trySend(bytes("message"));
    const reader = kernel.tryOpenFifo("both", "read");
    assert.equal(reader.tryRead(new Uint8Array(8)), 0);
  });

  test("those who have a FIFO open carry on after its name is gone", async () => {
    const kernel = fifoOf();
    const opener = await world.startTask(kernel, "openFifo", { name: "logs", mode: "write", form: "sync" });
    const reader = await kernel.openFifo("logs", "read", bounded);
    await opener.report();
    kernel.unlinkFifo("logs");
    assert.throws(() => kernel.tryOpenFifo("logs", "read"), ipcError("ENOENT", "open"));
    opener.send(bytes("still here"));
    await opener.report();
    const buffer = new Uint8Array(64);
    assert.equal(text(buffer.subarray(0, reader.readSync(buffer, bounded))), "still here");
  });

  test("an unlinked FIFO gives its memory back with the last close", () => {
    const kernel = world.createKernel();
    const before = kernel.usage();
    kernel.mkfifo("logs", { capacity: 65_536 });
    const reader = kernel.tryOpenFifo("logs", "read");
    kernel.unlinkFifo("logs");
    assert.notDeepEqual(kernel.usage(), before);
    reader.close();
    assert.deepEqual(kernel.usage(), before);
  });

  test("a new FIFO may take the name of an unlinked one, and they are two", () => {
    const kernel = fifoOf();
    const old = kernel.tryOpenFifo("logs", "read");
    kernel.unlinkFifo("logs");
    kernel.mkfifo("logs");
    const reader = kernel.tryOpenFifo("logs", "read");
    kernel.tryOpenFifo("logs", "write").tryWrite(bytes("new"));
    assert.deepEqual([old.tryRead(new Uint8Array(8)), reader.tryRead(new Uint8Array(8))], [0, 3]);
  });

  test("an open whose time passes is ETIMEDOUT and leaves no end counted", async () => {
    const kernel = fifoOf();
    const before = kernel.usage();
    const late = ipcError("ETIMEDOUT", "open", 'fifo "logs"');
    assert.throws(() => kernel.openFifoSync("logs", "read", { timeout: 20 }), late);
    await assert.rejects(kernel.openFifo("logs", "read", { timeout: 20 }), late);
    assert.throws(() => kernel.tryOpenFifo("logs", "write"), ipcError("ENXIO", "open"));
    assert.deepEqual(kernel.usage(), before);
  });

  test("an aborted open rejects with the signal's reason and leaves no end counted", async () => {
    const kernel = fifoOf();
    const controller = new AbortController();
    const open = kernel.openFifo("logs", "read", { signal: controller.signal });
    controller.abort("no longer");
    await assert.rejects(open, (reason) => reason === "no longer");
    assert.equal(waitsUnderWay(kernel, kernel.pid), 0);
    assert.throws(() => kernel.tryOpenFifo("logs", "write"), ipcError("ENXIO", "open"));
  });

  test("closing the kernel rejects an open that waits, with EBADF", async () => {
    const kernel = fifoOf();
    const open = kernel.openFifo("logs", "read");
    kernel.close();
    await assert.rejects(open, ipcError("EBADF", "open"));
  });

  test("a mode that is neither read nor write is a TypeError", async () => {
    const kernel = fifoOf();
    const before = kernel.usage();
    assert.throws(() => kernel.tryOpenFifo("logs", "append" as "read"), TypeError);
    await assert.rejects(kernel.openFifo("logs", "both" as "read"), TypeError);
    assert.deepEqual(kernel.usage(), before);
  });
});

for (const [name, mine, others] of [
  ["reader", access.READ, access.WRITE],
  ["writer", access.WRITE, access.READ],
] as const) {
  test(`a ${name} of a FIFO that was open at its other end waits for nobody, though that is closed before it looks`, () => {
    const machine = new Machine();
    const [early, late] = [machine.attach(), machine.attach()];
    const address = { kind: kinds.FIFO, name: bytes("f") };
    const open = (system: System, mode: number): Opened => {
      const opened = system.open(address, { access: mode, create: makingPipe(system.words, 16, 0o600) });
      assert.ok(typeof opened !== "number");
      return opened;
    };
    const first = open(early, others);
    const second = open(late, mine);
    early.close(first.descriptor);
    assert.ok(otherEndOpened(late.pipeOf(second.objectIndex), mine, second.otherOpened).ready(1));
    const third = open(late, mine);
    assert.ok(!otherEndOpened(late.pipeOf(third.objectIndex), mine, third.otherOpened).ready(1), "the next one waits");
  });
}
