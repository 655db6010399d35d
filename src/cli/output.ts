// Standard output for commands that take what they print away from somewhere: it must be written before the next is taken.

import { watchReaders } from "../platforms/stream-state.ts";
import type { Context } from "./command.ts";

const STANDARD_OUTPUT = 1;

export class Output {
  /** False once nobody reads it any more. */
  readonly isRead = watchReaders(STANDARD_OUTPUT);
  readonly #stream: NodeJS.WriteStream;

  constructor({ stdout }: Context) {
    this.#stream = stdout;
  }

  /** Resolves once the operating system has the bytes: as slow as whoever reads them. */
  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stream.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  }
}
