// What goes through the two queues, and how it is laid out. Numbers are little-endian; offsets are in bytes.

import type { WordTable } from "./word-table.ts";

/** The type of each message. */
export const MESSAGE = {
  /** jobs: a piece of text to count: 0 job number · 4 text */
  text: 1,
  /** results: a task is attached: 0 task number */
  started: 3,
  /** results: a worker has this job in hand: 0 task number · 4 job number */
  taken: 4,
  /** results: a job is done: 0 task number · 4 job number · 8 bytes · 12 words · 16 distinct words · 20 table */
  counted: 5,
  /** results: the reader found less of a file than was listed: 0 task number · 4 index of the file · 8 bytes (double) */
  shortened: 6,
  /** results: the reader is done: 0 task number · 8 bytes streamed (double) */
  streamed: 7,
} as const;

const JOB_HEADER_BYTES = 4;
const NOTICE_BYTES = 16;
const RESULT_HEADER_BYTES = 20;
/** In a result's table each word is: 0 its length · 1 how often (16 bits) · 3 its bytes. */
const ENTRY_HEADER_BYTES = 3;

export const JOB_TEXT_BYTES_MAX = 64 * 1024;
export const JOB_BYTES_MAX = JOB_HEADER_BYTES + JOB_TEXT_BYTES_MAX;

// Every result fits, by construction. A word of L >= 1 bytes that occurs C times takes C * (L + 1) bytes of the text or more,
// for each occurrence is followed by a byte that is no word byte, the last one perhaps by the end of the text. In the table
// it takes L + 3 <= 2 * (L + 1) bytes. So a table has at most twice the bytes of the text and of that one missing byte:
// 2 * (65,536 + 1) = 131,074. And C <= 65,537 / 2, which fits in 16 bits.
export const RESULT_BYTES_MAX = RESULT_HEADER_BYTES + 2 * (JOB_TEXT_BYTES_MAX + 1);

/** The limit of a kernel that both queues live in. */
export const MESSAGE_BYTES_MAX = Math.max(JOB_BYTES_MAX, RESULT_BYTES_MAX);

export function encodeJob(number: number, text: Uint8Array): Uint8Array {
  const message = new Uint8Array(JOB_HEADER_BYTES + text.length);
  viewOf(message).setUint32(0, number, true);
  message.set(text, JOB_HEADER_BYTES);
  return message;
}

/** The text is a part of the message, not a copy. */
export function decodeJob(message: Uint8Array): { number: number; text: Uint8Array } {
  return { number: viewOf(message).getUint32(0, true), text: message.subarray(JOB_HEADER_BYTES) };
}

export interface Notice {
  readonly task: number;
  /** A job's number, or a file's index, or 0. */
  readonly subject: number;
  readonly bytes: number;
}

/** A small message: started, taken, shortened, streamed. */
export function encodeNotice(task: number, subject = 0, bytes = 0): Uint8Array {
  const message = new Uint8Array(NOTICE_BYTES);
  const view = viewOf(message);
  view.setUint32(0, task, true);
  view.setUint32(4, subject, true);
  view.setFloat64(8, bytes, true);
  return message;
}

export function decodeNotice(message: Uint8Array): Notice {
  const view = viewOf(message);
  return { task: view.getUint32(0, true), subject: view.getUint32(4, true), bytes: view.getFloat64(8, true) };
}

export interface Result {
  readonly task: number;
  readonly job: number;
  readonly bytes: number;
}

/** Writes a result into the buffer, of RESULT_BYTES_MAX bytes, and returns its length. */
export function encodeResult(buffer: Buffer, result: Result, table: WordTable): number {
  buffer.writeUInt32LE(result.task, 0);
  buffer.writeUInt32LE(result.job, 4);
  buffer.writeUInt32LE(result.bytes, 8);
  buffer.writeUInt32LE(table.words, 12);
  buffer.writeUInt32LE(table.distinct, 16);
  let offset = RESULT_HEADER_BYTES;
  table.forEach((bytes, start, end, count) => {
    buffer[offset] = end - start;
    buffer[offset + 1] = count & 0xff;
    buffer[offset + 2] = count >> 8;
    offset += ENTRY_HEADER_BYTES;
    for (let at = start; at < end; at++) buffer[offset++] = bytes[at];
  });
  return offset;
}

export function decodeResult(message: Uint8Array): Result {
  const view = viewOf(message);
  return { task: view.getUint32(0, true), job: view.getUint32(4, true), bytes: view.getUint32(8, true) };
}

/** Adds the words of a result to a table. Throws if the message's own sums do not fit what it holds. */
export function mergeResult(message: Uint8Array, into: WordTable): void {
  const view = viewOf(message);
  const before = into.words;
  let offset = RESULT_HEADER_BYTES;
  let distinct = 0;
  while (offset < message.length) {
    const start = offset + ENTRY_HEADER_BYTES;
    const end = start + message[offset];
    into.add(message, start, end, message[offset + 1] | (message[offset + 2] << 8));
    distinct++;
    offset = end;
  }
  const fits = offset === message.length && distinct === view.getUint32(16, true);
  if (!fits || into.words - before !== view.getUint32(12, true)) {
    throw new Error(
      `the result of job ${view.getUint32(4, true)} does not fit its own sums: it was not delivered whole`,
    );
  }
}

function viewOf(message: Uint8Array): DataView {
  return new DataView(message.buffer, message.byteOffset, message.byteLength);
}
