// Tasks for tests of pipes and FIFOs.

import type { Kernel, PipeReader, PipeReaderToken, PipeWriter, PipeWriterToken } from "../src/index.ts";
import { codeOf, RECORD_HEADER_BYTES } from "./expectations.ts";
import type { Peer } from "./task-runner.ts";

/** Asleep in the call, or as a promise. */
export type Form = "sync" | "awaited";

/** Reads up to `bytes` once; tells how many, and which. */
export async function readOnce(
  kernel: Kernel,
  peer: Peer,
  args: { reader: PipeReaderToken; bytes: number; form: Form },
): Promise<{ count: number; data: Uint8Array }> {
  const reader = kernel.openToken(args.reader);
  const buffer = new Uint8Array(args.bytes);
  peer.report("open");
  const count = args.form === "sync" ? reader.readSync(buffer) : await reader.read(buffer);
  return { count, data: buffer.subarray(0, count) };
}

/** Reads until end-of-file. */
export async function readAll(
  kernel: Kernel,
  peer: Peer,
  args: { reader: PipeReaderToken; chunk: number; form: Form },
): Promise<Uint8Array> {
  const reader = kernel.openToken(args.reader);
  const buffer = new Uint8Array(args.chunk);
  const chunks: Uint8Array[] = [];
  peer.report("open");
  for (;;) {
    const count = args.form === "sync" ? reader.readSync(buffer) : await reader.read(buffer);
    if (count === 0) return Buffer.concat(chunks);
    chunks.push(buffer.slice(0, count));
  }
}

/** Writes it all; tells the count or the error's code, and holds the end until told. */
export async function write(
  kernel: Kernel,
  peer: Peer,
  args: { writer: PipeWriterToken; data: Uint8Array; form: Form; hold?: boolean },
): Promise<number | string> {
  using writer = kernel.openToken(args.writer);
  peer.report("open");
  let written: number | string = 0;
  const code = await codeOf(async () => {
    written = args.form === "sync" ? writer.writeSync(args.data) : await writer.write(args.data);
  });
  if (code !== "nothing") written = code;
  if (args.hold) {
    peer.report(written);
    await peer.hear();
  }
  return written;
}

/** Writes records of all lengths up to `bytesMax`, each with one write. */
export async function writeRecords(
  kernel: Kernel,
  peer: Peer,
  args: { writer: PipeWriterToken; id: number; count: number; bytesMax: number; form: Form },
): Promise<void> {
  using writer = kernel.openToken(args.writer);
  peer.report("open");
  await peer.hear();
  for (let i = 0; i < args.count; i++) {
    // Every third of the full length; else spread over all lengths.
    const spread = RECORD_HEADER_BYTES + ((i * 977 + args.id * 331) % (args.bytesMax - RECORD_HEADER_BYTES + 1));
    const length = i % 3 === 0 ? args.bytesMax : spread;
    const record = Buffer.alloc(length, args.id);
    record.writeUInt16LE(length, 0);
    record.writeUInt16LE(args.id, 2);
    record.writeUInt32LE(i, 4);
    if (args.form === "sync") writer.writeSync(record);
    else await writer.write(record);
  }
}

/** Opens an end and keeps it until told. */
export async function holdEnd(
  kernel: Kernel,
  peer: Peer,
  args: { end: PipeReaderToken | PipeWriterToken },
): Promise<void> {
  using _end =
    args.end.end === "reader"
      ? kernel.openToken(args.end as PipeReaderToken)
      : kernel.openToken(args.end as PipeWriterToken);
  peer.report("open");
  await peer.hear();
}

/** Opens an end and goes to sleep on it for good. */
export function sleepOnEnd(kernel: Kernel, peer: Peer, args: { end: PipeReaderToken | PipeWriterToken }): void {
  peer.report("open");
  if (args.end.end === "reader") kernel.openToken(args.end as PipeReaderToken).readSync(new Uint8Array(16));
  else kernel.openToken(args.end as PipeWriterToken).writeSync(new Uint8Array(1 << 16));
}

/** Opens a FIFO's end, reports it, and holds it until told; a message to write may come first. */
export async function openFifo(
  kernel: Kernel,
  peer: Peer,
  args: { name: string; mode: "read" | "write"; form: Form },
): Promise<void> {
  const open = async (): Promise<PipeReader | PipeWriter> => {
    if (args.mode === "read") {
      return args.form === "sync" ? kernel.openFifoSync(args.name, "read") : await kernel.openFifo(args.name, "read");
    }
    return args.form === "sync" ? kernel.openFifoSync(args.name, "write") : await kernel.openFifo(args.name, "write");
  };
  using end = await open();
  peer.report("open");
  for (;;) {
    const told = await peer.hear();
    if (!(told instanceof Uint8Array)) return;
    if ("writeSync" in end) end.writeSync(told);
    peer.report("written");
  }
}
