// The signals of this task, for JavaScript.

import { EAGAIN, EBADF, ETIMEDOUT } from "../abi/errno.ts";
import { bitOf, NO_SIGNALS, UNBLOCKABLE } from "../abi/signals.ts";
import { waitForSignal } from "../kernel/calls/signal.ts";
import { makeSignalFile } from "../kernel/calls/signal-file.ts";
import type { System } from "../kernel/system.ts";
import type { SignalInfo } from "../tasks/signal-info.ts";
import { deliverAtEnd } from "./delivering.ts";
import type { Handle } from "./handle.ts";
import { INSPECT, type Inspect, shown } from "./inspecting.ts";
import { failureOf } from "./ipc-error.ts";
import { type SyncWaitOptions, signalOf, timeoutOf, type WaitOptions } from "./options.ts";
import { SignalListeners } from "./signal-listeners.ts";
import { namesOf, numberOf, type ReceivedSignal, receivedOf, type Signal, setOf } from "./signal-names.ts";
import { SignalReader } from "./signal-reader.ts";

/** Who closes handles with the kernel. */
interface Keeper {
  keep<T extends Handle>(handle: T): T;
  readonly forget: (handle: Handle) => void;
}

/** How a handler wants its signal handled (sigaction(2)). */
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

/** What is called for a signal that comes. */
export type SignalHandler = (signal: ReceivedSignal) => void;

/**
 * The signals of this task (signal(7), the mission's "Signal Handler"): pending and blocked ones, handlers, waiting. Handlers run on
 * the event loop, and at the end of a call that takes, gives or waits (`…Sync`, `try…`, and what is awaited), whether it had to wait or
 * not. Signals of the kernel are not the host's: Ctrl-C is for `process.on("SIGINT")`.
 */
export class TaskSignalsHandle {
  readonly #system: () => System;
  readonly #keeper: Keeper;
  readonly #listeners = new SignalListeners();

  /** Made by Kernel. @internal */
  constructor(system: () => System, keeper: Keeper) {
    this.#system = system;
    this.#keeper = keeper;
  }

  /** The signals that have come and are not delivered, as they are blocked. */
  get pending(): string[] {
    return namesOf(this.#system().signals.own.pending);
  }

  /** The signals that are blocked. */
  get blocked(): string[] {
    return namesOf(this.#system().signals.own.blocked);
  }

  /**
   * Calls `handler` for each one that comes, after those that were added before, as EventEmitter's `on` does. Handlers do not keep
   * the process alive, as those of `process.on` do not. With several the signal is handled as all together want it: each one's mask
   * is blocked, and calls go on where all have `restart`.
   * @throws IpcError EINVAL for SIGKILL and SIGSTOP
   */
  on(signal: Signal, handler: SignalHandler, options: SignalHandlerOptions = {}): this {
    if (typeof handler !== "function") throw new TypeError("sigaction: the handler must be a function");
    const { restart = true, once = false, nodefer = false, mask = [] } = options;
    const run = (info: SignalInfo): void => handler(receivedOf(info));
    const listener = { key: handler, run, mask: setOf(mask), restart, once, nodefer };
    checkAction(this.#listeners.add(this.#system().signals, numberOf(signal), listener), signal);
    this.#deliver();
    return this;
  }

  /** The same for the next one that comes alone. @throws IpcError EINVAL for SIGKILL and SIGSTOP */
  once(signal: Signal, handler: SignalHandler, options: SignalHandlerOptions = {}): this {
    return this.on(signal, handler, { ...options, once: true });
  }

  /**
   * Calls `handler` no more, or none of the signal's where no handler is named. A signal that has none left does what it does by
   * default: most end the task.
   * @throws IpcError EINVAL for SIGKILL and SIGSTOP
   */
  off(signal: Signal, handler?: SignalHandler): this {
    if (handler !== undefined && typeof handler !== "function")
      throw new TypeError("sigaction: the handler must be a function");
    checkAction(this.#listeners.remove(this.#system().signals, numberOf(signal), handler), signal);
    this.#deliver();
    return this;
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
    const info = system.signals.take(set) ?? (await system.signals.arrival(this, set, timeoutMs, signal));
    if (info === EBADF) throw failureOf(EBADF, WAIT, LABEL, "the kernel was closed while this waited");
    if (info === undefined) throw failureOf(ETIMEDOUT, WAIT, LABEL);
    return receivedOf(info);
  }

  /** The same, asleep. @throws IpcError ETIMEDOUT, EINTR where another signal was caught meanwhile */
  waitSync(wanted: readonly Signal[], options?: SyncWaitOptions): ReceivedSignal {
    const system = this.#system();
    const info = waitForSignal(system, setOf(wanted), timeoutOf(options, WAIT, LABEL));
    deliverAtEnd(system);
    if (typeof info !== "number") return receivedOf(info);
    throw failureOf(info === EAGAIN ? ETIMEDOUT : info, WAIT, LABEL);
  }

  /** Returns undefined where none of them is pending. */
  tryWait(wanted: readonly Signal[]): ReceivedSignal | undefined {
    const system = this.#system();
    const info = system.signals.take(setOf(wanted));
    deliverAtEnd(system);
    return info && receivedOf(info);
  }

  /**
   * Signals as something to read, to iterate over and to poll (signalfd(2)). They are blocked from now on.
   * @throws IpcError EMFILE, ENFILE, ENOMEM, ENOSPC
   */
  open(wanted: readonly Signal[]): SignalReader {
    const system = this.#system();
    const signals = setOf(wanted) & ~UNBLOCKABLE;
    const opened = makeSignalFile(system, signals, 0, false);
    if (typeof opened === "number") throw failureOf(opened, "signalfd", LABEL);
    system.signals.own.blocked |= signals;
    return this.#keeper.keep(new SignalReader(system, opened, LABEL, this.#keeper.forget));
  }

  /** What `console.log` shows of it. @internal */
  [INSPECT](depth: number, options: object, inspect: Inspect): string {
    const { pending, blocked } = this;
    return shown({ name: "TaskSignals" }, undefined, { pending, blocked }, [depth, options, inspect]);
  }

  #deliver(): void {
    this.#system().signals.deliver();
  }
}

const WAIT = "sigwaitinfo";
const LABEL = "signals";

function checkAction(result: number, signal: Signal): void {
  if (result < 0)
    throw failureOf(result, "sigaction", String(signal), "SIGKILL and SIGSTOP can be neither caught nor ignored");
}
