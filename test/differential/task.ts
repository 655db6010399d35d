// A task of the differential test: a process that makes the calls it is told to, of Linux or of our kernel, one after the other.

import { readFileSync } from "node:fs";
import { IpcError, Kernel } from "../../src/index.ts";
import { numbers, OWN_NUMBERS } from "./calls.ts";
import { calm, changesSignals, ENTRIES_MAX, ENTRY_BYTES } from "./handlers.ts";
import { KernelHandlers } from "./kernel-handlers.ts";
import { LinuxTask } from "./linux-task.ts";
import { DONE, IN_CALL, mapMailbox, type Slot } from "./mailbox.ts";
import { FIRST_DESCRIPTOR_OF_OURS, MAILBOX_DESCRIPTOR, type TaskStart, THREW } from "./task-start.ts";

const start = JSON.parse(process.argv[2] ?? "{}") as TaskStart;
const slot = mapMailbox(MAILBOX_DESCRIPTOR, start.slots).slots[start.index] as Slot;
const thread = Number.parseInt(readFileSync("/proc/thread-self/stat", "latin1"), 10);

/** Makes the call that the slot asks for, and marks what it does. */
interface Maker {
  readonly kernelPid: number;
  make(): void;
}

class KernelTask implements Maker {
  #kernel: Kernel;
  #handlers: KernelHandlers;
  #changedSignals = true;
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
    this.#kernel = this.#attach(0);
    this.#handlers = new KernelHandlers(this.#kernel);
    this.#calm();
  }

  get kernelPid(): number {
    return this.#kernel.pid;
  }

  make(): void {
    slot.state = IN_CALL;
    try {
      slot.result = this.#result(slot.number);
    } catch (error) {
      process.stderr.write(`task ${start.index}, call ${slot.number}: ${(error as Error).stack}\n`);
      slot.result = error instanceof IpcError ? error.errno : THREW;
    }
    slot.state = DONE;
  }

  #result(number: number): number {
    if (number < OWN_NUMBERS) this.#changedSignals ||= changesSignals.has(number);
    if (number < OWN_NUMBERS) return this.#kernel.syscall(number, ...[0, 1, 2, 3, 4, 5].map((i) => slot.argument(i)));
    const [first, second, third] = [0, 1, 2].map((i) => Number(slot.argument(i))) as [number, number, number];
    if (number === numbers.reset) return this.#reset();
    if (number === numbers.deliver) return this.#handlers.deliver();
    if (number === numbers.handled) return this.#handlers.takeLog(slot.scratch.subarray(first));
    if (number === numbers.inherit) return this.#inherit(first);
    if (number === numbers.undo) return this.#inherit(0);
    return this.#throughSegment(number, first, second, third);
  }

  #attach(parentPid: number): Kernel {
    const inherit = parentPid !== 0;
    const kernel = Kernel.attach({ name: this.#name, parentPid }, { inherit });
    kernel.memory = slot.scratch;
    return kernel;
  }

  #inherit(parentPid: number): number {
    this.#kernel.close();
    this.#kernel = this.#attach(parentPid);
    this.#handlers = new KernelHandlers(this.#kernel);
    this.#calm();
    slot.introduce(process.pid, thread, this.#kernel.pid);
    return 0;
  }

  #reset(): number {
    const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
    const users = this.#kernel.syscall(numbers.setresuid, uid, uid, uid);
    const groups = this.#kernel.syscall(numbers.setresgid, gid, gid, gid);
    if (uid === 0) this.#kernel.syscall(numbers.setgroups, 0, 0);
    this.#kernel.syscall(numbers.umask, 0o022);
    for (let i = 0; i < start.descriptors; i++) this.#kernel.syscall(numbers.close, FIRST_DESCRIPTOR_OF_OURS + i);
    this.#kernel.syscall(numbers.msgget, start.freeKey, 0); // lets go of queues that are gone
    if (this.#kernel.parentPid !== 0) return this.#inherit(0); // on Linux no task is another's child
    if (this.#changedSignals) this.#calm();
    return users || groups;
  }

  #calm(): void {
    calm((number, ...args) => this.#kernel.syscall(number, ...args), slot.view, 0);
    this.#handlers.takeLog(new Uint8Array(ENTRIES_MAX * ENTRY_BYTES));
    this.#changedSignals = false;
  }

  #throughSegment(number: number, address: number, scratch: number, length: number): number {
    const segment = this.#kernel.memoryAt(address, length);
    if (!segment) return -14;
    const own = slot.scratch.subarray(scratch, scratch + length);
    if (number === numbers.peek) own.set(segment);
    else segment.set(own);
    return length;
  }
}

const maker: Maker = start.kernelName === undefined ? new LinuxTask(slot, start) : new KernelTask(start.kernelName);
slot.introduce(process.pid, thread, maker.kernelPid);
if (maker instanceof LinuxTask) maker.settleIn();
process.send?.("ready");

for (;;) {
  if (slot.isWanted()) maker.make();
  else if (process.ppid !== start.parentPid) process.exit(0); // the controller is gone
}
