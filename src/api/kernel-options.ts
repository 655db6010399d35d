// What a kernel, and the objects it holds, are opened or made with.

import type { KernelLimits } from "../abi/limits.ts";
import type { Identity } from "../tasks/credentials.ts";
import type { Codec } from "./codecs.ts";

/** How a kernel between processes is opened or made; the limits are those of a new one. */
export interface OpenOptions extends Partial<KernelLimits> {
  /** Make the kernel where there is none of this name. */
  readonly create?: boolean | undefined;
  /** With `create`: fail with EEXIST where there is one. */
  readonly exclusive?: boolean | undefined;
}

/** How a pipe or FIFO is made. */
export interface PipeOptions {
  /** Bytes the pipe holds: a power of two, default 4096. */
  readonly capacity?: number | undefined;
  /** Of a named pipe: who may open it, less the umask; default 0o600. */
  readonly mode?: number | undefined;
}

/** How a message queue is opened or made. */
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
  /** Who may open a new queue, less the umask; default 0o600. */
  readonly mode?: number | undefined;
}

/** A queue of values that a codec makes bytes of. */
export interface TypedQueueOptions<T> extends QueueOptions {
  /** What makes messages of values, and values of messages: `json()`, `structured()`, `text()`, or one's own. */
  readonly codec: Codec<T>;
}

/** What a task is attached with. */
export interface AttachOptions {
  /**
   * Credentials of the task; those of the task that made the handle by default, or else the process's own. Only a task of
   * user 0, and a process of user 0, may give others than its own.
   */
  readonly credentials?: Partial<Identity> | undefined;
  /** Take over the descriptors that the task that made the handle has open now, save those that close on exec. */
  readonly inherit?: boolean | undefined;
}
