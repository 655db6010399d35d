// A monitor: a robust lock, and the list of those who wait for what its holders do (Hoare 1974, with the signalling of
// Mesa: who is woken looks again). Senders of a queue hold one while they append, and receivers wait in its list.
//
// Nothing is paid for waiting until somebody waits: the SLEEPERS bit in the lock's own word makes the one compare-exchange
// of an unlock fail, and only then does the holder look at the list.
//
// No wake-up is lost: a waiter enters, looks, and enlists while it holds the lock, so what it looked at cannot have changed
// before it stands in the list. A woken waiter that leaves without what it was woken for passes the wake on.

import type { Geometry } from "../memory/layout.ts";
import { monitor, node } from "../memory/layout.ts";
import { field, type Word, type Words } from "../memory/words.ts";
import type { Bell } from "./bell.ts";
import { wakePoll } from "./poll-word.ts";
import { type LockUser, type Pid, RobustLock } from "./robust-lock.ts";
import type { Spin } from "./spin.ts";
import {
  AWAITED,
  IDLE,
  type INTERRUPTED,
  isTakenOut,
  NO_NODE,
  type Node,
  POLLED,
  type Selector,
  SLEEPING,
  stateOf,
  WAITING,
  WaitList,
  type WOKEN,
} from "./wait-list.ts";

export interface MonitorUser extends LockUser {
  readonly geometry: Geometry;
  readonly bell: Bell;
  newSpin(): Spin;
}

/** What a monitor needs to know of the object it belongs to. */
export interface Guarded {
  /** Says under the lock whether there is something for a waiter that is particular about it. */
  readonly fits?: (at: Node) => boolean;
  /** Told under the lock of the first that is woken by `leave`, where its thread sleeps: something may be kept for it. */
  readonly waking?: (at: Node) => void;
  /** Makes whole, under the lock, what a dead holder left half-done. May itself be interrupted, and run again. */
  readonly repair: () => void;
}

/** A node that was taken out of the list, and how its owner is to be woken. */
interface Taken {
  readonly at: Node;
  readonly state: number;
  readonly owner: number;
}

/** Credit for `leave` where everybody may go on. */
export const EVERYBODY = 0x7fffffff;

export class Monitor {
  readonly #words: Words;
  readonly #user: MonitorUser;
  readonly #lockWord: Word;
  readonly #pid: number;
  readonly #lock: RobustLock;
  readonly #list: WaitList;
  readonly #guarded: Guarded | undefined;
  /** Taken out by this holder, to be woken once it has left. */
  #taken: Taken[] | undefined;

  /** Without `guarded` only the list can be used, and the object's own repair is left to somebody who knows it. */
  constructor(user: MonitorUser, base: Word, guarded?: Guarded) {
    this.#words = user.words;
    this.#user = user;
    this.#lockWord = field(base, monitor.LOCK);
    this.#pid = user.pid;
    this.#lock = new RobustLock(user, this.#lockWord, user.newSpin());
    this.#list = new WaitList(user.words, user.geometry, base);
    this.#guarded = guarded;
  }

