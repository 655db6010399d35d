// The signals of a task (signal(7), the mission's "Signal Handler"): which are pending and which blocked, which it ignores and
// which it catches, and in a list of small blocks what is known of each pending one. What others change is guarded by the
// kernel lock and written through the journal: a sender that dies has sent a signal or not. One standard signal may be pending
// besides, which came without the lock (direct-signal.ts). Blocking, ignoring and catching are the task's own, each by one store.

import { EAGAIN } from "../abi/errno.ts";
import {
  bitOf,
  isIgnoredByDefault,
  isStop,
  SI_USER,
  SIGCONT,
  SIGNAL_MAX,
  SIGRTMIN,
  UNBLOCKABLE,
} from "../abi/signals.ts";
import type { Allocator } from "../memory/allocator.ts";
import { NOBODY } from "../memory/charges.ts";
import { DamagedRegion, type Journal } from "../memory/journal.ts";
import { signalInfo, task } from "../memory/layout.ts";
import { field, LINE_WORDS, WORD_BYTES, type Word, type Words } from "../memory/words.ts";
import type { Pid } from "../sync/robust-lock.ts";
import { canComeDirectly, DirectSignal } from "./direct-signal.ts";
import type { SignalInfo } from "./signal-info.ts";

/** Signals that may be queued for a task at one time (RLIMIT_SIGPENDING). */
export const QUEUED_MAX = 1024;

/** Of standard signals, each pending once, what the kernel and kill(2) say of them is kept beyond that. */
const QUEUE_STEPS_MAX = QUEUED_MAX + SIGRTMIN;

/** All signals that stop, of which a task has one each: what SIGCONT takes away belongs to its own transaction. */
const FREED_AT_ONCE_MAX = 4;

/** Nothing comes of a signal that is ignored. */
export const DROPPED = 1;

/** The half of a set that a signal is in, and its bit there: arithmetic with bigints is slow. */
const halfOf = (signal: number): number => (signal - 1) >> 5;
const bitInHalf = (signal: number): number => 1 << ((signal - 1) & 31);
const lowestIn = (bits: number): number => 31 - Math.clz32(bits & -bits);

/** What a task's signals are made of. */
interface Memory {
  readonly words: Words;
  readonly journal: Journal;
  readonly allocator: Allocator;
}

export class TaskSignals {
  readonly #words: Words;
  readonly #journal: Journal;
  readonly #allocator: Allocator;
  readonly #slot: Word;
  /** The line of the task's own block. */
  readonly #ownLine: number;
  readonly #direct: DirectSignal;

  constructor({ words, journal, allocator }: Memory, slot: Word) {
    this.#words = words;
    this.#journal = journal;
    this.#allocator = allocator;
    this.#slot = slot;
    this.#ownLine = field(slot, task.OWN_INFO) / LINE_WORDS;
    this.#direct = new DirectSignal(words, slot);
  }

