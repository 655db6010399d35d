// What tells one state of a scenario from another, kept up write by write: a hash of all words that differ from those at first. Two
// deaths that leave the same state behind have the same future, so that one of them need not be tried.
//
// Entries of the journal beyond its count are nobody's: nothing reads them. They are left out, or each death in the middle of a
// transaction would leave a state of its own for ever.

import { header, JOURNAL_ENTRIES_MAX } from "../../src/memory/layout.ts";

const JOURNAL_END = header.JOURNAL + 2 * JOURNAL_ENTRIES_MAX;

export class StateKey {
  readonly #words: Int32Array;
  readonly #atFirst: Int32Array;
  /** The words as they were when the hash was last right. */
  readonly #known: Int32Array;
  #low = 0;
  #high = 0;
  /** What has been written since, or is about to be. */
  #first = 0;
  #last = -1;

  constructor(buffer: ArrayBufferLike, atFirst: Uint8Array) {
    this.#words = new Int32Array(buffer);
    this.#atFirst = new Int32Array(atFirst.buffer);
    this.#known = this.#atFirst.slice();
  }

  /** The words are again as they were at first. */
  reset(): void {
    this.#known.set(this.#atFirst);
    this.#low = 0;
    this.#high = 0;
    this.#last = -1;
  }

  /** Somebody is about to write these words. */
  expect(first: number, last: number): void {
    this.#settle();
    this.#first = first;
    this.#last = last;
  }

  /** Of the words as they are now. */
  value(): string {
    this.#settle();
    let low = this.#low;
    let high = this.#high;
    const end = Math.min(header.JOURNAL + 2 * (this.#words[header.JOURNAL_COUNT] as number), JOURNAL_END);
    for (let word = header.JOURNAL; word < end; word++) {
      low = mix(Math.imul(low, 31) + (this.#words[word] as number), 0x9e3779b1);
      high = mix(Math.imul(high, 37) + (this.#words[word] as number), 0x85ebca6b);
    }
    return `${low} ${high}`;
  }

  #settle(): void {
    for (let word = this.#first; word <= this.#last; word++) {
      if (word >= header.JOURNAL && word < JOURNAL_END) continue;
      const before = this.#known[word] as number;
      const now = this.#words[word] as number;
      if (before === now) continue;
      this.#known[word] = now;
      // A sum of what each word adds, so that it does not matter in which order they were written.
      this.#low = (this.#low + hashOf(word, now, 0x9e3779b1) - hashOf(word, before, 0x9e3779b1)) | 0;
      this.#high = (this.#high + hashOf(word, now, 0x85ebca6b) - hashOf(word, before, 0x85ebca6b)) | 0;
    }
    this.#last = -1;
  }
}

const hashOf = (word: number, value: number, seed: number): number => mix(mix(word ^ seed, seed) ^ value, 0xc2b2ae35);

/** Every bit of the result depends on every bit of `bits`. */
function mix(bits: number, factor: number): number {
  let mixed = Math.imul(bits ^ (bits >>> 16), factor);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x27d4eb2f);
  return mixed ^ (mixed >>> 13);
}
