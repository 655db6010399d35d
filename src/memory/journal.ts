// The journal: an undo log that makes any number of stores one. It lies in the region and is guarded by the kernel lock.
//
//   write    the word's index and old value go into the next entry, then JOURNAL_COUNT counts it, then the word changes
//   commit   JOURNAL_COUNT = 0: one store PUBLISHES the whole transaction
//   a death  before the commit leaves JOURNAL_COUNT > 0: whoever takes the kernel lock over rolls back, newest first.
//            Rolling back may be interrupted and begun again: it only puts old values back.
//
// A reader that does not hold the lock can see a transaction that is then undone. That is harmless where it is allowed
// (a pipe's counts of readers and writers): the only one that is undone is a dead task's.

import { header, JOURNAL_ENTRIES_MAX } from "./layout.ts";
import { field, type Word, type Words } from "./words.ts";

/** What is read from the region cannot be: somebody else has written there. Who holds the kernel lock gives up what it began. */
export class DamagedRegion extends Error {}

const COUNT = header.JOURNAL_COUNT as Word;

export class Journal {
  readonly #words: Words;

  constructor(words: Words) {
    this.#words = words;
  }

  /** Stores a word as part of the open transaction. The caller holds the kernel lock. */
  write(word: Word, value: number): void {
    const words = this.#words;
    const count = words.get(COUNT);
    if (count >>> 0 >= JOURNAL_ENTRIES_MAX || word >>> 0 >= words.int32.length) {
      throw new DamagedRegion("a transaction goes beyond the journal, or the region");
    }
    const entry = entryAt(count);
    words.set(entry, word);
    words.set(field(entry, 1), words.get(word));
    words.store(COUNT, count + 1); // the old value is safe before the word changes
    words.store(word, value);
  }

  /** Adds to a word as part of the open transaction, and returns the new value. */
  add(word: Word, difference: number): number {
    const value = (this.#words.get(word) + difference) | 0;
    this.write(word, value);
    return value;
  }

  commit(): void {
    this.#words.store(COUNT, 0); // PUBLISHES the transaction → observed by the next holder of the kernel lock
  }

  /** Undoes what is open: after a failure by the same task, or a death by another. */
  rollback(): void {
    const words = this.#words;
    const wordCount = words.int32.length;
    const count = Math.min(words.get(COUNT) >>> 0, JOURNAL_ENTRIES_MAX);
    if (count === 0) return;
    for (let i = count - 1; i >= 0; i--) {
      const word = words.get(entryAt(i));
      if (word > COUNT && word < wordCount) words.store(word as Word, words.get(field(entryAt(i), 1)));
    }
    words.store(COUNT, 0);
  }
}

const entryAt = (index: number): Word => (header.JOURNAL + 2 * index) as Word;
