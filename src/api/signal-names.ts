// Signals as JavaScript names them, and what is told of one that has come.

import { EINVAL } from "../abi/errno.ts";
import { bitOf, SIGNAL_MAX, type SignalName, signalName, signals } from "../abi/signals.ts";
import type { SignalInfo } from "../tasks/signal-info.ts";
import { IpcError } from "./ipc-error.ts";

/** A signal by its name, such as "SIGUSR1", or its number; real-time ones, 32 to 64, by number. */
export type Signal = SignalName | number;

/** A signal that has come. */
export interface ReceivedSignal {
  /** Its name, such as "SIGUSR1" or "SIGRTMIN+8". */
  readonly name: string;
  /** Its number, 1 to 64. */
  readonly number: number;
  /** The pid of the task that sent it, 0 where none did. */
  readonly sender: number;
  /** Of one that was sent with a value (sigqueue(3)); else 0n. */
  readonly value: bigint;
}

/** The number of a signal. A name that there is not is a TypeError. */
export function numberOf(signal: Signal): number {
  if (typeof signal === "number") {
    if (Number.isInteger(signal) && signal >= 1 && signal <= SIGNAL_MAX) return signal;
    throw new IpcError(EINVAL, "signal", undefined, `a signal's number is a whole number from 1 to ${SIGNAL_MAX}`);
  }
  const number = numbers.get(signal);
  if (number !== undefined) return number;
  throw new TypeError(`there is no signal ${typeof signal === "string" ? JSON.stringify(signal) : String(signal)}`);
}

const numbers = new Map<unknown, number>(Object.entries(signals).map(([name, { number }]) => [name, number]));

export function setOf(wanted: readonly Signal[]): bigint {
  if (!Array.isArray(wanted)) throw new TypeError("signal: the signals must be an array of names and numbers");
  if (wanted.length === 1) return bitOf(numberOf(wanted[0] as Signal));
  return wanted.reduce<bigint>((set, one) => set | bitOf(numberOf(one)), 0n);
}

export function namesOf(set: bigint): string[] {
  const names: string[] = [];
  for (let signal = 1; signal <= SIGNAL_MAX; signal++) if (set & bitOf(signal)) names.push(signalName(signal));
  return names;
}

export const receivedOf = ({ signal, pid, value }: SignalInfo): ReceivedSignal => ({
  name: signalName(signal),
  number: signal,
  sender: pid,
  value,
});
