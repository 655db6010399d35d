// A pipe: a ring of bytes with two locks. Writers hold the producer's monitor, readers the consumer's; each keeps a copy of
// the other side's position on its own cache line and looks at the real one only where the copy does not suffice.
//
// A write copies its bytes, then stores the tail; a read copies out, then stores the head. What a writer that died had not
// published never happened, whatever bytes lie behind the tail. A fast write costs four atomics (a look at the count
// of readers, lock, publish, unlock), a fast read three, and two more where the tail last seen does not fill the buffer.
//
// Source: pipe(7), and the mission's "Pipes".

import { EAGAIN, EPIPE } from "../abi/errno.ts";
import { PIPE_BUF } from "../abi/limits.ts";
import { monitor, pipe } from "../memory/layout.ts";
import { field, LINE_WORDS, type Offset, offsetOf, type Word, type Words } from "../memory/words.ts";
import { Monitor, type MonitorUser } from "../sync/monitor.ts";
import type { Condition } from "../sync/waiting.ts";
import { used } from "./positions.ts";

/** Bytes of a pipe's body, with room for `capacity` bytes of data. */
export const pipeBodyBytes = (capacity: number): number => pipe.DATA * 4 + capacity;

export class Pipe {
  /** Bytes, a power of two. */
  readonly capacity: number;
  /** Writes of up to so many bytes are atomic: PIPE_BUF, or the capacity of a smaller pipe. */
  readonly atomicBytesMax: number;
  /** For readers: there are bytes, or no writer is left. */
  readonly readable: Condition;
  /** For writers: there is room for what is wanted, or no reader is left. */
  readonly writable: Condition;

  readonly #words: Words;
  readonly #body: Word;
  readonly #producer: Monitor;
  readonly #consumer: Monitor;
  readonly #tail: Word;
  readonly #head: Word;
  readonly #cachedHead: Word;
  readonly #cachedTail: Word;
  readonly #data: Offset;

  /** `bodyLine` is the body's first line. */
  constructor(user: MonitorUser, bodyLine: number) {
    const body = (bodyLine * LINE_WORDS) as Word;
    this.#words = user.words;
    this.#body = body;
    this.capacity = user.words.load(field(body, pipe.CAPACITY));
    this.atomicBytesMax = Math.min(PIPE_BUF, this.capacity);
    this.#producer = new Monitor(user, field(body, pipe.PRODUCER));
    this.#consumer = new Monitor(user, field(body, pipe.CONSUMER));
    this.#tail = field(body, pipe.PRODUCER + monitor.POSITION);
    this.#cachedHead = field(body, pipe.PRODUCER + monitor.CACHED_OPPOSITE);
    this.#head = field(body, pipe.CONSUMER + monitor.POSITION);
    this.#cachedTail = field(body, pipe.CONSUMER + monitor.CACHED_OPPOSITE);
    this.#data = offsetOf(field(body, pipe.DATA));
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

  /** Writes the body of a new pipe. The memory is zeroed, and nobody else can see it yet. */
  static format(words: Words, bodyLine: number, capacity: number): void {
    words.set(field((bodyLine * LINE_WORDS) as Word, pipe.CAPACITY), capacity);
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
    const tail = words.get(this.#tail);
    let room = this.capacity - used(words.get(this.#cachedHead), tail);
    if (room < length) room = this.#refreshRoom(tail);
    if (room < want) {
      this.#producer.leave(0);
      return EAGAIN;
    }
    const count = Math.min(room, length);
    this.#copyIn(tail, source, start, count);
    words.store(this.#tail, (tail + count) | 0); // PUBLISHES the bytes → observed in tryRead()
    this.#producer.leave(1);
    return count;
  }

  /** Takes up to `length` bytes into `target` from `start`. Returns how many, 0 at end-of-file, EAGAIN where none are there. */
  tryRead(target: Uint8Array, start: number, length: number): number {
    if (length === 0) return 0;
    const words = this.#words;
    this.#consumer.enter();
    const head = words.get(this.#head);
    let available = used(head, words.get(this.#cachedTail));
    if (available < length) {
      const writers = this.writers; // before the tail: what the last writer wrote before it closed counts
      available = this.#refreshAvailable(head);
      if (available === 0) {
        this.#consumer.leave(0);
        return writers === 0 ? 0 : EAGAIN;
      }
    }
    const count = Math.min(available, length);
    this.#copyOut(head, target, start, count);
    words.store(this.#head, (head + count) | 0); // PUBLISHES the room → observed in tryWrite()
    this.#consumer.leave(this.capacity - available + count);
    return count;
  }

  #refreshRoom(tail: number): number {
    const head = this.#words.load(this.#head);
    this.#words.set(this.#cachedHead, head);
    return this.capacity - used(head, tail);
  }

  #refreshAvailable(head: number): number {
    const tail = this.#words.load(this.#tail);
    this.#words.set(this.#cachedTail, tail);
    return Math.min(used(head, tail), this.capacity);
  }

  #copyIn(tail: number, source: Uint8Array, start: number, count: number): void {
    const at = tail & (this.capacity - 1);
    const first = Math.min(count, this.capacity - at);
    this.#words.copyIn((this.#data + at) as Offset, source, start, first);
    if (first < count) this.#words.copyIn(this.#data, source, start + first, count - first);
  }

  #copyOut(head: number, target: Uint8Array, start: number, count: number): void {
    const at = head & (this.capacity - 1);
    const first = Math.min(count, this.capacity - at);
    this.#words.copyOut((this.#data + at) as Offset, target, start, first);
    if (first < count) this.#words.copyOut(this.#data, target, start + first, count - first);
  }
}
