// What signals do to calls that wait: which go on, which are EINTR, and what a stop leaves alone (signal(7)).

import assert from "node:assert/strict";
import { test } from "node:test";
import { EINTR } from "../src/abi/errno.ts";
import { signalName } from "../src/abi/signals.ts";
import { sleepThroughSignals } from "../src/api/delivering.ts";
import type { Kernel, Signal } from "../src/index.ts";
import { blockUntilAny } from "../src/sync/polling.ts";
import { FOR_EVER } from "../src/sync/waiting.ts";
import { Machine } from "./crash-fixture.ts";
import { ipcError } from "./expectations.ts";
import { overWorlds, type Task, type TestWorld, until, untilAsleep, untilPolling } from "./worlds.ts";

const SIGUSR1 = 10;
const REAL_TIME = 40;

/** The calls of test/tasks-interruptions.ts that sleep, and what lets each go on. */
const waits = {
  "queue.receiveSync": (kernel: Kernel) => kernel.queue({ name: "q" }).trySend(new Uint8Array(1)),
  "semaphore.waitSync": (kernel: Kernel) => kernel.semaphore({ name: "s" }).post(),
  "reader.readSync": (kernel: Kernel) => kernel.tryOpenFifo("read", "write").tryWrite(new Uint8Array(1)),
  "writer.writeSync": (kernel: Kernel) => kernel.tryOpenFifo("written", "read").tryRead(new Uint8Array(4096)),
  "kernel.openFifoSync": (kernel: Kernel) => kernel.tryOpenFifo("opened", "write").close(),
  "kernel.pollSync": (kernel: Kernel) => kernel.queue({ name: "q" }).trySend(new Uint8Array(1)),
  "sys.msgrcv": (kernel: Kernel) => {
    const { sys, memory } = kernel;
    new DataView(memory.buffer).setBigInt64(1024, 1n, true);
    assert.equal(sys.msgsnd(sys.msgget(1, 0), 1024, 1, 0), 0);
  },
  "sys.semop": (kernel: Kernel) => {
    const { sys, memory } = kernel;
    memory.fill(0, 1024, 1032);
    new DataView(memory.buffer).setInt16(1026, 1, true);
    assert.equal(sys.semop(sys.semget(2, 0, 0), 1024, 1), 0);
  },
  "sys.rt_sigtimedwait": (kernel: Kernel, task: Task) => kernel.kill(task.pid, "SIGURG"),
} as const satisfies { readonly [wait: string]: (kernel: Kernel, task: Task) => unknown };

type Wait = keyof typeof waits;

/** Those that no handler lets go on. */
const nevers: readonly Wait[] = ["kernel.pollSync", "sys.msgrcv", "sys.semop", "sys.rt_sigtimedwait"];

/** Polls and signals are slept for on the word of the task; all else with a node in a list. */
const isPoll = (wait: Wait): boolean => wait === "kernel.pollSync" || wait === "sys.rt_sigtimedwait";

const untilIn = (kernel: Kernel, task: Task, wait: Wait): Promise<void> =>
  isPoll(wait) ? untilPolling(kernel, task.pid) : untilAsleep(kernel, task.pid);

function makeAll(world: TestWorld): Kernel {
  const kernel = world.createKernel();
  kernel.queue({ name: "q", create: true });
  kernel.semaphore({ name: "s", create: true });
  for (const name of ["read", "written", "opened"]) kernel.mkfifo(name);
  kernel.tryOpenFifo("read", "read"); // so that each of these has another end, and is full or empty
  kernel.tryOpenFifo("written", "read");
  kernel.sys.msgget(1, 0o1600);
  kernel.sys.semget(2, 1, 0o1600);
  return kernel;
}

async function waitsIn(kernel: Kernel, task: Task, wait: Wait, restart = true): Promise<void> {
  task.send({ wait, restart });
  assert.equal(await task.report(), "ready");
  await untilIn(kernel, task, wait);
}

const letGoOn = (kernel: Kernel, task: Task, wait: Wait): unknown =>
  (waits[wait] as (kernel: Kernel, task: Task) => unknown)(kernel, task);

