// The public handle of a pipe's or FIFO's write end.

import { Writable } from "node:stream";
import { EAGAIN, EFAULT, EINTR, EPIPE, ETIMEDOUT } from "../abi/errno.ts";
import { SIGPIPE } from "../abi/signals.ts";
import type { ObjectToken } from "../kernel/opening.ts";
import { blockUntil } from "../sync/waiting.ts";
import {
  checkBytes,
  checkCount,
  countdown,
  type SyncWaitOptions,
  signalOf,
  timeoutOf,
  type WaitOptions,
} from "./options.ts";
import { PipeEnd, type UseSomeBytes } from "./pipe-end.ts";

/** Opens the same end in another task of the kernel, by `kernel.openToken`, while this one is open. */
export interface PipeWriterToken extends ObjectToken {
  /** What kind of object it leads to. */
  readonly end: "writer";
}

/** A write under way: how far it has come. */
interface Progress {
  readonly data: Uint8Array;
  readonly length: number;
  readonly atomic: boolean;
  done: number;
}

/** The write end of a pipe (pipe(7)). Writes of up to PIPE_BUF (4096) bytes are atomic: they never mix with another writer's. */
export class PipeWriter extends PipeEnd {
  /** Opens the same object in another task, by `kernel.openToken`: plain data, to be posted, sent or written as JSON. */
  get token(): PipeWriterToken {
    return { ...this.objectToken, end: "writer" };
  }

