// System V semaphore sets: semget, semop, semtimedop, semctl (semget(2), semop(2), semctl(2)).

import {
  E2BIG,
  EACCES,
  EAGAIN,
  EEXIST,
  EFAULT,
  EFBIG,
  EIDRM,
  EINVAL,
  ENOENT,
  ENOMEM,
  ENOSPC,
  EPERM,
  ERANGE,
} from "../../abi/errno.ts";
import {
  GETALL,
  GETNCNT,
  GETPID,
  GETVAL,
  GETZCNT,
  IPC_CREAT,
  IPC_EXCL,
  IPC_INFO,
  IPC_PRIVATE,
  IPC_RMID,
  IPC_SET,
  IPC_STAT,
  SEM_INFO,
  SEM_STAT,
  SEM_STAT_ANY,
  SETALL,
  SETVAL,
} from "../../abi/flags.ts";
import { OPERATIONS_MAX, SEMAPHORE_VALUE_MAX, SEMAPHORES_MAX } from "../../abi/limits.ts";
import { kinds, semaphoreSet } from "../../memory/layout.ts";
import { freshRules } from "../../objects/message-ring.ts";
import { OPERATION_BYTES, Operations } from "../../objects/semaphore-operations.ts";
import type { SemaphoreSet } from "../../objects/semaphore-set.ts";
import { BLOCKED } from "../../objects/semaphore-values.ts";
import { FOR_EVER } from "../../sync/waiting.ts";
import { makingSemaphoreSet } from "../making.ts";
import { controlsIpc, MAY_READ, MAY_WRITE, permitsIpc, wantedByFlags } from "../permissions.ts";
import { objectOfId, sysvId } from "../sysv-ids.ts";
import { type Argument, type Call, type Caller, forTimespec, int, size, unsigned } from "./call.ts";
import { IPC_PERM_BYTES, namesOwner, readIpcPerm, writeIpcPerm } from "./ipc-perm.ts";
import type { KnownSet } from "./known-set.ts";

const SEMID_DS_BYTES = 104;
const SEMINFO_BYTES = 40;
const TIMESPEC_BYTES = 16;
const VALUE_BYTES = 2;
/** Of struct seminfo: semaphores in all sets, and what Linux says of a structure that it no longer has. */
const SEMMNS = 1_024_000_000;
const SEMUSZ = 20;

/** What a call is given: a call ends before the thread's next begins. */
const given = new Operations();

function semget({ system }: Caller, ...[keyArgument, countArgument, flagArgument]: Argument[]): number {
  const key = int(keyArgument);
  const count = int(countArgument);
  const flags = int(flagArgument);
  if (count < 0 || count > SEMAPHORES_MAX) return EINVAL;
  system.sysv.forgetRemoved();
  const kind = kinds.SEMAPHORE_SET;
  const make = (address: { kind: number; key?: number; persistent?: boolean }): number =>
    count === 0 ? EINVAL : system.createLocked(address, makingSemaphoreSet(system.words, count, flags & 0o777));
  const result = system.transaction(() => {
    if (key === IPC_PRIVATE) return make({ kind, persistent: true });
    const found = system.registry.findLocked({ kind, key });
    if (found < 0) return flags & IPC_CREAT ? make({ kind, key }) : ENOENT;
    if (flags & IPC_CREAT && flags & IPC_EXCL) return EEXIST;
    if (count > system.setOf(found).count) return EINVAL;
    const permitted = permitsIpc(system.credentials, system.registry.ownershipOf(found), wantedByFlags(flags));
    return permitted ? found : EACCES;
  });
  return result < 0 ? result : sysvId(system, result);
}

function semop(caller: Caller, ...[id, pointer, count]: Argument[]): number {
  return operate(caller, int(id), size(pointer), unsigned(count), () => FOR_EVER);
}

/** The time-out is relative. */
function semtimedop(caller: Caller, ...[id, pointer, count, timePointer]: Argument[]): number {
  if (size(timePointer) === 0) return operate(caller, int(id), size(pointer), unsigned(count), () => FOR_EVER);
  const view = caller.memory.structure(size(timePointer), TIMESPEC_BYTES, false);
  if (!view) return EFAULT;
  return operate(caller, int(id), size(pointer), unsigned(count), () => forTimespec(view));
}

