// A read/write lock (pthread_rwlock_rdlock(3p)). Who reads stands in a table of one word for each slot of a task, so that what
// a dead reader held is known; who writes stands in WRITER:
//
//   a reader's word: how often its task reads · bit 30 ASKING: it has said so, and has not looked at WRITER yet
//   WRITER: 0 nobody · pid of who writes · bit 29 WANTED: a writer waits, and no reader that does not read already may begin
//
// A reader says that it asks, then looks at WRITER, then stands or goes back. A writer, under the monitor's lock, puts its pid
// into WRITER, then looks at every reader: one of the two sees the other. WRITER changes under the lock only, save that the
// writer itself goes out by one store.
//
// Waiters stand in one line. A writer is let in when it is the first and nobody reads; readers up to the first writer.
//
// What a death leaves behind: its words, which whoever buries the task clears, and then lets in who waits.

import { EAGAIN, EDEADLK, EPERM } from "../abi/errno.ts";
import { PID_BOUND } from "../abi/limits.ts";
import { isBodyLine, node, rwlock } from "../memory/layout.ts";
import { field, LINE_WORDS, WORD_BYTES, type Word, type Words } from "../memory/words.ts";
import { Monitor, type MonitorUser } from "../sync/monitor.ts";
import { noSpin } from "../sync/spin.ts";
import type { Node, Selector } from "../sync/wait-list.ts";
import type { Attempt, Condition } from "../sync/waiting.ts";

export const RWLOCK_BODY_BYTES = rwlock.WORDS * WORD_BYTES;
export const readersBytes = (tasksMax: number): number => tasksMax * WORD_BYTES;

const OWNER = PID_BOUND - 1;
const WANTED = 1 << 29;
const ASKING = 1 << 30;
/** Credit for all that may go on. */
const ALL_THAT_FIT = 0x7ffffffe;
/** How long a writer looks at a reader that asks: it is between two instructions, unless it sleeps there, or has died. */
const ASKING_TURNS_MAX = 5000;

/** What a waiter's node says it is. */
const READER: Selector = { kind: 1, low: 0, high: 0 };
export const WRITER: Selector = { kind: 2, low: 0, high: 0 };

/** How to lock in one of the two ways. */
export interface Way {
  readonly condition: Condition;
  /** 0, EAGAIN, EDEADLK. */
  readonly attempt: Attempt;
}

export class ReadWriteLock {
  readonly reading: Way;
  readonly writing: Way;
  readonly #words: Words;
  readonly #pid: number;
  readonly #tasksMax: number;
  readonly #monitor: Monitor;
  readonly #writer: Word;
  readonly #readers: Word;
  readonly #own: Word;
  readonly #relax: () => void;

