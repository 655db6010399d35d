// What both ends of a pipe or FIFO have in common.

import type { Opened } from "../kernel/opening.ts";
import { CAPACITY_BYTES_MAX, setPipeCapacity } from "../kernel/pipe-capacity.ts";
import type { System } from "../kernel/system.ts";
import type { Pipe } from "../objects/pipe.ts";
import { Handle } from "./handle.ts";
import { checkCount } from "./options.ts";

/**
 * Reads or writes bytes where they lie, and returns how many of them it has read or written, from their first. They are not to be used
 * once it has returned, and their `buffer`, in which the whole kernel lies, is never to be transferred.
 */
export type UseSomeBytes = (bytes: Uint8Array) => number;

/** What both ends of a pipe or FIFO have in common (pipe(7), fifo(7)): what it holds. */
export abstract class PipeEnd extends Handle {
  protected readonly pipe: Pipe;

  /** Made by Kernel. @internal */
  constructor(system: System, opened: Opened, label: string, onClose: (handle: Handle) => void) {
    super(system, opened, label, onClose);
    this.pipe = system.pipeAt(opened.bodyLine);
  }

  /** Bytes it holds before writers wait. */
  get capacity(): number {
    return this.pipe.capacity;
  }

  /**
   * Changes what it holds, for both ends (F_SETPIPE_SZ): a power of two from 4096 up, or the next above `capacity`. Returns
   * it.
   * @throws IpcError EBUSY where what was written does not fit, EPERM above 1 MiB for others than user 0, ENOMEM, EINVAL
   */
  resize(capacity: number): number {
    this.checkOpen("fcntl");
    checkCount(capacity, "capacity", 1, CAPACITY_BYTES_MAX, "fcntl");
    return this.checked("fcntl", setPipeCapacity(this.system, this.objectToken.objectIndex, capacity));
  }

  protected checkUse(use: UseSomeBytes, syscall: string): void {
    this.checkOpen(syscall);
    if (typeof use !== "function")
      throw new TypeError(`${syscall} ${this.label}: what uses the bytes must be a function`);
  }

  protected override get facts(): object {
    const { length, capacity } = this;
    return { length, capacity };
  }

  /** Bytes written and not yet read (FIONREAD, ioctl_pipe(2)). */
  get length(): number {
    this.checkOpen("ioctl");
    return this.pipe.length;
  }
}
