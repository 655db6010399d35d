// The two worlds that every sentence about tasks is proven in: worker threads over a SharedArrayBuffer, and processes over a
// mapped file. A test asks its world for kernels and for real second tasks; the world ends and removes them all afterwards.

import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { afterEach, describe } from "node:test";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { Kernel, type KernelHandle, type KernelLimits } from "../src/index.ts";
import { type Geometry, geometryOf, node, task } from "../src/memory/layout.ts";
import { isRefusal } from "../src/memory/region.ts";
import { field, Words } from "../src/memory/words.ts";
import { libc } from "../src/platforms/libc.ts";
import { attachRegionFile, regionPath } from "../src/platforms/region-file.ts";
import { taskSlot } from "../src/sync/bell.ts";
import { WAITING } from "../src/sync/poll-word.ts";
import type { Pid } from "../src/sync/robust-lock.ts";
import { AWAITED, SLEEPING } from "../src/sync/wait-list.ts";
import type { FromTask, TaskStart } from "./task-runner.ts";
import type { Tasks } from "./tasks.ts";

/** Nothing that a test waits for takes longer, or the test fails: a hang must be told from a slow machine. */
const HUNG_MS = 15_000;

/** For waiting calls of the test's own thread: a bound, so that a lost wake-up fails instead of hanging. */
export const bounded = { timeout: HUNG_MS } as const;

/** DESIGN.md: a dead task is noticed within 250 ms. A loaded machine may be slower; what was measured is printed. */
export const NOTICED_MS_MAX = 1500;

const runner = fileURLToPath(new URL("./task-runner.js", import.meta.url));

type Arguments<N extends keyof Tasks> = Parameters<Tasks[N]>[2];

export interface TestWorld {
  readonly name: "threads" | "processes";
  /** A kernel of the test's own, closed and removed after the test. */
  createKernel(limits?: Partial<KernelLimits>): Kernel;
  /** Starts a second thread or process that attaches and runs a function of test/tasks-*.ts. Resolves once it is attached. */
  startTask<N extends keyof Tasks>(kernel: Kernel | KernelHandle, name: N, args: Arguments<N>): Promise<Task>;
  /** Closes the kernel after the test too: for kernels that a test attached to itself. */
  keep(kernel: Kernel): Kernel;
  /** A kernel's name that nobody else has; whatever lies under it is removed after the test. */
  freshName(): string;
}

/** A running second task. */
export interface Task {
  /** In the kernel. */
  readonly pid: number;
  readonly child: Worker | ChildProcess;
  /** The exit code; for a killed one, any. */
  readonly exited: Promise<number>;
  send(value: unknown): void;
  /** What it reports next. */
  report(): Promise<unknown>;
  /** What its function returns. Rejects with what it threw. */
  result(): Promise<unknown>;
  /** Kills it: kill -9, or worker.terminate(). */
  kill(): void;
}

/** Calls `define` for each world, in a group of its own. */
export function overWorlds(define: (world: TestWorld) => void): void {
  const missing = libc();
  for (const name of ["threads", "processes"] as const) {
    const skip = name === "processes" && typeof missing === "string" ? missing : false;
    describe(`between ${name}`, { skip }, () => define(worldOf(name)));
  }
}

/** One world, for what only it has. */
export function inWorld(name: TestWorld["name"], define: (world: TestWorld) => void): void {
  const missing = libc();
  const skip = name === "processes" && typeof missing === "string" ? missing : false;
  describe(`of ${name}`, { skip }, () => define(worldOf(name)));
}

let kernelsNamed = 0;

const uniqueName = (): string => `test-${process.pid}-${++kernelsNamed}`;

/** Region files of this test process that are still there. */
export const filesLeft = (): string[] =>
  readdirSync("/dev/shm").filter((file) => file.startsWith(`fangaos.test-${process.pid}-`));

function worldOf(name: TestWorld["name"]): TestWorld {
  const kernels: Kernel[] = [];
  const tasks: RunningTask[] = [];
  const names: string[] = [];
  const freshName = (): string => {
    const fresh = uniqueName();
    names.push(fresh);
    return fresh;
  };
  const keep = (kernel: Kernel): Kernel => {
    kernels.push(kernel);
    return kernel;
  };
  afterEach(async () => {
    for (const task of tasks.splice(0)) await task.end();
    for (const kernel of kernels.splice(0)) kernel.close();
    for (const file of names.splice(0)) rmSync(regionPath(file), { recursive: true, force: true });
    for (const [kernel, watched] of watchedRegions) {
      watched.unmap();
      watchedRegions.delete(kernel);
    }
    assert.deepEqual(filesLeft(), [], "the test left files in /dev/shm");
  });
  return {
    name,
    keep,
    freshName,
    createKernel: (limits = {}) =>
      keep(
        name === "threads"
          ? Kernel.create(limits)
          : Kernel.open(freshName(), { create: true, exclusive: true, ...limits }),
      ),
    startTask: async (kernel, taskName, args) => {
      const handle = kernel instanceof Kernel ? kernel.handle : kernel;
      const task = new RunningTask(name, { handle, name: taskName, args });
      tasks.push(task);
      await task.attached();
      return task;
    },
  };
}

