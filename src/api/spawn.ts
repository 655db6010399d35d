// Starting a worker thread or a process as a task (posix_spawn(3)).
//
// The child's task is there before the host has started it: signals can be sent to it, and it has its descriptors. What it
// attaches with goes through the environment, which reaches it before any line of its program runs: `Kernel.attach()`.

import { type ChildProcess, type StdioOptions, spawn as startProcess } from "node:child_process";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import { getEnvironmentData, isMainThread, setEnvironmentData, Worker, type WorkerOptions } from "node:worker_threads";
import { EAGAIN, EINVAL } from "../abi/errno.ts";
import { exitedStatus, killedStatus } from "../abi/wait.ts";
import type { System } from "../kernel/system.ts";
import type { Pid } from "../sync/robust-lock.ts";
import type { Identity } from "../tasks/credentials.ts";
import { failureOf, IpcError } from "./ipc-error.ts";
import type { KernelHandle } from "./kernel-handle.ts";
import { checkCount } from "./options.ts";
import { type Signal, setOf } from "./signal-names.ts";

/** How a task is started. */
export interface SpawnOptions {
  /** A worker thread of this process, or a process of its own: the default where the kernel has a name, and only there. */
  readonly as?: "thread" | "process" | undefined;
  /** What follows the program in its process.argv. */
  readonly argv?: readonly string[] | undefined;
  /** Its environment, default this one's. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Options of Node itself, default this one's. */
  readonly execArgv?: readonly string[] | undefined;
  /** Of a worker thread: what it finds as `workerData`. */
  readonly workerData?: unknown;
  /** Of a process: its standard streams, default this one's. */
  readonly stdio?: StdioOptions | undefined;
  /** Credentials of the task, default this one's. Only a task of user 0 may give others than its own. */
  readonly credentials?: Partial<Identity> | undefined;
  /**
   * The descriptors that it gets, by the numbers that they are to have there: a handle of this task or a number of its table.
   * By default the host's streams and all that are open now, save those that close on exec.
   */
  readonly descriptors?: { readonly [descriptor: number]: number | { readonly descriptor: number } } | undefined;
  /** Signals that it blocks, default those that this task blocks. */
  readonly blocked?: readonly Signal[] | undefined;
  /** Signals that it ignores, default those that this task ignores. Those that this task catches do there what they do by default. */
  readonly ignored?: readonly Signal[] | undefined;
  /** The group to join; 0: one of its own. Default this task's. */
  readonly processGroup?: number | undefined;
}

const SPAWN = "spawn";
const KEY = "FANGAOS_IPC_TASK";

/** What `Kernel.attach()` finds where `kernel.spawn` has started this thread. */
export type SpawnedHandle = KernelHandle & { readonly pid: number };

/** Takes what `spawn` has left for this thread; undefined where it was not started so. */
export function takeSpawnedHandle(): SpawnedHandle | undefined {
  if (!isMainThread) {
    const handle = getEnvironmentData(KEY) as unknown as SpawnedHandle | undefined;
    setEnvironmentData(KEY, undefined as never); // not for the threads that this one starts
    return handle;
  }
  const text = process.env[KEY];
  delete process.env[KEY];
  return text === undefined ? undefined : (JSON.parse(text) as SpawnedHandle);
}

export function spawnTask(
  system: System,
  handle: KernelHandle,
  program: string | URL,
  options: SpawnOptions,
  isOpen: () => boolean,
): { pid: Pid; child: Worker | ChildProcess } {
  const as = options.as ?? ("name" in handle ? "process" : "thread");
  if (typeof program !== "string" && !(program instanceof URL))
    throw new TypeError("spawn: the program must be a path or a file: URL");
  if (as !== "thread" && as !== "process") throw new TypeError('spawn: { as } must be "thread" or "process"');
  if (as === "process" && !("name" in handle))
    throw new IpcError(
      EINVAL,
      SPAWN,
      undefined,
      "a kernel without a name is this process's own: use Kernel.open(name)",
    );
  const pid = reserve(system, options);
  const onEnd = (status: number): void => {
    if (isOpen()) system.reaper.hostEnded(pid, status);
  };
  try {
    const spawned = { ...handle, pid };
    const start = as === "thread" ? startThread : startChild;
    const child = start(system, spawned, program, options, onEnd);
    system.signals.lookAtChildren(); // a signal may have come already
    return { pid, child };
  } catch (error) {
    system.cancelChild(pid);
    throw error;
  }
}

