// Tasks that a task spawns, and what becomes of them: posix_spawn(3), wait(2), waitpid(3), waitid(2), exit_group(2).

import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { test } from "node:test";
import type { Worker } from "node:worker_threads";
import { EACCES, ECHILD, EFAULT, EINVAL, ESRCH } from "../src/abi/errno.ts";
import { Kernel, type MessageQueue, type SpawnOptions, type Task } from "../src/index.ts";
import { runScript } from "./child-script.ts";
import { ipcError, text, typeError } from "./expectations.ts";
import { bounded, inWorld, overWorlds, until } from "./worlds.ts";

const program = new URL("./spawned.js", import.meta.url);
const STATUS = 1024;
const INFO = 2048;
const [WNOHANG, WSTOPPED, WEXITED, WCONTINUED, WNOWAIT] = [1, 2, 4, 8, 0x01000000];
const [P_ALL, P_PID, P_PGID, P_PIDFD] = [0, 1, 2, 3];
const [CLD_EXITED, CLD_KILLED, CLD_STOPPED, CLD_CONTINUED] = [1, 2, 5, 6];
const SIGCHLD = 17;

/** A task that runs the steps, and reports through a queue of the test's. */
class Spawned {
  readonly queue: MessageQueue;
  readonly task: Task;

  constructor(kernel: Kernel, steps: readonly string[], options: SpawnOptions = {}) {
    this.queue = kernel.queue({ depth: 10 });
    this.task = kernel.spawn(program, {
      argv: steps,
      execArgv: [],
      descriptors: { 0: 0, 1: 1, 2: 2, 3: this.queue },
      ...options,
    });
  }

  get pid(): number {
    return this.task.pid;
  }

  async report(): Promise<unknown> {
    const message = await this.queue.receive(bounded);
    return JSON.parse(text(message.data));
  }

  /** Whatever the test has come to: it does not outlive it. */
  [Symbol.dispose](): void {
    const { child } = this.task;
    if ("terminate" in child) void (child as Worker).terminate();
    else child.kill("SIGKILL");
  }
}

const view = (kernel: Kernel): DataView => new DataView(kernel.memory.buffer);
const infoOf = (kernel: Kernel): number[] => [0, 8, 16, 24].map((at) => view(kernel).getInt32(INFO + at, true)); // signo, code, pid, status

