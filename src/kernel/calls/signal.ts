// Signals: kill, rt_sigaction, rt_sigprocmask, rt_sigpending, rt_sigtimedwait, rt_sigqueueinfo, rt_sigsuspend, pause, alarm, and
// process groups as far as kill needs them (kill(2), sigaction(2), sigprocmask(2), sigwaitinfo(2), setpgid(2)).

import { EACCES, EAGAIN, EFAULT, EINTR, EINVAL, EPERM, ESRCH } from "../../abi/errno.ts";
import {
  SA_NOCLDSTOP,
  SA_NOCLDWAIT,
  SA_NODEFER,
  SA_RESETHAND,
  SA_RESTART,
  SI_USER,
  SIG_BLOCK,
  SIG_DFL,
  SIG_IGN,
  SIG_SETMASK,
  SIG_UNBLOCK,
  SIGCHLD,
  SIGNAL_MAX,
} from "../../abi/signals.ts";
import { task } from "../../memory/layout.ts";
import { field } from "../../memory/words.ts";
import { taskSlot } from "../../sync/bell.ts";
import { blockUntilAny } from "../../sync/polling.ts";
import type { Pid } from "../../sync/robust-lock.ts";
import { FOR_EVER } from "../../sync/waiting.ts";
import type { SignalInfo } from "../../tasks/signals.ts";
import { type Argument, type Call, type Caller, int, size, unsigned } from "./call.ts";

const SIGSET_BYTES = 8;
const SIGACTION_BYTES = 32;
const SIGINFO_BYTES = 128;
const TIMESPEC_BYTES = 16;
const NS_PER_S = 1_000_000_000n;
const NS_PER_MS = 1_000_000n;
const WAIT_MS_MAX = 2n ** 30n - 1n;

const kill = ({ system }: Caller, ...[pid, signal]: Argument[]): number => system.signals.kill(int(pid), int(signal));

function rtSigqueueinfo({ system, memory }: Caller, ...[pid, signalArgument, pointer]: Argument[]): number {
  const signal = int(signalArgument);
  const info = memory.structure(size(pointer), SIGINFO_BYTES, false);
  if (!info) return EFAULT;
  const code = info.getInt32(8, true);
  // Only the kernel says that it is the kernel's.
  if ((code >= 0 || code === SI_TKILL) && int(pid) !== system.pid) return EPERM;
  if (signal < 0 || signal > SIGNAL_MAX) return EINVAL;
  const from = { pid: info.getUint32(16, true), uid: info.getUint32(20, true), value: info.getBigUint64(24, true) };
  return int(pid) <= 0 ? ESRCH : system.signals.send(int(pid), { signal, code, ...from });
}

const SI_TKILL = -6;

/** A handler is known by its number, as a program's is by its address; `kernel.signals.on` gives it its function. */
function rtSigaction(caller: Caller, ...[signalArgument, newPointer, oldPointer, setBytes]: Argument[]): number {
  const { memory, actions } = caller;
  if (size(setBytes) !== SIGSET_BYTES) return EINVAL;
  const wanted = size(newPointer) === 0 ? undefined : memory.structure(size(newPointer), SIGACTION_BYTES, false);
  if (size(newPointer) !== 0 && !wanted) return EFAULT;
  const signal = int(signalArgument);
  if (signal < 1 || signal > SIGNAL_MAX) return EINVAL;
  const old = size(oldPointer) === 0 ? undefined : memory.structure(size(oldPointer), SIGACTION_BYTES, true);
  const before = actions.get(signal) ?? { handler: BigInt(SIG_DFL), flags: 0n, restorer: 0n, mask: 0n };
  if (wanted) {
    const action = {
      handler: wanted.getBigUint64(0, true),
      flags: wanted.getBigUint64(8, true),
      restorer: wanted.getBigUint64(16, true),
      mask: wanted.getBigUint64(24, true),
    };
    const result = setAction(caller, signal, action);
    if (result < 0) return result;
    actions.set(signal, action);
  }
  if (size(oldPointer) !== 0 && !old) return EFAULT;
  [before.handler, before.flags, before.restorer, before.mask].forEach((value, i) => {
    old?.setBigUint64(8 * i, value, true);
  });
  return 0;
}

