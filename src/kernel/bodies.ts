// The blocks that an object has besides its body, by its kind: what is freed with it.

import { kinds, pipe, queue, rwlock, segment } from "../memory/layout.ts";
import { shapeLine } from "../memory/shape.ts";
import { field, LINE_WORDS, type Word, type Words } from "../memory/words.ts";

const shapesOf: { readonly [kind: number]: { SHAPE: number; OLD_SHAPE: number; NEW_SHAPE: number } } = {
  [kinds.PIPE]: pipe,
  [kinds.FIFO]: pipe,
  [kinds.QUEUE]: queue,
  [kinds.SYSV_QUEUE]: queue,
};

/** First lines of blocks. While a pipe's or queue's block is being exchanged there are two; a removed queue has none. */
export function blocksOf(words: Words, kind: number, bodyLine: number): number[] {
  const body = (bodyLine * LINE_WORDS) as Word;
  if (kind === kinds.SEGMENT) return [words.get(field(body, segment.BLOCK))];
  if (kind === kinds.RWLOCK) return [words.get(field(body, rwlock.BLOCK))];
  const names = shapesOf[kind];
  if (!names) return [];
  const lines = [names.SHAPE, names.OLD_SHAPE, names.NEW_SHAPE].map((name) => shapeLine(words.get(field(body, name))));
  return [...new Set(lines)].filter((line) => line !== 0);
}