class RunningTask implements Task {
  readonly child: Worker | ChildProcess;
  readonly exited: Promise<number>;
  pid = 0;
  readonly #reports: unknown[] = [];
  readonly #name: string;
  #returned: { value: unknown } | undefined;
  #failure: Error | undefined;
  #gone = false;

  constructor(world: TestWorld["name"], start: TaskStart) {
    this.#name = start.name;
    this.child =
      world === "threads"
        ? new Worker(runner, { workerData: start })
        : fork(runner, [], { serialization: "advanced", execArgv: [] });
    const child = this.child as ChildProcess;
    child.on("message", (message) => this.#hear(message as FromTask));
    child.on("error", (error) => this.#fail(error));
    this.exited = new Promise((resolve) => {
      child.once("exit", (code) => {
        this.#gone = true;
        resolve(code ?? -1);
      });
    });
    if (world === "processes") child.send(start as never);
  }

  async attached(): Promise<void> {
    await this.#until(() => this.pid !== 0, "attach");
  }

  send(value: unknown): void {
    if (this.child instanceof Worker) this.child.postMessage(value);
    else this.child.send(value as never);
  }

  async report(): Promise<unknown> {
    await this.#until(() => this.#reports.length > 0, "report");
    return this.#reports.shift();
  }

  async result(): Promise<unknown> {
    await this.#until(() => this.#returned !== undefined, "return");
    return this.#returned?.value;
  }

  kill(): void {
    if (this.child instanceof Worker) void this.child.terminate();
    else this.child.kill("SIGKILL");
  }

  async end(): Promise<void> {
    if (!this.#gone) this.kill();
    await this.exited;
  }

  #hear(message: FromTask): void {
    if (message.kind === "attached") this.pid = message.pid;
    else if (message.kind === "report") this.#reports.push(message.value);
    else if (message.kind === "returned") this.#returned = { value: message.value };
    else this.#fail(Object.assign(new Error(message.message), { code: message.code, stack: message.stack }));
  }

  #fail(error: Error): void {
    this.#failure ??= error;
  }

  async #until(condition: () => boolean, verb: string): Promise<void> {
    await until(() => {
      if (condition()) return true;
      if (this.#failure) throw this.#failure;
      if (this.#gone) throw new Error(`the task ${this.#name} ended before it could ${verb}`);
      return false;
    }, `the task ${this.#name} to ${verb}`);
  }
}

/** Looks again after every turn of the event loop until the condition holds; fails when it takes too long. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + HUNG_MS;
  for (let turn = 0; !condition(); turn++) {
    if (performance.now() > end) throw new Error(`waited ${HUNG_MS} ms in vain for ${what}`);
    // A millisecond now and then leaves the CPU to those who are waited for.
    await new Promise((resolve) => (turn % 8 === 7 ? setTimeout(resolve, 1) : setImmediate(resolve)));
  }
}

/** A region as an onlooker sees it: no task, no lock, only looks. */
interface Watched {
  readonly words: Words;
  readonly geometry: Geometry;
  unmap(): void;
}

const watchedRegions = new Map<string | SharedArrayBuffer, Watched>();

function watch(kernel: Kernel): Watched {
  const { handle } = kernel;
  const key = "name" in handle ? handle.name : handle.buffer;
  let watched = watchedRegions.get(key);
  if (watched) return watched;
  if ("name" in handle) {
    const region = attachRegionFile(handle.name);
    assert.ok(!isRefusal(region));
    watched = region;
  } else {
    watched = { words: new Words(handle.buffer), geometry: geometryOf(kernel.limits), unmap: () => {} };
  }
  watchedRegions.set(key, watched);
  return watched;
}

/** The states of the wait nodes that a task holds. */
export function waitStates(kernel: Kernel, pid: number): number[] {
  const { words, geometry } = watch(kernel);
  const states: number[] = [];
  for (let i = 0; i < geometry.limits.waitersMax; i++) {
    const at = field(geometry.nodes, i * node.WORDS);
    if (words.load(field(at, node.OWNER)) === pid) states.push(words.load(field(at, node.STATE)));
  }
  return states;
}

/** How many waits of a task are in a list, asleep or awaited. */
export function waitsUnderWay(kernel: Kernel, pid: number): number {
  return waitStates(kernel, pid).filter((state) => state === SLEEPING || state === AWAITED).length;
}

/** Until a task sleeps in a poll, or waits for signals, in a slice of it. */
export async function untilPolling(kernel: Kernel, pid: number): Promise<void> {
  const { words, geometry } = watch(kernel);
  const slot = taskSlot(geometry, pid as Pid);
  const polls = () => words.load(field(slot, task.POLL)) === WAITING && words.load(field(slot, task.PID)) === pid;
  await until(polls, `task ${pid} to poll`);
}

/** Until a task sleeps in (or awaits) so many waits. */
export async function untilAsleep(kernel: Kernel, pid: number, waits = 1): Promise<void> {
  await until(() => waitsUnderWay(kernel, pid) === waits, `task ${pid} to sleep`);
}
