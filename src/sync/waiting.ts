// Waiting for a condition in the three ways a caller can: by looking again and again for a while, by sleeping, and (in
// awaits.ts) by a promise.

import { EAGAIN, EINTR, EIO, ETIMEDOUT } from "../abi/errno.ts";
import type { Monitor, MonitorUser } from "./monitor.ts";
import { beginningOfWait, type NodePool } from "./node-pool.ts";
import type { Spinning } from "./spin.ts";
import {
  IDLE,
  INTERRUPTED,
  isTakenOut,
  type Node,
  type Selector,
  SLEEPING,
  stateOf,
  WAITING,
  WOKEN,
} from "./wait-list.ts";
import type { World } from "./world.ts";

/** Something to wait for, and the monitor whose holders bring it about. */
export interface Condition {
  readonly monitor: Monitor;
  readonly spin: Spinning;
  /** A look without the lock; under the monitor's lock it is exact. */
  readonly ready: (want: number) => boolean;
  /** The same, under the lock, for one who is about to wait: where it does not hold, a mark is left for those who see no list. */
  readonly readyOrMarked?: ((want: number) => boolean) | undefined;
  /** For one who was woken and has tried: nothing is kept for it any more. Returns whether something was until now. */
  readonly settled?: (() => boolean) | undefined;
  /** What a task may do that is going to spin, as it has the time. */
  readonly beforeSpin?: (() => void) | undefined;
  /**
   * Whether there is so much that who spins need not come back for a while: one that waits for room in a full ring does better to let
   * some of it become free, as coming back costs more than a send.
   */
  readonly isPlenty?: (() => boolean) | undefined;
  /** Where not everything will do. */
  readonly selector?: Selector | undefined;
  /** Calls what puts a node into the list, where more than that must not change meanwhile. */
  readonly enlisting?: ((enlist: () => boolean) => boolean) | undefined;
}

/** Puts a node into the monitor's list, unless the condition holds; returns whether it stands there. */
export function enlistFor(condition: Condition, at: Node, state: number, want: number): boolean {
  const { monitor, ready, readyOrMarked = ready, selector, enlisting } = condition;
  if (!enlisting) return monitor.enlist(at, state, want, readyOrMarked, selector);
  return enlisting(() => monitor.enlist(at, state, want, readyOrMarked, selector));
}

/** The task that waits. */
export interface Waiter extends MonitorUser {
  readonly nodes: NodePool;
  readonly world: World;
  /** Whether a signal is to be delivered to this task: then it does not fall asleep. */
  isSignalled(): boolean;
  /** Where a stop is due, it stands still here until it is continued; returns whether no signal is due any more: it may wait on. */
  stoodStill(): boolean;
  /** Looks whether other tasks have died, unless somebody just did. */
  lookAround(): void;
  /** Milliseconds that it may sleep before it looks around: less than a slice where its alarm is due before. */
  sliceMs(): number;
}

/**
 * One try of the operation: a result from 0 up, or a negative errno. EAGAIN: wait and try again. `woken`: another task has
 * taken this one out of the list, and so meant it to go on.
 */
export type Attempt = (woken: boolean) => number;

export const FOR_EVER = -1;

/** Nobody finds so often in a row that there is something, and then that there is not, in a region that is whole. */
export const FRUITLESS_TRIES_MAX = 20_000;

/** The longest time-out, 12.4 days: half the range of the world's clock. Longer ones are for ever. */
export const TIMEOUT_MS_MAX = 2 ** 30 - 2;

/**
 * When a wait ends, on the world's clock; undefined: never. The clock tells whole milliseconds, and the one that has begun
 * does not count: no wait is shorter than its time. One of 0 ms ends at once.
 */
export function deadlineIn(world: World, timeoutMs: number): number | undefined {
  if (timeoutMs === FOR_EVER) return undefined;
  return timeoutMs === 0 ? world.nowMs() : (world.nowMs() + timeoutMs + 1) | 0;
}

/** Milliseconds until a deadline; below 0 once it has passed. The clock has 31 bits and wraps. */
export function remainingMs(world: World, deadline: number): number {
  return ((deadline - world.nowMs()) << 1) >> 1;
}

/** Looks for as long as it has been worth it; returns whether the condition holds. */
export function spinFor(
  condition: Pick<Condition, "spin" | "ready" | "isPlenty" | "beforeSpin">,
  want: number,
): boolean {
  const { spin, ready, isPlenty, beforeSpin } = condition;
  const limit = spin.begin();
  if (limit > 0) beforeSpin?.();
  for (let turn = 0; turn < limit; turn++) {
    if (ready(want)) {
      spin.hit();
      if (isPlenty) linger(spin, isPlenty);
      return true;
    }
    spin.relax();
  }
  if (limit > 0) spin.miss();
  return giveWayFor(condition, want);
}

/** Turns that are worth it to wait for plenty, where something is there already. */
const LINGER_TURNS_MAX = 400;

