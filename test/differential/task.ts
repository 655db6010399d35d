// A task of the differential test: a process that makes the calls it is told to, of Linux or of our kernel, one after the other.

import { readFileSync } from "node:fs";
import { mapMailbox, type Slot } from "./mailbox.ts";
import { endWithParent } from "./native.ts";
import { MAILBOX_DESCRIPTOR, type Maker, type TaskStart } from "./task-start.ts";

endWithParent();
const start = JSON.parse(process.argv[2] ?? "{}") as TaskStart;
const mailbox = mapMailbox(MAILBOX_DESCRIPTOR, start.slots);
const slot = mailbox.slots[start.index] as Slot;
const thread = Number.parseInt(readFileSync("/proc/thread-self/stat", "latin1"), 10);

/** One side's code alone is loaded: a task that takes a dead one's place is waited for. */
async function settled(): Promise<Maker> {
  if (start.kernelName !== undefined) {
    const maker = new (await import("./kernel-task.ts")).KernelTask(slot, start);
    slot.introduce(process.pid, thread, maker.kernelPid);
    return maker;
  }
  const maker = new (await import("./linux-task.ts")).LinuxTask(slot, start, mailbox.objects);
  slot.introduce(process.pid, thread, 0);
  maker.settleIn();
  return maker;
}

const maker = await settled();
process.send?.("ready");

for (;;) {
  if (slot.isWanted()) maker.make();
  else if (process.ppid !== start.parentPid) process.exit(0); // the controller is gone
}
