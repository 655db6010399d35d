// What both ends of a pipe or FIFO have in common.

import type { Opened, System } from "../kernel/system.ts";
import type { Pipe } from "../objects/pipe.ts";
import { Handle } from "./handle.ts";

export abstract class PipeEnd extends Handle {
  protected readonly pipe: Pipe;

  constructor(system: System, opened: Opened, label: string, onClose: (handle: Handle) => void) {
    super(system, opened, label, onClose);
    this.pipe = system.pipeAt(opened.bodyLine);
  }

  /** Bytes it holds before writers wait. */
  get capacity(): number {
    return this.pipe.capacity;
  }

  /** Bytes written and not yet read (FIONREAD, ioctl_pipe(2)). */
  get length(): number {
    this.checkOpen("ioctl");
    return this.pipe.length;
  }
}