overWorlds((world) => {
  test("a task that is stopped in the middle of a call keeps nobody from telling it to go on", async () => {
    const kernel = world.createKernel();
    using one = new Spawned(kernel, ["ready", "busy"]);
    using other = new Spawned(kernel, ["ready", "busy"]);
    for (const child of [one, other]) assert.equal(await child.report(), "ready");
    for (let round = 0; round < 100; round++) {
      for (const { task } of [one, other]) {
        task.kill("SIGSTOP");
        assert.equal((await task.wait({ ...bounded, stopped: true })).state, "stopped");
        task.kill("SIGCONT");
        assert.equal((await task.wait({ ...bounded, continued: true })).state, "continued");
      }
    }
    for (const { task } of [one, other]) task.kill("SIGKILL");
    for (const { task } of [one, other]) assert.equal((await task.wait(bounded)).signal, "SIGKILL");
  });

  test("a task that is spawned has the pid that its parent knows, and its parent's as its parent", async () => {
    const kernel = world.createKernel();
    using child = new Spawned(kernel, ["identify", "exit:0"]);
    assert.ok(
      kernel.tasks().some(({ pid, parentPid }) => pid === child.pid && parentPid === kernel.pid),
      "at once",
    );
    assert.deepEqual(await child.report(), [child.pid, kernel.pid, kernel.pid]);
    await child.task.wait(bounded);
  });

  for (const [steps, exitCode] of [
    [["exit:7"], 7],
    [["sysExit:300"], 300 & 0xff],
    [["close", "exit:7"], 0],
    [["identify"], 0],
  ] as const) {
    test(`a task that runs [${steps}] ends with ${exitCode}, and is told of once`, async () => {
      const kernel = world.createKernel();
      const before = kernel.usage();
      const child = new Spawned(kernel, steps);
      const ended = { pid: child.pid, state: "ended", exitCode, signal: null };
      assert.deepEqual(await child.task.wait(bounded), ended);
      assert.deepEqual(child.task.tryWait(), ended, "the handle remembers");
      assert.throws(() => kernel.waitSync(child.pid), ipcError("ECHILD", "waitpid", `${child.pid}`));
      child.queue.close();
      assert.deepEqual(kernel.usage(), before);
    });
  }

  test("all that wait for one task at the same time, by its handle, are told of its end", async () => {
    const kernel = world.createKernel();
    using child = new Spawned(kernel, ["ready", "await"]);
    assert.equal(await child.report(), "ready");
    const seen: unknown[] = [];
    kernel.signals.on("SIGCHLD", () => seen.push(child.task.tryWait()));
    const waits = [child.task.wait(bounded), child.task.wait({ stopped: true, ...bounded }), child.task.wait(bounded)];
    child.task.kill("SIGKILL");
    const ended = { pid: child.pid, state: "ended", exitCode: null, signal: "SIGKILL" };
    assert.deepEqual(await Promise.all(waits), [ended, ended, ended]);
    await until(() => seen.length > 0, "SIGCHLD");
    assert.deepEqual(seen, [ended], "and so is whoever looks meanwhile");
    await assert.rejects(kernel.wait(child.pid), ipcError("ECHILD", "waitpid"), "the kernel tells of it once");
  });

  test("a task that throws ends with 1", async () => {
    const kernel = world.createKernel();
    using child = new Spawned(kernel, ["ready", "fail"], { stdio: "ignore" });
    (child.task.child as Worker).on("error", () => {});
    assert.equal((await child.task.wait(bounded)).exitCode, 1);
  });

  test("a parent sleeps until its child has ended, in waitSync", () => {
    const kernel = world.createKernel();
    using child = new Spawned(kernel, ["exit:3"]);
    assert.equal(child.task.waitSync(bounded).exitCode, 3);
  });

  test("a zombie stays in the kernel until it has been waited for: it can be signalled, and nothing comes of it", async () => {
    const kernel = world.createKernel();
    using child = new Spawned(kernel, ["exit:3"]);
    const stateOf = (): string | undefined => kernel.tasks().find(({ pid }) => pid === child.pid)?.state;
    await until(() => stateOf() === "zombie", "the child to end");
    assert.equal(kernel.reap(), 0, "it is not buried");
    kernel.kill(child.pid, "SIGTERM");
    assert.equal(kernel.sys.getpgid(child.pid), kernel.sys.getpgrp());
    assert.equal(kernel.tryWait()?.exitCode, 3);
    assert.equal(stateOf(), undefined);
    assert.throws(() => kernel.kill(child.pid, "SIGTERM"), ipcError("ESRCH", "kill"));
    assert.throws(() => child.task.waitSync(), ipcError("ECHILD", "waitpid"), "kernel.tryWait has told of it");
  });

  test("a wait ends with its time or its abort, and a look finds nothing, while the child runs", async () => {
    const kernel = world.createKernel();
    using child = new Spawned(kernel, ["ready", "await"]);
    assert.equal(await child.report(), "ready");
    assert.equal(child.task.tryWait(), undefined);
    assert.throws(() => child.task.waitSync({ timeout: 5 }), ipcError("ETIMEDOUT", "waitpid"));
    await assert.rejects(child.task.wait({ timeout: 5 }), ipcError("ETIMEDOUT", "waitpid"));
    const aborted = child.task.wait({ signal: AbortSignal.timeout(5) });
    await assert.rejects(aborted, (reason: Error) => reason.name === "TimeoutError");
    child.task.kill();
    assert.equal((await child.task.wait(bounded)).signal, "SIGTERM");
  });

  test("whom no child is, nobody waits for", async () => {
    const kernel = world.createKernel();
    assert.throws(() => kernel.tryWait(), ipcError("ECHILD", "waitpid"));
    const stranger = await world.startTask(kernel, "sleepInRead", undefined);
    await assert.rejects(kernel.wait(stranger.pid), ipcError("ECHILD", "waitpid"));
    assert.throws(() => kernel.tryWait("1" as never), typeError("waitpid"));
  });

  for (const [steps, signal] of [
    [["ready", "spin"], "SIGKILL"],
    [["ready", "sleep"], "SIGTERM"],
    [["ready", "await"], "SIGUSR1"],
    [["ready", "raise:SIGHUP"], "SIGHUP"],
  ] as const) {
    test(`a task that runs [${steps}] is ended by ${signal}, and its parent is told by which`, async () => {
      const kernel = world.createKernel();
      using child = new Spawned(kernel, steps);
      assert.equal(await child.report(), "ready");
      if (!steps[1].startsWith("raise")) child.task.kill(signal);
      assert.deepEqual(await kernel.wait(-1, bounded), { pid: child.pid, state: "ended", exitCode: null, signal });
    });
  }

  test("a task that the host kills was killed, for its parent", async () => {
    const kernel = world.createKernel();
    using child = new Spawned(kernel, ["ready", "spin"]);
    assert.equal(await child.report(), "ready");
    child[Symbol.dispose]();
    assert.equal((await child.task.wait(bounded)).signal, "SIGKILL");
  });

  test("SIGCHLD tells a parent which child has ended, and how", async () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    kernel.signals.block("SIGCHLD");
    using child = new Spawned(kernel, ["exit:9"]);
    view(kernel).setBigUint64(STATUS, 1n << BigInt(SIGCHLD - 1), true);
    assert.equal(sys.rt_sigtimedwait(STATUS, INFO, 0, 8), SIGCHLD);
    assert.deepEqual(infoOf(kernel), [SIGCHLD, CLD_EXITED, child.pid, 9]);
    assert.equal(kernel.waitSync().exitCode, 9);
  });

  test("a handler of SIGCHLD waits for the children that have ended, and none is left", async () => {
    const kernel = world.createKernel();
    const codes = new Set<number | null>();
    kernel.signals.on("SIGCHLD", () => {
      for (let found = take(); found; found = take()) codes.add(found.exitCode);
    });
    const take = () => (codes.size < 3 ? kernel.tryWait() : undefined);
    const children = [1, 2, 3].map((code) => new Spawned(kernel, [`exit:${code}`]));
    await until(() => codes.size === 3, "three children to end");
    assert.deepEqual([...codes].sort(), [1, 2, 3]);
    for (const child of children) assert.throws(() => kernel.tryWait(child.pid), ipcError("ECHILD", "waitpid"));
  });

  test("a parent that ignores SIGCHLD has no zombies: it waits until all have ended, and is told of none", async () => {
    const kernel = world.createKernel();
    const before = kernel.usage();
    kernel.signals.ignore("SIGCHLD");
    const children = [0, 1].map(() => new Spawned(kernel, ["exit:1"]));
    await assert.rejects(kernel.wait(-1, bounded), ipcError("ECHILD", "waitpid"));
    for (const { queue } of children) queue.close();
    assert.deepEqual(kernel.usage(), before);
  });

  test("a child has its parent's descriptors, save those that close on exec, or those that it is given", async () => {
    const kernel = world.createKernel();
    const queue = kernel.queue();
    assert.equal(queue.descriptor, 3);
    const { reader, writer } = kernel.pipe();
    kernel.sys.fcntl(reader.descriptor, 2, 1);
    const options = { argv: ["openDescriptors"], execArgv: [], descriptors: undefined };
    const all = kernel.spawn(program, options);
    assert.deepEqual(JSON.parse(text((await queue.receive(bounded)).data)), [0, 1, 2, 3, 5]);
    const some = kernel.spawn(program, { ...options, descriptors: { 3: queue, 9: writer } });
    assert.deepEqual(JSON.parse(text((await queue.receive(bounded)).data)), [3, 9]);
    writer.close();
    for (const task of [all, some]) await task.wait(bounded);
    assert.throws(() => kernel.spawn(program, { descriptors: { 3: 14 } }), ipcError("EBADF", "spawn"));
    assert.deepEqual(await reader.read(new Uint8Array(1), bounded), 0, "no child has it open any more");
  });

  test("what a child inherits is what was open when it was spawned: its parent may close it at once", async () => {
    const kernel = world.createKernel();
    const keeper = kernel.queue({ name: "q", create: true });
    const given = kernel.queue({ name: "q" });
    const child = kernel.spawn(program, { argv: ["ready"], execArgv: [], descriptors: { 3: given } });
    given.close();
    assert.equal(text((await keeper.receive(bounded)).data), '"ready"');
    await child.wait(bounded);
    kernel.unlinkQueue("q");
  });

  test("a child has its parent's blocked and ignored signals, and its credentials and group, or others that it is given", async () => {
    const kernel = world.createKernel();
    kernel.signals.block("SIGUSR1", 40);
    kernel.signals.on("SIGUSR2", () => {});
    using first = new Spawned(kernel, ["signals", "credentials"]);
    assert.deepEqual(await first.report(), [["SIGUSR1", "SIGRTMIN+8"], []]);
    assert.deepEqual(await first.report(), [kernel.sys.getuid(), kernel.sys.getgid(), false]);
    const given = { blocked: ["SIGHUP"], processGroup: 0, credentials: { uid: 1234, gid: 4321 } } as const;
    if (kernel.sys.getuid() !== 0) {
      assert.throws(() => kernel.spawn(program, given), ipcError("EPERM", "spawn"));
      return;
    }
    using second = new Spawned(kernel, ["signals", "credentials"], given);
    assert.deepEqual(await second.report(), [["SIGHUP"], []]);
    assert.deepEqual(await second.report(), [1234, 4321, true]);
    for (const child of [first, second]) await child.task.wait(bounded);
  });

  test("a signal that comes before the child runs is pending for it", async () => {
    const kernel = world.createKernel();
    using child = new Spawned(kernel, ["signals"], { blocked: ["SIGUSR1"] });
    child.task.kill("SIGUSR1");
    assert.deepEqual(await child.report(), [["SIGUSR1"], ["SIGUSR1"]]);
    using killed = new Spawned(kernel, ["identify"]);
    killed.task.kill("SIGKILL");
    assert.equal((await killed.task.wait(bounded)).signal, "SIGKILL");
    await child.task.wait(bounded);
  });

  test("a child whose program never attaches is waited for all the same", async () => {
    const kernel = world.createKernel();
    const before = kernel.usage();
    const task = kernel.spawn(new URL("./unattached.js", import.meta.url), { execArgv: [] });
    assert.deepEqual(await task.wait(bounded), { pid: task.pid, state: "ended", exitCode: 5, signal: null });
    assert.deepEqual(kernel.usage(), before);
  });

  test("a child of nobody: when its parent is gone it has none, and what its parent has not waited for is gone too", async () => {
    const kernel = world.createKernel();
    using parent = new Spawned(kernel, ["family"]);
    const orphan = (await parent.report()) as number;
    assert.equal(await parent.report(), "ready");
    parent.task.kill("SIGKILL");
    await parent.task.wait(bounded);
    if (world.name === "threads") return; // a worker's own workers end with it
    try {
      await until(() => kernel.reap() >= 0 && kernel.tasks().length === 2, "the orphan to be the only one left");
      const left = kernel.tasks().filter(({ pid }) => pid !== kernel.pid);
      assert.deepEqual(
        left.map(({ pid, parentPid, state }) => [pid, parentPid, state]),
        [[orphan, 0, "alive"]],
      );
    } finally {
      kernel.kill(orphan, "SIGKILL");
    }
    await until(() => kernel.reap() >= 0 && kernel.tasks().length === 1, "nobody to wait for the orphan");
  });

  test("a child is stopped and goes on, and its parent is told where it asks", async () => {
    const kernel = world.createKernel();
    using child = new Spawned(kernel, ["catch:SIGUSR1", "ready", "await"]);
    assert.equal(await child.report(), "ready");
    kernel.kill(child.pid, "SIGSTOP");
    const stopped = await child.task.wait({ stopped: true, ...bounded });
    assert.deepEqual([stopped.state, stopped.signal, stopped.exitCode], ["stopped", "SIGSTOP", null]);
    assert.equal(child.task.tryWait({ stopped: true }), undefined, "once");
    kernel.kill(child.pid, "SIGUSR1");
    kernel.kill(child.pid, "SIGCONT");
    const continued = await child.task.wait({ continued: true, ...bounded });
    assert.deepEqual([continued.state, continued.signal], ["continued", "SIGCONT"]);
    assert.equal(await child.report(), "SIGUSR1", "what came while it was stopped");
    kernel.kill(child.pid, "SIGSTOP");
    await child.task.wait({ stopped: true, ...bounded });
    kernel.kill(child.pid, "SIGKILL");
    assert.equal((await child.task.wait(bounded)).signal, "SIGKILL", "one that is stopped, too");
  });

  test("a child that is stopped dies of what it was sent meanwhile once it goes on, save of SIGKILL, which does not wait", async () => {
    const kernel = world.createKernel();
    using child = new Spawned(kernel, ["ready", "await"]);
    assert.equal(await child.report(), "ready");
    child.task.kill("SIGSTOP");
    await child.task.wait({ stopped: true, ...bounded });
    if (world.name === "processes") {
      child.task.kill("SIGTERM");
      assert.equal(child.task.tryWait(), undefined);
    }
    child.task.kill(world.name === "processes" ? "SIGCONT" : "SIGKILL");
    const end = world.name === "processes" ? "SIGTERM" : "SIGKILL";
    assert.equal((await child.task.wait(bounded)).signal, end);
  });

  test("of several that have ended the one that was made first is told of first", async () => {
    const kernel = world.createKernel();
    using first = new Spawned(kernel, ["ready", "await"]);
    using second = new Spawned(kernel, ["exit:2"]);
    assert.equal(await first.report(), "ready");
    await until(() => kernel.tasks().some(({ state }) => state === "zombie"), "the second to end");
    assert.equal(kernel.sys.waitid(P_PID, second.pid, 0, WSTOPPED, 0), ECHILD, "there will be no other news of it");
    first.task.kill("SIGKILL");
    await until(() => kernel.tasks().filter(({ state }) => state === "zombie").length === 2, "both to end");
    assert.deepEqual([kernel.waitSync().pid, kernel.waitSync().pid], [first.pid, second.pid]);
  });

  test("groups of children are waited for by their number", async () => {
    const kernel = world.createKernel();
    using first = new Spawned(kernel, ["exit:1"], { processGroup: 0 });
    using second = new Spawned(kernel, ["exit:2"], { processGroup: first.pid });
    using third = new Spawned(kernel, ["exit:3"]);
    assert.equal(kernel.sys.getpgid(second.pid), first.pid);
    const codes = [await kernel.wait(-first.pid, bounded), await kernel.wait(-first.pid, bounded)];
    assert.deepEqual(codes.map(({ exitCode }) => exitCode).sort(), [1, 2]);
    assert.throws(() => kernel.tryWait(-first.pid), ipcError("ECHILD", "waitpid"));
    assert.equal((await kernel.wait(0, bounded)).exitCode, 3);
    assert.equal(third.task.pid > 0, true);
  });

  test("setpgid moves a child before it runs, and not after", async () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    using child = new Spawned(kernel, ["ready", "await"]);
    assert.equal(sys.setpgid(child.pid, 0), 0);
    assert.equal(sys.getpgid(child.pid), child.pid);
    assert.equal(await child.report(), "ready");
    assert.equal(sys.setpgid(child.pid, kernel.pid), EACCES);
    child.task.kill();
    await child.task.wait(bounded);
  });

  test("wait4 and waitid are Linux's", async () => {
    const kernel = world.createKernel();
    const { sys } = kernel;
    assert.equal(sys.wait4(-1, STATUS, 0, 0), ECHILD);
    assert.equal(sys.wait4(-1, STATUS, 4, 0), EINVAL, "WEXITED is waitid's");
    assert.equal(sys.wait4(-(2 ** 31), STATUS, 0, 0), ESRCH);
    assert.equal(sys.waitid(P_ALL, 0, INFO, WNOHANG, 0), EINVAL, "no news asked for");
    assert.equal(sys.waitid(P_PID, 0, INFO, WEXITED, 0), EINVAL);
    assert.equal(sys.waitid(P_PGID, -1, INFO, WEXITED, 0), EINVAL);
    assert.equal(sys.waitid(P_PIDFD, 0, INFO, WEXITED, 0), -9);
    assert.equal(sys.waitid(4, 0, INFO, WEXITED, 0), EINVAL);
    assert.equal(sys.waitid(P_ALL, 0, INFO, WEXITED, 0), ECHILD);
    assert.deepEqual(infoOf(kernel), [0, 0, 0, 0]);
    assert.equal(sys.waitid(P_ALL, 0, 2 ** 30, WEXITED, 0), EFAULT);
    using child = new Spawned(kernel, ["ready", "await"]);
    assert.equal(await child.report(), "ready");
    view(kernel).setInt32(STATUS, -1, true);
    assert.equal(sys.wait4(child.pid, STATUS, WNOHANG, 0), 0);
    assert.equal(view(kernel).getInt32(STATUS, true), -1, "no news, nothing written");
    assert.equal(sys.kill(child.pid, 19), 0);
    assert.equal(sys.waitid(P_PID, child.pid, INFO, WSTOPPED | WNOWAIT, 0), 0);
    assert.equal(sys.waitid(P_PID, child.pid, INFO, WSTOPPED, 0), 0);
    assert.deepEqual(infoOf(kernel), [SIGCHLD, CLD_STOPPED, child.pid, 19]);
    assert.equal(sys.kill(child.pid, 18), 0);
    assert.equal(sys.waitid(P_PID, child.pid, INFO, WCONTINUED, 0), 0);
    assert.deepEqual(infoOf(kernel), [SIGCHLD, CLD_CONTINUED, child.pid, 18]);
    assert.equal(sys.kill(child.pid, 15), 0);
    assert.equal(sys.waitid(P_PGID, 0, INFO, WEXITED | WNOWAIT, 0), 0);
    assert.deepEqual(infoOf(kernel), [SIGCHLD, CLD_KILLED, child.pid, 15]);
    assert.equal(sys.wait4(-1, STATUS, 0, 0), child.pid);
    assert.equal(view(kernel).getInt32(STATUS, true), 15);
  });

  test("all tasks may be zombies: then there is room for no more, until they have been waited for", async () => {
    const kernel = world.createKernel({ tasksMax: 3 });
    const children = [1, 2].map((code) => new Spawned(kernel, [`exit:${code}`]));
    await until(() => kernel.tasks().filter(({ state }) => state === "zombie").length === 2, "two zombies");
    assert.throws(() => kernel.spawn(program), ipcError("ENOSPC", "spawn"));
    for (const child of children) await child.task.wait(bounded);
    using third = new Spawned(kernel, ["exit:4"]);
    assert.equal((await third.task.wait(bounded)).exitCode, 4);
  });

  test("a program that cannot be started leaves no task behind", () => {
    const kernel = world.createKernel();
    const before = kernel.usage();
    assert.throws(() => kernel.spawn(program, { processGroup: -1 }), ipcError("EINVAL", "spawn"));
    assert.throws(() => kernel.spawn(program, { as: "fibre" as never }), typeError("spawn"));
    assert.throws(() => kernel.spawn(7 as never), TypeError);
    assert.deepEqual(kernel.usage(), before);
  });
});

