// POSIX message queues: mq_open, mq_unlink, mq_timedsend, mq_timedreceive, mq_notify, mq_getsetattr (mq_overview(7)). Names are
// passed as libc passes them, without the "/" in front.

import {
  E2BIG,
  EACCES,
  EAGAIN,
  EBADF,
  EEXIST,
  EFAULT,
  EINVAL,
  EMFILE,
  EMSGSIZE,
  ENAMETOOLONG,
  ENOENT,
  EPERM,
} from "../../abi/errno.ts";
import {
  O_ACCMODE,
  O_APPEND,
  O_ASYNC,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_DSYNC,
  O_EXCL,
  O_LARGEFILE,
  O_NOATIME,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_SYNC_BIT,
  O_WRONLY,
  SIGEV_NONE,
  SIGEV_SIGNAL,
} from "../../abi/flags.ts";
import { NAME_BYTES_MAX, PRIORITY_BOUND, QUEUE_DEPTH_DEFAULT } from "../../abi/limits.ts";
import { access, kinds } from "../../memory/layout.ts";
import { blockUntil, type Condition, FOR_EVER } from "../../sync/waiting.ts";
import { registerLocked, unregisterLocked } from "../arrivals.ts";
import { makingQueue } from "../making.ts";
import type { OpenFile } from "../opening.ts";
import { controlsFile, MAY_READ, MAY_WRITE, permitsFile } from "../permissions.ts";
import type { Structure } from "../structure.ts";
import { type Argument, type Call, type Caller, int, size, unsigned, untilTimespec } from "./call.ts";
import { freeDescriptors } from "./descriptor.ts";

const PATH_BYTES_MAX = 4096;
const ATTR_BYTES = 64;
const TIMESPEC_BYTES = 16;
const SIGEVENT_BYTES = 64;
const DEPTH_MAX_UNPRIVILEGED = QUEUE_DEPTH_DEFAULT;
const DEPTH_MAX = 65_536;
const SIGNAL_MAX = 64;
const SLASH = 0x2f;
const DOT = 0x2e;
/** The type that every message of a POSIX queue has. */
const TYPE = 1;
/** What a description keeps, for F_GETFL. */
const KEPT_FLAGS =
  O_APPEND |
  O_NONBLOCK |
  O_DSYNC |
  O_ASYNC |
  O_LARGEFILE |
  O_DIRECTORY |
  O_NOFOLLOW |
  O_NOATIME |
  O_CLOEXEC |
  O_SYNC_BIT;

function mqOpen(caller: Caller, ...[namePointer, flagArgument, modeArgument, attrPointer]: Argument[]): number {
  const { system } = caller;
  const flags = int(flagArgument);
  const attributes =
    size(attrPointer) === 0 ? undefined : caller.memory.structure(size(attrPointer), ATTR_BYTES, false);
  if (size(attrPointer) !== 0 && !attributes) return EFAULT;
  const text = nameText(caller, size(namePointer));
  if (typeof text === "number") return text;
  if (freeDescriptors(system, 1) < 1) return EMFILE;
  const name = nameInDirectory(text);
  if (typeof name === "number") return name;
  const shape = shapeOf(caller, attributes);
  const mode = int(modeArgument) & 0o777 & ~system.credentials.umask;
  // Attributes only matter to a queue that is made.
  if (flags & O_CREAT && typeof shape === "number" && !isThere(caller, name)) return shape;
  const create = flags & O_CREAT && typeof shape !== "number" ? makingQueue(system.words, shape, mode) : undefined;
  const opened = system.open(
    { kind: kinds.QUEUE, name },
    {
      access: accessOf(flags),
      flags: flags & KEPT_FLAGS,
      closeOnExec: true, // whatever was asked for
      create,
      exclusive: (flags & O_EXCL) !== 0,
      admit: (index) => {
        if (flags & O_CREAT && flags & O_EXCL) return EEXIST;
        if ((flags & O_ACCMODE) === O_ACCMODE) return EINVAL;
        return permitsFile(system.credentials, system.registry.ownershipOf(index), wanted(flags)) ? 0 : EACCES;
      },
    },
  );
  return typeof opened === "number" ? opened : opened.descriptor;
}

