// fanga clean: buries what dead tasks left, and removes kernels that nobody lives in.

import type { InspectedKernel } from "../../api/inspected.ts";
import { IpcError } from "../../api/ipc-error.ts";
import { Kernel } from "../../api/kernel.ts";
import type { Arguments } from "../arguments.ts";
import type { Command, Context } from "../command.ts";
import { EXIT_FAILURE, EXIT_OK } from "../failure.ts";
import { type Look, look, lookAtChosen } from "../looks.ts";
import { titleOf } from "../object-text.ts";
import { kernelOption } from "../option.ts";
import { counted } from "../table.ts";

const OBJECTS_NAMED_MAX = 5;

export const clean: Command = {
  name: "clean",
  summary: "bury what dead tasks left, and remove kernels in which nobody lives",
  notes: `Tasks that were killed are buried by whoever waits in their kernel; where nobody does,
this does. A kernel in which nobody lives is removed, with its file in /dev/shm, where
  - a task has died in it that nobody has buried, so it was not left in good order;
  - or nothing is in it that a name, a key or an id leads to;
  - or it is from before the machine was started.
One that was left in good order and holds objects is kept, as those who come next may want
them: --all removes it too. What belongs to other versions, containers or users is left
alone. It asks nothing, and tells what it did.`,
  options: {
    ...kernelOption,
    all: {
      type: "boolean",
      short: "a",
      description: "remove kernels in which nobody lives also where they hold objects",
    },
    "dry-run": { type: "boolean", short: "n", description: "only tell what would be done" },
  },
  examples: [
    ["fanga clean --dry-run", "what would be done?"],
    ["fanga clean --kernel test-4711 --all", "away with what a test has left"],
  ],
  run(context, given) {
    let code = EXIT_OK;
    let done = 0;
    for (const seen of lookAtChosen(context, given)) {
      const result = cleanOne(context, given, seen);
      if (result === FAILED) code = EXIT_FAILURE;
      if (result === DONE) done++;
    }
    if (done === 0 && code === EXIT_OK) context.stdout.write("nothing to clean\n");
    return code;
  },
};

const NOTHING = 0;
const DONE = 1;
const FAILED = 2;

function cleanOne(context: Context, given: Arguments, { name, kernel, error }: Look): number {
  try {
    if (error) return cleanUnreadable(context, given, name, error);
    const dead = deadPids(kernel);
    if (livesNobody(kernel)) return cleanDeserted(context, given, kernel, dead);
    return dead.length > 0 ? bury(context, given, kernel, dead) : NOTHING;
  } catch (failure) {
    if (!(failure instanceof IpcError)) throw failure;
    context.stderr.write(`fanga: ${failure.message}\n`);
    return FAILED;
  }
}

const deadPids = ({ tasks }: InspectedKernel): number[] =>
  tasks.filter(({ state }) => state === "dead").map(({ pid }) => pid);

/** A zombie is not alive: its parent would be, who waits for it. */
const livesNobody = ({ tasks }: InspectedKernel): boolean =>
  tasks.every(({ state }) => state === "dead" || state === "zombie");

/** Buries the dead of a kernel in which others live, as one of its tasks for that long. */
function bury({ stdout }: Context, given: Arguments, { name }: InspectedKernel, dead: readonly number[]): number {
  const who = `${counted(dead.length, "dead task")} in kernel ${name}: ${dead.join(", ")}`;
  if (given.has("dry-run")) {
    stdout.write(`would bury ${who}\n`);
    return DONE;
  }
  using kernel = Kernel.open(name);
  kernel.reap();
  stdout.write(`buried ${who}\n`);
  return DONE;
}

function cleanDeserted(context: Context, given: Arguments, kernel: InspectedKernel, dead: readonly number[]): number {
  if (isBeingMade(kernel)) return NOTHING;
  const kept = kernel.objects.filter(({ linked }) => linked);
  const why =
    dead.length > 0 ? `${counted(dead.length, "task")} died in it, and nobody lives there` : "nobody lives there";
  if (kept.length > 0 && dead.length === 0 && !given.has("all")) {
    const named = kept.slice(0, OBJECTS_NAMED_MAX).map(titleOf).join(", ");
    const more = kept.length > OBJECTS_NAMED_MAX ? ", …" : "";
    context.stdout.write(
      `kept kernel ${kernel.name}: nobody lives there, but it holds ${named}${more} (--all removes it)\n`,
    );
    return DONE;
  }
  const lost = kept.length > 0 ? `, with ${counted(kept.length, "object")}` : "";
  return remove(context, given, kernel.name, `${why}${lost}`);
}

/** Whoever makes a kernel attaches to it next. */
const isBeingMade = ({ tasksSoFar, changedMs }: InspectedKernel): boolean =>
  tasksSoFar === 0 && Date.now() - changedMs < MAKING_MS_MAX;

const MAKING_MS_MAX = 60_000;

function remove({ stdout }: Context, given: Arguments, name: string, why: string): number {
  if (given.has("dry-run")) {
    stdout.write(`would remove kernel ${name}: ${why}\n`);
    return DONE;
  }
  // Somebody may have come meanwhile.
  const { kernel, error } = look(name);
  if (error?.code === "ENOENT" || (kernel && !livesNobody(kernel))) return NOTHING;
  Kernel.unlink(name);
  stdout.write(`removed kernel ${name}: ${why}\n`);
  return DONE;
}

/** Of another version or container, of another user, or being made. */
const NOT_OURS: readonly string[] = ["EOPNOTSUPP", "EACCES", "EAGAIN"];

/** A kernel of another boot has no tasks any more; of any other that cannot be read that is not known. */
function cleanUnreadable(context: Context, given: Arguments, name: string, error: IpcError): number {
  if (error.code === "ESTALE") return remove(context, given, name, "it is from before the machine was started");
  context.stderr.write(`fanga: left alone: ${error.message}\n`);
  return NOT_OURS.includes(error.code) ? NOTHING : FAILED;
}
