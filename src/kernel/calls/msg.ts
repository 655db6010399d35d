// System V message queues: msgget, msgsnd, msgrcv, msgctl (msgget(2), msgop(2), msgctl(2)).

import { E2BIG, EACCES, EAGAIN, EEXIST, EFAULT, EIDRM, EINTR, EINVAL, ENOENT, ENOMSG, EPERM } from "../../abi/errno.ts";
import {
  IPC_CREAT,
  IPC_EXCL,
  IPC_INFO,
  IPC_NOWAIT,
  IPC_PRIVATE,
  IPC_RMID,
  IPC_SET,
  IPC_STAT,
  MSG_COPY,
  MSG_EXCEPT,
  MSG_INFO,
  MSG_NOERROR,
  MSG_STAT,
  MSG_STAT_ANY,
} from "../../abi/flags.ts";
import { QUEUE_BYTES_DEFAULT } from "../../abi/limits.ts";
import { kinds, queue } from "../../memory/layout.ts";
import { freshRules, type MessageRing } from "../../objects/message-ring.ts";
import { selectorOf } from "../../objects/selection.ts";
import { blockUntil, FOR_EVER } from "../../sync/waiting.ts";
import { makingQueue } from "../making.ts";
import { controlsIpc, MAY_READ, MAY_WRITE, permitsIpc, wantedByFlags } from "../permissions.ts";
import { objectOfId, sysvId } from "../sysv-ids.ts";
import type { Argument, Caller } from "./call.ts";
import { int, long, size } from "./call.ts";
import { IPC_PERM_BYTES, namesOwner, readIpcPerm, writeIpcPerm } from "./ipc-perm.ts";
import type { KnownQueue } from "./known-queue.ts";

const MSQID_DS_BYTES = 120;
const MSGINFO_BYTES = 32;
const TYPE_BYTES = 8;

export function msgget(caller: Caller, ...[keyArgument, flagArgument]: Argument[]): number {
  const { system } = caller;
  const key = int(keyArgument);
  const flags = int(flagArgument);
  system.sysv.forgetRemoved();
  const { messageBytesMax } = system.geometry.limits;
  const bytesMax = QUEUE_BYTES_DEFAULT;
  const shape = { depth: bytesMax, bytesMax, messageBytesMax };
  const making = makingQueue(system.words, shape, flags & 0o777);
  const kind = kinds.SYSV_QUEUE;
  const result = system.transaction(() => {
    const found = key === IPC_PRIVATE ? -1 : system.registry.findLocked({ kind, key });
    if (found >= 0) {
      if (flags & IPC_CREAT && flags & IPC_EXCL) return EEXIST;
      const permitted = permitsIpc(system.credentials, system.registry.ownershipOf(found), wantedByFlags(flags));
      return permitted ? found : EACCES;
    }
    if (key === IPC_PRIVATE) return system.createLocked({ kind, persistent: true }, making);
    return flags & IPC_CREAT ? system.createLocked({ kind, key }, making) : ENOENT;
  });
  return result < 0 ? result : sysvId(system, result);
}

export function msgsnd(caller: Caller, ...[idArgument, pointer, bytesArgument, flagArgument]: Argument[]): number {
  const bytes = size(bytesArgument);
  const head = caller.memory.structure(size(pointer), TYPE_BYTES, false);
  if (!head) return EFAULT;
  const typeLow = head.getInt32(0);
  const typeHigh = head.getInt32(4);
  if (bytes > caller.system.geometry.limits.messageBytesMax || int(idArgument) < 0) return EINVAL;
  if (typeHigh < 0 || (typeHigh === 0 && typeLow === 0)) return EINVAL;
  const data = caller.memory.view(size(pointer) + TYPE_BYTES, bytes, false);
  if (!data) return EFAULT;
  const known = knownQueue(caller, int(idArgument));
  if (typeof known === "number") return known;
  const { ring } = known;
  const attempt = (): number => permitted(caller, known, MAY_WRITE) || ring.tryAppendTyped(data, typeLow, typeHigh, 0);
  return wait(caller, attempt, int(flagArgument), EAGAIN, () =>
    blockUntil(caller.system, ring.vacant, ring.wantFor(bytes), attempt, FOR_EVER),
  );
}

