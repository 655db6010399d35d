// Bytes for messages that are received. An array of more than 64 bytes costs the engine more than a microsecond, so short messages
// are views of one larger buffer, as Node's own Buffers are (Buffer.poolSize). It cannot be transferred: others are in it.

import { markAsUntransferable } from "node:worker_threads";

const POOL_BYTES = 32 * 1024;
/** What is longer gets a buffer of its own, and what is shorter the engine keeps in its heap. */
const POOLED_BYTES_MAX = 4096;
const POOLED_BYTES_MIN = 1;
const LANE_BYTES = 8;
/** Lanes that are copied without a loop. */
const AT_ONCE = 8;

/** The longest that `copied` is asked for, in bytes. */
const SHORT_BYTES_MAX = 128;

let pool = new ArrayBuffer(0);
let lanes = new BigInt64Array(pool);
let used = 0;

/** Bytes for messages that are received, of one's own. */
export const messageBytes = {
  /** Bytes of a length, whose contents are left from before: for who overwrites them all. */
  of(length: number): Uint8Array<ArrayBuffer> {
    if (length < POOLED_BYTES_MIN || length > POOLED_BYTES_MAX) return new Uint8Array(length);
    if (used + length > pool.byteLength) renew();
    return taken(length);
  },

  /** Sees to it that there is room for what is `copied` next. */
  ready(): void {
    if (used + SHORT_BYTES_MAX > lanes.length * LANE_BYTES) renew();
  },

  /** Up to SHORT_BYTES_MAX bytes, a copy of those at the start of some lanes. */
  copied(from: BigInt64Array, length: number): Uint8Array<ArrayBuffer> {
    const to = lanes;
    const at = used >>> 3;
    const count = (length + LANE_BYTES - 1) >>> 3;
    let i = 0;
    if (count >= AT_ONCE) {
      to[at] = from[0] as bigint;
      to[at + 1] = from[1] as bigint;
      to[at + 2] = from[2] as bigint;
      to[at + 3] = from[3] as bigint;
      to[at + 4] = from[4] as bigint;
      to[at + 5] = from[5] as bigint;
      to[at + 6] = from[6] as bigint;
      to[at + 7] = from[7] as bigint;
      i = AT_ONCE;
    }
    for (; i < count; i++) to[at + i] = from[i] as bigint;
    return taken(length);
  },
};

function renew(): void {
  pool = new ArrayBuffer(POOL_BYTES);
  markAsUntransferable(pool);
  lanes = new BigInt64Array(pool);
  used = 0;
}

function taken(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(pool, used, length);
  used = (used + length + LANE_BYTES - 1) & -LANE_BYTES;
  return bytes;
}
