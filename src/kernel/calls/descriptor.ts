// Descriptors and what is set on them: close, dup, dup2, dup3, fcntl, ioctl (close(2), dup(2), fcntl(2), ioctl_pipe(2)).

import { EBADF, EFAULT, EINVAL, ENOTTY, EOPNOTSUPP, EPERM } from "../../abi/errno.ts";
import {
  F_DUPFD,
  F_DUPFD_CLOEXEC,
  F_GETFD,
  F_GETFL,
  F_GETPIPE_SZ,
  F_SETFD,
  F_SETFL,
  F_SETPIPE_SZ,
  FD_CLOEXEC,
  FIONREAD,
  O_ACCMODE,
  O_APPEND,
  O_ASYNC,
  O_CLOEXEC,
  O_DIRECT,
  O_NOATIME,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
} from "../../abi/flags.ts";
import { access, kinds } from "../../memory/layout.ts";
import type { OpenFile } from "../opening.ts";
import { controlsFile } from "../permissions.ts";
import { setPipeCapacity } from "../pipe-capacity.ts";
import { isPipe } from "../readiness.ts";
import type { System } from "../system.ts";
import { type Argument, type Caller, int, size, unsigned } from "./call.ts";

const SETTABLE_FLAGS = O_APPEND | O_NONBLOCK | O_NOATIME;
/** A bit of a description's flags: opened with O_ASYNC, which F_SETFL then cannot change, for it drops only what it has set. */
export const OPENED_ASYNC = 1 << 30;
/** What a POSIX queue's file claims to hold (ipc/mqueue.c, FILENT_SIZE). */
const QUEUE_FILE_BYTES = 80;

export function close({ system }: Caller, ...[descriptor]: Argument[]): number {
  return system.close(int(descriptor));
}

export function dup({ system }: Caller, ...[descriptor]: Argument[]): number {
  return system.duplicate(int(descriptor), 0, false);
}

export function dup2({ system }: Caller, ...[fromArgument, toArgument]: Argument[]): number {
  const from = int(fromArgument);
  const to = int(toArgument);
  if (from === to) return system.openFile(from) ? to : EBADF;
  return system.duplicateTo(from, to, false);
}

export function dup3({ system }: Caller, ...[fromArgument, toArgument, flagArgument]: Argument[]): number {
  const flags = int(flagArgument);
  if (flags & ~O_CLOEXEC || int(fromArgument) === int(toArgument)) return EINVAL;
  return system.duplicateTo(int(fromArgument), int(toArgument), (flags & O_CLOEXEC) !== 0);
}

export function fcntl({ system }: Caller, ...[descriptorArgument, command, value]: Argument[]): number {
  const descriptor = int(descriptorArgument);
  const file = system.openFile(descriptor);
  if (!file) return EBADF;
  switch (int(command)) {
    case F_DUPFD:
      return system.duplicate(descriptor, int(value), false);
    case F_DUPFD_CLOEXEC:
      return system.duplicate(descriptor, int(value), true);
    case F_GETFD:
      return system.closesOnExec(descriptor) ? FD_CLOEXEC : 0;
    case F_SETFD:
      system.setCloseOnExec(descriptor, (int(value) & FD_CLOEXEC) !== 0);
      return 0;
    case F_GETFL:
      return (file.flags & ~OPENED_ASYNC) | accessMode(file);
    case F_SETFL:
      return setStatus(system, file, int(value));
    case F_GETPIPE_SZ:
      return isPipe(file) ? system.pipeOf(file.objectIndex).capacity : EBADF;
    case F_SETPIPE_SZ:
      return isPipe(file) ? setPipeCapacity(system, file.objectIndex, unsigned(value)) : EBADF;
    default:
      return EINVAL;
  }
}

export function ioctl(caller: Caller, ...[descriptor, request, pointer]: Argument[]): number {
  const { system } = caller;
  const file = system.openFile(int(descriptor));
  if (!file) return EBADF;
  if (unsigned(request) !== FIONREAD) return ENOTTY;
  const unread = unreadBytes(system, file);
  if (unread < 0) return unread;
  const place = caller.memory.structure(size(pointer), 4, true);
  if (!place) return EFAULT;
  place.setInt32(0, unread);
  return 0;
}

/** How many descriptors this task could open more, counted up to `most`. */
export function freeDescriptors(system: System, most: number): number {
  let free = 0;
  for (let i = 0; i < system.geometry.limits.descriptorsMax && free < most; i++) {
    if (!system.openFile(i)) free++;
  }
  return free;
}

function accessMode(file: OpenFile): number {
  if (!(file.access & (access.READ | access.WRITE))) return O_ACCMODE;
  if (!(file.access & access.WRITE)) return O_RDONLY;
  return file.access & access.READ ? O_RDWR : O_WRONLY;
}

function setStatus(system: System, file: OpenFile, wanted: number): number {
  const { description, flags, objectIndex } = file;
  // What a stream of the host's does is the host's to say.
  if (description === undefined) return wanted & SETTABLE_FLAGS ? EOPNOTSUPP : 0;
  if (wanted & O_NOATIME && !(flags & O_NOATIME)) {
    if (!controlsFile(system.credentials, system.registry.ownershipOf(objectIndex))) return EPERM;
  }
  if (wanted & O_DIRECT) return EINVAL;
  const settable = isPipe(file) && !(flags & OPENED_ASYNC) ? SETTABLE_FLAGS | O_ASYNC : SETTABLE_FLAGS;
  system.setFlags(description, (wanted & settable) | (flags & ~settable));
  return 0;
}

function unreadBytes(system: System, file: OpenFile): number {
  if (isPipe(file)) return system.pipeOf(file.objectIndex).length;
  if (file.kind !== kinds.QUEUE || file.description === undefined) return ENOTTY;
  return QUEUE_FILE_BYTES - system.descriptors.positionOf(file.description);
}
