// What the controller and the tasks share: for each process a page of control words and a block of scratch memory, in one
// file that all map. The controller writes a call down and wakes the task; the task makes it and writes the result.

import { randomUUID } from "node:crypto";
import { closeSync, constants, ftruncateSync, openSync, unlinkSync } from "node:fs";
import { type Libc, libc } from "../../src/platforms/libc.ts";

export const SCRATCH_BYTES = 128 * 1024;
const CONTROL_BYTES = 4096;
/** Behind the scratch memory nothing may be read or written: a task makes it so. */
const GUARD_BYTES = 4096;
/** Behind the slots, for the C library's objects that all tasks share. */
const OBJECTS_BYTES = 4096;
const SLOT_BYTES = CONTROL_BYTES + SCRATCH_BYTES + GUARD_BYTES;
const ARGUMENTS = 6;
const IDLE_MS = 1000;
/** Looks before a task sleeps: the next call of the same task often follows at once. */
const SPIN_TURNS = 500;

/** STATE: 0 idle · 1 a call is wanted · 2 the task is in it · 3 the result is there · 4 it has returned, the result is not there. */
export const IDLE = 0;
export const WANTED = 1;
export const IN_CALL = 2;
export const DONE = 3;
export const RETURNED = 4;

/** Where each control word is, in bytes; the numbers of 64 bits are 8-byte aligned. */
export const places = {
  STATE: 0,
  NUMBER: 8,
  BASE: 16,
  PID: 24,
  THREAD: 28,
  KERNEL_PID: 32,
  ARGUMENTS: 64,
  RESULT: 128,
  /** Of a call of the C library: its address, and the arguments as it gets them. */
  FUNCTION: 192,
  FUNCTION_ARGUMENTS: 200,
  /** Of the task's children (linux-children.ts), one after the other. */
  CHILDREN: 1024,
} as const;

/** One process's part. */
export class Slot {
  readonly scratch: Uint8Array;
  readonly view: DataView;
  /** Where the part is in this process. */
  readonly address: number;
  readonly #words: Int32Array;
  readonly longs: BigInt64Array;
  readonly #libc: Libc;

  constructor(library: Libc, buffer: ArrayBuffer, address: number, index: number) {
    const start = index * SLOT_BYTES;
    this.#libc = library;
    this.address = address + start;
    this.#words = new Int32Array(buffer, start, CONTROL_BYTES / 4);
    this.longs = new BigInt64Array(buffer, start, CONTROL_BYTES / 8);
    this.scratch = new Uint8Array(buffer, start + CONTROL_BYTES, SCRATCH_BYTES);
    this.view = new DataView(buffer, start + CONTROL_BYTES, SCRATCH_BYTES);
  }

  get state(): number {
    return Atomics.load(this.#words, places.STATE / 4);
  }

  set state(state: number) {
    Atomics.store(this.#words, places.STATE / 4, state);
  }

  /** The task's: who it is. */
  introduce(pid: number, thread: number, kernelPid: number): void {
    this.#words[places.PID / 4] = pid;
    this.#words[places.THREAD / 4] = thread;
    this.#words[places.KERNEL_PID / 4] = kernelPid;
    this.longs[places.BASE / 8] = BigInt(this.address + CONTROL_BYTES);
  }

  get pid(): number {
    return this.#words[places.PID / 4] as number;
  }

  get thread(): number {
    return this.#words[places.THREAD / 4] as number;
  }

  get kernelPid(): number {
    return this.#words[places.KERNEL_PID / 4] as number;
  }

  /** Where the process has its scratch memory. */
  get base(): number {
    return Number(this.longs[places.BASE / 8]);
  }

  get guard(): number {
    return this.base + SCRATCH_BYTES;
  }

  get number(): number {
    return this.#words[places.NUMBER / 4] as number;
  }

  /** What a child of this task is to end with, and 1 more. */
  endChild(index: number, value: number): void {
    const at = places.CHILDREN / 4 + 2 * index;
    this.#words[at] = value;
    if (value !== 0) this.#libc.futexWake(this.address + 4 * at, 1);
  }

  /** The pid that a child's parent has written down. */
  childPid(index: number): number {
    return this.#words[places.CHILDREN / 4 + 2 * index + 1] as number;
  }

  argument(index: number): bigint {
    return this.longs[places.ARGUMENTS / 8 + index] as bigint;
  }

  get result(): number {
    return Number(this.longs[places.RESULT / 8]);
  }

  set result(value: number) {
    this.longs[places.RESULT / 8] = BigInt(value);
  }

  /** The controller's: asks for a call. */
  want(number: number, args: readonly bigint[]): void {
    this.#words[places.NUMBER / 4] = number;
    for (let i = 0; i < ARGUMENTS; i++) this.longs[places.ARGUMENTS / 8 + i] = BigInt.asIntN(64, args[i] ?? 0n);
    this.state = WANTED;
    this.#libc.futexWake(this.address, 1);
  }

  /** The task's: waits a while until a call is wanted, and says whether one is. */
  isWanted(): boolean {
    for (let turn = 0; turn < SPIN_TURNS; turn++) if (this.state === WANTED) return true;
    const { state } = this;
    if (state !== WANTED) this.#libc.futexWait(this.address, state, IDLE_MS);
    return this.state === WANTED;
  }
}

export interface Mailbox {
  readonly slots: readonly Slot[];
  /** Where this process has the memory for objects that all share. */
  readonly objects: number;
  /** Of the file, which has no name: for tasks to inherit. */
  readonly descriptor: number;
  close(): void;
}

/** Makes the file and maps it. */
export function createMailbox(slots: number): Mailbox {
  const path = `/dev/shm/fangaos-mailbox.${process.pid}-${randomUUID()}`;
  const descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
  unlinkSync(path);
  ftruncateSync(descriptor, slots * SLOT_BYTES + OBJECTS_BYTES);
  return mapMailbox(descriptor, slots);
}

export function mapMailbox(descriptor: number, slots: number): Mailbox {
  const library = libc();
  if (typeof library === "string") throw new Error(library);
  const bytes = slots * SLOT_BYTES + OBJECTS_BYTES;
  const address = library.mapShared(descriptor, bytes);
  if (address < 0) throw new Error(`the mailbox cannot be mapped: ${address}`);
  const buffer = library.view(address, bytes);
  return {
    slots: Array.from({ length: slots }, (_, index) => new Slot(library, buffer, address, index)),
    objects: address + slots * SLOT_BYTES,
    descriptor,
    close: () => {
      library.unmapToZeros(address, bytes);
      closeSync(descriptor);
    },
  };
}