inWorld("processes", (world) => {
  test("a child that has died and was not waited for takes a signal, also before anybody has seen its end", async () => {
    const kernel = world.createKernel();
    using child = new Spawned(kernel, ["ready", "sleep"]);
    assert.equal(await child.report(), "ready");
    const stateOf = () => kernel.tasks().find(({ pid }) => pid === child.pid)?.state;
    (child.task.child as ChildProcess).kill("SIGKILL");
    // No turn of the event loop: it would be told of the end, and bury the child.
    for (const endMs = performance.now() + bounded.timeout; stateOf() !== "dead"; )
      assert.ok(performance.now() < endMs);
    kernel.kill(child.pid, 0);
    kernel.kill(child.pid, "SIGTERM");
    kernel.kill(child.pid, "SIGCONT");
    assert.equal(kernel.sys.getpgid(child.pid), kernel.sys.getpgrp());
    assert.equal(stateOf(), "dead", "nobody has buried it");
    assert.equal((await child.task.wait(bounded)).signal, "SIGKILL");
    assert.throws(() => kernel.kill(child.pid, 0), ipcError("ESRCH", "kill"));
  });

  for (const ending of ["SIGTERM", "SIGKILL"] as const) {
    test(`a signal that comes after the host's ${ending} did not end a child, however short the time between`, async () => {
      const kernel = world.createKernel();
      using child = new Spawned(kernel, ["ready", "sleep"]);
      assert.equal(await child.report(), "ready");
      const { pid } = child;
      const isDead = (): boolean => kernel.tasks().some((task) => task.pid === pid && task.state === "dead");
      kernel.kill(pid, "SIGCHLD"); // it is alive now, and need not be asked about again for a moment
      (child.task.child as ChildProcess).kill(ending);
      for (const endMs = performance.now() + bounded.timeout; !isDead(); ) assert.ok(performance.now() < endMs);
      kernel.kill(pid, "SIGHUP");
      assert.equal((await child.task.wait(bounded)).signal, ending);
    });
  }

  test("a kernel with a name spawns worker threads, too", async () => {
    const kernel = world.createKernel();
    using child = new Spawned(kernel, ["identify", "exit:6"], { as: "thread" });
    assert.deepEqual(await child.report(), [child.pid, kernel.pid, kernel.pid]);
    assert.equal((await child.task.wait(bounded)).exitCode, 6);
  });
});

