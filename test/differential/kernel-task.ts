// A task's side of our kernel: system calls, and the objects that a C library has elsewhere.

import { IpcError, Kernel } from "../../src/index.ts";
import { LIBRARY_NUMBERS, numbers, OWN_NUMBERS } from "./calls.ts";
import { calm, changesSignals, ENTRIES_MAX, ENTRY_BYTES } from "./handlers.ts";
import { KernelHandlers } from "./kernel-handlers.ts";
import { KernelObjects } from "./kernel-objects.ts";
import { DONE, IN_CALL, type Slot } from "./mailbox.ts";
import { FIRST_DESCRIPTOR_OF_OURS, type Maker, type TaskStart, THREW } from "./task-start.ts";

const EFAULT = -14;
const WNOHANG = 1;

export class KernelTask implements Maker {
  readonly #slot: Slot;
  readonly #start: TaskStart;
  #kernel: Kernel;
  #objects: KernelObjects;
  #handlers: KernelHandlers;
  #changedSignals = true;

  constructor(slot: Slot, start: TaskStart) {
    this.#slot = slot;
    this.#start = start;
    this.#kernel = this.#attach(0);
    this.#objects = new KernelObjects(this.#kernel, slot);
    this.#handlers = new KernelHandlers(this.#kernel);
    this.#calm();
  }

  get kernelPid(): number {
    return this.#kernel.pid;
  }

  make(): void {
    const slot = this.#slot;
    slot.state = IN_CALL;
    try {
      slot.result = this.#result(slot.number);
    } catch (error) {
      process.stderr.write(`task ${this.#start.index}, call ${slot.number}: ${(error as Error).stack}\n`);
      slot.result = error instanceof IpcError ? error.errno : THREW;
    }
    slot.state = DONE;
  }

  #result(number: number): number {
    const slot = this.#slot;
    if (number < OWN_NUMBERS) this.#changedSignals ||= changesSignals.has(number);
    if (number < OWN_NUMBERS) return this.#kernel.syscall(number, ...[0, 1, 2, 3, 4, 5].map((i) => slot.argument(i)));
    if (number >= LIBRARY_NUMBERS) return this.#objects.make();
    const [first, second, third] = [0, 1, 2].map((i) => Number(slot.argument(i))) as [number, number, number];
    if (number === numbers.reset) return this.#reset();
    if (number === numbers.deliver) return this.#handlers.deliver();
    if (number === numbers.handled) return this.#handlers.takeLog(slot.scratch.subarray(first));
    if (number === numbers.inherit) return this.#inherit(first);
    if (number === numbers.undo) return this.#inherit(0);
    if (number === numbers.forget) return this.#objects.forget(first, second);
    return this.#throughSegment(number, first, second, third);
  }

  #attach(parentPid: number): Kernel {
    const { kernelName: name = "" } = this.#start;
    const kernel = Kernel.attach({ name, parentPid }, { inherit: parentPid !== 0 });
    kernel.memory = this.#slot.scratch;
    return kernel;
  }

  #inherit(parentPid: number): number {
    const slot = this.#slot;
    this.#kernel.close();
    this.#kernel = this.#attach(parentPid);
    this.#objects = new KernelObjects(this.#kernel, slot);
    this.#handlers = new KernelHandlers(this.#kernel);
    this.#calm();
    slot.introduce(process.pid, slot.thread, this.#kernel.pid);
    return 0;
  }

  #reset(): number {
    while (this.#kernel.syscall(numbers.wait4, -1, 0, WNOHANG, 0) > 0);
    const kernel = this.#kernel;
    const { descriptors, freeKey } = this.#start;
    const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
    const users = kernel.syscall(numbers.setresuid, uid, uid, uid);
    const groups = kernel.syscall(numbers.setresgid, gid, gid, gid);
    if (uid === 0) kernel.syscall(numbers.setgroups, 0, 0);
    this.#objects.reset();
    kernel.syscall(numbers.umask, 0o022);
    for (let i = 0; i < descriptors; i++) kernel.syscall(numbers.close, FIRST_DESCRIPTOR_OF_OURS + i);
    kernel.syscall(numbers.msgget, freeKey, 0); // lets go of queues that are gone
    if (kernel.parentPid !== 0) return this.#inherit(0); // on Linux no task is another's child
    if (this.#changedSignals) this.#calm();
    return users || groups;
  }

  #calm(): void {
    calm((number, ...args) => this.#kernel.syscall(number, ...args), this.#slot.view, 0);
    this.#handlers.takeLog(new Uint8Array(ENTRIES_MAX * ENTRY_BYTES));
    this.#changedSignals = false;
  }

  #throughSegment(number: number, address: number, scratch: number, length: number): number {
    const segment = this.#kernel.memoryAt(address, length);
    if (!segment) return EFAULT;
    const own = this.#slot.scratch.subarray(scratch, scratch + length);
    if (number === numbers.peek) own.set(segment);
    else segment.set(own);
    return length;
  }
}
