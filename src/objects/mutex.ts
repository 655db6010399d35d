// A mutex that survives its owner (pthread_mutex_lock(3p), pthread_mutexattr_setrobust(3), the mission's "Task Mutex"). One word:
//
//   0 FREE · pid HELD · with it
//   bit 28 WAITERS: somebody stands in the monitor's list, or may: unlocking must look (set under the monitor's lock by who is about
//          to wait; may be set while it is free)
//   bit 29 INCONSISTENT: an owner has died while it held it, and nobody has said since that what it guards is whole again
//   bit 30 LOST: it was unlocked while INCONSISTENT, and is of no use any more
//   bit 31 HANDED: it was given to a waiter of that task, which has not looked yet
//
// Locking is one compare-exchange, and so is unlocking; the lock of the monitor is for those who wait. Who waits sleeps at once:
// one that spins takes the word's cache line from the owner, again and again.
//
// Whoever unlocks mostly leaves it free, and wakes the first that waits: who is awake and wants it does not wait for a wake-up that
// takes as long as hundreds of locks. But now and then the first gets it, so that nobody who sleeps is passed over for ever. One who
// does not come for what it was given, as it was stopped or has no CPU, loses it to the next that looks.
//
// What a death leaves behind: the dead owner's pid, which whoever buries the task replaces by INCONSISTENT, or by 0 where it was
// HANDED and nothing was done yet; after an unlock's store, waiters who were not woken, and look by themselves at the end of their
// slice.

import { EAGAIN, EDEADLK, EINVAL, ENOTRECOVERABLE, EPERM } from "../abi/errno.ts";
import { PID_BOUND } from "../abi/limits.ts";
import { mutex, mutexTypes } from "../memory/layout.ts";
import { field, LINE_WORDS, WORD_BYTES, type Word, type Words } from "../memory/words.ts";
import { elapsedMs, GIVEN_MS_MAX, HANDING_MS } from "../sync/handing.ts";
import { EVERYBODY, Monitor, type MonitorUser } from "../sync/monitor.ts";
import { noSpin } from "../sync/spin.ts";
import { NO_NODE } from "../sync/wait-list.ts";
import type { Condition } from "../sync/waiting.ts";
import type { World } from "../sync/world.ts";

export const MUTEX_BODY_BYTES = mutex.WORDS * WORD_BYTES;

/** What locking may say beside 0: it is held now, and its owner before has died (EOWNERDEAD). */
export const OWNER_DIED = 1;

const OWNER = PID_BOUND - 1;
const WAITERS = 1 << 28;
export const INCONSISTENT = 1 << 29;
export const LOST = 1 << 30;
const HANDED = 1 << 31;

/** The task that uses it. */
export interface MutexUser extends MonitorUser {
  readonly world: Pick<World, "nowMs">;
}

export class Mutex {
  /** For those who wait: nobody holds it, or nobody ever will. */
  readonly free: Condition;
  readonly #words: Words;
  readonly #pid: number;
  readonly #monitor: Monitor;
  readonly #world: Pick<World, "nowMs">;
  readonly #state: Word;
  readonly #handedMs: Word;
  readonly #count: Word;
  readonly #type: number;

  constructor(user: MutexUser, bodyLine: number) {
    const body = (bodyLine * LINE_WORDS) as Word;
    this.#words = user.words;
    this.#pid = user.pid;
    this.#state = field(body, mutex.STATE);
    this.#world = user.world;
    this.#handedMs = field(body, mutex.HANDED_MS);
    this.#count = field(body, mutex.COUNT);
    this.#type = user.words.load(field(body, mutex.TYPE));
    this.#monitor = new Monitor(user, field(body, mutex.MONITOR), { repair: () => {} });
    this.free = {
      monitor: this.#monitor,
      spin: noSpin,
      ready: () => this.#isToBeHad(this.#words.load(this.#state)),
      readyOrMarked: () => this.#isToBeHadOrMarked(),
      settled: () => this.#decline(),
    };
  }

  /** Writes the body of a new mutex; `type` is one of `mutexTypes`. Nobody else can see it yet. */
  static format(words: Words, bodyLine: number, type: number): void {
    words.set(field((bodyLine * LINE_WORDS) as Word, mutex.TYPE), type);
  }

  /** The pid of the task that holds it, 0 where none does. */
  get owner(): number {
    return this.#words.load(this.#state) & OWNER;
  }

