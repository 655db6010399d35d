// Memory for objects: two-level segregated fit (Masmano et al., "TLSF: a new dynamic memory allocator for real-time
// systems", 2004). Finding, splitting and joining blocks takes the same few steps however much is allocated.
//
// The unit is the cache line. A block is one line of header and the lines that it holds. Every change goes through the
// journal: a task that dies in the middle of an allocation has allocated nothing.

import { ENOMEM } from "../abi/errno.ts";
import { type Charges, NOBODY } from "./charges.ts";
import { DamagedRegion, type Journal } from "./journal.ts";
import { block, CLASS_COLUMNS, CLASS_ROWS, type Geometry, header, roundUp } from "./layout.ts";
import { field, LINE_BYTES, LINE_WORDS, type Offset, type Word, type Words } from "./words.ts";

/** How much more of a region is backed by memory at a time, in bytes. */
const RESERVE_STEP_BYTES = 256 * 1024;
const PAGE_BYTES = 4096;
/** What is left of a block that is split: a header, and a line that it holds. */
const LEAST_LINES = 2;

/** Backs [from, to) with memory, or says with a negative errno why not. */
export type Reserve = (from: Offset, to: Offset) => number;

type Line = number & { readonly brand: "line" };

export class Allocator {
  readonly #words: Words;
  readonly #journal: Journal;
  readonly #charges: Charges;
  readonly #reserve: Reserve;
  readonly #heapLine: Line;
  readonly #endLine: Line;

  constructor(words: Words, journal: Journal, charges: Charges, geometry: Geometry, reserve: Reserve) {
    this.#words = words;
    this.#journal = journal;
    this.#charges = charges;
    this.#reserve = reserve;
    this.#heapLine = geometry.heapLine as Line;
    this.#endLine = geometry.heapEndLine as Line;
  }

  /** Lays out an empty heap. Called once, by `create`. */
  format(): void {
    this.#setBlock(this.#heapLine, this.#endLine - this.#heapLine, 0 as Line);
    this.#insert(this.#heapLine);
  }

