// The public handle of a semaphore.

import type { Opened } from "../kernel/opening.ts";
import type { System } from "../kernel/system.ts";
import { Semaphore as Core, SEMAPHORE_VALUE_MAX } from "../objects/semaphore.ts";
import { Handle } from "./handle.ts";
import { type SyncWaitOptions, timeoutOf, type WaitOptions } from "./options.ts";
import type { LockOptions, LockToken } from "./sync-options.ts";

/** How a semaphore is opened or made. */
export interface SemaphoreOptions extends LockOptions {
  /** Of a new semaphore: what it counts from, 0 to 2^31 - 1; default 0. */
  readonly value?: number | undefined;
}

export const VALUE_MAX = SEMAPHORE_VALUE_MAX;

/**
 * A counting semaphore for threads and processes (sem_overview(7), the mission's "Semaphore"). Nobody owns what was taken: a
 * task that dies between `wait` and `post` has taken it for good. For a lock, use a mutex.
 */
export class Semaphore extends Handle {
  readonly #semaphore: Core;

  /** Made by Kernel. @internal */
  constructor(system: System, opened: Opened, label: string, onClose: (handle: Handle) => void) {
    super(system, opened, label, onClose);
    this.#semaphore = new Core(system, opened.bodyLine);
  }

  /** How many waits would succeed now (sem_getvalue(3)). */
  get value(): number {
    this.checkOpen("sem_getvalue");
    return this.#semaphore.value;
  }

  /** Opens the same object in another task, by `kernel.openToken`: plain data, to be posted, sent or written as JSON. */
  get token(): LockToken<"semaphore"> {
    return { ...this.objectToken, end: "semaphore" };
  }

  protected override get facts(): object {
    const { value } = this;
    return { value };
  }

  /**
   * P: takes one, waiting until there is one (sem_wait(3)).
   * @throws IpcError ETIMEDOUT
   */
  async wait(options?: WaitOptions): Promise<void> {
    this.checkOpen("sem_wait");
    await this.finish("sem_wait", this.#semaphore.positive, 1, () => this.#semaphore.tryWait(), options);
  }

  /** The same, asleep. @throws IpcError ETIMEDOUT, EINTR where another task interrupted it */
  waitSync(options?: SyncWaitOptions): void {
    this.checkOpen("sem_wait");
    if (options !== undefined) timeoutOf(options, "sem_wait", this.label);
    if (this.#semaphore.tryWait() === 0) this.deliverAtEnd();
    else this.finishSync("sem_wait", this.#semaphore.positive, 1, () => this.#semaphore.tryWait(), options);
  }

  /** Returns false where there is none. */
  tryWait(): boolean {
    this.checkOpen("sem_trywait");
    return this.atEnd(this.#semaphore.tryWait() === 0);
  }

  /**
   * V: gives one back, or adds one, and wakes one who waits (sem_post(3)).
   * @throws IpcError EOVERFLOW above 2^31 - 1
   */
  post(): void {
    this.checkOpen("sem_post");
    this.checked("sem_post", this.atEnd(this.#semaphore.post()));
  }
}
