// Signals as people type them: 9, KILL, SIGKILL, kill, RTMIN+3, RTMAX-1.

import { SIGNAL_MAX, SIGRTMIN, signalName, signals } from "../abi/signals.ts";

/** The number of a signal, 0 for the one that only looks whether a task is there; undefined where there is none such. */
export function signalOfWord(word: string): number | undefined {
  if (/^\d+$/.test(word)) return Number(word) <= SIGNAL_MAX ? Number(word) : undefined;
  const name = word.toUpperCase().replace(/^SIG/, "");
  const [, end, sign, digits = "0"] = /^RT(MIN|MAX)(?:([+-])(\d+))?$/.exec(name) ?? [];
  if (end !== undefined) return realTime(end, sign === "-" ? -Number(digits) : Number(digits));
  const full = `SIG${name}`;
  return Object.hasOwn(signals, full) ? signals[full as keyof typeof signals].number : undefined;
}

function realTime(end: string, offset: number): number | undefined {
  const number = (end === "MIN" ? SIGRTMIN : SIGNAL_MAX) + offset;
  return number >= SIGRTMIN && number <= SIGNAL_MAX ? number : undefined;
}

/** A signal's name as kill(1) tells it: without SIG. */
export const wordOfSignal = (signal: number): string => signalName(signal).replace(/^SIG/, "");

/** All names, for a hint. */
export const signalWords = Array.from({ length: SIGNAL_MAX }, (_, index) => wordOfSignal(index + 1));
