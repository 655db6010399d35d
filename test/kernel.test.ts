// Kernels: creating, opening, attaching, closing, and their tasks and limits.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Kernel, type KernelLimits, type TaskInfo } from "../src/index.ts";
import { bytes, ipcError, text, typeError } from "./expectations.ts";
import { bounded, inWorld, overWorlds, until } from "./worlds.ts";

overWorlds((world) => {
  test("tasks have pids of their own from 1 up, and know the pid of the task whose handle they came with", async () => {
    const kernel = world.createKernel();
    const task = await world.startTask(kernel, "facts", {});
    const facts = (await task.result()) as { pid: number; parentPid: number };
    assert.deepEqual([kernel.pid > 0, kernel.parentPid], [true, 0]);
    assert.deepEqual([facts.pid > 0, facts.pid !== kernel.pid, facts.parentPid], [true, true, kernel.pid]);
  });

  test("a pid is not used again while the kernel lives", async () => {
    const kernel = world.createKernel({ tasksMax: 2 });
    const pids = new Set([kernel.pid]);
    for (let i = 0; i < 4; i++) {
      const task = await world.startTask(kernel, "idle", {});
      task.send("end");
      await task.exited;
      pids.add(task.pid);
    }
    assert.equal(pids.size, 5);
  });

  test("tasks() lists every task with its process and thread", async () => {
    const kernel = world.createKernel();
    const idle = await world.startTask(kernel, "idle", {});
    const task = await world.startTask(kernel, "facts", {});
    const { tasks } = (await task.result()) as { tasks: TaskInfo[] };
    assert.deepEqual(
      tasks.map(({ pid, parentPid, state }) => ({ pid, parentPid, state })),
      [
        { pid: kernel.pid, parentPid: 0, state: "alive" },
        { pid: idle.pid, parentPid: kernel.pid, state: "alive" },
        { pid: task.pid, parentPid: kernel.pid, state: "alive" },
      ],
    );
    assert.equal(tasks[0]?.osPid, process.pid);
    assert.equal(new Set(tasks.map(({ osThreadId }) => osThreadId)).size, 3);
    assert.equal(new Set(tasks.map(({ osPid }) => osPid)).size, world.name === "threads" ? 1 : 3);
  });

  test("the limits a kernel was created with are seen by every task", async () => {
    const limits: Partial<KernelLimits> = { tasksMax: 7, objectsMax: 31, messageBytesMax: 1000, waitersMax: 99 };
    const kernel = world.createKernel(limits);
    const task = await world.startTask(kernel, "facts", {});
    const facts = (await task.result()) as { limits: KernelLimits };
    assert.deepEqual(facts.limits, kernel.limits);
    assert.deepEqual({ ...facts.limits, ...limits }, facts.limits);
  });

  test("attaching twice in one thread is EBUSY, and the first attachment is unharmed", () => {
    const kernel = world.createKernel();
    const before = kernel.usage();
    assert.throws(() => Kernel.attach(kernel.handle), ipcError("EBUSY", "attach", "kernel", `as pid ${kernel.pid}`));
    assert.deepEqual(kernel.usage(), before);
    const queue = kernel.queue();
    queue.sendSync(bytes("x"));
    assert.equal(text(queue.receiveSync(bounded).data), "x");
  });

  test("a thread may be attached to several kernels", () => {
    const [one, other] = [world.createKernel(), world.createKernel()];
    one.queue({ name: "q", create: true }).sendSync(bytes("one"));
    assert.throws(() => other.queue({ name: "q" }), ipcError("ENOENT", "msgget"));
  });

  test("more tasks than the kernel has room for is ENOSPC", async () => {
    const kernel = world.createKernel({ tasksMax: 2 });
    await world.startTask(kernel, "idle", {});
    const before = kernel.usage();
    await assert.rejects(world.startTask(kernel, "idle", {}), {
      code: "ENOSPC",
      message: /attach kernel.*all 2 tasks are alive.*larger tasksMax/,
    });
    assert.deepEqual(kernel.usage(), before);
  });

  test("there is room again as soon as a task has left", async () => {
    const kernel = world.createKernel({ tasksMax: 2 });
    for (let i = 0; i < 3; i++) {
      const task = await world.startTask(kernel, "idle", {});
      task.send("end");
      await task.exited;
    }
  });

  test("there is room again after a task was killed, before anybody has buried it", async () => {
    const kernel = world.createKernel({ tasksMax: 2 });
    const task = await world.startTask(kernel, "idle", {});
    task.kill();
    await task.exited;
    const next = await world.startTask(kernel, "idle", {});
    assert.equal(kernel.tasks().find(({ pid }) => pid === next.pid)?.state, "alive");
  });

  test("what the killed task held is given back to who takes its place", async () => {
    const kernel = world.createKernel({ tasksMax: 2 });
    const before = kernel.usage();
    const task = await world.startTask(kernel, "holdThings", {});
    await task.report();
    task.kill();
    await task.exited;
    const next = await world.startTask(kernel, "idle", {});
    next.send("end");
    await next.exited;
    assert.deepEqual(kernel.usage(), before);
  });

  test("a kernel all of whose tasks were killed lets a new one in, and nothing is left of them", async () => {
    const kernel = world.createKernel({ tasksMax: 2 });
    const fresh = kernel.usage();
    const { handle } = kernel;
    const first = await world.startTask(kernel, "holdThings", {});
    kernel.close();
    const second = await world.startTask(handle, "holdThings", {});
    await Promise.all([first.report(), second.report()]);
    for (const task of [first, second]) task.kill();
    await Promise.all([first.exited, second.exited]);
    const again = world.keep(Kernel.attach(handle));
    again.reap();
    assert.deepEqual(again.usage(), fresh);
  });

  test("what one attachment leaves in a kernel is there for the next", () => {
    const kernel = world.createKernel();
    kernel.queue({ name: "letters", create: true }).sendSync(bytes("kept"));
    kernel.close();
    const again = world.keep(Kernel.attach(kernel.handle));
    assert.equal(text(again.queue({ name: "letters" }).receiveSync(bounded).data), "kept");
  });

  test("closing a kernel closes its handles, and closing again does nothing", async () => {
    const kernel = world.createKernel();
    const queue = kernel.queue();
    const { reader, writer } = kernel.pipe();
    const receive = queue.receive();
    kernel.close();
    kernel.close();
    queue.close();
    assert.deepEqual([kernel.closed, queue.closed, reader.closed, writer.closed], [true, true, true, true]);
    await assert.rejects(receive, ipcError("EBADF", "msgrcv"));
  });

  test("a closed kernel refuses to work, with a TypeError that names the call", async () => {
    const kernel = world.createKernel();
    kernel.close();
    const calls: [string, () => unknown][] = [
      ["pipe", () => kernel.pipe()],
      ["mkfifo", () => kernel.mkfifo("x")],
      ["open", () => kernel.tryOpenFifo("x", "read")],
      ["open", () => kernel.openFifoSync("x", "read")],
      ["unlink", () => kernel.unlinkFifo("x")],
      ["msgget", () => kernel.queue()],
      ["mq_unlink", () => kernel.unlinkQueue("x")],
      ["tasks", () => kernel.tasks()],
      ["usage", () => kernel.usage()],
      ["reap", () => kernel.reap()],
    ];
    for (const [name, call] of calls) assert.throws(call, typeError(name, "closed", "attach again"));
    await assert.rejects(kernel.openFifo("x", "read"), typeError("open", "closed"));
  });

  test("a kernel is left when its `using` block ends", () => {
    const kernel = world.createKernel();
    {
      using _attached = kernel;
    }
    assert.ok(kernel.closed);
  });

  test("closing with awaits under way rejects them all", async () => {
    const kernel = world.createKernel();
    const queue = kernel.queue();
    const { reader } = kernel.pipe();
    const waits = [queue.receive(), queue.receiveMany(3), reader.read(new Uint8Array(1))];
    kernel.close();
    for (const { status } of await Promise.allSettled(waits)) assert.equal(status, "rejected");
  });

  test("descriptors are the lowest free numbers from 3 up", () => {
    const kernel = world.createKernel();
    const { reader, writer } = kernel.pipe();
    const queue = kernel.queue();
    assert.deepEqual([reader.descriptor, writer.descriptor, queue.descriptor], [3, 4, 5]);
    writer.close();
    assert.equal(kernel.queue().descriptor, 4);
  });

  test("more descriptors than a task may have is EMFILE, and leaves nothing half open", () => {
    const kernel = world.createKernel({ descriptorsMax: 6 });
    kernel.pipe();
    const before = kernel.usage();
    assert.throws(() => kernel.pipe(), ipcError("EMFILE", "pipe", "descriptorsMax"));
    assert.deepEqual(kernel.usage(), before);
    kernel.queue();
    assert.throws(() => kernel.queue(), ipcError("EMFILE", "msgget", "descriptorsMax"));
  });

  test("more descriptions than the kernel may have is ENFILE, and leaves nothing half open", () => {
    const kernel = world.createKernel({ descriptionsMax: 3 });
    kernel.pipe();
    const before = kernel.usage();
    assert.throws(() => kernel.pipe(), ipcError("ENFILE", "pipe", "descriptionsMax"));
    assert.deepEqual(kernel.usage(), before);
  });

  test("more objects than the kernel may have is ENOSPC, and leaves nothing half made", () => {
    const kernel = world.createKernel({ objectsMax: 2 });
    const pipe = kernel.pipe();
    kernel.queue();
    const before = kernel.usage();
    assert.throws(() => kernel.queue(), ipcError("ENOSPC", "msgget", "objectsMax"));
    assert.throws(() => kernel.mkfifo("x"), ipcError("ENOSPC", "mkfifo", "objectsMax"));
    assert.deepEqual(kernel.usage(), before);
    pipe.reader.close();
    pipe.writer.close();
    kernel.queue();
  });

  test("an object that does not fit the region is ENOMEM, and leaves nothing half made", () => {
    const kernel = world.createKernel({ regionBytes: 8 * 1024 * 1024 });
    const before = kernel.usage();
    const full = "larger regionBytes";
    assert.throws(() => kernel.pipe({ capacity: 8 * 1024 * 1024 }), ipcError("ENOMEM", "pipe", full));
    assert.throws(() => kernel.mkfifo("x", { capacity: 8 * 1024 * 1024 }), ipcError("ENOMEM", "mkfifo", full));
    assert.throws(() => kernel.queue({ depth: 100_000 }), ipcError("ENOMEM", "msgget", full));
    assert.deepEqual(kernel.usage(), before);
    kernel.pipe({ capacity: 4 * 1024 * 1024 });
  });

  test("a region that is filled and emptied again is as it was", () => {
    const kernel = world.createKernel({ regionBytes: 4 * 1024 * 1024 });
    const before = kernel.usage();
    const queues = Array.from({ length: 40 }, (_, i) => kernel.queue({ depth: 1 + i * 7 }));
    for (const queue of queues) queue.trySend(bytes("x"));
    for (const [i, queue] of queues.entries()) if (i % 2 === 0) queue.close();
    const pipes = Array.from({ length: 20 }, (_, i) => kernel.pipe({ capacity: 1 << (i % 14) }));
    for (const queue of queues) queue.close();
    for (const { reader, writer } of pipes) {
      writer.close();
      reader.close();
    }
    assert.deepEqual(kernel.usage(), before);
  });

  test("limits out of bounds, or too large for the region together, are EINVAL that says the bounds", () => {
    const wrong: [Partial<KernelLimits>, RegExp][] = [
      [{ regionBytes: 1024 }, /regionBytes must be a whole number from 65536 to/],
      [{ regionBytes: 2 ** 32 }, /regionBytes/],
      [{ tasksMax: 0 }, /tasksMax must be a whole number from 1 to/],
      [{ tasksMax: -1 }, /tasksMax/],
      [{ tasksMax: 1.5 }, /tasksMax.*not 1\.5/],
      [{ tasksMax: Number.NaN }, /tasksMax.*not NaN/],
      [{ tasksMax: "8" as unknown as number }, /tasksMax/],
      [{ objectsMax: 0 }, /objectsMax/],
      [{ descriptorsMax: 3 }, /descriptorsMax must be a whole number from 4/],
      [{ descriptionsMax: 0 }, /descriptionsMax/],
      [{ waitersMax: 0 }, /waitersMax/],
      [{ messageBytesMax: 0 }, /messageBytesMax/],
      [{ messageBytesMax: 2 ** 31 }, /messageBytesMax/],
      [{ regionBytes: 65_536, tasksMax: 1000 }, /regionBytes must be at least \d+/],
    ];
    for (const [limits, reason] of wrong) {
      const call = world.name === "threads" ? "create" : "open";
      assert.throws(() => world.createKernel(limits), ipcError("EINVAL", call, "kernel", reason));
    }
  });

  test("what is no handle is a TypeError", () => {
    for (const wrong of [null, undefined, 7, "name", {}, { buffer: new ArrayBuffer(8) }]) {
      assert.throws(() => Kernel.attach(wrong as never), typeError("attach", "handle"));
    }
  });
});

