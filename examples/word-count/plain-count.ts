// The count to compare with: one process, one file after the other, no kernel.

import { setImmediate as nextTurn } from "node:timers/promises";
import { readInto, type TextFile } from "./text-files.ts";
import { WordCounter } from "./word-counter.ts";
import type { WordTable } from "./word-table.ts";

const PIECE_BYTES = 256 * 1024;

export interface PlainCount {
  readonly table: WordTable;
  readonly bytes: number;
}

/** Counts the listed bytes of every file. What cannot be read any more is missing in the sums. */
export async function countPlainly(files: readonly TextFile[]): Promise<PlainCount> {
  const counter = new WordCounter();
  const buffer = new Uint8Array(PIECE_BYTES);
  let turnBytes = 0;
  for (const { path, size } of files) {
    for (const length of readableParts(path, size, buffer)) {
      counter.push(buffer.subarray(0, length));
      turnBytes += length;
      // Signals are heard only between turns.
      if (turnBytes >= PIECE_BYTES) {
        await nextTurn();
        turnBytes = 0;
      }
    }
    counter.end();
  }
  return { table: counter.table, bytes: counter.bytes };
}

function* readableParts(path: string, size: number, buffer: Uint8Array): Generator<number> {
  try {
    yield* readInto(path, size, () => buffer);
  } catch {
    // The sums tell.
  }
}
