// Looking at a region file from outside, without becoming one of its tasks: its words are read with read(2), page by page as they
// are asked for, into memory of our own. Nothing is mapped, locked or written; koffi is not needed; a file that is cut short
// meanwhile reads as zeros, where a mapping of it would end the process.
//
// What is read has been so for a moment, each page at its own: who looks bounds it, as whatever is read from a region.

import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { EINVAL, EIO } from "../abi/errno.ts";
import { type Geometry, HEADER_BYTES } from "../memory/layout.ts";
import { isRefusal, type Refusal, readGeometry } from "../memory/region.ts";
import { type Offset, offsetOf, WORD_BYTES, type Word, Words } from "../memory/words.ts";
import { linuxOrigin } from "./linux-identity.ts";
import { refusalOf, regionPath } from "./region-file.ts";

/** A region file that is open to be looked at. */
export interface RegionLook {
  readonly words: Words;
  readonly geometry: Geometry;
  /** Whose file it is. */
  readonly uid: number;
  /** Bytes of memory that it takes. */
  memoryBytes(): number;
  /** When it was named, or more of it was reserved, in milliseconds since 1970. */
  changedMs(): number;
  /** Whether its name leads to another file by now, or to none. */
  isUnlinked(): boolean;
  /** What is read from here on is read anew. */
  refresh(): void;
  close(): void;
}

const O_CLOEXEC = 0o2000000;

/** Opens a region file to look at it; every refusal is one of `readGeometry`, or of the host. */
export function lookAtRegionFile(name: string): RegionLook | Refusal {
  const path = regionPath(name);
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | O_CLOEXEC);
    const stat = fstatSync(descriptor);
    const { size, uid } = stat;
    if (!stat.isFile()) return { errno: EINVAL, reason: `${path} is not a regular file` };
    if (size < HEADER_BYTES) {
      return { errno: EIO, reason: `it is truncated: ${size} bytes, less than a region's header` };
    }
    const words = new FileWords(descriptor, size - (size % WORD_BYTES));
    const geometry = readGeometry(words, size, linuxOrigin());
    if (isRefusal(geometry)) return geometry;
    const file = descriptor;
    descriptor = undefined; // the look keeps it
    return {
      words,
      geometry,
      uid,
      memoryBytes: () => fstatSync(file).blocks * STAT_BLOCK_BYTES,
      changedMs: () => fstatSync(file).ctimeMs,
      isUnlinked: () => fstatSync(file).nlink === 0,
      refresh: () => words.refresh(),
      close: () => closeSync(file),
    };
  } catch (error) {
    if (error instanceof RangeError) return { errno: EIO, reason: "it is larger than this process can look at" };
    return refusalOf(error, `${path} cannot be opened`);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

const STAT_BLOCK_BYTES = 512;
const PAGE_BYTES = 16 * 1024;

/** Words that are read from a file as they are asked for. They cannot be written. */
class FileWords extends Words {
  readonly #descriptor: number;
  readonly #isRead: Uint8Array;

  constructor(descriptor: number, byteLength: number) {
    super(new ArrayBuffer(byteLength - (byteLength % 8))); // address space: what is never asked for takes no memory
    this.#descriptor = descriptor;
    this.#isRead = new Uint8Array(Math.ceil(byteLength / PAGE_BYTES));
  }

  refresh(): void {
    this.#isRead.fill(0);
  }

  override load(word: Word): number {
    this.#read(offsetOf(word), WORD_BYTES);
    return super.load(word);
  }

  override get(word: Word): number {
    return this.load(word);
  }

  override load64(word: Word): bigint {
    this.#read(offsetOf(word), 2 * WORD_BYTES);
    return super.load64(word);
  }

  override copyOut(offset: Offset, target: Uint8Array, start: number, length: number): void {
    this.#read(offset, length);
    super.copyOut(offset, target, start, length);
  }

  override getSix(word: Word, target: Int32Array): void {
    this.#read(offsetOf(word), 6 * WORD_BYTES);
    super.getSix(word, target);
  }

  override getTwoLanes(word: Word, target: BigInt64Array): void {
    this.#read(offsetOf(word), 4 * WORD_BYTES);
    super.getTwoLanes(word, target);
  }

  override view(offset: Offset, length: number): Uint8Array {
    this.#read(offset, length);
    return super.view(offset, length);
  }

  override equal(offset: Offset, bytes: Uint8Array): boolean {
    this.#read(offset, bytes.length);
    return super.equal(offset, bytes);
  }

  override store(): void {
    throw refusesWrites();
  }

  override set(): void {
    throw refusesWrites();
  }

  override exchange(): number {
    throw refusesWrites();
  }

  override compareExchange(): number {
    throw refusesWrites();
  }

  override store64(): void {
    throw refusesWrites();
  }

  override compareExchange64(): bigint {
    throw refusesWrites();
  }

  override setSix(): void {
    throw refusesWrites();
  }

  override copyIn(): void {
    throw refusesWrites();
  }

  override copyAllIn(): void {
    throw refusesWrites();
  }

  override zero(): void {
    throw refusesWrites();
  }

  #read(offset: Offset, length: number): void {
    const last = Math.floor((offset + Math.max(length, 1) - 1) / PAGE_BYTES);
    for (let page = Math.floor(offset / PAGE_BYTES); page <= last; page++) {
      if (this.#isRead[page] !== 0) continue; // also behind the end, where there is no such page
      if (page >= this.#isRead.length) return;
      this.#readPage(page);
    }
  }

  #readPage(page: number): void {
    const start = page * PAGE_BYTES;
    const end = Math.min(start + PAGE_BYTES, this.bytes.length);
    let at = start;
    while (at < end) {
      const read = readSync(this.#descriptor, this.bytes, at, end - at, at);
      if (read === 0) break; // cut short meanwhile
      at += read;
    }
    this.bytes.fill(0, at, end);
    this.#isRead[page] = 1;
  }
}

const refusesWrites = (): TypeError => new TypeError("who looks at a region from outside writes nothing");
