// fanga cat FIFO…, and fanga cat --write FIFO

import { IpcError } from "../../api/ipc-error.ts";
import type { Kernel } from "../../api/kernel.ts";
import type { PipeReader } from "../../api/pipe-reader.ts";
import type { PipeWriter } from "../../api/pipe-writer.ts";
import type { Command } from "../command.ts";
import { EXIT_OK, Failure } from "../failure.ts";
import { openKernel } from "../kernels.ts";
import { nameIn, openObject, type Target, targetOf } from "../open-object.ts";
import { kernelOption } from "../option.ts";
import { Output } from "../output.ts";
import { type Patience, patienceOf, patiently, waitingOptions } from "../waiting.ts";

const CHUNK_BYTES = 64 * 1024;

export const cat: Command = {
  name: "cat",
  summary: "read named pipes to standard output, or write standard input into one",
  notes: `
Waits until somebody has the other end open, as opening a FIFO does. Reading ends once the
last writer has closed it. With --write, fanga reads no further while the pipe is full.
--timeout and --nonblock are for the other end to be opened, not for what comes after.`,
  options: {
    ...kernelOption,
    write: { type: "boolean", description: "write standard input into the pipe" },
    follow: { type: "boolean", short: "f", description: "wait for the next writer when the last one has closed it" },
    ...waitingOptions,
  },
  parameters: [{ name: "FIFO", description: "a named pipe", many: true, completes: { objects: ["fifo"] } }],
  examples: [
    ["fanga cat log | grep error", "read what others write"],
    ["make 2>&1 | fanga cat --write log", "and write it"],
  ],

  async run(context, given) {
    const patience = patienceOf(given);
    const isOne = given.has("write") || given.has("follow");
    if (isOne && given.words.length > 1) throw given.wrong("--write and --follow take one FIFO");
    if (given.has("write") && given.has("follow")) throw given.wrong("--write and --follow exclude each other");
    const targets = given.words.map((word) => targetOf(given, word, ["fifo"]));
    using kernel = openKernel(context, given);
    if (given.has("write")) {
      const [target] = targets as [Target];
      using writer = await openToWrite(kernel, target, patience);
      await writeAll(context.stdin, writer, target.text);
      return EXIT_OK;
    }
    const output = new Output(context);
    do {
      for (const target of targets) {
        using reader = await openToRead(kernel, target, patience);
        await readAll(reader, output);
      }
    } while (given.has("follow"));
    return EXIT_OK;
  },
};

const MAKER = "fanga mkfifo";

const openToRead = (kernel: Kernel, target: Target, patience: Patience): Promise<PipeReader> =>
  openObject(kernel, target, MAKER, (address) => {
    const opening = kernel.openFifo(nameIn(address), "read", patience);
    return patiently(opening, patience, () => `fifo "${target.text}": nobody writes to it`);
  });

const openToWrite = (kernel: Kernel, target: Target, patience: Patience): Promise<PipeWriter> =>
  openObject(kernel, target, MAKER, (address) => {
    const opening = kernel.openFifo(nameIn(address), "write", patience);
    return patiently(opening, patience, () => `fifo "${target.text}": nobody reads it`);
  });

/** One buffer for all: it is written before it is read into again. */
async function readAll(reader: PipeReader, output: Output): Promise<void> {
  const buffer = new Uint8Array(CHUNK_BYTES);
  for (let bytes = await reader.read(buffer); bytes > 0; bytes = await reader.read(buffer)) {
    await output.write(buffer.subarray(0, bytes));
  }
}

async function writeAll(chunks: AsyncIterable<Uint8Array>, writer: PipeWriter, name: string): Promise<void> {
  for await (const chunk of chunks) {
    if ((await written(writer, chunk)) < chunk.length) throw new Failure(`fifo "${name}": nobody reads it any more`);
  }
}

/** How many bytes were written; fewer than all where the last reader has gone. */
async function written(writer: PipeWriter, chunk: Uint8Array): Promise<number> {
  try {
    return await writer.write(chunk);
  } catch (error) {
    if (error instanceof IpcError && error.code === "EPIPE") return 0;
    throw error;
  }
}
