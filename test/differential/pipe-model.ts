// How two pipes count their space, to know beforehand where they differ (row `pipe-bytes` of differences.ts): Linux's in slots of
// a page, ours in bytes, as a circular buffer. The test draws only calls after which both are the same for everybody.
//
// Linux (fs/pipe.c): a write puts the part of it that is no whole page behind the last slot's bytes, if it fits there whole,
// and the rest into new slots. A slot is free again once all of it was read. poll says POLLOUT while a slot is free.
// Ours: a write of up to PIPE_BUF bytes is whole or not there. poll says POLLOUT while so many are free.

const PAGE = 4096;
const PIPE_BUF = 4096;

/** Where bytes are kept. */
export interface Store {
  readonly used: number;
  /** Whether poll says POLLOUT. */
  readonly hasRoom: boolean;
  /** Takes what it can of `bytes`, of a write of `whole` bytes in all that begins, or goes on; returns how many. */
  append(bytes: number, whole: number, begins: boolean): number;
  /** Returns how many bytes of up to `bytes` there were. */
  take(bytes: number): number;
  /** Returns whether what is there fits. */
  resize(capacity: number): boolean;
  clone(): Store;
}

export class SlotStore implements Store {
  #slots: { offset: number; length: number }[] = [];
  #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get used(): number {
    return this.#slots.reduce((sum, { length }) => sum + length, 0);
  }

  get hasRoom(): boolean {
    return this.#slots.length < this.#capacity / PAGE;
  }

  append(bytes: number, _whole: number, begins: boolean): number {
    let left = bytes;
    const part = bytes % PAGE;
    const last = this.#slots.at(-1);
    if (begins && last && part > 0 && last.offset + last.length + part <= PAGE) {
      last.length += part;
      left -= part;
    }
    while (left > 0 && this.hasRoom) {
      const length = Math.min(left, PAGE);
      this.#slots.push({ offset: 0, length });
      left -= length;
    }
    return bytes - left;
  }

  take(bytes: number): number {
    let left = bytes;
    while (left > 0 && this.#slots.length > 0) {
      const slot = this.#slots[0] as { offset: number; length: number };
      const count = Math.min(slot.length, left);
      slot.offset += count;
      slot.length -= count;
      left -= count;
      if (slot.length === 0) this.#slots.shift();
    }
    return bytes - left;
  }

  resize(capacity: number): boolean {
    const fits = this.#slots.length <= capacity / PAGE;
    if (fits) this.#capacity = capacity;
    return fits;
  }

  clone(): SlotStore {
    const copy = new SlotStore(this.#capacity);
    copy.#slots = this.#slots.map((slot) => ({ ...slot }));
    return copy;
  }
}

export class ByteStore implements Store {
  used = 0;
  #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get hasRoom(): boolean {
    return this.#capacity - this.used >= PIPE_BUF;
  }

  append(bytes: number, whole: number): number {
    const room = this.#capacity - this.used;
    const count = whole <= PIPE_BUF && room < bytes ? 0 : Math.min(room, bytes);
    this.used += count;
    return count;
  }

  take(bytes: number): number {
    const count = Math.min(this.used, bytes);
    this.used -= count;
    return count;
  }

  resize(capacity: number): boolean {
    const fits = this.used <= capacity;
    if (fits) this.#capacity = capacity;
    return fits;
  }

  clone(): ByteStore {
    const copy = new ByteStore(this.#capacity);
    copy.used = this.used;
    return copy;
  }
}

/** Somebody who waits: a reader for up to so many bytes, a writer until the rest of its bytes are in. */
interface Waiter {
  bytes: number;
  readonly whole: number;
}

/** One pipe with those who wait at it: at most one reader and one writer. */
export class PipeFlow {
  readonly store: Store;
  reader: Waiter | undefined;
  writer: Waiter | undefined;

  constructor(store: Store) {
    this.store = store;
  }

  /**
   * What becomes of a write: how many bytes went in at once where it must not wait, "waits", or all of them; and what became
   * of those who waited before.
   */
  write(bytes: number, waits: boolean): string {
    const writer = { bytes: bytes - this.store.append(bytes, bytes, true), whole: bytes };
    const done = bytes - writer.bytes;
    if (!waits || writer.bytes === 0) return `${done || "none"}${this.#settle()}`;
    this.writer = writer;
    return `waits${this.#settle()}`;
  }

  read(bytes: number, waits: boolean): string {
    const done = this.store.take(bytes);
    if (done > 0 || !waits) return `${done || "none"}${this.#settle()}`;
    this.reader = { bytes, whole: bytes };
    return `waits${this.#settle()}`;
  }

  resize(capacity: number): string {
    return `${this.store.resize(capacity)}${this.#settle()}`;
  }

  /** Lets the writer and the reader go on until neither can. */
  #settle(): string {
    let endings = "";
    for (;;) {
      const { reader, writer } = this;
      const put = writer ? this.store.append(writer.bytes, writer.whole, false) : 0;
      if (writer) writer.bytes -= put;
      if (writer?.bytes === 0) {
        endings += `, writer ${writer.whole}`;
        this.writer = undefined;
      }
      const got = reader ? this.store.take(reader.bytes) : 0;
      if (got > 0) {
        endings += `, reader ${got}`;
        this.reader = undefined;
      }
      if (put === 0 && got === 0) return endings;
    }
  }

  clone(): PipeFlow {
    const copy = new PipeFlow(this.store.clone());
    copy.reader = this.reader && { ...this.reader };
    copy.writer = this.writer && { ...this.writer };
    return copy;
  }
}

/** The same pipe on both sides. */
export class PipeModel {
  #linux: PipeFlow;
  #ours: PipeFlow;

  constructor(capacity: number) {
    this.#linux = new PipeFlow(new SlotStore(capacity));
    this.#ours = new PipeFlow(new ByteStore(capacity));
  }

  get used(): number {
    return this.#linux.store.used;
  }

  /** Whether both say the same of the room there is. */
  get agreesOnRoom(): boolean {
    return this.#linux.store.hasRoom === this.#ours.store.hasRoom;
  }

  /** Whether an action has the same result on both sides, and leaves them agreeing on the room if somebody watches that. */
  agrees(action: (flow: PipeFlow) => string, watched: boolean): boolean {
    const [linux, ours] = [this.#linux.clone(), this.#ours.clone()];
    if (action(linux) !== action(ours)) return false;
    return linux.store.used === ours.store.used && (!watched || linux.store.hasRoom === ours.store.hasRoom);
  }

  /** What an action would do on Linux. */
  foresee(action: (flow: PipeFlow) => string): string {
    return action(this.#linux.clone());
  }

  /** Throws away what is in it. */
  empty(): void {
    this.#linux.store.take(Number.POSITIVE_INFINITY);
    this.#ours.store.take(Number.POSITIVE_INFINITY);
  }

  /** Does it on both; returns what Linux must say. */
  apply(action: (flow: PipeFlow) => string): string {
    action(this.#ours);
    return action(this.#linux);
  }

  /** The one who waited to read has gone. */
  forgetReader(): void {
    this.#linux.reader = undefined;
    this.#ours.reader = undefined;
  }

  /** The one who waited to write has gone; what it had written stays. */
  forgetWriter(): void {
    this.#linux.writer = undefined;
    this.#ours.writer = undefined;
  }
}
