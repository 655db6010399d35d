// Every access to shared memory goes through here, and nowhere else: one method an access, which the engine inlines.
// A harness hands a region a subclass that counts, stops or schedules the accesses; production never does.
//
// Two kinds of access. The atomic ones (load, store, exchange, compareExchange) are for words that another task may touch
// at the same time. `get` and `set` are plain: only under the lock that guards the word, or on memory nobody else can see
// yet. JavaScript's memory model orders plain accesses before a later atomic store by the same task.

import { copyLanes, LANE_BYTES } from "./lanes.ts";

/** An index of a 32-bit word in a region. */
export type Word = number & { readonly brand: "word" };
/** An offset in bytes from the start of a region. */
export type Offset = number & { readonly brand: "offset" };

export const WORD_BYTES = 4;
export const LINE_WORDS = 16;
export const LINE_BYTES = 64;

export const offsetOf = (word: Word): Offset => (word * WORD_BYTES) as Offset;
/** The word of a field in a structure that begins at `base`. */
export const field = (base: Word, index: number): Word => (base + index) as Word;

/** Below this, a loop over bytes beats a call of TypedArray.set (measured: they meet near 24 bytes). */
export const LOOP_BYTES_MAX = 24;

/** Of this module: the engine looks up `bytes.set` anew with each call (measured: 256 bytes in and out of a queue 101 ns with that, 95 without). */
const { set } = Uint8Array.prototype;

/** 64 bits of two halves. */
const pairOf = (low: number, high: number): bigint => (BigInt(high | 0) << 32n) | BigInt(low >>> 0);

export class Words {
  readonly int32: Int32Array;
  readonly bytes: Uint8Array;
  readonly #int64: BigInt64Array;

  constructor(buffer: ArrayBufferLike, byteLength = buffer.byteLength) {
    this.int32 = new Int32Array(buffer, 0, byteLength / WORD_BYTES);
    this.bytes = new Uint8Array(buffer, 0, byteLength);
    this.#int64 = new BigInt64Array(buffer, 0, byteLength / 8);
  }

  load(word: Word): number {
    return Atomics.load(this.int32, word);
  }

  store(word: Word, value: number): void {
    Atomics.store(this.int32, word, value);
  }

  exchange(word: Word, value: number): number {
    return Atomics.exchange(this.int32, word, value);
  }

  compareExchange(word: Word, expected: number, value: number): number {
    return Atomics.compareExchange(this.int32, word, expected, value);
  }

  /**
   * Moves the position behind a lock, from where only its holder moves it, and unlocks; false where anything but a plain unlock is due:
   * then the position has moved, and the lock is still held.
   */
  moveAndUnlock(lock: Word, pid: number, _before: number, after: number): boolean {
    this.store(field(lock, 1), after);
    return this.compareExchange(lock, pid, 0) === pid;
  }

  /** A compare-exchange of two words, from an even one on, that become others together; returns whether they were as expected. */
  compareExchangePair(word: Word, low: number, high: number, newLow: number, newHigh: number): boolean {
    const expected = pairOf(low, high);
    return this.compareExchange64(word, expected, pairOf(newLow, newHigh)) === expected;
  }

  get(word: Word): number {
    return this.int32[word] as number;
  }

  /** Whether any bit of three words is set, by plain reads. */
  isAnySet(word: Word): boolean {
    const { int32 } = this;
    return ((int32[word] as number) | (int32[word + 1] as number) | (int32[word + 2] as number)) !== 0;
  }

  set(word: Word, value: number): void {
    this.int32[word] = value;
  }

  /** Six words in a row, in their order: half the time of six calls. */
  setSix(word: Word, a: number, b: number, c: number, d: number, e: number, f: number): void {
    const int32 = this.int32;
    int32[word] = a;
    int32[word + 1] = b;
    int32[word + 2] = c;
    int32[word + 3] = d;
    int32[word + 4] = e;
    int32[word + 5] = f;
  }

