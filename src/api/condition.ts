// The public handle of a condition variable.

import { EBADF, EINTR, EPERM } from "../abi/errno.ts";
import type { Opened } from "../kernel/opening.ts";
import type { System } from "../kernel/system.ts";
import { Condition as Core } from "../objects/condition.ts";
import { beginningOfWait } from "../sync/node-pool.ts";
import { type Node, WAITING } from "../sync/wait-list.ts";
import { sleepUntilTaken } from "../sync/waiting.ts";
import { Handle } from "./handle.ts";
import { failureOf } from "./ipc-error.ts";
import type { LockGuard } from "./lock-guard.ts";
import { Mutex, mutexOf } from "./mutex.ts";
import { type SyncWaitOptions, signalOf, timeoutOf, type WaitOptions } from "./options.ts";
import type { LockToken } from "./sync-options.ts";

/**
 * A condition variable (pthread_cond_wait(3p)): wait, with a mutex locked, until another task says that what it guards has
 * changed. It may also return for no reason: look again in a loop. No signal is lost: one that was given to a task that gives
 * up, or dies, goes to the next.
 */
export class Condition extends Handle {
  readonly #condition: Core;

  /** Made by Kernel. @internal */
  constructor(system: System, opened: Opened, label: string, onClose: (handle: Handle) => void) {
    super(system, opened, label, onClose);
    this.#condition = new Core(system, opened.bodyLine);
  }

  /** Opens the same object in another task, by `kernel.openToken`: plain data, to be posted, sent or written as JSON. */
  get token(): LockToken<"condition"> {
    return { ...this.objectToken, end: "condition" };
  }

  /**
   * Unlocks the mutex and waits, as one step for whoever signals with the mutex locked; locks it again in any case, also where
   * it then fails. Resolves with the new hold on the mutex; the guard that was there before goes on to be good as well. Where
   * the mutex's owner has died meanwhile it resolves with that news, whatever else has ended the wait (EOWNERDEAD).
   * @throws IpcError EPERM where this task does not hold the mutex, or more than once; ETIMEDOUT; what locking throws
   */
  async wait(mutex: Mutex, options?: WaitOptions): Promise<LockGuard> {
    this.#check(mutex);
    const timeoutMs = timeoutOf(options, WAIT, this.label);
    const signal = signalOf(options, WAIT, this.label);
    signal?.throwIfAborted();
    let unlocked = false;
    const unlock = (): number => {
      unlocked = true;
      return mutexOf(mutex).unlock();
    };
    let failed: unknown;
    try {
      this.checked(
        WAIT,
        await this.system.awaits.untilTaken(this, this.#condition.signalled, unlock, timeoutMs, signal),
      );
    } catch (error) {
      failed = error;
    }
    if (mutex.closed) failed ??= failureOf(EBADF, WAIT, this.label, "the mutex's handle was closed while this waited");
    const guard = unlocked && !mutex.closed ? await mutex.lock() : undefined;
    if (guard === undefined || (failed !== undefined && !guard.ownerDied)) throw failed;
    return guard;
  }

  /** The same, asleep; it returns, too, where it is interrupted. @throws IpcError EPERM, ETIMEDOUT; what locking throws */
  waitSync(mutex: Mutex, options?: SyncWaitOptions): LockGuard {
    this.#check(mutex);
    const timeoutMs = timeoutOf(options, WAIT, this.label);
    const { system } = this;
    const { signalled } = this.#condition;
    const at = this.checked(WAIT, system.nodes.claim(beginningOfWait())) as Node;
    signalled.monitor.enlist(at, WAITING, 1, signalled.ready);
    mutexOf(mutex).unlock();
    const result = sleepUntilTaken(system, signalled, at, timeoutMs);
    system.nodes.free(at);
    if (result === EINTR) this.goesOn(WAIT);
    if (mutex.closed) throw failureOf(EBADF, WAIT, this.label, "the mutex's handle was closed while this waited");
    const guard = mutex.lockSync();
    // Who was interrupted looks again, as on Linux; nothing else would tell of a death.
    if (result !== EINTR && !guard.ownerDied) this.checked(WAIT, result);
    return guard;
  }

  /** Wakes the one that has waited longest, if any does (pthread_cond_signal(3p)). */
  signal(): void {
    this.checkOpen("pthread_cond_signal");
    this.#condition.signal();
  }

  /** Wakes all that wait. */
  broadcast(): void {
    this.checkOpen("pthread_cond_broadcast");
    this.#condition.broadcast();
  }

  #check(mutex: Mutex): void {
    this.checkOpen(WAIT);
    if (!(mutex instanceof Mutex)) throw new TypeError(`${WAIT} ${this.label}: the mutex must be a Mutex`);
    if (mutex.closed) throw new TypeError(`${WAIT} ${this.label}: the mutex's handle is closed; open it again`);
    if (mutexOf(mutex).isHeldOnce()) return;
    throw failureOf(EPERM, WAIT, this.label, "lock the mutex, once, before waiting");
  }
}

const WAIT = "pthread_cond_wait";
