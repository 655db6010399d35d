// The one error that the public API throws for what POSIX has an error number for.

import { type ErrnoName, errnoName, errnos } from "../abi/errno.ts";

/**
 * An error of a call, in the shape of Node's system errors: `code`, `errno` and `syscall` are what `util.getSystemErrorName` and
 * `errno(3)` know. The message names the call, the object, and what to do.
 */
export class IpcError extends Error {
  /** The error's name, such as "EAGAIN" (errno(3)). */
  readonly code: ErrnoName;
  /** The negative error number, such as -11. */
  readonly errno: number;
  /** The POSIX call that failed, such as "msgrcv". */
  readonly syscall: string;
  /** What it was called on, such as 'queue "jobs"'. */
  readonly object: string | undefined;

  static {
    nameErrors(IpcError, "IpcError");
  }

  /** Made by the calls that fail. @internal */
  constructor(errno: number, syscall: string, object: string | undefined, remedy: string, options?: ErrorOptions) {
    const code = errnoName(errno);
    super(`${code}: ${errnos[code].meaning}, ${syscall}${object ? ` ${object}` : ""}: ${remedy}`, options);
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
    this.object = object;
  }
}

/** What errors of a class are called. On its prototype: a stack begins with it, and no error lists it among its own. */
export function nameErrors(of: new (...args: never[]) => Error, name: string): void {
  Object.defineProperty(of.prototype, "name", { value: name, writable: true, configurable: true });
}

/** What to do about an error, where the call itself has nothing better to say. */
const remedies: Partial<Record<ErrnoName, string>> = {
  EBADF: "the handle was closed while this waited",
  EFAULT: "the buffer was transferred or shrunk while this waited; leave it alone until the promise settles",
  E2BIG: "the message is longer than the buffer and still in the queue; receive into a larger one",
  EPIPE: "no reader is left, so nobody would read it",
  ETIMEDOUT: "the time-out passed first; nothing was done",
  ENOENT: "it is not there; { create: true } makes it, or it was removed",
  EEXIST: "it is there already; leave out { exclusive: true } to open it, or unlink it first",
  ENOMEM:
    "the region has no room left; close what is not needed, or create the kernel with a larger regionBytes (taskHeapBytesMax: of one task)",
  ENOSPC:
    "a limit of this kernel is reached (tasksMax, objectsMax, waitersMax), or of one task (taskObjectsMax, taskWaitersMax), or /dev/shm is full",
  EMFILE:
    "this task has no descriptor left; close some, or create the kernel with a larger descriptorsMax (taskHoldsMax: of " +
    "segments and SysV objects)",
  ENFILE: "the kernel has no description left; close some, or create it with a larger descriptionsMax",
  ENXIO: "no reader has it open; open the read end first, or wait for it with openFifo",
  ENOSYS: "npm install koffi",
};

/** The error for a negative result. */
export function failureOf(errno: number, syscall: string, object: string | undefined, remedy?: string): IpcError {
  return new IpcError(errno, syscall, object, remedy ?? remedies[errnoName(errno)] ?? "see the man page of the call");
}