export function msgrcv(
  caller: Caller,
  ...[idArgument, pointer, bytesArgument, typeArgument, flagArgument]: Argument[]
): number {
  const flags = int(flagArgument);
  const bytes = size(bytesArgument);
  if (int(idArgument) < 0 || bytes >= 2 ** 63) return EINVAL;
  if (flags & MSG_COPY && (flags & MSG_EXCEPT || !(flags & IPC_NOWAIT))) return EINVAL;
  const known = knownQueue(caller, int(idArgument));
  if (typeof known === "number") return known;
  const { ring } = known;
  const most = Math.min(bytes, ring.messageBytesMax);
  const target = new Uint8Array(most);
  const truncate = (flags & MSG_NOERROR) !== 0;
  const type = long(typeArgument);
  const selector = selectorOf(type, (flags & MSG_EXCEPT) !== 0);
  const placeIsBad = !caller.memory.span(size(pointer), TYPE_BYTES + most, true);
  const take = (): number => {
    if (flags & MSG_COPY) return copied(ring.tryPeek(Number(type), target), truncate);
    return ring.tryTakeSelected(selector, target, truncate, placeIsBad); // what has no place stays in the queue
  };
  const attempt = (): number => permitted(caller, known, MAY_READ) || take();
  const result = wait(caller, attempt, flags, ENOMSG, () =>
    blockUntil(caller.system, ring.selected(selector), 1, attempt, FOR_EVER),
  );
  return result < 0 ? result : deliver(caller, size(pointer), ring, target, result);
}

export function msgctl(caller: Caller, ...[idArgument, commandArgument, pointer]: Argument[]): number {
  const id = int(idArgument);
  const command = int(commandArgument);
  if (id < 0 || command < 0) return EINVAL;
  switch (command) {
    case IPC_INFO:
    case MSG_INFO:
      return information(caller, command, size(pointer));
    case IPC_STAT:
    case MSG_STAT:
    case MSG_STAT_ANY:
      return status(caller, id, command, size(pointer));
    case IPC_SET:
      return set(caller, id, size(pointer));
    case IPC_RMID:
      return remove(caller, id);
    default:
      return EINVAL;
  }
}

/** The queue of an id: EINVAL where there is none, EIDRM where it was removed while this task knew it. */
function knownQueue(caller: Caller, id: number): KnownQueue | number {
  const { system, queues } = caller;
  const known = queues.get(id);
  if (known && known.letGo === system.sysv.letGo && !known.ring.removed) return known;
  queues.delete(id);
  const objectIndex = liveQueue(caller, id);
  if (objectIndex < 0) return objectIndex;
  const held = system.sysv.useQueue(objectIndex);
  if (held < 0) return held;
  const fresh = {
    ring: system.ringOf(objectIndex),
    objectIndex,
    letGo: system.sysv.letGo,
    rules: -1,
    credentials: -1,
    mayRead: false,
    mayWrite: false,
  };
  queues.set(id, fresh);
  return fresh;
}

function liveQueue({ system }: Caller, id: number): number {
  const objectIndex = objectOfId(system, id, kinds.SYSV_QUEUE);
  return objectIndex >= 0 && !system.registry.isLinked(objectIndex) ? EINVAL : objectIndex;
}

/** 0, or EACCES. Decided anew only where the queue's rules or the task's credentials have changed. */
function permitted({ system }: Caller, known: KnownQueue, want: number): number {
  const { rules } = known.ring;
  if (rules !== known.rules || system.credentials.changes !== known.credentials) {
    const ownership = system.registry.ownershipOf(known.objectIndex);
    known.rules = rules;
    known.credentials = system.credentials.changes;
    known.mayRead = permitsIpc(system.credentials, ownership, MAY_READ);
    known.mayWrite = permitsIpc(system.credentials, ownership, MAY_WRITE);
  }
  if (known.ring.removed) return EIDRM;
  return (want === MAY_READ ? known.mayRead : known.mayWrite) ? 0 : EACCES;
}

/** The first try; then, unless IPC_NOWAIT says otherwise, the waiting. A queue that was gone before is EINVAL. */
function wait(caller: Caller, attempt: () => number, flags: number, empty: number, block: () => number): number {
  const first = attempt();
  if (first === EIDRM) {
    caller.system.sysv.forgetRemoved();
    return EINVAL;
  }
  if (first !== EAGAIN) return first;
  if (flags & IPC_NOWAIT) return empty;
  const result = block();
  if (result === EIDRM) caller.system.sysv.forgetRemoved();
  return result === EAGAIN ? EINTR : result;
}

/** A copy is never truncated: MSG_NOERROR makes the one error another. */
const copied = (result: number, truncate: boolean): number => (result === E2BIG && truncate ? EINVAL : result);

function deliver(caller: Caller, pointer: number, ring: MessageRing, data: Uint8Array, length: number): number {
  const target = caller.memory.span(pointer, TYPE_BYTES + length, true);
  const head = caller.memory.structure(pointer, TYPE_BYTES, true);
  if (!target || !head) return EFAULT;
  head.setInt32(0, ring.last.typeLow);
  head.setInt32(4, ring.last.typeHigh);
  target.bytes.set(length === data.length ? data : data.subarray(0, length), target.start + TYPE_BYTES);
  return length;
}

