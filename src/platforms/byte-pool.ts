// Bytes for messages that are received. An array of more than 64 bytes costs the engine more than a microsecond, so short messages
// are views of one larger buffer, as Node's own Buffers are (Buffer.poolSize). It cannot be transferred: others are in it.

import { markAsUntransferable } from "node:worker_threads";

const POOL_BYTES = 32 * 1024;
/** What is longer gets a buffer of its own, and what is shorter the engine keeps in its heap. */
const POOLED_BYTES_MAX = 4096;
const POOLED_BYTES_MIN = 1;
const ALIGNMENT = 8;

let pool = new ArrayBuffer(0);
let used = 0;

/** Bytes of a length, whose contents are left from before: for who overwrites them all. */
export function messageBytes(length: number): Uint8Array<ArrayBuffer> {
  if (length < POOLED_BYTES_MIN || length > POOLED_BYTES_MAX) return new Uint8Array(length);
  if (used + length > pool.byteLength) {
    pool = new ArrayBuffer(POOL_BYTES);
    markAsUntransferable(pool);
    used = 0;
  }
  const bytes = new Uint8Array(pool, used, length);
  used = (used + length + ALIGNMENT - 1) & -ALIGNMENT;
  return bytes;
}
