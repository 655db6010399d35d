// What the pointers of a system call point into: the calling task's own bytes, from address 0 up, and above them the segments
// that it has attached. Address 0 is NULL, and nothing begins there.
//
// A range is checked whole before a byte of it is touched: one that does not lie in the own bytes or in one segment is EFAULT.

import type { Description } from "../tasks/descriptors.ts";
import { Structure } from "./structure.ts";

/** A range of a task's memory. */
export interface Span {
  readonly bytes: Uint8Array;
  /** Where in `bytes` it begins. */
  readonly start: number;
  readonly length: number;
}

/** A segment in a task's memory. */
export interface Mapping {
  readonly address: number;
  readonly bytes: Uint8Array;
  readonly writable: boolean;
  readonly objectIndex: number;
  readonly description: Description;
}

const PAGE_BYTES = 4096;
/** Segments are attached from here on: beyond what a task's own memory can reach. */
const FIRST_ADDRESS = 2 ** 40;
/** A task's addresses end here on x86-64, a page below the end of what the processor could address. */
const ADDRESS_BOUND = 2 ** 47 - PAGE_BYTES;

export class TaskMemory {
  #own: Uint8Array;
  /** Of all of it, made when a structure in it is first asked for. */
  #ownView: DataView | undefined;
  readonly #mappings = new Map<number, Mapping>();
  #nextAddress = FIRST_ADDRESS;

  constructor(own: Uint8Array) {
    this.#own = own;
  }

  get own(): Uint8Array {
    return this.#own;
  }

  set own(bytes: Uint8Array) {
    this.#own = bytes;
    this.#ownView = undefined;
  }

  /** `length` bytes at `pointer`, to be read, or written too; undefined where they are not all there. */
  span(pointer: number, length: number, write: boolean): Span | undefined {
    if (pointer <= 0 || length < 0) return undefined;
    if (pointer + length <= this.#own.length) return { bytes: this.#own, start: pointer, length };
    if (pointer < FIRST_ADDRESS) return undefined;
    for (const { address, bytes, writable } of this.#mappings.values()) {
      if (pointer < address || pointer + length > address + bytes.length) continue;
      return write && !writable ? undefined : { bytes, start: pointer - address, length };
    }
    return undefined;
  }

  /** The same, as a view. */
  view(pointer: number, length: number, write: boolean): Uint8Array | undefined {
    const span = this.span(pointer, length, write);
    return span?.bytes.subarray(span.start, span.start + span.length);
  }

  /** A structure of so many bytes. */
  structure(pointer: number, length: number, write: boolean): Structure | undefined {
    const span = this.span(pointer, length, write);
    if (!span) return undefined;
    if (span.bytes !== this.#own) return new Structure(viewOf(span.bytes), span.start);
    this.#ownView ??= viewOf(span.bytes);
    return new Structure(this.#ownView, span.start);
  }

  /** The bytes up to a NUL, and whether that came within `most` bytes; undefined where memory ends before. */
  string(pointer: number, most: number): { bytes: Uint8Array; terminated: boolean } | undefined {
    const from = this.span(pointer, 1, false);
    if (!from) return undefined;
    const end = Math.min(from.bytes.length, from.start + most);
    const nul = from.bytes.subarray(from.start, end).indexOf(0);
    if (nul >= 0) return { bytes: from.bytes.slice(from.start, from.start + nul), terminated: true };
    return end - from.start === most ? { bytes: from.bytes.slice(from.start, end), terminated: false } : undefined;
  }

  /** Whether a range ends after the last address that a task can have. */
  isBeyond(address: number, length: number): boolean {
    return address > ADDRESS_BOUND - roundedUp(length);
  }

  /** Whether a range of addresses is free for a segment. */
  isFree(address: number, length: number): boolean {
    if (address < Math.max(FIRST_ADDRESS, this.#own.length) || this.isBeyond(address, length)) return false;
    return [...this.#mappings.values()].every(
      (other) => address + length <= other.address || other.address + roundedUp(other.bytes.length) <= address,
    );
  }

  /** An address where so many bytes are free. */
  freeAddress(length: number): number {
    while (!this.isFree(this.#nextAddress, length)) this.#nextAddress += PAGE_BYTES;
    return this.#nextAddress;
  }

  map(mapping: Mapping): void {
    this.#mappings.set(mapping.address, mapping);
    const end = mapping.address + roundedUp(mapping.bytes.length) + PAGE_BYTES; // a page between, to find overruns
    if (mapping.address === this.#nextAddress) this.#nextAddress = end;
  }

  mappingAt(address: number): Mapping | undefined {
    return this.#mappings.get(address);
  }

  unmap(address: number): void {
    this.#mappings.delete(address);
  }
}

/** To the end of the buffer, wherever that comes to be: `span` says how much of it is the task's. */
const viewOf = ({ buffer, byteOffset }: Uint8Array): DataView => new DataView(buffer, byteOffset);

const roundedUp = (bytes: number): number => Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
