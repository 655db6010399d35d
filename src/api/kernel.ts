// The public handle of a kernel: creating, attaching, and making what it holds.

import type { ChildProcess } from "node:child_process";
import type { Worker } from "node:worker_threads";
import { EACCES, EAGAIN, EBUSY, EEXIST, EINVAL, ENAMETOOLONG, ENOENT, ENXIO } from "../abi/errno.ts";
import {
  type KernelLimits,
  limitDefaults,
  NAME_BYTES_MAX,
  PIPE_BYTES_DEFAULT,
  QUEUE_DEPTH_DEFAULT,
} from "../abi/limits.ts";
import { otherEndOpened } from "../kernel/pipe-ends.ts";
import type { Address } from "../kernel/registry.ts";
import { type Opened, System } from "../kernel/system.ts";
import { access, isPowerOfTwo, kinds, roundUp } from "../memory/layout.ts";
import { checkLimits, isRefusal, type Refusal, type Region, regionId } from "../memory/region.ts";
import { MessageRing, queueBodyBytes } from "../objects/message-queue.ts";
import { Pipe, pipeBodyBytes } from "../objects/pipe.ts";
import { processWorld } from "../platforms/processes.ts";
import {
  attachRegionFile,
  checkRegionName,
  createRegionFile,
  type MappedRegion,
  unlinkRegionFile,
} from "../platforms/region-file.ts";
import { attachSharedBuffer, createSharedBuffer, threadWorld } from "../platforms/threads.ts";
import { type Attempt, blockUntil, type Condition } from "../sync/waiting.ts";
import type { World } from "../sync/world.ts";
import type { TaskInfo } from "../tasks/task-table.ts";
import type { Handle } from "./handle.ts";
import { failureOf, IpcError } from "./ipc-error.ts";
import { MessageQueue, type QueueToken } from "./message-queue.ts";
import { checkCount, type SyncWaitOptions, signalOf, timeoutOf, type WaitOptions } from "./options.ts";
import { PipeReader, type PipeReaderToken } from "./pipe-reader.ts";
import { PipeWriter, type PipeWriterToken } from "./pipe-writer.ts";

/**
 * What another task attaches with: post it to a worker thread, or send it to a child process. Where the kernel has a name it
 * can be written as JSON too.
 */
export type KernelHandle =
  | { readonly name: string; readonly parentPid: number }
  | { readonly buffer: SharedArrayBuffer; readonly parentPid: number };

export interface OpenOptions extends Partial<KernelLimits> {
  /** Make the kernel where there is none of this name. */
  readonly create?: boolean | undefined;
  /** With `create`: fail with EEXIST where there is one. */
  readonly exclusive?: boolean | undefined;
}

export interface PipeOptions {
  /** Bytes the pipe holds: a power of two, default 4096. */
  readonly capacity?: number | undefined;
}

export interface QueueOptions {
  /** A POSIX name, up to 255 bytes without "/". Neither name nor key: only a token leads to it. */
  readonly name?: string | undefined;
  /** A SysV key (ftok(3)): a whole number from 1 to 2^31 - 1. */
  readonly key?: number | undefined;
  /** Make it where there is none; a queue with neither name nor key is always made. */
  readonly create?: boolean | undefined;
  /** With `create`: fail with EEXIST where there is one. */
  readonly exclusive?: boolean | undefined;
  /** Messages that a new queue holds, default 10. */
  readonly depth?: number | undefined;
  /** The longest message of a new queue, in bytes; default and bound are the kernel's. */
  readonly messageBytesMax?: number | undefined;
}

/** Kernels that this thread is attached to, by the region's identity. */
const attachedHere = new Map<bigint, Kernel>();
let closesAtExit = false;

/** A task's attachment to a kernel. One thread attaches to a kernel once. */
export class Kernel implements Disposable {
  readonly #system: System;
  readonly #identity: bigint;
  readonly #handle: KernelHandle;
  readonly #parentPid: number;
  readonly #unmap: () => void;
  readonly #handles = new Set<Handle>();
  #closed = false;

