// System V shared memory: shmget, shmat, shmdt, shmctl (shmget(2), shmop(2), shmctl(2)).

import { EACCES, EEXIST, EFAULT, EINVAL, ENOENT, ENOMEM, EPERM } from "../../abi/errno.ts";
import {
  IPC_CREAT,
  IPC_EXCL,
  IPC_INFO,
  IPC_PRIVATE,
  IPC_RMID,
  IPC_SET,
  IPC_STAT,
  SHM_EXEC,
  SHM_INFO,
  SHM_LOCK,
  SHM_LOCKED,
  SHM_RDONLY,
  SHM_REMAP,
  SHM_RND,
  SHM_STAT,
  SHM_STAT_ANY,
  SHM_UNLOCK,
} from "../../abi/flags.ts";
import { kinds, MODE_REMOVED } from "../../memory/layout.ts";
import type { Offset } from "../../memory/words.ts";
import { PAGE_BYTES } from "../../objects/shared-memory.ts";
import type { Description } from "../../tasks/descriptors.ts";
import { makingSegment } from "../making.ts";
import { controlsIpc, MAY_EXECUTE, MAY_READ, MAY_WRITE, permitsIpc, wantedByFlags } from "../permissions.ts";
import { objectOfId, sysvId } from "../sysv-ids.ts";
import { type Argument, type Call, type Caller, int, size } from "./call.ts";
import { IPC_PERM_BYTES, namesOwner, readIpcPerm, writeIpcPerm } from "./ipc-perm.ts";

const SHMID_DS_BYTES = 112;
const SHMINFO_BYTES = 72;
const SHM_INFO_BYTES = 48;
/** No file can be that large, and a segment is one. */
const FILE_BYTES_BOUND = 2 ** 63;
/** Addresses have 64 bits. */
const WRAP = 2 ** 64;

function shmget({ system }: Caller, ...[keyArgument, sizeArgument, flagArgument]: Argument[]): number {
  const key = int(keyArgument);
  const bytes = size(sizeArgument);
  const flags = int(flagArgument);
  const kind = kinds.SEGMENT;
  const make = (address: { kind: number; key?: number; persistent?: boolean }): number => {
    if (bytes === 0) return EINVAL;
    if (bytes >= FILE_BYTES_BOUND) return EINVAL;
    if (bytes > system.geometry.limits.regionBytes) return ENOMEM;
    return system.createLocked(address, makingSegment(system.words, bytes, flags & 0o777));
  };
  const result = system.transaction(() => {
    if (key === IPC_PRIVATE) return make({ kind, persistent: true });
    const found = system.registry.findLocked({ kind, key });
    if (found < 0) return flags & IPC_CREAT ? make({ kind, key }) : ENOENT;
    if (flags & IPC_CREAT && flags & IPC_EXCL) return EEXIST;
    if (bytes > system.segmentOf(found).bytes) return EINVAL;
    const permitted = permitsIpc(system.credentials, system.registry.ownershipOf(found), wantedByFlags(flags));
    return permitted ? found : EACCES;
  });
  return result < 0 ? result : sysvId(system, result);
}

/** Returns the address, in the calling task's memory. */
function shmat({ system, memory }: Caller, ...[idArgument, addressArgument, flagArgument]: Argument[]): number {
  const id = int(idArgument);
  const flags = int(flagArgument);
  const wanted = size(addressArgument);
  if (id < 0) return EINVAL;
  if (wanted % PAGE_BYTES !== 0 && !(flags & SHM_RND)) return EINVAL;
  const rounded = wanted - (wanted % PAGE_BYTES);
  if (flags & SHM_REMAP || (wanted !== 0 && rounded === 0)) return EINVAL;
  const readOnly = (flags & SHM_RDONLY) !== 0;
  let objectIndex = -1;
  let address = rounded;
  const description = system.transaction(() => {
    objectIndex = objectOfId(system, id, kinds.SEGMENT);
    if (objectIndex < 0) return objectIndex;
    const want = MAY_READ | (readOnly ? 0 : MAY_WRITE) | (flags & SHM_EXEC ? MAY_EXECUTE : 0);
    if (!permitsIpc(system.credentials, system.registry.ownershipOf(objectIndex), want)) return EACCES;
    const { bytes } = system.segmentOf(objectIndex);
    if (rounded === 0) address = memory.freeAddress(bytes);
    else if (bytes >= WRAP - rounded) return EINVAL;
    else if (memory.isBeyond(rounded, bytes)) return ENOMEM;
    else if (!memory.isFree(rounded, bytes)) return EINVAL;
    return system.attachSegmentLocked(objectIndex, flags);
  });
  if (description < 0) return description;
  const { offset, bytes } = system.segmentOf(objectIndex);
  memory.map({
    address,
    bytes: system.words.view(offset as Offset, Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES),
    writable: !readOnly,
    objectIndex,
    description: description as Description,
  });
  return address;
}

function shmdt({ system, memory }: Caller, ...[addressArgument]: Argument[]): number {
  const mapping = memory.mappingAt(size(addressArgument));
  if (!mapping) return EINVAL;
  memory.unmap(mapping.address);
  system.detachSegment(mapping.description);
  return 0;
}

function shmctl(caller: Caller, ...[idArgument, commandArgument, pointerArgument]: Argument[]): number {
  const id = int(idArgument);
  const pointer = size(pointerArgument);
  const command = int(commandArgument);
  if (id < 0 || command < 0) return EINVAL;
  switch (command) {
    case IPC_INFO:
      return limits(caller, pointer);
    case SHM_INFO:
      return usage(caller, pointer);
    case IPC_STAT:
    case SHM_STAT:
    case SHM_STAT_ANY:
      return status(caller, id, command, pointer);
    case IPC_SET:
      return set(caller, id, pointer);
    case IPC_RMID:
      return remove(caller, id);
    case SHM_LOCK:
    case SHM_UNLOCK:
      return lock(caller, id, command === SHM_LOCK);
    default:
      return EINVAL;
  }
}

