// What both worlds take from the machine alike: who we are, the time, the CPUs.

import { readSync, writeSync } from "node:fs";
import { availableParallelism } from "node:os";
import { isMainThread, threadId } from "node:worker_threads";
import { EIO, type ErrnoName, errnos } from "../abi/errno.ts";
import { POLLIN, POLLOUT } from "../abi/flags.ts";
import type { HostStreams, World } from "../sync/world.ts";
import { allowedCpus, identityOfProcess, isThreadAlive, ownIdentity, statusOfZombie } from "./linux-identity.ts";

type HostFacts = Omit<World, "parker" | "doorbell">;

const pause: (() => void) | undefined = (Atomics as { pause?: () => void }).pause;

/** Without /proc a thread is known by a random number, and nobody can be told dead: tasks must close. */
function identityWithoutProc(): { identity: bigint; threadId: number } {
  const random = crypto.getRandomValues(new BigInt64Array(1))[0] as bigint;
  return { identity: random | 1n, threadId };
}

export function hostFacts(): HostFacts {
  const known = ownIdentity();
  const own = known ?? identityWithoutProc();
  return {
    identity: own.identity,
    osPid: process.pid,
    streams,
    osThreadId: own.threadId,
    hostThread: threadId,
    uid: process.geteuid?.() ?? 0,
    gid: process.getegid?.() ?? 0,
    cpuMask: allowedCpus() ?? (availableParallelism() > 1 ? -1 : 1),
    isAlive: known ? isThreadAlive : () => true,
    nowMs,
    relax: pause ? () => pause() : () => {},
    tasks: {
      signalProcess,
      endSelf,
      exit: (code) => process.exit(code),
      identityOf: identityOfProcess,
      statusOf: statusOfZombie,
    },
    afterTurn: (callback) => {
      setImmediate(callback);
    },
  };
}

function signalProcess(osPid: number, signal: number): void {
  try {
    process.kill(osPid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

/** A worker thread ends alone; the signal is the exit code, as a shell tells it. */
function endSelf(signal: number): void {
  if (isMainThread) process.kill(process.pid, "SIGKILL");
  process.exit(128 + signal);
}

/** CLOCK_MONOTONIC, the same for every process of the machine. */
function nowMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return Math.trunc(seconds * 1000 + nanoseconds / 1e6) & 0x7fffffff;
}

const streams: HostStreams = {
  read: (stream, target) => orErrno(() => readSync(stream, target)),
  write: (stream, source) => orErrno(() => writeSync(stream, source)),
  // As poll(2) says of files: Node cannot ask without reading.
  ready: (stream) => (stream === 0 ? POLLIN : POLLOUT),
};

function orErrno(call: () => number): number {
  try {
    return call();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code as ErrnoName;
    return code in errnos ? -errnos[code].number : EIO;
  }
}