function operate(
  caller: Caller,
  id: number,
  pointer: number,
  count: number,
  timeout: () => number | undefined,
): number {
  const { system, memory } = caller;
  if (count > OPERATIONS_MAX) return E2BIG;
  if (count < 1) return EINVAL;
  const span = memory.span(pointer, count * OPERATION_BYTES, false);
  if (!span) return EFAULT;
  const timeoutMs = timeout();
  if (id < 0 || timeoutMs === undefined) return EINVAL;
  given.decode(span.bytes, span.start, count);
  const known = knownSet(caller, id);
  if (typeof known === "number") return known;
  const { set } = known;
  // Before the rest is looked at, as on Linux: a task that has adjustments operates on the set when it ends.
  const undo = given.undoes ? system.sysv.adjustmentsOf(known.used, set) : 0;
  if (undo < 0) return undo;
  if (given.highest >= set.count) return EFBIG;
  const refused = permitted(caller, known, given.alters ? MAY_WRITE : MAY_READ);
  if (refused < 0) return refused;
  let result = set.tryOperate(given, undo);
  if (result === BLOCKED) result = set.operate(given, undo, timeoutMs);
  if (result === EIDRM) system.sysv.forgetRemoved();
  if (result === EAGAIN) system.reaper.glance(); // a task that only tries sees the dead too
  return result === ENOSPC ? ENOMEM : result;
}

function semctl(caller: Caller, ...[idArgument, indexArgument, commandArgument, argument]: Argument[]): number {
  const id = int(idArgument);
  const index = int(indexArgument);
  const command = int(commandArgument);
  if (id < 0) return EINVAL;
  switch (command) {
    case IPC_INFO:
    case SEM_INFO:
      return information(caller, command, size(argument));
    case IPC_STAT:
    case SEM_STAT:
    case SEM_STAT_ANY:
      return status(caller, id, command, size(argument));
    case GETVAL:
    case GETPID:
    case GETNCNT:
    case GETZCNT:
      return get(caller, id, index, command);
    case GETALL:
      return getAll(caller, id, size(argument));
    case SETVAL:
      return setValue(caller, id, index, int(argument));
    case SETALL:
      return setAll(caller, id, size(argument));
    case IPC_SET:
      return setOwner(caller, id, size(argument));
    case IPC_RMID:
      return remove(caller, id);
    default:
      return EINVAL;
  }
}

/** The set of an id: EINVAL where there is none. */
function knownSet(caller: Caller, id: number): KnownSet | number {
  const { system, sets } = caller;
  const known = sets.get(id);
  if (known && known.letGo === system.sysv.letGo && !known.set.removed) return known;
  sets.delete(id);
  system.sysv.forgetRemoved();
  const objectIndex = liveSet(caller, id);
  if (objectIndex < 0) return objectIndex;
  const used = system.sysv.useSet(objectIndex);
  if (used < 0) return used;
  const fresh = {
    set: system.setOf(objectIndex),
    objectIndex,
    used: used as KnownSet["used"],
    letGo: system.sysv.letGo,
    rules: -1,
    credentials: -1,
    mayRead: false,
    mayWrite: false,
  };
  sets.set(id, fresh);
  return fresh;
}

function liveSet({ system }: Caller, id: number): number {
  const objectIndex = objectOfId(system, id, kinds.SEMAPHORE_SET);
  return objectIndex >= 0 && !system.registry.isLinked(objectIndex) ? EINVAL : objectIndex;
}

/** 0, or EACCES. Decided anew only where the set's rules or the task's credentials have changed. */
function permitted({ system }: Caller, known: KnownSet, want: number): number {
  const { rules } = known.set;
  if (rules !== known.rules || system.credentials.changes !== known.credentials) {
    const ownership = system.registry.ownershipOf(known.objectIndex);
    known.rules = rules;
    known.credentials = system.credentials.changes;
    known.mayRead = permitsIpc(system.credentials, ownership, MAY_READ);
    known.mayWrite = permitsIpc(system.credentials, ownership, MAY_WRITE);
  }
  return (want === MAY_READ ? known.mayRead : known.mayWrite) ? 0 : EACCES;
}

function get(caller: Caller, id: number, index: number, command: number): number {
  const known = knownSet(caller, id);
  if (typeof known === "number") return known;
  const refused = permitted(caller, known, MAY_READ);
  if (refused < 0) return refused;
  const { set } = known;
  if (index < 0 || index >= set.count) return EINVAL;
  if (command === GETVAL) return set.value(index);
  return command === GETPID ? set.pidOf(index) : set.waiters(index, command === GETZCNT);
}

function getAll(caller: Caller, id: number, pointer: number): number {
  const known = knownSet(caller, id);
  if (typeof known === "number") return known;
  const refused = permitted(caller, known, MAY_READ);
  if (refused < 0) return refused;
  const view = caller.memory.structure(pointer, known.set.count * VALUE_BYTES, true);
  if (!view) return EFAULT;
  known.set.values().forEach((value, i) => {
    view.setUint16(VALUE_BYTES * i, value);
  });
  return 0;
}

function setValue(caller: Caller, id: number, index: number, value: number): number {
  if (value < 0 || value > SEMAPHORE_VALUE_MAX) return ERANGE;
  const known = knownSet(caller, id);
  if (typeof known === "number") return known;
  if (index < 0 || index >= known.set.count) return EINVAL;
  return permitted(caller, known, MAY_WRITE) || known.set.set(index, value);
}

