// The public handle of a kernel: creating, attaching, and making what it holds.

import type { ChildProcess } from "node:child_process";
import { Worker } from "node:worker_threads";
import { EACCES, EAGAIN, EBADF, EBUSY, EEXIST, EINVAL, ENOENT, ENXIO, EPERM, ESRCH } from "../abi/errno.ts";
import { O_NONBLOCK } from "../abi/flags.ts";
import { type KernelLimits, PIPE_BYTES_DEFAULT, QUEUE_DEPTH_DEFAULT } from "../abi/limits.ts";
import { SI_QUEUE, SIGCHLD } from "../abi/signals.ts";
import { CLD_EXITED, exitedStatus } from "../abi/wait.ts";
import type { Caller } from "../kernel/calls/call.ts";
import { deadlocks, type Waiting } from "../kernel/deadlocks.ts";
import {
  makingBarrier,
  makingCondition,
  makingMutex,
  makingPipe,
  makingQueue,
  makingRwlock,
  makingSegment,
  makingSemaphore,
} from "../kernel/making.ts";
import type { Making, ObjectToken, Opened } from "../kernel/opening.ts";
import { controlsFile, MAY_READ, MAY_WRITE, permitsFile, permitsIpc } from "../kernel/permissions.ts";
import { otherEndOpened } from "../kernel/pipe-ends.ts";
import type { Address } from "../kernel/registry.ts";
import { dispatch, type NamedCalls, namedCalls } from "../kernel/syscall-table.ts";
import type { System } from "../kernel/system.ts";
import { TaskMemory } from "../kernel/task-memory.ts";
import { access, isPowerOfTwo, kinds, mutexTypes, roundUp } from "../memory/layout.ts";
import { isRefusal, type Region, regionId } from "../memory/region.ts";
import type { Offset } from "../memory/words.ts";
import type { QueueShape } from "../objects/message-ring.ts";
import { processWorld } from "../platforms/processes.ts";
import {
  attachRegionFile,
  checkRegionName,
  type MappedRegion,
  refusalOf,
  regionNames,
  unlinkRegionFile,
} from "../platforms/region-file.ts";
import { attachSharedRegion, createSharedRegion, type SharedRegion, threadWorld } from "../platforms/threads.ts";
import { type Attempt, blockUntil, type Condition as Waited } from "../sync/waiting.ts";
import type { Description } from "../tasks/descriptors.ts";
import type { SignalInfo } from "../tasks/signal-info.ts";
import type { TaskInfo } from "../tasks/task-table.ts";
import { addressOf, objectAddress, queueAddress } from "./addresses.ts";
import { type Attaching, attachTask, limitsOf, openRegion, PAGE_BYTES, refused, spawnedAs } from "./attaching.ts";
import { Barrier, type BarrierOptions } from "./barrier.ts";
import { type Codec, checkCodec } from "./codecs.ts";
import { Condition } from "./condition.ts";
import { deliverAtEnd, sleepThroughSignals } from "./delivering.ts";
import { openedByDescriptor } from "./from-descriptor.ts";
import type { Handle } from "./handle.ts";
import { INSPECT, type Inspect, shown } from "./inspecting.ts";
import { failureOf, IpcError } from "./ipc-error.ts";
import type { KernelHandle } from "./kernel-handle.ts";
import type { AttachOptions, OpenOptions, PipeOptions, QueueOptions, TypedQueueOptions } from "./kernel-options.ts";
import { MessageQueue, type QueueToken } from "./message-queue.ts";
import { Mutex, type MutexOptions } from "./mutex.ts";
import {
  checkBytes,
  checkCount,
  checkOptions,
  countdown,
  type SyncWaitOptions,
  signalOf,
  timeoutOf,
  type WaitOptions,
} from "./options.ts";
import { watchOwnWorkers } from "./own-workers.ts";
import { PipeReader, type PipeReaderToken } from "./pipe-reader.ts";
import { PipeWriter, type PipeWriterToken } from "./pipe-writer.ts";
import { type PollItem, type PollReady, poll, pollSync } from "./poll.ts";
import { ReadWriteLock } from "./read-write-lock.ts";
import { Semaphore, type SemaphoreOptions, VALUE_MAX } from "./semaphore.ts";
import {
  type SegmentMapping,
  SharedMemory,
  type SharedMemoryOptions,
  type SharedMemoryToken,
} from "./shared-memory.ts";
import { numberOf, type Signal } from "./signal-names.ts";
import { SignalReader } from "./signal-reader.ts";
import { TaskSignalsHandle } from "./signals.ts";
import { type SpawnOptions, spawnTask, takeSpawnedHandle } from "./spawn.ts";
import type { LockOptions, LockToken } from "./sync-options.ts";
import { type NewsOptions, Task, type TaskStatus, tryWaitFor, waitFor, waitForSync } from "./task.ts";
import { TypedQueue } from "./typed-queue.ts";

/** Where a segment's pages are for this task; a negative errno where they cannot be mapped. */
type MapSegment = (offset: Offset, bytes: number, writable: boolean) => SegmentMapping | number;

/** Kernels that this thread is attached to, by the region's identity. */
const attachedHere = new Map<bigint, Kernel>();
let closesAtExit = false;

function refuseTwice(region: Region, syscall: string, label: string): void {
  const here = attachedHere.get(regionId(region.words));
  if (!here) return;
  throw new IpcError(
    EBUSY,
    syscall,
    label,
    `this thread is attached already, as pid ${here.pid}: use that, or close it`,
  );
}

/**
 * A task's attachment to a kernel: the door to all that it holds (the mission's "IPC Subsystem"). One thread attaches to a kernel once.
 */
