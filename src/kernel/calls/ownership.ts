// Owner and mode of files: chmod, fchmod, chown, fchown (chmod(2), chown(2)).

import { EBADF, ENOENT, EOPNOTSUPP, EPERM } from "../../abi/errno.ts";
import { kinds } from "../../memory/layout.ts";
import { type Credentials, NO_ID } from "../../tasks/credentials.ts";
import { controlsFile, type Ownership } from "../permissions.ts";
import type { System } from "../system.ts";
import { type Argument, type Caller, int, size, unsigned } from "./call.ts";
import { fifoName, findFifo, pathAt } from "./path.ts";

const PERMISSIONS = 0o7777;
const SET_USER_ID = 0o4000;
const SET_GROUP_ID = 0o2000;
const GROUP_EXECUTE = 0o010;

type Change = (system: System, of: Ownership) => { mode: number; uid: number; gid: number } | number;

export function chmod(caller: Caller, ...[pointer, mode]: Argument[]): number {
  return changeAt(caller, size(pointer), toMode(int(mode)));
}

export function fchmod(caller: Caller, ...[descriptor, mode]: Argument[]): number {
  return changeOpen(caller, int(descriptor), toMode(int(mode)));
}

export function chown(caller: Caller, ...[pointer, uid, gid]: Argument[]): number {
  return changeAt(caller, size(pointer), toOwner(unsigned(uid), unsigned(gid)));
}

export function fchown(caller: Caller, ...[descriptor, uid, gid]: Argument[]): number {
  return changeOpen(caller, int(descriptor), toOwner(unsigned(uid), unsigned(gid)));
}

/** The directory itself is user 0's, and stays as it is. */
function changeAt(caller: Caller, pointer: number, change: Change): number {
  const { system } = caller;
  const path = pathAt(caller, pointer);
  if (typeof path === "number") return path;
  const name = fifoName(system, path, EPERM);
  if (typeof name === "number") return name;
  const index = findFifo(system, name);
  return index < 0 ? ENOENT : changeOwnership(system, index, change, system.registry.generationOf(index));
}

function changeOpen({ system }: Caller, descriptor: number, change: Change): number {
  const file = system.openFile(descriptor);
  if (!file) return EBADF;
  if (file.hostStream >= 0) return EPERM; // the host's
  if (file.kind === kinds.SIGNALS) return EOPNOTSUPP;
  return changeOwnership(system, file.objectIndex, change, system.registry.generationOf(file.objectIndex));
}

function changeOwnership(system: System, objectIndex: number, change: Change, generation: number): number {
  return system.changeOwnership(objectIndex, () => {
    if (!system.isToken({ objectIndex, generation })) return ENOENT; // unlinked since it was found
    return change(system, system.registry.ownershipOf(objectIndex));
  });
}

const toMode =
  (wanted: number): Change =>
  (system, of) => {
    if (!controlsFile(system.credentials, of)) return EPERM;
    const mode = wanted & PERMISSIONS;
    const keepsGroupId = system.credentials.isPrivileged || system.credentials.isMember(of.gid);
    return { uid: of.uid, gid: of.gid, mode: keepsGroupId ? mode : mode & ~SET_GROUP_ID };
  };

const toOwner =
  (uid: number, gid: number): Change =>
  ({ credentials }, of) => {
    const dropped = droppedByChown(credentials, of);
    if (dropped && !controlsFile(credentials, of)) return EPERM;
    const owns = credentials.effectiveUid === of.uid;
    const uidIsFree = uid === NO_ID || (owns && uid === of.uid);
    const gidIsFree = gid === NO_ID || (owns && (gid === of.gid || credentials.isMember(gid)));
    if (!credentials.isPrivileged && !(uidIsFree && gidIsFree)) return EPERM;
    return {
      uid: uid === NO_ID ? of.uid : uid,
      gid: gid === NO_ID ? of.gid : gid,
      mode: of.mode & ~dropped,
    };
  };

/** What chown takes from a mode, whatever it changes: a set-group-ID bit only of what the group executes, or a stranger's. */
function droppedByChown(credentials: Credentials, { mode, gid }: Ownership): number {
  const keepsGroupId = !(mode & GROUP_EXECUTE) && (credentials.isPrivileged || credentials.isMember(gid));
  return mode & (keepsGroupId ? SET_USER_ID : SET_USER_ID | SET_GROUP_ID);
}
