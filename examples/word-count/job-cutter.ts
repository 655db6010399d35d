// Cuts a stream of text into jobs. A job ends behind a byte that is no word byte, or with the stream: no word is ever cut.

import { isWordByte, WORD_BYTES_MAX } from "./word-counter.ts";

export class JobCutter {
  /** Bytes of runs so long that they fill a whole job: never words, so no worker needs to see them. */
  droppedBytes = 0;
  readonly #window: Uint8Array;
  #used = 0;
  /** Inside such a run, whose end is still to come. */
  #dropping = false;

  /** jobBytesMax: bytes of a job at most; more than a word can have, or runs would be dropped that are words. */
  constructor(jobBytesMax: number) {
    if (jobBytesMax <= WORD_BYTES_MAX) throw new RangeError(`a job must have room for ${WORD_BYTES_MAX + 1} bytes`);
    this.#window = new Uint8Array(jobBytesMax);
  }

  /** The jobs that are complete with this piece. Each is the caller's own copy. */
  *push(piece: Uint8Array): Generator<Uint8Array> {
    let position = this.#dropping ? this.#drop(piece) : 0;
    while (position < piece.length) {
      const taken = piece.subarray(position, position + this.#window.length - this.#used);
      this.#window.set(taken, this.#used);
      this.#used += taken.length;
      position += taken.length;
      if (this.#used < this.#window.length) return;
      const job = this.#cut();
      if (job !== undefined) yield job;
      else position += this.#drop(piece.subarray(position));
    }
  }

  /** What is left when the stream has ended: one job, or none. */
  end(): Uint8Array | undefined {
    const rest = this.#used > 0 ? this.#window.slice(0, this.#used) : undefined;
    this.#used = 0;
    this.#dropping = false;
    return rest;
  }

  /** From the full window, all up to its last boundary; without one the window is part of a run too long for a word. */
  #cut(): Uint8Array | undefined {
    let length = this.#used;
    while (length > 0 && isWordByte(this.#window[length - 1])) length--;
    if (length === 0) {
      this.droppedBytes += this.#used;
      this.#used = 0;
      this.#dropping = true;
      return undefined;
    }
    const job = this.#window.slice(0, length);
    this.#window.copyWithin(0, length, this.#used);
    this.#used -= length;
    return job;
  }

  /** Drops what goes on with the long run, and returns how many bytes that is. */
  #drop(piece: Uint8Array): number {
    let length = 0;
    while (length < piece.length && isWordByte(piece[length])) length++;
    this.droppedBytes += length;
    this.#dropping = length === piece.length;
    return length;
  }
}
