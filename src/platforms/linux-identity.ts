// Who a thread is, and whether it still lives, from /proc (proc_pid_stat(5)).
//
// An identity is one 64-bit word: start time in clock ticks since boot (42 bits) and thread id (22 bits: pid_max is at most
// 4,194,304). A thread id comes back; the pair does not.

import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import type { Origin } from "../memory/region.ts";

const THREAD_ID_BITS = 22n;
const THREAD_ID_MASK = (1n << THREAD_ID_BITS) - 1n;

const statBuffer = Buffer.alloc(1024);

/**
 * Fields of /proc/…/stat from the third on: the second, the name, may hold blanks and brackets. Undefined where there is no
 * such thread. Throws where that cannot be found out, as without a free descriptor.
 */
function statFields(path: string): { id: number; fields: string[] } | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, "r");
    const length = readSync(descriptor, statBuffer, 0, statBuffer.length, 0);
    const text = statBuffer.toString("latin1", 0, length);
    return { id: Number.parseInt(text, 10), fields: text.slice(text.lastIndexOf(")") + 2).split(" ") };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return undefined; // ESRCH: gone while it was being read
    throw error;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

const STATE = 0; // field 3
const FLAGS = 6; // field 9
const START_TIME = 19; // field 22
const EXIT_CODE = 49; // field 52

/** This thread's, or undefined where there is no /proc. Throws where it cannot be read. */
export function ownIdentity(): { identity: bigint; threadId: number } | undefined {
  const stat = statFields("/proc/thread-self/stat");
  if (!stat) return undefined;
  return { identity: identityOf(stat.id, stat.fields[START_TIME] as string), threadId: stat.id };
}

/** PF_EXITING of the Linux kernel: the thread has begun to exit, and runs no instruction of ours any more. */
const EXITING = 0x4;

/** Whether a thread lives. Of whom that cannot be found out now counts as alive: nothing may be taken from the living. */
export function isThreadAlive(identity: bigint): boolean {
  try {
    return isAlive(identity);
  } catch {
    return true;
  }
}

/** A zombie is dead: it will never run again; so is one that exits. A stopped or traced thread is alive. */
const isAlive = (identity: bigint): boolean => threadStateOf(identity) !== undefined;

/**
 * What a thread does, as a letter of proc_pid_stat(5), such as "R" for one that runs and "T" for one that is stopped; undefined
 * where it is dead. Throws where that cannot be read.
 */
export function threadStateOf(identity: bigint): string | undefined {
  const threadId = Number(identity & THREAD_ID_MASK);
  const stat = statFields(`/proc/${threadId}/stat`);
  if (!stat) return undefined;
  const state = stat.fields[STATE] as string;
  if (state === "Z" || state === "X" || state === "x") return undefined;
  if (Number(stat.fields[FLAGS]) & EXITING) return undefined;
  return identityOf(threadId, stat.fields[START_TIME] as string) === identity ? state : undefined;
}

/** Who a process's main thread is; undefined where there is none, or none can be found out. */
export function identityOfProcess(osPid: number): bigint | undefined {
  const stat = readable(`/proc/${osPid}/stat`);
  return stat && identityOf(osPid, stat.fields[START_TIME] as string);
}

/** The wait status of a process that has ended and that the host's parent has not waited for; else undefined. */
export function statusOfZombie(identity: bigint): number | undefined {
  const threadId = Number(identity & THREAD_ID_MASK);
  const stat = readable(`/proc/${threadId}/stat`);
  if (stat?.fields[STATE] !== "Z" || identityOf(threadId, stat.fields[START_TIME] as string) !== identity) return;
  return Number(stat.fields[EXIT_CODE]);
}

function readable(path: string): ReturnType<typeof statFields> {
  try {
    return statFields(path);
  } catch {
    return undefined;
  }
}

function identityOf(threadId: number, startTime: string): bigint {
  return (BigInt(startTime) << THREAD_ID_BITS) | BigInt(threadId);
}

export const noOrigin: Origin = { bootId: [0, 0, 0, 0], pidNamespace: 0 };

export function linuxOrigin(): Origin {
  const hex = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").replaceAll("-", "").trim();
  const bootId = [0, 8, 16, 24].map((at) => Number.parseInt(hex.slice(at, at + 8), 16) | 0);
  return { bootId, pidNamespace: statSync("/proc/self/ns/pid").ino | 0 };
}

/** The CPUs that this thread may run on (sched_getaffinity(2)), CPU c as bit c % 32; undefined where there is no /proc. */
export function allowedCpus(): number | undefined {
  let status: string;
  try {
    status = readFileSync("/proc/thread-self/status", "latin1");
  } catch {
    return undefined;
  }
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1];
  if (list === undefined) return undefined;
  let mask = 0;
  for (const range of list.split(",")) {
    const [first, last] = range.split("-").map(Number) as [number, number | undefined];
    for (let cpu = first; cpu <= (last ?? first); cpu++) mask |= 1 << (cpu % 32);
  }
  return mask;
}
