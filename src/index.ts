export type { ErrnoName } from "./abi/errno.ts";
export { type KernelLimits, PIPE_BUF } from "./abi/limits.ts";
export { IpcError } from "./api/ipc-error.ts";
export {
  type AttachOptions,
  Kernel,
  type KernelHandle,
  type OpenOptions,
  type PipeOptions,
  type QueueOptions,
} from "./api/kernel.ts";
export {
  type Message,
  MessageQueue,
  type QueueToken,
  type SelectOptions,
  type SendOptions,
} from "./api/message-queue.ts";
export type { SyncWaitOptions, WaitOptions } from "./api/options.ts";
export { PipeReader, type PipeReaderToken } from "./api/pipe-reader.ts";
export { PipeWriter, type PipeWriterToken } from "./api/pipe-writer.ts";
export type { PollItem, PollReady } from "./api/poll.ts";
export { SharedMemory, type SharedMemoryOptions, type SharedMemoryToken } from "./api/shared-memory.ts";
export type { TaskInfo } from "./tasks/task-table.ts";
