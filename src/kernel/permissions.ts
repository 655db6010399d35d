// Who may do what with an object: owner, group, others (path_resolution(7) for what has a name, sysvipc(7) for what has a key).

import type { Credentials } from "../tasks/credentials.ts";

/** As in a mode's octal digit. */
export const MAY_READ = 4;
export const MAY_WRITE = 2;
export const MAY_EXECUTE = 1;

export interface Ownership {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly creatorUid: number;
  readonly creatorGid: number;
}

/** Of a file: a FIFO or a POSIX queue. */
export function permitsFile(who: Credentials, of: Ownership, want: number): boolean {
  if (who.isPrivileged) return true;
  return permits(of.mode, want, who.effectiveUid === of.uid, () => who.isMember(of.gid));
}

/** Of a SysV object, whose creator keeps the rights of an owner. */
export function permitsIpc(who: Credentials, of: Ownership, want: number): boolean {
  if (who.isPrivileged) return true;
  const isOwner = ownsIpc(who, of);
  return permits(of.mode, want, isOwner, () => who.isMember(of.creatorGid) || who.isMember(of.gid));
}

/** Whether a task may change or remove a SysV object. */
export function controlsIpc(who: Credentials, of: Ownership): boolean {
  return who.isPrivileged || ownsIpc(who, of);
}

/** Whether a task may change a file's mode, or remove it from a directory that is sticky, as ours is. */
export function controlsFile(who: Credentials, of: Ownership): boolean {
  return who.isPrivileged || who.effectiveUid === of.uid;
}

/** The bits wanted by the flags of msgget(2) and shmget(2): any that one of the three digits has. */
export const wantedByFlags = (flags: number): number => ((flags >> 6) | (flags >> 3) | flags) & 7;

const ownsIpc = (who: Credentials, of: Ownership): boolean =>
  who.effectiveUid === of.uid || who.effectiveUid === of.creatorUid;

function permits(mode: number, want: number, isOwner: boolean, isMember: () => boolean): boolean {
  const granted = isOwner ? mode >> 6 : isMember() ? mode >> 3 : mode;
  return (want & ~granted & 7) === 0;
}