function linger(spin: Spinning, isPlenty: () => boolean): void {
  for (let turn = 0; turn < LINGER_TURNS_MAX && !isPlenty(); turn++) spin.relax();
}

/** Lets others have the CPU, and looks again; the same. */
export function giveWayFor({ spin, ready }: Pick<Condition, "spin" | "ready">, want: number): boolean {
  const ways = spin.beginGivingWay();
  if (ways === 0) return false;
  let came = false;
  for (let way = 0; way < ways && !came; way++) {
    spin.giveWay();
    came = ready(want);
  }
  spin.endGivingWay(came);
  return came;
}

/**
 * Tries until the operation succeeds or fails, sleeping in between. The first try has been made already; `hasSpun`: and the spin, too.
 * Returns the operation's result, ETIMEDOUT, EINTR where another task interrupted this one, or EIO where the region is damaged:
 * there is always something to be had, and never to be taken.
 */
export function blockUntil(
  task: Waiter,
  condition: Condition,
  want: number,
  attempt: Attempt,
  timeoutMs: number,
  hasSpun = false,
): number {
  if (timeoutMs === 0) return ETIMEDOUT;
  const deadline = deadlineIn(task.world, timeoutMs);
  if (!hasSpun && spinFor(condition, want)) {
    const result = attempt(false);
    if (result !== EAGAIN) return result;
  }
  const at = task.nodes.claim(beginningOfWait());
  if (at < 0) return at;
  try {
    return blockOn(at as Node, task, condition, want, attempt, deadline);
  } finally {
    // Where the attempt has thrown, it is in no list either; where sleeping has, it is left to whoever buries this task.
    if (task.words.load(stateOf(at as Node)) === IDLE) task.nodes.free(at as Node);
  }
}

/** On a node of this wait's own, which keeps its place in the list for as long as others are quicker. */
function blockOn(
  at: Node,
  task: Waiter,
  condition: Condition,
  want: number,
  attempt: Attempt,
  deadline: number | undefined,
): number {
  for (let fruitless = 0; fruitless < FRUITLESS_TRIES_MAX; fruitless++) {
    const listed = enlistFor(condition, at, WAITING, want);
    let result = listed ? sleepOnce(task, condition, want, attempt, at, deadline) : attempt(false);
    if (listed) fruitless = 0;
    if (result === EAGAIN && spinFor(condition, want)) result = attempt(false);
    if (result !== EAGAIN) return result;
  }
  return EIO;
}

/** On a node that stands in the list. */
function sleepOnce(
  task: Waiter,
  condition: Condition,
  want: number,
  attempt: Attempt,
  at: Node,
  deadline: number | undefined,
): number {
  const { monitor } = condition;
  const signalled = task.isSignalled(); // after it has enlisted: who sends a signal looks at the list after that is pending
  const expired = !signalled && sleepUntilWoken(task, condition, want, at, deadline);
  const state = monitor.delist(at);
  const result = attempt(state === WOKEN);
  settleWake(condition, state === WOKEN, result, expired || signalled);
  if (result !== EAGAIN) return result;
  if (state === INTERRUPTED || (signalled && !task.stoodStill())) return EINTR;
  return expired ? ETIMEDOUT : EAGAIN;
}

/**
 * Sleeps on a node that stands in the list already, until a holder of the monitor takes it out: 0, ETIMEDOUT, or EINTR where
 * another task interrupted this one. The node is in no list afterwards.
 */
export function sleepUntilTaken(task: Waiter, condition: Condition, at: Node, timeoutMs: number): number {
  const expired = !task.isSignalled() && sleepUntilWoken(task, condition, 1, at, deadlineIn(task.world, timeoutMs));
  const state = condition.monitor.delist(at);
  if (state === WOKEN) return 0;
  return expired ? ETIMEDOUT : EINTR;
}

/**
 * Hands a wake on: by one who leaves without having used it, by one who leaves something over for the next, and by one for whom something
 * was kept that has come since it tried.
 */
export function settleWake(condition: Condition, woken: boolean, result: number, leaves: boolean): void {
  if (!woken) return;
  const wasKept = condition.settled?.() === true;
  const isUnused = result === EAGAIN && leaves;
  if (isUnused || ((wasKept || result !== EAGAIN) && condition.ready(1))) condition.monitor.notify(1);
}

/** Returns true where the deadline passed. */
function sleepUntilWoken(
  task: Waiter,
  condition: Condition,
  want: number,
  at: Node,
  deadline: number | undefined,
): boolean {
  const { words, world } = task;
  const state = stateOf(at);
  if (words.compareExchange(state, WAITING, SLEEPING) !== WAITING) return false;
  for (;;) {
    const left = deadline === undefined ? Number.POSITIVE_INFINITY : remainingMs(world, deadline);
    if (left <= 0) return true;
    task.parker.park(state, SLEEPING, Math.min(left, task.sliceMs()));
    if (isTakenOut(words.load(state))) return false;
    task.lookAround();
    if (condition.ready(want) || task.isSignalled()) return false; // a waker died before its call
  }
}
