// The signals of this task, for JavaScript.

import { EAGAIN, EINVAL, ETIMEDOUT } from "../abi/errno.ts";
import { bitOf, NO_SIGNALS, SIGNAL_MAX, type SignalName, signalName, signals } from "../abi/signals.ts";
import { waitForSignal } from "../kernel/calls/signal.ts";
import type { System } from "../kernel/system.ts";
import type { SignalInfo } from "../tasks/signals.ts";
import { failureOf, IpcError } from "./ipc-error.ts";
import { type SyncWaitOptions, signalOf, timeoutOf, type WaitOptions } from "./options.ts";

/** A signal by its name, such as "SIGUSR1", or its number; real-time ones, 32 to 64, by number. */
export type Signal = SignalName | number;

/** A signal that has come. */
export interface ReceivedSignal {
  readonly name: string;
  readonly number: number;
  /** The pid of the task that sent it, 0 where none did. */
  readonly sender: number;
  /** Of one that was sent with a value (sigqueue(3)); else 0n. */
  readonly value: bigint;
}

export interface SignalHandlerOptions {
  /** Calls that it interrupts go on where Linux would restart them (SA_RESTART); default true. Else they fail with EINTR. */
  readonly restart?: boolean | undefined;
  /** Forget the handler when it runs (SA_RESETHAND). */
  readonly once?: boolean | undefined;
  /** Let the handler be interrupted by its own signal (SA_NODEFER). */
  readonly nodefer?: boolean | undefined;
  /** Signals that are blocked while it runs. */
  readonly mask?: readonly Signal[] | undefined;
}

/**
 * The signals of this task (signal(7), the mission's "Signal Handler"): pending and blocked ones, handlers, waiting. Handlers run on
 * the event loop, and at the return of a call that blocked. Signals of the kernel are not the host's: Ctrl-C is for
 * `process.on("SIGINT")`.
 */
export class TaskSignalsHandle {
  readonly #system: () => System;

  /** Made by Kernel. */
  constructor(system: () => System) {
    this.#system = system;
  }

  /** The signals that have come and are not delivered, as they are blocked. */
  get pending(): string[] {
    return namesOf(this.#system().signals.own.pending);
  }

  /** The signals that are blocked. */
  get blocked(): string[] {
    return namesOf(this.#system().signals.own.blocked);
  }

  /** Calls `handler` for each one that comes. @throws IpcError EINVAL for SIGKILL and SIGSTOP */
  on(signal: Signal, handler: (signal: ReceivedSignal) => void, options: SignalHandlerOptions = {}): void {
    if (typeof handler !== "function") throw new TypeError("sigaction: the handler must be a function");
    const { restart = true, once = false, nodefer = false, mask = [] } = options;
    const run = (info: SignalInfo): void => handler(receivedOf(info));
    const result = this.#system().signals.catch(numberOf(signal), { run, mask: setOf(mask), restart, once, nodefer });
    checkAction(result, signal);
    this.#deliver();
  }

  /** Ignores a signal, also one that is pending. */
  ignore(signal: Signal): void {
    checkAction(this.#system().signals.ignore(numberOf(signal)), signal);
  }

  /** Back to what the signal does by default: most end the task. */
  reset(signal: Signal): void {
    checkAction(this.#system().signals.reset(numberOf(signal)), signal);
    this.#deliver();
  }

  /** Blocks signals: they stay pending until they are unblocked, or taken. SIGKILL and SIGSTOP are never blocked. */
  block(...wanted: Signal[]): void {
    const { own } = this.#system().signals;
    own.blocked |= setOf(wanted);
  }

  /** Unblocks signals, and delivers those that are pending. */
  unblock(...wanted: Signal[]): void {
    const { own } = this.#system().signals;
    own.blocked &= ~setOf(wanted);
    this.#deliver();
  }

  /** Whether a signal is pending. */
  isPending(signal: Signal): boolean {
    return (this.#system().signals.own.pending & bitOf(numberOf(signal))) !== NO_SIGNALS;
  }

  /** Whether any signal is pending that is not blocked. */
  hasPending(): boolean {
    return this.#system().signals.own.isDue();
  }

  /** Forgets a pending signal. */
  clear(signal: Signal): void {
    this.#system().signals.clear(bitOf(numberOf(signal)));
  }

  /** Takes the lowest pending signal that is not blocked, before it is delivered; undefined where there is none. */
  next(): ReceivedSignal | undefined {
    const { signals: of } = this.#system();
    const info = of.take(~of.own.blocked);
    return info && receivedOf(info);
  }

  /**
   * Takes the lowest of some signals, waiting until one comes (sigwaitinfo(2)). Block them before, or they are delivered.
   * @throws IpcError ETIMEDOUT
   */
  async wait(wanted: readonly Signal[], options?: WaitOptions): Promise<ReceivedSignal> {
    const system = this.#system();
    const set = setOf(wanted);
    const timeoutMs = timeoutOf(options, WAIT, LABEL);
    const signal = signalOf(options, WAIT, LABEL);
    signal?.throwIfAborted();
    let info = system.signals.take(set);
    if (!info) {
      system.signals.own.awaited |= set;
      try {
        info = await system.signals.arrival(set, timeoutMs, signal);
      } finally {
        system.signals.own.awaited &= ~set;
      }
    }
    if (!info) throw failureOf(ETIMEDOUT, WAIT, LABEL);
    return receivedOf(info);
  }

  /** The same, asleep. @throws IpcError ETIMEDOUT, EINTR where another signal was caught meanwhile */
  waitSync(wanted: readonly Signal[], options?: SyncWaitOptions): ReceivedSignal {
    const system = this.#system();
    const info = waitForSignal(system, setOf(wanted), timeoutOf(options, WAIT, LABEL));
    if (typeof info !== "number") return receivedOf(info);
    system.signals.deliver();
    throw failureOf(info === EAGAIN ? ETIMEDOUT : info, WAIT, LABEL);
  }

  /** Returns undefined where none of them is pending. */
  tryWait(wanted: readonly Signal[]): ReceivedSignal | undefined {
    const info = this.#system().signals.take(setOf(wanted));
    return info && receivedOf(info);
  }

  #deliver(): void {
    this.#system().signals.deliver();
  }
}

const WAIT = "sigwaitinfo";
const LABEL = "signals";

/** The number of a signal. A name that there is not is a TypeError. */
export function numberOf(signal: Signal): number {
  if (typeof signal === "number") {
    if (Number.isInteger(signal) && signal >= 1 && signal <= SIGNAL_MAX) return signal;
    throw new IpcError(EINVAL, "signal", undefined, `a signal's number is a whole number from 1 to ${SIGNAL_MAX}`);
  }
  if (!Object.hasOwn(signals, signal)) throw new TypeError(`there is no signal ${JSON.stringify(signal)}`);
  return signals[signal].number;
}

/** A set of signals, see abi/signals.ts. */
export const setOf = (wanted: readonly Signal[]): bigint =>
  wanted.reduce<bigint>((set, one) => set | bitOf(numberOf(one)), 0n);

function namesOf(set: bigint): string[] {
  const names: string[] = [];
  for (let signal = 1; signal <= SIGNAL_MAX; signal++) if (set & bitOf(signal)) names.push(signalName(signal));
  return names;
}

const receivedOf = ({ signal, pid, value }: SignalInfo): ReceivedSignal => ({
  name: signalName(signal),
  number: signal,
  sender: pid,
  value,
});

function checkAction(result: number, signal: Signal): void {
  if (result < 0)
    throw failureOf(result, "sigaction", String(signal), "SIGKILL and SIGSTOP can be neither caught nor ignored");
}
