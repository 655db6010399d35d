// The signals of a task (signal(7), the mission's "Signal Handler"): which are pending and which blocked, which it ignores and
// which it catches, and in a list of small blocks what is known of each pending one. What others change is guarded by the
// kernel lock and written through the journal: a sender that dies has sent a signal or not. Blocking, ignoring and catching are
// the task's own, each by one store.

import { EAGAIN } from "../abi/errno.ts";
import { bitOf, isIgnoredByDefault, isStop, SIGCONT, SIGNAL_MAX, SIGRTMIN, UNBLOCKABLE } from "../abi/signals.ts";
import type { Allocator } from "../memory/allocator.ts";
import { NOBODY } from "../memory/charges.ts";
import type { Journal } from "../memory/journal.ts";
import { signalInfo, task } from "../memory/layout.ts";
import { field, LINE_WORDS, WORD_BYTES, type Word, type Words } from "../memory/words.ts";

/** Signals that may be queued for a task at one time (RLIMIT_SIGPENDING). */
export const QUEUED_MAX = 1024;

/** All signals that stop, of which a task has one each: what SIGCONT takes away belongs to its own transaction. */
const FREED_AT_ONCE_MAX = 4;

/** Nothing comes of a signal that is ignored. */
export const DROPPED = 1;

export interface SignalInfo {
  readonly signal: number;
  /** Where it comes from: si_code. */
  readonly code: number;
  readonly pid: number;
  readonly uid: number;
  /** 64 bits, as they were sent. */
  readonly value: bigint;
}

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

  constructor({ words, journal, allocator }: Memory, slot: Word) {
    this.#words = words;
    this.#journal = journal;
    this.#allocator = allocator;
    this.#slot = slot;
  }

  /** A set of signals: signal s is bit s - 1. */
  get pending(): bigint {
    return this.#set(task.SIGNALS_PENDING);
  }

  /** What says whether one of a set is pending: two loads, to be asked again and again. */
  pendingAmong(of: bigint): () => boolean {
    const words = this.#words;
    const [low, high] = [Number(BigInt.asIntN(32, of)), Number(BigInt.asIntN(32, of >> 32n))];
    const at = field(this.#slot, task.SIGNALS_PENDING);
    return () => ((words.load(at) & low) | (words.load(field(at, 1)) & high)) !== 0;
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

  /** Whether a signal is to be delivered now. Four loads: for every wait that is about to sleep. */
  isDue(): boolean {
    const words = this.#words;
    const due = (half: number): number =>
      words.load(field(this.#slot, task.SIGNALS_PENDING + half)) &
      ~words.load(field(this.#slot, task.SIGNALS_BLOCKED + half));
    return (due(0) | due(1)) !== 0;
  }

  /** Whether a signal that is sent now would be dropped: it is ignored, and not blocked. */
  #drops(signal: number): boolean {
    const bit = bitOf(signal);
    if (this.blocked & bit) return false;
    return (this.ignored & bit) !== 0n || (isIgnoredByDefault(signal) && !(this.caught & bit));
  }

  /**
   * Makes a signal pending: 0, DROPPED, or EAGAIN where a real-time one cannot be queued. A standard one that is pending already
   * is not pending twice; and one that there is no room to know more of is pending all the same. SIGCONT and the signals that
   * stop take each other away by being sent, whatever comes of them.
   */
  postLocked(info: SignalInfo): number {
    const { signal } = info;
    const drops = this.#drops(signal);
    const isNew = !drops && (signal >= SIGRTMIN || !(this.pending & bitOf(signal)));
    const line = isNew ? this.#allocateLocked() : EAGAIN;
    if (isNew && line < 0 && signal >= SIGRTMIN) return EAGAIN;
    // Only now: what is given back here may be undone, and must not have been given out again.
    if (signal === SIGCONT) this.#dropLocked((other) => isStop(other));
    else if (isStop(signal)) this.#dropLocked((other) => other === SIGCONT);
    if (drops) return DROPPED;
    if (line >= 0) this.#appendLocked(line, info);
    this.#setPendingLocked(this.pending | bitOf(signal));
    return 0;
  }

  /** Takes the lowest pending signal of a set out; undefined where none is pending. */
  takeLocked(of: bigint): SignalInfo | undefined {
    const among = this.pending & of;
    if (among === 0n) return undefined;
    let signal = 1;
    while (!(among & bitOf(signal))) signal++;
    let taken: SignalInfo | undefined;
    let more = false;
    this.#filterLocked((info) => {
      if (info.signal !== signal) return true;
      if (taken) {
        more = true;
        return true;
      }
      taken = info;
      return false;
    });
    if (!more) this.#setPendingLocked(this.pending & ~bitOf(signal));
    return taken ?? { signal, code: 0, pid: 0, uid: 0, value: 0n };
  }

  /** Forgets every pending signal of a set: it is ignored from now on, or cleared. */
  clearLocked(of: bigint): void {
    this.#dropLocked((signal) => (of & bitOf(signal)) !== 0n);
  }

  /** The same, with what is known of them left where it is. */
  forgetLocked(of: bigint): void {
    this.#setPendingLocked(this.pending & ~of);
  }

  #dropLocked(drops: (signal: number) => boolean): void {
    let left = this.pending;
    for (let signal = 1; signal <= SIGNAL_MAX; signal++)
      if (left & bitOf(signal) && drops(signal)) left &= ~bitOf(signal);
    if (left === this.pending) return;
    this.#filterLocked(({ signal }) => !drops(signal));
    this.#setPendingLocked(left);
  }

  /** Frees the blocks of those that `keeps` does not keep. More than a few are more than one transaction holds. */
  #filterLocked(keeps: (info: SignalInfo) => boolean): void {
    let link = field(this.#slot, task.SIGNALS_QUEUE);
    let freed = 0;
    for (let steps = 0; steps < QUEUED_MAX; steps++) {
      const line = this.#lineAt(link);
      if (line === 0) return;
      const at = (line * LINE_WORDS) as Word;
      const next = field(at, signalInfo.NEXT);
      if (keeps(this.#read(at))) {
        link = next;
        continue;
      }
      if (freed === FREED_AT_ONCE_MAX) {
        this.#journal.commit(); // those so far are whole by themselves
        freed = 0;
      }
      freed++;
      this.#journal.write(link, this.#words.load(next));
      this.#allocator.freeLocked(line);
      this.#journal.write(
        field(this.#slot, task.SIGNALS_QUEUED),
        this.#words.load(field(this.#slot, task.SIGNALS_QUEUED)) - 1,
      );
    }
  }

  /** A block for what is known of one more; a negative errno where there is no room. */
  #allocateLocked(): number {
    const isFull = this.#words.load(field(this.#slot, task.SIGNALS_QUEUED)) >= QUEUED_MAX;
    // Nobody's: how many are queued for a task is bounded by itself.
    return isFull ? EAGAIN : this.#allocator.allocateLocked(signalInfo.WORDS * WORD_BYTES, NOBODY);
  }

  #appendLocked(line: number, { signal, code, pid, uid, value }: SignalInfo): void {
    const at = (line * LINE_WORDS) as Word;
    const low = Number(BigInt.asIntN(32, value));
    const high = Number(BigInt.asIntN(32, value >> 32n));
    this.#words.setSix(field(at, signalInfo.SIGNAL), signal, code, pid, uid | 0, low, high);
    let link = field(this.#slot, task.SIGNALS_QUEUE);
    for (let steps = 0; steps < QUEUED_MAX; steps++) {
      const next = this.#lineAt(link);
      if (next === 0) break;
      link = field((next * LINE_WORDS) as Word, signalInfo.NEXT);
    }
    this.#journal.write(link, line);
    this.#journal.write(
      field(this.#slot, task.SIGNALS_QUEUED),
      this.#words.load(field(this.#slot, task.SIGNALS_QUEUED)) + 1,
    );
  }

  /** The line that a link names, inside the region; 0 for none. */
  #lineAt(link: Word): number {
    const line = this.#words.load(link);
    return line > 0 && (line + 1) * LINE_WORDS <= this.#words.int32.length ? line : 0;
  }

  #read(at: Word): SignalInfo {
    const [signal, code, pid, uid, low, high] = [0, 1, 2, 3, 4, 5].map((i) =>
      this.#words.load(field(at, signalInfo.SIGNAL + i)),
    ) as [number, number, number, number, number, number];
    return { signal, code, pid, uid: uid >>> 0, value: (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0) };
  }

  #set(name: number): bigint {
    const low = this.#words.load(field(this.#slot, name));
    const high = this.#words.load(field(this.#slot, name + 1));
    return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  }

  #setSet(name: number, signals: bigint): void {
    this.#words.store(field(this.#slot, name), Number(BigInt.asIntN(32, signals)));
    this.#words.store(field(this.#slot, name + 1), Number(BigInt.asIntN(32, signals >> 32n)));
  }

  #setPendingLocked(signals: bigint): void {
    this.#journal.write(field(this.#slot, task.SIGNALS_PENDING), Number(BigInt.asIntN(32, signals)));
    this.#journal.write(field(this.#slot, task.SIGNALS_PENDING + 1), Number(BigInt.asIntN(32, signals >> 32n)));
  }
}
