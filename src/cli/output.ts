// Standard output for commands that take what they print away from somewhere: it must be written before the next is taken.

import { closeSync, constants, fstatSync, openSync } from "node:fs";
import type { Context } from "./command.ts";

const STANDARD_OUTPUT = 1;

export class Output {
  readonly #stream: NodeJS.WriteStream;
  readonly #isPipe: boolean;

  constructor({ stdout }: Context) {
    this.#stream = stdout;
    this.#isPipe = fstatSync(STANDARD_OUTPUT).isFIFO();
  }

  /** Resolves once the operating system has the bytes: as slow as whoever reads them. */
  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stream.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** False where it is a pipe that nobody reads any more: opening a write end does not wait then, but fails (fifo(7)). */
  isRead(): boolean {
    if (!this.#isPipe) return true;
    try {
      closeSync(openSync(`/proc/self/fd/${STANDARD_OUTPUT}`, constants.O_WRONLY | constants.O_NONBLOCK));
      return true;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code !== "ENXIO";
    }
  }
}