  private constructor(system: System, handle: KernelHandle, parentPid: number, unmap: () => void) {
    this.#system = system;
    this.#identity = regionId(system.words);
    this.#handle = handle;
    this.#parentPid = parentPid;
    this.#unmap = unmap;
    attachedHere.set(this.#identity, this);
    closeAllAtExit();
  }

  /**
   * Creates a kernel in a SharedArrayBuffer, and attaches this thread to it. Worker threads attach with
   * `Kernel.attach(kernel.handle)`.
   * @throws IpcError EINVAL for limits out of bounds, ENOMEM
   */
  static create(limits: Partial<KernelLimits> = {}): Kernel {
    const made = createSharedBuffer(limitsOf(limits, "create"));
    if (isRefusal(made)) throw refused("create", "kernel", made);
    return Kernel.#attachBuffer(made.buffer, made.region, 0, "create");
  }

  /**
   * Opens the kernel that lives in /dev/shm/fangaos.<name>, for any process of this user, and attaches this thread.
   * @throws IpcError ENOENT where it is not there, EEXIST, EACCES where it is not ours, EINVAL or ENAMETOOLONG for a bad
   * name, EINVAL for a foreign file, EAGAIN where it is still being created, EOPNOTSUPP for another version or pid
   * namespace, ESTALE from before a restart, EIO where it is truncated, EBUSY where this thread is attached already,
   * ENOSPC where /dev/shm or the kernel is full, ENOSYS without koffi
   */
  static open(name: string, options: OpenOptions = {}): Kernel {
    const wrong = checkRegionName(name);
    if (wrong) throw refused("open", `kernel ${JSON.stringify(name)}`, wrong);
    const limits = limitsOf(options, "open");
    const region = openRegion(name, limits, options);
    if (isRefusal(region)) throw refused("open", `kernel "${name}"`, region);
    return Kernel.#attachMapped(name, region, 0, "open");
  }

  /** Attaches this thread to the kernel that a handle names. Its parent is the task that the handle came from. */
  static attach(handle: KernelHandle): Kernel {
    if (typeof handle !== "object" || handle === null) throw new TypeError("attach: that is no kernel's handle");
    const parentPid = Number.isInteger(handle.parentPid) ? handle.parentPid : 0;
    if ("buffer" in handle && handle.buffer instanceof SharedArrayBuffer) {
      const region = attachSharedBuffer(handle.buffer);
      if (isRefusal(region)) throw refused("attach", "kernel", region);
      return Kernel.#attachBuffer(handle.buffer, region, parentPid, "attach");
    }
    if (!("name" in handle)) throw new TypeError("attach: that is no kernel's handle");
    const region = checkRegionName(handle.name) ?? attachRegionFile(handle.name);
    if (isRefusal(region)) throw refused("attach", `kernel "${handle.name}"`, region);
    return Kernel.#attachMapped(handle.name, region, parentPid, "attach");
  }

  /**
   * Removes a kernel's name from /dev/shm. Tasks that are attached carry on; the memory goes with the last (shm_unlink(3)).
   * @throws IpcError ENOENT where it is not there
   */
  static unlink(name: string): void {
    const wrong = checkRegionName(name) ?? unlinkRegionFile(name);
    if (wrong) throw refused("unlink", `kernel ${JSON.stringify(name)}`, wrong);
  }

  static #attachBuffer(buffer: SharedArrayBuffer, region: Region, parentPid: number, syscall: string): Kernel {
    const system = attachTask(region, threadWorld(region.words), parentPid, syscall, "kernel");
    return new Kernel(system, { buffer, parentPid: system.pid }, parentPid, () => {});
  }

