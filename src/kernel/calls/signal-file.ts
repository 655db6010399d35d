// Reading signals as from a file: signalfd, signalfd4, and read of what they make (signalfd(2)).

import { EAGAIN, EBADF, EFAULT, EINVAL, EMFILE } from "../../abi/errno.ts";
import { O_CLOEXEC, O_NONBLOCK } from "../../abi/flags.ts";
import { SI_KERNEL, SI_USER, SIGCHLD, UNBLOCKABLE } from "../../abi/signals.ts";
import { CLD_EXITED } from "../../abi/wait.ts";
import { access, kinds } from "../../memory/layout.ts";
import { blockUntilAny } from "../../sync/polling.ts";
import { FOR_EVER } from "../../sync/waiting.ts";
import type { SignalInfo } from "../../tasks/signal-info.ts";
import { makingSignalFile } from "../making.ts";
import type { Opened, OpenFile } from "../opening.ts";
import type { Structure } from "../structure.ts";
import type { System } from "../system.ts";
import { type Argument, type Caller, int, size } from "./call.ts";
import { freeDescriptors } from "./descriptor.ts";

const SIGSET_BYTES = 8;
/** A struct signalfd_siginfo. */
const INFO_BYTES = 128;
const MAKE = -1;
const MODE = 0o600;

export const signalfd = (caller: Caller, ...[descriptor, pointer, setBytes]: Argument[]): number =>
  signalfd4(caller, descriptor as Argument, pointer as Argument, setBytes as Argument, 0);

export function signalfd4({ system, memory }: Caller, ...args: Argument[]): number {
  const [descriptorArgument, pointer, setBytes, flagArgument] = args;
  if (size(setBytes) !== SIGSET_BYTES) return EINVAL;
  const set = memory.structure(size(pointer), SIGSET_BYTES, false)?.getBigUint64(0);
  if (set === undefined) return EFAULT;
  const flags = int(flagArgument);
  if (flags & ~(O_CLOEXEC | O_NONBLOCK)) return EINVAL;
  const signals = set & ~UNBLOCKABLE;
  const descriptor = int(descriptorArgument);
  if (descriptor !== MAKE) return changeSignals(system, descriptor, signals);
  const made = makeSignalFile(system, signals, flags & O_NONBLOCK, (flags & O_CLOEXEC) !== 0);
  return typeof made === "number" ? made : made.descriptor;
}

export function makeSignalFile(system: System, signals: bigint, flags: number, closeOnExec: boolean): Opened | number {
  if (freeDescriptors(system, 1) < 1) return EMFILE;
  const making = makingSignalFile(system.words, signals, MODE);
  const made = system.createAnonymous(kinds.SIGNALS, making, [access.READ | access.WRITE], flags, closeOnExec);
  return typeof made === "number" ? made : (made[0] as Opened);
}

/** Gives a signal file other signals: its descriptor, EBADF or EINVAL. */
export function changeSignals(system: System, descriptor: number, signals: bigint): number {
  const file = system.openFile(descriptor);
  if (!file) return EBADF;
  if (file.kind !== kinds.SIGNALS) return EINVAL;
  return system.transaction(() => {
    system.signalFileOf(file.objectIndex).setSignalsLocked(system.journal, signals);
    return descriptor;
  });
}

/**
 * As many whole structures as there are signals and room, at least one. A set that another task changes while this one sleeps
 * is seen at the end of a slice.
 */
export function readSignals({ system, memory }: Caller, file: OpenFile, pointer: number, count: number): number {
  const room = Math.floor(count / INFO_BYTES);
  if (room === 0) return EINVAL;
  const target = memory.structure(pointer, room * INFO_BYTES, true);
  const { signals } = system;
  const of = system.signalFileOf(file.objectIndex);
  const look = (): number => (signals.own.pending & of.signals ? 1 : 0);
  for (;;) {
    if (look() === 0) {
      if (file.flags & O_NONBLOCK) return EAGAIN;
      const result = signals.awaiting(of.signals, () => blockUntilAny(system, [], look, FOR_EVER));
      if (result < 0) return result;
    }
    if (!target) return EFAULT;
    let done = 0;
    for (let info = signals.take(of.signals); info; info = done < room ? signals.take(of.signals) : undefined) {
      writeInfo(target, INFO_BYTES * done++, info);
    }
    if (done > 0) return done * INFO_BYTES; // else another task has changed the set meanwhile
  }
}

/** What the code says that it has is filled in, the rest are zeros. */
function writeInfo(view: Structure, at: number, { signal, code, pid, uid, value }: SignalInfo): void {
  view.clear(at, INFO_BYTES);
  view.setUint32(at, signal);
  view.setInt32(at + 8, code);
  view.setUint32(at + 12, pid);
  view.setUint32(at + 16, uid);
  if (signal === SIGCHLD && code >= CLD_EXITED && code < SI_KERNEL)
    view.setInt32(at + 40, Number(BigInt.asIntN(32, value)));
  if (code >= SI_USER) return;
  view.setInt32(at + 44, Number(BigInt.asIntN(32, value)));
  view.setBigUint64(at + 48, value);
}
