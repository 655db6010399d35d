// The tasks that this one has started: waiting for them, and sending them signals.

import type { ChildProcess } from "node:child_process";
import type { Worker } from "node:worker_threads";
import { EBADF, ECHILD, EINTR, ENOENT, ETIMEDOUT } from "../abi/errno.ts";
import { signalName } from "../abi/signals.ts";
import { CLD_CONTINUED, CLD_EXITED, CLD_STOPPED, childCode } from "../abi/wait.ts";
import { type ChildStatus, childrenByPid, type Wanted } from "../kernel/children.ts";
import { listenTo } from "../kernel/listening.ts";
import type { System } from "../kernel/system.ts";
import { deliverAtEnd } from "./delivering.ts";
import { INSPECT, type Inspect, shown } from "./inspecting.ts";
import { failureOf, IpcError } from "./ipc-error.ts";
import { checkCount, countdown, type SyncWaitOptions, signalOf, timeoutOf, type WaitOptions } from "./options.ts";
import type { Signal } from "./signal-names.ts";

/** What has become of a child (wait(2)). */
export interface TaskStatus {
  /** Its pid in the kernel. */
  readonly pid: number;
  /** It has ended, has been stopped, or goes on after it was. */
  readonly state: "ended" | "stopped" | "continued";
  /** What it ended with, 0 to 255; null where a signal ended it, and where it has not ended. */
  readonly exitCode: number | null;
  /** The signal that ended or stopped it, such as "SIGTERM", else null. */
  readonly signal: string | null;
}

/** Which news of a child to wait for, beside its end. */
export interface NewsOptions {
  /** That it has been stopped (WUNTRACED); default false. */
  readonly stopped?: boolean | undefined;
  /** That it goes on again (WCONTINUED); default false. */
  readonly continued?: boolean | undefined;
}

const WAIT = "waitpid";

/**
 * A task that this one has spawned (posix_spawn(3), waitpid(3)). It stays in the kernel as a zombie from its end until it has been
 * waited for. At the end of a block with `await using` it is ended and waited for.
 */
export class Task implements AsyncDisposable {
  /** Its pid in the kernel. */
  readonly pid: number;
  /** The host's worker thread or process. */
  readonly child: Worker | ChildProcess;
  readonly #system: () => System;
  readonly #kill: (signal: Signal) => void;
  #ended: TaskStatus | undefined;

  /** Made by Kernel. @internal */
  constructor(pid: number, child: Worker | ChildProcess, system: () => System, kill: (signal: Signal) => void) {
    this.pid = pid;
    this.child = child;
    this.#system = system;
    this.#kill = kill;
  }

  /** Sends it a signal, as `kernel.kill` does; SIGTERM where none is named. */
  kill(signal: Signal = "SIGTERM"): void {
    this.#kill(signal);
  }