function mqUnlink(caller: Caller, ...[namePointer]: Argument[]): number {
  const { system } = caller;
  const text = nameText(caller, size(namePointer));
  if (typeof text === "number") return text;
  const name = nameInDirectory(text);
  if (typeof name === "number") return name;
  return system.unlink({ kind: kinds.QUEUE, name }, (index) =>
    controlsFile(system.credentials, system.registry.ownershipOf(index)) ? 0 : EPERM,
  );
}

function mqTimedsend(
  caller: Caller,
  ...[descriptor, pointer, lengthArgument, priorityArgument, timePointer]: Argument[]
): number {
  const timeoutMs = timeoutAt(caller, size(timePointer));
  if (timeoutMs < FOR_EVER) return timeoutMs;
  const priority = unsigned(priorityArgument);
  if (priority >= PRIORITY_BOUND) return EINVAL;
  const file = openQueue(caller, int(descriptor), access.WRITE);
  if (typeof file === "number") return file;
  const ring = caller.system.ringOf(file.objectIndex);
  const length = size(lengthArgument);
  if (length > ring.messageBytesMax) return EMSGSIZE;
  const data = length === 0 ? new Uint8Array(0) : caller.memory.view(size(pointer), length, false);
  if (!data) return EFAULT;
  let waited = false;
  const send = (): number => {
    const result = ring.tryAppendTyped(data, TYPE, 0, priority, waited);
    waited = true;
    return result;
  };
  return wait(caller, file, ring.vacant, timeoutMs, send);
}

function mqTimedreceive(
  caller: Caller,
  ...[descriptor, pointer, lengthArgument, priorityPointer, timePointer]: Argument[]
): number {
  const timeoutMs = timeoutAt(caller, size(timePointer));
  if (timeoutMs < FOR_EVER) return timeoutMs;
  const file = openQueue(caller, int(descriptor), access.READ);
  if (typeof file === "number") return file;
  const ring = caller.system.ringOf(file.objectIndex);
  if (size(lengthArgument) < ring.messageBytesMax) return EMSGSIZE;
  const target = caller.memory.view(size(pointer), ring.messageBytesMax, true);
  const wantsPriority = size(priorityPointer) !== 0;
  const place = wantsPriority ? caller.memory.structure(size(priorityPointer), 4, true) : undefined;
  const placeIsBad = !target || (wantsPriority && !place);
  // What has no place stays in the queue.
  const take = (): number => (placeIsBad ? (ring.length > 0 ? EFAULT : EAGAIN) : ring.tryTake(target));
  const result = wait(caller, file, ring.filled, timeoutMs, take);
  if (result >= 0) place?.setUint32(0, ring.last.priority);
  return result === E2BIG ? EMSGSIZE : result;
}

function mqNotify(caller: Caller, ...[descriptor, pointer]: Argument[]): number {
  const { system, memory } = caller;
  const event = size(pointer) === 0 ? undefined : memory.structure(size(pointer), SIGEVENT_BYTES, false);
  if (size(pointer) !== 0 && !event) return EFAULT;
  const how = event?.getInt32(12) ?? SIGEV_NONE;
  const signal = event?.getInt32(8) ?? 0;
  if (how !== SIGEV_NONE && how !== SIGEV_SIGNAL) return EINVAL;
  if (how === SIGEV_SIGNAL && (signal < 0 || signal > SIGNAL_MAX)) return EINVAL;
  const file = openQueue(caller, int(descriptor), 0);
  if (typeof file === "number") return file;
  const ring = system.ringOf(file.objectIndex);
  return system.transaction(() => {
    if (!event) return unregisterLocked(system, ring);
    const value = [event.getInt32(0), event.getInt32(4)] as const;
    return registerLocked(system, ring, { how, signal: how === SIGEV_SIGNAL ? signal : 0, value });
  });
}

function mqGetsetattr(caller: Caller, ...[descriptor, newPointer, oldPointer]: Argument[]): number {
  const { system, memory } = caller;
  const attributes = (pointer: number, write: boolean): Structure | undefined =>
    pointer === 0 ? undefined : memory.structure(pointer, ATTR_BYTES, write);
  const wanted = attributes(size(newPointer), false);
  if (size(newPointer) !== 0 && !wanted) return EFAULT;
  const flags = wanted?.getBigInt64(0);
  if (flags !== undefined && (flags & ~BigInt(O_NONBLOCK)) !== 0n) return EINVAL;
  const file = openQueue(caller, int(descriptor), 0);
  if (typeof file === "number") return file;
  const old = attributes(size(oldPointer), true);
  if (size(oldPointer) !== 0 && !old) return EFAULT;
  const ring = system.ringOf(file.objectIndex);
  const longs = [file.flags & O_NONBLOCK, ring.depth, ring.messageBytesMax, ring.length, 0, 0, 0, 0];
  longs.forEach((value, i) => {
    old?.setBigInt64(8 * i, BigInt(value));
  });
  if (flags !== undefined && file.description !== undefined) {
    system.setFlags(file.description, (file.flags & ~O_NONBLOCK) | Number(flags));
  }
  return 0;
}

