// The habits of the ecosystem that the API keeps: errors like Node's system errors, handlers like EventEmitter's, handles that
// console.log shows.

import assert from "node:assert/strict";
import { test } from "node:test";
import { getSystemErrorName, inspect } from "node:util";
import { errnos } from "../src/abi/errno.ts";
import { IpcError, json, Kernel, type Task } from "../src/index.ts";
import { bytes, ipcError, typeError } from "./expectations.ts";
import { overWorlds } from "./worlds.ts";

/** What a call throws. */
function thrown(call: () => unknown): IpcError {
  try {
    call();
  } catch (error) {
    assert.ok(error instanceof IpcError);
    return error;
  }
  throw new Error("it threw nothing");
}

test("an IpcError has the shape of Node's system errors: code, negative errno, syscall, and no other field than its object", () => {
  using kernel = Kernel.create();
  const error = thrown(() => kernel.queue({ name: "none" }));
  assert.ok(error instanceof Error);
  assert.deepEqual({ ...error }, { code: "ENOENT", errno: -2, syscall: "msgget", object: 'queue "none"' });
  assert.equal(error.name, "IpcError");
  assert.equal(error.toString(), `IpcError: ${error.message}`);
  assert.match(error.stack ?? "", /^IpcError: ENOENT: no such file or directory, msgget queue "none": /);
  assert.match(inspect(error), /code: 'ENOENT'/);
  assert.equal(error.cause, undefined);
});

test("what Node calls an error number is what it is called here", () => {
  for (const [name, { number }] of Object.entries(errnos)) {
    const known = getSystemErrorName(-number);
    if (!/^Unknown/.test(known)) assert.equal(known, name === "EOPNOTSUPP" ? "ENOTSUP" : name);
  }
});

