// Which kernel a command works on: --kernel, else $FANGA_KERNEL, else the only one there is; and for a command that makes things,
// where there is none, one that it makes.

import { Kernel } from "../api/kernel.ts";
import type { Arguments } from "./arguments.ts";
import type { Context } from "./command.ts";
import { Failure } from "./failure.ts";
import { hint } from "./nearest.ts";

const LISTED_MAX = 8;
/** What a command calls a kernel that it makes where no name was given. */
const NAME_DEFAULT = "default";
/** Of a kernel that a command makes: lines of text are longer than the mission's 256 bytes. Linux's msgsize_max (mq_overview(7)). */
const MESSAGE_BYTES_MAX = 8192;

/** The name of the kernel that a command with `kernelOption` is to work on; it need not be there where it was named. */
export function chosenKernel({ environment }: Context, given: Arguments): string {
  const named = given.text("kernel") ?? (environment.FANGA_KERNEL || undefined);
  if (named !== undefined) return named;
  const names = Kernel.names();
  if (names.length === 1) return names[0] as string;
  if (names.length > 1) throw given.wrong(`there are several kernels: type --kernel with one of ${listed(names)}`);
  throw new Failure('there is no kernel in /dev/shm: a program makes one with Kernel.open("NAME", { create: true })');
}

/** The same, which must be there. */
export function presentKernel(context: Context, given: Arguments): string {
  const name = chosenKernel(context, given);
  const names = Kernel.names();
  if (names.includes(name)) return name;
  const remedy = hint(name, names) || (names.length > 0 ? `: there are ${listed(names)}` : ": there is none at all");
  throw new Failure(`there is no kernel ${JSON.stringify(name)}${remedy}`);
}

/** Attaches to it as a task; dispose of it when done. With `create`, it is made where it is not there. */
export function openKernel(context: Context, given: Arguments, { create = false } = {}): Kernel {
  if (!create) return Kernel.open(presentKernel(context, given));
  const isNamed = given.text("kernel") !== undefined || Boolean(context.environment.FANGA_KERNEL);
  const name = isNamed || Kernel.names().length > 0 ? chosenKernel(context, given) : NAME_DEFAULT;
  return Kernel.open(name, { create, messageBytesMax: MESSAGE_BYTES_MAX });
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, LISTED_MAX).join(", ");
  return names.length > LISTED_MAX ? `${shown}, … (fanga ls shows all ${names.length})` : shown;
}
