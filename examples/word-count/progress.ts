// How far the count has come: a bar on a terminal, otherwise a line for every tenth.

import type { Listener } from "./shared-count.ts";

const REDRAW_MS = 80;
const BAR_WIDTH = 30;

export interface Progress extends Listener {
  /** All is counted. */
  finish(): void;
  /** Leaves the terminal as lines can follow. */
  stop(): void;
}

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export function createProgress(bytesTotal: number, lines: Output, terminal: Output): Progress {
  return terminal.isTTY ? new Bar(bytesTotal, lines, terminal) : new Lines(bytesTotal, lines);
}

export function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

function percent(bytes: number, bytesTotal: number): number {
  return bytesTotal === 0 ? 100 : Math.min(100, Math.floor((bytes * 100) / bytesTotal));
}

class Lines implements Progress {
  readonly #bytesTotal: number;
  readonly #output: Output;
  #tenths = 0;

  constructor(bytesTotal: number, output: Output) {
    this.#bytesTotal = bytesTotal;
    this.#output = output;
  }

  line(text: string): void {
    this.#output.write(`${text}\n`);
  }

  update(bytes: number): void {
    const tenths = Math.floor(percent(bytes, this.#bytesTotal) / 10);
    if (tenths <= this.#tenths) return;
    this.#tenths = tenths;
    this.line(`progress ${tenths * 10}% ${megabytes(bytes)} MB of ${megabytes(this.#bytesTotal)} MB`);
  }

  finish(): void {
    this.update(this.#bytesTotal);
  }

  stop(): void {}
}

class Bar implements Progress {
  readonly #bytesTotal: number;
  readonly #lines: Output;
  readonly #terminal: Output;
  readonly #beganMs = performance.now();
  #bytes = 0;
  #drawnMs = Number.NEGATIVE_INFINITY;
  #visible = false;

  constructor(bytesTotal: number, lines: Output, terminal: Output) {
    this.#bytesTotal = bytesTotal;
    this.#lines = lines;
    this.#terminal = terminal;
  }

  line(text: string): void {
    this.#erase();
    this.#lines.write(`${text}\n`);
  }

  update(bytes: number): void {
    this.#bytes = bytes;
    const now = performance.now();
    if (now - this.#drawnMs < REDRAW_MS) return;
    this.#drawnMs = now;
    this.#draw();
  }

  finish(): void {
    this.#bytes = this.#bytesTotal;
    this.#draw();
    this.#terminal.write("\n");
    this.#visible = false;
  }

  stop(): void {
    this.#erase();
  }

  #draw(): void {
    const done = percent(this.#bytes, this.#bytesTotal);
    const filled = Math.round((done * BAR_WIDTH) / 100);
    const seconds = (performance.now() - this.#beganMs) / 1000;
    const rate = seconds > 0 ? ` ${megabytes(this.#bytes / seconds)} MB/s` : "";
    const bar = `[${"#".repeat(filled)}${".".repeat(BAR_WIDTH - filled)}]`;
    const text = `${bar} ${done}% ${megabytes(this.#bytes)} MB of ${megabytes(this.#bytesTotal)} MB${rate}`;
    // A line that fills the terminal would wrap, and could not be drawn over.
    this.#terminal.write(`\r\x1b[K${text.slice(0, (this.#terminal.columns || 80) - 1)}`);
    this.#visible = true;
  }

  #erase(): void {
    if (this.#visible) this.#terminal.write("\r\x1b[K");
    this.#visible = false;
  }
}
