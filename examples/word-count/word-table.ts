// How often each word occurs: a hash table over bytes, for a word becomes a string only where somebody wants to see it.
//
//   slots    an entry's index + 1, or 0; found from the word's hash, then slot by slot
//   entries  four numbers for each word, in the order in which words came: hash, start in bytes, length, count
//   bytes    the words themselves, one behind the other

const ENTRY_NUMBERS = 4;
const HASH = 0;
const START = 1;
const LENGTH = 2;
const COUNT = 3;

const SLOTS_FIRST = 4096;
const BYTES_FIRST = 16 * 1024;

export interface WordCount {
  /** One character, 0 to 255, for each byte. */
  readonly word: string;
  readonly count: number;
}

export interface Difference {
  readonly word: string;
  readonly here: number;
  readonly there: number;
}

export class WordTable implements Iterable<WordCount> {
  /** All words, each as often as it occurs. */
  words = 0;
  distinct = 0;
  #slots = new Int32Array(SLOTS_FIRST);
  /** Room for half as many entries as there are slots: the table never gets fuller. */
  #entries = new Int32Array((SLOTS_FIRST / 2) * ENTRY_NUMBERS);
  #bytes = new Uint8Array(BYTES_FIRST);
  #bytesUsed = 0;

  /** Counts the word from `start` to `end` of `bytes`. A count goes up to 2^32 - 1. */
  add(bytes: Uint8Array, start: number, end: number, times: number): void {
    const hash = hashOf(bytes, start, end);
    let slot = this.#find(bytes, start, end, hash);
    if (this.#slots[slot] === 0) slot = this.#insert(bytes, start, end, hash, slot);
    this.#entries[(this.#slots[slot] - 1) * ENTRY_NUMBERS + COUNT] += times;
    this.words += times;
  }

  countOf(bytes: Uint8Array, start: number, end: number): number {
    const entry = this.#slots[this.#find(bytes, start, end, hashOf(bytes, start, end))] - 1;
    return entry < 0 ? 0 : this.#entries[entry * ENTRY_NUMBERS + COUNT] >>> 0;
  }

  clear(): void {
    this.#slots.fill(0);
    this.words = 0;
    this.distinct = 0;
    this.#bytesUsed = 0;
  }

  /** Every word in the order in which they came first. The bytes hold until the next add(). */
  forEach(visit: (bytes: Uint8Array, start: number, end: number, count: number) => void): void {
    for (let index = 0; index < this.distinct * ENTRY_NUMBERS; index += ENTRY_NUMBERS) {
      const start = this.#entries[index + START];
      visit(this.#bytes, start, start + this.#entries[index + LENGTH], this.#entries[index + COUNT] >>> 0);
    }
  }

  *[Symbol.iterator](): Generator<WordCount> {
    for (let index = 0; index < this.distinct * ENTRY_NUMBERS; index += ENTRY_NUMBERS) {
      const start = this.#entries[index + START];
      const word = stringOf(this.#bytes, start, start + this.#entries[index + LENGTH]);
      yield { word, count: this.#entries[index + COUNT] >>> 0 };
    }
  }

  /** The words that occur most, the commonest first, equals in the order of their bytes. */
  commonest(limit: number): WordCount[] {
    const found: WordCount[] = [];
    this.forEach((bytes, start, end, count) => {
      if (found.length === limit && count < found[limit - 1].count) return;
      found.push({ word: stringOf(bytes, start, end), count });
      found.sort((a, b) => b.count - a.count || (a.word < b.word ? -1 : 1));
      found.length = Math.min(found.length, limit);
    });
    return found;
  }

  /** The words that the other table has more or less often than this one. */
  differences(other: WordTable): Difference[] {
    const found: Difference[] = [];
    this.forEach((bytes, start, end, here) => {
      const there = other.countOf(bytes, start, end);
      if (there !== here) found.push({ word: stringOf(bytes, start, end), here, there });
    });
    other.forEach((bytes, start, end, there) => {
      if (this.countOf(bytes, start, end) === 0) found.push({ word: stringOf(bytes, start, end), here: 0, there });
    });
    return found;
  }

  /** The slot of this word, or the free one where it belongs. */
  #find(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash & mask;
    while (slots[slot] !== 0 && !this.#holds(slots[slot] - 1, bytes, start, end, hash)) slot = (slot + 1) & mask;
    return slot;
  }

  #holds(entry: number, bytes: Uint8Array, start: number, end: number, hash: number): boolean {
    const entries = this.#entries;
    const index = entry * ENTRY_NUMBERS;
    if (entries[index + HASH] !== hash || entries[index + LENGTH] !== end - start) return false;
    const own = this.#bytes;
    const shift = entries[index + START] - start;
    for (let at = start; at < end; at++) if (own[at + shift] !== bytes[at]) return false;
    return true;
  }

  /** Makes an entry with a count of 0, and returns its slot: another one if the table had to grow. */
  #insert(bytes: Uint8Array, start: number, end: number, hash: number, freeSlot: number): number {
    const isFull = this.distinct === this.#slots.length / 2;
    if (isFull) this.#grow();
    const slot = isFull ? this.#find(bytes, start, end, hash) : freeSlot;
    const length = end - start;
    if (this.#bytesUsed + length > this.#bytes.length) this.#bytes = doubled(this.#bytes);
    for (let at = 0; at < length; at++) this.#bytes[this.#bytesUsed + at] = bytes[start + at];
    this.#entries.set([hash, this.#bytesUsed, length, 0], this.distinct * ENTRY_NUMBERS);
    this.#bytesUsed += length;
    this.distinct++;
    this.#slots[slot] = this.distinct;
    return slot;
  }

  #grow(): void {
    this.#entries = doubled(this.#entries);
    this.#slots = new Int32Array(this.#slots.length * 2);
    const mask = this.#slots.length - 1;
    for (let entry = 0; entry < this.distinct; entry++) {
      let slot = this.#entries[entry * ENTRY_NUMBERS + HASH] & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = entry + 1;
    }
  }
}

/** FNV-1a. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at], 0x01000193);
  return hash;
}

function doubled<Numbers extends Uint8Array | Int32Array>(numbers: Numbers): Numbers {
  const larger = new (numbers.constructor as new (length: number) => Numbers)(numbers.length * 2);
  larger.set(numbers);
  return larger;
}

function stringOf(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
}

/** For people: its bytes are read as UTF-8, and nothing in it can steer a terminal. */
export function readable(word: string): string {
  return Buffer.from(word, "latin1").toString("utf8").replace(/\p{C}/gu, "\uFFFD");
}