  /** Locks. Where a holder has died, what it left half-done is repaired first. */
  enter(): void {
    // The fast half of acquire(), here for the engine: what is nested deeper is no longer inlined where it counts.
    if (this.#words.compareExchange(this.#lockWord, 0, this.#pid) !== 0) this.#enterContended();
  }

  /**
   * Unlocks. `credit` is how much has become available for those who wait: in order of arrival, those nodes are woken that
   * want no more than what is left of it. One that wants much can be passed by those that want little. Those that only look
   * are all woken by any credit.
   */
  leave(credit: number): void {
    if (this.#words.compareExchange(this.#lockWord, this.#pid, 0) !== this.#pid) this.leaveContended(credit);
  }

  /** The same, where the position that this lock guards moves at once with it (of a ring, monitor.POSITION). PUBLISHES it. */
  leaveMoved(before: number, after: number, credit: number): void {
    if (!this.#words.moveAndUnlock(this.#lockWord, this.#pid, before, after)) this.leaveContended(credit);
  }

  /** The rest of `leave`, whose compare-exchange has failed: the lock is still held. */
  leaveContended(credit: number): void {
    if (!this.#lock.hasSleepersLocked()) {
      this.#leaveWaking(false);
      return;
    }
    const first = credit > 0 ? this.#takeFitting(credit) : NO_NODE;
    if (first === NO_NODE) {
      this.#leaveWaking(!this.#list.isEmptyLocked());
      return;
    }
    const firstOwner = this.#list.ownerOf(first);
    const left = credit === EVERYBODY ? EVERYBODY : credit - this.#list.wantOf(first);
    // Where everybody is to look again, there need not be anything.
    if (credit !== EVERYBODY && this.#guarded?.waking && this.isAsleepLocked(first)) this.#guarded.waking(first);
    const firstState = this.#list.takeLocked(first);
    const others = this.#takeOthers(left);
    this.#lock.releaseContended(!this.#list.isEmptyLocked());
    this.#wake(first, firstState, firstOwner);
    if (others) for (const other of others) this.#wake(other.at, other.state, other.owner);
  }

  /**
   * Runs code of the caller's, which uses what the lock guards, and may use anything else. Whatever it throws goes on; the lock is
   * still held.
   */
  lendLocked(use: () => void): void {
    const { lent } = this.#user;
    lent.add(this.#lockWord);
    try {
      use();
    } finally {
      lent.delete(this.#lockWord);
    }
  }

  /** Unlocks where nobody waits or wants the lock: else it is still held, and those who wait can be seen to before `leave`. */
  tryLeave(): boolean {
    return this.#words.compareExchange(this.#lockWord, this.#pid, 0) === this.#pid;
  }

  /**
   * Calls `visit` for each node in order of arrival, until it returns true. It may take out the node that it is called for.
   */
  eachLocked(visit: (at: Node) => boolean): void {
    let at = this.#list.firstLocked();
    for (let steps = this.#user.geometry.limits.waitersMax; at !== NO_NODE && steps > 0; steps--) {
      const next = this.#list.afterLocked(at);
      if (visit(at)) return;
      at = next;
    }
  }

  /** The one that has waited longest, or NO_NODE. */
  firstLocked(): Node {
    return this.#list.firstLocked();
  }

  hasSeveralLocked(): boolean {
    const first = this.#list.firstLocked();
    return first !== NO_NODE && this.#list.afterLocked(first) !== NO_NODE;
  }

  ownerOfLocked(at: Node): number {
    return this.#list.ownerOf(at);
  }

  /** Whether its owner's thread sleeps for it, or is about to: neither a promise, nor a poll. */
  isAsleepLocked(at: Node): boolean {
    const state = this.#words.load(stateOf(at));
    return state === WAITING || state === SLEEPING;
  }

  /** Takes out a node whose owner need wait no longer. It is woken in `leave`. */
  takeOutLocked(at: Node): void {
    const owner = this.#list.ownerOf(at);
    this.#taken ??= [];
    this.#taken.push({ at, owner, state: this.#list.takeLocked(at) });
  }

  /** Puts a node in the list and unlocks, for one that has looked under the lock. `state` is WAITING. */
  enlistAndLeave(at: Node, state: number, want: number, selector: Selector): void {
    this.#list.enlistLocked(at, state, want, selector);
    this.#leaveWaking(true);
  }

  /**
   * Puts a node in the list, unless `ready` says under the lock that there is nothing to wait for. `state` is WAITING or
   * AWAITED.
   */
  enlist(
    at: Node,
    state: number,
    want: number,
    ready: (want: number) => boolean,
    selector?: Selector | undefined,
  ): boolean {
    this.enter();
    if (ready(want)) {
      this.leave(0);
      return false;
    }
    this.#list.enlistLocked(at, state, want, selector);
    this.#lock.releaseContended(true);
    return true;
  }

  /** Takes a node out of the list; returns the state it was in: WOKEN, INTERRUPTED or another. */
  delist(at: Node): number {
    const state = this.#words.load(stateOf(at));
    if (isTakenOut(state)) {
      // Whoever took it out has done with it: it is ours alone.
      this.#words.store(stateOf(at), IDLE);
      this.#words.store(field(at, node.LIST), 0);
      return state;
    }
    this.enter();
    const was = this.#list.removeLocked(at);
    this.leave(0);
    return was;
  }

  /**
   * Whether nobody waits, or is about to: whoever has changed what they wait for by an atomic store, without the lock, and
   * then finds this true need wake nobody. For one who enlists holds the lock when it looks.
   */
  isQuiet(): boolean {
    return this.#words.load(this.#lockWord) === 0;
  }

  /** Those who wait, in order. */
  waitersLocked(): Generator<Node> {
    return this.#list.eachLocked();
  }

  /** Whether somebody waits who takes something, and does not only look. */
  hasTakersLocked(): boolean {
    return this.#lock.hasSleepersLocked() && this.#list.hasTakersLocked();
  }

  /**
   * Makes a task that sleeps, or is about to, on a node of this list give up, or look again. A promise waits on, and who polls has a
   * word for it.
   */
  interrupt(at: Node, as: typeof INTERRUPTED | typeof WOKEN): boolean {
    this.enter();
    const owner = this.#list.ownerOf(at);
    const state = this.#list.isHere(at) ? this.#list.interruptLocked(at, as) : IDLE;
    this.leave(0);
    this.#wake(at, state, owner);
    return state !== IDLE;
  }

  /** Wakes those whom `credit` is enough for. */
  notify(credit: number): void {
    this.enter();
    this.leave(credit);
  }

  #enterContended(): void {
    if (this.#lock.acquireContended()) this.#repairLocked();
  }

  #repairLocked(): void {
    this.#list.rebuildLocked();
    if (!this.#guarded) return; // the lock goes on saying that it wants repair
    this.#guarded.repair();
    this.#lock.repairedLocked();
  }

  /** Unlocks, and wakes those who were taken out. */
  #leaveWaking(sleepers: boolean): void {
    const taken = this.#taken;
    this.#taken = undefined;
    this.#lock.releaseContended(sleepers);
    if (taken) for (const { at, state, owner } of taken) this.#wake(at, state, owner);
  }

  /** With no credit left, those that only look are woken all the same. */
  #takeFitting(credit: number): Node {
    if (credit <= 0 && !this.#list.hasLookersLocked()) return NO_NODE;
    return this.#list.firstFittingLocked(credit, credit === EVERYBODY ? undefined : this.#guarded?.fits);
  }

  #takeOthers(credit: number): Taken[] | undefined {
    let left = credit;
    let others: Taken[] | undefined;
    for (let at = this.#takeFitting(left); at !== NO_NODE; at = this.#takeFitting(left)) {
      if (left !== EVERYBODY) left -= this.#list.wantOf(at);
      const owner = this.#list.ownerOf(at);
      others ??= [];
      others.push({ at, owner, state: this.#list.takeLocked(at) });
    }
    return others;
  }

  #wake(at: Node, state: number, owner: number): void {
    if (state === SLEEPING) this.#user.parker.unpark(stateOf(at), 1);
    else if (state === AWAITED) this.#user.bell.ring(owner as Pid);
    else if (state === POLLED) wakePoll(this.#user, owner as Pid);
  }
}
