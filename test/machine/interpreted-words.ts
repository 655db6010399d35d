// Words whose task runs machine code, but instruction by instruction, each access by the words themselves.

import { message } from "../../src/memory/layout.ts";
import { type MachineCode, machineModule } from "../../src/memory/machine-code.ts";
import { STAGED_BYTES_MAX } from "../../src/memory/staging.ts";
import { WORD_BYTES, type Word, type Words } from "../../src/memory/words.ts";
import { functionsOf } from "./decoder.ts";
import { interpreted } from "./interpreter.ts";

const functions = functionsOf(machineModule());

/** What a task stages messages in, and is its own: as long as a slot with the longest of them. */
const STAGED_WORDS = message.DATA + STAGED_BYTES_MAX / WORD_BYTES;

/** The functions that machine code has, over some words. */
export function codeOver(words: Words): MachineCode {
  const calls = [...functions].map(([name, called]) => {
    const isStaged = name.endsWith("Staged"); // then the first thing that it is told is where
    return [
      name,
      (...given: number[]): number => {
        const first = given[0] as number;
        return interpreted(words, called, given, isStaged ? { first, end: first + STAGED_WORDS } : undefined);
      },
    ];
  });
  const all = Object.fromEntries(calls);
  return { atomics: all, queueSteps: all };
}

// biome-ignore lint/suspicious/noExplicitAny: what TypeScript asks of a class that is mixed in
type WordsClass = new (...args: any[]) => Words;

/** A class of words, the task of which runs machine code. */
export function inMachineCode<Base extends WordsClass>(base: Base): Base {
  return class extends base {
    readonly #code = codeOver(this);

    get queueSteps(): MachineCode["queueSteps"] {
      return this.#code.queueSteps;
    }

    override moveAndUnlock(lock: Word, pid: number, before: number, after: number): boolean {
      return this.#code.atomics.moveAndUnlock(lock, pid, before, after) !== 0;
    }

    override compareExchangePair(word: Word, low: number, high: number, newLow: number, newHigh: number): boolean {
      return this.#code.atomics.compareExchangePair(word, low, high, newLow, newHigh) !== 0;
    }
  };
}