  static #attachMapped(name: string, region: MappedRegion, parentPid: number, syscall: string): Kernel {
    try {
      const system = attachTask(region, processWorld(region), parentPid, syscall, `kernel "${name}"`);
      return new Kernel(system, { name, parentPid: system.pid }, parentPid, region.unmap);
    } catch (error) {
      region.unmap();
      throw error;
    }
  }

  /** For other tasks to attach with. */
  get handle(): KernelHandle {
    return this.#handle;
  }

  /** This task's pid in the kernel. */
  get pid(): number {
    return this.#system.pid;
  }

  /** The pid of the task whose handle this one attached with, 0 where there was none. */
  get parentPid(): number {
    return this.#parentPid;
  }

  /** The limits that the kernel was created with. */
  get limits(): KernelLimits {
    return this.#system.geometry.limits;
  }

  /** True once closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** The tasks attached now, the dead ones that nobody has buried yet among them. */
  tasks(): TaskInfo[] {
    return this.#live("tasks").tasks.list();
  }

  /** What is in use: objects, tasks, and free lines of 64 bytes in the region's heap. */
  usage(): { objects: number; freeLines: number; tasks: number } {
    return this.#live("usage").usage();
  }

  /** Watches a worker thread or child process, and buries its tasks as soon as it exits. Returns it. */
  adopt<T extends Worker | ChildProcess>(child: T): T {
    this.#live("adopt");
    (child as ChildProcess).once("exit", () => {
      if (!this.#closed) this.#system.reap();
    });
    return child;
  }

  /** Looks at every task now and buries the dead: releases their locks, waits and descriptors. Returns how many. */
  reap(): number {
    return this.#live("reap").reap();
  }

  /**
   * Makes a pipe (pipe(2)).
   * @throws IpcError EINVAL for a bad capacity, EMFILE, ENFILE, ENOMEM, ENOSPC
   */
  pipe(options: PipeOptions = {}): { reader: PipeReader; writer: PipeWriter } {
    const system = this.#live("pipe");
    const capacity = this.#checkCapacity(options.capacity, "pipe");
    const format = (line: number): void => Pipe.format(system.words, line, capacity);
    const ends = [access.READ, access.WRITE];
    const opened = system.createAnonymous(kinds.PIPE, pipeBodyBytes(capacity), format, ends);
    if (typeof opened === "number") throw failureOf(opened, "pipe", undefined);
    return { reader: this.#reader(opened[0] as Opened, "pipe"), writer: this.#writer(opened[1] as Opened, "pipe") };
  }

  /**
   * Makes a named pipe (mkfifo(3)), which stays until `unlinkFifo`.
   * @throws IpcError EEXIST, EINVAL, ENAMETOOLONG, ENOMEM, ENOSPC
   */
  mkfifo(name: string, options: PipeOptions = {}): void {
    const system = this.#live("mkfifo");
    const address = addressOf(kinds.FIFO, name, "mkfifo", "fifo");
    const capacity = this.#checkCapacity(options.capacity, "mkfifo");
    const format = (line: number): void => Pipe.format(system.words, line, capacity);
    const result = system.create(address, pipeBodyBytes(capacity), format);
    if (result < 0) throw failureOf(result, "mkfifo", `fifo "${name}"`);
  }

  /**
   * Opens an end of a named pipe, waiting until the other end is open too (fifo(7)).
   * @throws IpcError ENOENT, ETIMEDOUT, EMFILE, ENFILE
   */
  async openFifo(name: string, mode: "read", options?: WaitOptions): Promise<PipeReader>;
  async openFifo(name: string, mode: "write", options?: WaitOptions): Promise<PipeWriter>;
  async openFifo(name: string, mode: "read" | "write", options?: WaitOptions): Promise<PipeReader | PipeWriter> {
    const system = this.#live("open");
    const label = `fifo "${name}"`;
    const timeoutMs = timeoutOf(options, "open", label);
    const signal = signalOf(options, "open", label);
    signal?.throwIfAborted();
    const { end, partner, attempt } = this.#beginOpenFifo(name, mode);
    try {
      const first = attempt();
      const result = first === EAGAIN ? await system.awaits.until(end, partner, 1, attempt, timeoutMs, signal) : first;
      if (result < 0) throw failureOf(result, "open", label);
      return end;
    } catch (error) {
      end.close();
      throw error;
    }
  }

  openFifoSync(name: string, mode: "read", options?: SyncWaitOptions): PipeReader;
  openFifoSync(name: string, mode: "write", options?: SyncWaitOptions): PipeWriter;
  openFifoSync(name: string, mode: "read" | "write", options?: SyncWaitOptions): PipeReader | PipeWriter {
    const system = this.#live("open");
    const label = `fifo "${name}"`;
    const timeoutMs = timeoutOf(options, "open", label);
    const { end, partner, attempt } = this.#beginOpenFifo(name, mode);
    const first = attempt();
    const result = first === EAGAIN ? blockUntil(system, partner, 1, attempt, timeoutMs) : first;
    if (result >= 0) return end;
    end.close();
    throw failureOf(result, "open", label);
  }

  /**
   * Opens an end of a named pipe at once, as O_NONBLOCK does: the read end always, the write end only while somebody has
   * the read end open.
   * @throws IpcError ENXIO where nobody reads, ENOENT, EMFILE, ENFILE
   */
  tryOpenFifo(name: string, mode: "read"): PipeReader;
  tryOpenFifo(name: string, mode: "write"): PipeWriter;
  tryOpenFifo(name: string, mode: "read" | "write"): PipeReader | PipeWriter {
    const system = this.#live("open");
    const admit = (line: number): number => (mode === "write" && system.pipeAt(line).readers === 0 ? ENXIO : 0);
    return this.#openEnd(name, mode, admit).end;
  }

  /** Removes a named pipe's name; those who have it open carry on (unlink(2)). */
  unlinkFifo(name: string): void {
    this.#unlinkAddress(addressOf(kinds.FIFO, name, "unlink", "fifo"), `fifo "${name}"`, "unlink");
  }

  /**
   * Opens or makes a message queue (mq_open(3), msgget(2)). One with a name or key stays until it is unlinked.
   * @throws IpcError ENOENT, EEXIST, EINVAL, ENAMETOOLONG, ENOMEM, ENOSPC, EMFILE, ENFILE
   */
  queue(options: QueueOptions = {}): MessageQueue {
    const system = this.#live("msgget");
    const { address, label } = queueAddress(options);
    const anonymous = options.name === undefined && options.key === undefined;
    const { depth, messageBytesMax, bodyBytes } = this.#queueShape(options);
    const format = (line: number): void => MessageRing.format(system.words, line, depth, messageBytesMax);
    const create = { bodyBytes, format, exclusive: options.exclusive === true };
    const both = access.READ | access.WRITE;
    const opened = system.open(address, both, anonymous || options.create ? create : undefined);
    if (typeof opened === "number") throw failureOf(opened, "msgget", label);
    return this.#keep(new MessageQueue(system, opened, label, this.#forget));
  }

  /** Removes a queue's name or key; those who have it open carry on (mq_unlink(3)). */
  unlinkQueue(nameOrKey: string | number): void {
    const options = typeof nameOrKey === "number" ? { key: nameOrKey } : { name: nameOrKey };
    const { address, label } = queueAddress(options);
    this.#unlinkAddress(address, label, "mq_unlink");
  }

  /**
   * Opens what a token of another task leads to, while that task still has it open.
   * @throws IpcError ENOENT where it is gone
   */
  openToken(token: PipeReaderToken): PipeReader;
  openToken(token: PipeWriterToken): PipeWriter;
  openToken(token: QueueToken): MessageQueue;
  openToken(token: PipeReaderToken | PipeWriterToken | QueueToken): PipeReader | PipeWriter | MessageQueue {
    const system = this.#live("open");
    if (!Number.isInteger(token?.objectIndex) || !Number.isInteger(token.generation)) {
      throw new TypeError("open: that is no token of an object");
    }
    if (token.end === "queue") {
      const opened = this.#openByToken(token, [kinds.QUEUE], access.READ | access.WRITE);
      return this.#keep(new MessageQueue(system, opened, "queue", this.#forget));
    }
    const opened = this.#openByToken(
      token,
      [kinds.PIPE, kinds.FIFO],
      token.end === "reader" ? access.READ : access.WRITE,
    );
    return token.end === "reader" ? this.#reader(opened, "pipe") : this.#writer(opened, "pipe");
  }

  /** Leaves the kernel: every handle of this task is closed. Closing again does nothing. */
  close(): void {
    if (this.#closed) return;
    for (const handle of [...this.#handles]) handle.close();
    this.#closed = true;
    this.#system.detach();
    attachedHere.delete(this.#identity);
    this.#unmap();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #live(call: string): System {
    if (this.#closed) throw new TypeError(`${call}: this kernel is closed; attach again`);
    return this.#system;
  }

  #beginOpenFifo(
    name: string,
    mode: "read" | "write",
  ): { end: PipeReader | PipeWriter; partner: Condition; attempt: Attempt } {
    const { end, opened } = this.#openEnd(name, mode);
    const bits = mode === "read" ? access.READ : access.WRITE;
    const partner = otherEndOpened(this.#system.pipeAt(opened.bodyLine), bits, opened.otherOpened);
    return { end, partner, attempt: () => (partner.ready(1) ? 0 : EAGAIN) };
  }

  #openEnd(
    name: string,
    mode: "read" | "write",
    admit?: (bodyLine: number) => number,
  ): { end: PipeReader | PipeWriter; opened: Opened } {
    if (mode !== "read" && mode !== "write") throw new TypeError('open: the mode must be "read" or "write"');
    const address = addressOf(kinds.FIFO, name, "open", "fifo");
    const label = `fifo "${name}"`;
    const opened = this.#system.open(address, mode === "read" ? access.READ : access.WRITE, undefined, admit);
    if (opened === ENOENT) throw failureOf(ENOENT, "open", label, "it is not there; kernel.mkfifo makes it");
    if (typeof opened === "number") throw failureOf(opened, "open", label);
    return { opened, end: mode === "read" ? this.#reader(opened, label) : this.#writer(opened, label) };
  }

  #openByToken(token: PipeReaderToken | PipeWriterToken | QueueToken, ofKinds: number[], bits: number): Opened {
    const opened = this.#system.openToken(token, ofKinds, bits);
    if (typeof opened === "number") {
      throw failureOf(
        opened,
        "open",
        token.end,
        "it is gone; keep it open where the token was made until it is opened here",
      );
    }
    return opened;
  }

  #unlinkAddress(address: Address, label: string, syscall: string): void {
    const result = this.#live(syscall).unlink(address);
    if (result < 0) throw failureOf(result, syscall, label, "it is not there");
  }

  #checkCapacity(capacity: number | undefined, syscall: string): number {
    if (capacity === undefined) return PIPE_BYTES_DEFAULT;
    checkCount(capacity, "capacity", 1, CAPACITY_BYTES_MAX, syscall);
    if (isPowerOfTwo(capacity)) return capacity;
    const near = 2 ** Math.ceil(Math.log2(capacity));
    throw new IpcError(EINVAL, syscall, undefined, `capacity must be a power of two, such as ${near}, not ${capacity}`);
  }

  #queueShape(options: QueueOptions): { depth: number; messageBytesMax: number; bodyBytes: number } {
    const { regionBytes, messageBytesMax: kernelMax } = this.limits;
    const depth = options.depth ?? QUEUE_DEPTH_DEFAULT;
    const messageBytesMax = options.messageBytesMax ?? kernelMax;
    checkCount(messageBytesMax, "messageBytesMax", 1, kernelMax, "msgget");
    checkCount(depth, "depth", 1, Math.floor(regionBytes / 32), "msgget");
    return { depth, messageBytesMax, bodyBytes: queueBodyBytes(depth, messageBytesMax) };
  }

  #reader(opened: Opened, label: string): PipeReader {
    return this.#keep(new PipeReader(this.#system, opened, label, this.#forget));
  }

  #writer(opened: Opened, label: string): PipeWriter {
    return this.#keep(new PipeWriter(this.#system, opened, label, this.#forget));
  }

  #keep<T extends Handle>(handle: T): T {
    this.#handles.add(handle);
    return handle;
  }

  readonly #forget = (handle: Handle): void => {
    this.#handles.delete(handle);
  };
}

