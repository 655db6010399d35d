// The ends of tasks: exit, exit_group, wait4, waitid (exit_group(2), wait(2), wait4(2)).

import { EBADF, ECHILD, EFAULT, EINVAL, ENOENT, ESRCH } from "../../abi/errno.ts";
import { SIGCHLD } from "../../abi/signals.ts";
import {
  childCode,
  P_ALL,
  P_PGID,
  P_PID,
  P_PIDFD,
  WALL,
  WCLONE,
  WCONTINUED,
  WEXITED,
  WNOHANG,
  WNOTHREAD,
  WNOWAIT,
  WSTOPPED,
  WUNTRACED,
} from "../../abi/wait.ts";
import { type ChildStatus, childrenByPid, type Wanted } from "../children.ts";
import type { Structure } from "../structure.ts";
import { type Argument, type Call, type Caller, int, size } from "./call.ts";

const RUSAGE_BYTES = 144;
const SIGINFO_BYTES = 128;
/** What waitid(2) fills of a siginfo_t. */
const FILLED_BYTES = 28;
const CHILD_KINDS = WNOTHREAD | WCLONE | WALL;
const INT_MIN = -(2 ** 31);

/** It never returns: what is left of the thread runs what it has to, and ends. */
const exit: Call = ({ world }, status) => {
  world.tasks.exit(int(status) & 0xff);
  return 0;
};

function wait4({ system, memory }: Caller, ...args: Argument[]): number {
  const [pid, statusPointer, options, usagePointer] = [int(args[0]), size(args[1]), int(args[2]), size(args[3])];
  if (options & ~(WNOHANG | WUNTRACED | WCONTINUED | CHILD_KINDS)) return EINVAL;
  if (pid === INT_MIN) return ESRCH;
  const wanted: Wanted = {
    which: childrenByPid(pid),
    ended: true,
    stopped: (options & WUNTRACED) !== 0,
    continued: (options & WCONTINUED) !== 0,
    leave: false,
  };
  const found = waitFor(system, wanted, options);
  if (typeof found === "number") return found === ENOENT ? 0 : found;
  if (statusPointer !== 0) {
    const place = memory.structure(statusPointer, 4, true);
    if (!place) return EFAULT;
    place.setInt32(0, found.status);
  }
  return usageAt(memory.view(usagePointer, RUSAGE_BYTES, true), usagePointer) || found.pid;
}

/** As on Linux, a structure is filled whatever comes of it: with zeros where there is no news. */
function waitid(caller: Caller, ...args: Argument[]): number {
  const [infoPointer, usagePointer] = [size(args[2]), size(args[4])];
  const found = newsFor(caller, int(args[0]), int(args[1]), int(args[3]));
  const isFound = typeof found !== "number";
  if (isFound && usageAt(caller.memory.view(usagePointer, RUSAGE_BYTES, true), usagePointer) < 0) return EFAULT;
  if (infoPointer !== 0) {
    const info = caller.memory.structure(infoPointer, SIGINFO_BYTES, true);
    if (!info) return EFAULT;
    fillInfo(info, isFound ? found : undefined);
  }
  return isFound || found === ENOENT ? 0 : found;
}

function newsFor({ system }: Caller, idType: number, id: number, options: number): ChildStatus | number {
  if (options & ~(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | CHILD_KINDS)) return EINVAL;
  if (!(options & (WEXITED | WSTOPPED | WCONTINUED))) return EINVAL;
  const which = childrenOf(idType, id);
  if (which === undefined) return idType === P_PIDFD && id >= 0 ? EBADF : EINVAL;
  const wanted: Wanted = {
    which,
    ended: (options & WEXITED) !== 0,
    stopped: (options & WSTOPPED) !== 0,
    continued: (options & WCONTINUED) !== 0,
    leave: (options & WNOWAIT) !== 0,
  };
  return waitFor(system, wanted, options);
}

/** What `Wanted` calls those children; undefined where there are no such. */
function childrenOf(idType: number, id: number): Wanted["which"] | undefined {
  if (idType === P_ALL) return "any";
  if (idType === P_PID) return id > 0 ? { pid: id } : undefined;
  return idType === P_PGID && id >= 0 ? { group: id } : undefined;
}

function waitFor(system: Caller["system"], wanted: Wanted, options: number): ChildStatus | number {
  if (options & WCLONE && !(options & WALL)) return ECHILD; // of clone(2) there are none
  return options & WNOHANG ? system.children.look(wanted) : system.children.wait(wanted);
}

/** What a child has used of the CPU is not counted: all is 0. */
function usageAt(place: Uint8Array | undefined, pointer: number): number {
  if (pointer === 0) return 0;
  place?.fill(0);
  return place ? 0 : EFAULT;
}

function fillInfo(info: Structure, found: ChildStatus | undefined): void {
  for (let at = 0; at < FILLED_BYTES; at += 4) if (at !== 12) info.setInt32(at, 0);
  if (!found) return;
  const { code, status } = childCode(found.status);
  info.setInt32(0, SIGCHLD);
  info.setInt32(8, code);
  info.setInt32(16, found.pid);
  info.setUint32(20, found.uid);
  info.setInt32(24, status);
}

export const waitCalls = { exit, exit_group: exit, wait4, waitid } as const satisfies {
  readonly [name: string]: Call;
};
