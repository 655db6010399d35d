// fanga shm create, dump and write

import { IpcError } from "../../api/ipc-error.ts";
import type { Kernel } from "../../api/kernel.ts";
import type { SharedMemory, SharedMemoryOptions } from "../../api/shared-memory.ts";
import type { Command, Context, Parameter } from "../command.ts";
import { EXIT_OK, Failure } from "../failure.ts";
import { hexDump } from "../hex-dump.ts";
import { openKernel } from "../kernels.ts";
import { addressOfNew, labelOf, openObject, type Target, targetOf } from "../open-object.ts";
import { kernelOption } from "../option.ts";
import { Output } from "../output.ts";
import { bytesOf, modeOf, modeOption } from "../values.ts";

const BYTES_MOST = 0xffffffff;
const RAW_PIECE_BYTES = 1024 * 1024;

const parameter: Parameter = {
  name: "SEGMENT",
  description: "its name, or key:0xKEY",
  completes: { objects: ["shm"] },
};

const create: Command = {
  name: "create",
  summary: "make a segment of zeros",
  notes: "It stays until fanga rm removes it. The kernel is made too where it is not there.",
  options: {
    ...kernelOption,
    bytes: { type: "string", short: "b", value: "BYTES", description: "its size, such as 4096, 64K or 1M" },
    ...modeOption,
  },
  parameters: [{ name: "SEGMENT", description: "its name, or key:0xKEY" }],
  examples: [["fanga shm create --bytes 1M frames", "a mebibyte"]],

  run(context, given) {
    const bytes = bytesOf(given, "bytes", BYTES_MOST);
    if (!bytes) throw given.wrong("its size is missing: type --bytes BYTES, such as --bytes 64K");
    const address = addressOfNew(given, given.word(0), ["shm"]);
    using kernel = openKernel(context, given, { create: true });
    try {
      kernel.sharedMemory({ ...address, bytes, mode: modeOf(given), create: true, exclusive: true }).close();
    } catch (error) {
      if (!(error instanceof IpcError && error.code === "EEXIST")) throw error;
      throw new Failure(`there is a segment ${labelOf(address)} already: fanga rm removes it`);
    }
    return EXIT_OK;
  },
};

const dump: Command = {
  name: "dump",
  summary: "print the bytes of a segment",
  notes: "In hexadecimal and ASCII as hexdump -C does, or as they are. What is written meanwhile may be seen in part.",
  options: {
    ...kernelOption,
    raw: { type: "boolean", short: "r", description: "the bytes as they are" },
    offset: { type: "string", short: "s", value: "BYTES", description: "begin so far behind the segment's beginning" },
    length: {
      type: "string",
      short: "l",
      value: "BYTES",
      description: "print so many bytes; default all that are left",
    },
  },
  parameters: [parameter],
  examples: [["fanga shm dump --length 64 frames", "its first 64 bytes"]],

  async run(context, given) {
    const offset = bytesOf(given, "offset") ?? 0;
    const length = bytesOf(given, "length") ?? Number.POSITIVE_INFINITY;
    const target = targetOf(given, given.word(0), ["shm"]);
    using kernel = openKernel(context, given);
    using segment = await attach(kernel, target, { readOnly: true });
    checkOffset(segment, offset);
    const room = segment.byteLength - offset;
    if (length > room && given.text("length") !== undefined) {
      throw new Failure(
        `--length is ${length}, and the segment has ${room} bytes behind the offset: type that at most`,
      );
    }
    const bytes = segment.bytes.subarray(offset, offset + Math.min(length, room));
    const output = new Output(context);
    if (given.has("raw")) await writeRaw(output, bytes);
    else for (const text of hexDump(bytes, offset)) await output.write(Buffer.from(text));
    return EXIT_OK;
  },
};

const write: Command = {
  name: "write",
  summary: "copy standard input into a segment",
  options: {
    ...kernelOption,
    offset: { type: "string", short: "s", value: "BYTES", description: "begin so far behind the segment's beginning" },
  },
  parameters: [parameter],
  examples: [["fanga shm write frames < frame.bin", "what is behind it stays as it is"]],

  async run(context, given) {
    const offset = bytesOf(given, "offset") ?? 0;
    const target = targetOf(given, given.word(0), ["shm"]);
    using kernel = openKernel(context, given);
    using segment = await attach(kernel, target, {});
    checkOffset(segment, offset);
    await copyInto(segment, offset, context);
    return EXIT_OK;
  },
};

export const shm: Command = {
  name: "shm",
  summary: "make, print and fill shared memory segments",
  subcommands: [create, dump, write],
};

const attach = (kernel: Kernel, target: Target, options: SharedMemoryOptions): Promise<SharedMemory> =>
  openObject(kernel, target, "fanga shm create", (address) => kernel.sharedMemory({ ...address, ...options }));

function checkOffset({ byteLength }: SharedMemory, offset: number): void {
  if (offset <= byteLength) return;
  throw new Failure(`--offset is ${offset}, and the segment has ${byteLength} bytes: type that at most`);
}

async function writeRaw(output: Output, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; at += RAW_PIECE_BYTES) {
    await output.write(bytes.subarray(at, at + RAW_PIECE_BYTES));
  }
}

async function copyInto(segment: SharedMemory, offset: number, { stdin }: Context): Promise<void> {
  let at = offset;
  for await (const chunk of stdin as AsyncIterable<Uint8Array>) {
    const fits = chunk.subarray(0, segment.byteLength - at);
    segment.bytes.set(fits, at);
    at += fits.length;
    if (fits.length === chunk.length) continue;
    throw new Failure(`standard input is longer than the segment: ${at - offset} bytes were written, and no more`);
  }
}
