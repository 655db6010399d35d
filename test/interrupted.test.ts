// A call that sleeps is interrupted by a handler of its own task: it goes on, or ends, also where the handler closes what it waits on.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Kernel } from "../src/index.ts";
import { bytes, ipcError } from "./expectations.ts";
import { waits } from "./waits.ts";
import { overWorlds } from "./worlds.ts";

overWorlds((world) => {
  /** Lets a handler run in a second, while the test sleeps in a call. */
  const alarmed = (handler: (kernel: Kernel) => void, restart = true): Kernel => {
    const kernel = world.createKernel();
    kernel.signals.once("SIGALRM", () => handler(kernel), { restart });
    kernel.sys.alarm(1);
    return kernel;
  };

  for (const name of ["queue.receive", "writer.write", "mutex.lock", "barrier.wait", "condition.wait"]) {
    test(`${name}: a handler that closes the handle ends a call that sleeps on it with EBADF`, () => {
      let close = (): void => {};
      const kernel = alarmed(() => close());
      const { syscall, asleep, close: closeIt } = waits[name]?.(kernel) ?? {};
      assert.ok(asleep && closeIt && syscall);
      close = closeIt;
      assert.throws(() => asleep({ timeout: 15_000 }), ipcError("EBADF", syscall, "closed"));
    });
  }

  for (const name of ["queue.send", "kernel.openFifo", "signalReader.receive", "condition.wait"]) {
    test(`${name}: a handler that closes the kernel ends a call that sleeps in it with EBADF`, () => {
      const kernel = alarmed((own) => own.close());
      const { syscall, asleep } = waits[name]?.(kernel) ?? {};
      assert.ok(asleep && syscall);
      assert.throws(() => asleep({ timeout: 15_000 }), ipcError("EBADF", syscall, "closed"));
    });
  }

  test("a blocked write goes on after a handler, and has written all", () => {
    let read = 0;
    const kernel = alarmed(() => {
      read = reader.tryRead(new Uint8Array(8192));
    });
    const { reader, writer } = kernel.pipe();
    writer.writeSync(new Uint8Array(4000));
    assert.equal(writer.writeSync(bytes("x".repeat(200)), { timeout: 15_000 }), 200);
    assert.deepEqual([read, reader.length], [4000, 200]);
  });

  test("a blocked write that a handler ends returns what it has written, and is EINTR where that is nothing", () => {
    const kernel = alarmed(() => {}, false);
    const { reader, writer } = kernel.pipe();
    assert.equal(writer.writeSync(new Uint8Array(6000), { timeout: 15_000 }), 4096);
    kernel.signals.once("SIGALRM", () => {}, { restart: false });
    kernel.sys.alarm(1);
    assert.throws(() => writer.writeSync(bytes("x"), { timeout: 15_000 }), ipcError("EINTR", "write"));
    assert.equal(reader.length, 4096);
  });

  test("opening a FIFO goes on after a handler, which may open the other end", () => {
    const kernel = alarmed(() => kernel.tryOpenFifo("fifo", "write"));
    kernel.mkfifo("fifo");
    const reader = kernel.openFifoSync("fifo", "read", { timeout: 15_000 });
    assert.equal(reader.closed, false);
  });

  test("a poll that a handler interrupts is EINTR, after the handler has run", () => {
    let ran = false;
    const kernel = alarmed(() => {
      ran = true;
    });
    const { reader } = kernel.pipe();
    assert.throws(() => kernel.pollSync([{ handle: reader }], { timeout: 15_000 }), ipcError("EINTR", "poll"));
    assert.equal(ran, true);
  });
});
