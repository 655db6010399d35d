// The n-th call of the host's that fails, for every n, and the n-th allocation: an error of the API or none, nothing left behind, and
// the next run is as if nothing had been.

import assert from "node:assert/strict";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { test } from "node:test";
import { type ErrnoName, errnos } from "../src/abi/errno.ts";
import { IpcError, Kernel } from "../src/index.ts";
import { Allocator } from "../src/memory/allocator.ts";
import { type Libc, libc } from "../src/platforms/libc.ts";
import { regionPath } from "../src/platforms/region-file.ts";
import { inWorld, untilAsleep } from "./worlds.ts";

const library = libc();
const skip = typeof library === "string" ? library : false;
const NAME = `faults-${process.pid}`;
const SMALL = {
  regionBytes: 1024 * 1024,
  tasksMax: 4,
  objectsMax: 32,
  descriptorsMax: 32,
  descriptionsMax: 64,
  waitersMax: 16,
};

/** Something of the host's that may fail: it is replaced for the time of a test. */
interface Fault {
  readonly name: string;
  readonly code: ErrnoName;
  /** Calls `before` at each call; where that is true the call fails. Returns what undoes it. */
  readonly plant: (before: () => boolean) => () => void;
}

function nativeFault(name: keyof Libc, code: ErrnoName): Fault {
  return {
    name,
    code,
    plant: (before) => {
      const native = library as unknown as Record<string, (...args: unknown[]) => unknown>;
      const real = native[name] as (...args: unknown[]) => unknown;
      native[name] = (...args) => (before() ? -errnos[code].number : real(...args));
      return () => {
        native[name] = real;
      };
    },
  };
}

function fileFault(
  name: "openSync" | "ftruncateSync" | "fchmodSync" | "fstatSync" | "readSync",
  code: ErrnoName,
): Fault {
  return {
    name,
    code,
    plant: (before) => {
      const files = fs as unknown as Record<string, (...args: unknown[]) => unknown>;
      const real = files[name] as (...args: unknown[]) => unknown;
      const fails = (): never => {
        throw Object.assign(new Error(`${code}: injected, ${name}`), {
          code,
          errno: -errnos[code].number,
          syscall: name,
        });
      };
      files[name] = (...args) => (before() ? fails() : real(...args));
      syncBuiltinESMExports();
      return () => {
        files[name] = real;
        syncBuiltinESMExports();
      };
    },
  };
}

const allocationFault: Fault = {
  name: "an allocation",
  code: "ENOMEM",
  plant: (before) => {
    const real = Allocator.prototype.allocateLocked;
    Allocator.prototype.allocateLocked = function allocateLocked(
      this: Allocator,
      bytes: number,
      payer: number,
    ): number {
      return before() ? -errnos.ENOMEM.number : real.call(this, bytes, payer);
    };
    return () => {
      Allocator.prototype.allocateLocked = real;
    };
  },
};

const faults: readonly Fault[] = [
  nativeFault("mapShared", "ENOMEM"),
  nativeFault("reserve", "ENOSPC"),
  nativeFault("nameFile", "EACCES"),
  nativeFault("openPipe", "EMFILE"),
  nativeFault("futexWait", "EINTR"),
  fileFault("openSync", "EMFILE"),
  fileFault("ftruncateSync", "EIO"),
  fileFault("fchmodSync", "EPERM"),
  fileFault("fstatSync", "EIO"),
  fileFault("readSync", "EIO"),
  allocationFault,
];

const kernelNow = (): Kernel => Kernel.open(NAME, { create: true, ...SMALL });

/** How often a wait has fallen asleep. */
let sleeps = 0;
if (typeof library !== "string") {
  const real = library.futexWait;
  library.futexWait = (...args) => {
    sleeps++;
    real(...args);
  };
}

