// struct ipc64_perm (asm-generic/ipcbuf.h), which msqid_ds and shmid_ds begin with.

import { NO_ID } from "../../tasks/credentials.ts";
import type { Structure } from "../structure.ts";
import type { System } from "../system.ts";
import { sequenceOf } from "../sysv-ids.ts";

export const IPC_PERM_BYTES = 48;

export function writeIpcPerm(view: Structure, system: System, objectIndex: number, id: number): void {
  const { registry } = system;
  const { mode, uid, gid, creatorUid, creatorGid } = registry.ownershipOf(objectIndex);
  const words = [registry.keyOf(objectIndex), uid, gid, creatorUid, creatorGid, mode, sequenceOf(system, id) & 0xffff];
  words.forEach((value, i) => {
    view.setInt32(4 * i, value | 0);
  });
  for (let at = 28; at < IPC_PERM_BYTES; at += 4) view.setInt32(at, 0);
}

/** What IPC_SET takes of it. */
export function readIpcPerm(view: Structure): { uid: number; gid: number; mode: number } {
  return { uid: view.getUint32(4), gid: view.getUint32(8), mode: view.getUint32(20) };
}

/** Nobody has the id -1: IPC_SET refuses it, after it has looked who asks. */
export const namesOwner = ({ uid, gid }: { uid: number; gid: number }): boolean => uid !== NO_ID && gid !== NO_ID;
