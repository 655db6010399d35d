// Looking at one kernel, or at all that there are.

import type { InspectedKernel } from "../api/inspected.ts";
import { IpcError } from "../api/ipc-error.ts";
import { Kernel } from "../api/kernel.ts";
import { KernelObserver } from "../api/observer.ts";
import type { Arguments } from "./arguments.ts";
import type { Context } from "./command.ts";
import { EXIT_FAILURE, EXIT_OK } from "./failure.ts";
import { chosenKernel, presentKernel } from "./kernels.ts";

/** A kernel that was looked at; or why not. */
export type Look =
  | { readonly name: string; readonly kernel: InspectedKernel; readonly error?: undefined }
  | { readonly name: string; readonly error: IpcError; readonly kernel?: undefined };

/** Looks at a kernel once. @throws IpcError */
export function lookAt(name: string): InspectedKernel {
  using observer = KernelObserver.open(name);
  return observer.look();
}

/** The kernel that was chosen by --kernel or FANGA_KERNEL, else all; those that cannot be looked at with the reason. */
export function lookAtChosen(context: Context, given: Arguments): Look[] {
  if (given.text("kernel") !== undefined || context.environment.FANGA_KERNEL) {
    return [look(presentKernel(context, given))];
  }
  // One that has gone since its name was read is none.
  return Kernel.names()
    .map(look)
    .filter(({ error }) => error?.code !== "ENOENT");
}

/** One that must be there, for commands that show a single kernel. @throws IpcError */
export function lookAtOne(context: Context, given: Arguments): InspectedKernel {
  chosenKernel(context, given);
  return lookAt(presentKernel(context, given));
}

export function look(name: string): Look {
  try {
    return { name, kernel: lookAt(name) };
  } catch (error) {
    if (error instanceof IpcError) return { name, error };
    throw error;
  }
}

/** Says on standard error which kernels could not be looked at; the exit code. */
export function reportFailures({ stderr }: Context, looks: readonly Look[]): number {
  const failed = looks.filter(({ error }) => error !== undefined);
  for (const { error } of failed) stderr.write(`fanga: ${error?.message}\n`);
  return failed.length > 0 ? EXIT_FAILURE : EXIT_OK;
}
