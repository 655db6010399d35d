// Signals: kill, tkill, tgkill, rt_sigaction, rt_sigprocmask, rt_sigpending, rt_sigtimedwait, rt_sigqueueinfo,
// rt_tgsigqueueinfo, rt_sigsuspend, pause, alarm, and process groups as far as kill needs them (kill(2), tkill(2), sigaction(2),
// sigprocmask(2), sigwaitinfo(2), setpgid(2)). A task has one thread, whose id is the task's pid.

import { E2BIG, EACCES, EAGAIN, EFAULT, EINTR, EINVAL, EPERM, ESRCH } from "../../abi/errno.ts";
import {
  bitOf,
  SA_KNOWN,
  SA_NOCLDSTOP,
  SA_NOCLDWAIT,
  SA_NODEFER,
  SA_RESETHAND,
  SA_RESTART,
  SI_KERNEL,
  SI_TKILL,
  SIG_BLOCK,
  SIG_DFL,
  SIG_IGN,
  SIG_SETMASK,
  SIG_UNBLOCK,
  SIGNAL_MAX,
  UNBLOCKABLE,
} from "../../abi/signals.ts";
import { task } from "../../memory/layout.ts";
import { field } from "../../memory/words.ts";
import { taskSlot } from "../../sync/bell.ts";
import { blockUntilAny } from "../../sync/polling.ts";
import type { Pid } from "../../sync/robust-lock.ts";
import { FOR_EVER } from "../../sync/waiting.ts";
import type { SignalInfo } from "../../tasks/signal-info.ts";
import type { Structure } from "../structure.ts";
import { type Argument, type Call, type Caller, int, type SignalAction, size, unsigned } from "./call.ts";

const SIGSET_BYTES = 8;
const SIGACTION_BYTES = 32;
const SIGINFO_BYTES = 128;
/** What of a siginfo the kernel knows; the rest must be zeros where it does not know the code. */
const SIGINFO_KNOWN_BYTES = 48;
const TIMESPEC_BYTES = 16;
const NS_PER_S = 1_000_000_000n;
const NS_PER_MS = 1_000_000n;
const WAIT_MS_MAX = 2n ** 30n - 1n;

const kill = ({ system }: Caller, ...[pid, signal]: Argument[]): number => system.signals.kill(int(pid), int(signal));

const tkill = (caller: Caller, ...[thread, signal]: Argument[]): number =>
  int(thread) <= 0 ? EINVAL : sendToThread(caller, int(thread), int(thread), int(signal));

function tgkill(caller: Caller, ...[group, thread, signal]: Argument[]): number {
  if (int(group) <= 0 || int(thread) <= 0) return EINVAL;
  return sendToThread(caller, int(group), int(thread), int(signal));
}

function sendToThread({ system }: Caller, group: number, thread: number, signal: number): number {
  return group === thread ? system.signals.kill(thread, signal, SI_TKILL) : ESRCH;
}

function rtSigqueueinfo(caller: Caller, ...[pid, signal, pointer]: Argument[]): number {
  const info = toldInfo(caller, int(pid), int(signal), size(pointer));
  return typeof info === "number" ? info : caller.system.signals.send(int(pid), info);
}

function rtTgsigqueueinfo(caller: Caller, ...[group, thread, signal, pointer]: Argument[]): number {
  const told = int(group) > 0 && int(thread) > 0;
  const info = toldInfo(caller, told ? int(thread) : caller.system.pid, int(signal), size(pointer));
  if (typeof info === "number") return info;
  if (!told) return EINVAL;
  return int(group) === int(thread) ? caller.system.signals.send(int(thread), info) : ESRCH;
}

/** What a sender says of its signal. EFAULT, E2BIG, EPERM. */
function toldInfo({ system, memory }: Caller, pid: number, signal: number, pointer: number): SignalInfo | number {
  const info = memory.structure(pointer, SIGINFO_KNOWN_BYTES, false);
  if (!info) return EFAULT;
  const code = info.getInt32(8);
  if (!isKnownCode(signal, code)) {
    const whole = memory.view(pointer, SIGINFO_BYTES, false);
    if (!whole) return EFAULT;
    if (whole.subarray(SIGINFO_KNOWN_BYTES).some((byte) => byte !== 0)) return E2BIG;
  }
  // Only the kernel says that it is the kernel's.
  if ((code >= 0 || code === SI_TKILL) && pid !== system.pid) return EPERM;
  const from = { pid: info.getUint32(16), uid: info.getUint32(20), value: info.getBigUint64(24) };
  return { signal, code, ...from };
}