  constructor(user: MonitorUser, bodyLine: number) {
    const { words, geometry } = user;
    const body = (bodyLine * LINE_WORDS) as Word;
    this.#words = words;
    this.#pid = user.pid;
    this.#tasksMax = geometry.limits.tasksMax;
    this.#writer = field(body, rwlock.WRITER);
    const block = words.load(field(body, rwlock.BLOCK));
    // A damaged one reads as the heap's first lines: never outside.
    this.#readers = ((isBodyLine(geometry, block) ? block : geometry.heapLine) * LINE_WORDS) as Word;
    this.#own = field(this.#readers, (user.pid - 1) % this.#tasksMax);
    const monitor = new Monitor(user, field(body, rwlock.MONITOR), { fits: (at) => this.#fits(at), repair: () => {} });
    this.#monitor = monitor;
    const spin = user.newSpin();
    this.#relax = () => spin.relax();
    this.reading = {
      condition: { monitor, spin, selector: READER, ready: () => this.#mayRead() },
      attempt: (woken) => this.tryRead(woken),
    };
    this.writing = {
      condition: { monitor, spin: noSpin, selector: WRITER, ready: () => this.#mayWrite() },
      attempt: (woken) => this.tryWrite(woken),
    };
  }

  /** Writes the body of a new lock, whose readers are a block from `readersLine` on. Nobody else can see it yet. */
  static format(words: Words, bodyLine: number, readersLine: number): void {
    words.set(field((bodyLine * LINE_WORDS) as Word, rwlock.BLOCK), readersLine);
  }

  /** The pid of the task that writes, 0 where none does. */
  get writer(): number {
    return this.#words.load(this.#writer) & OWNER;
  }

  /** The pids, or the slots of them, of the tasks that read: slots from 0. */
  readingSlots(): number[] {
    const slots: number[] = [];
    for (let i = 0; i < this.#tasksMax; i++) if (this.#words.load(field(this.#readers, i)) !== 0) slots.push(i);
    return slots;
  }

  /**
   * Locks for reading: 0, EAGAIN where a task writes or a writer waits, EDEADLK where this one writes. A task that reads already
   * reads once more, though a writer waits: else it would wait for itself. `invited`: it was let in before that writer.
   */
  tryRead(invited = false): number {
    const words = this.#words;
    const before = words.get(this.#own);
    words.store(this.#own, before | ASKING); // PUBLISHES the question → observed in #isRead()
    const writer = words.load(this.#writer);
    const free = this.#admits(writer, before, invited);
    words.store(this.#own, free ? before + 1 : before);
    if (free) return 0;
    if ((writer & OWNER) === 0) return EAGAIN;
    return (writer & OWNER) === this.#pid ? EDEADLK : this.#tryReadLocked(before, invited);
  }

  /** Under the lock, where a writer that only tried has gone back. None can begin meanwhile: this task stands at once. */
  #tryReadLocked(before: number, invited: boolean): number {
    this.#monitor.enter();
    const free = this.#admits(this.#words.load(this.#writer), before, invited);
    if (free) this.#words.store(this.#own, before + 1);
    return this.#leaveWith(free ? 0 : EAGAIN);
  }

  /** Whether WRITER lets a task read that does so `before` times already. */
  #admits(writer: number, before: number, invited: boolean): boolean {
    return writer === 0 || (writer === WANTED && (before > 0 || invited));
  }

  /** Locks for writing: 0, EAGAIN where others read or write, EDEADLK where this task does itself. */
  tryWrite(_invited = false): number {
    const words = this.#words;
    if (this.writer === this.#pid || words.get(this.#own) > 0) return EDEADLK;
    this.#monitor.enter();
    const state = words.load(this.#writer);
    if ((state & OWNER) !== 0) return this.#leaveWith(EAGAIN);
    words.store(this.#writer, this.#pid); // PUBLISHES the writer → observed in tryRead()
    if (!this.#isRead()) return this.#leaveWith(0);
    words.store(this.#writer, state);
    return this.#leaveWith(EAGAIN);
  }

  /** Unlocks what this task has locked last in the one or the other way; EPERM where it has not. */
  unlock(): number {
    const words = this.#words;
    if (this.writer === this.#pid) words.store(this.#writer, 0);
    else {
      const count = words.get(this.#own);
      if (count === 0) return EPERM;
      words.store(this.#own, count - 1);
      if (count > 1) return 0;
    }
    if (!this.#monitor.isQuiet()) this.#letIn();
    return 0;
  }

  /** Clears what the tasks of a slot held, for whoever buries them. */
  buried(slotIndex: number): void {
    const words = this.#words;
    const own = field(this.#readers, slotIndex);
    const writer = this.writer;
    const wrote = writer !== 0 && (writer - 1) % this.#tasksMax === slotIndex;
    if (wrote) words.store(this.#writer, 0);
    if (words.load(own) !== 0) words.store(own, 0);
    const wasWanted = words.load(this.#writer) === WANTED; // perhaps by nobody any more
    if (wasWanted || !this.#monitor.isQuiet()) this.#letIn();
  }

  /** For a writer that has given up waiting: readers that waited for it need not any more. */
  gaveUp(): void {
    this.#letIn();
  }

  /** Wakes who may go on, now that somebody has gone, or has given up waiting. */
  #letIn(): void {
    this.#monitor.enter();
    const words = this.#words;
    const waiters = [...this.#monitor.waitersLocked()];
    const wanted = waiters.some((at) => this.#isWriter(at)) ? WANTED : 0;
    const state = words.load(this.#writer);
    if ((state & OWNER) === 0 && state !== wanted) words.store(this.#writer, wanted);
    const [first] = waiters;
    this.#monitor.leave(first !== undefined && this.#isWriter(first) ? 1 : ALL_THAT_FIT);
  }

  #isWriter(at: Node): boolean {
    return this.#words.get(field(at, node.SELECT_KIND)) === WRITER.kind;
  }

  /** Under the lock: whether a waiter may go on. */
  #fits(at: Node): boolean {
    if (this.writer !== 0) return false;
    for (const first of this.#monitor.waitersLocked()) {
      if (first === at) return !this.#isWriter(at) || !this.#isRead();
      if (this.#isWriter(first)) return false;
    }
    return false;
  }

  /** Also without the lock: then it is a guess. */
  #mayRead(): boolean {
    return this.#words.load(this.#writer) === 0;
  }

  /** Where it may not, under the lock, the writer is about to wait: readers that come now wait too. */
  #mayWrite(): boolean {
    const words = this.#words;
    const state = words.load(this.#writer);
    if ((state & OWNER) === 0 && !this.#isRead()) return true;
    if ((state & OWNER) === 0 && state !== WANTED) words.compareExchange(this.#writer, 0, WANTED);
    return false;
  }

  /** Whether any task reads. One that asks is looked at until it stands or has gone back. */
  #isRead(): boolean {
    const words = this.#words;
    for (let i = 0; i < this.#tasksMax; i++) {
      const at = field(this.#readers, i);
      let seen = words.load(at);
      for (let turn = 0; turn < ASKING_TURNS_MAX && seen & ASKING; turn++) {
        this.#relax();
        seen = words.load(at);
      }
      // What was seen last: one that asks only now finds this writer, and goes back.
      if (seen !== 0) return true;
    }
    return false;
  }

  #leaveWith(result: number): number {
    this.#monitor.leave(0);
    return result;
  }
}
