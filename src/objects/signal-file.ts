// A signal file (signalfd(2)): which signals are read through it, and nothing else. What is read is what is pending for the task
// that reads. The set has two words, written through the journal under the kernel lock; who looks without the lock while it is
// being changed may see a half of each.

import type { Journal } from "../memory/journal.ts";
import { signalFile } from "../memory/layout.ts";
import { field, LINE_WORDS, WORD_BYTES, type Word, type Words } from "../memory/words.ts";

export const SIGNAL_FILE_BODY_BYTES = signalFile.WORDS * WORD_BYTES;

export class SignalFile {
  readonly #words: Words;
  readonly #set: Word;

  constructor(words: Words, bodyLine: number) {
    this.#words = words;
    this.#set = setWord(bodyLine);
  }

  /** Writes the body of a new one. Nobody else can see it yet. */
  static format(words: Words, bodyLine: number, signals: bigint): void {
    halves(signals).forEach((half, i) => {
      words.set(field(setWord(bodyLine), i), half);
    });
  }

  /** The signals that are read through it: signal s is bit s - 1. */
  get signals(): bigint {
    const [low, high] = [0, 1].map((i) => this.#words.load(field(this.#set, i))) as [number, number];
    return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  }

  setSignalsLocked(journal: Journal, signals: bigint): void {
    halves(signals).forEach((half, i) => {
      journal.write(field(this.#set, i), half);
    });
  }
}

const setWord = (bodyLine: number): Word => field((bodyLine * LINE_WORDS) as Word, signalFile.SIGNALS);

const halves = (signals: bigint): number[] => [signals, signals >> 32n].map((half) => Number(BigInt.asIntN(32, half)));