  /** A set of signals: signal s is bit s - 1. */
  get pending(): bigint {
    const { signal, bit } = this.#direct;
    const direct = signal === 0 || this.#drops(signal) ? 0 : bit;
    return wholeOf(this.#half(task.SIGNALS_PENDING, 0) | direct, this.#half(task.SIGNALS_PENDING, 1));
  }

  /** What says whether one of a set is pending: three loads, to be asked again and again. */
  pendingAmong(of: bigint): () => boolean {
    const [low, high] = [lowHalf(of), highHalf(of)];
    return () => ((this.#pendingHalf(0) & low) | (this.#pendingHalf(1) & high)) !== 0;
  }

  isPendingAmong(of: bigint): boolean {
    return ((this.#pendingHalf(0) & lowHalf(of)) | (this.#pendingHalf(1) & highHalf(of))) !== 0;
  }

  /** Whether it is blocked; whether it is waited for; whether it is caught. */
  blocks(signal: number): boolean {
    return this.#has(task.SIGNALS_BLOCKED, signal);
  }

  awaits(signal: number): boolean {
    return this.#has(task.SIGNALS_AWAITED, signal);
  }

  catches(signal: number): boolean {
    return this.#has(task.SIGNALS_CAUGHT, signal);
  }

  get blocked(): bigint {
    return this.#set(task.SIGNALS_BLOCKED);
  }

  set blocked(signals: bigint) {
    this.#setSet(task.SIGNALS_BLOCKED, signals & ~UNBLOCKABLE);
  }

  get ignored(): bigint {
    return this.#set(task.SIGNALS_IGNORED);
  }

  set ignored(signals: bigint) {
    this.#setSet(task.SIGNALS_IGNORED, signals & ~UNBLOCKABLE);
  }

  get caught(): bigint {
    return this.#set(task.SIGNALS_CAUGHT);
  }

  set caught(signals: bigint) {
    this.#setSet(task.SIGNALS_CAUGHT, signals & ~UNBLOCKABLE);
  }

  /** Those that the task waits for in sigwaitinfo(2). */
  get awaited(): bigint {
    return this.#set(task.SIGNALS_AWAITED);
  }

  set awaited(signals: bigint) {
    this.#setSet(task.SIGNALS_AWAITED, signals);
  }

  /** Whether a signal is to be delivered now. Five loads: for every wait that is about to sleep. */
  isDue(): boolean {
    return (this.#due(0) | this.#due(1)) !== 0;
  }

  /** Three words, in which a bit is set where one is pending, blocked or not: for who looks at them at the end of every call. */
  get pendingWord(): Word {
    return field(this.#slot, task.SIGNALS_PENDING);
  }

  #due(half: number): number {
    return this.#pendingHalf(half) & ~this.#half(task.SIGNALS_BLOCKED, half);
  }

  /** Whether a signal that is sent now would be dropped: it is ignored, and not blocked. */
  #drops(signal: number): boolean {
    if (this.blocks(signal)) return false;
    return this.#has(task.SIGNALS_IGNORED, signal) || (isIgnoredByDefault(signal) && !this.catches(signal));
  }

  /**
   * Makes a signal pending that can come directly, where that is free: 0, or DROPPED; undefined where it is to be posted under the kernel
   * lock. `target` is the task that it is for: the slot may be another's by now.
   */
  postDirect(target: Pid, info: SignalInfo): number | undefined {
    const { signal } = info;
    if (!canComeDirectly(info)) return undefined;
    if (this.#drops(signal)) return DROPPED;
    if ((this.#pendingHalf(0) & bitInHalf(signal)) !== 0) return 0;
    if (!this.#direct.send(target, info)) return undefined;
    // Who ignores it from now on forgets what was pending, and may have looked too early.
    return this.#drops(signal) && this.#direct.takeBack(target, info) ? DROPPED : 0;
  }

  /** What `postDirect` has sent to a task that is dead. */
  takeBackDirect(target: Pid, info: SignalInfo): void {
    this.#direct.takeBack(target, info);
  }

  /**
   * Takes what has come directly, for the owner, where nothing of a set is pending that goes before it. One that is ignored by now, and
   * that its sender is about to take back, is none.
   */
  takeDirect(owner: Pid, of: bigint): SignalInfo | undefined {
    const { bit } = this.#direct;
    const wanted = lowHalf(of);
    if ((bit & wanted) === 0) return undefined;
    const before = this.#half(task.SIGNALS_PENDING, 0) & wanted & (bit | (bit - 1));
    const taken = before === 0 ? this.#direct.take(owner) : undefined;
    return taken && this.#drops(taken.signal) ? undefined : taken;
  }

  /** Forgets what has come directly, for the owner, where it is of a set. */
  clearDirect(owner: Pid, of: bigint): void {
    if ((this.#direct.bit & lowHalf(of)) !== 0) this.#direct.take(owner);
  }

  /**
   * Makes a signal pending: 0, DROPPED, or EAGAIN where a real-time one cannot be queued that was sent otherwise than by kill(2). A
   * standard one that is pending already is not pending twice; and one that there is no room to know more of is pending all the
   * same. SIGCONT and the signals that stop take each other away by being sent, whatever comes of them.
   */
  postLocked(info: SignalInfo): number {
    const { signal, code } = info;
    const isRealTime = signal >= SIGRTMIN;
    const drops = this.#drops(signal);
    const isNew = !drops && (isRealTime || (this.#pendingHalf(0) & bitInHalf(signal)) === 0);
    const line = isNew ? this.#allocateLocked(!isRealTime && code >= SI_USER) : EAGAIN;
    if (isNew && line < 0 && isRealTime && code !== SI_USER) return EAGAIN;
    // Only now: what is given back here may be undone, and must not have been given out again.
    if (signal === SIGCONT) this.#dropLocked((other) => isStop(other));
    else if (isStop(signal)) this.#dropLocked((other) => other === SIGCONT);
    if (drops) return DROPPED;
    if (!isNew && !isRealTime) return 0;
    if (line >= 0) this.#appendLocked(line, info);
    this.#setPendingHalfLocked(halfOf(signal), (pending) => pending | bitInHalf(signal));
    return 0;
  }

  /** Takes the lowest pending signal of a set out; undefined where none is, or one goes before it that has come directly. */
  takeLocked(of: bigint): SignalInfo | undefined {
    const low = this.#half(task.SIGNALS_PENDING, 0) & lowHalf(of);
    const high = this.#half(task.SIGNALS_PENDING, 1) & highHalf(of);
    if ((low | high) === 0) return undefined;
    const direct = this.#direct.bit & lowHalf(of);
    if (direct !== 0 && (low & (direct | (direct - 1))) === 0) return undefined;
    const signal = low !== 0 ? 1 + lowestIn(low) : 33 + lowestIn(high);
    const link = this.#linkTo(field(this.#slot, task.SIGNALS_QUEUE), signal);
    const taken = link === undefined ? undefined : this.#takeOutLocked(link);
    const more = signal >= SIGRTMIN && link !== undefined && this.#linkTo(link, signal) !== undefined;
    if (!more) this.#setPendingHalfLocked(halfOf(signal), (pending) => pending & ~bitInHalf(signal));
    return taken ?? { signal, code: 0, pid: 0, uid: 0, value: 0n };
  }

  /** The first link from `link` on that leads to what is known of a signal. */
  #linkTo(link: Word, signal: number): Word | undefined {
    let at = link;
    for (let steps = 0; steps < QUEUE_STEPS_MAX; steps++) {
      const line = this.#lineAt(at);
      if (line === 0) return undefined;
      const info = (line * LINE_WORDS) as Word;
      if (this.#words.load(field(info, signalInfo.SIGNAL)) === signal) return at;
      at = field(info, signalInfo.NEXT);
    }
    return undefined;
  }

  #takeOutLocked(link: Word): SignalInfo {
    const line = this.#lineAt(link);
    const at = (line * LINE_WORDS) as Word;
    const info = this.#read(at);
    this.#journal.write(link, this.#words.load(field(at, signalInfo.NEXT)));
    this.#freeLocked(line);
    this.#journal.add(field(this.#slot, task.SIGNALS_QUEUED), -1);
    return info;
  }

  /** Forgets every pending signal of a set: it is ignored from now on, or cleared. */
  clearLocked(of: bigint): void {
    this.#dropLocked((signal) => (of & bitOf(signal)) !== 0n);
  }

  /** The same, with what is known of them left where it is. */
  forgetLocked(of: bigint): void {
    this.#setPendingLocked(this.#set(task.SIGNALS_PENDING) & ~of);
  }

  #dropLocked(drops: (signal: number) => boolean): void {
    const before = this.#set(task.SIGNALS_PENDING);
    let left = before;
    for (let signal = 1; signal <= SIGNAL_MAX; signal++)
      if (left & bitOf(signal) && drops(signal)) left &= ~bitOf(signal);
    if (left === before) return;
    this.#filterLocked(({ signal }) => !drops(signal));
    this.#setPendingLocked(left);
  }

  /** Frees the blocks of those that `keeps` does not keep. More than a few are more than one transaction holds. */
  #filterLocked(keeps: (info: SignalInfo) => boolean): void {
    let link = field(this.#slot, task.SIGNALS_QUEUE);
    let freed = 0;
    for (let steps = 0; steps < QUEUE_STEPS_MAX; steps++) {
      const line = this.#lineAt(link);
      if (line === 0) return;
      const at = (line * LINE_WORDS) as Word;
      if (keeps(this.#read(at))) {
        link = field(at, signalInfo.NEXT);
        continue;
      }
      if (freed === FREED_AT_ONCE_MAX) {
        this.#journal.commit(); // those so far are whole by themselves
        freed = 0;
      }
      freed++;
      this.#takeOutLocked(link);
    }
  }

  /** A block for what is known of one more, above the limit too where that is asked; a negative errno where there is no room. */
  #allocateLocked(beyondLimit: boolean): number {
    const words = this.#words;
    if (!beyondLimit && words.load(field(this.#slot, task.SIGNALS_QUEUED)) >= QUEUED_MAX) return EAGAIN;
    const isUsed = field(this.#slot, task.OWN_INFO_USED);
    // Nobody's: how many are queued for a task is bounded by itself.
    if (words.load(isUsed) !== 0) return this.#allocator.allocateLocked(signalInfo.WORDS * WORD_BYTES, NOBODY);
    this.#journal.write(isUsed, 1);
    words.set(field(this.#slot, task.OWN_INFO + signalInfo.NEXT), 0);
    return this.#ownLine;
  }

  #freeLocked(line: number): void {
    if (line === this.#ownLine) this.#freeOwnLocked();
    else this.#allocator.freeLocked(line);
  }

  #freeOwnLocked(): void {
    const isUsed = field(this.#slot, task.OWN_INFO_USED);
    if (this.#words.load(isUsed) !== 1) throw new DamagedRegion("a signal is taken twice");
    this.#journal.write(isUsed, 0);
  }

  #appendLocked(line: number, { signal, code, pid, uid, value }: SignalInfo): void {
    const at = (line * LINE_WORDS) as Word;
    const low = value === 0n ? 0 : Number(BigInt.asIntN(32, value));
    const high = value === 0n ? 0 : Number(BigInt.asIntN(32, value >> 32n));
    this.#words.setSix(field(at, signalInfo.SIGNAL), signal, code, pid, uid | 0, low, high);
    let link = field(this.#slot, task.SIGNALS_QUEUE);
    for (let steps = 0; steps < QUEUE_STEPS_MAX; steps++) {
      const next = this.#lineAt(link);
      if (next === 0) break;
      link = field((next * LINE_WORDS) as Word, signalInfo.NEXT);
    }
    this.#journal.write(link, line);
    this.#journal.add(field(this.#slot, task.SIGNALS_QUEUED), 1);
  }

  /** The line that a link names, inside the region; 0 for none. */
  #lineAt(link: Word): number {
    const line = this.#words.load(link);
    return line > 0 && (line + 1) * LINE_WORDS <= this.#words.int32.length ? line : 0;
  }

  #read(at: Word): SignalInfo {
    this.#words.getSix(field(at, signalInfo.SIGNAL), six);
    const [signal, code, pid, uid, low, high] = six as unknown as [number, number, number, number, number, number];
    return { signal, code, pid, uid: uid >>> 0, value: wholeOf(low, high) };
  }

  /** Of those that are pending. */
  #pendingHalf(half: number): number {
    const posted = this.#half(task.SIGNALS_PENDING, half);
    return half === 0 ? posted | this.#direct.bit : posted;
  }

  #half(name: number, half: number): number {
    return this.#words.load(field(this.#slot, name + half));
  }

  #has(name: number, signal: number): boolean {
    return (this.#half(name, halfOf(signal)) & bitInHalf(signal)) !== 0;
  }

  #set(name: number): bigint {
    return wholeOf(this.#half(name, 0), this.#half(name, 1));
  }

  #setSet(name: number, signals: bigint): void {
    this.#words.store(field(this.#slot, name), lowHalf(signals));
    this.#words.store(field(this.#slot, name + 1), highHalf(signals));
  }

  #setPendingLocked(signals: bigint): void {
    this.#setPendingHalfLocked(0, () => lowHalf(signals));
    this.#setPendingHalfLocked(1, () => highHalf(signals));
  }

  #setPendingHalfLocked(half: number, change: (pending: number) => number): void {
    const before = this.#half(task.SIGNALS_PENDING, half);
    const after = change(before);
    if (after !== before) this.#journal.write(field(this.#slot, task.SIGNALS_PENDING + half), after);
  }
}

/** What is known of a signal, on its way out of the region. */
const six = new Int32Array(6);

const wholeOf = (low: number, high: number): bigint =>
  high === 0 && low >= 0 ? BigInt(low) : (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);

// The halves of the set that was asked for last: a task asks for the same one again and again.
let halved = 0n;
let halvedLow = 0;
let halvedHigh = 0;

function halve(set: bigint): void {
  halved = set;
  halvedLow = Number(BigInt.asIntN(32, set));
  halvedHigh = Number(BigInt.asIntN(32, set >> 32n));
}

function lowHalf(set: bigint): number {
  if (set !== halved) halve(set);
  return halvedLow;
}

function highHalf(set: bigint): number {
  if (set !== halved) halve(set);
  return halvedHigh;
}