const TOO_MANY =
  "this task has as many children as one may (taskChildrenMax); wait for some, or create the kernel with more";

function reserve(system: System, options: SpawnOptions): Pid {
  const { credentials, descriptors, blocked, ignored, processGroup } = options;
  if (processGroup !== undefined) checkCount(processGroup, "processGroup", 0, 0x7fffffff, SPAWN);
  const { own } = system.signals;
  const pid = system.reserveChild({
    identity: credentials,
    descriptors: descriptors && numbersOf(system, descriptors),
    blocked: blocked ? setOf(blocked) : own.blocked,
    ignored: ignored ? setOf(ignored) : own.ignored,
    processGroup,
  });
  if (pid < 0) throw failureOf(pid, SPAWN, undefined, pid === EAGAIN ? TOO_MANY : undefined);
  return pid as Pid;
}

function numbersOf(system: System, wanted: NonNullable<SpawnOptions["descriptors"]>): Map<number, number> {
  const numbers = new Map<number, number>();
  for (const [to, from] of Object.entries(wanted)) {
    checkCount(Number(to), "descriptors", 0, system.geometry.limits.descriptorsMax - 1, SPAWN);
    numbers.set(Number(to), typeof from === "number" ? from : from.descriptor);
  }
  return numbers;
}

function startThread(
  system: System,
  handle: SpawnedHandle,
  program: string | URL,
  options: SpawnOptions,
  onEnd: (status: number) => void,
): Worker {
  const { argv, env, execArgv, workerData } = options;
  const own: WorkerOptions = { argv: [...(argv ?? [])], workerData };
  if (env) own.env = env;
  if (execArgv) own.execArgv = [...execArgv];
  setEnvironmentData(KEY, handle as never);
  let worker: Worker;
  try {
    worker = new Worker(program, own);
  } finally {
    setEnvironmentData(KEY, undefined as never);
  }
  const { threadId } = worker;
  const slot = system.tasks.startedIn(handle.pid as Pid, threadId);
  system.signals.adopt(threadId, () => void worker.terminate());
  worker.on("error", (error) => {
    // As a process does that nobody listens to.
    if (worker.listenerCount("error") === 1) console.error(error);
  });
  worker.once("exit", (code) => {
    system.signals.disown(threadId);
    // One that has attached would have told its exit code itself, unless it was terminated.
    onEnd(system.tasks.hasBegun(slot) ? KILLED : exitedStatus(code));
  });
  return worker;
}

const KILLED = killedStatus(constants.signals.SIGKILL);
/** With a program of this process's as their value (node --eval), which is not the child's. */
const EVALUATING = ["-e", "--eval", "-p", "--print", "-pe"];

/** Node's options of this process, without a program that stands among them. */
function ownNodeOptions(): string[] {
  const { execArgv } = process;
  return execArgv.filter((option, i) => {
    const isProgram = EVALUATING.includes(option) || EVALUATING.includes(execArgv[i - 1] as string);
    return !isProgram && !/^--(?:eval|print|input-type)=/.test(option);
  });
}

/** posix_spawn(3): what a program that cannot be run ends with. */
const NOT_RUN = exitedStatus(127);

function startChild(
  system: System,
  handle: SpawnedHandle,
  program: string | URL,
  options: SpawnOptions,
  onEnd: (status: number) => void,
): ChildProcess {
  const { argv = [], env = process.env, execArgv = ownNodeOptions(), stdio = "inherit" } = options;
  const path = program instanceof URL ? fileURLToPath(program) : program;
  const child = startProcess(process.execPath, [...execArgv, path, ...argv], {
    stdio,
    env: { ...env, [KEY]: JSON.stringify(handle) },
  });
  const pid = handle.pid as Pid;
  if (child.pid === undefined) {
    child.once("error", () => onEnd(NOT_RUN));
    return child;
  }
  system.tasks.startedAs(pid, child.pid);
  child.once("exit", (code, signal) => {
    onEnd(signal ? killedStatus(constants.signals[signal]) : exitedStatus(code ?? 0));
  });
  return child;
}
