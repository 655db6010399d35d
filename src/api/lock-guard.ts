// What locking gives: unlock it, or let `using` do so.

import { INSPECT, type Inspect, shown } from "./inspecting.ts";

/** A lock that is held until `unlock`, or the end of the block where `using` declares it. Unlocking again does nothing. */
export class LockGuard implements Disposable {
  /**
   * Whether a task has died that held it: what it guards may be half-done (EOWNERDEAD). Make it whole and say so by
   * `mutex.markConsistent()`; a mutex that is unlocked without that is of no use any more (ENOTRECOVERABLE).
   */
  readonly ownerDied: boolean;
  #lock: { unlock(): void } | undefined;

  constructor(lock: { unlock(): void }, ownerDied: boolean) {
    this.#lock = lock;
    this.ownerDied = ownerDied;
  }

  unlock(): void {
    const lock = this.#lock;
    this.#lock = undefined;
    lock?.unlock();
  }

  [Symbol.dispose](): void {
    this.unlock();
  }

  /** What `console.log` shows of it. */
  [INSPECT](depth: number, options: object, inspect: Inspect): string {
    const facts = { held: this.#lock !== undefined, ownerDied: this.ownerDied };
    return shown(this.constructor, undefined, facts, [depth, options, inspect]);
  }
}
