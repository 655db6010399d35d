// One process of a pipe measurement: the `reader` is the measured one, the `writer` its partner. An operation is one KiB.

import type { PipeReader, PipeWriter } from "../src/index.ts";
import { assertLength, report, runSide, type SideOrder } from "./side.ts";

const KIB = 1024;

function chunkOf(order: SideOrder): Uint8Array {
  return new Uint8Array(order.bytes).fill(0x5a);
}

function bytesOf(order: SideOrder): number {
  return (order.warmup + order.operations) * KIB;
}

function writeAll(writer: PipeWriter, chunk: Uint8Array, bytes: number): void {
  let left = bytes;
  for (; left >= chunk.length; left -= chunk.length) assertLength(writer.writeSync(chunk), chunk.length);
  if (left > 0) assertLength(writer.writeSync(chunk.subarray(0, left)), left);
}

/** Reads at least `bytes` bytes, fewer only at end-of-file, and returns how many. */
function readAll(reader: PipeReader, buffer: Uint8Array, bytes: number): number {
  let total = 0;
  while (total < bytes) {
    const got = reader.readSync(buffer);
    if (got === 0) break;
    total += got;
  }
  return total;
}

await runSide({
  writer(kernel, order) {
    const writer = kernel.openFifoSync(order.object, "write");
    writeAll(writer, chunkOf(order), bytesOf(order));
    writer.close();
  },
  reader(kernel, order) {
    const reader = kernel.openFifoSync(order.object, "read");
    const buffer = chunkOf(order);
    const warmed = readAll(reader, buffer, order.warmup * KIB);
    const start = process.hrtime.bigint();
    const timed = readAll(reader, buffer, bytesOf(order) - warmed);
    const elapsed = process.hrtime.bigint() - start;
    assertLength(warmed + timed, bytesOf(order));
    report(elapsed, timed / KIB);
    reader.close();
  },
});
