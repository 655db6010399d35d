// Opening a FIFO by its path: open, openat (open(2), fifo(7)). Each error comes where Linux finds it.

import {
  EACCES,
  EAGAIN,
  EBADF,
  EEXIST,
  EINVAL,
  EISDIR,
  EMFILE,
  ENOENT,
  ENOTDIR,
  ENXIO,
  EOPNOTSUPP,
  EPERM,
} from "../../abi/errno.ts";
import {
  AT_FDCWD,
  O_ACCMODE,
  O_APPEND,
  O_ASYNC,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECT,
  O_DIRECTORY,
  O_DSYNC,
  O_EXCL,
  O_LARGEFILE,
  O_NOATIME,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_SYNC_BIT,
  O_TMPFILE_BIT,
  O_TRUNC,
  O_WRONLY,
} from "../../abi/flags.ts";
import { access } from "../../memory/layout.ts";
import { blockUntil, FOR_EVER } from "../../sync/waiting.ts";
import type { Opened } from "../opening.ts";
import { controlsFile, MAY_READ, MAY_WRITE, permitsFile } from "../permissions.ts";
import { otherEndOpened } from "../pipe-ends.ts";
import type { System } from "../system.ts";
import { type Argument, type Caller, int, size } from "./call.ts";
import { freeDescriptors, OPENED_ASYNC } from "./descriptor.ts";
import { fifoAddress, fifoName, findFifo, isAbsolute, type Path, readPath, walk } from "./path.ts";

/** Beside O_PATH, all that it does not ignore. */
const PATH_FLAGS = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
/** What a description keeps, for F_GETFL. */
const KEPT_FLAGS =
  O_APPEND | O_NONBLOCK | O_DSYNC | O_ASYNC | O_DIRECT | O_LARGEFILE | O_NOFOLLOW | O_NOATIME | O_SYNC_BIT;

/** A request whose flags are sound. */
interface Request {
  readonly flags: number;
  /** A mask of MAY_READ and MAY_WRITE: what the file must permit. */
  readonly want: number;
}

export function open(caller: Caller, ...[pointer, flags]: Argument[]): number {
  return openat(caller, AT_FDCWD, pointer as Argument, flags as Argument);
}

export function openat(caller: Caller, ...[directory, pointer, flagArgument]: Argument[]): number {
  const { system } = caller;
  const request = requestOf(int(flagArgument));
  if (typeof request === "number") return request;
  const bytes = readPath(caller, size(pointer));
  if (typeof bytes === "number") return bytes;
  if (freeDescriptors(system, 1) < 1) return EMFILE;
  const base = int(directory);
  if (base !== AT_FDCWD && !isAbsolute(bytes)) return system.openFile(base) ? ENOTDIR : EBADF;
  const path = walk(system, bytes);
  if (typeof path === "number") return path;
  const name = nameToOpen(system, path, request);
  return typeof name === "number" ? name : openFifo(system, name, request);
}

/** Linux's build_open_flags. */
function requestOf(asked: number): Request | number {
  const flags = asked & O_PATH ? asked & PATH_FLAGS : asked;
  const mode = flags & O_ACCMODE;
  const want = (mode === O_WRONLY ? 0 : MAY_READ) | (mode === O_RDONLY ? 0 : MAY_WRITE);
  if (flags & O_DIRECTORY && flags & O_CREAT) return EINVAL;
  if (flags & O_TMPFILE_BIT && !(flags & O_DIRECTORY && want & MAY_WRITE)) return EINVAL;
  return {
    flags: flags & O_SYNC_BIT ? flags | O_DSYNC : flags,
    want: flags & O_PATH ? 0 : flags & O_TRUNC ? want | MAY_WRITE : want,
  };
}

/** The name of the FIFO that is there to be opened. */
function nameToOpen(system: System, path: Path, { flags, want }: Request): Uint8Array | number {
  const creates = (flags & O_CREAT) !== 0;
  const exclusive = creates && (flags & O_EXCL) !== 0;
  if (!path.name) {
    if (exclusive) return EEXIST;
    return creates || (want & MAY_WRITE && !(flags & O_TMPFILE_BIT)) ? EISDIR : EOPNOTSUPP;
  }
  if (creates && path.slashed) return EISDIR;
  const name = fifoName(system, path, EISDIR);
  if (typeof name === "number") return name;
  if (findFifo(system, name) < 0) return creates ? EOPNOTSUPP : ENOENT;
  if (exclusive) return EEXIST;
  if (flags & O_DIRECTORY) return ENOTDIR;
  return flags & O_PATH ? EOPNOTSUPP : name;
}

function openFifo(system: System, name: Uint8Array, { flags, want }: Request): number {
  const mode = flags & O_ACCMODE;
  const mask = mode === O_RDWR ? access.READ | access.WRITE : mode === O_WRONLY ? access.WRITE : access.READ;
  const admit = (index: number): number => {
    const ownership = system.registry.ownershipOf(index);
    if (!permitsFile(system.credentials, ownership, want)) return EACCES;
    if (flags & O_NOATIME && !controlsFile(system.credentials, ownership)) return EPERM;
    if (mode === O_ACCMODE) return EINVAL;
    return mask === access.WRITE && flags & O_NONBLOCK && system.pipeOf(index).readers === 0 ? ENXIO : 0;
  };
  const kept = (flags & KEPT_FLAGS) | O_LARGEFILE | (flags & O_ASYNC ? OPENED_ASYNC : 0);
  const opened = system.open(fifoAddress(name), {
    access: mask,
    flags: kept,
    closeOnExec: (flags & O_CLOEXEC) !== 0,
    admit,
  });
  if (typeof opened === "number") return opened;
  // Linux too looks at O_DIRECT only once the FIFO is open.
  const result = waitForPartner(system, opened, mask, flags) || (flags & O_DIRECT ? EINVAL : 0);
  if (result < 0) system.close(opened.descriptor);
  return result < 0 ? result : opened.descriptor;
}

/** 0, or EINTR. */
function waitForPartner(system: System, opened: Opened, mask: number, flags: number): number {
  if (flags & O_NONBLOCK || mask === (access.READ | access.WRITE)) return 0;
  const partner = otherEndOpened(system.pipeOf(opened.objectIndex), mask, opened.otherOpened);
  const attempt = (): number => (partner.ready(1) ? 0 : EAGAIN);
  return attempt() === 0 ? 0 : blockUntil(system, partner, 1, attempt, FOR_EVER);
}
