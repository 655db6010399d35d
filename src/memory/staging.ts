// A short message on its way between the caller's bytes and a queue's slot. One function of WebAssembly does all of a send, and one
// all of a receive (machine-queue-steps.ts), but such a function reaches only the region: so the bytes are copied by JavaScript to or
// from a place there that is the task's own, where nobody else looks and the lines stay in its CPU's cache. What a death leaves in
// it is nobody's.

import { LANE_BYTES, LANES_BYTES_MAX } from "./lanes.ts";
import { message, task } from "./layout.ts";
import { field, LOOP_BYTES_MAX, offsetOf, type Word, type Words } from "./words.ts";

/** The longest message that is staged, in bytes. */
export const STAGED_BYTES_MAX = LANES_BYTES_MAX;

/** Lanes that are copied without a loop. */
const AT_ONCE = 8;
/** The bits of a length that say how many bytes are no whole lane. Of this module: an engine looks up what was imported with each use. */
const REST = LANE_BYTES - 1;
/** As in words.ts. */
const { set } = Uint8Array.prototype;

export class Staging {
  /** Where it is: as a slot of a queue, with the same words at its beginning. */
  readonly at: Word;
  /** The message's bytes, as lanes of 64 bits. */
  readonly lanes: BigInt64Array;
  /** TYPE to PRIORITY. */
  readonly about: BigInt64Array;
  readonly #words: Words;
  readonly #bytes: Uint8Array;
  /** Its first bytes, as many as were copied last by a view of them. */
  #view: Uint8Array;

  /** Of the task whose slot this is. */
  constructor(words: Words, slot: Word) {
    this.#words = words;
    this.at = field(slot, task.STAGED);
    const { buffer } = words.int32;
    const data = offsetOf(field(this.at, message.DATA));
    this.lanes = new BigInt64Array(buffer, data, STAGED_BYTES_MAX / LANE_BYTES);
    this.about = new BigInt64Array(buffer, offsetOf(field(this.at, message.TYPE)), 2);
    this.#bytes = new Uint8Array(buffer, data, STAGED_BYTES_MAX);
    this.#view = this.#bytes;
  }

  /** How many looks were left to the one who waited for what is staged (StagedSteps.awaitStaged). */
  get looksLeft(): number {
    return this.#words.get(this.at);
  }

  /** Stages up to STAGED_BYTES_MAX bytes. `lanes` are theirs, where they are known. */
  put(data: Uint8Array, lanes: BigInt64Array | undefined): void {
    if (lanes === undefined) {
      this.#putBytes(data);
      return;
    }
    const to = this.lanes;
    const count = lanes.length;
    let i = 0;
    if (count >= AT_ONCE) {
      to[0] = lanes[0] as bigint;
      to[1] = lanes[1] as bigint;
      to[2] = lanes[2] as bigint;
      to[3] = lanes[3] as bigint;
      to[4] = lanes[4] as bigint;
      to[5] = lanes[5] as bigint;
      to[6] = lanes[6] as bigint;
      to[7] = lanes[7] as bigint;
      i = AT_ONCE;
    }
    for (; i < count; i++) to[i] = lanes[i] as bigint;
    if ((data.length & REST) !== 0) this.#putRest(data);
  }

  #putBytes(data: Uint8Array): void {
    const bytes = this.#bytes;
    const { length } = data;
    if (length > LOOP_BYTES_MAX) set.call(bytes, data);
    else for (let i = 0; i < length; i++) bytes[i] = data[i] as number;
  }

  /** What is no whole lane. */
  #putRest(data: Uint8Array): void {
    const { length } = data;
    for (let i = length & ~REST; i < length; i++) this.#bytes[i] = data[i] as number;
  }

  /** Copies the first `length` bytes of what is staged to `target`, which has at least as many; `lanes` as in `put`. */
  get(target: Uint8Array, length: number, lanes: BigInt64Array | undefined): void {
    if (lanes === undefined) {
      this.#getBytes(target, length);
      return;
    }
    const from = this.lanes;
    const count = length >>> 3;
    let i = 0;
    if (count >= AT_ONCE) {
      lanes[0] = from[0] as bigint;
      lanes[1] = from[1] as bigint;
      lanes[2] = from[2] as bigint;
      lanes[3] = from[3] as bigint;
      lanes[4] = from[4] as bigint;
      lanes[5] = from[5] as bigint;
      lanes[6] = from[6] as bigint;
      lanes[7] = from[7] as bigint;
      i = AT_ONCE;
    }
    for (; i < count; i++) lanes[i] = from[i] as bigint;
    if ((length & REST) !== 0) this.#getRest(target, length);
  }

  #getBytes(target: Uint8Array, length: number): void {
    if (length > LOOP_BYTES_MAX) {
      if (this.#view.length !== length) this.#view = this.#bytes.subarray(0, length);
      set.call(target, this.#view);
    } else {
      const bytes = this.#bytes;
      for (let i = 0; i < length; i++) target[i] = bytes[i] as number;
    }
  }

  #getRest(target: Uint8Array, length: number): void {
    for (let i = length & ~REST; i < length; i++) target[i] = this.#bytes[i] as number;
  }
}
