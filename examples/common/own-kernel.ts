// A kernel of this run's own, whose name goes when the run does.

import { IpcError, Kernel, type OpenOptions } from "../../src/index.ts";

const NAMES_TRIED_MAX = 10;

/** Its name has this process's number in it; a name left behind by another that had the same is passed over. */
export function openFreshKernel(label: string, limits: OpenOptions = {}): { kernel: Kernel; name: string } {
  for (let attempt = 1; ; attempt++) {
    const name = `${label}-${process.pid}${attempt === 1 ? "" : `-${attempt}`}`;
    try {
      return { kernel: Kernel.open(name, { ...limits, create: true, exclusive: true }), name };
    } catch (error) {
      const taken = error instanceof IpcError && error.code === "EEXIST";
      if (!taken || attempt === NAMES_TRIED_MAX) throw error;
    }
  }
}

const ENDING_SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
type EndingSignal = keyof typeof ENDING_SIGNALS;

/**
 * The same, and the name is removed when this process ends: by itself, by an error, or by one of the signals, which end it at once
 * with the status that a shell gives them.
 */
export function openOwnKernel(
  label: string,
  limits: OpenOptions = {},
  endingSignals: readonly EndingSignal[] = ["SIGHUP", "SIGINT", "SIGTERM"],
): Kernel {
  const { kernel, name } = openFreshKernel(label, limits);
  process.once("exit", () => unlinkIfThere(name));
  for (const signal of endingSignals) process.once(signal, () => process.exit(128 + ENDING_SIGNALS[signal]));
  return kernel;
}

export function unlinkIfThere(name: string): void {
  try {
    Kernel.unlink(name);
  } catch (error) {
    if (!(error instanceof IpcError && error.code === "ENOENT")) throw error;
  }
}
