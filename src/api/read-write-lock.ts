// The public handle of a read/write lock.

import { EAGAIN, EDEADLK, EINTR } from "../abi/errno.ts";
import type { Opened } from "../kernel/opening.ts";
import type { System } from "../kernel/system.ts";
import { ReadWriteLock as Core, type Way } from "../objects/rwlock.ts";
import { type Attempt, blockUntil } from "../sync/waiting.ts";
import { Handle } from "./handle.ts";
import { LockGuard } from "./lock-guard.ts";
import { countdown, type SyncWaitOptions, timeoutOf, type WaitOptions } from "./options.ts";
import { type DeadlockOptions, refusingDeadlocks } from "./refusing-deadlocks.ts";
import type { LockToken } from "./sync-options.ts";

/**
 * A lock that many may hold for reading, or one for writing (pthread_rwlock_rdlock(3p)). A writer that waits is not starved: who
 * comes to read after it waits too, save a task that reads already. What a task holds goes when it dies. Between async functions
 * of one task it excludes as between tasks; a `…Sync` call that could only wait for its own task is EDEADLK.
 */
export class ReadWriteLock extends Handle {
  readonly #lock: Core;

  /** Made by Kernel. @internal */
  constructor(system: System, opened: Opened, label: string, onClose: (handle: Handle) => void) {
    super(system, opened, label, onClose);
    this.#lock = new Core(system, opened.bodyLine);
  }

  /** The pid of the task that writes, 0 where none does. */
  get writer(): number {
    this.checkOpen("rwlock");
    return this.#lock.writer;
  }

  /** How many tasks read. */
  get readers(): number {
    this.checkOpen("rwlock");
    return this.#lock.readingSlots().length;
  }

  /** Opens the same object in another task, by `kernel.openToken`: plain data, to be posted, sent or written as JSON. */
  get token(): LockToken<"rwlock"> {
    return { ...this.objectToken, end: "rwlock" };
  }

  /** Locks it for reading, waiting while a task writes or a writer waits. @throws IpcError ETIMEDOUT, EDEADLK (`refuseDeadlock`) */
  async readLock(options?: WaitOptions & DeadlockOptions): Promise<LockGuard> {
    return this.#wait(READ, this.#lock.reading, options);
  }

  /** The same, asleep. @throws IpcError ETIMEDOUT, EDEADLK where this task writes, or by `refuseDeadlock` */
  readLockSync(options?: SyncWaitOptions & DeadlockOptions): LockGuard {
    return this.#waitSync(READ, this.#lock.reading, options);
  }

  /** Returns undefined where a task writes or a writer waits. */
  tryReadLock(): LockGuard | undefined {
    return this.#try("pthread_rwlock_tryrdlock", this.#lock.reading);
  }

  /** Locks it for writing, waiting until nobody else holds it. @throws IpcError ETIMEDOUT, EDEADLK (`refuseDeadlock`) */
  async writeLock(options?: WaitOptions & DeadlockOptions): Promise<LockGuard> {
    return this.#wait(WRITE, this.#lock.writing, options);
  }

  /** The same, asleep. @throws IpcError ETIMEDOUT, EDEADLK where this task holds it already, or by `refuseDeadlock` */
  writeLockSync(options?: SyncWaitOptions & DeadlockOptions): LockGuard {
    return this.#waitSync(WRITE, this.#lock.writing, options);
  }

  /** Returns undefined where a task holds it. */
  tryWriteLock(): LockGuard | undefined {
    return this.#try("pthread_rwlock_trywrlock", this.#lock.writing);
  }

  /** Gives back what this task holds (pthread_rwlock_unlock(3p)). @throws IpcError EPERM where this task does not hold it */
  unlock(): void {
    this.checkOpen("pthread_rwlock_unlock");
    this.checked("pthread_rwlock_unlock", this.#lock.unlock());
  }

  protected override get facts(): object {
    const { writer, readers } = this;
    return { writer, readers };
  }

  /** What this task holds may be another function's of it: then a promise waits as it would for another task. */
  async #wait(syscall: string, way: Way, options: (WaitOptions & DeadlockOptions) | undefined): Promise<LockGuard> {
    this.checkOpen(syscall);
    const patient: Attempt = (woken) => {
      const result = way.attempt(woken);
      return result === EDEADLK ? EAGAIN : result;
    };
    const { condition, attempt } = this.#refusing({ ...way, attempt: patient }, options, true);
    try {
      await this.finish(syscall, condition, 1, attempt, options);
    } catch (error) {
      if (!this.closed) this.#lock.gaveUp();
      throw error;
    }
    return this.#guard();
  }

  #waitSync(syscall: string, way: Way, options: (SyncWaitOptions & DeadlockOptions) | undefined): LockGuard {
    this.checkOpen(syscall);
    if (options !== undefined) timeoutOf(options, syscall, this.label);
    const { condition, attempt } = this.#refusing(way, options, false);
    const left = countdown(options);
    let result = attempt(false);
    while (result === EAGAIN || result === EINTR) {
      if (result === EINTR) this.goesOn(syscall);
      result = blockUntil(this.system, condition, 1, attempt, timeoutOf(left(), syscall, this.label));
    }
    if (result < 0) this.#lock.gaveUp();
    this.checked(syscall, this.atEnd(result));
    return this.#guard();
  }

  #refusing(way: Way, options: DeadlockOptions | undefined, awaits: boolean): Way {
    if (options?.refuseDeadlock !== true) return way;
    return refusingDeadlocks(this.system, this.objectToken.objectIndex, way, awaits);
  }

  #try(syscall: string, way: Way): LockGuard | undefined {
    this.checkOpen(syscall);
    const result = this.atEnd(way.attempt(false));
    if (result === EAGAIN || result === EDEADLK) return undefined;
    this.checked(syscall, result);
    return this.#guard();
  }

  #guard(): LockGuard {
    return new LockGuard(this, false);
  }
}

const READ = "pthread_rwlock_rdlock";
const WRITE = "pthread_rwlock_wrlock";
