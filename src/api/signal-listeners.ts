// What listens to a task's signals: as many functions as want to, as EventEmitter has them, where the kernel knows one handler.

import { NO_SIGNALS } from "../abi/signals.ts";
import type { Handler, Signals } from "../kernel/signals.ts";
import type { SignalInfo } from "../tasks/signal-info.ts";

/** One function, and how it wants its signal handled. */
export interface Listener extends Pick<Handler, "mask" | "restart" | "once" | "nodefer"> {
  /** What the caller knows it by. */
  readonly key: unknown;
  readonly run: (info: SignalInfo) => void;
}

export class SignalListeners {
  readonly #of = new Map<number, { listeners: readonly Listener[]; handler: Handler }>();

  /** EINVAL for SIGKILL and SIGSTOP. */
  add(signals: Signals, signal: number, listener: Listener): number {
    return this.#install(signals, signal, [...this.#current(signals, signal), listener]);
  }

  /** Takes away the one of a key that was added last, or all without one; the signal does what it does by default without any. */
  remove(signals: Signals, signal: number, key?: unknown): number {
    const listeners = this.#current(signals, signal);
    const at = listeners.findLastIndex((one) => one.key === key);
    if (key !== undefined && at < 0) return 0;
    const left = key === undefined ? [] : listeners.toSpliced(at, 1);
    return this.#install(signals, signal, left);
  }

  /** None where another handler has come since: by the system call, or where the signal is ignored or reset. */
  #current(signals: Signals, signal: number): readonly Listener[] {
    const own = this.#of.get(signal);
    return own && signals.handlerOf(signal) === own.handler ? own.listeners : [];
  }

  #install(signals: Signals, signal: number, listeners: readonly Listener[]): number {
    this.#of.delete(signal);
    if (listeners.length === 0) return signals.reset(signal);
    const handler: Handler = {
      run: (info) => this.#run(signals, info, listeners),
      mask: listeners.reduce((all, { mask }) => all | mask, NO_SIGNALS),
      restart: listeners.every(({ restart }) => restart),
      once: listeners.every(({ once }) => once),
      nodefer: listeners.every(({ nodefer }) => nodefer),
    };
    const result = signals.catch(signal, handler);
    if (result === 0) this.#of.set(signal, { listeners, handler });
    return result;
  }

  /** Those of once are forgotten before they run, as sigaction(2) has it. */
  #run(signals: Signals, info: SignalInfo, listeners: readonly Listener[]): void {
    const left = listeners.filter(({ once }) => !once);
    if (left.length > 0 && left.length < listeners.length) this.#install(signals, info.signal, left);
    for (const { run } of listeners) run(info);
  }
}