overWorlds((world) => {
  test("a call that waits goes on after a stop, as if nothing had been", async () => {
    const kernel = makeAll(world);
    const task = await world.startTask(kernel, "waitInCalls", undefined);
    for (const wait of Object.keys(waits) as Wait[]) {
      await waitsIn(kernel, task, wait);
      for (const stop of ["SIGSTOP", "SIGTSTP"] as const) {
        kernel.kill(task.pid, stop);
        kernel.kill(task.pid, "SIGCONT");
      }
      await untilIn(kernel, task, wait);
      letGoOn(kernel, task, wait);
      assert.equal(await task.report(), "nothing", wait);
    }
    task.send("end");
  });

  test("a call that waits goes on however many stops follow one another, whenever each comes", async () => {
    const kernel = makeAll(world);
    const task = await world.startTask(kernel, "waitInCalls", undefined);
    await waitsIn(kernel, task, "queue.receiveSync");
    for (let round = 0; round < 1000; round++) {
      for (const stop of ["SIGSTOP", "SIGTSTP"] as const) {
        kernel.kill(task.pid, stop);
        kernel.kill(task.pid, "SIGCONT");
      }
      await untilIn(kernel, task, "queue.receiveSync");
    }
    letGoOn(kernel, task, "queue.receiveSync");
    assert.equal(await task.report(), "nothing");
    task.send("end");
  });

  test("a handler interrupts these calls, which go on if it wants that, and else are EINTR or say what they did", async () => {
    const kernel = makeAll(world);
    const task = await world.startTask(kernel, "waitInCalls", undefined);
    for (const wait of Object.keys(waits).filter((one) => !nevers.includes(one as Wait)) as Wait[]) {
      await waitsIn(kernel, task, wait);
      kernel.kill(task.pid, "SIGUSR1");
      assert.equal(await task.report(), "SIGUSR1");
      await untilAsleep(kernel, task.pid);
      letGoOn(kernel, task, wait);
      assert.equal(await task.report(), "nothing", wait);
      if (wait === "writer.writeSync") kernel.tryOpenFifo("written", "read").tryRead(new Uint8Array(4096));
      await waitsIn(kernel, task, wait, false);
      kernel.kill(task.pid, "SIGUSR1");
      assert.equal(await task.report(), "SIGUSR1");
      assert.equal(await task.report(), wait === "writer.writeSync" ? "4096 bytes" : "EINTR", wait);
    }
    task.send("end");
  });

  test("polls, SysV calls and waits for signals are EINTR after any handler, which has run by then", async () => {
    const kernel = makeAll(world);
    const task = await world.startTask(kernel, "waitInCalls", undefined);
    for (const wait of nevers) {
      await waitsIn(kernel, task, wait);
      kernel.kill(task.pid, "SIGUSR1");
      assert.equal(await task.report(), "SIGUSR1");
      assert.equal(await task.report(), "EINTR", wait);
    }
    task.send("end");
  });

  test("a handler that throws ends its task no more than it would otherwise, and other signals are delivered after it", async () => {
    const kernel = world.createKernel();
    const task = await world.startTask(kernel, "surviveHandlers", undefined);
    assert.equal(await task.report(), "ready");
    for (const round of [1, 2, 3]) {
      kernel.kill(task.pid, "SIGUSR1", round);
      assert.equal(await task.report(), `uncaught ${round}`);
      kernel.kill(task.pid, "SIGUSR2");
      assert.equal(await task.report(), "SIGUSR2");
    }
    task.send("end");
  });

  test("a write into a pipe that nobody reads raises SIGPIPE too, in all three forms", async () => {
    const kernel = world.createKernel();
    const { reader, writer } = kernel.pipe();
    reader.close();
    let caught = 0;
    kernel.signals.on("SIGPIPE", () => caught++);
    const data = new Uint8Array(1);
    assert.throws(() => writer.tryWrite(data), ipcError("EPIPE", "write"));
    await until(() => caught === 1, "a handler");
    assert.throws(() => writer.writeSync(data), ipcError("EPIPE", "write"));
    await until(() => caught === 2, "a handler");
    await assert.rejects(writer.write(data), ipcError("EPIPE", "write"));
    await until(() => caught === 3, "a handler");
  });

  test("signal 0 is no signal: it tells whether one could be sent", async () => {
    const kernel = world.createKernel();
    kernel.kill(kernel.pid, 0);
    const task = await world.startTask(kernel, "catchSignals", { caught: [] });
    kernel.kill(task.pid, 0);
    task.send("end");
    await task.exited;
    kernel.reap();
    assert.throws(() => kernel.kill(task.pid, 0), ipcError("ESRCH", "kill"));
  });

  test("another user's task is not to be interrupted, but told to go on", async (t) => {
    const kernel = world.createKernel();
    if (kernel.sys.geteuid() !== 0) return t.skip("only user 0 becomes another");
    const task = await world.startTask(kernel, "interruptAs", { uid: 1000, pid: kernel.pid });
    assert.deepEqual(await task.result(), ["EPERM", "EPERM", "nothing"]);
  });

  test("where the queue is full kill still makes a real-time signal pending; sigqueue is EAGAIN, standard ones are known of", () => {
    const kernel = world.createKernel();
    const before = kernel.usage();
    const blocked: Signal[] = [REAL_TIME, 41, "SIGUSR1", "SIGUSR2"];
    kernel.signals.block(...blocked);
    for (let i = 0; i < 1024; i++) kernel.kill(kernel.pid, REAL_TIME, i);
    assert.throws(() => kernel.kill(kernel.pid, REAL_TIME, 1), ipcError("EAGAIN", "kill"));
    assert.throws(() => kernel.kill(kernel.pid, 41, 1), ipcError("EAGAIN", "kill"));
    kernel.kill(kernel.pid, 41);
    kernel.kill(kernel.pid, "SIGUSR1");
    kernel.kill(kernel.pid, "SIGUSR2", 7);
    const taken = ["SIGUSR1", "SIGUSR2", 41].map((one) => kernel.signals.tryWait([one as Signal]));
    assert.deepEqual(
      taken.map((one) => one && [one.name, one.sender, one.value]),
      [
        ["SIGUSR1", kernel.pid, 0n],
        ["SIGUSR2", 0, 0n],
        [signalName(41), 0, 0n],
      ],
    );
    kernel.signals.clear(REAL_TIME);
    assert.deepEqual(kernel.usage(), before);
  });

  test("no wait for signals or children ends before its time, however busy the event loop is", async () => {
    const kernel = world.createKernel();
    kernel.signals.block("SIGURG");
    for (let i = 0; i < 40; i++) {
      const turn = performance.now();
      while (performance.now() - turn < 1 + (i % 7) / 8);
      const began = performance.now();
      await assert.rejects(kernel.signals.wait(["SIGURG"], { timeout: 2 }), ipcError("ETIMEDOUT", "sigwaitinfo"));
      const passed = performance.now() - began;
      assert.ok(passed >= 2, `${passed} ms`);
    }
  });

  test("a signal that comes as the time of a wait passes is taken, not left", async () => {
    const kernel = world.createKernel();
    kernel.signals.block("SIGURG");
    const wait = kernel.signals.wait(["SIGURG"], { timeout: 5 });
    const began = performance.now();
    while (performance.now() - began < 10); // the time passes, and nobody has looked
    kernel.kill(kernel.pid, "SIGURG");
    assert.equal((await wait).name, "SIGURG");
  });
});

test("a call that slept runs the handlers of what came meanwhile, though it got what it waited for", () => {
  const system = new Machine().attach();
  let caught = 0;
  const run = (): void => {
    caught++;
  };
  system.signals.catch(SIGUSR1, { run, mask: 0n, restart: false, once: false, nodefer: false });
  const sleep = (): number => {
    system.signals.raise(SIGUSR1);
    return 5;
  };
  assert.equal(
    sleepThroughSignals(system, sleep, () => {}),
    5,
  );
  assert.equal(caught, 1);
});

test("who polls is interrupted between two of its sleeps, too", () => {
  const machine = new Machine();
  const system = machine.attach();
  const other = machine.attach();
  for (let looks = 1; looks < 6; looks++) {
    let left = looks;
    const look = (): number => {
      if (--left === 0) assert.ok(other.interrupt(system.pid), `at look ${looks}`);
      return left < -10 ? 1 : 0;
    };
    assert.equal(blockUntilAny(system, [], look, FOR_EVER), EINTR, `at look ${looks}`);
  }
});
