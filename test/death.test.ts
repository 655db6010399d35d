// The death of a task: kill -9 of a process, terminate() of a worker. Its peers notice, and nothing of it stays.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Worker } from "node:worker_threads";
import type { Kernel } from "../src/index.ts";
import { bytes, ipcError, LAST, text } from "./expectations.ts";
import type { Form } from "./tasks-pipe.ts";
import { bounded, inWorld, NOTICED_MS_MAX, overWorlds, type Task, until, untilAsleep, waitStates } from "./worlds.ts";

const FORMS: readonly Form[] = ["sync", "awaited"];

/** Runs what must notice the death; says how long it took. */
async function noticed<T>(context: TestContext, kill: () => void, notice: () => T | Promise<T>): Promise<T> {
  const start = performance.now();
  kill();
  const result = await notice();
  const took = performance.now() - start;
  context.diagnostic(`noticed after ${took.toFixed(0)} ms`);
  assert.ok(took < NOTICED_MS_MAX, `noticed after ${took.toFixed(0)} ms`);
  return result;
}

/** Until the kernel is used as it was before, after the dead are buried. */
async function untilUsageIs(kernel: Kernel, before: object): Promise<void> {
  await until(
    () => {
      kernel.reap();
      return JSON.stringify(kernel.usage()) === JSON.stringify(before);
    },
    `usage to be ${JSON.stringify(before)} again, not ${JSON.stringify(kernel.usage())}`,
  );
}

/** Starts a task and kills it once it sleeps or has opened what it should. */
const opened = async (starting: Promise<Task>): Promise<Task> => {
  const task = await starting;
  await task.report();
  return task;
};