export class Kernel implements Disposable {
  readonly #system: System;
  readonly #identity: bigint;
  readonly #handle: KernelHandle;
  readonly #parentPid: number;
  readonly #unmap: () => void;
  readonly #unwatch: () => void;
  readonly #mapSegment: MapSegment;
  readonly #handles = new Set<Handle | SharedMemory>();
  #closed = false;
  #isEnding = false;
  #caller: Caller | undefined;
  #sys: NamedCalls | undefined;
  #signals: TaskSignalsHandle | undefined;

  private constructor(
    system: System,
    handle: KernelHandle,
    parentPid: number,
    unmap: () => void,
    mapSegment: MapSegment,
  ) {
    this.#mapSegment = mapSegment;
    this.#system = system;
    this.#identity = regionId(system.words);
    this.#handle = handle;
    this.#parentPid = parentPid;
    this.#unmap = unmap;
    this.#unwatch = watchOwnWorkers({
      began: (threadId, worker) => system.signals.adopt(threadId, () => void worker.terminate()),
      ended: (threadId) => system.signals.disown(threadId),
    });
    attachedHere.set(this.#identity, this);
    if (closesAtExit) return;
    closesAtExit = true;
    // A thread that ends in an orderly way leaves its kernels: its peers need not find out.
    process.once("exit", (code) => Kernel.#closeAll(code));
  }

  /**
   * Creates a kernel in shared memory of this process, and attaches this thread to it. Worker threads attach with
   * `Kernel.attach(kernel.handle)`.
   * @throws IpcError EINVAL for limits out of bounds, ENOMEM
   */
  static create(limits: Partial<KernelLimits> = {}): Kernel {
    checkOptions(limits, "create");
    const made = createSharedRegion(limitsOf(limits, "create"));
    if (isRefusal(made)) throw refused("create", "kernel", made);
    return Kernel.#attachShared(made.shared, made.region, 0, "create");
  }

  /**
   * Opens the kernel that lives in /dev/shm/fangaos.<name>, for any process of this user, and attaches this thread.
   * @throws IpcError ENOENT where it is not there, EEXIST, EACCES where it is not ours, EINVAL or ENAMETOOLONG for a bad
   * name, EINVAL for a foreign file, EAGAIN where it is still being created, EOPNOTSUPP for another version or pid
   * namespace, ESTALE from before a restart, EIO where it is truncated, EBUSY where this thread is attached already,
   * ENOSPC where /dev/shm or the kernel is full, ENOSYS without koffi
   */
  static open(name: string, options: OpenOptions = {}): Kernel {
    checkOptions(options, "open");
    const wrong = checkRegionName(name);
    if (wrong) throw refused("open", `kernel ${JSON.stringify(name)}`, wrong);
    const limits = limitsOf(options, "open");
    const region = openRegion(name, limits, options);
    if (isRefusal(region)) throw refused("open", `kernel "${name}"`, region);
    return Kernel.#attachMapped(name, region, 0, "open");
  }

  /**
   * Attaches this thread to the kernel that a handle names; its parent is the task that the handle came from. Without a handle, as
   * the task that `kernel.spawn` has started this thread for.
   * @throws IpcError as `open`; ESRCH where the task that it was started for is gone
   */
  static attach(handle: KernelHandle | undefined = takeSpawnedHandle(), options: AttachOptions = {}): Kernel {
    if (handle === undefined) throw new TypeError("attach: kernel.spawn has not started this thread: pass a handle");
    if (typeof handle !== "object" || handle === null) throw new TypeError("attach: that is no kernel's handle");
    const parentPid = Number.isInteger(handle.parentPid) ? handle.parentPid : 0;
    if ("buffer" in handle && handle.buffer instanceof SharedArrayBuffer) {
      const shared = handle as SharedRegion;
      const region = attachSharedRegion(shared);
      if (isRefusal(region)) throw refused("attach", "kernel", region);
      return Kernel.#attachShared(shared, region, parentPid, "attach", { ...options, ...spawnedAs(handle) });
    }
    if (!("name" in handle)) throw new TypeError("attach: that is no kernel's handle");
    const region = checkRegionName(handle.name) ?? attachRegionFile(handle.name);
    if (isRefusal(region)) throw refused("attach", `kernel "${handle.name}"`, region);
    return Kernel.#attachMapped(handle.name, region, parentPid, "attach", { ...options, ...spawnedAs(handle) });
  }

  /**
   * Removes a kernel's name from /dev/shm. Tasks that are attached carry on; the memory goes with the last (shm_unlink(3)).
   * @throws IpcError ENOENT where it is not there
   */
  static unlink(name: string): void {
    const wrong = checkRegionName(name) ?? unlinkRegionFile(name);
    if (wrong) throw refused("unlink", `kernel ${JSON.stringify(name)}`, wrong);
  }

  /**
   * The names of the kernels in /dev/shm, those of other users and of other versions among them: `Kernel.open` says whether one
   * can be opened.
   */
  static names(): string[] {
    return regionNames();
  }

  static #attachShared(
    { buffer, memory }: SharedRegion,
    region: Region,
    parentPid: number,
    syscall: string,
    options: Attaching = {},
  ): Kernel {
    refuseTwice(region, syscall, "kernel");
    const system = attachTask(region, threadWorld(region.words), parentPid, syscall, "kernel", options);
    const mapSegment: MapSegment = (offset) => ({ buffer, byteOffset: offset, release: () => {} });
    const handle = { buffer, ...(memory && { memory }), parentPid: system.pid };
    return new Kernel(system, handle, parentPid, () => {}, mapSegment);
  }

  static #attachMapped(
    name: string,
    region: MappedRegion,
    parentPid: number,
    syscall: string,
    options: Attaching = {},
  ): Kernel {
    try {
      refuseTwice(region, syscall, `kernel "${name}"`);
      const system = attachTask(region, processWorld(region), parentPid, syscall, `kernel "${name}"`, options);
      return new Kernel(system, { name, parentPid: system.pid }, parentPid, region.unmap, region.mapPages);
    } catch (error) {
      region.unmap();
      if (error instanceof IpcError) throw error;
      throw refused(syscall, `kernel "${name}"`, refusalOf(error, "this thread's identity cannot be read"));
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

  /** The pid of the task that spawned this one, or whose handle it attached with; 0 where there was none. */
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

  /**
   * This task's memory: what the pointers of system calls point into. Address 0 is NULL. One mebibyte, unless it is replaced.
   */
  get memory(): Uint8Array {
    return this.#calling("memory").memory.own;
  }

  set memory(bytes: Uint8Array) {
    checkBytes(bytes, "memory", "kernel");
    this.#calling("memory").memory.own = bytes;
  }

  /** The bytes at an address of this task, such as those of a segment that `shmat` attached; undefined where they are not. */
  memoryAt(address: number, length: number): Uint8Array | undefined {
    return this.#calling("memory").memory.view(address, length, false);
  }

  /**
   * Makes a system call by its number, the mission's or Linux x86-64's: a result from 0 up, or a negative errno; it never
   * throws. It blocks as the call does. Pointers are addresses in `memory`. docs/syscalls.md lists the calls.
   */
  syscall(number: number, ...args: (number | bigint)[]): number {
    return dispatch(this.#calling("syscall"), number, args);
  }

  /** The same by name, such as `kernel.sys.msgget(key, flags)`. */
  get sys(): NamedCalls {
    this.#sys ??= namedCalls(this.#calling("sys"));
    return this.#sys;
  }

  /** This task's signals: handlers, blocking, waiting. */
  get signals(): TaskSignalsHandle {
    this.#signals ??= this.#makeSignals();
    return this.#signals;
  }

  #makeSignals(): TaskSignalsHandle {
    const keeper = { keep: <T extends Handle>(handle: T): T => this.#given(handle), forget: this.#forget };
    return new TaskSignalsHandle(() => this.#live("signals"), keeper);
  }

  /**
   * Sends a signal to a task; to all of this task's group with pid 0, to all other tasks with -1, to a group with its number
   * below 0 (kill(2)); with a `value`, as sigqueue(3) does. Signal 0 sends nothing: it looks whether a signal could be sent.
   * @throws IpcError ESRCH, EPERM, EINVAL, EAGAIN where a real-time signal with a value cannot be queued
   */
  kill(pid: number, signal: Signal | 0, value?: number | bigint): void {
    const { signals } = this.#live("kill");
    checkCount(pid, "pid", -0x7fffffff, 0x7fffffff, "kill");
    const number = signal === 0 ? 0 : numberOf(signal);
    if (value !== undefined && typeof value !== "bigint" && !Number.isInteger(value))
      throw new TypeError("kill: the value must be a whole number or a bigint");
    const result =
      value === undefined
        ? signals.kill(pid, number)
        : signals.kill(pid, number, SI_QUEUE, BigInt.asUintN(64, BigInt(value)));
    if (result < 0)
      throw failureOf(result, "kill", `task ${pid}`, result === ESRCH ? "there is no such task" : undefined);
    signals.deliver();
  }

  /**
   * The functions that rt_sigaction(2) knows by numbers, for programs that make system calls: `kernel.handlers.set(1000n, run)`,
   * and then 1000 in the structure.
   */
  get handlers(): Map<bigint, (info: SignalInfo) => void> {
    return this.#calling("handlers").handlers;
  }

  /**
   * Makes the calls that another task sleeps in fail with EINTR (signal(7)): its `…Sync` calls and system calls, not its
   * promises. Returns whether it slept.
   * @throws IpcError EPERM where this task may not send it a signal
   */
  interrupt(pid: number): boolean {
    const system = this.#live("interrupt");
    checkCount(pid, "pid", 1, 0x7fffffff, "interrupt");
    if (system.signals.kill(pid, 0) === EPERM) throw failureOf(EPERM, "interrupt", `task ${pid}`);
    return system.interrupt(pid);
  }

  /**
   * Starts a program of Node's as a task (posix_spawn(3)): a worker thread, or where the kernel has a name a process. It attaches
   * with `Kernel.attach()`, and has then what descriptors, credentials, and blocked and ignored signals it was given. What it ends
   * with is what its program ends with, as by `process.exit(3)`.
   * @throws IpcError ENOSPC where all tasks are in use, zombies among them, EBADF, EPERM, EINVAL
   */
  spawn(program: string | URL, options: SpawnOptions = {}): Task {
    checkOptions(options, "spawn");
    const system = this.#live("spawn");
    const { pid, child } = spawnTask(system, this.#handle, program, options, () => !this.#closed);
    return new Task(
      pid,
      child,
      () => this.#live("waitpid"),
      (signal) => this.kill(pid, signal),
    );
  }

  /**
   * Waits until a task that this one has spawned has ended: the one of a pid, any with -1, one of this task's group with 0, of
   * another with its number below 0 (waitpid(3)).
   * @throws IpcError ECHILD where there is none, ETIMEDOUT
   */
  async wait(pid = -1, options?: WaitOptions & NewsOptions): Promise<TaskStatus> {
    return waitFor(this.#live("waitpid"), pid, options);
  }

  /** The same, asleep. @throws IpcError ECHILD, ETIMEDOUT, EINTR */
  waitSync(pid = -1, options?: SyncWaitOptions & NewsOptions): TaskStatus {
    return waitForSync(this.#live("waitpid"), pid, options);
  }

  /** Returns undefined where none has ended (WNOHANG). @throws IpcError ECHILD */
  tryWait(pid = -1, options?: NewsOptions): TaskStatus | undefined {
    return tryWaitFor(this.#live("waitpid"), pid, options);
  }

  /**
   * Watches a worker thread or child process: as soon as it exits its tasks are buried, and this task is sent SIGCHLD. Returns it.
   */
  adopt<T extends Worker | ChildProcess>(child: T): T {
    const { signals } = this.#live("adopt");
    const { threadId } = child as Worker;
    if (child instanceof Worker) signals.adopt(threadId, () => void child.terminate());
    (child as ChildProcess).once("exit", () => {
      if (this.#closed) return;
      signals.disown(threadId);
      this.#system.reap();
      this.#system.signals.send(this.pid, { signal: SIGCHLD, code: CLD_EXITED, pid: 0, uid: 0, value: 0n });
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
    checkOptions(options, "pipe");
    const system = this.#live("pipe");
    const capacity = this.#checkCapacity(options.capacity, "pipe");
    const making = makingPipe(system.words, capacity, 0o600);
    const opened = system.createAnonymous(kinds.PIPE, making, [access.READ, access.WRITE]);
    if (typeof opened === "number") throw failureOf(opened, "pipe", undefined);
    const ends = {
      reader: this.#reader(opened[0] as Opened, "pipe"),
      writer: this.#writer(opened[1] as Opened, "pipe"),
    };
    deliverAtEnd(system);
    return ends;
  }

  /**
   * Makes a named pipe (mkfifo(3)), which stays until `unlinkFifo`.
   * @throws IpcError EEXIST, EINVAL, ENAMETOOLONG, ENOMEM, ENOSPC
   */
  mkfifo(name: string, options: PipeOptions = {}): void {
    checkOptions(options, "mkfifo");
    const system = this.#live("mkfifo");
    const address = addressOf(kinds.FIFO, name, "mkfifo", "fifo");
    const capacity = this.#checkCapacity(options.capacity, "mkfifo");
    const result = system.create(address, makingPipe(system.words, capacity, this.#mode(options.mode, "mkfifo")));
    if (result < 0) throw failureOf(result, "mkfifo", `fifo "${name}"`);
  }

  /**
   * Opens an end of a named pipe, waiting until the other end is open too (fifo(7)).
   * @throws IpcError ENOENT, ETIMEDOUT, EMFILE, ENFILE
   */
  async openFifo(name: string, mode: "read", options?: WaitOptions): Promise<PipeReader>;
  /** The same for the write end. @throws IpcError ENOENT, ETIMEDOUT, EMFILE, ENFILE */
  async openFifo(name: string, mode: "write", options?: WaitOptions): Promise<PipeWriter>;
  async openFifo(name: string, mode: "read" | "write", options?: WaitOptions): Promise<PipeReader | PipeWriter> {
    const system = this.#live("open");
    const label = `fifo "${name}"`;
    const timeoutMs = timeoutOf(options, "open", label);
    const signal = signalOf(options, "open", label);
    signal?.throwIfAborted();
    const { end, partner, attempt } = this.#beginOpenFifo(name, mode);
    try {
      const first = attempt(false);
      const result = first === EAGAIN ? await system.awaits.until(end, partner, 1, attempt, timeoutMs, signal) : first;
      if (result < 0) throw failureOf(result, "open", label);
      if (first >= 0) deliverAtEnd(system); // who has waited was told by its bell meanwhile
      return end;
    } catch (error) {
      end.close();
      throw error;
    }
  }

  /** Opens the read end, asleep until the write end is open. @throws IpcError ENOENT, ETIMEDOUT, EMFILE, ENFILE, EINTR */
  openFifoSync(name: string, mode: "read", options?: SyncWaitOptions): PipeReader;
  /** The same for the write end. @throws IpcError ENOENT, ETIMEDOUT, EMFILE, ENFILE, EINTR */
  openFifoSync(name: string, mode: "write", options?: SyncWaitOptions): PipeWriter;
  openFifoSync(name: string, mode: "read" | "write", options?: SyncWaitOptions): PipeReader | PipeWriter {
    const system = this.#live("open");
    const label = `fifo "${name}"`;
    timeoutOf(options, "open", label);
    const { end, partner, attempt } = this.#beginOpenFifo(name, mode);
    const left = countdown(options);
    const sleep = (): number => blockUntil(system, partner, 1, attempt, timeoutOf(left(), "open", label));
    const checkStillOpen = (): void => {
      if (end.closed) throw failureOf(EBADF, "open", label, "the kernel was closed while this waited");
    };
    try {
      const first = attempt(false);
      const result = first === EAGAIN ? sleepThroughSignals(system, sleep, checkStillOpen) : first;
      if (result < 0) throw failureOf(result, "open", label);
      deliverAtEnd(system);
      return end;
    } catch (error) {
      end.close();
      throw error;
    }
  }

  /**
   * Opens an end of a named pipe at once, as O_NONBLOCK does: the read end always, the write end only while somebody has
   * the read end open.
   * @throws IpcError ENXIO where nobody reads, ENOENT, EMFILE, ENFILE
   */
  tryOpenFifo(name: string, mode: "read"): PipeReader;
  /** The same for the write end. @throws IpcError ENXIO, ENOENT, EMFILE, ENFILE */
  tryOpenFifo(name: string, mode: "write"): PipeWriter;
  tryOpenFifo(name: string, mode: "read" | "write"): PipeReader | PipeWriter {
    const system = this.#live("open");
    const admit = (index: number): number => (mode === "write" && system.pipeOf(index).readers === 0 ? ENXIO : 0);
    const { end } = this.#openEnd(name, mode, admit);
    deliverAtEnd(system);
    return end;
  }

  /** Removes a named pipe's name; those who have it open carry on (unlink(2)). */
  unlinkFifo(name: string): void {
    this.#unlinkAddress(addressOf(kinds.FIFO, name, "unlink", "fifo"), `fifo "${name}"`, "unlink");
  }

  /**
   * Opens or makes a message queue (mq_open(3), msgget(2)). One with a name or key stays until it is unlinked.
   * @throws IpcError ENOENT, EEXIST, EINVAL, ENAMETOOLONG, ENOMEM, ENOSPC, EMFILE, ENFILE
   */
  queue(options?: QueueOptions): MessageQueue;
  /** The same with a codec: a queue whose messages are values of a type. @throws as above; TypeError for what is no codec */
  queue<T>(options: TypedQueueOptions<T>): TypedQueue<T>;
  queue(
    options: QueueOptions & { readonly codec?: Codec<unknown> | undefined } = {},
  ): MessageQueue | TypedQueue<unknown> {
    checkOptions(options, "msgget");
    const { codec } = options;
    if (codec === undefined) return this.#queue(options);
    checkCodec(codec);
    return new TypedQueue(this.#queue(options), codec);
  }

  #queue(options: QueueOptions): MessageQueue {
    const system = this.#live("msgget");
    const { address, label } = queueAddress(options);
    const anonymous = options.name === undefined && options.key === undefined;
    const shape = this.#queueShape(options);
    const making = makingQueue(system.words, shape, this.#mode(options.mode, "msgget"));
    const opened = system.open(address, {
      access: access.READ | access.WRITE,
      create: anonymous || options.create ? making : undefined,
      exclusive: options.exclusive === true,
      admit: (index) => this.#admit(index, MAY_READ | MAY_WRITE),
    });
    if (typeof opened === "number") throw failureOf(opened, "msgget", label);
    return this.#given(new MessageQueue(system, opened, label, this.#forget));
  }

  /** Removes a queue's name or key; those who have it open carry on (mq_unlink(3)). */
  unlinkQueue(nameOrKey: string | number): void {
    const options = typeof nameOrKey === "number" ? { key: nameOrKey } : { name: nameOrKey };
    const { address, label } = queueAddress(options);
    this.#unlinkAddress(address, label, "mq_unlink");
  }

  /**
   * Attaches a shared memory segment, or makes it (shmget(2), shmat(2), shm_open(3)). One with a name or key stays until it is
   * unlinked.
   * @throws IpcError ENOENT, EEXIST, EACCES, EINVAL where it is smaller than `bytes`, ENAMETOOLONG, ENOMEM, ENOSPC, ENFILE
   */
  sharedMemory(options: SharedMemoryOptions = {}): SharedMemory {
    checkOptions(options, "shmget");
    const system = this.#live("shmget");
    const { name, key, readOnly = false } = options;
    const { address, label } = objectAddress(options, "shmget", "segment", kinds.SEGMENT, kinds.SEGMENT);
    const bytes = options.bytes ?? 0;
    checkCount(bytes, "bytes", 0, 0xffffffff, "shmget");
    const creates = options.create === true || (name === undefined && key === undefined);
    const mode = this.#mode(options.mode, "shmget");
    return this.#attach(label, readOnly, () => {
      const found = system.registry.findLocked(address);
      if (found < 0) {
        if (!creates) return ENOENT;
        if (bytes === 0) return EINVAL;
        return system.createLocked(address, makingSegment(system.words, bytes, mode));
      }
      if (creates && options.exclusive) return EEXIST;
      if (bytes > system.segmentOf(found).bytes) return EINVAL;
      const permits = key === undefined ? permitsFile : permitsIpc;
      const want = readOnly ? MAY_READ : MAY_READ | MAY_WRITE;
      return permits(system.credentials, system.registry.ownershipOf(found), want) ? found : EACCES;
    });
  }

  /** Removes a segment's name or key; its memory goes with the last task that detaches (shm_unlink(3), shmctl(2)). */
  unlinkSharedMemory(nameOrKey: string | number): void {
    const options = typeof nameOrKey === "number" ? { key: nameOrKey } : { name: nameOrKey };
    const { address, label } = objectAddress(options, "shm_unlink", "segment", kinds.SEGMENT, kinds.SEGMENT);
    this.#unlinkAddress(address, label, "shm_unlink");
  }

  /**
   * Opens or makes a semaphore (sem_open(3)). One with a name stays until it is unlinked.
   * @throws IpcError ENOENT, EEXIST, EACCES, EINVAL, ENAMETOOLONG, ENOMEM, ENOSPC, EMFILE, ENFILE
   */
  semaphore(options: SemaphoreOptions = {}): Semaphore {
    checkOptions(options, "sem_open");
    const { value = 0 } = options;
    // Of one that is there the value is not looked at.
    const isFine = Number.isInteger(value) && value >= 0 && value <= VALUE_MAX;
    if (!isFine && !this.#isThere(kinds.SEMAPHORE, options)) checkCount(value, "value", 0, VALUE_MAX, "sem_open");
    const making = (system: System, mode: number): Making => makingSemaphore(system.words, value, mode);
    const { opened, label } = this.#openLock("sem_open", "semaphore", kinds.SEMAPHORE, options, making);
    return this.#given(new Semaphore(this.#system, opened, label, this.#forget));
  }

  /** Opens or makes a mutex (pthread_mutex_init(3p), robust and shared). One with a name stays until it is unlinked. */
  mutex(options: MutexOptions = {}): Mutex {
    checkOptions(options, "pthread_mutex_init");
    const { type = "normal" } = options;
    const types = {
      normal: mutexTypes.NORMAL,
      "error-checking": mutexTypes.ERROR_CHECKING,
      recursive: mutexTypes.RECURSIVE,
    };
    if (!Object.hasOwn(types, type)) {
      throw new TypeError('mutex: the type must be "normal", "error-checking" or "recursive"');
    }
    const making = (system: System, mode: number): Making => makingMutex(system.words, types[type], mode);
    const { opened, label } = this.#openLock("pthread_mutex_init", "mutex", kinds.MUTEX, options, making);
    return this.#given(new Mutex(this.#system, opened, label, this.#forget));
  }

  /** Opens or makes a read/write lock (pthread_rwlock_init(3p)). One with a name stays until it is unlinked. */
  rwlock(options: LockOptions = {}): ReadWriteLock {
    checkOptions(options, "pthread_rwlock_init");
    const making = (system: System, mode: number): Making =>
      makingRwlock(system.words, system.geometry.limits.tasksMax, mode);
    const { opened, label } = this.#openLock("pthread_rwlock_init", "rwlock", kinds.RWLOCK, options, making);
    return this.#given(new ReadWriteLock(this.#system, opened, label, this.#forget));
  }

  /** Opens or makes a condition variable (pthread_cond_init(3p)). One with a name stays until it is unlinked. */
  condition(options: LockOptions = {}): Condition {
    checkOptions(options, "pthread_cond_init");
    const making = (_system: System, mode: number): Making => makingCondition(mode);
    const { opened, label } = this.#openLock("pthread_cond_init", "condition", kinds.CONDITION, options, making);
    return this.#given(new Condition(this.#system, opened, label, this.#forget));
  }

  /** Opens or makes a barrier (pthread_barrier_init(3p)). One with a name stays until it is unlinked. */
  barrier(options: BarrierOptions): Barrier {
    checkOptions(options, "pthread_barrier_init");
    const creates = options.name === undefined || options.create === true;
    if (creates || options.parties !== undefined)
      checkCount(options.parties, "parties", 1, 0x7fffffff, "pthread_barrier_init");
    const making = (system: System, mode: number): Making => makingBarrier(system.words, options.parties ?? 1, mode);
    const { opened, label } = this.#openLock("pthread_barrier_init", "barrier", kinds.BARRIER, options, making);
    return this.#given(new Barrier(this.#system, opened, label, this.#forget));
  }

  /** Removes a semaphore's name; those who have it open carry on (sem_unlink(3)). */
  unlinkSemaphore(name: string): void {
    this.#unlinkAddress(
      addressOf(kinds.SEMAPHORE, name, "sem_unlink", "semaphore"),
      `semaphore "${name}"`,
      "sem_unlink",
    );
  }

  /** Removes a mutex's name; those who have it open carry on. */
  unlinkMutex(name: string): void {
    this.#unlinkAddress(addressOf(kinds.MUTEX, name, "unlink", "mutex"), `mutex "${name}"`, "unlink");
  }

  /** Removes a read/write lock's name; those who have it open carry on. */
  unlinkRwlock(name: string): void {
    this.#unlinkAddress(addressOf(kinds.RWLOCK, name, "unlink", "rwlock"), `rwlock "${name}"`, "unlink");
  }

  /** Removes a condition variable's name; those who have it open carry on. */
  unlinkCondition(name: string): void {
    this.#unlinkAddress(addressOf(kinds.CONDITION, name, "unlink", "condition"), `condition "${name}"`, "unlink");
  }

  /** Removes a barrier's name; those who have it open carry on. */
  unlinkBarrier(name: string): void {
    this.#unlinkAddress(addressOf(kinds.BARRIER, name, "unlink", "barrier"), `barrier "${name}"`, "unlink");
  }

  /**
   * The cycles of tasks that wait for each other's mutexes and read/write locks now, each from its lowest pid on. `lock` with
   * `refuseDeadlock` fails instead of closing one.
   */
  deadlocks(): Waiting[][] {
    return deadlocks(this.#live("deadlocks"));
  }

  /**
   * Opens what a token of another task leads to, while that task still has it open.
   * @throws IpcError ENOENT where it is gone
   */
  openToken(token: PipeReaderToken): PipeReader;
  /** The same for the write end of a pipe. @throws IpcError ENOENT */
  openToken(token: PipeWriterToken): PipeWriter;
  /** The same for a queue. @throws IpcError ENOENT */
  openToken(token: QueueToken): MessageQueue;
  /** The same for a queue of values. @throws IpcError ENOENT; TypeError for what is no codec */
  openToken<T>(token: QueueToken, options: { readonly codec: Codec<T> }): TypedQueue<T>;
  /** The same for a segment, which it attaches. @throws IpcError ENOENT, EACCES */
  openToken(token: SharedMemoryToken, options?: { readonly readOnly?: boolean | undefined }): SharedMemory;
  /** The same for a semaphore, a lock, a condition variable or a barrier. @throws IpcError ENOENT */
  openToken<K extends keyof Locks>(token: LockToken<K>): Locks[K];
  openToken(
    token: PipeReaderToken | PipeWriterToken | QueueToken | SharedMemoryToken | LockToken<keyof Locks>,
    options?: { readonly readOnly?: boolean | undefined; readonly codec?: Codec<unknown> | undefined },
  ): PipeReader | PipeWriter | MessageQueue | TypedQueue<unknown> | SharedMemory | Locks[keyof Locks] {
    const system = this.#live("open");
    if (!Number.isInteger(token?.objectIndex) || !Number.isInteger(token.generation)) {
      throw new TypeError("open: that is no token of an object");
    }
    if (token.end === "segment") {
      const isThere = (): boolean =>
        system.isToken(token) && system.registry.kindOf(token.objectIndex) === kinds.SEGMENT;
      return this.#attach("segment", options?.readOnly === true, () => (isThere() ? token.objectIndex : ENOENT));
    }
    if (token.end === "queue") {
      if (options?.codec !== undefined) checkCodec(options.codec);
      const opened = this.#openByToken(token, [kinds.QUEUE, kinds.SYSV_QUEUE], access.READ | access.WRITE);
      const queue = this.#given(new MessageQueue(system, opened, "queue", this.#forget));
      return options?.codec ? new TypedQueue(queue, options.codec) : queue;
    }
    if (token.end !== "reader" && token.end !== "writer") {
      const { kind, Handle: LockHandle } = locks[token.end];
      const opened = this.#openByToken(token, [kind], access.READ | access.WRITE);
      return this.#given(new LockHandle(system, opened, token.end, this.#forget));
    }
    const opened = this.#openByToken(
      token,
      [kinds.PIPE, kinds.FIFO],
      token.end === "reader" ? access.READ : access.WRITE,
    );
    const end = token.end === "reader" ? this.#reader(opened, "pipe") : this.#writer(opened, "pipe");
    deliverAtEnd(system);
    return end;
  }

  /**
   * The handle of a descriptor of this task's own table, such as one that was inherited or that a system call made; closing
   * it closes the descriptor. A descriptor that a handle has already gives that handle. One that reads and writes (O_RDWR) of
   * a FIFO gives its read end.
   * @throws IpcError EBADF where it is not open, EINVAL where it is a stream of the host's, EACCES for a queue that is open for one
   * direction only
   */
  fromDescriptor(descriptor: number): PipeReader | PipeWriter | MessageQueue | SignalReader {
    const system = this.#live("open");
    for (const handle of this.#handles)
      if (!(handle instanceof SharedMemory) && handle.descriptor === descriptor) return handle as PipeReader;
    const { opened, end } = openedByDescriptor(system, descriptor);
    const label = `descriptor ${descriptor}`;
    if (end === "queue") return this.#keep(new MessageQueue(system, opened, label, this.#forget));
    if (end === "signals") return this.#keep(new SignalReader(system, opened, label, this.#forget));
    return end === "reader" ? this.#reader(opened, label) : this.#writer(opened, label);
  }

  /**
   * Waits until at least one of the items is ready, and returns those that are (poll(2)): none where the time-out passed.
   * @throws IpcError EBADF where the kernel is closed meanwhile, ENFILE, ENOSPC without wait nodes
   */
  async poll<T extends PollItem>(items: readonly T[], options?: WaitOptions): Promise<PollReady<T>[]> {
    return poll(this.#live("poll"), items, options, () => this.#closed);
  }

  /** The same, asleep. @throws IpcError EINTR where another task interrupted it */
  pollSync<T extends PollItem>(items: readonly T[], options?: SyncWaitOptions): PollReady<T>[] {
    return pollSync(this.#live("poll"), items, options);
  }

  /** Leaves the kernel: every handle of this task is closed. Closing again does nothing. */
  close(): void {
    this.#end(exitedStatus(0));
  }

  /** Leaves every kernel of this thread, which ends with an exit code. */
  static #closeAll(code: number): void {
    for (const kernel of [...attachedHere.values()]) kernel.#end(exitedStatus(code));
  }

  #end(status: number): void {
    if (this.#closed) return;
    this.#isEnding = true; // what comes now is for nobody
    for (const handle of [...this.#handles]) handle.close();
    this.#closed = true;
    this.#unwatch();
    this.#system.detach(status);
    attachedHere.delete(this.#identity);
    this.#unmap();
  }

  /** As `close`: for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** What `console.log` shows of it. @internal */
  [INSPECT](depth: number, options: object, inspect: Inspect): string {
    const name = "name" in this.#handle ? JSON.stringify(this.#handle.name) : undefined;
    const facts = this.#closed ? { closed: true } : { pid: this.pid, parentPid: this.parentPid, ...this.usage() };
    return shown(this.constructor, name, facts, [depth, options, inspect]);
  }

  #live(call: string): System {
    if (this.#closed) throw new TypeError(`${call}: this kernel is closed; attach again`);
    return this.#system;
  }

  #calling(call: string): Caller {
    const system = this.#live(call);
    this.#caller ??= {
      system,
      world: system.world,
      memory: new TaskMemory(new Uint8Array(MEMORY_BYTES_DEFAULT)),
      queues: new Map(),
      actions: new Map(),
      handlers: new Map(),
      sets: new Map(),
    };
    return this.#caller;
  }

  #beginOpenFifo(
    name: string,
    mode: "read" | "write",
  ): { end: PipeReader | PipeWriter; partner: Waited; attempt: Attempt } {
    const { end, opened } = this.#openEnd(name, mode);
    const bits = mode === "read" ? access.READ : access.WRITE;
    const partner = otherEndOpened(this.#system.pipeAt(opened.bodyLine), bits, opened.otherOpened);
    return { end, partner, attempt: () => (partner.ready(1) ? 0 : EAGAIN) };
  }

  #openEnd(
    name: string,
    mode: "read" | "write",
    admit?: (objectIndex: number) => number,
  ): { end: PipeReader | PipeWriter; opened: Opened } {
    if (mode !== "read" && mode !== "write") throw new TypeError('open: the mode must be "read" or "write"');
    const address = addressOf(kinds.FIFO, name, "open", "fifo");
    const label = `fifo "${name}"`;
    const opened = this.#system.open(address, {
      access: mode === "read" ? access.READ : access.WRITE,
      flags: admit ? O_NONBLOCK : 0,
      admit: (index) => this.#admit(index, mode === "read" ? MAY_READ : MAY_WRITE) || (admit?.(index) ?? 0),
    });
    if (opened === ENOENT) throw failureOf(ENOENT, "open", label, "it is not there; kernel.mkfifo makes it");
    if (typeof opened === "number") throw failureOf(opened, "open", label);
    return { opened, end: mode === "read" ? this.#reader(opened, label) : this.#writer(opened, label) };
  }

  #isThere(kind: number, { name, exclusive }: LockOptions): boolean {
    if (name === undefined || exclusive === true) return false;
    const system = this.#live("open");
    const address = addressOf(kind, name, "open", "object");
    return system.transaction(() => Math.min(system.registry.findLocked(address), 0)) === 0;
  }

  #openLock(
    syscall: string,
    what: string,
    kind: number,
    options: LockOptions,
    makingOf: (system: System, mode: number) => Making,
  ): { opened: Opened; label: string } {
    const system = this.#live(syscall);
    const address = options.name === undefined ? { kind } : addressOf(kind, options.name, syscall, what);
    const label = options.name === undefined ? what : `${what} ${JSON.stringify(options.name)}`;
    const creates = options.name === undefined || options.create === true;
    const making = makingOf(system, this.#mode(options.mode, syscall));
    const opened = system.open(address, {
      access: access.READ | access.WRITE,
      create: creates ? making : undefined,
      exclusive: options.exclusive === true,
      admit: (index) => this.#admit(index, MAY_READ | MAY_WRITE),
    });
    if (typeof opened === "number") throw failureOf(opened, syscall, label);
    return { opened, label };
  }

  #openByToken(token: ObjectToken & { readonly end: string }, ofKinds: number[], bits: number): Opened {
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
    const system = this.#live(syscall);
    const refusal = syscall === "sem_unlink" ? EACCES : EPERM; // sem_unlink(3)
    const admit = (index: number): number =>
      controlsFile(system.credentials, system.registry.ownershipOf(index)) ? 0 : refusal;
    const result = system.unlink(address, admit);
    if (result === ENOENT) throw failureOf(result, syscall, label, "it is not there");
    if (result < 0) throw failureOf(result, syscall, label, "only its owner may remove it");
  }

  #checkCapacity(capacity: number | undefined, syscall: string): number {
    if (capacity === undefined) return PIPE_BYTES_DEFAULT;
    checkCount(capacity, "capacity", 1, CAPACITY_BYTES_MAX, syscall);
    if (isPowerOfTwo(capacity)) return capacity;
    const near = 2 ** Math.ceil(Math.log2(capacity));
    throw new IpcError(EINVAL, syscall, undefined, `capacity must be a power of two, such as ${near}, not ${capacity}`);
  }

  #queueShape(options: QueueOptions): QueueShape {
    const { regionBytes, messageBytesMax: kernelMax } = this.limits;
    const depth = options.depth ?? QUEUE_DEPTH_DEFAULT;
    const messageBytesMax = options.messageBytesMax ?? kernelMax;
    checkCount(messageBytesMax, "messageBytesMax", 1, kernelMax, "msgget");
    checkCount(depth, "depth", 1, Math.floor(regionBytes / 32), "msgget");
    const bytesMax = options.key === undefined ? 0 : depth * messageBytesMax;
    return { depth, bytesMax, messageBytesMax };
  }

  /** The mode of what is being made, less what the umask takes away. */
  #mode(mode: number | undefined, syscall: string): number {
    if (mode === undefined) return MODE_DEFAULT;
    checkCount(mode, "mode", 0, 0o777, syscall);
    return mode & ~this.#system.credentials.umask;
  }

  /** Whether this task may open an object: 0, or EACCES. */
  #admit(objectIndex: number, want: number): number {
    const { registry, credentials } = this.#system;
    const permits = registry.kindOf(objectIndex) === kinds.SYSV_QUEUE ? permitsIpc : permitsFile;
    return permits(credentials, registry.ownershipOf(objectIndex), want) ? 0 : EACCES;
  }

  #reader(opened: Opened, label: string): PipeReader {
    return this.#keep(new PipeReader(this.#system, opened, label, this.#forget));
  }

  #writer(opened: Opened, label: string): PipeWriter {
    return this.#keep(new PipeWriter(this.#system, opened, label, this.#forget));
  }

  /** Attaches the segment that `find` finds or makes under the kernel lock. */
  #attach(label: string, readOnly: boolean, find: () => number): SharedMemory {
    const system = this.#system;
    let objectIndex = -1;
    const description = system.transaction(() => {
      objectIndex = find();
      return objectIndex < 0 ? objectIndex : system.attachSegmentLocked(objectIndex, 0);
    });
    if (description < 0) throw failureOf(description, "shmget", label, segmentRemedy(description));
    const { offset, bytes } = system.segmentOf(objectIndex);
    const mapping = this.#mapSegment(offset, roundUp(bytes, PAGE_BYTES), !readOnly);
    if (typeof mapping === "number") {
      system.detachSegment(description as Description);
      throw failureOf(mapping, "shmat", label);
    }
    const generation = system.registry.generationOf(objectIndex);
    const attached = { objectIndex, generation, description: description as Description, mapping, readOnly, label };
    return this.#given(new SharedMemory(system, attached, this.#forget));
  }

  #keep<T extends Handle | SharedMemory>(handle: T): T {
    this.#handles.add(handle);
    return handle;
  }

  /** The end of a call that has opened something: a handler that runs now may close it, and the kernel. */
  #given<T extends Handle | SharedMemory>(handle: T): T {
    this.#keep(handle);
    deliverAtEnd(this.#system);
    return handle;
  }

  /** The last that closing a handle does. */
  readonly #forget = (handle: Handle | SharedMemory): void => {
    this.#handles.delete(handle);
    if (!this.#isEnding) deliverAtEnd(this.#system);
  };
}

/** What locks there are, by what their tokens say. */
export interface Locks {
  /** `kernel.semaphore` */
  readonly semaphore: Semaphore;
  /** `kernel.mutex` */
  readonly mutex: Mutex;
  /** `kernel.rwlock` */
  readonly rwlock: ReadWriteLock;
  /** `kernel.condition` */
  readonly condition: Condition;
  /** `kernel.barrier` */
  readonly barrier: Barrier;
}

const locks = {
  semaphore: { kind: kinds.SEMAPHORE, Handle: Semaphore },
  mutex: { kind: kinds.MUTEX, Handle: Mutex },
  rwlock: { kind: kinds.RWLOCK, Handle: ReadWriteLock },
  condition: { kind: kinds.CONDITION, Handle: Condition },
  barrier: { kind: kinds.BARRIER, Handle: Barrier },
} as const;

const MEMORY_BYTES_DEFAULT = 1024 * 1024;
/** Only the owner's, as a kernel between processes is. */
const MODE_DEFAULT = 0o600;
/** Positions in a ring are 32-bit and run free: half their range is what can lie between. */
const CAPACITY_BYTES_MAX = 2 ** 30;

function segmentRemedy(errno: number): string | undefined {
  if (errno === EINVAL) return "give { bytes } above 0 for a new one; one that is there has less than { bytes }";
  return errno === EACCES ? "its mode does not let this user attach it; { readOnly: true } asks for less" : undefined;
}
