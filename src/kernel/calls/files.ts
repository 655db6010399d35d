// The family of calls for files: pipes, FIFOs, and the descriptors of these and of POSIX queues.

import type { Call } from "./call.ts";
import { close, dup, dup2, dup3, fcntl, ioctl } from "./descriptor.ts";
import { mknod, unlink } from "./fifo.ts";
import { open, openat } from "./open.ts";
import { chmod, chown, fchmod, fchown } from "./ownership.ts";
import { pipe, pipe2 } from "./pipe.ts";
import { poll } from "./poll.ts";
import { read, write } from "./read-write.ts";
import { signalfd, signalfd4 } from "./signal-file.ts";

export const fileCalls = {
  read,
  write,
  open,
  close,
  poll,
  ioctl,
  pipe,
  dup,
  dup2,
  fcntl,
  unlink,
  chmod,
  fchmod,
  chown,
  fchown,
  mknod,
  openat,
  signalfd,
  signalfd4,
  dup3,
  pipe2,
} as const satisfies { readonly [name: string]: Call };
