// One of the two systems that are compared: its tasks, which are processes, and whether the call of each has come back or sleeps.
// Nothing here waits for luck: a task that has not come back is looked at until it is known to sleep.

import { type ChildProcess, fork } from "node:child_process";
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createMailbox, DONE, IDLE, type Mailbox, type Slot } from "./mailbox.ts";
import { yieldProcessor } from "./native.ts";
import type { TaskStart } from "./task-start.ts";

const script = fileURLToPath(new URL("./task.js", import.meta.url));
/** A call that neither returns nor sleeps for so long hangs. */
const HUNG_MS = 5000;
/** Looks at the mailbox before the first look at /proc. */
const SPIN_TURNS = 4000;
const STAT_BYTES = 512;

/** Tasks that may have so many descriptors. */
export const DESCRIPTORS = 61;
export const FREE_KEY = 0x7ffffff1;

/** How a call stands. */
export type Standing = "back" | "sleeps" | "hangs" | "dead" | "stopped";

/** States of proc_pid_stat(5). */
const AT_REST = "STtZX";
const GONE = "ZX";

/** X where there is no such process. */
function stateOfProcess(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    return text[text.lastIndexOf(")") + 2] ?? "X";
  } catch {
    return "X";
  }
}

interface Task {
  readonly child: ChildProcess;
  /** Files of /proc, kept open: what they say is made anew at each read. */
  readonly stat: number;
  readonly call: number;
  readonly place: number;
}

export abstract class Side {
  abstract readonly name: string;
  readonly count: number;
  readonly #mailbox: Mailbox;
  readonly #tasks: Task[] = [];
  readonly #buffer = Buffer.alloc(STAT_BYTES);

  constructor(count: number) {
    this.count = count;
    this.#mailbox = createMailbox(count);
  }

  /** Added to what the test calls descriptor 0. */
  abstract readonly firstDescriptor: number;
  /** Interrupts the call that a task sleeps in. */
  abstract interrupt(task: number): void;
  /** What a task's pid is on this side. */
  abstract pidOf(task: number): number;
  /** Whether a pid is, or was, the task's. */
  isPidOf(task: number, pid: number): boolean {
    return this.pidOf(task) === pid;
  }
  /** The address of a task's scratch memory, as its calls see it. */
  abstract baseOf(task: number): number;
  /** The arguments of the harness's call that lets a task take over another's descriptors. */
  abstract inheritance(task: number, from: number): bigint[];
  /** Makes a child of a task, which sleeps: its pid, or a negative errno. */
  abstract spawn(task: number): number;
  /** Lets a child end so. */
  abstract endChild(pid: number, code: number): void;
  /** Kills the children that are left. */
  abstract killChildren(): void;
  /** What has come of a child's process, once it is at rest. */
  protected abstract childIsGone(pid: number): void;
  protected abstract childrenNow(): Iterable<{ readonly pid: number; readonly osPid: number }>;

  /** Waits until no child is on its way: each sleeps, is stopped, or has ended. */
  settleChildren(): void {
    for (const { pid, osPid } of [...this.childrenNow()]) {
      let state = stateOfProcess(osPid);
      for (; !AT_REST.includes(state); state = stateOfProcess(osPid)) yieldProcessor();
      if (GONE.includes(state)) this.childIsGone(pid);
    }
  }

  protected abstract startOf(): Partial<TaskStart>;
  /** Whether a task that has not come back sleeps for certain. */
  protected abstract sleeps(task: number): boolean;
  /** What a task left when it ended. */
  protected abstract bury(): void;

  slot(task: number): Slot {
    return this.#mailbox.slots[task] as Slot;
  }

  async start(): Promise<void> {
    await Promise.all(Array.from({ length: this.count }, (_, task) => this.#spawn(task)));
  }

  /** Kills a task and starts another in its place. */
  async replace(task: number): Promise<void> {
    await this.#kill(task);
    this.bury();
    this.slot(task).state = IDLE;
    await this.#spawn(task);
  }

  async end(): Promise<void> {
    await Promise.all(this.#tasks.map((_, task) => this.#kill(task)));
    this.#mailbox.close();
  }

  begin(task: number, number: number, args: readonly bigint[]): void {
    this.slot(task).want(number, args);
  }

  /** Waits until a task's call has come back or is known to sleep; with `returns` until it is back. */
  settle(task: number, returns: boolean): Standing {
    const slot = this.slot(task);
    for (let turn = 0; turn < SPIN_TURNS; turn++) if (slot.state === DONE) return "back";
    for (let end = 0, turn = 0; ; turn++) {
      if (slot.state === DONE) return "back";
      if (!returns && this.sleeps(task)) return slot.state === DONE ? "back" : "sleeps";
      yieldProcessor();
      if (turn % 64 !== 0) continue;
      const state = this.#stateOf(task);
      if (!"RSD".includes(state)) return state === "T" ? "stopped" : "dead";
      end ||= performance.now() + HUNG_MS;
      if (performance.now() > end) return "hangs";
    }
  }

  /** Whether the thread is marked as asleep, interruptibly, in whatever. */
  protected threadSleeps(task: number): boolean {
    return this.#stateOf(task) === "S";
  }

  /**
   * The same of one that waits for no CPU: a system call marks its thread before it looks for what to wait for, and so does one that
   * was woken, until it has looked again. Only of others the host tells where they sleep (proc_pid_wchan(5)).
   */
  protected threadRests(task: number): boolean {
    return this.threadSleeps(task) && this.#read((this.#tasks[task] as Task).place) !== "0";
  }

  /** The system call that a sleeping thread is in, and its arguments; undefined while it runs. */
  protected callOf(task: number): string[] | undefined {
    const text = this.#read((this.#tasks[task] as Task).call);
    return text.startsWith("running") ? undefined : text.split(" ");
  }

  #stateOf(task: number): string {
    try {
      const text = this.#read((this.#tasks[task] as Task).stat);
      return text[text.lastIndexOf(")") + 2] ?? "X";
    } catch {
      return "X"; // no such process
    }
  }

  #read(descriptor: number): string {
    const length = readSync(descriptor, this.#buffer, 0, STAT_BYTES, 0);
    return this.#buffer.toString("latin1", 0, length);
  }

  async #kill(task: number): Promise<void> {
    const { child, stat, call, place } = this.#tasks[task] as Task;
    for (const file of [stat, call, place]) closeSync(file);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.ref(); // somebody waits for it now
    child.kill("SIGKILL");
    await gone;
  }

  async #spawn(index: number): Promise<void> {
    const start: TaskStart = {
      slots: this.count,
      index,
      parentPid: process.pid,
      descriptors: DESCRIPTORS,
      freeKey: FREE_KEY,
      ...this.startOf(),
    };
    const child = fork(script, [JSON.stringify(start)], {
      execArgv: [],
      stdio: ["ignore", "ignore", "inherit", "ipc", this.#mailbox.descriptor],
    });
    await new Promise<void>((resolve, reject) => {
      child.once("message", () => resolve());
      child.once("exit", (code, signal) =>
        reject(new Error(`a task of the differential test ended: ${code ?? signal}`)),
      );
    });
    child.removeAllListeners("exit");
    child.disconnect();
    child.unref();
    const { pid, thread } = this.slot(index);
    const directory = `/proc/${pid}/task/${thread}`;
    this.#tasks[index] = {
      child,
      stat: openSync(`${directory}/stat`, "r"),
      call: openSync(`${directory}/syscall`, "r"),
      place: openSync(`${directory}/wchan`, "r"),
    };
  }
}
