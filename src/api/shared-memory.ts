// The public handle of a shared memory segment: attached while it is open.

import type { ObjectToken } from "../kernel/opening.ts";
import type { System } from "../kernel/system.ts";
import type { Segment } from "../objects/shared-memory.ts";
import type { Description } from "../tasks/descriptors.ts";
import { INSPECT, type Inspect, shown } from "./inspecting.ts";

/** Where a segment's bytes are for JavaScript. */
export interface SegmentMapping {
  readonly buffer: ArrayBufferLike;
  /** Where in the buffer they begin. */
  readonly byteOffset: number;
  /** Gives the mapping back; views of it stay, harmless. */
  release(): void;
}

/** How a segment is attached or made. */
export interface SharedMemoryOptions {
  /** A POSIX name, up to 255 bytes without "/". Neither name nor key: only a token leads to it. */
  readonly name?: string | undefined;
  /** A SysV key (ftok(3)): a whole number from 1 to 2^31 - 1. */
  readonly key?: number | undefined;
  /** How many a new segment has, from 1. One that is there has at least so many. */
  readonly bytes?: number | undefined;
  /** Make it where there is none; one with neither name nor key is always made. */
  readonly create?: boolean | undefined;
  /** With `create`: fail with EEXIST where there is one. */
  readonly exclusive?: boolean | undefined;
  /** Who may attach a new segment, less the umask; default 0o600. */
  readonly mode?: number | undefined;
  /**
   * Attach for reading alone (SHM_RDONLY). Between processes a write to the bytes is then a SIGSEGV, as on Linux. Between
   * threads nothing holds a writer back.
   */
  readonly readOnly?: boolean | undefined;
}

/** Opens the same segment in another task of the kernel, by `kernel.openToken`, while somebody has it attached. */
export interface SharedMemoryToken extends ObjectToken {
  /** What kind of object it leads to. */
  readonly end: "segment";
}

/** A typed array's class, such as Int32Array. */
export interface ViewClass<T> {
  /** Makes one over a part of a buffer; `length` counts elements. */
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
  /** The bytes of an element. */
  readonly BYTES_PER_ELEMENT: number;
}

/** What Kernel gives a handle. */
export interface Attached {
  readonly objectIndex: number;
  readonly generation: number;
  readonly description: Description;
  readonly mapping: SegmentMapping;
  readonly readOnly: boolean;
  readonly label: string;
}

/**
 * Memory that several tasks see at once (shmop(2), shm_overview(7), the mission's "Shared Memory"): zeros at first, on pages
 * of its own, destroyed once it is unlinked and the last task has detached. A task that dies is detached.
 */
export class SharedMemory implements Disposable {
  readonly #system: System;
  readonly #segment: Segment;
  readonly #attached: Attached;
  readonly #onClose: (handle: SharedMemory) => void;
  readonly #bytes: Uint8Array;
  #closed = false;

  /** Made by Kernel. @internal */
  constructor(system: System, attached: Attached, onClose: (handle: SharedMemory) => void) {
    this.#system = system;
    this.#attached = attached;
    this.#onClose = onClose;
    this.#segment = system.segmentOf(attached.objectIndex);
    const { buffer, byteOffset } = attached.mapping;
    this.#bytes = new Uint8Array(buffer, byteOffset, this.#segment.bytes);
  }

  /** True once closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Its bytes: as many as were asked for when it was made. */
  get byteLength(): number {
    return this.#segment.bytes;
  }

  /** Where the bytes begin in the region, for all tasks alike: what the mission calls the physical address. */
  get offset(): number {
    return this.#segment.offset;
  }

  /** Whether it was attached for reading alone. */
  get readOnly(): boolean {
    return this.#attached.readOnly;
  }

  /**
   * The bytes themselves, not a copy. Between processes their buffer is the segment's alone; between threads it is the
   * region's SharedArrayBuffer.
   */
  get bytes(): Uint8Array {
    this.#checkOpen("shmat");
    return this.#bytes;
  }

  /**
   * The bytes as another typed array, not a copy: `segment.view(Int32Array)`. `byteOffset` counts from the segment's
   * beginning; `length` is in elements, by default as many as there is room for.
   * @throws RangeError outside the segment, or off the type's alignment
   */
  view<T>(type: ViewClass<T>, byteOffset = 0, length?: number): T {
    this.#checkOpen("shmat");
    const room = Math.floor((this.byteLength - byteOffset) / type.BYTES_PER_ELEMENT);
    const count = length ?? room;
    if (!Number.isInteger(byteOffset) || byteOffset < 0 || !Number.isInteger(count) || count < 0 || count > room) {
      throw new RangeError(`shmat ${this.#attached.label}: the view lies outside of its ${this.byteLength} bytes`);
    }
    const { buffer, byteOffset: start } = this.#attached.mapping;
    return new type(buffer, start + byteOffset, count);
  }

  /** The pids of the tasks that have it attached, one for each time they have. */
  get attachedTasks(): number[] {
    this.#checkOpen("shmctl");
    return this.#system.attachedTo(this.#attached.objectIndex);
  }

  /** Opens the same object in another task, by `kernel.openToken`: plain data, to be posted, sent or written as JSON. */
  get token(): SharedMemoryToken {
    const { objectIndex, generation } = this.#attached;
    return { objectIndex, generation, end: "segment" };
  }

  /** Detaches. Views that are left show zeros between processes, and what lies there next between threads. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#attached.mapping.release();
    this.#system.detachSegment(this.#attached.description);
    this.#onClose(this);
  }

  /** As `close`: for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** What `console.log` shows of it. @internal */
  [INSPECT](depth: number, options: object, inspect: Inspect): string {
    const { byteLength, readOnly } = this;
    const facts = this.#closed ? { closed: true } : { byteLength, readOnly };
    return shown(this.constructor, this.#attached.label, facts, [depth, options, inspect]);
  }

  #checkOpen(syscall: string): void {
    if (this.#closed) throw new TypeError(`${syscall} ${this.#attached.label}: it is detached; attach it again`);
  }
}