overWorlds((world) => {
  test("several handlers of a signal are all called, in the order they were added", () => {
    const kernel = world.createKernel();
    const called: string[] = [];
    const first = (): unknown => called.push("first");
    const chained = kernel.signals.on("SIGUSR1", first).on("SIGUSR1", () => called.push("second"));
    assert.equal(chained, kernel.signals);
    kernel.kill(kernel.pid, "SIGUSR1");
    assert.deepEqual(called, ["first", "second"]);
  });

  test("off takes one handler away, the last that was added of the same, and without a name all", () => {
    const kernel = world.createKernel();
    const called: string[] = [];
    const twice = (): unknown => called.push("twice");
    const other = (): unknown => called.push("other");
    kernel.signals.on("SIGURG", twice).on("SIGURG", other).on("SIGURG", twice);
    const raise = (): string[] => {
      kernel.kill(kernel.pid, "SIGURG");
      return called.splice(0);
    };
    assert.deepEqual(raise(), ["twice", "other", "twice"]);
    assert.deepEqual(kernel.signals.off("SIGURG", twice) && raise(), ["twice", "other"]);
    assert.deepEqual(kernel.signals.off("SIGURG", () => {}) && raise(), ["twice", "other"]);
    assert.deepEqual(kernel.signals.off("SIGURG") && raise(), []);
    assert.deepEqual(kernel.signals.off("SIGURG", twice) && raise(), []);
  });

  test("once is called once, beside handlers that stay", () => {
    const kernel = world.createKernel();
    const called: string[] = [];
    const { signals } = kernel;
    signals.once("SIGURG", () => called.push("once")).on("SIGURG", () => called.push("always"));
    for (let i = 0; i < 3; i++) kernel.kill(kernel.pid, "SIGURG");
    assert.deepEqual(called, ["once", "always", "always", "always"]);
    signals.off("SIGURG").once("SIGURG", ({ name }) => called.push(name));
    for (let i = 0; i < 2; i++) kernel.kill(kernel.pid, "SIGURG");
    assert.deepEqual(called.slice(4), ["SIGURG"]);
  });

  test("what ignore, reset and the system call say of a signal stands, whatever listened before", () => {
    const kernel = world.createKernel();
    const called: string[] = [];
    const old = (): unknown => called.push("old");
    for (const forget of [kernel.signals.ignore, kernel.signals.reset]) {
      kernel.signals.on("SIGURG", old);
      forget.call(kernel.signals, "SIGURG");
      kernel.kill(kernel.pid, "SIGURG");
      kernel.signals.off("SIGURG", old);
    }
    kernel.signals.on("SIGURG", () => called.push("new"));
    kernel.kill(kernel.pid, "SIGURG");
    assert.deepEqual(called, ["new"]);
  });

  test("a handler that is none is a TypeError, and a signal that cannot be caught EINVAL", () => {
    const { signals } = world.createKernel();
    for (const none of [null, 7, "f", {}] as never[]) {
      assert.throws(() => signals.on("SIGUSR1", none), typeError("handler"));
      assert.throws(() => signals.once("SIGUSR1", none), typeError("handler"));
      assert.throws(() => signals.off("SIGUSR1", none), typeError("handler"));
    }
    for (const call of ["on", "once"] as const) {
      assert.throws(() => signals[call]("SIGKILL", () => {}), ipcError("EINVAL", "sigaction"));
    }
    assert.throws(() => signals.off("SIGSTOP"), ipcError("EINVAL", "sigaction"));
  });

  test("console.log shows of a handle what it is called and how it stands, and of a closed one that", () => {
    const kernel = world.createKernel();
    const queue = kernel.queue({ name: "jobs", create: true, depth: 4 });
    queue.sendSync(bytes("x"));
    const { reader, writer } = kernel.pipe();
    writer.writeSync(bytes("abc"));
    const mutex = kernel.mutex({ name: "accounts", create: true });
    const guard = mutex.lockSync();
    const shows: [unknown, string][] = [
      [queue, 'MessageQueue(queue "jobs") { descriptor: 3, length: 1, depth: 4, messageBytesMax: 256 }'],
      [kernel.queue({ name: "jobs", codec: json() }), 'TypedQueue(queue "jobs") { length: 1, depth: 4 }'],
      [reader, "PipeReader(pipe) { descriptor: 4, length: 3, capacity: 4096 }"],
      [writer, "PipeWriter(pipe) { descriptor: 5, length: 3, capacity: 4096 }"],
      [mutex, `Mutex(mutex "accounts") { descriptor: 6, owner: ${kernel.pid} }`],
      [guard, "LockGuard { held: true, ownerDied: false }"],
      [kernel.semaphore({ value: 2 }), "Semaphore(semaphore) { descriptor: 8, value: 2 }"],
      [kernel.rwlock(), "ReadWriteLock(rwlock) { descriptor: 9, writer: 0, readers: 0 }"],
      [kernel.condition(), "Condition(condition) { descriptor: 10 }"],
      [kernel.barrier({ parties: 2 }), "Barrier(barrier) { descriptor: 11, waiting: 0, parties: 2 }"],
      [kernel.sharedMemory({ bytes: 100 }), "SharedMemory(segment) { byteLength: 100, readOnly: false }"],
      [kernel.signals, "TaskSignals { pending: [], blocked: [ 'SIGUSR1' ] }"],
      [kernel.signals.open(["SIGUSR1"]), "SignalReader(signals) { descriptor: 12, signals: [ 'SIGUSR1' ] }"],
    ];
    for (const [handle, expected] of shows)
      assert.equal(inspect(handle, { breakLength: Number.POSITIVE_INFINITY }), expected);
    assert.equal(inspect({ a: { b: { queue } } }, { depth: 1 }), "{ a: { b: [Object] } }");
    assert.equal(inspect({ a: { queue } }, { depth: 1 }), "{ a: { queue: [MessageQueue] } }");
    assert.match(inspect(kernel), /^Kernel(\("test-\S+"\))? \{/);
    kernel.close();
    assert.equal(inspect(queue), 'MessageQueue(queue "jobs") { closed: true }');
    assert.match(inspect(kernel), /^Kernel(\("test-\S+"\))? \{ closed: true \}$/);
  });

  test("console.log shows a spawned task by its pid, and by how it ended", async () => {
    const kernel = world.createKernel();
    const task: Task = kernel.spawn(new URL("./spawned.js", import.meta.url), { argv: ["exit:3"], execArgv: [] });
    assert.equal(inspect(task), `Task { pid: ${task.pid} }`);
    await task.wait();
    assert.match(inspect(task), /^Task \{ pid: \d+, state: 'ended', exitCode: 3, signal: null \}$/);
  });
});