  /** The same to read. */
  getSix(word: Word, target: Int32Array): void {
    const int32 = this.int32;
    target[0] = int32[word] as number;
    target[1] = int32[word + 1] as number;
    target[2] = int32[word + 2] as number;
    target[3] = int32[word + 3] as number;
    target[4] = int32[word + 4] as number;
    target[5] = int32[word + 5] as number;
  }

  /** Two lanes of 64 bits in a row, from an even word on. */
  getTwoLanes(word: Word, target: BigInt64Array): void {
    const int64 = this.#int64;
    const at = word >>> 1;
    target[0] = int64[at] as bigint;
    target[1] = int64[at + 1] as bigint;
  }

  load64(word: Word): bigint {
    return Atomics.load(this.#int64, word / 2);
  }

  store64(word: Word, value: bigint): void {
    Atomics.store(this.#int64, word / 2, value);
  }

  compareExchange64(word: Word, expected: bigint, value: bigint): bigint {
    return Atomics.compareExchange(this.#int64, word / 2, expected, value);
  }

  /** Copies `length` bytes of `source`, from `start`, to `offset` in the region. */
  copyIn(offset: Offset, source: Uint8Array, start: number, length: number): void {
    if (length <= LOOP_BYTES_MAX) {
      const bytes = this.bytes;
      for (let i = 0; i < length; i++) bytes[offset + i] = source[start + i] as number;
    } else if (start === 0 && length === source.length) {
      set.call(this.bytes, source, offset);
    } else {
      this.bytes.set(source.subarray(start, start + length), offset);
    }
  }

  /** Copies all of `source` to `offset` in the region. `lanes` are those of `source`, where `offset` is a lane's. */
  copyAllIn(offset: Offset, source: Uint8Array, lanes?: BigInt64Array): void {
    const { bytes } = this;
    const { length } = source;
    if (lanes !== undefined) {
      copyLanes(this.#int64, offset >>> 3, lanes, 0, lanes.length);
      if (length % LANE_BYTES !== 0) this.#copyRestIn(offset, source);
    } else if (length > LOOP_BYTES_MAX) set.call(bytes, source, offset);
    else for (let i = 0; i < length; i++) bytes[offset + i] = source[i] as number;
  }

  /** What is no whole lane. */
  #copyRestIn(offset: Offset, source: Uint8Array): void {
    const { length } = source;
    for (let i = length - (length % LANE_BYTES); i < length; i++) this.bytes[offset + i] = source[i] as number;
  }

  /** Copies `length` bytes at `offset` in the region to `target`, from `start`. `lanes` as for `copyAllIn`; `start` is then 0. */
  copyOut(offset: Offset, target: Uint8Array, start: number, length: number, lanes?: BigInt64Array): void {
    if (lanes !== undefined) {
      copyLanes(lanes, 0, this.#int64, offset >>> 3, length >>> 3);
      if (length % LANE_BYTES !== 0) this.#copyRestOut(offset, target, length);
    } else if (length <= LOOP_BYTES_MAX) {
      const bytes = this.bytes;
      for (let i = 0; i < length; i++) target[start + i] = bytes[offset + i] as number;
    } else {
      target.set(this.bytes.subarray(offset, offset + length), start);
    }
  }

  #copyRestOut(offset: Offset, target: Uint8Array, length: number): void {
    for (let i = length - (length % LANE_BYTES); i < length; i++) target[i] = this.bytes[offset + i] as number;
  }

  /** A view for repeated copies out of one place: making it costs as much as the copy. */
  view(offset: Offset, length: number): Uint8Array {
    return this.bytes.subarray(offset, offset + length);
  }

  copyView(view: Uint8Array, target: Uint8Array, start: number): void {
    set.call(target, view, start);
  }

  /** Lends the bytes that a view shows, to be read or written where they lie. The caller holds the lock that guards them. */
  lendView(view: Uint8Array, use: (bytes: Uint8Array) => void): void {
    use(view);
  }

  /** Whether the bytes at `offset` are those. */
  equal(offset: Offset, bytes: Uint8Array): boolean {
    return bytes.every((byte, i) => this.bytes[offset + i] === byte);
  }

  zero(offset: Offset, length: number): void {
    this.bytes.fill(0, offset, offset + length);
  }
}