inWorld("threads", (world) => {
  test("a kernel without a name spawns no process", () => {
    const kernel = world.createKernel();
    assert.throws(() => kernel.spawn(program, { as: "process" }), ipcError("EINVAL", "spawn", "Kernel.open"));
  });

  test("a thread attaches as a task that was spawned for it, and as no other", () => {
    assert.throws(() => Kernel.attach(), typeError("attach", "kernel.spawn"));
    const kernel = world.createKernel();
    const { handle } = kernel;
    kernel.close();
    for (const pid of [1, 4000, -1]) {
      assert.throws(() => Kernel.attach({ ...handle, pid } as never), ipcError("ESRCH", "attach"), `${pid}`);
    }
    world.keep(Kernel.attach(handle));
  });
});

test("a program of node --eval spawns the one that it names, and not itself again", async () => {
  const name = `test-${process.pid}-eval`;
  const { stdout, stderr } = await runScript(`
    using(ipc.Kernel.open(${JSON.stringify(name)}, { create: true }));
    async function using(kernel) {
      const task = kernel.spawn(new URL(${JSON.stringify(program.href)}), { argv: ["exit:3"] });
      console.log((await task.wait()).exitCode);
      kernel.close();
      ipc.Kernel.unlink(${JSON.stringify(name)});
    }`);
  assert.deepEqual([stdout, stderr], ["3\n", ""]);
});