function setAll(caller: Caller, id: number, pointer: number): number {
  const known = knownSet(caller, id);
  if (typeof known === "number") return known;
  const refused = permitted(caller, known, MAY_WRITE);
  if (refused < 0) return refused;
  const { set } = known;
  const view = caller.memory.structure(pointer, set.count * VALUE_BYTES, false);
  if (!view) return EFAULT;
  const values = Uint16Array.from({ length: set.count }, (_, i) => view.getUint16(VALUE_BYTES * i));
  if (values.some((value) => value > SEMAPHORE_VALUE_MAX)) return ERANGE;
  return set.setAll((i) => values[i] as number);
}

function status(caller: Caller, id: number, command: number, pointer: number): number {
  const { system } = caller;
  const objectIndex = command === IPC_STAT ? liveSet(caller, id) : setAtIndex(caller, id);
  if (objectIndex < 0) return objectIndex;
  const ownership = system.registry.ownershipOf(objectIndex);
  if (command !== SEM_STAT_ANY && !permitsIpc(system.credentials, ownership, MAY_READ)) return EACCES;
  const view = caller.memory.structure(pointer, SEMID_DS_BYTES, true);
  if (!view) return EFAULT;
  const set = system.setOf(objectIndex);
  const fullId = sysvId(system, objectIndex);
  writeIpcPerm(view, system, objectIndex, fullId);
  const longs = [set.operatedSeconds, 0, changedSeconds(caller, objectIndex, set), 0, set.count, 0, 0];
  longs.forEach((value, i) => {
    view.setBigUint64(IPC_PERM_BYTES + 8 * i, BigInt(value));
  });
  return command === IPC_STAT ? 0 : fullId;
}

/** Of the owner and mode, or of a value. */
const changedSeconds = ({ system }: Caller, objectIndex: number, set: SemaphoreSet): number =>
  Math.max(system.registry.changedAt(objectIndex), set.changedSeconds);

/** SEM_STAT names a set by its place in the kernel's table. */
function setAtIndex({ system }: Caller, index: number): number {
  const { registry } = system;
  return registry.isIndex(index) && registry.kindOf(index) === kinds.SEMAPHORE_SET && registry.isLinked(index)
    ? index
    : EINVAL;
}

function setOwner(caller: Caller, id: number, pointer: number): number {
  const { system } = caller;
  const view = caller.memory.structure(pointer, SEMID_DS_BYTES, false);
  if (!view) return EFAULT;
  const wanted = readIpcPerm(view);
  const objectIndex = liveSet(caller, id);
  if (objectIndex < 0) return objectIndex;
  const set = system.setOf(objectIndex);
  return system.changeOwnership(objectIndex, () => {
    if (set.removed || liveSet(caller, id) !== objectIndex) return EIDRM;
    const ownership = system.registry.ownershipOf(objectIndex);
    if (!controlsIpc(system.credentials, ownership)) return EPERM;
    if (!namesOwner(wanted)) return EINVAL;
    system.journal.write(set.word(semaphoreSet.RULES), freshRules(system.words));
    return { ...wanted, mode: (ownership.mode & ~0o777) | (wanted.mode & 0o777) };
  });
}

function remove(caller: Caller, id: number): number {
  const { system } = caller;
  let announce = (): void => {};
  const result = system.transaction(
    () => {
      const objectIndex = liveSet(caller, id);
      if (objectIndex < 0) return objectIndex;
      if (!controlsIpc(system.credentials, system.registry.ownershipOf(objectIndex))) return EPERM;
      announce = system.sysv.removeSetLocked(objectIndex);
      return 0;
    },
    () => announce(),
  );
  if (result === 0) system.sysv.forgetRemoved();
  return result;
}

function information(caller: Caller, command: number, pointer: number): number {
  const { system } = caller;
  const { objectsMax } = system.geometry.limits;
  let highest = 0;
  let sets = 0;
  let semaphores = 0;
  for (let i = 0; i < objectsMax; i++) {
    if (setAtIndex(caller, i) < 0) continue;
    highest = i;
    sets++;
    semaphores += system.setOf(i).count;
  }
  const view = caller.memory.structure(pointer, SEMINFO_BYTES, true);
  if (!view) return EFAULT;
  const used = command === SEM_INFO;
  const ints = [SEMMNS, objectsMax, SEMMNS, SEMMNS, SEMAPHORES_MAX, OPERATIONS_MAX, OPERATIONS_MAX];
  ints.push(used ? sets : SEMUSZ, SEMAPHORE_VALUE_MAX, used ? semaphores : SEMAPHORE_VALUE_MAX);
  ints.forEach((value, i) => {
    view.setInt32(4 * i, value);
  });
  return highest;
}

export const semCalls = { semget, semop, semtimedop, semctl } as const satisfies { readonly [name: string]: Call };