overWorlds((world) => {
  for (const form of FORMS) {
    test(`a killed writer gives a reader of another task end-of-file (${form})`, async (context) => {
      const kernel = world.createKernel();
      const { reader, writer } = kernel.pipe();
      const holder = await opened(world.startTask(kernel, "holdEnd", { end: writer.token }));
      writer.close();
      const sleeper = await world.startTask(kernel, "readOnce", { reader: reader.token, bytes: 8, form });
      await untilAsleep(kernel, sleeper.pid);
      const result = await noticed(
        context,
        () => holder.kill(),
        () => sleeper.result(),
      );
      assert.equal((result as { count: number }).count, 0);
    });

    test(`a killed reader gives a blocked writer of another task EPIPE (${form})`, async (context) => {
      const kernel = world.createKernel();
      const { reader, writer } = kernel.pipe({ capacity: 64 });
      writer.tryWrite(new Uint8Array(64));
      const holder = await opened(world.startTask(kernel, "holdEnd", { end: reader.token }));
      reader.close();
      const args = { writer: writer.token, data: bytes("x"), form };
      const sleeper = await world.startTask(kernel, "write", args);
      await untilAsleep(kernel, sleeper.pid);
      const result = await noticed(
        context,
        () => holder.kill(),
        () => sleeper.result(),
      );
      assert.equal(result, "EPIPE");
    });
  }

  test("a killed writer gives a reader that awaits here end-of-file", async (context) => {
    const kernel = world.createKernel();
    const { reader, writer } = kernel.pipe();
    const holder = await opened(world.startTask(kernel, "holdEnd", { end: writer.token }));
    writer.close();
    const read = reader.read(new Uint8Array(8));
    const result = await noticed(
      context,
      () => holder.kill(),
      () => read,
    );
    assert.equal(result, 0);
  });

  test("a killed reader gives a writer that awaits here EPIPE", async (context) => {
    const kernel = world.createKernel();
    const { reader, writer } = kernel.pipe({ capacity: 64 });
    writer.tryWrite(new Uint8Array(64));
    const holder = await opened(world.startTask(kernel, "holdEnd", { end: reader.token }));
    reader.close();
    const write = assert.rejects(writer.write(bytes("x")), ipcError("EPIPE", "write"));
    await noticed(
      context,
      () => holder.kill(),
      () => write,
    );
  });

  test("what a killed writer had written is read before end-of-file", async () => {
    const kernel = world.createKernel();
    const { reader, writer } = kernel.pipe();
    const args = { writer: writer.token, data: bytes("last words"), form: "sync", hold: true } as const;
    const holder = await opened(world.startTask(kernel, "write", args));
    assert.equal(await holder.report(), 10);
    writer.close();
    holder.kill();
    const buffer = new Uint8Array(64);
    assert.equal(text(buffer.subarray(0, await reader.read(buffer, bounded))), "last words");
    assert.equal(await reader.read(buffer, bounded), 0);
  });

  test("one of two writers killed is no end-of-file: the other still writes", async () => {
    const kernel = world.createKernel();
    const { reader, writer } = kernel.pipe();
    const holder = await opened(world.startTask(kernel, "holdEnd", { end: writer.token }));
    holder.kill();
    await holder.exited;
    await until(() => kernel.reap() === 1 || kernel.tasks().length === 1, "the dead to be buried");
    assert.equal(reader.tryRead(new Uint8Array(8)), -1);
    writer.tryWrite(bytes("alive"));
    assert.equal(reader.tryRead(new Uint8Array(8)), 5);
  });

  test("a writer that never waits learns of its reader's death too", async (context) => {
    const kernel = world.createKernel();
    const { reader, writer } = kernel.pipe({ capacity: 1024 * 1024 });
    const holder = await opened(world.startTask(kernel, "holdEnd", { end: reader.token }));
    reader.close();
    const writeUntilBroken = async (): Promise<void> => {
      for (let i = 0; i < 1024 * 1024; i += 4) {
        assert.equal(writer.tryWrite(bytes("more")), 4);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const broken = ipcError("EPIPE", "write");
    await noticed(
      context,
      () => holder.kill(),
      () => assert.rejects(writeUntilBroken(), broken),
    );
  });

  test("a reader that only polls learns of its writer's death too", async (context) => {
    const kernel = world.createKernel();
    const { reader, writer } = kernel.pipe();
    const holder = await opened(world.startTask(kernel, "holdEnd", { end: writer.token }));
    writer.close();
    await noticed(
      context,
      () => holder.kill(),
      () => until(() => reader.tryRead(new Uint8Array(8)) === 0, "end-of-file"),
    );
  });

  test("a task killed while it reads asleep breaks the pipe for its writer", async (context) => {
    const kernel = world.createKernel();
    const { reader, writer } = kernel.pipe({ capacity: 64 });
    const sleeper = await opened(world.startTask(kernel, "sleepOnEnd", { end: reader.token }));
    await untilAsleep(kernel, sleeper.pid);
    reader.close();
    const isBroken = (): boolean => {
      try {
        writer.tryWrite(bytes("x"));
        return false;
      } catch (error) {
        return ipcError("EPIPE", "write")(error);
      }
    };
    await noticed(
      context,
      () => sleeper.kill(),
      () => until(isBroken, "EPIPE"),
    );
  });

  test("a task killed while it writes asleep gives its reader end-of-file after what it wrote", async () => {
    const kernel = world.createKernel();
    const { reader, writer } = kernel.pipe({ capacity: 4096 });
    const sleeper = await opened(world.startTask(kernel, "sleepOnEnd", { end: writer.token }));
    await untilAsleep(kernel, sleeper.pid);
    writer.close();
    sleeper.kill();
    await sleeper.exited;
    let count = 0;
    for await (const chunk of reader) count += chunk.length;
    assert.equal(count, 4096);
  });

  test("an adopted task's death is noticed as soon as its exit is", async () => {
    const kernel = world.createKernel();
    const before = kernel.usage();
    const holder = await opened(world.startTask(kernel, "holdThings", {}));
    kernel.adopt(holder.child);
    let after: unknown;
    // Adopted first, so its listener comes first.
    holder.child.once("exit", () => {
      after = kernel.usage();
    });
    holder.kill();
    await holder.exited;
    assert.deepEqual(after, before);
  });

  test("adopting returns the child, and a child that outlives the kernel's handle harms nothing", async () => {
    const kernel = world.createKernel();
    const task = await world.startTask(kernel, "idle", {});
    assert.equal(kernel.adopt(task.child), task.child);
    kernel.close();
    task.kill();
    await task.exited;
  });

  test("a FIFO's opener that waits is let in by nobody's ghost: a killed opener is not counted", async () => {
    const kernel = world.createKernel();
    kernel.mkfifo("logs");
    const opener = await world.startTask(kernel, "openFifo", { name: "logs", mode: "read", form: "sync" });
    await untilAsleep(kernel, opener.pid);
    opener.kill();
    await opener.exited;
    await until(() => kernel.reap() === 1 || kernel.tasks().length === 1, "the dead to be buried");
    assert.throws(() => kernel.tryOpenFifo("logs", "write"), ipcError("ENXIO", "open"));
  });

  test("a killed receiver that slept first in line swallows no message", async () => {
    const kernel = world.createKernel();
    const queue = kernel.queue({ name: "jobs", create: true });
    const victim = await opened(world.startTask(kernel, "receiveOne", { queue: { name: "jobs" }, form: "sync" }));
    await untilAsleep(kernel, victim.pid);
    const other = await opened(world.startTask(kernel, "receiveUntilLast", { queue: { name: "jobs" }, form: "sync" }));
    await untilAsleep(kernel, other.pid);
    victim.kill();
    await victim.exited;
    for (const message of ["a", "b", "c", LAST]) queue.sendSync(bytes(message));
    assert.deepEqual(await other.result(), ["a", "b", "c"]);
  });

  test("a killed awaiter that stood first in line swallows no message", async () => {
    const kernel = world.createKernel();
    const queue = kernel.queue({ name: "jobs", create: true });
    const victim = await opened(world.startTask(kernel, "receiveOne", { queue: { name: "jobs" }, form: "awaited" }));
    await untilAsleep(kernel, victim.pid);
    const other = await opened(
      world.startTask(kernel, "receiveUntilLast", { queue: { name: "jobs" }, form: "awaited" }),
    );
    await untilAsleep(kernel, other.pid);
    victim.kill();
    await victim.exited;
    for (const message of ["a", "b", "c", LAST]) queue.sendSync(bytes(message));
    assert.deepEqual(await other.result(), ["a", "b", "c"]);
  });

  test("a sender killed at a full queue has sent nothing, and the next in line goes on", async () => {
    const kernel = world.createKernel();
    const queue = kernel.queue({ name: "jobs", create: true, depth: 1 });
    queue.sendSync(bytes("first"));
    const args = { queue: { name: "jobs" }, form: "sync" } as const;
    const victim = await opened(world.startTask(kernel, "sendOne", { ...args, data: bytes("never") }));
    await untilAsleep(kernel, victim.pid);
    const other = await opened(world.startTask(kernel, "sendOne", { ...args, data: bytes("second") }));
    await untilAsleep(kernel, other.pid);
    victim.kill();
    await victim.exited;
    assert.equal(text((await queue.receive(bounded)).data), "first");
    assert.equal(text((await queue.receive(bounded)).data), "second");
    assert.equal(queue.tryReceive(), undefined);
  });

  test("receivers killed while messages flow leave a whole queue: the survivor gets its messages in order, up to the last", async () => {
    const kernel = world.createKernel();
    const queue = kernel.queue({ name: "jobs", create: true, depth: 4 });
    const survivor = await opened(
      world.startTask(kernel, "receiveUntilLast", { queue: { name: "jobs" }, form: "sync" }),
    );
    const victims = 3;
    let sent = 0;
    for (let round = 0; round < victims; round++) {
      const victim = await opened(world.startTask(kernel, "receiveForEver", { queue: { name: "jobs" } }));
      for (let i = 0; i < 300; i++) {
        if (i === 100 + round * 37) victim.kill();
        await queue.send(bytes(`m:${sent++}`), bounded);
      }
      await victim.exited;
    }
    await queue.send(bytes(LAST), bounded);
    const received = (await survivor.result()) as string[];
    const order = received.map((message) => Number(message.slice(2)));
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
    );
    // The last message sent after the last victim's death is the survivor's.
    assert.equal(order.at(-1), sent - 1);
  });

  test("a killed task leaves nothing in use: objects, memory, its slot and its wait nodes", async () => {
    const kernel = world.createKernel();
    const before = kernel.usage();
    const holder = await opened(world.startTask(kernel, "holdThings", {}));
    await untilAsleep(kernel, holder.pid, 2);
    assert.notDeepEqual(kernel.usage(), before);
    holder.kill();
    await holder.exited;
    await untilUsageIs(kernel, before);
    assert.deepEqual(waitStates(kernel, holder.pid), []);
  });

  test("a task that ends without close() leaves at once, and nothing in use", async () => {
    const kernel = world.createKernel();
    const before = kernel.usage();
    const task = await world.startTask(kernel, "leaveWithThingsOpen", {});
    let after: unknown;
    task.child.once("exit", () => {
      after = kernel.usage(); // nobody has looked for the dead
    });
    assert.equal(await task.exited, 0);
    assert.deepEqual(after, before);
  });

  test("a writer that ends without close() gives a reader end-of-file", async () => {
    const kernel = world.createKernel();
    const { reader, writer } = kernel.pipe();
    const args = { writer: writer.token, data: bytes("done"), form: "awaited" } as const;
    await opened(world.startTask(kernel, "write", args));
    writer.close();
    const chunks: string[] = [];
    for await (const chunk of reader) chunks.push(text(chunk));
    assert.deepEqual(chunks, ["done"]);
  });

  test("reaping tells how many were buried, and the dead are dead in tasks() until then", async () => {
    const kernel = world.createKernel();
    const task = await world.startTask(kernel, "idle", {});
    task.kill();
    await task.exited;
    await until(() => kernel.tasks().some(({ state }) => state === "dead"), "the dead task to be seen");
    assert.deepEqual([kernel.reap(), kernel.reap(), kernel.tasks().length], [1, 0, 1]);
  });
});

inWorld("processes", (world) => {
  test("a killed process is dead before anybody has waited for it", async () => {
    const kernel = world.createKernel();
    const { reader, writer } = kernel.pipe();
    const holder = await opened(world.startTask(kernel, "holdEnd", { end: writer.token }));
    writer.close();
    holder.kill();
    // This thread sleeps and cannot collect the child: it stays a zombie.
    assert.equal(reader.readSync(new Uint8Array(8), bounded), 0);
  });

  test("a stopped process is not taken for dead", async () => {
    const kernel = world.createKernel();
    const { reader, writer } = kernel.pipe();
    const holder = await opened(world.startTask(kernel, "holdEnd", { end: writer.token }));
    writer.close();
    const osPid = kernel.tasks().find(({ pid }) => pid === holder.pid)?.osPid as number;
    process.kill(osPid, "SIGSTOP");
    try {
      assert.throws(() => reader.readSync(new Uint8Array(8), { timeout: 400 }), ipcError("ETIMEDOUT", "read"));
    } finally {
      process.kill(osPid, "SIGCONT");
    }
    holder.send("close");
    await holder.result();
    assert.equal(reader.tryRead(new Uint8Array(8)), 0);
  });

  test("a worker thread of a living process that is terminated is dead", async (context) => {
    const kernel = world.createKernel();
    const { reader, writer } = kernel.pipe();
    const start = { handle: kernel.handle, name: "holdEnd", args: { end: writer.token } };
    const worker = new Worker(new URL("./task-runner.js", import.meta.url), { workerData: start });
    let isOpen = false;
    worker.on("message", (message) => {
      isOpen ||= message.kind === "report";
    });
    await until(() => isOpen, "the worker to open its end");
    writer.close();
    const read = reader.read(new Uint8Array(8));
    const result = await noticed(
      context,
      () => void worker.terminate(),
      () => read,
    );
    assert.equal(result, 0);
  });
});
