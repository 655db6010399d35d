// Waits that are promises. All of a task's share its bell: a ring says that one of them may go on. While any is pending, an
// interval keeps the event loop alive and looks again, in case a waker died before its call, or the other end did.

import { EAGAIN, EBADF, EIO, ETIMEDOUT } from "../abi/errno.ts";
import { WAIT_SLICE_MS } from "../abi/limits.ts";
import { beginningOfWait } from "./node-pool.ts";
import { AWAITED, type Node, stateOf, WOKEN } from "./wait-list.ts";
import {
  type Attempt,
  type Condition,
  deadlineIn,
  enlistFor,
  FRUITLESS_TRIES_MAX,
  remainingMs,
  settleWake,
  spinFor,
  type Waiter,
} from "./waiting.ts";

/**
 * After so many results in a row without a turn of the event loop, the next one waits for a turn. A turn takes as long as tens of results;
 * Node's MessagePort hands out at least 1000 messages before it lets others run (src/node_messaging.cc), and so others know that wait.
 */
const RESULTS_PER_TURN = 1024;

interface Pending {
  readonly at: Node;
  readonly condition: Condition;
  readonly want: number;
  readonly attempt: Attempt;
  readonly owner: object;
  finish(result: number): void;
}

export class Awaits {
  readonly #task: Waiter;
  readonly #pending = new Set<Pending>();
  #interval: ReturnType<typeof setInterval> | undefined;
  #resultsThisTurn = 0;

  constructor(task: Waiter) {
    this.#task = task;
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  /**
   * Resolves with the operation's result, or ETIMEDOUT; rejects with the signal's reason. The first try has been made.
   * `owner` is the handle that the wait belongs to: `cancelAll(owner)` ends its waits with EBADF.
   */
  async until(
    owner: object,
    condition: Condition,
    want: number,
    attempt: Attempt,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    signal?.throwIfAborted();
    if (timeoutMs === 0) return ETIMEDOUT;
    if (spinFor(condition, want)) {
      const result = attempt(false);
      if (result !== EAGAIN) return this.letOthersRun(result);
    }
    const at = this.#task.nodes.claim(beginningOfWait());
    if (at < 0) return at;
    return new Promise((resolve, reject) => {
      this.#begin({ at: at as Node, condition, want, attempt, owner }, timeoutMs, signal, resolve, reject);
    });
  }

  /**
   * Waits until a holder of the monitor takes this task out of its list, and for nothing else: 0, or ETIMEDOUT. `enlisted` is
   * called once it stands there; a negative result of it ends the wait.
   */
  async untilTaken(
    owner: object,
    condition: Condition,
    enlisted: () => number,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    signal?.throwIfAborted();
    const at = this.#task.nodes.claim(beginningOfWait());
    if (at < 0) return at;
    const attempt: Attempt = (woken) => (woken ? 0 : EAGAIN);
    return new Promise((resolve, reject) => {
      const wait = this.#begin(
        { at: at as Node, condition, want: 1, attempt, owner },
        timeoutMs,
        signal,
        resolve,
        reject,
      );
      const result = enlisted();
      if (result >= 0) return;
      this.#giveUp(wait);
      wait.finish(result);
    });
  }

  /** The same for the first of several conditions of which `look` finds one to hold: its result, from 1 up. */
  async untilAny(
    owner: object,
    conditions: readonly Condition[],
    look: () => number,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const others = new AbortController();
    const forward = (): void => others.abort(signal?.reason);
    signal?.addEventListener("abort", forward, { once: true });
    const attempt = (): number => look() || EAGAIN;
    const waits = conditions.map(({ monitor, spin }) => {
      const any: Condition = { monitor, spin, ready: () => look() > 0 };
      return this.until(owner, any, 0, attempt, timeoutMs, others.signal);
    });
    for (const wait of waits) wait.catch(() => {}); // those that are called off
    try {
      return await Promise.race(waits);
    } finally {
      signal?.removeEventListener("abort", forward);
      others.abort();
    }
  }

  /** Passes a result through, now and then after a turn of the event loop: timers and sockets want theirs too. */
  letOthersRun(result: number): number | Promise<number> {
    return this.turn?.then(() => result) ?? result;
  }