  /**
   * Waits until it has ended. Afterwards, too, and as often at one time as you like: the answer is kept.
   * @throws IpcError ETIMEDOUT, ECHILD where `kernel.wait` has told of it already
   */
  async wait(options?: WaitOptions & NewsOptions): Promise<TaskStatus> {
    if (this.#ended) return this.#ended;
    try {
      return await waitFor(this.#system(), this.pid, options, (status) => this.#keep(status));
    } catch (error) {
      // Another wait of this handle was told of the end: the kernel tells of it once, the handle whoever asks.
      if (this.#ended && error instanceof IpcError && error.code === "ECHILD") return this.#ended;
      throw error;
    }
  }

  /** The same, asleep. @throws IpcError ETIMEDOUT, ECHILD, EINTR */
  waitSync(options?: SyncWaitOptions & NewsOptions): TaskStatus {
    return this.#ended ?? this.#keep(waitForSync(this.#system(), this.pid, options));
  }

  /** Returns undefined while it runs (WNOHANG). @throws IpcError ECHILD */
  tryWait(options?: NewsOptions): TaskStatus | undefined {
    if (this.#ended) return this.#ended;
    const status = tryWaitFor(this.#system(), this.pid, options);
    return status && this.#keep(status);
  }

  /**
   * For `await using`: sends SIGTERM where it has not ended, and waits until it has. One that catches the signal is waited for until
   * it ends by itself.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.tryWait()) return;
      this.kill();
      await this.wait();
    } catch (error) {
      if (!(error instanceof IpcError && error.code === "ECHILD")) throw error; // else `kernel.wait` has waited for it
    }
  }

  /** What `console.log` shows of it. @internal */
  [INSPECT](depth: number, options: object, inspect: Inspect): string {
    return shown(this.constructor, undefined, this.#ended ?? { pid: this.pid }, [depth, options, inspect]);
  }

  #keep(status: TaskStatus): TaskStatus {
    if (status.state === "ended") this.#ended = status;
    return status;
  }
}

/**
 * Waits for news of a child, of any with -1, of a group with 0 or below -1 (waitpid(3)). `onFound` is told in the same turn of the
 * event loop in which the kernel has told of it: nobody can look in between.
 */
export async function waitFor(
  system: System,
  pid: number,
  options: (WaitOptions & NewsOptions) | undefined,
  onFound: (status: TaskStatus) => void = () => {},
): Promise<TaskStatus> {
  const wanted = wantedOf(pid, options);
  const timeoutMs = timeoutOf(options, WAIT, labelOf(pid));
  const signal = signalOf(options, WAIT, labelOf(pid));
  signal?.throwIfAborted();
  const look = (): ChildStatus | number | undefined => {
    const found = system.children.look(wanted);
    if (found === ENOENT) return undefined;
    if (typeof found !== "number") onFound(told(found, pid));
    return found;
  };
  const listen = (again: () => void): (() => void) => listenTo(system.bell, again);
  return told(await system.hearing.until(system, listen, look, timeoutMs, signal), pid);
}

export function waitForSync(
  system: System,
  pid: number,
  options: (SyncWaitOptions & NewsOptions) | undefined,
): TaskStatus {
  const wanted = wantedOf(pid, options);
  const left = countdown(options);
  for (;;) {
    const found = system.children.wait(wanted, timeoutOf(left(), WAIT, labelOf(pid)));
    if (found !== EINTR) {
      deliverAtEnd(system);
      return told(found === ENOENT ? undefined : found, pid);
    }
    const { ran, restart } = system.signals.deliver();
    if (!ran || !restart) return told(EINTR, pid);
  }
}

export function tryWaitFor(system: System, pid: number, options: NewsOptions | undefined): TaskStatus | undefined {
  const found = system.children.look(wantedOf(pid, options));
  deliverAtEnd(system);
  return found === ENOENT ? undefined : told(found, pid);
}

function wantedOf(pid: number, { stopped = false, continued = false }: NewsOptions = {}): Wanted {
  checkCount(pid, "pid", -0x7fffffff, 0x7fffffff, WAIT);
  return { which: childrenByPid(pid), ended: true, stopped, continued, leave: false };
}

const labelOf = (pid: number): string => (pid > 0 ? `task ${pid}` : "children");

const remedies = new Map<number, string>([
  [ECHILD, "this task has spawned no such task, or has waited for it already"],
  [EBADF, "the kernel was closed while this waited"],
]);

/** The status of what was found; undefined: the time has passed. */
function told(found: ChildStatus | number | undefined, pid: number): TaskStatus {
  if (found === undefined) throw failureOf(ETIMEDOUT, WAIT, labelOf(pid));
  if (typeof found === "number") {
    throw failureOf(found, WAIT, labelOf(pid), remedies.get(found));
  }
  const { code, status } = childCode(found.status);
  const state = code === CLD_STOPPED ? "stopped" : code === CLD_CONTINUED ? "continued" : "ended";
  const exitCode = code === CLD_EXITED ? status : null;
  return { pid: found.pid, state, exitCode, signal: exitCode === null ? signalName(status) : null };
}
