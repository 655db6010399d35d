// Children of our tasks: each is a process of the host's that sleeps, and that a task of the kernel's stands for. So it can be
// killed, stopped and continued from outside as any; what it does itself is done for it.

import { type ChildProcess, spawn } from "node:child_process";
import { exitedStatus } from "../../src/abi/wait.ts";
import { System } from "../../src/kernel/system.ts";
import { child, task } from "../../src/memory/layout.ts";
import { field } from "../../src/memory/words.ts";
import { identityOfProcess } from "../../src/platforms/linux-identity.ts";
import { processWorld } from "../../src/platforms/processes.ts";
import type { MappedRegion } from "../../src/platforms/region-file.ts";
import { taskSlot } from "../../src/sync/bell.ts";
import type { Pid } from "../../src/sync/robust-lock.ts";
import type { World } from "../../src/sync/world.ts";
import { Credentials } from "../../src/tasks/credentials.ts";
import { TaskTable } from "../../src/tasks/task-table.ts";

/** What a child has of its parent, as by fork(2). */
const inherited = [task.SIGNALS_BLOCKED, task.SIGNALS_BLOCKED + 1, task.SIGNALS_IGNORED, task.SIGNALS_IGNORED + 1];

export class KernelChildren {
  readonly #region: MappedRegion;
  readonly #world: World;
  readonly #tasks: TaskTable;
  /** Those that have not ended. */
  readonly #children = new Map<Pid, ChildProcess>();

  constructor(region: MappedRegion) {
    this.#region = region;
    this.#world = processWorld(region);
    this.#tasks = new TaskTable(region.words, region.geometry, this.#world);
  }

  spawn(parent: Pid): number {
    const { words, geometry } = this.#region;
    const from = taskSlot(geometry, parent);
    const pid = this.#tasks.reserve(parent, new Credentials(words, from).identity());
    if (pid < 0) return pid;
    const to = taskSlot(geometry, pid as Pid);
    for (const name of inherited) words.store(field(to, name), words.load(field(from, name)));
    const process = spawn("sleep", ["infinity"], { stdio: "ignore" });
    process.unref();
    this.#tasks.startedAs(pid as Pid, process.pid ?? 0);
    this.#children.set(pid as Pid, process);
    return pid;
  }

  /** What a child does that ends by itself: it leaves the kernel with its status. */
  end(pid: Pid, code: number): void {
    const process = this.#children.get(pid);
    const osPid = process?.pid ?? 0;
    const identity = identityOfProcess(osPid);
    if (!process || identity === undefined) return;
    const world = { ...this.#world, identity, osPid, osThreadId: osPid };
    const { words, geometry } = this.#region;
    const parentPid = words.load(field(taskSlot(geometry, pid), task.PARENT_PID));
    const system = System.attach(this.#region, world, { parentPid, pid });
    if (typeof system === "number") throw new Error(`child ${pid} cannot end: ${system}`);
    system.detach(exitedStatus(code));
    // It has run no other program (execve(2)), so its group can still be changed.
    const flags = field(taskSlot(geometry, pid), task.CHILD);
    if (this.#tasks.isZombie(pid)) words.store(flags, child.AWAITED);
    process.kill("SIGKILL");
  }

  killAll(): void {
    for (const process of this.#children.values()) process.kill("SIGKILL");
  }

  *now(): Iterable<{ pid: number; osPid: number }> {
    for (const [pid, process] of this.#children) yield { pid, osPid: process.pid ?? 0 };
  }

  forget(pid: Pid): void {
    this.#children.delete(pid);
  }
}
