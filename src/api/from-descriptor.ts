// What a descriptor of this task leads to, as a handle is made of it.

import { EACCES, EBADF, EINVAL } from "../abi/errno.ts";
import type { Opened } from "../kernel/opening.ts";
import { isPipe } from "../kernel/readiness.ts";
import type { System } from "../kernel/system.ts";
import { access, kinds } from "../memory/layout.ts";
import type { Descriptor } from "../tasks/descriptors.ts";
import { failureOf } from "./ipc-error.ts";

const BOTH = access.READ | access.WRITE;

export function openedByDescriptor(
  system: System,
  descriptor: number,
): { readonly opened: Opened; readonly end: "reader" | "writer" | "queue" | "signals" } {
  const label = `descriptor ${descriptor}`;
  const file = system.openFile(descriptor);
  if (!file) throw failureOf(EBADF, "open", label, "it is not open in this task");
  if (file.hostStream >= 0) throw failureOf(EINVAL, "open", label, "it is a stream of the host's");
  const { objectIndex } = file;
  const opened = {
    descriptor: descriptor as Descriptor,
    objectIndex,
    bodyLine: system.registry.bodyLineOf(objectIndex),
    generation: system.registry.generationOf(objectIndex),
    otherOpened: 0,
  };
  if (file.kind === kinds.SIGNALS) return { opened, end: "signals" };
  if (isPipe(file)) return { opened, end: file.access & access.READ ? "reader" : "writer" };
  if ((file.access & BOTH) === BOTH) return { opened, end: "queue" };
  throw failureOf(EACCES, "open", label, "the queue is open for one direction only; open it for both");
}
