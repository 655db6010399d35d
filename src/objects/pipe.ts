// A pipe: a ring of bytes with two locks. Writers hold the producer's monitor, readers the consumer's; each keeps a copy of
// the other side's position on its own cache line and looks at the real one only where the copy does not suffice.
//
// A write copies its bytes, then stores the tail; a read copies out, then stores the head. What a writer that died had not
// published never happened, whatever bytes lie behind the tail. A fast write costs four atomics (a look at the count
// of readers, lock, publish, unlock), a fast read three, and two more where the tail last seen does not fill the buffer; each one less
// where machine code publishes and unlocks at once.
//
// The bytes lie in a block of their own, which one store of SHAPE exchanges for another, under both locks (F_SETPIPE_SZ).
//
// Source: pipe(7), and the mission's "Pipes".

import { EAGAIN, EBUSY, EIO, EPIPE } from "../abi/errno.ts";
import { PIPE_BUF } from "../abi/limits.ts";
import { monitor, pipe } from "../memory/layout.ts";
import { type Shape, shapeCount, shapeLine, shapeOf } from "../memory/shape.ts";
import { field, LINE_BYTES, LINE_WORDS, LOOP_BYTES_MAX, type Offset, type Word, type Words } from "../memory/words.ts";
import { EVERYBODY, Monitor, type MonitorUser } from "../sync/monitor.ts";
import type { Condition } from "../sync/waiting.ts";
import { used } from "./positions.ts";

/** Bytes of a pipe's body; its data is a block of its own. */
export const PIPE_BODY_BYTES = pipe.WORDS * 4;

/** Reads or writes bytes where they lie, and says how many. */
export type Use = (bytes: Uint8Array) => number;

export class Pipe {
  /** For readers: there are bytes, or no writer is left. */
  readonly readable: Condition;
  /** For writers: there is room for what is wanted, or no reader is left. */
  readonly writable: Condition;

  /** The body's first line. */
  readonly bodyLine: number;

  readonly #words: Words;
  readonly #body: Word;
  readonly #producer: Monitor;
  readonly #consumer: Monitor;
  readonly #tail: Word;
  readonly #head: Word;
  readonly #cachedHead: Word;
  readonly #cachedTail: Word;
  // What SHAPE said last: looked at again under a lock.
  #shape = -1;
  #capacity = 0;
  #data = 0 as Offset;
  /** Where bytes were read from last, and what shows them: one who reads a whole pipe at a time reads there again. */
  #seenAt = -1;
  #seen: Uint8Array | undefined;

  /** `bodyLine` is the body's first line. */
  constructor(user: MonitorUser, bodyLine: number) {
    const body = (bodyLine * LINE_WORDS) as Word;
    this.bodyLine = bodyLine;
    this.#words = user.words;
    this.#body = body;
    const guarded = { repair: () => {} }; // each side's position is one store
    this.#producer = new Monitor(user, field(body, pipe.PRODUCER), guarded);
    this.#consumer = new Monitor(user, field(body, pipe.CONSUMER), guarded);
    this.#tail = field(body, pipe.PRODUCER + monitor.POSITION);
    this.#cachedHead = field(body, pipe.PRODUCER + monitor.CACHED_OPPOSITE);
    this.#head = field(body, pipe.CONSUMER + monitor.POSITION);
    this.#cachedTail = field(body, pipe.CONSUMER + monitor.CACHED_OPPOSITE);
    this.#reshape();
    this.readable = {
      monitor: this.#producer,
      spin: user.newSpin(),
      ready: () => this.length > 0 || this.writers === 0,
    };
    this.writable = {
      monitor: this.#consumer,
      spin: user.newSpin(),
      ready: (want) => this.capacity - this.length >= want || this.readers === 0,
    };
  }

  /** Writes the body of a new pipe, whose data is a block from `dataLine` on. Nobody else can see it yet. */
  static format(words: Words, bodyLine: number, dataLine: number, capacity: number): void {
    words.set(field((bodyLine * LINE_WORDS) as Word, pipe.SHAPE), shapeOf(dataLine, capacity));
  }