function status(caller: Caller, id: number, command: number, pointer: number): number {
  const { system } = caller;
  const objectIndex = command === IPC_STAT ? liveQueue(caller, id) : queueAtIndex(caller, id);
  if (objectIndex < 0) return objectIndex;
  const ownership = system.registry.ownershipOf(objectIndex);
  if (command !== MSG_STAT_ANY && !permitsIpc(system.credentials, ownership, MAY_READ)) return EACCES;
  const view = caller.memory.structure(pointer, MSQID_DS_BYTES, true);
  if (!view) return EFAULT;
  const ring = system.ringOf(objectIndex);
  const word = (name: number): number => system.words.load(ring.word(name)) >>> 0;
  const fullId = sysvId(system, objectIndex);
  writeIpcPerm(view, system, objectIndex, fullId);
  const longs: number[] = [
    word(queue.SENT_SECONDS),
    word(queue.TAKEN_SECONDS),
    system.registry.changedAt(objectIndex),
    ring.lengthBytes,
    ring.length,
    ring.depth === 0 ? 0 : ring.bytesMax, // a queue that may hold nothing
  ];
  longs.forEach((value, i) => {
    view.setBigUint64(IPC_PERM_BYTES + 8 * i, BigInt(value));
  });
  view.setInt32(IPC_PERM_BYTES + 48, word(queue.SENT_PID));
  view.setInt32(IPC_PERM_BYTES + 52, word(queue.TAKEN_PID));
  view.setBigUint64(IPC_PERM_BYTES + 56, 0n);
  view.setBigUint64(IPC_PERM_BYTES + 64, 0n);
  return command === IPC_STAT ? 0 : fullId;
}

/** MSG_STAT names a queue by its place in the kernel's table. */
function queueAtIndex({ system }: Caller, index: number): number {
  const { registry } = system;
  return registry.isIndex(index) && registry.kindOf(index) === kinds.SYSV_QUEUE && registry.isLinked(index)
    ? index
    : EINVAL;
}

function set(caller: Caller, id: number, pointer: number): number {
  const { system } = caller;
  const view = caller.memory.structure(pointer, MSQID_DS_BYTES, false);
  if (!view) return EFAULT;
  const wanted = readIpcPerm(view);
  const bytesMax = view.getBigUint64(IPC_PERM_BYTES + 40);
  const objectIndex = liveQueue(caller, id);
  if (objectIndex < 0) return objectIndex;
  const ring = system.ringOf(objectIndex);
  return system.changeOwnership(
    objectIndex,
    () => {
      const ownership = system.registry.ownershipOf(objectIndex);
      if (!controlsIpc(system.credentials, ownership)) return EPERM;
      if (bytesMax > BigInt(QUEUE_BYTES_DEFAULT) && !system.credentials.isPrivileged) return EPERM;
      if (!namesOwner(wanted)) return EINVAL;
      const most = Number(bytesMax < 0x7fffffffn ? bytesMax : 0x7fffffffn);
      system.journal.write(ring.word(queue.BYTES_MAX), Math.max(1, most));
      system.journal.write(ring.word(queue.DEPTH), most);
      system.journal.write(ring.word(queue.RULES), freshRules(system.words));
      return { ...wanted, mode: (ownership.mode & ~0o777) | (wanted.mode & 0o777) };
    },
    () => ring.notifyAll(),
  );
}

function remove(caller: Caller, id: number): number {
  const { system } = caller;
  let announce = (): void => {};
  return system.transaction(
    () => {
      const objectIndex = liveQueue(caller, id);
      if (objectIndex < 0) return objectIndex;
      if (!controlsIpc(system.credentials, system.registry.ownershipOf(objectIndex))) return EPERM;
      announce = system.sysv.removeQueueLocked(objectIndex);
      return 0;
    },
    () => announce(),
  );
}

function information(caller: Caller, command: number, pointer: number): number {
  const { system } = caller;
  const view = caller.memory.structure(pointer, MSGINFO_BYTES, true);
  if (!view) return EFAULT;
  const { objectsMax, messageBytesMax } = system.geometry.limits;
  let highest = 0;
  let queues = 0;
  let messages = 0;
  let bytes = 0;
  for (let i = 0; i < objectsMax; i++) {
    if (queueAtIndex(caller, i) < 0) continue;
    const ring = system.ringOf(i);
    highest = i;
    queues++;
    messages += ring.length;
    bytes += ring.lengthBytes;
  }
  const used = command === MSG_INFO;
  const ints = [used ? queues : 0, used ? messages : 0, messageBytesMax, QUEUE_BYTES_DEFAULT, objectsMax, 16];
  ints.push(used ? bytes : QUEUE_BYTES_DEFAULT);
  ints.forEach((value, i) => {
    view.setInt32(4 * i, value);
  });
  view.setUint32(28, 0xffff);
  return highest;
}