function nameText(caller: Caller, pointer: number): Uint8Array | number {
  const text = caller.memory.string(pointer, PATH_BYTES_MAX);
  if (!text) return EFAULT;
  const { bytes: name, terminated } = text;
  if (!terminated) return ENAMETOOLONG;
  return name.length === 0 ? ENOENT : name;
}

/** A name that stays in the directory of queues (lookup_noperm of Linux). */
function nameInDirectory(name: Uint8Array): Uint8Array | number {
  if (name.includes(SLASH) || (name.length <= 2 && name.every((byte) => byte === DOT))) return EACCES;
  return name.length > NAME_BYTES_MAX ? ENAMETOOLONG : name;
}

const isThere = ({ system }: Caller, name: Uint8Array): boolean => {
  const found = system.transaction(() => Math.max(0, system.registry.findLocked({ kind: kinds.QUEUE, name }) + 1));
  return found > 0;
};

/** How many messages of which length, or EINVAL. */
function shapeOf({ system }: Caller, attributes: Structure | undefined): number | Parameters<typeof makingQueue>[1] {
  const longest = system.geometry.limits.messageBytesMax;
  if (!attributes) return { depth: QUEUE_DEPTH_DEFAULT, bytesMax: 0, messageBytesMax: longest };
  const depth = attributes.getBigInt64(8);
  const messageBytesMax = attributes.getBigInt64(16);
  const most = system.credentials.isPrivileged ? DEPTH_MAX : DEPTH_MAX_UNPRIVILEGED;
  if (depth <= 0n || depth > BigInt(most)) return EINVAL;
  if (messageBytesMax <= 0n || messageBytesMax > BigInt(longest)) return EINVAL;
  return { depth: Number(depth), bytesMax: 0, messageBytesMax: Number(messageBytesMax) };
}

/** A queue may be made with both bits of O_ACCMODE: its maker neither sends nor receives by that descriptor. */
function accessOf(flags: number): number {
  const mode = flags & O_ACCMODE;
  const reads = mode === O_RDONLY || mode === O_RDWR;
  const writes = mode === O_WRONLY || mode === O_RDWR;
  return (reads ? access.READ : 0) | (writes ? access.WRITE : 0);
}

function wanted(flags: number): number {
  const mode = flags & O_ACCMODE;
  return mode === O_RDWR ? MAY_READ | MAY_WRITE : mode === O_WRONLY ? MAY_WRITE : MAY_READ;
}

/** The queue that a descriptor names, opened for `direction`; EBADF. */
function openQueue({ system }: Caller, descriptor: number, direction: number): OpenFile | number {
  const file = system.openFile(descriptor);
  if (file?.kind !== kinds.QUEUE) return EBADF;
  return (file.access & direction) === direction ? file : EBADF;
}

/** Milliseconds, FOR_EVER for NULL; EFAULT or EINVAL, which are below it. */
function timeoutAt(caller: Caller, pointer: number): number {
  if (pointer === 0) return FOR_EVER;
  const view = caller.memory.structure(pointer, TIMESPEC_BYTES, false);
  return view ? (untilTimespec(view) ?? EINVAL) : EFAULT;
}

function wait(
  { system }: Caller,
  file: OpenFile,
  condition: Condition,
  timeoutMs: number,
  attempt: () => number,
): number {
  const first = attempt();
  if (first !== EAGAIN || file.flags & O_NONBLOCK) return first;
  return blockUntil(system, condition, 1, attempt, timeoutMs);
}

export const mqCalls = {
  mq_open: mqOpen,
  mq_unlink: mqUnlink,
  mq_timedsend: mqTimedsend,
  mq_timedreceive: mqTimedreceive,
  mq_notify: mqNotify,
  mq_getsetattr: mqGetsetattr,
} as const satisfies { readonly [name: string]: Call };
