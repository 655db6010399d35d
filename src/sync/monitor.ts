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
import { type LockUser, type Pid, RobustLock } from "./robust-lock.ts";
import type { Spin } from "./spin.ts";
import { AWAITED, IDLE, NO_NODE, type Node, SLEEPING, stateOf, WaitList, WOKEN } from "./wait-list.ts";

export interface MonitorUser extends LockUser {
  readonly geometry: Geometry;
  readonly bell: Bell;
  newSpin(): Spin;
}

/** Credit for `leave` where everybody may go on. */
export const EVERYBODY = 0x7fffffff;

export class Monitor {
  readonly #words: Words;
  readonly #user: MonitorUser;
  readonly #lock: RobustLock;
  readonly #list: WaitList;

  constructor(user: MonitorUser, base: Word) {
    this.#words = user.words;
    this.#user = user;
    this.#lock = new RobustLock(user, field(base, monitor.LOCK), user.newSpin());
    this.#list = new WaitList(user.words, user.geometry, base);
  }

  enter(): void {
    if (this.#lock.acquire()) this.#list.rebuildLocked();
  }

  /**
   * Unlocks. `credit` is how much has become available for those who wait: in order of arrival, those nodes are woken that
   * want no more than what is left of it. One that wants much can be passed by those that want little.
   */
  leave(credit: number): void {
    if (!this.#lock.tryReleaseFast()) this.#leaveContended(credit);
  }

  /**
   * Puts a node in the list, unless `ready` says under the lock that there is nothing to wait for. `state` is WAITING or
   * AWAITED.
   */
  enlist(at: Node, state: number, want: number, ready: (want: number) => boolean): boolean {
    this.enter();
    if (ready(want)) {
      this.leave(0);
      return false;
    }
    this.#list.appendLocked(at, state, want);
    this.#lock.releaseContended(true);
    return true;
  }

  /** Takes a node out of the list; returns whether somebody had woken it. */
  delist(at: Node): boolean {
    if (this.#words.load(stateOf(at)) === WOKEN) {
      // A waker has taken it out already: it is ours alone.
      this.#words.store(stateOf(at), IDLE);
      this.#words.store(field(at, node.LIST), 0);
      return true;
    }
    this.enter();
    const woken = this.#list.removeLocked(at);
    this.leave(0);
    return woken;
  }

  /** Wakes those whom `credit` is enough for. */
  notify(credit: number): void {
    this.enter();
    this.leave(credit);
  }

  #leaveContended(credit: number): void {
    if (!this.#lock.hasSleepersLocked()) {
      this.#lock.releaseContended(false);
      return;
    }
    const first = this.#takeFitting(credit);
    if (first === NO_NODE) {
      this.#lock.releaseContended(!this.#list.isEmptyLocked());
      return;
    }
    const firstOwner = this.#list.ownerOf(first);
    const left = credit === EVERYBODY ? EVERYBODY : credit - this.#list.wantOf(first);
    const firstState = this.#list.takeLocked(first);
    const others = this.#takeOthers(left);
    this.#lock.releaseContended(!this.#list.isEmptyLocked());
    this.#wake(first, firstState, firstOwner);
    if (others) for (const other of others) this.#wake(other.at, other.state, other.owner);
  }

  #takeFitting(credit: number): Node {
    return credit > 0 ? this.#list.firstFittingLocked(credit) : NO_NODE;
  }

  #takeOthers(credit: number): { at: Node; state: number; owner: number }[] | undefined {
    let left = credit;
    let others: { at: Node; state: number; owner: number }[] | undefined;
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
  }
}
