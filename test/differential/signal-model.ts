// What the tasks of a sequence have said of signals, as far as it decides what may be sent: where a task ends or stops the
// sequence is over, and on Linux a process has other threads, which block nothing.

import * as is from "./flags.ts";
import { ignoredByDefault } from "./handlers.ts";
import type { Observation, Operation } from "./operation.ts";

/** Where the family has its structures in scratch memory. */
export const NEW_ACTION = 4096;
export const NEW_SET = 4608;

export const bitOf = (signal: number): bigint => 1n << BigInt(signal - 1);

/** SIGKILL and SIGSTOP. */
const UNBLOCKABLE: readonly number[] = [9, 19];

interface Said {
  blocked: bigint;
  /** Signals with their default action, which ends or stops the task. */
  readonly lethal: Set<number>;
  /** Those that were ever sent to it. */
  readonly sent: Set<number>;
}

/** A number of 64 bits that an operation puts at a place. */
export function longAt({ inputs = [] }: Operation, place: number): bigint {
  for (const { at, value } of inputs) {
    if (!(value instanceof Uint8Array) || place < at || place + 8 > at + value.length) continue;
    return new DataView(value.buffer, value.byteOffset).getBigUint64(place - at, true);
  }
  return 0n;
}

export class SignalModel {
  readonly #tasks: readonly Said[];

  constructor(count: number) {
    this.#tasks = Array.from({ length: count }, () => ({ blocked: 0n, lethal: new Set(), sent: new Set() }));
  }

  /** Whether a signal that is sent to a task's process comes to its main thread. */
  reachesMain(task: number, signal: number): boolean {
    return (this.#said(task).blocked & bitOf(signal)) === 0n;
  }

  /** Whether a signal ends or stops a task, sooner or later. */
  isLethal(task: number, signal: number): boolean {
    return UNBLOCKABLE.includes(signal) || this.#said(task).lethal.has(signal);
  }

  /** Whether it does so now. */
  isFatal(task: number, signal: number): boolean {
    return UNBLOCKABLE.includes(signal) || (this.isLethal(task, signal) && this.reachesMain(task, signal));
  }

  /** Whether a mask lets a signal through that ends the task. */
  unblocksFatal({ task, name, args }: Operation, set: bigint): boolean {
    if (name !== "rt_sigprocmask" || args[0] === is.SIG_BLOCK) return false;
    const { lethal, sent, blocked } = this.#said(task);
    const left = args[0] === is.SIG_UNBLOCK ? blocked & ~set : set;
    return [...lethal].some((signal) => sent.has(signal) && (left & bitOf(signal)) === 0n);
  }

  /** Whether an action may be taken: one that ends the task only where nothing can be pending. */
  mayAct(operation: Operation): boolean {
    const { task, args } = operation;
    const signal = args[0] as number;
    if (args[1] === 0 || ignoredByDefault.includes(signal)) return true;
    const handler = longAt(operation, NEW_ACTION);
    const once = longAt(operation, NEW_ACTION + 8) & BigInt(is.SA_RESETHAND);
    if (handler === BigInt(is.SIG_IGN)) return true;
    return handler === BigInt(is.SIG_DFL) ? !this.#said(task).sent.has(signal) : once === 0n;
  }

  sent(task: number, signal: number): void {
    this.#said(task).sent.add(signal);
  }

  observe({ operation, result }: Observation): void {
    if (result !== 0) return;
    const { task, name, args } = operation;
    const said = this.#said(task);
    if (name === "rt_sigprocmask" && args[1] !== 0) {
      const set = longAt(operation, NEW_SET);
      if (args[0] === is.SIG_BLOCK) said.blocked |= set;
      else said.blocked = args[0] === is.SIG_UNBLOCK ? said.blocked & ~set : set;
    }
    if (name === "rt_sigaction" && args[1] !== 0) {
      const signal = args[0] as number;
      const isDefault = longAt(operation, NEW_ACTION) === BigInt(is.SIG_DFL);
      if (isDefault && !ignoredByDefault.includes(signal)) said.lethal.add(signal);
      else said.lethal.delete(signal);
    }
  }

  #said(task: number): Said {
    return this.#tasks[task] as Said;
  }
}
