// Words that watch where they are asked to go: no access outside the region, and no operation that goes on for ever.

import { LINE_BYTES, type Offset, type Word, Words } from "../../src/memory/words.ts";

/** Thrown at an access outside the region. In production the engine would throw, or read nothing. */
export class Outside extends Error {}

/** Thrown where one operation makes more accesses than any needs. */
export class Endless extends Error {}

export class BoundedWords extends Words {
  left = 0;

  #check(word: number, count = 1): void {
    if (!Number.isInteger(word) || word < 0 || count < 0 || word + count > this.int32.length) {
      throw new Outside(`words ${word} to ${word + count}`);
    }
    if (--this.left < 0) throw new Endless("too many accesses");
  }

  #checkBytes(offset: number, length: number): void {
    if (!Number.isInteger(offset) || offset < 0 || !(length >= 0) || offset + length > this.bytes.length) {
      throw new Outside(`bytes ${offset} to ${offset + length}`);
    }
    this.left -= length / LINE_BYTES;
    if (--this.left < 0) throw new Endless("too many accesses");
  }

  override load(word: Word): number {
    this.#check(word);
    return super.load(word);
  }

  override store(word: Word, value: number): void {
    this.#check(word);
    super.store(word, value);
  }

  override exchange(word: Word, value: number): number {
    this.#check(word);
    return super.exchange(word, value);
  }

  override compareExchange(word: Word, expected: number, value: number): number {
    this.#check(word);
    return super.compareExchange(word, expected, value);
  }

  override get(word: Word): number {
    this.#check(word);
    return super.get(word);
  }

  override isAnySet(word: Word): boolean {
    this.#check(word, 2);
    return super.isAnySet(word);
  }

  override set(word: Word, value: number): void {
    this.#check(word);
    super.set(word, value);
  }

  override setSix(word: Word, a: number, b: number, c: number, d: number, e: number, f: number): void {
    this.#check(word, 6);
    super.setSix(word, a, b, c, d, e, f);
  }

  override getSix(word: Word, target: Int32Array): void {
    this.#check(word, 6);
    super.getSix(word, target);
  }

  override getTwoLanes(word: Word, target: BigInt64Array): void {
    this.#check(word, 4);
    super.getTwoLanes(word, target);
  }

  override load64(word: Word): bigint {
    this.#check(word, 2);
    return super.load64(word);
  }

  override store64(word: Word, value: bigint): void {
    this.#check(word, 2);
    super.store64(word, value);
  }

  override compareExchange64(word: Word, expected: bigint, value: bigint): bigint {
    this.#check(word, 2);
    return super.compareExchange64(word, expected, value);
  }

  override copyIn(offset: Offset, source: Uint8Array, start: number, length: number): void {
    this.#checkBytes(offset, length);
    super.copyIn(offset, source, start, length);
  }

  override copyAllIn(offset: Offset, source: Uint8Array): void {
    this.#checkBytes(offset, source.length);
    super.copyAllIn(offset, source);
  }

  override copyOut(offset: Offset, target: Uint8Array, start: number, length: number): void {
    this.#checkBytes(offset, length);
    super.copyOut(offset, target, start, length);
  }

  override view(offset: Offset, length: number): Uint8Array {
    this.#checkBytes(offset, length);
    return super.view(offset, length);
  }

  override equal(offset: Offset, bytes: Uint8Array): boolean {
    this.#checkBytes(offset, bytes.length);
    return super.equal(offset, bytes);
  }

  override zero(offset: Offset, length: number): void {
    this.#checkBytes(offset, length);
    super.zero(offset, length);
  }
}
