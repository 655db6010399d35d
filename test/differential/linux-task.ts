// A task's side of Linux: its descriptors, directory and signals are set up so that what it gets can be compared to the number.

import { numbers, OWN_NUMBERS } from "./calls.ts";
import { calm, changesSignals, ENTRIES_MAX, ENTRY_BYTES } from "./handlers.ts";
import { LinuxHandlers } from "./linux-handlers.ts";
import { DONE, IN_CALL, places, type Slot } from "./mailbox.ts";
import { enterAsRoot, forbidPage, limitDescriptors, linuxCall, makeTrampoline, prepareSignals } from "./native.ts";
import { FIRST_DESCRIPTOR_OF_LINUX, type TaskStart } from "./task-start.ts";

const SYS_PROCESS_VM_READV = 310;
const SYS_PROCESS_VM_WRITEV = 311;
const SYS_PRCTL = 157;
const SYS_PIDFD_OPEN = 434;
const SYS_UNSHARE = 272;
const CLONE_SYSVSEM = 0x00040000;
const SYS_CLOSE_RANGE = 436;
const SYS_PIDFD_GETFD = 438;
const PR_SET_PTRACER = 0x59616d61;
const F_SETFD = 2;
const LAST = 0xffffffff;
/** A descriptor below the test's own, which the harness may use. */
const SPARE = FIRST_DESCRIPTOR_OF_LINUX - 1;
const VECTOR_BYTES = 16;
/** Where in a slot the two vectors of process_vm_readv are: behind the words that the mailbox uses. */
const VECTORS = 256;
const LOG_BYTES = ENTRIES_MAX * ENTRY_BYTES;

export class LinuxTask {
  readonly kernelPid = 0;
  readonly #slot: Slot;
  readonly #start: TaskStart;
  readonly #uid = process.getuid?.() ?? 0;
  readonly #gid = process.getgid?.() ?? 0;
  readonly #handlers = new LinuxHandlers();
  #changedSignals = true;
  readonly #trampoline = makeTrampoline({
    state: places.STATE,
    inCall: IN_CALL,
    done: DONE,
    number: places.NUMBER,
    args: places.ARGUMENTS,
    result: places.RESULT,
  });

  constructor(slot: Slot, start: TaskStart) {
    this.#slot = slot;
    this.#start = start;
  }

  settleIn(): void {
    const { directory = "/", descriptors } = this.#start;
    prepareSignals();
    linuxCall(SYS_PRCTL, PR_SET_PTRACER, -1); // so that the other tasks may inherit; no such call is no harm
    linuxCall(SYS_UNSHARE, CLONE_SYSVSEM); // a process's threads share what SEM_UNDO does, and it waits for the last of them
    forbidPage(this.#slot.guard);
    for (let taken = 0; taken < FIRST_DESCRIPTOR_OF_LINUX; ) taken = linuxCall(numbers.dup, 0);
    linuxCall(SYS_CLOSE_RANGE, FIRST_DESCRIPTOR_OF_LINUX, LAST, 0);
    limitDescriptors(FIRST_DESCRIPTOR_OF_LINUX + descriptors);
    if (enterAsRoot(directory) < 0) process.chdir(directory);
    this.#reset();
  }

  make(): void {
    const { number } = this.#slot;
    if (number < OWN_NUMBERS) {
      this.#changedSignals ||= changesSignals.has(number);
      this.#trampoline(this.#slot.address);
      return;
    }
    const [first, second, third] = [0, 1, 2].map((i) => Number(this.#slot.argument(i))) as [number, number, number];
    this.#slot.state = IN_CALL;
    if (number === numbers.reset) this.#slot.result = this.#reset();
    else if (number === numbers.undo) this.#slot.result = linuxCall(SYS_UNSHARE, CLONE_SYSVSEM);
    else if (number === numbers.deliver) this.#slot.result = this.#handlers.deliver();
    else if (number === numbers.handled)
      this.#slot.result = this.#handlers.takeLog(this.#slot.scratch.subarray(first - this.#slot.base));
    else if (number === numbers.inherit) this.#slot.result = this.#inherit(first, second, third);
    else this.#slot.result = this.#throughSegment(number, first, second, third);
    this.#slot.state = DONE;
  }

  #reset(): number {
    const [uid, gid] = [this.#uid, this.#gid];
    const users = linuxCall(numbers.setresuid, uid, uid, uid);
    const groups = linuxCall(numbers.setresgid, gid, gid, gid);
    if (uid === 0) linuxCall(numbers.setgroups, 0, 0);
    linuxCall(numbers.umask, 0o022);
    linuxCall(SYS_CLOSE_RANGE, FIRST_DESCRIPTOR_OF_LINUX, LAST, 0);
    if (this.#changedSignals) {
      calm(linuxCall, this.#slot.view, this.#slot.base);
      this.#handlers.takeLog(new Uint8Array(LOG_BYTES));
      this.#changedSignals = false;
    }
    return users || groups;
  }

  /** Takes over another process's descriptors, whose numbers lie in scratch memory. */
  #inherit(pid: number, at: number, count: number): number {
    const { view } = this.#slot;
    linuxCall(SYS_CLOSE_RANGE, FIRST_DESCRIPTOR_OF_LINUX, LAST, 0);
    linuxCall(numbers.close, SPARE);
    const other = linuxCall(SYS_PIDFD_OPEN, pid, 0);
    let failed = Math.min(other, 0);
    for (let i = 0; i < count && failed === 0; i++) {
      const wanted = view.getInt32(at + 4 * i, true);
      const got = linuxCall(SYS_PIDFD_GETFD, other, wanted, 0);
      failed = Math.min(got, 0);
      if (got === wanted) linuxCall(numbers.fcntl, got, F_SETFD, 0);
      else if (got >= 0) {
        linuxCall(numbers.dup2, got, wanted);
        linuxCall(numbers.close, got);
      }
    }
    linuxCall(numbers.dup2, 0, SPARE);
    return failed;
  }

  /** By way of the kernel, which says EFAULT where an access would end the process. */
  #throughSegment(number: number, address: number, scratch: number, length: number): number {
    const { longs, address: slot } = this.#slot;
    const words = [scratch, length, address, length].map(BigInt);
    words.forEach((word, i) => {
      longs[VECTORS / 8 + i] = word;
    });
    const call = number === numbers.peek ? SYS_PROCESS_VM_READV : SYS_PROCESS_VM_WRITEV;
    return linuxCall(call, process.pid, slot + VECTORS, 1, slot + VECTORS + VECTOR_BYTES, 1, 0);
  }
}
