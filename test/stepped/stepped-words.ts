// Words of a task that is stepped one shared access at a time. A task that was stopped is run again from its beginning: the
// accesses that it has made already are answered from a log, and touch nothing.

import type { Offset, Word } from "../../src/memory/words.ts";
import { LINE_BYTES, WORD_BYTES, Words } from "../../src/memory/words.ts";

/** What an access gave: a number, bytes that were copied out, or nothing. */
export type Entry = number | bigint | boolean | Uint8Array | undefined;

/** Thrown where a task is to stop; its state afterwards. */
export class Stop extends Error {
  readonly state: number;

  constructor(why: string, state: number) {
    super(why);
    this.state = state;
  }
}

/** Who says how far a task may go. */
export interface Stepper {
  /** Before each access that is not in the log. Throws a Stop where the task may not make it yet. */
  before(first: number, last: number, writes: boolean): void;
}

const wordOf = (offset: number): number => Math.floor(offset / WORD_BYTES);

export class SteppedWords extends Words {
  readonly #stepper: Stepper;
  log: Entry[] = [];
  /** What stopped the task: until it is run again, it makes no access any more, also where it cleans up behind itself. */
  stopped: Stop | undefined;
  #position = 0;

  constructor(buffer: ArrayBufferLike, stepper: Stepper) {
    super(buffer);
    this.#stepper = stepper;
  }

  /** From here on the task is run again. */
  restart(): void {
    this.stopped = undefined;
    this.#position = 0;
  }

  check(): void {
    if (this.stopped) throw this.stopped;
  }

  get isRepeating(): boolean {
    return this.#position < this.log.length;
  }

  /** The next entry of the log. */
  repeated(): Entry {
    return this.log[this.#position++];
  }

  /** Notes what an access has given. */
  note<T extends Entry>(entry: T): T {
    this.log.push(entry);
    this.#position++;
    return entry;
  }

  before(first: number, last: number, writes: boolean): void {
    this.check();
    this.#stepper.before(first, last, writes);
  }

  override load(word: Word): number {
    if (this.isRepeating) return this.repeated() as number;
    this.before(word, word, false);
    return this.note(super.load(word));
  }

  override store(word: Word, value: number): void {
    if (this.isRepeating) return void this.repeated();
    this.before(word, word, true);
    super.store(word, value);
    this.note(undefined);
  }

  override exchange(word: Word, value: number): number {
    if (this.isRepeating) return this.repeated() as number;
    this.before(word, word, true);
    return this.note(super.exchange(word, value));
  }

  override compareExchange(word: Word, expected: number, value: number): number {
    if (this.isRepeating) return this.repeated() as number;
    this.before(word, word, true);
    return this.note(super.compareExchange(word, expected, value));
  }

  override get(word: Word): number {
    if (this.isRepeating) return this.repeated() as number;
    this.before(word, word, false);
    return this.note(super.get(word));
  }

  override isAnySet(word: Word): boolean {
    return (this.get(word) | this.get((word + 1) as Word) | this.get((word + 2) as Word)) !== 0;
  }

  override set(word: Word, value: number): void {
    if (this.isRepeating) return void this.repeated();
    this.before(word, word, true);
    super.set(word, value);
    this.note(undefined);
  }

  override setSix(word: Word, ...values: [number, number, number, number, number, number]): void {
    values.forEach((value, i) => {
      this.set((word + i) as Word, value);
    });
  }

  override getSix(word: Word, target: Int32Array): void {
    for (let i = 0; i < 6; i++) target[i] = this.get((word + i) as Word);
  }

  override getTwoLanes(word: Word, target: BigInt64Array): void {
    const half = (i: number): bigint => BigInt.asUintN(32, BigInt(this.get((word + i) as Word)));
    for (let i = 0; i < 2; i++) target[i] = BigInt.asIntN(64, half(2 * i) | (half(2 * i + 1) << 32n));
  }

  override load64(word: Word): bigint {
    if (this.isRepeating) return this.repeated() as bigint;
    this.before(word, word + 1, false);
    return this.note(super.load64(word));
  }

  override store64(word: Word, value: bigint): void {
    if (this.isRepeating) return void this.repeated();
    this.before(word, word + 1, true);
    super.store64(word, value);
    this.note(undefined);
  }

  override compareExchange64(word: Word, expected: bigint, value: bigint): bigint {
    if (this.isRepeating) return this.repeated() as bigint;
    this.before(word, word + 1, true);
    return this.note(super.compareExchange64(word, expected, value));
  }

  override copyIn(offset: Offset, source: Uint8Array, start: number, length: number): void {
    if (this.isRepeating) return void this.repeated();
    this.before(wordOf(offset), wordOf(offset + length - 1), true);
    super.copyIn(offset, source, start, length);
    this.note(undefined);
  }

  override copyAllIn(offset: Offset, source: Uint8Array): void {
    if (this.isRepeating) return void this.repeated();
    this.before(wordOf(offset), wordOf(offset + source.length - 1), true);
    super.copyAllIn(offset, source);
    this.note(undefined);
  }

  override copyOut(offset: Offset, target: Uint8Array, start: number, length: number): void {
    if (this.isRepeating) {
      target.set(this.repeated() as Uint8Array, start);
      return;
    }
    this.before(wordOf(offset), wordOf(offset + length - 1), false);
    super.copyOut(offset, target, start, length);
    this.note(target.slice(start, start + length));
  }

  override copyView(view: Uint8Array, target: Uint8Array, start: number): void {
    if (this.isRepeating) {
      target.set(this.repeated() as Uint8Array, start);
      return;
    }
    this.before(wordOf(view.byteOffset), wordOf(view.byteOffset + view.length - 1), false);
    super.copyView(view, target, start);
    this.note(target.slice(start, start + view.length));
  }

  /** Read and written as a whole: what the function does in between is its own. */
  override lendView(view: Uint8Array, use: (bytes: Uint8Array) => void): void {
    const copy = new Uint8Array(view.length);
    if (copy.length > 0) this.copyView(view, copy, 0);
    use(copy);
    if (copy.length > 0) this.copyIn(view.byteOffset as Offset, copy, 0, copy.length);
  }

  override equal(offset: Offset, bytes: Uint8Array): boolean {
    if (this.isRepeating) return this.repeated() as boolean;
    this.before(wordOf(offset), wordOf(offset + bytes.length - 1), false);
    return this.note(super.equal(offset, bytes));
  }

  override zero(offset: Offset, length: number): void {
    if (this.isRepeating) return void this.repeated();
    this.before(wordOf(offset), wordOf(offset + Math.max(length, LINE_BYTES) - 1), true);
    super.zero(offset, length);
    this.note(undefined);
  }
}