const PAGE_BYTES = 4096;
/** Positions in a ring are 32-bit and run free: half their range is what can lie between. */
const CAPACITY_BYTES_MAX = 2 ** 30;

/** The limits asked for, the others by default; the region in whole pages. */
function limitsOf(options: Partial<KernelLimits>, syscall: string): KernelLimits {
  const limits: KernelLimits = { ...limitDefaults };
  for (const name of Object.keys(limitDefaults) as (keyof KernelLimits)[]) {
    const value = options[name];
    if (value !== undefined) (limits as { -readonly [n in keyof KernelLimits]: number })[name] = value;
  }
  const wrong = checkLimits(limits);
  if (wrong) throw refused(syscall, "kernel", wrong);
  return { ...limits, regionBytes: roundUp(limits.regionBytes, PAGE_BYTES) };
}

/** Opens, or makes; between finding none and making one, somebody else may be quicker, and the other way round. */
function openRegion(name: string, limits: KernelLimits, options: OpenOptions): MappedRegion | Refusal {
  for (;;) {
    if (!(options.create && options.exclusive)) {
      const found = attachRegionFile(name);
      if (!isRefusal(found) || found.errno !== ENOENT || !options.create) return found;
    }
    const made = createRegionFile(name, limits);
    if (!isRefusal(made) || made.errno !== EEXIST || options.exclusive) return made;
  }
}