  /** The same for a result that is there at once: a promise of the turn that it has to wait for, mostly none. */
  get turn(): Promise<void> | undefined {
    return ++this.#resultsThisTurn < RESULTS_PER_TURN ? undefined : this.#nextTurn();
  }

  #nextTurn(): Promise<void> {
    this.#resultsThisTurn = 0;
    return new Promise((resolve) => this.#task.world.afterTurn(resolve));
  }

  /** Ends every wait of a handle that is being closed, or of all handles. */
  cancelAll(owner?: object): void {
    for (const wait of [...this.#pending]) {
      if (owner !== undefined && wait.owner !== owner) continue;
      this.#giveUp(wait);
      wait.finish(EBADF);
    }
  }

  #begin(
    wait: Omit<Pending, "finish">,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    resolve: (result: number) => void,
    reject: (reason: unknown) => void,
  ): Pending {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const onAbort = (): void => {
      this.#giveUp(pending);
      end();
      reject(signal?.reason);
    };
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      this.#remove(pending);
    };
    const pending: Pending = {
      ...wait,
      finish: (result) => {
        end();
        resolve(result);
      },
    };
    this.#add(pending);
    signal?.addEventListener("abort", onAbort);
    const deadline = deadlineIn(this.#task.world, timeoutMs);
    const onTime = (): void => {
      // A timer counts from the beginning of the turn that set it, and so fires early.
      const left = remainingMs(this.#task.world, deadline as number);
      if (left > 0) timer = setTimeout(onTime, left);
      else this.#expire(pending);
    };
    if (deadline !== undefined) timer = setTimeout(onTime, timeoutMs);
    this.#enlistOrFinish(pending);
    return pending;
  }

  #add(wait: Pending): void {
    this.#pending.add(wait);
    if (this.#pending.size > 1) return;
    this.#task.bell.arm(this.#onRing);
    this.#interval ??= setInterval(this.#onTick, WAIT_SLICE_MS);
  }

  #remove(wait: Pending): void {
    if (!this.#pending.delete(wait)) return;
    this.#task.nodes.free(wait.at);
    if (this.#pending.size > 0) return;
    this.#task.bell.quiet(this.#onRing);
    clearInterval(this.#interval);
    this.#interval = undefined;
  }

  #enlistOrFinish(wait: Pending): void {
    for (let fruitless = 0; fruitless < FRUITLESS_TRIES_MAX; fruitless++) {
      if (enlistFor(wait.condition, wait.at, AWAITED, wait.want)) return;
      const result = wait.attempt(false);
      if (result === EAGAIN) continue; // somebody else was quicker
      wait.finish(result);
      return;
    }
    wait.finish(EIO);
  }

  readonly #onRing = (): void => {
    if (this.#pending.size === 0) return;
    this.#look(false);
    if (this.#pending.size === 0) return;
    this.#task.bell.arm(this.#onRing);
    this.#look(false); // between the look and the arming, a waker found the bell quiet
  };

  readonly #onTick = (): void => {
    this.#task.lookAround();
    this.#look(true);
  };

  /** Tries every wait that was woken; with `all`, those too whose condition holds. */
  #look(all: boolean): void {
    this.#resultsThisTurn = 0;
    for (const wait of [...this.#pending]) {
      const woken = this.#task.words.load(stateOf(wait.at)) === WOKEN;
      if (woken || (all && wait.condition.ready(wait.want))) this.#tryAgain(wait);
    }
  }

  #tryAgain(wait: Pending): void {
    if (!this.#pending.has(wait)) return; // ended by what another one's caller did
    const woken = wait.condition.monitor.delist(wait.at) === WOKEN;
    const result = wait.attempt(woken);
    settleWake(wait.condition, woken, result, false);
    if (result === EAGAIN) this.#enlistOrFinish(wait);
    else wait.finish(result);
  }

  #expire(wait: Pending): void {
    if (!this.#pending.has(wait)) return;
    const woken = wait.condition.monitor.delist(wait.at) === WOKEN;
    const result = wait.attempt(woken);
    settleWake(wait.condition, woken, result, true);
    wait.finish(result === EAGAIN ? ETIMEDOUT : result);
  }

  /** Takes a wait out of its list, and hands a wake on that it will not use. */
  #giveUp(wait: Pending): void {
    const woken = wait.condition.monitor.delist(wait.at) === WOKEN;
    settleWake(wait.condition, woken, EAGAIN, true);
  }
}