const SI_DETHREAD = -7;
const SI_ASYNCNL = -60;
/** The highest code of each signal that has codes of its own: SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGCHLD, SIGIO, SIGSYS. */
const codesOf = new Map([
  [4, 11],
  [5, 6],
  [7, 5],
  [8, 15],
  [11, 10],
  [17, 6],
  [29, 6],
  [31, 2],
]);
const OTHER_CODES = 6;

/** Linux's known_siginfo_layout. */
function isKnownCode(signal: number, code: number): boolean {
  if (code > 0) return code === SI_KERNEL || code <= (codesOf.get(signal) ?? OTHER_CODES);
  return code >= SI_DETHREAD || code === SI_ASYNCNL;
}

/** A handler is known by its number, as a program's is by its address; `kernel.signals.on` gives it its function. */
function rtSigaction(caller: Caller, ...[signalArgument, newPointer, oldPointer, setBytes]: Argument[]): number {
  const { memory, actions } = caller;
  if (size(setBytes) !== SIGSET_BYTES) return EINVAL;
  const wanted = size(newPointer) === 0 ? undefined : memory.structure(size(newPointer), SIGACTION_BYTES, false);
  if (size(newPointer) !== 0 && !wanted) return EFAULT;
  const signal = int(signalArgument);
  if (signal < 1 || signal > SIGNAL_MAX) return EINVAL;
  if (wanted && UNBLOCKABLE & bitOf(signal)) return EINVAL;
  const old = size(oldPointer) === 0 ? undefined : memory.structure(size(oldPointer), SIGACTION_BYTES, true);
  if (size(oldPointer) !== 0 && !old) return EFAULT;
  const before = actionOf(caller, signal);
  if (wanted) {
    const action = {
      handler: wanted.getBigUint64(0),
      flags: wanted.getBigUint64(8) & SA_KNOWN,
      restorer: wanted.getBigUint64(16),
      mask: wanted.getBigUint64(24) & ~UNBLOCKABLE,
    };
    setAction(caller, signal, action);
    actions.set(signal, action);
  }
  [before.handler, before.flags, before.restorer, before.mask].forEach((value, i) => {
    old?.setBigUint64(8 * i, value);
  });
  return 0;
}

/** What was said last, save that a handler which was to run once may have run. */
function actionOf({ system, actions }: Caller, signal: number): SignalAction {
  const said = actions.get(signal) ?? { handler: BigInt(SIG_DFL), flags: 0n, restorer: 0n, mask: 0n };
  const { caught, ignored } = system.signals.own;
  if (ignored & bitOf(signal)) return { ...said, handler: BigInt(SIG_IGN) };
  return caught & bitOf(signal) ? said : { ...said, handler: BigInt(SIG_DFL) };
}

function setAction({ system, handlers }: Caller, signal: number, { handler, flags, mask }: SignalAction): number {
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
  let wanted: bigint | undefined = before;
  if (size(newPointer) !== 0) {
    const set = memory.structure(size(newPointer), SIGSET_BYTES, false)?.getBigUint64(0);
    if (set === undefined) return EFAULT;
    wanted = maskOf(int(how), before, set);
    if (wanted === undefined) return EINVAL;
  }
  const old = size(oldPointer) === 0 ? undefined : memory.structure(size(oldPointer), SIGSET_BYTES, true);
  if (size(oldPointer) !== 0 && !old) return EFAULT;
  own.blocked = wanted;
  old?.setBigUint64(0, before);
  return 0;
}

function maskOf(how: number, before: bigint, set: bigint): bigint | undefined {
  if (how === SIG_BLOCK) return before | set;
  if (how === SIG_UNBLOCK) return before & ~set;
  return how === SIG_SETMASK ? set : undefined;
}