function attachTask(region: Region, world: World, parentPid: number, syscall: string, label: string): System {
  const here = attachedHere.get(regionId(region.words));
  if (here) {
    throw new IpcError(
      EBUSY,
      syscall,
      label,
      `this thread is attached already, as pid ${here.pid}: use that, or close it`,
    );
  }
  const system = System.attach(region, world, parentPid);
  if (typeof system === "number") {
    const { tasksMax } = region.geometry.limits;
    throw new IpcError(system, syscall, label, `all ${tasksMax} tasks are alive; create it with a larger tasksMax`);
  }
  return system;
}

/** A thread that ends in an orderly way leaves its kernels: its peers need not find out. */
function closeAllAtExit(): void {
  if (closesAtExit) return;
  closesAtExit = true;
  process.once("exit", () => {
    for (const kernel of [...attachedHere.values()]) kernel.close();
  });
}

const encoder = new TextEncoder();

function addressOf(kind: number, name: unknown, syscall: string, what: string): Address {
  if (typeof name !== "string") throw new TypeError(`${syscall}: a ${what}'s name must be a string`);
  const label = `${what} ${JSON.stringify(name)}`;
  const bytes = encoder.encode(name);
  if (bytes.length === 0) throw new IpcError(EINVAL, syscall, label, "a name must not be empty");
  if (bytes.length > NAME_BYTES_MAX) {
    throw new IpcError(
      ENAMETOOLONG,
      syscall,
      label,
      `a name has at most ${NAME_BYTES_MAX} bytes, this one ${bytes.length}`,
    );
  }
  if (/[/\0]/.test(name)) throw new IpcError(EACCES, syscall, label, 'a name holds no "/" and no NUL');
  return { kind, name: bytes };
}

function queueAddress(options: QueueOptions): { address: Address; label: string } {
  const { name, key } = options;
  if (name !== undefined && key !== undefined) throw new TypeError("msgget: a queue has a name or a key, not both");
  if (name !== undefined) {
    return { address: addressOf(kinds.QUEUE, name, "msgget", "queue"), label: `queue ${JSON.stringify(name)}` };
  }
  if (key === undefined) return { address: { kind: kinds.QUEUE }, label: "queue" };
  checkCount(key, "key", 1, 0x7fffffff, "msgget");
  return { address: { kind: kinds.QUEUE, key }, label: `queue with key ${key}` };
}

function refused(syscall: string, label: string, refusal: Refusal): IpcError {
  return failureOf(refusal.errno, syscall, label, refusal.reason);
}
