// The public handle of a pipe's or FIFO's read end.

import { Readable } from "node:stream";
import { EAGAIN, EFAULT } from "../abi/errno.ts";
import type { ObjectToken } from "../kernel/opening.ts";
import { IpcError } from "./ipc-error.ts";
import { checkBytes, type SyncWaitOptions, timeoutOf, type WaitOptions } from "./options.ts";
import { PipeEnd, type UseSomeBytes } from "./pipe-end.ts";

/** Opens the same end in another task of the kernel, by `kernel.openToken`, while this one is open. */
export interface PipeReaderToken extends ObjectToken {
  /** What kind of object it leads to. */
  readonly end: "reader";
}

/** Streams and iterators take so many bytes at a time, or the pipe's capacity if that is less. */
const CHUNK_BYTES = 64 * 1024;

/** The read end of a pipe: bytes in the order they were written, then end-of-file once no writer is left (pipe(7)). */
export class PipeReader extends PipeEnd implements AsyncIterable<Uint8Array> {
  /** Opens the same object in another task, by `kernel.openToken`: plain data, to be posted, sent or written as JSON. */
  get token(): PipeReaderToken {
    return { ...this.objectToken, end: "reader" };
  }

  /**
   * Reads what is there into `buffer`, at least one byte, waiting for it. Returns how many bytes, 0 at end-of-file.
   * @throws IpcError ETIMEDOUT
   */
  async read(buffer: Uint8Array, options?: WaitOptions): Promise<number> {
    this.#check(buffer);
    const { length } = buffer;
    const attempt = (): number => (buffer.length === length ? this.#take(buffer) : EFAULT);
    return this.finish("read", this.pipe.readable, 1, attempt, options);
  }

  /** The same, asleep. @throws IpcError ETIMEDOUT, EINTR where another task interrupted it */
  readSync(buffer: Uint8Array, options?: SyncWaitOptions): number {
    this.#check(buffer);
    if (options !== undefined) timeoutOf(options, "read", this.label);
    const result = this.#take(buffer);
    if (result >= 0) return this.atEnd(result);
    return this.finishSync("read", this.pipe.readable, 1, () => this.#take(buffer), options);
  }

  /** Returns -1 where nothing is there now, 0 at end-of-file. */
  tryRead(buffer: Uint8Array): number {
    this.#check(buffer);
    const result = this.atEnd(this.#take(buffer));
    if (result !== EAGAIN) return this.checked("read", result);
    this.system.reaper.glance();
    return -1;
  }

  /**
   * Reads into `read`, which is given bytes where they lie, at least one and as many as lie in one piece, waiting for them, so that
   * nothing is copied. It returns how many of them it has read: the others stay. It runs while the pipe's other readers wait; the bytes
   * are the kernel's, and not to be used once it has returned, nor to be written. Where it throws all of them stay. Returns how many
   * were read, 0 at end-of-file, where `read` is not called.
   * @throws IpcError ETIMEDOUT; TypeError where `read` uses this end itself; RangeError where it says more than it was given
   */
  async readInPlace(read: UseSomeBytes, options?: WaitOptions): Promise<number> {
    this.checkUse(read, "read");
    return this.finish("read", this.pipe.readable, 1, () => this.#takeInPlace(read), options);
  }

  /** The same, asleep. @throws IpcError ETIMEDOUT, EINTR */
  readInPlaceSync(read: UseSomeBytes, options?: SyncWaitOptions): number {
    this.checkUse(read, "read");
    return this.finishSync("read", this.pipe.readable, 1, () => this.#takeInPlace(read), options);
  }

  /** Returns -1 where nothing is there now: `read` has not been called then; 0 at end-of-file. */
  tryReadInPlace(read: UseSomeBytes): number {
    this.checkUse(read, "read");
    const result = this.atEnd(this.#takeInPlace(read));
    if (result !== EAGAIN) return this.checked("read", result);
    this.system.reaper.glance();
    return -1;
  }

  /** Chunks as they come, until end-of-file or until the handle is closed: up to 64 KiB each, or the pipe's capacity. */
  [Symbol.asyncIterator](): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
    return this.values();
  }

  /** The same with a time-out for each wait, or until an abort. @throws IpcError ETIMEDOUT; the signal's reason */
  async *values(options?: WaitOptions): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
    const buffer = new Uint8Array(Math.min(CHUNK_BYTES, this.capacity));
    for (;;) {
      const count = await this.#readUnlessClosed(buffer, options);
      if (count === 0) return;
      yield buffer.slice(0, count);
    }
  }

  /** A Web Stream of the bytes. Cancelling it closes the handle. */
  toWeb(): ReadableStream<Uint8Array> {
    const chunks = this[Symbol.asyncIterator]();
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        const { value, done } = await chunks.next();
        if (done) {
          this.close();
          controller.close();
        } else {
          controller.enqueue(value);
        }
      },
      cancel: () => this.close(),
    });
  }

  /** A node:stream of the bytes. Destroying it closes the handle. */
  toNode(): Readable {
    const buffer = new Uint8Array(Math.min(CHUNK_BYTES, this.capacity));
    const reader = this;
    return new Readable({
      read() {
        reader.#readUnlessClosed(buffer).then(
          (count) => this.push(count === 0 ? null : Buffer.from(buffer.slice(0, count).buffer)),
          (error) => this.destroy(error),
        );
      },
      destroy(error, callback) {
        reader.close();
        callback(error);
      },
    });
  }

  /** As `read`, but a handle closed meanwhile is the end of the stream. */
  async #readUnlessClosed(buffer: Uint8Array, options?: WaitOptions): Promise<number> {
    if (this.closed) return 0;
    try {
      return await this.read(buffer, options);
    } catch (error) {
      if (this.closed && error instanceof IpcError && error.code === "EBADF") return 0;
      throw error;
    }
  }

  #take(buffer: Uint8Array): number {
    return this.pipe.tryRead(buffer, 0, buffer.length);
  }

  #takeInPlace(read: UseSomeBytes): number {
    return this.pipe.tryReadInPlace(Number.POSITIVE_INFINITY, read);
  }

  #check(buffer: Uint8Array): void {
    this.checkOpen("read");
    checkBytes(buffer, "read", this.label);
  }
}
