// The reader task: streams the files through the pipe "text", a newline behind each, so that no word runs over.

import { IpcError, Kernel, type PipeWriter } from "../../src/index.ts";
import { endAlone, isOrphan, patiently, receiveSetup, type Setup } from "./child.ts";
import { encodeNotice, MESSAGE } from "./messages.ts";
import { readInto } from "./text-files.ts";

const BUFFER_BYTES = 128 * 1024;
const SEPARATOR = 0x0a;

function read(setup: Setup): void {
  using kernel = Kernel.attach(setup.handle);
  using results = kernel.queue({ name: "results" });
  const notify = (type: number, subject = 0, bytes = 0) =>
    patiently(setup, (options) => results.sendSync(encodeNotice(setup.task, subject, bytes), { type, ...options }));

  notify(MESSAGE.started);
  const outlet = new Outlet(patiently(setup, (options) => kernel.openFifoSync("text", "write", options)));
  let streamed = 0;
  for (const [index, [path, size]] of setup.files.entries()) {
    const bytes = stream(path, size, outlet);
    if (bytes !== size) notify(MESSAGE.shortened, index, bytes);
    streamed += bytes;
  }
  outlet.close();
  notify(MESSAGE.streamed, 0, streamed);
}

/** Returns how many bytes went through: fewer than `size` where the file has become shorter, or unreadable. */
function stream(path: string, size: number, outlet: Outlet): number {
  let bytes = 0;
  try {
    for (const length of readInto(path, size, () => outlet.room())) {
      outlet.used += length;
      bytes += length;
    }
  } catch (error) {
    if (error instanceof IpcError) throw error;
  }
  outlet.room()[0] = SEPARATOR;
  outlet.used++;
  return bytes;
}

/** Collects small files: a write into the pipe for each of them would wake the main task as often. */
class Outlet {
  used = 0;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  readonly #writer: PipeWriter;

  constructor(writer: PipeWriter) {
    this.#writer = writer;
  }

  /** The free part of the buffer, never empty. Writes what is there when it is full. */
  room(): Uint8Array {
    if (this.used === this.#buffer.length) this.#flush();
    return this.#buffer.subarray(this.used);
  }

  close(): void {
    this.#flush();
    this.#writer.close();
  }

  #flush(): void {
    this.#writer.writeSync(this.#buffer.subarray(0, this.used));
    this.used = 0;
  }
}

const setup = await receiveSetup();
try {
  read(setup);
} catch (error) {
  if (!(error instanceof IpcError && error.code === "EPIPE")) throw error;
  // The pipe has no reader any more: the main task is gone, or has given up and says why.
  if (isOrphan(setup)) endAlone(setup);
  process.exit(1);
}
process.exit(0);
