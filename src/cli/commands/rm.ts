// fanga rm OBJECT…: ipcrm(1), for every kind of object, and for whole kernels.

import { IPC_RMID } from "../../abi/flags.ts";
import type { InspectedKernel, InspectedObject } from "../../api/inspected.ts";
import { failureOf, IpcError } from "../../api/ipc-error.ts";
import { Kernel } from "../../api/kernel.ts";
import type { ObjectKind } from "../../api/object-kinds.ts";
import type { Arguments } from "../arguments.ts";
import type { Command, Context } from "../command.ts";
import { EXIT_FAILURE, EXIT_OK, Failure } from "../failure.ts";
import { findObject } from "../find-object.ts";
import { openKernel } from "../kernels.ts";
import { look, lookAtOne } from "../looks.ts";
import { parseObjectName } from "../object-name.ts";
import { titleOf } from "../object-text.ts";
import { kernelOption } from "../option.ts";

/** Before the name of a kernel that is to be removed whole. */
const KERNEL = "kernel:";

export const rm: Command = {
  name: "rm",
  summary: "remove objects from a kernel, or a kernel",
  notes: `
What has a name goes as a file does: nobody can open it any more, those who have it open
carry on, and its memory goes with the last of them. System V's queues and semaphore sets
go at once, and who waits for them is told (EIDRM), as by ipcrm.

kernel:NAME is a whole kernel, with all that is in it. While tasks are attached to it,
that takes --force; they carry on, among themselves.`,
  options: {
    ...kernelOption,
    force: { type: "boolean", short: "f", description: "what is not there is no failure; a kernel that is used goes" },
    all: { type: "boolean", short: "a", description: "every object of the kernel" },
  },
  parameters: [
    {
      name: "OBJECT",
      description: "NAME, KIND:NAME, key:0xKEY or id:ID, as fanga ls shows them; or kernel:NAME",
      optional: true,
      many: true,
      completes: { objects: "all" },
    },
  ],
  examples: [
    ["fanga rm queue:jobs fifo:log", "a queue and a named pipe"],
    ["fanga rm kernel:app", "a kernel that nobody uses any more"],
  ],

  run(context, given) {
    const kernels = given.words.filter((word) => word.startsWith(KERNEL));
    const objects = given.words.filter((word) => !word.startsWith(KERNEL));
    if (given.has("all") && objects.length > 0) throw given.wrong("--all is every object: type it without others");
    if (given.words.length === 0 && !given.has("all")) throw given.wrong("OBJECT is missing: type one, or --all");
    for (const word of objects) parseObjectName(given, word); // what is typed wrong removes nothing
    const removals = kernels.map((word) => () => removeKernel(given, word.slice(KERNEL.length)));
    if (objects.length > 0 || given.has("all")) {
      using kernel = openKernel(context, given);
      const seen = lookAtOne(context, given);
      const found = given.has("all")
        ? seen.objects.filter(isRemovable).map((object) => () => object)
        : objects.map((word) => () => findIn(given, seen, word));
      return all(context, [...found.map((find) => () => remove(kernel, find())), ...removals]);
    }
    return all(context, removals);
  },
};

/** Does every removal, whatever becomes of the others: the exit code. */
function all({ stderr }: Context, removals: readonly (() => void)[]): number {
  let code = EXIT_OK;
  for (const removal of removals) {
    try {
      removal();
    } catch (error) {
      if (!(error instanceof IpcError || error instanceof Failure)) throw error;
      stderr.write(`fanga: rm: ${error.message}\n`);
      code = EXIT_FAILURE;
    }
  }
  return code;
}

/** Undefined where it is not there, and need not be. */
function findIn(given: Arguments, kernel: InspectedKernel, word: string): InspectedObject | undefined {
  try {
    return findObject(given, kernel, word);
  } catch (error) {
    if (error instanceof Failure && given.has("force")) return undefined;
    throw error;
  }
}

/** How the objects of a kind are removed that have a name. */
const byName: { readonly [kind in ObjectKind]?: (kernel: Kernel, name: string) => void } = {
  fifo: (kernel, name) => kernel.unlinkFifo(name),
  queue: (kernel, name) => kernel.unlinkQueue(name),
  shm: (kernel, name) => kernel.unlinkSharedMemory(name),
  semaphore: (kernel, name) => kernel.unlinkSemaphore(name),
  mutex: (kernel, name) => kernel.unlinkMutex(name),
  rwlock: (kernel, name) => kernel.unlinkRwlock(name),
  condition: (kernel, name) => kernel.unlinkCondition(name),
  barrier: (kernel, name) => kernel.unlinkBarrier(name),
};

/** And of System V's, by their id. */
const byId: { readonly [kind in ObjectKind]?: (kernel: Kernel, id: number) => number } = {
  "sysv-queue": (kernel, id) => kernel.sys.msgctl(id, IPC_RMID, 0),
  shm: (kernel, id) => kernel.sys.shmctl(id, IPC_RMID, 0),
  "semaphore-set": (kernel, id) => kernel.sys.semctl(id, 0, IPC_RMID, 0),
};

const isRemovable = ({ linked }: InspectedObject): boolean => linked;

function remove(kernel: Kernel, object: InspectedObject | undefined): void {
  if (!object) return;
  const { kind, name, id } = object;
  if (!isRemovable(object)) {
    throw new Failure(`${titleOf(object)} has no name any more: it goes when the last task closes it`);
  }
  if (name !== undefined) return void byName[kind]?.(kernel, name);
  const result = byId[kind]?.(kernel, id) ?? 0;
  if (result < 0) throw failureOf(result, "rm", titleOf(object));
}

function removeKernel(given: Arguments, name: string): void {
  if (!Kernel.names().includes(name)) {
    if (given.has("force")) return;
    throw new Failure(`there is no kernel ${JSON.stringify(name)}: fanga ls shows which there are`);
  }
  const { kernel } = look(name); // of one that is damaged nobody can say who uses it
  const living = kernel?.tasks.filter(({ state }) => state !== "dead" && state !== "zombie").length ?? 0;
  if (living > 0 && !given.has("force")) {
    throw new Failure(`kernel "${name}" has ${living} task${living === 1 ? "" : "s"}: type --force to remove it`);
  }
  Kernel.unlink(name);
}
