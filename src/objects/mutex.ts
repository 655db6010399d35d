// A mutex that survives its owner (pthread_mutex_lock(3p), pthread_mutexattr_setrobust(3), the mission's "Task Mutex"). One word:
//
//   0 FREE · pid HELD · bit 29 INCONSISTENT: an owner has died while it held it, and nobody has said since that what it
//          guards is whole again · bit 30 LOST: it was unlocked while INCONSISTENT, and is of no use any more
//
// Locking is one compare-exchange, and so is unlocking; the lock of the monitor is for those who wait. Whoever unlocks looks
// at the monitor after that, and one who waits enlists before its look: one of them sees the other. Who waits sleeps at once:
// one that spins takes the word's cache line from the owner, again and again.
//
// What a death leaves behind: the dead owner's pid, which whoever buries the task replaces by INCONSISTENT; after an unlock's
// store, waiters who were not woken, and look by themselves at the end of their slice.

import { EAGAIN, EDEADLK, EINVAL, ENOTRECOVERABLE, EPERM } from "../abi/errno.ts";
import { PID_BOUND } from "../abi/limits.ts";
import { mutex, mutexTypes } from "../memory/layout.ts";
import { field, LINE_WORDS, WORD_BYTES, type Word, type Words } from "../memory/words.ts";
import { EVERYBODY, Monitor, type MonitorUser } from "../sync/monitor.ts";
import { noSpin } from "../sync/spin.ts";
import type { Condition } from "../sync/waiting.ts";

export const MUTEX_BODY_BYTES = mutex.WORDS * WORD_BYTES;

/** What locking may say beside 0: it is held now, and its owner before has died (EOWNERDEAD). */
export const OWNER_DIED = 1;

const OWNER = PID_BOUND - 1;
export const INCONSISTENT = 1 << 29;
export const LOST = 1 << 30;

export class Mutex {
  /** For those who wait: nobody holds it, or nobody ever will. */
  readonly free: Condition;
  readonly #words: Words;
  readonly #pid: number;
  readonly #monitor: Monitor;
  readonly #state: Word;
  readonly #count: Word;
  readonly #type: number;

  constructor(user: MonitorUser, bodyLine: number) {
    const body = (bodyLine * LINE_WORDS) as Word;
    this.#words = user.words;
    this.#pid = user.pid;
    this.#state = field(body, mutex.STATE);
    this.#count = field(body, mutex.COUNT);
    this.#type = user.words.load(field(body, mutex.TYPE));
    this.#monitor = new Monitor(user, field(body, mutex.MONITOR), { repair: () => {} });
    this.free = { monitor: this.#monitor, spin: noSpin, ready: () => this.owner === 0 };
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
    if (this.#words.compareExchange(this.#state, this.#pid, 0) !== this.#pid) return this.#unlockWithCare();
    if (!this.#monitor.isQuiet()) this.#monitor.notify(1);
    return 0;
  }

  #unlockWithCare(): number {
    const words = this.#words;
    const state = words.load(this.#state);
    if ((state & OWNER) !== this.#pid) return EPERM;
    if (this.#type === mutexTypes.RECURSIVE) {
      const count = words.get(this.#count);
      if (count > 0) {
        words.set(this.#count, count - 1);
        return 0;
      }
    }
    words.store(this.#state, state & INCONSISTENT ? LOST : 0); // PUBLISHES the unlock → observed in tryLock()
    if (!this.#monitor.isQuiet()) this.#monitor.notify(state & INCONSISTENT ? EVERYBODY : 1);
    return 0;
  }

  /** What it guards is whole again (pthread_mutex_consistent(3)). EINVAL where that was not in doubt, or another holds it. */
  markConsistent(): number {
    if (this.#words.load(this.#state) !== (this.#pid | INCONSISTENT)) return EINVAL;
    this.#words.store(this.#state, this.#pid);
    return 0;
  }

  /** Whether this task holds it exactly once. */
  isHeldOnce(): boolean {
    return this.owner === this.#pid && (this.#type !== mutexTypes.RECURSIVE || this.#words.get(this.#count) === 0);
  }

  /** Takes it from an owner that is dead, for whoever buries that one. */
  ownerDied(isDead: (pid: number) => boolean): void {
    const state = this.#words.load(this.#state);
    if ((state & OWNER) === 0 || !isDead(state & OWNER)) return;
    // PUBLISHES that the owner has died → observed in tryLock()
    if (this.#words.compareExchange(this.#state, state, INCONSISTENT) !== state) return;
    if (!this.#monitor.isQuiet()) this.#monitor.notify(1);
  }

  #tryLockWithCare(): number {
    const words = this.#words;
    for (;;) {
      const state = words.load(this.#state);
      if (state === LOST) return ENOTRECOVERABLE;
      if ((state & OWNER) === this.#pid) return this.#lockAgain();
      if ((state & OWNER) !== 0) return EAGAIN;
      if (words.compareExchange(this.#state, state, state | this.#pid) !== state) continue;
      if (state & INCONSISTENT && this.#type === mutexTypes.RECURSIVE) words.set(this.#count, 0);
      return state & INCONSISTENT ? OWNER_DIED : 0;
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