/** Uses all that asks the host for something. Each step may fail by itself; what was made before is closed all the same. */
async function useAll(attempt: (run: () => unknown) => Promise<void>): Promise<void> {
  const made: Disposable[] = [];
  let kernel: Kernel | undefined;
  await attempt(() => {
    kernel = kernelNow();
  });
  if (!kernel) return;
  let pipe: Partial<ReturnType<Kernel["pipe"]>> = {};
  await attempt(() => {
    pipe = (kernel as Kernel).pipe({ capacity: 8192 });
  });
  await attempt(() => {
    const queue = (kernel as Kernel).queue();
    made.push(queue);
    queue.sendSync(new Uint8Array(8));
    assert.equal(queue.receiveSync().data.length, 8);
  });
  await attempt(() => made.push((kernel as Kernel).sharedMemory({ bytes: 8192 })));
  await attempt(() => made.push((kernel as Kernel).rwlock()));
  await attempt(() => pipe.reader?.resize(65_536));
  await attempt(() => {
    const { reader } = pipe;
    if (!reader) return;
    // A wait may end before it has fallen asleep: once more then.
    for (const before = sleeps; sleeps === before; ) {
      assert.throws(() => reader.readSync(new Uint8Array(1), { timeout: 3 }), timedOut);
    }
  });
  await attempt(async () => {
    if (!pipe.reader || !pipe.writer) return;
    const read = pipe.reader.read(new Uint8Array(4), { timeout: 5000 });
    pipe.writer.tryWrite(new Uint8Array(4));
    assert.equal(await read, 4);
  });
  for (const one of [...made, pipe.reader, pipe.writer]) one?.[Symbol.dispose]();
  const { objects } = kernel.usage();
  kernel.close();
  assert.equal(objects, 0, "what was made is given back");
}

const timedOut = { code: "ETIMEDOUT" };
const openFiles = (): number => fs.readdirSync("/proc/self/fd").length;

for (const fault of faults) {
  test(`the n-th ${fault.name} that fails is an error or none, for every n, and leaves nothing behind`, {
    skip,
  }, async () => {
    await useAll(async (run) => void (await run())); // what the engine and the test runner open once is not counted
    fs.rmSync(regionPath(NAME), { force: true });
    for (let n = 1; ; n++) {
      const filesBefore = openFiles();
      let calls = 0;
      const restore = fault.plant(() => ++calls === n);
      try {
        await useAll(async (run) => {
          try {
            await run();
          } catch (error) {
            if (!(error instanceof IpcError)) throw error;
            assert.equal(error.code, fault.code, `the ${n}-th: ${error.message}`);
          }
        });
      } finally {
        restore();
      }
      fs.rmSync(regionPath(NAME), { force: true });
      assert.equal(openFiles(), filesBefore, `descriptors after the ${n}-th`);
      assert.ok(calls > 0, "what is to fail is called");
      if (calls < n) break;
      assert.ok(n < 1000, "it ends");
    }
  });
}

const calls: { readonly name: "futexWake" | "poke"; readonly code: ErrnoName; readonly form: "sync" | "awaited" }[] = [
  { name: "futexWake", code: "EFAULT", form: "sync" },
  { name: "poke", code: "EAGAIN", form: "awaited" },
];

inWorld("processes", (world) => {
  for (const { name, code, form } of calls) {
    test(`a ${name} that fails costs who waits (${form}) no more than its slice`, async () => {
      const kernel = world.createKernel();
      using queue = kernel.queue();
      const task = await world.startTask(kernel, "receiveOne", { queue: { token: queue.token }, form });
      assert.equal(await task.report(), "open");
      await untilAsleep(kernel, task.pid);
      let failed = 0;
      const restore = nativeFault(name, code).plant(() => ++failed > 0);
      try {
        queue.trySend(Uint8Array.of(7));
        const { data } = (await task.result()) as { data: Uint8Array };
        assert.deepEqual([...data], [7]);
        assert.ok(failed > 0, "it was called, and failed");
      } finally {
        restore();
      }
    });
  }
});