  /**
   * Writes all of `data`, waiting for room as often as needed, and returns its length. As in write(2), fewer bytes are
   * returned where some were written before the last reader left or the time-out passed.
   * @throws IpcError EPIPE where no reader is left, ETIMEDOUT; both only if nothing was written
   */
  async write(data: Uint8Array, options?: WaitOptions): Promise<number> {
    const write = this.#begin(data);
    timeoutOf(options, "write", this.label);
    const left = countdown(options);
    const signal = signalOf(options, "write", this.label);
    signal?.throwIfAborted();
    const { awaits } = this.system;
    for (;;) {
      const first = this.#step(write);
      const result =
        first === EAGAIN
          ? await awaits.until(
              this,
              this.pipe.writable,
              this.#want(write),
              () => this.#step(write),
              timeoutOf(left(), "write", this.label),
              signal,
            )
          : await awaits.letOthersRun(this.atEnd(first));
      if (this.#isOver(write, result)) return write.done;
    }
  }

  /** The same, asleep. @throws IpcError EPIPE, ETIMEDOUT, EINTR; all only if nothing was written */
  writeSync(data: Uint8Array, options?: SyncWaitOptions): number {
    const write = this.#begin(data);
    timeoutOf(options, "write", this.label);
    const left = countdown(options);
    for (;;) {
      let result = this.#step(write);
      if (result === EAGAIN) {
        const sleep = (): number =>
          blockUntil(
            this.system,
            this.pipe.writable,
            this.#want(write),
            () => this.#step(write),
            timeoutOf(left(), "write", this.label),
          );
        result = this.sleepThroughSignals("write", sleep);
      }
      if (result === EINTR && this.goesOn("write")) continue;
      if (this.#isOver(write, this.atEnd(result))) return write.done;
    }
  }

  /** Writes what there is room for, all or nothing up to PIPE_BUF. Returns how many bytes, -1 where there is no room now. @throws IpcError EPIPE */
  tryWrite(data: Uint8Array): number {
    const result = this.#step(this.#begin(data));
    if (result === EPIPE) this.system.signals.raise(SIGPIPE);
    this.atEnd(result);
    return result === EAGAIN ? -1 : this.checked("write", result);
  }

  /**
   * Writes what `write` writes where it is to lie, so that nothing is copied: it is given room for at least one byte and at most
   * `bytesMax`, as much as there is in one piece, waiting for it, and returns how many bytes it has written. It runs while the pipe's
   * other writers wait, so what it writes stays together; the room is the kernel's, its contents do not matter, and it is not to be used
   * once `write` has returned. Where it throws nothing was written. Returns how many bytes were.
   * @throws IpcError EPIPE where no reader is left, ETIMEDOUT; TypeError where `write` uses this end itself; RangeError where it says
   * more than it was given
   */
  async writeInPlace(bytesMax: number, write: UseSomeBytes, options?: WaitOptions): Promise<number> {
    this.#beginInPlace(bytesMax, write);
    return this.finish("write", this.pipe.writable, 1, () => this.#stepInPlace(bytesMax, write), options);
  }

  /** The same, asleep. @throws IpcError EPIPE, ETIMEDOUT, EINTR */
  writeInPlaceSync(bytesMax: number, write: UseSomeBytes, options?: SyncWaitOptions): number {
    this.#beginInPlace(bytesMax, write);
    return this.finishSync("write", this.pipe.writable, 1, () => this.#stepInPlace(bytesMax, write), options);
  }

  /** Returns -1 where there is no room now: `write` has not been called then. */
  tryWriteInPlace(bytesMax: number, write: UseSomeBytes): number {
    this.#beginInPlace(bytesMax, write);
    const result = this.atEnd(this.#stepInPlace(bytesMax, write));
    return result === EAGAIN ? -1 : this.checked("write", result);
  }

  #stepInPlace(bytesMax: number, write: UseSomeBytes): number {
    const result = this.pipe.tryWriteInPlace(bytesMax, write);
    if (result === EPIPE) this.system.signals.raise(SIGPIPE);
    return result;
  }

  #beginInPlace(bytesMax: number, write: UseSomeBytes): void {
    this.checkUse(write, "write");
    checkCount(bytesMax, "bytesMax", 1, Number.MAX_SAFE_INTEGER, "write");
    this.system.reaper.glance();
  }

  /** A Web Stream into the pipe. Closing or aborting it closes the handle. */
  toWeb(): WritableStream<Uint8Array> {
    return new WritableStream<Uint8Array>({
      write: async (chunk) => this.#writeWhole(chunk),
      close: () => this.close(),
      abort: () => this.close(),
    });
  }

  /** A node:stream into the pipe. Ending or destroying it closes the handle. */
  toNode(): Writable {
    return new Writable({
      write: (chunk: Uint8Array, _encoding, callback) => {
        this.#writeWhole(chunk).then(() => callback(), callback);
      },
      final: (callback) => {
        this.close();
        callback();
      },
      destroy: (error, callback) => {
        this.close();
        callback(error);
      },
    });
  }

  /** For streams, where a part written is no success. */
  async #writeWhole(data: Uint8Array): Promise<void> {
    const count = await this.write(data);
    if (count < data.length) this.checked("write", EPIPE);
  }

  #begin(data: Uint8Array): Progress {
    this.checkOpen("write");
    checkBytes(data, "write", this.label);
    this.system.reaper.glance(); // a writer that always finds room must still learn of its readers' death
    const { length } = data;
    return { data, length, atomic: length <= this.pipe.atomicBytesMax, done: 0 };
  }

  #step(write: Progress): number {
    if (write.data.length !== write.length) return EFAULT;
    const count = this.pipe.tryWrite(write.data, write.done, write.length - write.done, write.atomic);
    if (count > 0) write.done += count;
    return count;
  }

  #want(write: Progress): number {
    return write.atomic ? write.length : 1;
  }

  /** Where something was written, that is told, whatever has ended the rest. */
  #isOver(write: Progress, result: number): boolean {
    if (result === EPIPE) this.system.signals.raise(SIGPIPE);
    if (result < 0 && !(write.done > 0 && ENDINGS.includes(result))) this.checked("write", result);
    return result < 0 || write.done === write.length;
  }
}

/** What may end a write half-way. */
const ENDINGS: readonly number[] = [EPIPE, ETIMEDOUT, EINTR];
