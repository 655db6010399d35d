// A shared memory segment: bytes on pages of their own, and who has attached them. What the mission calls its physical
// address is the offset of the bytes in the region.
//
// Source: shmget(2), shmop(2), shm_overview(7), and the mission's "Shared Memory".

import type { Journal } from "../memory/journal.ts";
import { segment } from "../memory/layout.ts";
import { field, LINE_BYTES, LINE_WORDS, type Offset, WORD_BYTES, type Word, type Words } from "../memory/words.ts";

export const PAGE_BYTES = 4096;

export const SEGMENT_BODY_BYTES = segment.WORDS * WORD_BYTES;

/** Bytes of the block of a segment, wherever the block begins. */
export const segmentBlockBytes = (bytes: number): number => Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES + PAGE_BYTES;

export class Segment {
  readonly bytes: number;
  /** Where the bytes begin, on a page. */
  readonly offset: Offset;
  readonly #words: Words;
  readonly #body: Word;

  constructor(words: Words, bodyLine: number) {
    this.#words = words;
    this.#body = (bodyLine * LINE_WORDS) as Word;
    // Of a damaged one too: whole pages, all inside the region.
    const page = Math.floor(((words.load(field(this.#body, segment.DATA)) >>> 0) * LINE_BYTES) / PAGE_BYTES);
    const most = (Math.floor(words.bytes.length / PAGE_BYTES) - page) * PAGE_BYTES;
    this.offset = (most > 0 ? page * PAGE_BYTES : 0) as Offset;
    this.bytes = Math.max(0, Math.min(words.load(field(this.#body, segment.BYTES)) >>> 0, most));
  }

  /** Writes the body of a new segment, whose block begins at `blockLine`. Nobody else can see it yet. */
  static format(words: Words, bodyLine: number, blockLine: number, bytes: number): void {
    const body = (bodyLine * LINE_WORDS) as Word;
    const pageLines = PAGE_BYTES / LINE_BYTES;
    words.set(field(body, segment.BYTES), bytes | 0);
    words.set(field(body, segment.BLOCK), blockLine);
    words.set(field(body, segment.DATA), Math.ceil(blockLine / pageLines) * pageLines);
  }

  get attached(): number {
    return this.#get(segment.ATTACHED);
  }

  /** Seconds since 1970; 0: never. */
  get attachedSeconds(): number {
    return this.#get(segment.ATTACHED_SECONDS) >>> 0;
  }

  get detachedSeconds(): number {
    return this.#get(segment.DETACHED_SECONDS) >>> 0;
  }

  /** The pid of the last attach or detach, 0 where there was none. */
  get lastPid(): number {
    return this.#get(segment.LAST_PID);
  }

  /** As a part of a transaction. The caller holds the kernel lock. */
  countLocked(journal: Journal, difference: 1 | -1, pid: number, seconds: number): void {
    journal.add(field(this.#body, segment.ATTACHED), difference);
    const when = difference === 1 ? segment.ATTACHED_SECONDS : segment.DETACHED_SECONDS;
    journal.write(field(this.#body, when), seconds);
    journal.write(field(this.#body, segment.LAST_PID), pid);
  }

  #get(name: number): number {
    return this.#words.load(field(this.#body, name));
  }
}
