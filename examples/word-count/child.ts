// What the reader and the workers have in common: how they learn what to do, and how they end when the main task is gone.

import { once } from "node:events";
import { isMainThread, workerData } from "node:worker_threads";
import { IpcError, Kernel, type KernelHandle } from "../../src/index.ts";

/** How long a blocking call waits before the main task is looked after. */
const LOOK_AFTER_MS = 500;

export interface Setup {
  readonly handle: KernelHandle;
  /** The main task's number for this one. Unlike a pid of the kernel it is never given again. */
  readonly task: number;
  readonly mainProcess: number;
  /** Path and size of each; for the reader only. */
  readonly files: readonly (readonly [path: string, size: number])[];
}

/** Waits for what the main task has to say to a new process or thread. */
export async function receiveSetup(): Promise<Setup> {
  if (!isMainThread) return workerData as Setup;
  // A terminal sends Ctrl-C to all; it is for the main task to decide who ends.
  process.on("SIGINT", () => {});
  process.once("disconnect", () => process.exit(1));
  const [setup] = (await once(process, "message")) as [Setup];
  return setup;
}

/** Runs a blocking call of the kernel for as long as it takes and the main task is there. */
export function patiently<Result>(setup: Setup, call: (options: { timeout: number }) => Result): Result {
  for (;;) {
    try {
      return call({ timeout: LOOK_AFTER_MS });
    } catch (error) {
      if (!(error instanceof IpcError && error.code === "ETIMEDOUT")) throw error;
      if (isOrphan(setup)) endAlone(setup);
    }
  }
}

/** The same for a call that a signal interrupts: then it returns undefined. */
export function unlessInterrupted<Result>(
  setup: Setup,
  call: (options: { timeout: number }) => Result,
): Result | undefined {
  try {
    return patiently(setup, call);
  } catch (error) {
    if (error instanceof IpcError && error.code === "EINTR") return undefined;
    throw error;
  }
}

/** Threads end with their process. An orphaned process gets another parent. */
export function isOrphan(setup: Setup): boolean {
  return isMainThread && process.ppid !== setup.mainProcess;
}

/** The main task was killed and could not clean up: the last ones out do. */
export function endAlone(setup: Setup): never {
  try {
    if ("name" in setup.handle) Kernel.unlink(setup.handle.name);
  } catch {
    // Another one was faster.
  }
  process.exit(1);
}