  /**
   * Returns the first line of at least `bytes` bytes, zeroed, or ENOMEM: where there is no room, or the task that is to pay for it
   * has its share. The caller holds the kernel lock.
   */
  allocateLocked(bytes: number, payer: number): number {
    const lines = 1 + Math.ceil(bytes / LINE_BYTES);
    if (lines > this.#endLine - this.#heapLine) return ENOMEM;
    const found = this.#find(lines);
    if (found === 0) return ENOMEM;
    const reserved = this.#reserveTo(((found + lines) * LINE_BYTES) as Offset, found + lines < this.#endLine);
    if (reserved < 0) return reserved;
    const isSplit = this.#linesOf(found) - lines >= LEAST_LINES;
    if (!this.#charges.payLocked(payer, "HEAP_LINES", isSplit ? lines : this.#linesOf(found))) return ENOMEM;
    this.#remove(found);
    if (isSplit) this.#split(found, lines);
    this.#journal.write(at(found, block.USED), 1);
    if (this.#get(found, block.PAYER) !== payer) this.#journal.write(at(found, block.PAYER), payer);
    const first = found + 1;
    this.#words.zero((first * LINE_BYTES) as Offset, (lines - 1) * LINE_BYTES);
    return first;
  }

  /** Gives back what `allocateLocked` returned. The caller holds the kernel lock. */
  freeLocked(firstLine: number): void {
    let freed = this.#inside(firstLine - 1);
    if (freed === 0 || this.#get(freed, block.USED) !== 1) throw new DamagedRegion("what is freed is no block in use");
    this.#journal.write(at(freed, block.USED), 0);
    this.#charges.giveBackLocked(this.#get(freed, block.PAYER), "HEAP_LINES", this.#linesOf(freed));
    const after = (freed + this.#linesOf(freed)) as Line;
    if (after < this.#endLine && this.#get(after, block.USED) === 0) {
      this.#remove(after);
      this.#setBlock(freed, this.#linesOf(freed) + this.#linesOf(after), this.#before(freed));
    }
    const before = this.#before(freed);
    if (before !== 0 && this.#get(before, block.USED) === 0) {
      this.#remove(before);
      this.#setBlock(before, this.#linesOf(before) + this.#linesOf(freed), this.#before(before));
      freed = before;
    }
    this.#insert(freed);
  }

  /** Who pays for what `allocateLocked` returned, if it is still there: else NOBODY. */
  payerOf(firstLine: number): number {
    const line = this.#inside(firstLine - 1);
    const payer = line === 0 ? NOBODY : this.#get(line, block.PAYER);
    return this.#charges.pays(payer) ? payer : NOBODY;
  }

  /** Lines that are free, for tests and tools: a walk over every block. The caller holds the kernel lock. */
  freeLinesLocked(): number {
    let free = 0;
    for (let line = this.#heapLine; line < this.#endLine; ) {
      const lines = this.#get(line, block.LINES);
      if (lines <= 0) break;
      if (this.#get(line, block.USED) === 0) free += lines;
      line = (line + lines) as Line;
    }
    return free;
  }

  #reserveTo(end: Offset, blockFollows: boolean): number {
    const reserved = (this.#words.get(header.RESERVED_BYTES as Word) >>> 0) as Offset;
    const needed = blockFollows ? end + LINE_BYTES : end; // the rest of a split block begins with a header
    if (needed <= reserved) return 0;
    let to = this.#boundedEnd(roundUp(needed, RESERVE_STEP_BYTES));
    let result = this.#reserve(reserved, to);
    if (result < 0) {
      to = this.#boundedEnd(roundUp(needed, PAGE_BYTES)); // nearly full: no more than what is needed
      result = this.#reserve(reserved, to);
    }
    if (result < 0) return result;
    this.#journal.write(header.RESERVED_BYTES as Word, to | 0);
    return 0;
  }

  #boundedEnd(end: number): Offset {
    return Math.min(end, this.#endLine * LINE_BYTES) as Offset;
  }

  /** The first block of the smallest class whose every block is large enough, or 0. */
  #find(lines: number): Line {
    const step = lines < CLASS_COLUMNS ? 1 : 1 << (log2(lines) - 3);
    const wanted = lines + step - 1; // rounded up to a class's lower edge
    let row = rowOf(wanted);
    if (row >= CLASS_ROWS) return 0 as Line;
    let columns = this.#words.get(columnMapAt(row)) & (-1 << columnOf(wanted, row));
    if (columns === 0) {
      const rows = this.#words.get(header.CLASS_ROW_MAP as Word) & (-1 << (row + 1));
      if (rows === 0) return 0 as Line;
      row = lowestBit(rows);
      columns = this.#words.get(columnMapAt(row));
    }
    const head = this.#inside(this.#words.get(headAt(row, lowestBit(columns))));
    return head !== 0 && this.#linesOf(head) >= lines ? head : (0 as Line);
  }

  #split(found: Line, lines: number): void {
    const second = (found + lines) as Line;
    this.#setBlock(second, this.#linesOf(found) - lines, found);
    this.#setBlock(found, lines, this.#before(found));
    this.#insert(second);
  }

  /** Writes a block's size and tells the block behind it where it begins. */
  #setBlock(line: Line, lines: number, before: Line): void {
    this.#journal.write(at(line, block.LINES), lines);
    this.#journal.write(at(line, block.BEFORE), before);
    this.#journal.write(at(line, block.USED), 0);
    const after = (line + lines) as Line;
    if (after < this.#endLine) this.#journal.write(at(after, block.BEFORE), line);
  }

  #insert(line: Line): void {
    const lines = this.#linesOf(line);
    const row = rowOf(lines);
    const column = columnOf(lines, row);
    const head = headAt(row, column);
    const next = this.#inside(this.#words.get(head));
    this.#journal.write(at(line, block.NEXT_FREE), next);
    this.#journal.write(at(line, block.PREVIOUS_FREE), 0);
    if (next !== 0) this.#journal.write(at(next, block.PREVIOUS_FREE), line);
    this.#journal.write(head, line);
    this.#journal.write(columnMapAt(row), this.#words.get(columnMapAt(row)) | (1 << column));
    this.#journal.write(header.CLASS_ROW_MAP as Word, this.#words.get(header.CLASS_ROW_MAP as Word) | (1 << row));
  }

  #remove(line: Line): void {
    const lines = this.#linesOf(line);
    const next = this.#inside(this.#get(line, block.NEXT_FREE));
    const previous = this.#inside(this.#get(line, block.PREVIOUS_FREE));
    if (next !== 0) this.#journal.write(at(next, block.PREVIOUS_FREE), previous);
    if (previous !== 0) {
      this.#journal.write(at(previous, block.NEXT_FREE), next);
      return;
    }
    const row = rowOf(lines);
    const column = columnOf(lines, row);
    this.#journal.write(headAt(row, column), next);
    if (next !== 0) return;
    const columns = this.#words.get(columnMapAt(row)) & ~(1 << column);
    this.#journal.write(columnMapAt(row), columns);
    if (columns !== 0) return;
    this.#journal.write(header.CLASS_ROW_MAP as Word, this.#words.get(header.CLASS_ROW_MAP as Word) & ~(1 << row));
  }

  #before(line: Line): Line {
    return this.#inside(this.#get(line, block.BEFORE));
  }

  /** A line of the heap, or 0 for what is none. */
  #inside(line: number): Line {
    return (line >= this.#heapLine && line < this.#endLine ? line : 0) as Line;
  }

  /** The lines of a block, which ends before the heap does. */
  #linesOf(line: Line): number {
    const lines = this.#get(line, block.LINES);
    if (lines < 1 || lines > this.#endLine - line) throw new DamagedRegion("a block goes beyond the heap");
    return lines;
  }

  #get(line: Line, name: number): number {
    return this.#words.get(at(line, name));
  }
}

const at = (line: Line, name: number): Word => (line * LINE_WORDS + name) as Word;
const columnMapAt = (row: number): Word => field(header.CLASS_COLUMN_MAPS as Word, row);
const headAt = (row: number, column: number): Word => field(header.CLASS_HEADS as Word, row * CLASS_COLUMNS + column);

const log2 = (value: number): number => 31 - Math.clz32(value);
const lowestBit = (bits: number): number => 31 - Math.clz32(bits & -bits);
/** Row 0 holds blocks of fewer lines than there are columns, one size a column; row r above it, those from 2^(r+2). */
const rowOf = (lines: number): number => (lines < CLASS_COLUMNS ? 0 : log2(lines) - 2);
const columnOf = (lines: number, row: number): number => (row === 0 ? lines : (lines >>> (row - 1)) - CLASS_COLUMNS);
