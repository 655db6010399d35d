// What holds of every call that waits, whatever it waits for: its time-out, its AbortSignal, and what closing does to it.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Kernel } from "../src/index.ts";
import { bytes, ipcError, typeError } from "./expectations.ts";
import { waits } from "./waits.ts";
import { overWorlds, until, waitsUnderWay } from "./worlds.ts";

const WRONG_TIMES = [-1, -0.001, Number.NaN, Number.NEGATIVE_INFINITY];
const NO_TIMES = ["8", null, true, {}, 8n] as unknown as number[];
const NO_SIGNALS = [{}, "abort", null, new AbortController()] as unknown as AbortSignal[];

/** Iterators end where their handle is closed, instead of failing. */
const isIterator = (name: string): boolean => name.endsWith("values");

overWorlds((world) => {
  /** Calls that must fail at once: nothing has changed after them. */
  const unchanged = async (kernel: Kernel, calls: () => unknown): Promise<void> => {
    const before = kernel.usage();
    await calls();
    assert.deepEqual(kernel.usage(), before);
    assert.equal(waitsUnderWay(kernel, kernel.pid), 0);
  };

  for (const [name, make] of Object.entries(waits)) {
    test(`${name}: a time-out of 0 looks once, and is ETIMEDOUT where it would wait`, async () => {
      const kernel = world.createKernel();
      const { syscall, promised, asleep, tried } = make(kernel);
      await unchanged(kernel, async () => {
        await assert.rejects(promised({ timeout: 0 }), ipcError("ETIMEDOUT", syscall));
        if (asleep) assert.throws(() => asleep({ timeout: 0 }), ipcError("ETIMEDOUT", syscall));
        if (tried) assert.equal(tried.call(), tried.result);
      });
    });

    test(`${name}: a time-out that passes is ETIMEDOUT, and not before its time`, async () => {
      const kernel = world.createKernel();
      const { syscall, promised, asleep } = make(kernel);
      await unchanged(kernel, async () => {
        let begin = performance.now();
        await assert.rejects(promised({ timeout: 12.5 }), ipcError("ETIMEDOUT", syscall));
        assert.ok(performance.now() - begin >= 12.5);
        begin = performance.now();
        if (asleep) assert.throws(() => asleep({ timeout: 5 }), ipcError("ETIMEDOUT", syscall));
        assert.ok(asleep === undefined || performance.now() - begin >= 5);
      });
    });

    test(`${name}: a time-out below 0 or NaN is EINVAL, one that is no number and a signal that is none a TypeError`, async () => {
      const kernel = world.createKernel();
      const { syscall, promised, asleep } = make(kernel);
      await unchanged(kernel, async () => {
        for (const timeout of WRONG_TIMES) {
          const wrong = ipcError("EINVAL", syscall, "timeout", `not ${timeout}`);
          await assert.rejects(promised({ timeout }), wrong);
          if (asleep) assert.throws(() => asleep({ timeout }), wrong);
        }
        for (const timeout of NO_TIMES) {
          await assert.rejects(promised({ timeout }), typeError(syscall, "timeout"));
          if (asleep) assert.throws(() => asleep({ timeout }), typeError(syscall, "timeout"));
        }
        for (const signal of NO_SIGNALS) await assert.rejects(promised({ signal }), typeError(syscall, "AbortSignal"));
      });
    });

    test(`${name}: a signal that is aborted already rejects at once with its reason, though it need not wait`, async () => {
      const kernel = world.createKernel();
      const { promised, release } = make(kernel);
      for (const reason of [new Error("a reason"), "a word", { of: "any kind" }, undefined]) {
        const signal = AbortSignal.abort(reason);
        await unchanged(kernel, () => assert.rejects(promised({ signal }), (error) => error === signal.reason));
      }
      if (name === "kernel.openFifo" || name === "barrier.wait") return; // their release takes part
      release?.();
      const signal = AbortSignal.abort("never");
      await assert.rejects(promised({ signal }), (error) => error === "never");
    });

    test(`${name}: an abort rejects it with its reason, and the wait is gone`, async () => {
      const kernel = world.createKernel();
      const { promised } = make(kernel);
      const before = kernel.usage();
      for (const timeout of [undefined, Number.POSITIVE_INFINITY, 1e15]) {
        const controller = new AbortController();
        const reason = { mine: timeout };
        const waiting = promised({ timeout, signal: controller.signal });
        setImmediate(() => controller.abort(reason));
        await assert.rejects(waiting, (error) => error === reason);
        assert.equal(waitsUnderWay(kernel, kernel.pid), 0);
      }
      const timed = AbortSignal.timeout(5);
      await assert.rejects(promised({ signal: timed }), { name: "TimeoutError" });
      assert.deepEqual(kernel.usage(), before);
    });

    test(`${name}: what it waits for lets it go on`, async () => {
      const kernel = world.createKernel();
      const { promised, release } = make(kernel);
      const controller = new AbortController();
      const waiting = promised({ timeout: 15_000, signal: controller.signal });
      setImmediate(() => release?.());
      await waiting;
      controller.abort(); // what has ended cannot be aborted
      await until(() => waitsUnderWay(kernel, kernel.pid) === 0, "the wait to be gone");
    });

    test(`${name}: closing the handle ends it with EBADF, and then it is a TypeError`, async () => {
      const kernel = world.createKernel();
      const { syscall, promised, asleep, tried, close } = make(kernel);
      if (!close) return;
      const waiting = promised();
      setImmediate(close);
      await assert.rejects(waiting, ipcError("EBADF", syscall, "closed"));
      await assert.rejects(promised(), typeError("closed"));
      if (asleep) assert.throws(() => asleep({ timeout: 0 }), typeError("closed"));
      if (tried) assert.throws(tried.call, typeError("closed"));
      close();
    });

    test(`${name}: closing the kernel ends it with EBADF, and then it is a TypeError`, async () => {
      const kernel = world.createKernel();
      const { syscall, promised, asleep, tried } = make(kernel);
      const waiting = promised();
      setImmediate(() => kernel.close());
      if (isIterator(name)) assert.deepEqual(await waiting, { value: undefined, done: true });
      else await assert.rejects(waiting, ipcError("EBADF", syscall, "closed"));
      if (!isIterator(name)) await assert.rejects(promised(), typeError("closed"));
      if (asleep) assert.throws(() => asleep({ timeout: 0 }), typeError("closed"));
      if (tried) assert.throws(tried.call, typeError("closed"));
    });
  }

  test("poll: time-outs, aborts and closing are as elsewhere, save that no time left is an empty answer", async () => {
    const kernel = world.createKernel();
    const reader = kernel.signals.open(["SIGUSR1"]);
    const { reader: pipe } = kernel.pipe();
    for (const items of [[{ handle: pipe }], [{ handle: reader }], [{ handle: pipe }, { handle: reader }], []]) {
      assert.deepEqual(await kernel.poll(items, { timeout: 0 }), []);
      assert.deepEqual(await kernel.poll(items, { timeout: 5 }), []);
      assert.deepEqual(kernel.pollSync(items, { timeout: 5 }), []);
      for (const timeout of WRONG_TIMES) {
        await assert.rejects(kernel.poll(items, { timeout }), ipcError("EINVAL", "poll", "timeout"));
        assert.throws(() => kernel.pollSync(items, { timeout }), ipcError("EINVAL", "poll", "timeout"));
      }
      for (const timeout of NO_TIMES)
        await assert.rejects(kernel.poll(items, { timeout }), typeError("poll", "timeout"));
      for (const signal of NO_SIGNALS) await assert.rejects(kernel.poll(items, { signal }), typeError("AbortSignal"));
      const reason = { mine: 1 };
      await assert.rejects(kernel.poll(items, { signal: AbortSignal.abort(reason) }), (error) => error === reason);
      const controller = new AbortController();
      const waiting = kernel.poll(items, { signal: controller.signal });
      setImmediate(() => controller.abort(reason));
      await assert.rejects(waiting, (error) => error === reason);
    }
    const waiting = kernel.poll([{ handle: pipe }, { handle: reader }]);
    setImmediate(() => kernel.close());
    await assert.rejects(waiting, ipcError("EBADF", "poll"));
  });

  test("task.wait and kernel.wait: time-outs, aborts and closing are as elsewhere; `await using` ends the task", async () => {
    const kernel = world.createKernel();
    const program = new URL("./spawned.js", import.meta.url);
    {
      await using task = kernel.spawn(program, { argv: ["await"], execArgv: [], descriptors: { 0: 0, 1: 1, 2: 2 } });
      for (const wait of [task.wait.bind(task), kernel.wait.bind(kernel, task.pid)]) {
        await assert.rejects(wait({ timeout: 0 }), ipcError("ETIMEDOUT", "waitpid"));
        await assert.rejects(wait({ timeout: 5 }), ipcError("ETIMEDOUT", "waitpid"));
        for (const timeout of WRONG_TIMES) await assert.rejects(wait({ timeout }), ipcError("EINVAL", "waitpid"));
        for (const timeout of NO_TIMES) await assert.rejects(wait({ timeout }), typeError("waitpid", "timeout"));
        for (const signal of NO_SIGNALS) await assert.rejects(wait({ signal }), typeError("AbortSignal"));
        await assert.rejects(wait({ signal: AbortSignal.abort("gone") }), (error) => error === "gone");
        const controller = new AbortController();
        const waiting = wait({ signal: controller.signal });
        setImmediate(() => controller.abort("later"));
        await assert.rejects(waiting, (error) => error === "later");
      }
      assert.equal(task.tryWait(), undefined);
    }
    assert.throws(() => kernel.tryWait(), ipcError("ECHILD", "waitpid"));
    const other = kernel.spawn(program, { argv: ["await"], execArgv: [], descriptors: { 0: 0, 1: 1, 2: 2 } });
    const waiting = other.wait();
    setImmediate(() => kernel.close());
    await assert.rejects(waiting, ipcError("EBADF", "waitpid", "closed"));
    const { child } = other;
    if ("terminate" in child) await child.terminate();
    else child.kill("SIGKILL");
  });

  test("options that are no object are a TypeError, in place of a wait without end or an object without a name", async () => {
    const kernel = world.createKernel();
    const queue = kernel.queue();
    const mutex = kernel.mutex();
    await unchanged(kernel, async () => {
      for (const none of ["jobs", 100, null, true] as never[]) {
        for (const make of ["queue", "pipe", "sharedMemory", "semaphore", "mutex", "rwlock", "condition"] as const)
          assert.throws(() => kernel[make](none), typeError("options must be an object"));
        assert.throws(() => kernel.barrier(none), typeError("options"));
        assert.throws(() => kernel.mkfifo("x", none), typeError("mkfifo", "options"));
        assert.throws(() => kernel.spawn("x", none), typeError("spawn", "options"));
        await assert.rejects(queue.receive(none), typeError("msgrcv", "options"));
        await assert.rejects(queue.send(bytes("x"), none), typeError("options"));
        assert.throws(() => queue.receiveSync(none), typeError("msgrcv", "options"));
        assert.throws(() => mutex.lockSync(none), typeError("pthread_mutex_lock", "options"));
        assert.throws(() => kernel.pollSync([{ handle: queue }], none), typeError("poll", "options"));
      }
    });
    assert.equal(queue.length, 0);
  });

  test("a batch of no messages looks at its options all the same", async () => {
    const queue = world.createKernel().queue();
    await assert.rejects(queue.sendMany([], { timeout: -1 }), ipcError("EINVAL", "msgsnd"));
    await assert.rejects(queue.sendMany([], { signal: {} as AbortSignal }), typeError("AbortSignal"));
    await assert.rejects(queue.sendMany([], { signal: AbortSignal.abort("no") }), (error) => error === "no");
  });

  test("wrong arguments of the other calls are TypeErrors at once", async () => {
    const kernel = world.createKernel();
    const condition = kernel.condition();
    const mutex = kernel.mutex();
    const wrong = <T>(value: unknown): T => value as T;
    await unchanged(kernel, async () => {
      for (const none of [undefined, null, {}, condition]) {
        await assert.rejects(condition.wait(wrong(none)), typeError("pthread_cond_wait", "Mutex"));
        assert.throws(() => condition.waitSync(wrong(none)), typeError("pthread_cond_wait", "Mutex"));
      }
      for (const none of [undefined, "SIGUSR1", 10]) {
        await assert.rejects(kernel.signals.wait(wrong(none)), typeError("array"));
        assert.throws(() => kernel.signals.waitSync(wrong(none)), typeError("array"));
        assert.throws(() => kernel.signals.tryWait(wrong(none)), typeError("array"));
        assert.throws(() => kernel.signals.open(wrong(none)), typeError("array"));
      }
      for (const none of ["SIGNONE", undefined, null, Symbol("s"), 7n, {}]) {
        assert.throws(() => kernel.signals.on(wrong(none), () => {}), typeError("no signal"));
        assert.throws(() => kernel.kill(kernel.pid, wrong(none)), typeError("no signal"));
      }
      for (const none of ["1", undefined, null, 1n])
        assert.throws(() => kernel.kill(wrong(none), "SIGUSR1"), TypeError);
      for (const none of ["1", 1.5, {}]) assert.throws(() => kernel.kill(1, 40, wrong(none)), typeError("value"));
    });
    const held = kernel.mutex();
    held.close();
    await assert.rejects(condition.wait(held), typeError("closed"));
    mutex.lockSync();
    assert.throws(() => condition.waitSync(held), typeError("closed"));
  });

  test("a message that an aborted iteration was to have goes to the next receiver", async () => {
    const queue = world.createKernel().queue();
    const controller = new AbortController();
    const seen: number[] = [];
    queue.sendSync(bytes("a"));
    const iterating = (async () => {
      for await (const { data } of queue.values({ signal: controller.signal })) seen.push(data.length);
    })();
    setImmediate(() => controller.abort("enough"));
    await assert.rejects(iterating, (error) => error === "enough");
    queue.sendSync(bytes("bc"));
    assert.deepEqual([seen, queue.tryReceive()?.data.length], [[1], 2]);
  });
});
