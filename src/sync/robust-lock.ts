// A lock that survives its owner. One word:
//
//   0 FREE · pid HELD · bit 28 CONTESTED: somebody sleeps on this word, unlock must wake one
//   bit 29 SLEEPERS: the monitor's list has waiters, unlock must look at it (set and cleared by holders only; may be
//          set while the lock is free)
//   bit 30 REPAIR: a holder died, and what the lock guards has not been repaired since (set by who takes the lock over,
//          cleared by a holder who has repaired; may be set while the lock is free)
//
// A damaged word that names the very task that waits for it is taken over, too; one that names another living task is not: nobody
// can tell it from a lock that is held, and all wait.
//
// An owner that a signal has stopped is let run until it has unlocked, by who waits (SIGCONT itself needs the kernel lock), and
// is then stopped again; a waiter that dies in between leaves one that runs although it is marked as stopped, until it is told
// to go on.
//
// What a death leaves behind: before the first store nothing; while held, the dead pid in the word, which the next
// contender replaces by its own with one compare-exchange, and then repairs; after the unlocking store and before the
// wake call, sleepers who wake by themselves at the end of their slice. A pid is used again only after
// 2^28 / tasksMax tasks have lived in its slot, so a word that names a dead task does not come to name a living one.

import { PID_BOUND, WAIT_SLICE_MS } from "../abi/limits.ts";
import { headerWord } from "../memory/region.ts";
import type { Word, Words } from "../memory/words.ts";
import type { Spin } from "./spin.ts";
import type { Parker } from "./world.ts";

export type Pid = number & { readonly brand: "pid" };

const OWNER = PID_BOUND - 1;
export const CONTESTED = 1 << 28;
export const SLEEPERS = 1 << 29;
export const REPAIR = 1 << 30;

const ownerOf = (word: number): Pid => (word & OWNER) as Pid;
const isFree = (word: number): boolean => (word & OWNER) === 0;

/** What a lock needs to know of the task that uses it. */
export interface LockUser {
  readonly words: Words;
  readonly pid: Pid;
  readonly parker: Parker;
  /** Locks that this task holds while the caller's own code runs (Monitor.lendLocked). */
  readonly lent: Set<Word>;
  isAlive(pid: Pid): boolean;
  /** Lets a task that this kernel has stopped run until `isDone`, which is asked again and again; nothing for one that runs. */
  letStoppedRun(pid: Pid, isDone: () => boolean): void;
}

const IN_PLACE =
  "what is used here is being written or read in place, by a function that has called this: it can be used once that has returned";

export class RobustLock {
  readonly #words: Words;
  readonly #word: Word;
  readonly #user: LockUser;
  readonly #pid: Pid;
  readonly #spin: Spin;

  constructor(user: LockUser, word: Word, spin: Spin) {
    this.#words = user.words;
    this.#word = word;
    this.#user = user;
    this.#pid = user.pid;
    this.#spin = spin;
  }

  /** Returns true where an owner has died: what the lock guards may be half-done until `repairedLocked` says otherwise. */
  acquire(): boolean {
    if (this.#words.compareExchange(this.#word, 0, this.#pid) === 0) return false;
    return this.acquireContended();
  }

  /** One compare-exchange; false where anything but a plain unlock is due, and the lock is still held. */
  tryReleaseFast(): boolean {
    return this.#words.compareExchange(this.#word, this.#pid, 0) === this.#pid;
  }

  release(): void {
    if (!this.tryReleaseFast()) this.releaseContended(false);
  }

  /** Unlocks with the SLEEPERS bit as told, and wakes one contender. */
  releaseContended(sleepers: boolean): void {
    const repair = this.#words.load(this.#word) & REPAIR;
    const before = this.#words.exchange(this.#word, sleepers ? SLEEPERS | repair : repair);
    if (before & CONTESTED) this.#user.parker.unpark(this.#word, 1);
  }

  /** What the lock guards is whole again. */
  repairedLocked(): void {
    for (;;) {
      const word = this.#words.load(this.#word); // a contender may add its bit meanwhile
      if (this.#words.compareExchange(this.#word, word, word & ~REPAIR) === word) return;
    }
  }

  hasSleepersLocked(): boolean {
    return (this.#words.load(this.#word) & SLEEPERS) !== 0;
  }

  /** The rest of `acquire`, whose compare-exchange has failed. */
  acquireContended(): boolean {
    if (this.#user.lent.has(this.#word)) throw new TypeError(IN_PLACE);
    const words = this.#words;
    const limit = this.#spin.begin();
    for (let turn = 0; turn < limit; turn++) {
      const word = words.load(this.#word);
      if (isFree(word) && words.compareExchange(this.#word, word, word | this.#pid) === word) {
        this.#spin.hit();
        return (word & REPAIR) !== 0;
      }
      this.#spin.relax();
    }
    if (limit > 0) this.#spin.miss();
    return this.#acquireSleeping();
  }

  #acquireSleeping(): boolean {
    const words = this.#words;
    let slept = false;
    for (;;) {
      const word = words.load(this.#word);
      if (isFree(word)) {
        // Having slept, we cannot know whether others still do: keep the bit for them.
        const mine = word | this.#pid | (slept ? CONTESTED : 0);
        if (words.compareExchange(this.#word, word, mine) === word) return (word & REPAIR) !== 0;
        continue;
      }
      const contested = word | CONTESTED;
      if (word !== contested && words.compareExchange(this.#word, word, contested) !== word) continue;
      this.#user.parker.park(this.#word, contested, WAIT_SLICE_MS / 2);
      slept = true;
      if (words.load(this.#word) !== contested) continue;
      if (!this.#isAbandoned(contested)) this.#letOwnerLeave(contested);
      else if (this.#takeOver(contested)) return true;
    }
  }

  /** Its owner is dead; or is this task itself, which waits here: so somebody has damaged the word. */
  #isAbandoned(word: number): boolean {
    const owner = ownerOf(word);
    return owner === this.#pid || !this.#user.isAlive(owner);
  }

  /** An owner that was stopped would hold it for ever: whoever is to let it go on may be waiting here. */
  #letOwnerLeave(seen: number): void {
    this.#user.letStoppedRun(ownerOf(seen), () => {
      this.#user.parker.park(this.#word, seen, WAIT_SLICE_MS / 2);
      return this.#words.load(this.#word) !== seen;
    });
  }

  #takeOver(seen: number): boolean {
    const mine = (seen & ~OWNER) | this.#pid | REPAIR;
    if (this.#words.compareExchange(this.#word, seen, mine) !== seen) return false;
    const counter = headerWord("TAKEN_OVER");
    this.#words.store(counter, this.#words.load(counter) + 1); // a statistic: may miss one
    return true;
  }
}
