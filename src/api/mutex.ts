// The public handle of a mutex.

import { EAGAIN, EDEADLK, EINTR } from "../abi/errno.ts";
import type { Opened } from "../kernel/opening.ts";
import type { System } from "../kernel/system.ts";
import { Mutex as Core, OWNER_DIED } from "../objects/mutex.ts";
import { type Attempt, blockUntil, type Condition } from "../sync/waiting.ts";
import { Handle } from "./handle.ts";
import { LockGuard } from "./lock-guard.ts";
import { countdown, type SyncWaitOptions, timeoutOf, type WaitOptions } from "./options.ts";
import { type DeadlockOptions, refusingDeadlocks } from "./refusing-deadlocks.ts";
import type { LockOptions, LockToken } from "./sync-options.ts";

/** How a mutex is opened or made. */
export interface MutexOptions extends LockOptions {
  /**
   * Of a new mutex, what it says to a task that holds it and locks it again (pthread_mutexattr_settype(3p)): `normal`, the
   * default, lets it wait, as another task would (so two async functions of one task exclude each other; `lockSync` waits for
   * ever); `error-checking` says EDEADLK; `recursive` counts.
   */
  readonly type?: "normal" | "error-checking" | "recursive" | undefined;
}

/** For other handles: the object that a mutex's handle stands for. */
export let mutexOf: (mutex: Mutex) => Core;

/**
 * A mutex for threads and processes that survives its owner (pthread_mutex_lock(3p), the mission's "Task Mutex"). A task owns
 * what it has locked, whichever function of it did; where it dies, the next one gets the lock, and the news by
 * `guard.ownerDied`.
 */
export class Mutex extends Handle {
  static {
    mutexOf = (mutex) => mutex.#mutex;
  }

  readonly #mutex: Core;

  /** Made by Kernel. @internal */
  constructor(system: System, opened: Opened, label: string, onClose: (handle: Handle) => void) {
    super(system, opened, label, onClose);
    this.#mutex = new Core(system, opened.bodyLine);
  }

  /** The pid of the task that holds it, 0 where none does. */
  get owner(): number {
    this.checkOpen("mutex");
    return this.#mutex.owner;
  }

  /** Opens the same object in another task, by `kernel.openToken`: plain data, to be posted, sent or written as JSON. */
  get token(): LockToken<"mutex"> {
    return { ...this.objectToken, end: "mutex" };
  }

  /**
   * Locks it, waiting until nobody else holds it.
   * @throws IpcError ETIMEDOUT, EDEADLK (error-checking, or `refuseDeadlock`), ENOTRECOVERABLE
   */
  async lock(options?: WaitOptions & DeadlockOptions): Promise<LockGuard> {
    this.checkOpen(LOCK);
    const { condition, attempt } = this.#way(options, true);
    return this.#guard(await this.finish(LOCK, condition, 1, attempt, options));
  }

  /**
   * The same, asleep. As pthread_mutex_lock it goes on waiting where it is interrupted.
   * @throws IpcError ETIMEDOUT, EDEADLK, ENOTRECOVERABLE
   */
  lockSync(options?: SyncWaitOptions & DeadlockOptions): LockGuard {
    this.checkOpen(LOCK);
    if (options !== undefined) timeoutOf(options, LOCK, this.label);
    const first = this.#mutex.tryLock();
    if (first === 0) return this.atEnd(new LockGuard(this, false));
    return this.#guard(this.checked(LOCK, this.atEnd(first === EAGAIN ? this.#sleep(options) : first)));
  }

  /** Returns undefined where it is held, also by this task. @throws IpcError ENOTRECOVERABLE */
  tryLock(): LockGuard | undefined {
    this.checkOpen("pthread_mutex_trylock");
    let result = this.#mutex.tryLock();
    const { owner } = this.#mutex;
    if (result === EAGAIN && owner !== 0 && !this.system.isAlive(owner as System["pid"])) {
      this.system.reap();
      result = this.#mutex.tryLock();
    }
    this.atEnd(result);
    if (result === EAGAIN || result === EDEADLK) return undefined;
    return this.#guard(this.checked("pthread_mutex_trylock", result));
  }

  /** Gives it back (pthread_mutex_unlock(3p)). @throws IpcError EPERM where this task does not hold it */
  unlock(): void {
    this.checkOpen(UNLOCK);
    const result = this.#mutex.unlock();
    if (result < 0) this.checked(UNLOCK, result);
  }

  /**
   * Says that what it guards is whole again, after its owner has died (pthread_mutex_consistent(3)).
   * @throws IpcError EINVAL where that was not in doubt, or this task does not hold it
   */
  markConsistent(): void {
    this.checkOpen("pthread_mutex_consistent");
    this.checked("pthread_mutex_consistent", this.#mutex.markConsistent());
  }

  protected override get facts(): object {
    const { owner } = this;
    return { owner };
  }

  #sleep(options: (SyncWaitOptions & DeadlockOptions) | undefined): number {
    const { condition, attempt } = this.#way(options, false);
    const left = countdown(options);
    for (;;) {
      const result = blockUntil(this.system, condition, 1, attempt, timeoutOf(left(), LOCK, this.label));
      if (result !== EINTR) return result;
      this.goesOn(LOCK);
    }
  }

  #way(options: DeadlockOptions | undefined, awaits: boolean): { condition: Condition; attempt: Attempt } {
    const way = { condition: this.#mutex.free, attempt: (): number => this.#mutex.tryLock() };
    if (options?.refuseDeadlock !== true) return way;
    return refusingDeadlocks(this.system, this.objectToken.objectIndex, way, awaits);
  }

  #guard(result: number): LockGuard {
    return new LockGuard(this, result === OWNER_DIED);
  }
}

const LOCK = "pthread_mutex_lock";
const UNLOCK = "pthread_mutex_unlock";