inWorld("threads", () => {
  test("a SharedArrayBuffer that is no region is refused, and not written to", () => {
    const empty = new SharedArrayBuffer(65_536);
    const foreign = new SharedArrayBuffer(65_536);
    new Uint8Array(foreign).fill(7);
    const handleOf = (buffer: SharedArrayBuffer) => ({ buffer, parentPid: 0 });
    assert.throws(() => Kernel.attach(handleOf(empty)), ipcError("EAGAIN", "attach", "still being created"));
    assert.throws(() => Kernel.attach(handleOf(foreign)), ipcError("EINVAL", "attach", "not a FangaOS region"));
    assert.throws(() => Kernel.attach(handleOf(new SharedArrayBuffer(100))), ipcError("EINVAL", "attach"));
    assert.ok(new Uint8Array(foreign).every((byte) => byte === 7));
    assert.ok(new Uint8Array(empty).every((byte) => byte === 0));
  });
});

inWorld("processes", (world) => {
  test("a kernel is opened by its name, and is the same one", () => {
    const kernel = world.createKernel();
    const { handle } = kernel;
    assert.ok("name" in handle);
    kernel.queue({ name: "q", create: true }).sendSync(bytes("x"));
    kernel.close();
    const again = world.keep(Kernel.open(handle.name));
    assert.equal(again.queue({ name: "q" }).length, 1);
    assert.equal(again.parentPid, 0);
  });

  test("opening with `create` opens the one that is there, with the limits it has", () => {
    const name = world.freshName();
    world.keep(Kernel.open(name, { create: true, tasksMax: 5 })).close();
    const again = world.keep(Kernel.open(name, { create: true, tasksMax: 9 }));
    assert.equal(again.limits.tasksMax, 5);
  });

  test("opening exclusively is EEXIST where there is one, and the one is unharmed", () => {
    const kernel = world.createKernel();
    const { handle } = kernel;
    assert.ok("name" in handle);
    const before = kernel.usage();
    assert.throws(
      () => Kernel.open(handle.name, { create: true, exclusive: true }),
      ipcError("EEXIST", "open", `kernel "${handle.name}"`),
    );
    assert.deepEqual(kernel.usage(), before);
  });

  test("an unlinked kernel carries on for who is attached, and its name is free", async () => {
    const kernel = world.createKernel();
    const { handle } = kernel;
    assert.ok("name" in handle);
    const queue = kernel.queue({ name: "q", create: true });
    const receiver = await world.startTask(kernel, "receiveOne", { queue: { name: "q" }, form: "awaited" });
    Kernel.unlink(handle.name);
    assert.throws(() => Kernel.open(handle.name), ipcError("ENOENT", "open"));
    const other = world.keep(Kernel.open(handle.name, { create: true, exclusive: true }));
    assert.throws(() => other.queue({ name: "q" }), ipcError("ENOENT", "msgget"));
    queue.sendSync(bytes("still"));
    assert.equal(text(((await receiver.result()) as { data: Uint8Array }).data), "still");
  });

  test("unlinking a kernel that is not there is ENOENT", () => {
    assert.throws(() => Kernel.unlink(world.freshName()), ipcError("ENOENT", "unlink", "kernel"));
  });

  test("a hundred kernels opened and closed in one process leave no file descriptors behind", async () => {
    const { readdirSync } = await import("node:fs");
    const before = readdirSync("/proc/self/fd").length;
    for (let i = 0; i < 100; i++) {
      const kernel = world.createKernel({ regionBytes: 1024 * 1024, tasksMax: 4, descriptorsMax: 16, waitersMax: 64 });
      const { handle } = kernel;
      assert.ok("name" in handle);
      if (i % 10 === 0) {
        const receive = kernel.queue().receive();
        receive.catch(() => {});
      }
      kernel.close();
      Kernel.unlink(handle.name);
    }
    // The sockets of the awaits close in their own time.
    await until(() => readdirSync("/proc/self/fd").length <= before, "the descriptors to be closed");
    assert.equal(readdirSync("/proc/self/fd").length, before);
  });
});
