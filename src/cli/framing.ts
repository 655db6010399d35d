// Where one message ends and the next begins, in a stream of bytes.

import { Failure } from "./failure.ts";

export const NEWLINE = 0x0a;
export const NUL = 0x00;

/**
 * Cuts a stream at a separator into messages of at most `bytesMax` bytes: those that have come whole, batch by batch. What stands
 * behind the last separator is a message too. They lie in the stream's own chunks: nothing is copied that lies in one of them.
 */
export async function* messagesIn(
  chunks: AsyncIterable<Uint8Array>,
  separator: number,
  bytesMax: number,
): AsyncGenerator<Uint8Array[], void, undefined> {
  let begun: Uint8Array[] = [];
  let begunBytes = 0;
  let count = 0;
  const check = (bytes: number): void => {
    if (bytes > bytesMax) throw new Failure(`message ${count + 1} has more than ${bytesMax} bytes: ${TOO_LONG}`);
  };
  for await (const chunk of chunks) {
    const batch: Uint8Array[] = [];
    let from = 0;
    for (let end = chunk.indexOf(separator); end >= 0; end = chunk.indexOf(separator, from)) {
      const piece = chunk.subarray(from, end);
      if (begunBytes + piece.length > bytesMax) {
        yield batch; // what stood before it is sent all the same
        check(begunBytes + piece.length);
      }
      batch.push(begunBytes === 0 ? piece : Buffer.concat([...begun, piece]));
      count++;
      begun = [];
      begunBytes = 0;
      from = end + 1;
    }
    if (batch.length > 0) yield batch;
    if (from === chunk.length) continue;
    begun.push(chunk.subarray(from));
    begunBytes += chunk.length - from;
    check(begunBytes);
  }
  if (begunBytes > 0) yield [Buffer.concat(begun)];
}

/** All of a stream as one message. */
export async function wholeOf(chunks: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new Failure(`standard input has more than ${bytesMax} bytes: ${TOO_LONG}`);
    pieces.push(chunk);
  }
  return Buffer.concat(pieces);
}

const TOO_LONG = "split it, or make the kernel and the queue with a larger messageBytesMax";