  /**
   * Locks: 0, or OWNER_DIED. EAGAIN where another task holds it, or this one and the type is normal; EDEADLK where this one
   * does and the type is error-checking; ENOTRECOVERABLE.
   */
  tryLock(): number {
    const words = this.#words;
    if (words.compareExchange(this.#state, 0, this.#pid) === 0) return 0;
    return this.#tryLockWithCare();
  }

  /** EPERM where this task does not hold it. */
  unlock(): number {
    if (this.#type === mutexTypes.RECURSIVE) return this.#unlockWithCare();
    // PUBLISHES the unlock → observed in tryLock()
    return this.#words.compareExchange(this.#state, this.#pid, 0) === this.#pid ? 0 : this.#unlockWithCare();
  }

  #unlockWithCare(): number {
    const words = this.#words;
    const state = words.load(this.#state);
    if (!this.#isHeld(state)) return EPERM;
    if (this.#type === mutexTypes.RECURSIVE) {
      const count = words.get(this.#count);
      if (count > 0) {
        words.set(this.#count, count - 1);
        return 0;
      }
    }
    const isLost = (state & INCONSISTENT) !== 0;
    // Nobody waits: PUBLISHES the unlock → observed in tryLock(). A mark that comes in this moment is seen to below.
    const isQuiet = (state & WAITERS) === 0;
    if (isQuiet && words.compareExchange(this.#state, state, isLost ? LOST : 0) === state) return 0;
    this.#monitor.enter();
    if (isLost) this.#leaveLostLocked();
    else if (!this.#handOverLocked()) this.#leaveFreeLocked();
    return 0;
  }

  #leaveLostLocked(): void {
    this.#words.store(this.#state, LOST);
    this.#monitor.leave(EVERYBODY);
  }

  /** PUBLISHES the unlock → observed in tryLock(); and wakes the first that waits. */
  #leaveFreeLocked(): void {
    this.#words.store(this.#state, this.#monitor.hasSeveralLocked() ? WAITERS : 0);
    this.#monitor.leave(1);
  }

  /** Gives it to the first that waits, if that sleeps, and it is time to. A promise is not given it: its event loop may be busy. */
  #handOverLocked(): boolean {
    const words = this.#words;
    const first = this.#monitor.firstLocked();
    if (first === NO_NODE || !this.#monitor.isAsleepLocked(first)) return false;
    const now = this.#world.nowMs();
    if (elapsedMs(words.get(this.#handedMs), now) < HANDING_MS) return false;
    words.store(this.#handedMs, now);
    const others = this.#monitor.hasSeveralLocked() ? WAITERS : 0;
    // PUBLISHES to whom it was given → observed in tryLock(). A death before it is woken: it looks at the end of its slice.
    words.store(this.#state, this.#monitor.ownerOfLocked(first) | HANDED | others);
    this.#monitor.takeOutLocked(first);
    this.#monitor.leave(0);
    return true;
  }

  /** For a wait that was woken, and has not taken the lock: where it was given it, it is free. Returns whether it was. */
  #decline(): boolean {
    const state = this.#words.load(this.#state);
    return this.#isGiven(state) && this.#words.compareExchange(this.#state, state, state & WAITERS) === state;
  }

  /** What it guards is whole again (pthread_mutex_consistent(3)). EINVAL where that was not in doubt, or another holds it. */
  markConsistent(): number {
    const words = this.#words;
    for (;;) {
      const state = words.load(this.#state);
      if ((state & ~WAITERS) !== (this.#pid | INCONSISTENT)) return EINVAL;
      if (words.compareExchange(this.#state, state, state & ~INCONSISTENT) === state) return 0;
    }
  }

  /** Whether this task holds it exactly once. */
  isHeldOnce(): boolean {
    const isHeld = this.#isHeld(this.#words.load(this.#state));
    return isHeld && (this.#type !== mutexTypes.RECURSIVE || this.#words.get(this.#count) === 0);
  }

  /** Takes it from an owner that is dead, for whoever buries that one. */
  ownerDied(isDead: (pid: number) => boolean): void {
    const words = this.#words;
    for (;;) {
      const state = words.load(this.#state);
      if ((state & OWNER) === 0 || !isDead(state & OWNER)) return;
      const after = (state & WAITERS) | (state & HANDED ? 0 : INCONSISTENT);
      // PUBLISHES that the owner has died → observed in tryLock()
      if (words.compareExchange(this.#state, state, after) === state) break;
    }
    if (!this.#monitor.isQuiet()) this.#monitor.notify(1);
  }

  #tryLockWithCare(): number {
    const words = this.#words;
    for (;;) {
      const state = words.load(this.#state);
      if (state & LOST) return ENOTRECOVERABLE;
      if (this.#isHeld(state)) return this.#lockAgain();
      if (!this.#isToBeHad(state)) return EAGAIN;
      const mine = (state & (WAITERS | INCONSISTENT)) | this.#pid;
      if (words.compareExchange(this.#state, state, mine) !== state) continue;
      if (state & INCONSISTENT && this.#type === mutexTypes.RECURSIVE) words.set(this.#count, 0);
      return state & INCONSISTENT ? OWNER_DIED : 0;
    }
  }

  /** By this task, which knows of it. */
  #isHeld(state: number): boolean {
    return (state & (OWNER | HANDED)) === this.#pid;
  }

  /** To this task, which does not know of it yet. */
  #isGiven(state: number): boolean {
    return (state & (OWNER | HANDED)) === (this.#pid | HANDED);
  }

  /** It is free; or given to this task, or to another one that has not come for it. */
  #isToBeHad(state: number): boolean {
    if ((state & OWNER) === 0 || this.#isGiven(state)) return true;
    return (state & HANDED) !== 0 && elapsedMs(this.#words.load(this.#handedMs), this.#world.nowMs()) > GIVEN_MS_MAX;
  }

  /** Under the monitor's lock: the same; or else who unlocks will look for those who wait. */
  #isToBeHadOrMarked(): boolean {
    const words = this.#words;
    for (;;) {
      const state = words.load(this.#state);
      if (this.#isToBeHad(state)) return true;
      if (state & WAITERS || words.compareExchange(this.#state, state, state | WAITERS) === state) return false;
    }
  }

  #lockAgain(): number {
    if (this.#type === mutexTypes.ERROR_CHECKING) return EDEADLK;
    if (this.#type === mutexTypes.NORMAL) return EAGAIN;
    const count = this.#words.get(this.#count);
    if (count === COUNT_MAX) return EDEADLK;
    this.#words.set(this.#count, count + 1);
    return 0;
  }
}

const COUNT_MAX = 2 ** 31 - 1;
