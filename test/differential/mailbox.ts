// What the controller and the tasks share: for each process a page of control words and a block of scratch memory, in one
// file that all map. The controller writes a call down and wakes the task; the task writes the result.

import { closeSync, constants, ftruncateSync, openSync } from "node:fs";
import { type Libc, libc } from "../../src/platforms/libc.ts";

export const SCRATCH_BYTES = 64 * 1024;
const CONTROL_BYTES = 4096;
const TASK_BYTES = CONTROL_BYTES + SCRATCH_BYTES;
const ARGUMENTS = 6;

/** Sides, as the mailbox numbers them. */
export const LINUX = 0;
export const OURS = 1;
export type SideIndex = typeof LINUX | typeof OURS;

/** Control words. STATE: 0 idle · 1 a call is wanted · 2 the task is in it · 3 the result is there. */
const word = { STATE: 0, NUMBER: 2, BASE: 4, PID: 6, THREAD: 7, KERNEL_PID: 8, ARGUMENTS: 16, RESULT: 32 };
export const IDLE = 0;
export const WANTED = 1;
export const IN_CALL = 2;
export const DONE = 3;

/** One process's part. */
export class Slot {
  readonly control: Int32Array;
  readonly longs: BigInt64Array;
  readonly scratch: Uint8Array;
  /** Where the part is in this process. */
  readonly address: number;
  readonly #libc: Libc;

  constructor(library: Libc, buffer: ArrayBuffer, address: number, task: number) {
    const start = task * TASK_BYTES;
    this.#libc = library;
    this.address = address + start;
    this.control = new Int32Array(buffer, start, CONTROL_BYTES / 4);
    this.longs = new BigInt64Array(buffer, start, CONTROL_BYTES / 8);
    this.scratch = new Uint8Array(buffer, start + CONTROL_BYTES, SCRATCH_BYTES);
  }

  get state(): number {
    return Atomics.load(this.control, word.STATE);
  }

  set state(state: number) {
    Atomics.store(this.control, word.STATE, state);
  }

  introduce(pid: number, thread: number, kernelPid: number): void {
    this.control[word.PID] = pid;
    this.control[word.THREAD] = thread;
    this.control[word.KERNEL_PID] = kernelPid;
    this.longs[word.BASE / 2] = BigInt(this.address + CONTROL_BYTES);
  }

  get number(): number {
    return this.control[word.NUMBER] as number;
  }

  get pid(): number {
    return this.control[word.PID] as number;
  }

  get thread(): number {
    return this.control[word.THREAD] as number;
  }

  get kernelPid(): number {
    return this.control[word.KERNEL_PID] as number;
  }

  /** Where the process has its scratch memory. */
  get base(): bigint {
    return this.longs[word.BASE / 2] as bigint;
  }

  /** The controller's: wants a call. */
  want(number: number, args: readonly bigint[]): void {
    this.control[word.NUMBER] = number;
    for (let i = 0; i < ARGUMENTS; i++) this.longs[word.ARGUMENTS / 2 + i] = BigInt.asIntN(64, args[i] ?? 0n);
    this.state = WANTED;
    this.#libc.futexWake(this.address, 1);
  }

  /** The task's: the call that is wanted, waiting for it at most a second. */
  wanted(): { number: number; args: bigint[] } | undefined {
    for (let turn = 0; turn < 3000 && this.state !== WANTED; turn++);
    const { state } = this;
    if (state !== WANTED) {
      this.#libc.futexWait(this.address, state, 1000);
      if (this.state !== WANTED) return undefined;
    }
    const args = Array.from({ length: ARGUMENTS }, (_, i) => this.longs[word.ARGUMENTS / 2 + i] as bigint);
    return { number: this.number, args };
  }

  get result(): bigint {
    return this.longs[word.RESULT / 2] as bigint;
  }

  set result(value: bigint) {
    this.longs[word.RESULT / 2] = value;
  }
}

/** Maps the mailbox file; the first to do so makes it. */
export function openMailbox(path: string, tasks: number, create: boolean): { slots: Slot[] } {
  const library = libc();
  if (typeof library === "string") throw new Error(library);
  const flags = constants.O_RDWR | (create ? constants.O_CREAT | constants.O_EXCL : 0);
  const descriptor = openSync(path, flags, 0o600);
  const bytes = tasks * TASK_BYTES;
  if (create) ftruncateSync(descriptor, bytes);
  const address = library.mapShared(descriptor, bytes);
  if (address < 0) throw new Error(`the mailbox cannot be mapped: ${address}`);
  closeSync(descriptor);
  const buffer = library.view(address, bytes);
  return {
    slots: Array.from({ length: tasks }, (_, task) => new Slot(library, buffer, address, task)),
  };
}