  /** Bytes, a power of two. */
  get capacity(): number {
    if (this.#words.load(field(this.#body, pipe.SHAPE)) !== this.#shape) this.#reshape();
    return this.#capacity;
  }

  /** Writes of up to so many bytes are atomic: PIPE_BUF, or the capacity of a smaller pipe. */
  get atomicBytesMax(): number {
    return Math.min(PIPE_BUF, this.capacity);
  }

  get shape(): Shape {
    return this.#words.load(field(this.#body, pipe.SHAPE)) as Shape;
  }

  /**
   * Moves the bytes to another block, and publishes it by one store. A death before it leaves them where they were. The
   * caller holds the kernel lock. EBUSY where they do not fit.
   */
  moveTo(shape: Shape): number {
    const words = this.#words;
    this.#producer.enter();
    this.#consumer.enter();
    this.#reshape();
    const head = words.get(this.#head);
    const count = Math.max(0, used(head, words.get(this.#tail)));
    const capacity = shapeCount(shape);
    const fits = count <= capacity;
    if (fits) {
      const bytes = new Uint8Array(count);
      this.#copyOut(head, bytes, 0, count);
      const data = (shapeLine(shape) * LINE_BYTES) as Offset;
      const at = head & (capacity - 1);
      const first = Math.min(count, capacity - at);
      words.copyIn((data + at) as Offset, bytes, 0, first);
      words.copyIn(data, bytes, first, count - first);
      words.store(field(this.#body, pipe.SHAPE), shape); // PUBLISHES the block → observed in #reshape()
      this.#reshape();
    }
    this.#consumer.leave(fits ? EVERYBODY : 0);
    this.#producer.leave(0);
    return fits ? 0 : EBUSY;
  }

  /** Bytes written and not yet read. */
  get length(): number {
    const head = this.#words.load(this.#head);
    return used(head, this.#words.load(this.#tail));
  }

  get readers(): number {
    return this.#words.load(field(this.#body, pipe.READERS));
  }

  get writers(): number {
    return this.#words.load(field(this.#body, pipe.WRITERS));
  }

  get readersOpened(): number {
    return this.#words.load(field(this.#body, pipe.READERS_OPENED));
  }

  get writersOpened(): number {
    return this.#words.load(field(this.#body, pipe.WRITERS_OPENED));
  }

  /** The words that opening and closing change, for the transaction that does. */
  countWords(): { readers: Word; writers: Word; readersOpened: Word; writersOpened: Word } {
    return {
      readers: field(this.#body, pipe.READERS),
      writers: field(this.#body, pipe.WRITERS),
      readersOpened: field(this.#body, pipe.READERS_OPENED),
      writersOpened: field(this.#body, pipe.WRITERS_OPENED),
    };
  }

  /** Forgets what was not read. The caller holds the kernel lock, and neither end is open; `write` stores. */
  discard(write: (word: Word, value: number) => void): void {
    write(this.#head, this.#words.load(this.#tail));
  }

  /**
   * Appends what fits of `length` bytes of `source` from `start`; with `atomic` all or nothing. Returns how many bytes,
   * EAGAIN where there is no room, EPIPE where no reader is left.
   */
  tryWrite(source: Uint8Array, start: number, length: number, atomic: boolean): number {
    if (length === 0) return 0;
    if (this.readers === 0) return EPIPE;
    const words = this.#words;
    const want = atomic ? length : 1;
    this.#producer.enter();
    if (words.get(field(this.#body, pipe.SHAPE)) !== this.#shape) this.#reshape();
    const tail = words.get(this.#tail);
    let room = this.#capacity - used(words.get(this.#cachedHead), tail);
    if (room < length || room > this.#capacity) room = this.#refreshRoom(tail);
    if (room < want) {
      this.#producer.leave(0);
      return room < 0 ? room : EAGAIN;
    }
    const count = Math.min(room, length);
    this.#copyIn(tail, source, start, count);
    this.#producer.leaveMoved(tail, (tail + count) | 0, 1); // PUBLISHES the bytes → observed in tryRead()
    return count;
  }

  /**
   * Writes where the bytes are to lie, into room that is in one piece: `fill` gets at most `most` bytes, and says how many it has
   * written. What it throws goes on, and nothing was written. Returns how many, EAGAIN, EPIPE.
   */
  tryWriteInPlace(most: number, fill: Use): number {
    if (this.readers === 0) return EPIPE;
    this.#producer.enter();
    if (this.#words.get(field(this.#body, pipe.SHAPE)) !== this.#shape) this.#reshape();
    const tail = this.#words.get(this.#tail);
    let room = this.#capacity - used(this.#words.get(this.#cachedHead), tail);
    if (room < Math.min(most, this.#untilWrap(tail)) || room > this.#capacity) room = this.#refreshRoom(tail);
    const count = this.#lend(this.#producer, tail, Math.min(room, most), fill);
    if (count > 0)
      this.#producer.leaveMoved(tail, (tail + count) | 0, 1); // PUBLISHES the bytes → observed in tryRead()
    else this.#producer.leave(0);
    return room > 0 ? count : room < 0 ? room : EAGAIN;
  }

  /** Reads where the bytes lie, the same way; 0 at end-of-file, where `use` is not called. */
  tryReadInPlace(most: number, use: Use): number {
    const words = this.#words;
    this.#consumer.enter();
    if (words.get(field(this.#body, pipe.SHAPE)) !== this.#shape) this.#reshape();
    const head = words.get(this.#head);
    const writers = this.writers; // before the tail, as in tryRead()
    const available = this.#refreshAvailable(head);
    const count = this.#lend(this.#consumer, head, Math.min(available, most), use);
    // PUBLISHES the room → observed in tryWrite()
    if (count > 0) this.#consumer.leaveMoved(head, (head + count) | 0, this.#capacity - available + count);
    else this.#consumer.leave(0);
    if (available < 0) return available;
    return available > 0 || writers === 0 ? count : EAGAIN;
  }

  /** Lends the bytes from a position on, up to where they wrap; unlocks where it throws. */
  #lend(monitor: Monitor, position: number, most: number, use: Use): number {
    const length = Math.min(most, this.#untilWrap(position));
    if (length <= 0) return 0;
    const view = this.#words.view((this.#data + (position & (this.#capacity - 1))) as Offset, length);
    let count = 0;
    try {
      monitor.lendLocked(() => {
        this.#words.lendView(view, (bytes) => {
          count = use(bytes);
        });
      });
      if (!Number.isInteger(count) || count < 0 || count > length)
        throw new RangeError(`of ${length} bytes in place, ${count} cannot have been used`);
    } catch (error) {
      monitor.leave(0);
      throw error;
    }
    return count;
  }

  #view(from: Offset, length: number): Uint8Array {
    let seen = this.#seen;
    if (seen === undefined || this.#seenAt !== from || seen.length !== length) {
      seen = this.#words.view(from, length);
      this.#seen = seen;
      this.#seenAt = from;
    }
    return seen;
  }

  #untilWrap(position: number): number {
    return this.#capacity - (position & (this.#capacity - 1));
  }

  /** Takes up to `length` bytes into `target` from `start`. Returns how many, 0 at end-of-file, EAGAIN where none are there. */
  tryRead(target: Uint8Array, start: number, length: number): number {
    if (length === 0) return 0;
    const words = this.#words;
    this.#consumer.enter();
    if (words.get(field(this.#body, pipe.SHAPE)) !== this.#shape) this.#reshape();
    const head = words.get(this.#head);
    let available = used(head, words.get(this.#cachedTail));
    if (available < length || available > this.#capacity) {
      const writers = this.writers; // before the tail: what the last writer wrote before it closed counts
      available = this.#refreshAvailable(head);
      if (available <= 0) {
        this.#consumer.leave(0);
        return available < 0 ? available : writers === 0 ? 0 : EAGAIN;
      }
    }
    const count = Math.min(available, length);
    this.#copyOut(head, target, start, count);
    // PUBLISHES the room → observed in tryWrite()
    this.#consumer.leaveMoved(head, (head + count) | 0, this.#capacity - available + count);
    return count;
  }

  /** A damaged shape reads as one that lies inside the region. */
  #reshape(): void {
    const words = this.#words;
    const shape = words.load(field(this.#body, pipe.SHAPE));
    const data = shapeLine(shape) * LINE_BYTES;
    const most = words.bytes.length - data;
    this.#shape = shape;
    this.#data = (most > 0 ? data : 0) as Offset;
    this.#capacity = shapeCount(shape) <= most ? shapeCount(shape) : 1;
  }

  /** EIO where the positions are damaged: there are never more bytes than it holds, nor fewer than none. */
  #refreshRoom(tail: number): number {
    const head = this.#words.load(this.#head);
    this.#words.set(this.#cachedHead, head);
    const room = this.#capacity - used(head, tail);
    return room >= 0 && room <= this.#capacity ? room : EIO;
  }

  /** The same. */
  #refreshAvailable(head: number): number {
    const tail = this.#words.load(this.#tail);
    this.#words.set(this.#cachedTail, tail);
    const available = used(head, tail);
    return available >= 0 && available <= this.#capacity ? available : EIO;
  }

  #copyIn(tail: number, source: Uint8Array, start: number, count: number): void {
    const at = tail & (this.#capacity - 1);
    const first = Math.min(count, this.#capacity - at);
    this.#words.copyIn((this.#data + at) as Offset, source, start, first);
    if (first < count) this.#words.copyIn(this.#data, source, start + first, count - first);
  }

  #copyOut(head: number, target: Uint8Array, start: number, count: number): void {
    const at = head & (this.#capacity - 1);
    const first = Math.min(count, this.#capacity - at);
    const from = (this.#data + at) as Offset;
    if (first > LOOP_BYTES_MAX) this.#words.copyView(this.#view(from, first), target, start);
    else this.#words.copyOut(from, target, start, first);
    if (first < count) this.#words.copyOut(this.#data, target, start + first, count - first);
  }
}
