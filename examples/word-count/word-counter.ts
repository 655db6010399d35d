// What a word is, and the counting of words in a stream of bytes.
//
// A word is a longest run of word bytes: ASCII letters, digits, "_", and all bytes from 0x80 up (so the letters of every
// UTF-8 text stay together). ASCII letters count as lower case. A run of more than 255 bytes is data, not a word.

import { WordTable } from "./word-table.ts";

export const WORD_BYTES_MAX = 255;

/** For each byte its lower case, or 0 where it is not a word byte. */
const LOWER = Uint8Array.from({ length: 256 }, (_, byte) => {
  const isUpper = byte >= 0x41 && byte <= 0x5a;
  const isLower = byte >= 0x61 && byte <= 0x7a;
  const isDigit = byte >= 0x30 && byte <= 0x39;
  if (isUpper) return byte + 0x20;
  return isLower || isDigit || byte === 0x5f || byte >= 0x80 ? byte : 0;
});

export function isWordByte(byte: number): boolean {
  return LOWER[byte] !== 0;
}

/** Counts words in text that comes in pieces, wherever those begin and end; end() closes the text. */
export class WordCounter {
  readonly table = new WordTable();
  /** The text's bytes so far. */
  bytes = 0;
  /** The run at the end of the last piece, that may go on in the next: one byte more than a word has is kept of it. */
  readonly #open = new Uint8Array(WORD_BYTES_MAX + 1);
  #openBytes = 0;
  #lower = new Uint8Array(0);

  push(piece: Uint8Array): void {
    const length = piece.length;
    const lower = this.#lowered(piece);
    const { table } = this;
    let start = this.#openBytes > 0 ? this.#goOn(lower, length) : 0;
    for (let end = start; end < length; end++) {
      if (lower[end] !== 0) continue;
      if (end > start && end - start <= WORD_BYTES_MAX) table.add(lower, start, end, 1);
      start = end + 1;
    }
    this.#keepOpen(lower, start, length);
    this.bytes += length;
  }

  /** The text ends here; what is pushed next is another one, and no word runs over. */
  end(): void {
    if (this.#openBytes > 0 && this.#openBytes <= WORD_BYTES_MAX) this.table.add(this.#open, 0, this.#openBytes, 1);
    this.#openBytes = 0;
  }

  clear(): void {
    this.table.clear();
    this.bytes = 0;
    this.#openBytes = 0;
  }

  /** The open run goes on with the first bytes of a piece, and may end there. Returns where that is. */
  #goOn(lower: Uint8Array, length: number): number {
    let end = 0;
    while (end < length && lower[end] !== 0) end++;
    this.#keepOpen(lower, 0, end);
    if (end < length) this.end();
    return end;
  }

  #keepOpen(lower: Uint8Array, start: number, end: number): void {
    const kept = Math.min(end - start, this.#open.length - this.#openBytes);
    this.#open.set(lower.subarray(start, start + kept), this.#openBytes);
    this.#openBytes += kept;
  }

  /** The piece in lower case, with 0 for every byte that is no word byte. */
  #lowered(piece: Uint8Array): Uint8Array {
    if (this.#lower.length < piece.length) this.#lower = new Uint8Array(piece.length);
    const lower = this.#lower;
    for (let index = 0; index < piece.length; index++) lower[index] = LOWER[piece[index]];
    return lower;
  }
}
