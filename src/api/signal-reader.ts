// The public handle of a signal file: signals as something to read, to iterate over and to poll.

import { EAGAIN, EBADF, EINTR, ETIMEDOUT } from "../abi/errno.ts";
import { UNBLOCKABLE } from "../abi/signals.ts";
import { waitForSignal } from "../kernel/calls/signal.ts";
import { changeSignals } from "../kernel/calls/signal-file.ts";
import { Handle } from "./handle.ts";
import { failureOf } from "./ipc-error.ts";
import { iterate } from "./iteration.ts";
import { countdown, type SyncWaitOptions, signalOf, timeoutOf, type WaitOptions } from "./options.ts";
import { namesOf, type ReceivedSignal, receivedOf, type Signal, setOf } from "./signal-names.ts";

const CALL = "read";

/**
 * Some signals of this task, to be read (signalfd(2)): those that are blocked, pending, and of this reader's set. Lowest number
 * first. What is read is the reading task's own, also where another task made the descriptor.
 */
export class SignalReader extends Handle implements AsyncIterable<ReceivedSignal> {
  /** The names of the signals that are read. */
  get signals(): string[] {
    return namesOf(this.#set);
  }

  /** Reads other signals from now on. Blocks none. */
  change(wanted: readonly Signal[]): void {
    this.checkOpen("signalfd");
    this.checked("signalfd", changeSignals(this.system, this.descriptor, setOf(wanted) & ~UNBLOCKABLE));
  }

  /** Takes the lowest that is pending, waiting for one. @throws IpcError ETIMEDOUT, EBADF where it is closed meanwhile */
  async receive(options?: WaitOptions): Promise<ReceivedSignal> {
    this.checkOpen(CALL);
    const timeoutMs = timeoutOf(options, CALL, this.label);
    const signal = signalOf(options, CALL, this.label);
    signal?.throwIfAborted();
    const { signals } = this.system;
    const info = signals.take(this.#set) ?? (await signals.arrival(this, this.#set, timeoutMs, signal));
    if (info === undefined || info === EBADF) throw failureOf(info ?? ETIMEDOUT, CALL, this.label);
    return receivedOf(info);
  }

  /** The same, asleep. @throws IpcError ETIMEDOUT, EINTR */
  receiveSync(options?: SyncWaitOptions): ReceivedSignal {
    this.checkOpen(CALL);
    const left = countdown(options);
    for (;;) {
      const info = waitForSignal(this.system, this.#set, timeoutOf(left(), CALL, this.label));
      if (typeof info !== "number") return this.atEnd(receivedOf(info));
      if (info === EINTR && this.goesOn(CALL)) continue;
      throw failureOf(info === EAGAIN ? ETIMEDOUT : info, CALL, this.label);
    }
  }

  /** Returns undefined where none is pending. */
  tryReceive(): ReceivedSignal | undefined {
    this.checkOpen(CALL);
    const info = this.system.signals.take(this.#set);
    this.atEnd(info);
    return info && receivedOf(info);
  }

  /** Signals as they come, until the handle is closed. */
  [Symbol.asyncIterator](): AsyncGenerator<ReceivedSignal, void, undefined> {
    return this.values();
  }

  /** The same with a time-out for each wait, or until an abort. @throws IpcError ETIMEDOUT; the signal's reason */
  values(options?: WaitOptions): AsyncGenerator<ReceivedSignal, void, undefined> {
    return iterate(this, () => this.receive(options));
  }

  /** Gives the descriptor back. Promises that still wait on it are rejected with EBADF. Closing again does nothing. */
  override close(): void {
    this.system.hearing.cancelAll(this);
    super.close();
  }

  protected override get facts(): object {
    const { signals } = this;
    return { signals };
  }

  get #set(): bigint {
    return this.system.signalFileOf(this.objectToken.objectIndex).signals;
  }
}
