// The whole of a terminal, for as long as a command shows something that changes: the alternate screen, without a cursor, keys as
// they are pressed. Whatever ends the command, the terminal is as it was.

import { clipped } from "./table.ts";

const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";
const HOME = "\x1b[H";
const TO_LINE_END = "\x1b[K";
const TO_SCREEN_END = "\x1b[J";

const CTRL_C = "\x03";
const CTRL_D = "\x04";
const ENDING_KEYS: readonly string[] = ["q", "Q", CTRL_C, CTRL_D];

export class Screen implements Disposable {
  readonly #input: NodeJS.ReadStream;
  readonly #output: NodeJS.WriteStream;
  readonly #ending = new AbortController();
  #linesFor: (rows: number) => readonly string[] = () => [];

  constructor(input: NodeJS.ReadStream, output: NodeJS.WriteStream) {
    this.#input = input;
    this.#output = output;
    if (input.isTTY) {
      input.setRawMode(true);
      input.on("data", this.#onKeys);
      input.resume();
    }
    output.on("resize", this.#draw);
    process.once("exit", this.#leave);
    output.write(ENTER);
  }

  /** Aborted by q, Ctrl-C or Ctrl-D. */
  get ended(): AbortSignal {
    return this.#ending.signal;
  }

  /** Shows lines from the top on, those for as many rows as there are; also when that changes. */
  show(linesFor: (rows: number) => readonly string[]): void {
    this.#linesFor = linesFor;
    this.#draw();
  }

  [Symbol.dispose](): void {
    process.removeListener("exit", this.#leave);
    this.#leave();
    this.#output.removeListener("resize", this.#draw);
    if (!this.#input.isTTY) return;
    this.#input.removeListener("data", this.#onKeys);
    this.#input.pause();
  }

  readonly #leave = (): void => {
    if (this.#input.isTTY) this.#input.setRawMode(false);
    this.#output.write(LEAVE);
  };

  readonly #onKeys = (keys: Buffer): void => {
    if (ENDING_KEYS.some((key) => keys.includes(key))) this.#ending.abort();
  };

  readonly #draw = (): void => {
    const rows = this.#output.rows || 24; // 0: the terminal does not say
    const columns = this.#output.columns || 80;
    const shown = this.#linesFor(rows)
      .slice(0, rows)
      .map((line) => clipped(line, columns) + TO_LINE_END);
    this.#output.write(HOME + shown.join("\n") + TO_SCREEN_END);
  };
}
