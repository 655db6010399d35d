// A message queue: a ring of slots of one size with two locks, as a pipe is one of bytes. Senders hold the producer's
// monitor, receivers the consumer's. A message is written into the slot behind the tail and published by storing the tail;
// it is copied out, and then taken by storing the head. A fast send or receive costs three atomics.
//
// Source: msgop(2), mq_overview(7), and the mission's "Message Queue".

import { E2BIG, EAGAIN, EMSGSIZE } from "../abi/errno.ts";
import { message, monitor, powerOfTwoFrom, queue, roundUp } from "../memory/layout.ts";
import { field, LINE_WORDS, type Offset, offsetOf, WORD_BYTES, type Word, type Words } from "../memory/words.ts";
import { Monitor, type MonitorUser } from "../sync/monitor.ts";
import type { Condition } from "../sync/waiting.ts";
import { used } from "./positions.ts";

const TWO_TO_32 = 4294967296;

const slotWords = (messageBytesMax: number): number => message.DATA + roundUp(messageBytesMax, 8) / WORD_BYTES;

/** Bytes of a queue's body. */
export function queueBodyBytes(depth: number, messageBytesMax: number): number {
  return (queue.SLOT + powerOfTwoFrom(depth) * slotWords(messageBytesMax)) * WORD_BYTES;
}

export class MessageRing {
  /** Messages. */
  readonly depth: number;
  readonly messageBytesMax: number;
  /** For receivers: there is a message. */
  readonly filled: Condition;
  /** For senders: there is room. */
  readonly vacant: Condition;

  // Of the message that was taken last, so that taking one allocates nothing.
  takenSender = 0;
  takenType = 0;

  readonly #words: Words;
  readonly #pid: number;
  readonly #producer: Monitor;
  readonly #consumer: Monitor;
  readonly #tail: Word;
  readonly #head: Word;
  readonly #cachedHead: Word;
  readonly #cachedTail: Word;
  readonly #firstSlot: Word;
  readonly #slotWords: number;
  readonly #slotMask: number;
  /** For each slot the view that was last used to copy out of it. */
  readonly #views: (Uint8Array | undefined)[];

