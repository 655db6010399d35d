// The public handle of a barrier.

import { EINTR } from "../abi/errno.ts";
import type { Opened } from "../kernel/opening.ts";
import type { System } from "../kernel/system.ts";
import { Barrier as Core, LEADER } from "../objects/barrier.ts";
import { blockUntil } from "../sync/waiting.ts";
import { Handle } from "./handle.ts";
import { countdown, type SyncWaitOptions, timeoutOf, type WaitOptions } from "./options.ts";
import type { LockOptions, LockToken } from "./sync-options.ts";

/** How a barrier is opened or made. */
export interface BarrierOptions extends LockOptions {
  /** Of a new barrier: how many open it together, from 1. */
  readonly parties?: number | undefined;
}

/**
 * A cyclic barrier (pthread_barrier_wait(3p)): tasks wait until so many of them have come, and then all go on; then it is closed
 * again. A task that gives up waiting, or dies, has not come.
 */
export class Barrier extends Handle {
  readonly #barrier: Core;

  /** Made by Kernel. @internal */
  constructor(system: System, opened: Opened, label: string, onClose: (handle: Handle) => void) {
    super(system, opened, label, onClose);
    this.#barrier = new Core(system, opened.bodyLine);
  }

  /** How many open it together. */
  get parties(): number {
    return this.#barrier.parties;
  }

  /** How many have come and wait. */
  get waiting(): number {
    this.checkOpen("barrier");
    return this.#barrier.waiting;
  }

  /** Opens the same object in another task, by `kernel.openToken`: plain data, to be posted, sent or written as JSON. */
  get token(): LockToken<"barrier"> {
    return { ...this.objectToken, end: "barrier" };
  }

  protected override get facts(): object {
    const { waiting, parties } = this;
    return { waiting, parties };
  }

  /** Resolves once it opens: with true for one of those who opened it, the leader, with false for the others. @throws IpcError ETIMEDOUT */
  async wait(options?: WaitOptions): Promise<boolean> {
    this.checkOpen(WAIT);
    const { open, attempt, hasOpened } = this.#barrier.arrive();
    try {
      return (await this.finish(WAIT, open, 1, attempt, options)) === LEADER;
    } catch (error) {
      // Where it has opened before the wait was called off, this one was among those who came.
      if (this.closed || !hasOpened()) throw error;
      return false;
    }
  }

  /** The same, asleep. As pthread_barrier_wait it goes on waiting where it is interrupted. @throws IpcError ETIMEDOUT */
  waitSync(options?: SyncWaitOptions): boolean {
    this.checkOpen(WAIT);
    const { open, attempt } = this.#barrier.arrive();
    const left = countdown(options);
    timeoutOf(options, WAIT, this.label);
    let result = attempt(false);
    const sleep = (): number => blockUntil(this.system, open, 1, attempt, timeoutOf(left(), WAIT, this.label));
    if (result < 0) result = sleep();
    while (result === EINTR) {
      this.goesOn(WAIT);
      result = sleep();
    }
    return this.checked(WAIT, this.atEnd(result)) === LEADER;
  }
}

const WAIT = "pthread_barrier_wait";
