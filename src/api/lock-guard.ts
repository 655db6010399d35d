// What locking gives: unlock it, or let `using` do so.

import { INSPECT, type Inspect, shown } from "./inspecting.ts";

/**
 * A lock that is held until `unlock`, or the end of the block where `using` declares it (pthread_mutex_unlock(3p),
 * pthread_rwlock_unlock(3p)).
 */
export class LockGuard implements Disposable {
  /**
   * Whether a task has died that held it: what it guards may be half-done (EOWNERDEAD). Make it whole and say so by
   * `mutex.markConsistent()`; a mutex that is unlocked without that is of no use any more (ENOTRECOVERABLE).
   */
  readonly ownerDied: boolean;
  #lock: { unlock(): void } | undefined;

  /** Made by the locks. @internal */
  constructor(lock: { unlock(): void }, ownerDied: boolean) {
    this.#lock = lock;
    this.ownerDied = ownerDied;
  }

  /** Gives the lock back. Again, it does nothing. @throws IpcError EPERM where this task does not hold it any more */
  unlock(): void {
    const lock = this.#lock;
    this.#lock = undefined;
    lock?.unlock();
  }

  /** As `unlock`: for `using`. */
  [Symbol.dispose](): void {
    this.unlock();
  }

  /** What `console.log` shows of it. @internal */
  [INSPECT](depth: number, options: object, inspect: Inspect): string {
    const facts = { held: this.#lock !== undefined, ownerDied: this.ownerDied };
    return shown(this.constructor, undefined, facts, [depth, options, inspect]);
  }
}