  /** `bodyLine` is the body's first line. */
  constructor(user: MonitorUser, bodyLine: number) {
    const words = user.words;
    const body = (bodyLine * LINE_WORDS) as Word;
    this.#words = words;
    this.#pid = user.pid;
    this.depth = words.load(field(body, queue.DEPTH));
    this.messageBytesMax = words.load(field(body, queue.MESSAGE_BYTES_MAX));
    this.#slotWords = words.load(field(body, queue.SLOT_WORDS));
    this.#slotMask = words.load(field(body, queue.SLOTS)) - 1;
    this.#producer = new Monitor(user, field(body, queue.PRODUCER));
    this.#consumer = new Monitor(user, field(body, queue.CONSUMER));
    this.#tail = field(body, queue.PRODUCER + monitor.POSITION);
    this.#cachedHead = field(body, queue.PRODUCER + monitor.CACHED_OPPOSITE);
    this.#head = field(body, queue.CONSUMER + monitor.POSITION);
    this.#cachedTail = field(body, queue.CONSUMER + monitor.CACHED_OPPOSITE);
    this.#firstSlot = field(body, queue.SLOT);
    this.#views = new Array(this.#slotMask + 1);
    this.filled = { monitor: this.#producer, spin: user.newSpin(), ready: () => this.length > 0 };
    this.vacant = { monitor: this.#consumer, spin: user.newSpin(), ready: () => this.length < this.depth };
  }

  /** Writes the body of a new queue. The memory is zeroed, and nobody else can see it yet. */
  static format(words: Words, bodyLine: number, depth: number, messageBytesMax: number): void {
    const body = (bodyLine * LINE_WORDS) as Word;
    words.set(field(body, queue.DEPTH), depth);
    words.set(field(body, queue.SLOTS), powerOfTwoFrom(depth));
    words.set(field(body, queue.SLOT_WORDS), slotWords(messageBytesMax));
    words.set(field(body, queue.MESSAGE_BYTES_MAX), messageBytesMax);
  }

  /** Messages sent and not yet received. */
  get length(): number {
    const head = this.#words.load(this.#head);
    return used(head, this.#words.load(this.#tail));
  }

  /** Appends a message. Returns 0, EAGAIN where the queue is full, EMSGSIZE where the message is too long. */
  tryAppend(data: Uint8Array, type: number): number {
    if (data.length > this.messageBytesMax) return EMSGSIZE;
    const words = this.#words;
    this.#producer.enter();
    const tail = words.get(this.#tail);
    if (this.#roomLocked(tail) <= 0) {
      this.#producer.leave(0);
      return EAGAIN;
    }
    this.#fill(tail, data, type);
    words.store(this.#tail, (tail + 1) | 0); // PUBLISHES the message → observed in #availableLocked()
    this.#producer.leave(1);
    return 0;
  }

  /**
   * Appends what there is room for of `messages` from `start`, published by one store. Returns how many, EAGAIN where the
   * queue is full, EMSGSIZE where the first is too long.
   */
  tryAppendMany(messages: readonly Uint8Array[], start: number, type: number): number {
    if ((messages[start] as Uint8Array).length > this.messageBytesMax) return EMSGSIZE;
    const words = this.#words;
    this.#producer.enter();
    const tail = words.get(this.#tail);
    words.set(this.#cachedHead, words.load(this.#head));
    const room = Math.min(this.#roomLocked(tail), messages.length - start);
    let count = 0;
    for (; count < room; count++) {
      const data = messages[start + count] as Uint8Array;
      if (data.length > this.messageBytesMax) break;
      this.#fill((tail + count) | 0, data, type);
    }
    if (count > 0) words.store(this.#tail, (tail + count) | 0); // PUBLISHES all of them
    this.#producer.leave(count);
    return count > 0 ? count : EAGAIN;
  }

  /** Takes the first message into `target`. Returns its length, EAGAIN where there is none, E2BIG where it does not fit. */
  tryTake(target: Uint8Array): number {
    const words = this.#words;
    this.#consumer.enter();
    const head = words.get(this.#head);
    if (this.#availableLocked(head) <= 0) {
      this.#consumer.leave(0);
      return EAGAIN;
    }
    const length = this.#lengthAt(head);
    if (length > target.length) {
      this.#consumer.leave(0);
      return E2BIG;
    }
    this.#copyOut(head, target, length);
    words.store(this.#head, (head + 1) | 0); // PUBLISHES the room → observed in #roomLocked()
    this.#consumer.leave(1);
    return length;
  }

  /**
   * Takes up to `max` messages; `deliver` gets each one's bytes. They count as taken together, by one store, after the last
   * was delivered. Returns how many, EAGAIN where there is none.
   */
  tryTakeMany(max: number, deliver: (data: Uint8Array) => void): number {
    const words = this.#words;
    this.#consumer.enter();
    const head = words.get(this.#head);
    words.set(this.#cachedTail, words.load(this.#tail));
    const count = Math.min(this.#availableLocked(head), max);
    try {
      for (let i = 0; i < count; i++) {
        const at = (head + i) | 0;
        const data = new Uint8Array(this.#lengthAt(at));
        this.#copyOut(at, data, data.length);
        deliver(data);
      }
    } catch (error) {
      this.#consumer.leave(0); // no memory for the copies: nothing is taken, nobody is locked out
      throw error;
    }
    if (count > 0) words.store(this.#head, (head + count) | 0); // PUBLISHES the room
    this.#consumer.leave(count);
    return count > 0 ? count : EAGAIN;
  }

  #roomLocked(tail: number): number {
    const room = this.depth - used(this.#words.get(this.#cachedHead), tail);
    if (room > 0) return room;
    const head = this.#words.load(this.#head);
    this.#words.set(this.#cachedHead, head);
    return this.depth - used(head, tail);
  }

  #availableLocked(head: number): number {
    const available = used(head, this.#words.get(this.#cachedTail));
    if (available > 0) return available;
    const tail = this.#words.load(this.#tail);
    this.#words.set(this.#cachedTail, tail);
    return Math.min(used(head, tail), this.depth);
  }

  #slot(position: number): Word {
    return field(this.#firstSlot, (position & this.#slotMask) * this.#slotWords);
  }

  /** A damaged length reads as the longest there can be, never past the slot. */
  #lengthAt(position: number): number {
    const length = this.#words.get(field(this.#slot(position), message.LENGTH));
    return Math.min(length >>> 0, this.messageBytesMax);
  }

  #fill(position: number, data: Uint8Array, type: number): void {
    const words = this.#words;
    const slot = this.#slot(position);
    words.set(field(slot, message.LENGTH), data.length);
    words.set(field(slot, message.SENDER), this.#pid);
    words.set(field(slot, message.TYPE), type | 0);
    words.set(field(slot, message.TYPE + 1), Math.floor(type / TWO_TO_32));
    words.copyIn(offsetOf(field(slot, message.DATA)), data, 0, data.length);
  }

  #copyOut(position: number, target: Uint8Array, length: number): void {
    const words = this.#words;
    const slot = this.#slot(position);
    this.takenSender = words.get(field(slot, message.SENDER));
    this.takenType =
      words.get(field(slot, message.TYPE + 1)) * TWO_TO_32 + (words.get(field(slot, message.TYPE)) >>> 0);
    const data = offsetOf(field(slot, message.DATA));
    if (length > VIEW_BYTES_MIN) this.#copyView(position & this.#slotMask, data, target, length);
    else words.copyOut(data, target, 0, length);
  }

  /** A queue's messages tend to be of one length: the view that served a slot last time serves again. */
  #copyView(index: number, data: Offset, target: Uint8Array, length: number): void {
    let view = this.#views[index];
    if (view === undefined || view.length !== length) {
      view = this.#words.view(data, length);
      this.#views[index] = view;
    }
    this.#words.copyView(view, target, 0);
  }
}

/** Shorter messages are copied byte by byte. */
const VIEW_BYTES_MIN = 24;