function rtSigpending({ system, memory }: Caller, ...[pointer, setBytes]: Argument[]): number {
  if (size(setBytes) > SIGSET_BYTES) return EINVAL;
  const set = new Uint8Array(BigUint64Array.of(system.signals.own.pending & system.signals.own.blocked).buffer);
  const target = memory.view(size(pointer), size(setBytes), true);
  if (!target && size(setBytes) > 0) return EFAULT;
  target?.set(set.subarray(0, size(setBytes)));
  return 0;
}

function rtSigtimedwait(
  { system, memory }: Caller,
  ...[setPointer, infoPointer, timePointer, setBytes]: Argument[]
): number {
  if (size(setBytes) !== SIGSET_BYTES) return EINVAL;
  const set = memory.structure(size(setPointer), SIGSET_BYTES, false)?.getBigUint64(0);
  if (set === undefined) return EFAULT;
  const timeoutMs = timeoutAt(memory.structure(size(timePointer), TIMESPEC_BYTES, false), size(timePointer));
  if (timeoutMs < FOR_EVER) return timeoutMs;
  const info = size(infoPointer) === 0 ? undefined : memory.structure(size(infoPointer), SIGINFO_BYTES, true);
  const hasPlace = size(infoPointer) === 0 || info !== undefined;
  const taken = waitForSignal(system, set & ~UNBLOCKABLE, timeoutMs, hasPlace);
  if (typeof taken === "number") return taken;
  if (info) writeInfo(info, taken);
  return taken.signal;
}

/**
 * Takes the lowest pending signal of a set, asleep until there is one; EAGAIN where the time passes, EINTR, and EFAULT where
 * there is one and no place for it.
 */
export function waitForSignal(
  system: Caller["system"],
  set: bigint,
  timeoutMs: number,
  hasPlace = true,
): SignalInfo | number {
  const { signals } = system;
  let taken = hasPlace && timeoutMs !== 0 ? signals.takeSoon(set) : undefined;
  if (taken) return taken;
  const look = (): number => {
    if (!hasPlace) return signals.own.isPendingAmong(set) ? EFAULT : 0;
    taken ??= signals.take(set);
    return taken ? 1 : 0;
  };
  const result = look() || signals.awaiting(set, () => blockUntilAny(system, [], look, timeoutMs));
  if (taken) return taken;
  return result === 0 ? EAGAIN : result;
}

function writeInfo(view: Structure, { signal, code, pid, uid, value }: SignalInfo): void {
  view.clear(0, SIGINFO_BYTES);
  view.setInt32(0, signal);
  view.setInt32(8, code);
  view.setUint32(16, pid);
  view.setUint32(20, uid);
  view.setBigUint64(24, value);
}

/** Milliseconds, FOR_EVER for NULL; EFAULT or EINVAL, which are below it. */
function timeoutAt(view: Structure | undefined, pointer: number): number {
  if (pointer === 0) return FOR_EVER;
  if (!view) return EFAULT;
  const seconds = view.getBigInt64(0);
  const nanoseconds = view.getBigInt64(8);
  if (seconds < 0n || nanoseconds < 0n || nanoseconds >= NS_PER_S) return EINVAL;
  const milliseconds = seconds * 1000n + (nanoseconds + NS_PER_MS - 1n) / NS_PER_MS;
  return milliseconds > WAIT_MS_MAX ? FOR_EVER : Number(milliseconds);
}

function rtSigsuspend(caller: Caller, ...[pointer, setBytes]: Argument[]): number {
  if (size(setBytes) !== SIGSET_BYTES) return EINVAL;
  const set = caller.memory.structure(size(pointer), SIGSET_BYTES, false)?.getBigUint64(0);
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
      if (signals.deliverOnce()) return EINTR;
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
  pid > 0 && (system.isAlive(pid as Pid) || system.tasks.isUnwaited(pid as Pid));

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
  tkill,
  tgkill,
  rt_sigaction: rtSigaction,
  rt_sigprocmask: rtSigprocmask,
  rt_sigpending: rtSigpending,
  rt_sigtimedwait: rtSigtimedwait,
  rt_sigqueueinfo: rtSigqueueinfo,
  rt_tgsigqueueinfo: rtTgsigqueueinfo,
  rt_sigsuspend: rtSigsuspend,
  pause,
  alarm,
  setpgid,
  getpgid,
  getpgrp,
} as const satisfies { readonly [name: string]: Call };