function setAction(
  { system, handlers }: Caller,
  signal: number,
  { handler, flags, mask }: { handler: bigint; flags: bigint; mask: bigint },
): number {
  if (handler === BigInt(SIG_IGN)) return system.signals.ignore(signal);
  const children = Number(flags & BigInt(SA_NOCLDSTOP | SA_NOCLDWAIT));
  if (handler === BigInt(SIG_DFL)) return system.signals.reset(signal, children);
  const has = (flag: number): boolean => (flags & BigInt(flag)) !== 0n;
  return system.signals.catch(signal, {
    run: (info) => handlers.get(handler)?.(info),
    mask,
    restart: has(SA_RESTART),
    once: has(SA_RESETHAND),
    nodefer: has(SA_NODEFER),
    children,
  });
}

function rtSigprocmask({ system, memory }: Caller, ...[how, newPointer, oldPointer, setBytes]: Argument[]): number {
  if (size(setBytes) !== SIGSET_BYTES) return EINVAL;
  const { own } = system.signals;
  const before = own.blocked;
  if (size(newPointer) !== 0) {
    const set = memory.structure(size(newPointer), SIGSET_BYTES, false)?.getBigUint64(0, true);
    if (set === undefined) return EFAULT;
    const wanted = maskOf(int(how), before, set);
    if (wanted === undefined) return EINVAL;
    own.blocked = wanted;
  }
  if (size(oldPointer) === 0) return 0;
  const old = memory.structure(size(oldPointer), SIGSET_BYTES, true);
  if (!old) return EFAULT;
  old.setBigUint64(0, before, true);
  return 0;
}

function maskOf(how: number, before: bigint, set: bigint): bigint | undefined {
  if (how === SIG_BLOCK) return before | set;
  if (how === SIG_UNBLOCK) return before & ~set;
  return how === SIG_SETMASK ? set : undefined;
}

function rtSigpending({ system, memory }: Caller, ...[pointer, setBytes]: Argument[]): number {
  if (size(setBytes) > SIGSET_BYTES) return EINVAL;
  const set = new DataView(new ArrayBuffer(SIGSET_BYTES));
  set.setBigUint64(0, system.signals.own.pending & system.signals.own.blocked, true);
  const target = memory.view(size(pointer), size(setBytes), true);
  if (!target && size(setBytes) > 0) return EFAULT;
  target?.set(new Uint8Array(set.buffer, 0, size(setBytes)));
  return 0;
}

function rtSigtimedwait(
  { system, memory }: Caller,
  ...[setPointer, infoPointer, timePointer, setBytes]: Argument[]
): number {
  if (size(setBytes) !== SIGSET_BYTES) return EINVAL;
  const set = memory.structure(size(setPointer), SIGSET_BYTES, false)?.getBigUint64(0, true);
  if (set === undefined) return EFAULT;
  const timeoutMs = timeoutAt(memory.structure(size(timePointer), TIMESPEC_BYTES, false), size(timePointer));
  if (timeoutMs < FOR_EVER) return timeoutMs;
  const taken = waitForSignal(system, set, timeoutMs);
  if (typeof taken === "number") return taken;
  if (size(infoPointer) === 0) return taken.signal;
  const info = memory.structure(size(infoPointer), SIGINFO_BYTES, true);
  if (!info) return EFAULT;
  writeInfo(info, taken);
  return taken.signal;
}

/** Takes the lowest pending signal of a set, asleep until there is one; EAGAIN where the time passes, EINTR. */
export function waitForSignal(system: Caller["system"], set: bigint, timeoutMs: number): SignalInfo | number {
  const { signals } = system;
  let taken: SignalInfo | undefined;
  const look = (): number => {
    taken ??= signals.take(set);
    return taken ? 1 : 0;
  };
  signals.own.awaited = set;
  try {
    const result = look() || blockUntilAny(system, [], look, timeoutMs);
    if (taken) return taken;
    return result === 0 ? EAGAIN : result;
  } finally {
    signals.own.awaited = 0n;
  }
}

