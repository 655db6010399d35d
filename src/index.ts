export type { ErrnoName } from "./abi/errno.ts";
export { type KernelLimits, PIPE_BUF } from "./abi/limits.ts";
export type { SignalName } from "./abi/signals.ts";
export type { SyscallName } from "./abi/syscalls.ts";
export { Barrier, type BarrierOptions } from "./api/barrier.ts";
export { type Check, type Codec, json, structured, type TypedMessage, text } from "./api/codecs.ts";
export { Condition } from "./api/condition.ts";
export { DecodeError } from "./api/decode-error.ts";
export type { Handle } from "./api/handle.ts";
export type {
  AwaitedEvent,
  InspectedBase,
  InspectedDeadlock,
  InspectedKernel,
  InspectedObject,
  InspectedTask,
  InspectedUse,
  InspectedWait,
} from "./api/inspected.ts";
export { IpcError } from "./api/ipc-error.ts";
export { Kernel, type Locks } from "./api/kernel.ts";
export type { KernelHandle } from "./api/kernel-handle.ts";
export type { AttachOptions, OpenOptions, PipeOptions, QueueOptions, TypedQueueOptions } from "./api/kernel-options.ts";
export { LockGuard } from "./api/lock-guard.ts";
export { type Message, MessageQueue, type QueueToken, type UseBytes } from "./api/message-queue.ts";
export { Mutex, type MutexOptions } from "./api/mutex.ts";
export type { ObjectKind } from "./api/object-kinds.ts";
export { KernelObserver } from "./api/observer.ts";
export type { SyncWaitOptions, WaitOptions } from "./api/options.ts";
export type { PipeEnd, UseSomeBytes } from "./api/pipe-end.ts";
export { PipeReader, type PipeReaderToken } from "./api/pipe-reader.ts";
export { PipeWriter, type PipeWriterToken } from "./api/pipe-writer.ts";
export type { PollItem, PollReady } from "./api/poll.ts";
export type { QueueStreamOptions, SelectOptions, SendOptions, WebStreams } from "./api/queue-options.ts";
export { ReadWriteLock } from "./api/read-write-lock.ts";
export type { DeadlockOptions } from "./api/refusing-deadlocks.ts";
export { Semaphore, type SemaphoreOptions } from "./api/semaphore.ts";
export { SharedMemory, type SharedMemoryOptions, type SharedMemoryToken, type ViewClass } from "./api/shared-memory.ts";
export type { ReceivedSignal, Signal } from "./api/signal-names.ts";
export { SignalReader } from "./api/signal-reader.ts";
export type { SignalHandler, SignalHandlerOptions, TaskSignalsHandle } from "./api/signals.ts";
export type { SpawnOptions } from "./api/spawn.ts";
export type { LockOptions, LockToken } from "./api/sync-options.ts";
export { type NewsOptions, Task, type TaskStatus } from "./api/task.ts";
export { TypedQueue } from "./api/typed-queue.ts";
export type { Argument } from "./kernel/calls/call.ts";
export type { Waiting } from "./kernel/deadlocks.ts";
export type {
  BarrierState,
  ConditionState,
  MutexState,
  ObjectStates,
  PipeState,
  QueueState,
  ReadWriteLockState,
  SegmentState,
  SemaphoreSetState,
  SemaphoreState,
  SignalFileState,
} from "./kernel/object-states.ts";
export type { ObjectToken } from "./kernel/opening.ts";
export type { NamedCalls } from "./kernel/syscall-table.ts";
export type { Lengths } from "./objects/message-ring.ts";
export type { Identity } from "./tasks/credentials.ts";
export type { SignalInfo } from "./tasks/signal-info.ts";
export type { TaskInfo } from "./tasks/task-table.ts";
