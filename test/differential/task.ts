// A task of the differential test: a process that makes the calls it is told to, of Linux or of our kernel, one after the other.

import { readFileSync } from "node:fs";
import { Kernel } from "../../src/index.ts";
import { DONE, IN_CALL, LINUX, openMailbox, type Slot } from "./mailbox.ts";
import { copyMemory, interruptible, linuxCall } from "./native.ts";
import { numbers } from "./operation.ts";

const [path, slotCount, index, side, kernelName, parent] = process.argv.slice(2) as string[] as [
  string,
  string,
  string,
  string,
  string,
  string,
];

const { slots } = openMailbox(path, Number(slotCount), false);
const slot = slots[Number(index)] as Slot;
const kernel = Number(side) === LINUX ? undefined : Kernel.attach({ name: kernelName, parentPid: 0 });
if (kernel) kernel.memory = slot.scratch;
else interruptible();
const thread = Number.parseInt(readFileSync("/proc/thread-self/stat", "latin1"), 10);
slot.introduce(process.pid, thread, kernel?.pid ?? 0);
process.send?.("ready");

/** Through an attached segment: peek copies to scratch memory, poke from it. */
function throughSegment(number: number, args: readonly bigint[]): bigint {
  const [address = 0n, scratch = 0n, length = 0n] = args;
  const peeks = number === numbers.peek;
  if (!kernel) {
    copyMemory(peeks ? scratch : address, peeks ? address : scratch, Number(length));
    return 0n;
  }
  const segment = kernel.memoryAt(Number(address), Number(length));
  const own = slot.scratch.subarray(Number(scratch), Number(scratch + length));
  if (!segment) return -14n;
  if (peeks) own.set(segment);
  else segment.set(own);
  return 0n;
}

function make(number: number, args: readonly bigint[]): bigint {
  if (number === numbers.peek || number === numbers.poke) return throughSegment(number, args);
  return kernel ? BigInt(kernel.syscall(number, ...args)) : linuxCall(number, args);
}

for (;;) {
  const wanted = slot.wanted();
  if (!wanted) {
    if (process.ppid !== Number(parent)) process.exit(0);
    continue;
  }
  slot.state = IN_CALL;
  slot.result = make(wanted.number, wanted.args);
  slot.state = DONE;
}