function writeInfo(view: DataView, { signal, code, pid, uid, value }: SignalInfo): void {
  new Uint8Array(view.buffer, view.byteOffset, SIGINFO_BYTES).fill(0);
  view.setInt32(0, signal, true);
  view.setInt32(8, code, true);
  view.setUint32(16, pid, true);
  view.setUint32(20, uid, true);
  if (code < SI_USER || signal === SIGCHLD) view.setBigUint64(24, value, true);
}

/** Milliseconds, FOR_EVER for NULL; EFAULT or EINVAL, which are below it. */
function timeoutAt(view: DataView | undefined, pointer: number): number {
  if (pointer === 0) return FOR_EVER;
  if (!view) return EFAULT;
  const seconds = view.getBigInt64(0, true);
  const nanoseconds = view.getBigInt64(8, true);
  if (seconds < 0n || nanoseconds < 0n || nanoseconds >= NS_PER_S) return EINVAL;
  const milliseconds = seconds * 1000n + (nanoseconds + NS_PER_MS - 1n) / NS_PER_MS;
  return milliseconds > WAIT_MS_MAX ? FOR_EVER : Number(milliseconds);
}

function rtSigsuspend(caller: Caller, ...[pointer, setBytes]: Argument[]): number {
  if (size(setBytes) !== SIGSET_BYTES) return EINVAL;
  const set = caller.memory.structure(size(pointer), SIGSET_BYTES, false)?.getBigUint64(0, true);
  return set === undefined ? EFAULT : suspend(caller, set);
}

const pause = (caller: Caller): number => suspend(caller, caller.system.signals.own.blocked);

/** Sleeps with another mask until a handler has run. */
function suspend({ system }: Caller, mask: bigint): number {
  const { signals } = system;
  const before = signals.own.blocked;
  signals.own.blocked = mask;
  try {
    for (;;) {
      if (signals.deliver().ran) return EINTR;
      const result = blockUntilAny(system, [], () => 0, FOR_EVER);
      if (result === EINTR && !signals.own.isDue()) return EINTR; // another task interrupted it
    }
  } finally {
    signals.own.blocked = before;
  }
}

const alarm = ({ system }: Caller, ...[seconds]: Argument[]): number => system.signals.alarm(unsigned(seconds));

function setpgid({ system }: Caller, ...[pidArgument, groupArgument]: Argument[]): number {
  const pid = int(pidArgument) || system.pid;
  const group = int(groupArgument) || pid;
  if (group < 0) return EINVAL;
  if (!isThere(system, pid)) return ESRCH;
  const slot = taskSlot(system.geometry, pid as Pid);
  const isChild = system.words.load(field(slot, task.PARENT_PID)) === system.pid;
  if (pid !== system.pid && !isChild) return ESRCH;
  if (isChild && system.tasks.hasBegun(slot)) return EACCES; // it runs another program
  if (group !== pid && !groupExists(system, group)) return EPERM;
  system.words.store(field(slot, task.PROCESS_GROUP), group);
  return 0;
}

const isThere = (system: Caller["system"], pid: number): boolean =>
  pid > 0 && (system.isAlive(pid as Pid) || system.tasks.isZombie(pid as Pid));

function groupExists(system: Caller["system"], group: number): boolean {
  for (const slot of system.tasks.slots()) {
    const pid = system.tasks.pidAt(slot);
    if (pid !== 0 && system.signals.groupOf(pid) === group) return true;
  }
  return false;
}

function getpgid({ system }: Caller, ...[pidArgument]: Argument[]): number {
  const pid = int(pidArgument) || system.pid;
  return isThere(system, pid) ? system.signals.groupOf(pid) : ESRCH;
}

const getpgrp = ({ system }: Caller): number => system.signals.groupOf(system.pid);

export const signalCalls = {
  kill,
  rt_sigaction: rtSigaction,
  rt_sigprocmask: rtSigprocmask,
  rt_sigpending: rtSigpending,
  rt_sigtimedwait: rtSigtimedwait,
  rt_sigqueueinfo: rtSigqueueinfo,
  rt_sigsuspend: rtSigsuspend,
  pause,
  alarm,
  setpgid,
  getpgid,
  getpgrp,
} as const satisfies { readonly [name: string]: Call };
