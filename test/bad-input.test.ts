// What a caller may get wrong: each a clear error that names the call, the object and the remedy, and nothing has changed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Kernel } from "../src/index.ts";
import { bytes, ipcError, typeError } from "./expectations.ts";
import { inWorld, overWorlds, waitsUnderWay } from "./worlds.ts";

const NUMBERS_OUT_OF_RANGE = [0, -1, -0.5, 1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
const NO_NUMBERS = ["8", null, true, {}, 8n];
const NO_BYTES = [
  "text",
  7,
  null,
  undefined,
  {},
  [1, 2],
  new ArrayBuffer(4),
  new Uint16Array(4),
  new DataView(new ArrayBuffer(4)),
];

overWorlds((world) => {
  /** Runs calls that must fail, and checks that nothing has changed. */
  const unchanged = async (kernel: Kernel, calls: () => unknown): Promise<void> => {
    const before = kernel.usage();
    await calls();
    assert.deepEqual(kernel.usage(), before);
    assert.equal(waitsUnderWay(kernel, kernel.pid), 0);
  };

  test("a pipe's capacity that is no whole number from 1 up is EINVAL", async () => {
    const kernel = world.createKernel();
    await unchanged(kernel, () => {
      for (const capacity of NUMBERS_OUT_OF_RANGE) {
        const wrong = (call: string) => ipcError("EINVAL", call, "capacity", `not ${capacity}`);
        assert.throws(() => kernel.pipe({ capacity }), wrong("pipe"));
        assert.throws(() => kernel.mkfifo("x", { capacity }), wrong("mkfifo"));
      }
    });
  });

  test("a pipe's capacity that is no power of two is EINVAL that names one", async () => {
    const kernel = world.createKernel();
    await unchanged(kernel, () => {
      assert.throws(() => kernel.pipe({ capacity: 5000 }), ipcError("EINVAL", "pipe", "power of two, such as 8192"));
      assert.throws(() => kernel.mkfifo("x", { capacity: 3 }), ipcError("EINVAL", "mkfifo", "power of two, such as 4"));
    });
  });

  test("a pipe's capacity that the region has no room for is ENOMEM, one that no region has is EINVAL", async () => {
    const kernel = world.createKernel({ regionBytes: 8 * 1024 * 1024 });
    await unchanged(kernel, () => {
      const full = ipcError("ENOMEM", "pipe", "no room left", "larger regionBytes");
      for (const capacity of [8 * 1024 * 1024, 16 * 1024 * 1024]) assert.throws(() => kernel.pipe({ capacity }), full);
      for (const capacity of [2 ** 32, 2 ** 53]) {
        assert.throws(() => kernel.pipe({ capacity }), ipcError("EINVAL", "pipe", /from 1 to \d+/));
      }
    });
  });

  test("a capacity that is no number is a TypeError", async () => {
    const kernel = world.createKernel();
    await unchanged(kernel, () => {
      for (const capacity of NO_NUMBERS) {
        assert.throws(() => kernel.pipe({ capacity: capacity as number }), typeError("pipe", "capacity"));
      }
    });
  });

  test("a queue's depth that is no whole number from 1 up is EINVAL", async () => {
    const kernel = world.createKernel();
    await unchanged(kernel, () => {
      for (const depth of [...NUMBERS_OUT_OF_RANGE, 2 ** 40]) {
        assert.throws(
          () => kernel.queue({ name: "q", create: true, depth }),
          ipcError("EINVAL", "msgget", "depth", `not ${depth}`),
        );
      }
      for (const depth of NO_NUMBERS.filter((value) => value !== null)) {
        assert.throws(() => kernel.queue({ depth: depth as number }), typeError("msgget", "depth"));
      }
      assert.throws(() => kernel.queue({ name: "q" }), ipcError("ENOENT", "msgget"));
    });
  });

  test("a queue's longest message above the kernel's, or none at all, is EINVAL that says the most", async () => {
    const kernel = world.createKernel();
    await unchanged(kernel, () => {
      for (const messageBytesMax of [...NUMBERS_OUT_OF_RANGE, 257]) {
        assert.throws(
          () => kernel.queue({ messageBytesMax }),
          ipcError("EINVAL", "msgget", "messageBytesMax must be a whole number from 1 to 256"),
        );
      }
    });
  });

  test("an empty name is EINVAL", async () => {
    const kernel = world.createKernel();
    await unchanged(kernel, async () => {
      const empty = (call: string) => ipcError("EINVAL", call, '""', "must not be empty");
      assert.throws(() => kernel.queue({ name: "", create: true }), empty("msgget"));
      assert.throws(() => kernel.mkfifo(""), empty("mkfifo"));
      assert.throws(() => kernel.tryOpenFifo("", "read"), empty("open"));
      await assert.rejects(kernel.openFifo("", "read"), empty("open"));
    });
  });

  test("a name of more than 255 bytes is ENAMETOOLONG, counted in bytes", async () => {
    const kernel = world.createKernel();
    await unchanged(kernel, () => {
      for (const name of ["x".repeat(256), "ü".repeat(128)]) {
        const long = (call: string) => ipcError("ENAMETOOLONG", call, "at most 255 bytes", "256");
        assert.throws(() => kernel.queue({ name, create: true }), long("msgget"));
        assert.throws(() => kernel.mkfifo(name), long("mkfifo"));
      }
    });
  });

  test('a name with "/" or NUL is EACCES, as for mq_open', async () => {
    const kernel = world.createKernel();
    await unchanged(kernel, () => {
      for (const name of ["a/b", "/", "/a", "a\0b"]) {
        assert.throws(() => kernel.queue({ name, create: true }), ipcError("EACCES", "msgget", 'no "/"'));
        assert.throws(() => kernel.mkfifo(name), ipcError("EACCES", "mkfifo", 'no "/"'));
      }
    });
  });

  test("a name that is no string is a TypeError", async () => {
    const kernel = world.createKernel();
    await unchanged(kernel, () => {
      for (const name of [7, null, {}, Symbol("s")] as unknown[]) {
        assert.throws(() => kernel.queue({ name: name as string, create: true }), TypeError);
        assert.throws(() => kernel.mkfifo(name as string), TypeError);
      }
    });
  });

  test("a key that is no whole number from 1 to 2^31 - 1 is EINVAL", async () => {
    const kernel = world.createKernel();
    await unchanged(kernel, () => {
      for (const key of [...NUMBERS_OUT_OF_RANGE, 2 ** 31]) {
        assert.throws(() => kernel.queue({ key, create: true }), ipcError("EINVAL", "msgget", "key"));
      }
    });
  });

  test("a queue with both a name and a key is a TypeError", async () => {
    const kernel = world.createKernel();
    await unchanged(kernel, () => {
      assert.throws(() => kernel.queue({ name: "q", key: 5, create: true }), typeError("msgget", "not both"));
    });
  });

  test("a message that is no byte array is a TypeError, and nothing is sent", async () => {
    const kernel = world.createKernel();
    const queue = kernel.queue();
    await unchanged(kernel, async () => {
      for (const wrong of NO_BYTES as unknown as Uint8Array[]) {
        const noBytes = typeError("msgsnd", "Uint8Array");
        assert.throws(() => queue.trySend(wrong), noBytes);
        assert.throws(() => queue.sendSync(wrong), noBytes);
        await assert.rejects(queue.send(wrong), noBytes);
        assert.throws(() => queue.trySendMany([bytes("fine"), wrong]), noBytes);
        await assert.rejects(queue.sendMany([bytes("fine"), wrong]), noBytes);
      }
      assert.throws(() => queue.sendManySync("ab" as never), typeError("msgsnd", "array"));
    });
    assert.equal(queue.length, 0);
  });

  test("data for a pipe that is no byte array is a TypeError, and nothing is written", async () => {
    const kernel = world.createKernel();
    const { reader, writer } = kernel.pipe();
    await unchanged(kernel, async () => {
      for (const wrong of NO_BYTES as unknown as Uint8Array[]) {
        assert.throws(() => writer.tryWrite(wrong), typeError("write", "Uint8Array"));
        assert.throws(() => writer.writeSync(wrong), typeError("write", "Uint8Array"));
        await assert.rejects(writer.write(wrong), typeError("write", "Uint8Array"));
        assert.throws(() => reader.tryRead(wrong), typeError("read", "Uint8Array"));
        assert.throws(() => reader.readSync(wrong), typeError("read", "Uint8Array"));
        await assert.rejects(reader.read(wrong), typeError("read", "Uint8Array"));
      }
    });
    assert.equal(reader.length, 0);
  });

  test("a buffer to receive into that is no byte array is a TypeError, and the message stays", async () => {
    const kernel = world.createKernel();
    const queue = kernel.queue();
    queue.sendSync(bytes("x"));
    await unchanged(kernel, async () => {
      for (const wrong of NO_BYTES as unknown as Uint8Array[]) {
        assert.throws(() => queue.tryReceiveInto(wrong), typeError("msgrcv", "Uint8Array"));
        await assert.rejects(queue.receiveInto(wrong), typeError("msgrcv", "Uint8Array"));
      }
    });
    assert.equal(queue.length, 1);
  });

  test("a Buffer, and bytes in shared memory, are byte arrays", () => {
    const kernel = world.createKernel();
    const queue = kernel.queue();
    queue.sendSync(Buffer.from("buffer"));
    queue.sendSync(new Uint8Array(new SharedArrayBuffer(8)));
    assert.equal(queue.tryReceiveInto(Buffer.alloc(16)), 6);
    assert.equal(queue.tryReceiveInto(new Uint8Array(new SharedArrayBuffer(16))), 8);
  });

  test("a time-out that is negative or NaN is EINVAL, even where nothing need be waited for", async () => {
    const kernel = world.createKernel();
    kernel.mkfifo("fifo");
    const queue = kernel.queue();
    const { reader, writer } = kernel.pipe();
    await unchanged(kernel, async () => {
      for (const timeout of [-1, -0.001, Number.NaN, Number.NEGATIVE_INFINITY]) {
        const wrong = (call: string) => ipcError("EINVAL", call, "timeout", `not ${timeout}`);
        const buffer = new Uint8Array(1);
        await assert.rejects(queue.receive({ timeout }), wrong("msgrcv"));
        await assert.rejects(queue.receiveMany(1, { timeout }), wrong("msgrcv"));
        await assert.rejects(queue.receiveInto(buffer, { timeout }), wrong("msgrcv"));
        await assert.rejects(queue.send(bytes("x"), { timeout }), wrong("msgsnd"));
        await assert.rejects(queue.sendMany([bytes("x")], { timeout }), wrong("msgsnd"));
        await assert.rejects(reader.read(buffer, { timeout }), wrong("read"));
        await assert.rejects(writer.write(bytes("x"), { timeout }), wrong("write"));
        await assert.rejects(kernel.openFifo("fifo", "read", { timeout }), wrong("open"));
        assert.throws(() => queue.receiveSync({ timeout }), wrong("msgrcv"));
        assert.throws(() => reader.readSync(buffer, { timeout }), wrong("read"));
        assert.throws(() => writer.writeSync(bytes("x"), { timeout }), wrong("write"));
        assert.throws(() => kernel.openFifoSync("fifo", "read", { timeout }), wrong("open"));
      }
    });
    assert.deepEqual([queue.length, reader.length], [0, 0]);
  });

  test("a wrong time-out of a blocking send is EINVAL, and nothing is sent", () => {
    const kernel = world.createKernel();
    const queue = kernel.queue();
    assert.throws(() => queue.sendSync(bytes("x"), { timeout: -1 }), ipcError("EINVAL", "msgsnd", "timeout"));
    assert.throws(() => queue.sendManySync([bytes("x")], { timeout: -1 }), ipcError("EINVAL", "msgsnd", "timeout"));
    assert.equal(queue.length, 0);
  });

  test("a wrong time-out of a blocking receive or read is EINVAL, and nothing is taken", () => {
    const kernel = world.createKernel();
    const queue = kernel.queue();
    queue.sendSync(bytes("x"));
    const { reader, writer } = kernel.pipe();
    writer.tryWrite(bytes("x"));
    const buffer = new Uint8Array(8);
    const timeout = Number.NaN;
    assert.throws(() => queue.receiveSync({ timeout }), ipcError("EINVAL", "msgrcv", "timeout"));
    assert.throws(() => queue.receiveIntoSync(buffer, { timeout }), ipcError("EINVAL", "msgrcv", "timeout"));
    assert.throws(() => reader.readSync(buffer, { timeout }), ipcError("EINVAL", "read", "timeout"));
    assert.deepEqual([queue.length, reader.length], [1, 1]);
  });

  test("a time-out that is no number is a TypeError", async () => {
    const kernel = world.createKernel();
    const queue = kernel.queue();
    await unchanged(kernel, async () => {
      for (const timeout of NO_NUMBERS) {
        await assert.rejects(queue.receive({ timeout: timeout as number }), typeError("msgrcv", "timeout"));
      }
    });
  });

  test("a time-out of Infinity, or longer than timers can, waits for ever", async () => {
    const kernel = world.createKernel();
    const queue = kernel.queue();
    const waits = [queue.receive({ timeout: Number.POSITIVE_INFINITY }), queue.receive({ timeout: 1e15 })];
    queue.sendManySync([bytes("a"), bytes("b")]);
    assert.equal((await Promise.all(waits)).length, 2);
  });

  test("a signal that is no AbortSignal is a TypeError", async () => {
    const kernel = world.createKernel();
    const queue = kernel.queue();
    await unchanged(kernel, async () => {
      for (const signal of [{}, "abort", new AbortController()]) {
        await assert.rejects(queue.receive({ signal: signal as AbortSignal }), typeError("msgrcv", "AbortSignal"));
      }
    });
  });

  test("a message's type that is no whole number from 1 up is EINVAL, and nothing is sent", async () => {
    const kernel = world.createKernel();
    const queue = kernel.queue();
    await unchanged(kernel, async () => {
      for (const type of [...NUMBERS_OUT_OF_RANGE, 2 ** 53]) {
        assert.throws(() => queue.trySend(bytes("x"), { type }), ipcError("EINVAL", "msgsnd", "type"));
        await assert.rejects(queue.sendMany([bytes("x")], { type }), ipcError("EINVAL", "msgsnd", "type"));
      }
    });
    assert.equal(queue.length, 0);
  });

  test("a count of messages that is no whole number from 1 up is EINVAL, and none is taken", async () => {
    const kernel = world.createKernel();
    const queue = kernel.queue();
    queue.sendSync(bytes("x"));
    await unchanged(kernel, async () => {
      for (const max of NUMBERS_OUT_OF_RANGE) {
        assert.throws(() => queue.tryReceiveMany(max), ipcError("EINVAL", "msgrcv", "max"));
        assert.throws(() => queue.receiveManySync(max), ipcError("EINVAL", "msgrcv", "max"));
        await assert.rejects(queue.receiveMany(max), ipcError("EINVAL", "msgrcv", "max"));
      }
    });
    assert.equal(queue.length, 1);
  });

  test("what is no token is a TypeError, and a token of another kind ENOENT", async () => {
    const kernel = world.createKernel();
    const { reader } = kernel.pipe();
    const queue = kernel.queue();
    await unchanged(kernel, () => {
      for (const wrong of [null, undefined, {}, "token", { objectIndex: "0", generation: 1 }]) {
        assert.throws(() => kernel.openToken(wrong as never), typeError("open", "token"));
      }
      for (const wrong of [
        { ...queue.token, end: "reader" as const },
        { ...reader.token, end: "queue" as const },
        { ...queue.token, objectIndex: 1e6 },
        { ...queue.token, objectIndex: -1 },
        { ...queue.token, generation: 99 },
      ]) {
        assert.throws(() => kernel.openToken(wrong as typeof queue.token), ipcError("ENOENT", "open"));
      }
    });
  });
});

inWorld("processes", () => {
  test("a kernel's name that is empty, has a slash, or could leave its directory is EINVAL", () => {
    for (const name of ["", "a/b", "/", "..", ".hidden", "-option", "a b", "ü", "a\0b"]) {
      const wrong = (call: string) => ipcError("EINVAL", call, "kernel", JSON.stringify(name));
      assert.throws(() => Kernel.open(name, { create: true }), wrong("open"));
      assert.throws(() => Kernel.unlink(name), wrong("unlink"));
    }
    assert.throws(() => Kernel.attach({ name: "../x", parentPid: 0 }), ipcError("EINVAL", "attach"));
  });

  test("a kernel's name that is too long is ENAMETOOLONG", () => {
    const name = "x".repeat(300);
    assert.throws(() => Kernel.open(name, { create: true }), ipcError("ENAMETOOLONG", "open", "at most 247 bytes"));
  });

  test("a kernel's name that is no string is refused", () => {
    for (const name of [7, null, undefined, {}]) {
      assert.throws(() => Kernel.open(name as unknown as string), { syscall: "open", code: "EINVAL" });
    }
  });

  test("opening a kernel that is not there is ENOENT that says how to make it", () => {
    assert.throws(() => Kernel.open("test-absent"), ipcError("ENOENT", "open", '"test-absent"', "{ create: true }"));
  });
});
