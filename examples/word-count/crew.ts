// The tasks that the main one starts, as processes or as threads: who they are, who lives, and how they are ended.

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { Kernel } from "../../src/index.ts";
import type { Setup } from "./child.ts";
import type { TextFile } from "./text-files.ts";

export type Role = "reader" | "worker";

export interface Task {
  readonly number: number;
  readonly role: Role;
  readonly child: ChildProcess | Worker;
  /** Process or thread number of the system. */
  readonly osId: number;
  /** The kernel's pid; 0 until the task has attached. */
  pid: number;
  alive: boolean;
  /** How it stands, or how it ended: "running", "done", "killed by SIGKILL". */
  state: string;
  jobs: number;
  bytes: number;
  /** When its work began and when it last got something done, as performance.now() tells it; 0: never. */
  beganMs: number;
  latestMs: number;
}

const ENDING_MS_MAX = 2000;

export class Crew {
  readonly tasks: Task[] = [];
  readonly #kernel: Kernel;
  readonly #threads: boolean;
  /** Whose end nobody has been told of. */
  readonly #gone: Task[] = [];
  #ending = false;
  #onExit: (task: Task) => void = () => {};

  constructor(kernel: Kernel, threads: boolean) {
    this.#kernel = kernel;
    this.#threads = threads;
    kernel.signals.on("SIGCHLD", () => this.#tellOfEnds());
  }

  /** Calls back when a task has ended, for whatever reason, except by end(). */
  onExit(listener: (task: Task) => void): void {
    this.#onExit = listener;
  }

  get living(): Task[] {
    return this.tasks.filter((task) => task.alive);
  }

  get livingWorkers(): Task[] {
    return this.living.filter((task) => task.role === "worker");
  }

  start(role: Role, files: readonly TextFile[] = []): Task {
    const setup: Setup = {
      handle: this.#kernel.handle,
      task: this.tasks.length + 1,
      mainProcess: process.pid,
      files: files.map((file) => [file.path, file.size]),
    };
    const child = this.#kernel.adopt(this.#threads ? startThread(role, setup) : startProcess(role, setup));
    const task: Task = {
      number: setup.task,
      role,
      child,
      osId: child instanceof Worker ? child.threadId : (child.pid ?? 0),
      pid: 0,
      alive: true,
      state: "running",
      jobs: 0,
      bytes: 0,
      beganMs: 0,
      latestMs: 0,
    };
    this.tasks.push(task);
    this.#watch(task);
    return task;
  }

  /** "worker pid 3 (process 12345)" */
  nameOf(task: Task): string {
    return `${task.role} pid ${task.pid || "-"} (${this.#threads ? "thread" : "process"} ${task.osId})`;
  }

  /** Ends all that still live, and waits until they are gone. */
  async end(): Promise<void> {
    this.#ending = true;
    const gone = this.living.map((task) => new Promise((resolve) => task.child.once("exit", resolve)));
    this.kill();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, ENDING_MS_MAX);
    });
    await Promise.race([Promise.all(gone), late]);
    clearTimeout(timer);
  }

  /** The same without waiting, for when this process is about to end. */
  kill(): void {
    this.#ending = true;
    for (const { child } of this.living) {
      if (child instanceof Worker) void child.terminate();
      else child.kill("SIGKILL");
    }
  }

  #tellOfEnds(): void {
    for (const task of this.#gone.splice(0)) if (!this.#ending) this.#onExit(task);
  }

  #watch(task: Task): void {
    const gone = (state: string) => {
      if (!task.alive) return;
      task.alive = false;
      task.state = state;
      this.#gone.push(task); // SIGCHLD comes for it
    };
    if (task.child instanceof Worker) {
      let fault = "";
      task.child.on("error", (error) => {
        fault = `: ${error.message}`;
      });
      task.child.on("exit", (status) => gone(status === 0 ? "done" : `ended with status ${status}${fault}`));
    } else {
      task.child.on("error", (error) => {
        gone(`not started: ${error.message}`);
        this.#tellOfEnds();
      });
      task.child.on("exit", (status, signal) => {
        if (signal !== null) gone(`killed by ${signal}`);
        else gone(status === 0 ? "done" : `ended with status ${status}`);
      });
    }
  }
}

function startThread(role: Role, setup: Setup): Worker {
  return new Worker(programOf(role), { workerData: setup });
}

function startProcess(role: Role, setup: Setup): ChildProcess {
  const child = fork(programOf(role), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  // One that is dead already is reported by its exit.
  child.send(setup, () => {});
  return child;
}

/** Beside this file, and of its kind: .js when compiled. */
function programOf(role: Role): string {
  return fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? `./${role}.ts` : `./${role}.js`, import.meta.url));
}