function status({ system, memory }: Caller, id: number, command: number, pointer: number): number {
  const { registry } = system;
  const objectIndex = command === IPC_STAT ? objectOfId(system, id, kinds.SEGMENT) : segmentAt(system, id);
  if (objectIndex < 0) return objectIndex;
  const permitted = permitsIpc(system.credentials, registry.ownershipOf(objectIndex), MAY_READ);
  if (command !== SHM_STAT_ANY && !permitted) return EACCES;
  const view = memory.structure(pointer, SHMID_DS_BYTES, true);
  if (!view) return EFAULT;
  const segment = system.segmentOf(objectIndex);
  const fullId = sysvId(system, objectIndex);
  writeIpcPerm(view, system, objectIndex, fullId);
  const { bytes, attachedSeconds, detachedSeconds, lastPid, attached } = segment;
  const longs = [bytes, attachedSeconds, detachedSeconds, registry.changedAt(objectIndex)];
  longs.forEach((value, i) => {
    view.setBigUint64(IPC_PERM_BYTES + 8 * i, BigInt(value));
  });
  view.setInt32(IPC_PERM_BYTES + 32, registry.creatorPidOf(objectIndex));
  view.setInt32(IPC_PERM_BYTES + 36, lastPid);
  [attached, 0, 0].forEach((value, i) => {
    view.setBigUint64(IPC_PERM_BYTES + 40 + 8 * i, BigInt(value));
  });
  return command === IPC_STAT ? 0 : fullId;
}

/** SHM_STAT names a segment by its place in the kernel's table. */
function segmentAt({ registry }: Caller["system"], index: number): number {
  return registry.isIndex(index) && registry.kindOf(index) === kinds.SEGMENT ? index : EINVAL;
}

function set({ system, memory }: Caller, id: number, pointer: number): number {
  const view = memory.structure(pointer, SHMID_DS_BYTES, false);
  if (!view) return EFAULT;
  const wanted = readIpcPerm(view);
  const objectIndex = objectOfId(system, id, kinds.SEGMENT);
  if (objectIndex < 0) return objectIndex;
  return system.changeOwnership(objectIndex, () => {
    const ownership = system.registry.ownershipOf(objectIndex);
    if (!controlsIpc(system.credentials, ownership)) return EPERM;
    if (!namesOwner(wanted)) return EINVAL;
    return { ...wanted, mode: (ownership.mode & ~0o777) | (wanted.mode & 0o777) };
  });
}

/** Gone at once where nobody has it attached; else with the last detach, and without a key until then. */
function remove({ system }: Caller, id: number): number {
  const { registry } = system;
  return system.transaction(() => {
    const objectIndex = objectOfId(system, id, kinds.SEGMENT);
    if (objectIndex < 0) return objectIndex;
    const ownership = registry.ownershipOf(objectIndex);
    if (!controlsIpc(system.credentials, ownership)) return EPERM;
    registry.setModeLocked(objectIndex, ownership.mode | MODE_REMOVED);
    registry.unlinkLocked(objectIndex); // by its key, so before that is forgotten
    if (registry.kindOf(objectIndex) === kinds.SEGMENT) registry.forgetKeyLocked(objectIndex);
    return 0;
  });
}

/** Segments are never swapped out by us: what is kept is that it was asked for. */
function lock({ system }: Caller, id: number, locked: boolean): number {
  return system.transaction(() => {
    const objectIndex = objectOfId(system, id, kinds.SEGMENT);
    if (objectIndex < 0) return objectIndex;
    const { mode, uid, creatorUid } = system.registry.ownershipOf(objectIndex);
    const { effectiveUid, isPrivileged } = system.credentials;
    if (!isPrivileged && effectiveUid !== uid && effectiveUid !== creatorUid) return EPERM;
    system.registry.setModeLocked(objectIndex, locked ? mode | SHM_LOCKED : mode & ~SHM_LOCKED);
    return 0;
  });
}

function limits({ system, memory }: Caller, pointer: number): number {
  const view = memory.structure(pointer, SHMINFO_BYTES, true);
  if (!view) return EFAULT;
  const { regionBytes, objectsMax } = system.geometry.limits;
  const longs = [regionBytes, 1, objectsMax, objectsMax, Math.floor(regionBytes / PAGE_BYTES), 0, 0, 0, 0];
  longs.forEach((value, i) => {
    view.setBigUint64(8 * i, BigInt(value));
  });
  return highestSegment(system);
}

function usage({ system, memory }: Caller, pointer: number): number {
  const view = memory.structure(pointer, SHM_INFO_BYTES, true);
  if (!view) return EFAULT;
  let segments = 0;
  let pages = 0;
  for (let i = 0; i < system.geometry.limits.objectsMax; i++) {
    if (segmentAt(system, i) < 0) continue;
    segments++;
    pages += Math.ceil(system.segmentOf(i).bytes / PAGE_BYTES);
  }
  [segments, pages, pages, 0, 0, 0].forEach((value, i) => {
    view.setBigUint64(8 * i, BigInt(value));
  });
  return highestSegment(system);
}

function highestSegment(system: Caller["system"]): number {
  let highest = 0;
  for (let i = 0; i < system.geometry.limits.objectsMax; i++) if (segmentAt(system, i) >= 0) highest = i;
  return highest;
}

export const shmCalls = { shmget, shmat, shmdt, shmctl } as const satisfies { readonly [name: string]: Call };
