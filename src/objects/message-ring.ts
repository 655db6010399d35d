// A message queue: a ring of slots of one size with two locks, as a pipe is one of bytes. Senders hold the producer's
// monitor, receivers the consumer's. A message is written into the slot behind the tail and published by storing how many
// were sent; it is copied out, and then taken by storing how many were taken. A fast send or receive costs three atomics.
//
// Taking out of order (by type, or by priority) leaves a hole: its slot's STATE says so, which is the store that takes the
// message. Holes lie from HEAD on, and TAKEN - HEAD is their number: without holes both are one. A hole is no message, and
// blocks no sender: where there are more holes than slots to spare, whoever takes moves the messages before them together,
// one at a time, each with an intent (MOVING) that says how to finish, and only then gives the room to the senders.
//
// What a death leaves behind, by the last store that stood:
//   before the count of the sent     nothing was sent
//   the count of the taken, not HEAD HEAD is behind by what was taken in order: repaired by counting the holes
//   a slot's STATE, not the count    a hole too many: repaired by counting
//   in the middle of a move          the message is in its old slot, or in both: repaired from MOVING
//
// The bytes of all messages are counted in pairs of words, of which the count's last bit chooses one: it is written before
// the count that makes it the one that holds.
//
// Source: msgop(2), mq_overview(7), and the mission's "Message Queue".

import { E2BIG, EAGAIN, EIDRM, EMSGSIZE, ENOMSG } from "../abi/errno.ts";
import { message, monitor, node, powerOfTwoFrom, queue, roundUp } from "../memory/layout.ts";
import { type Shape, shapeCount, shapeLine, shapeOf } from "../memory/shape.ts";
import { field, LINE_WORDS, type Offset, offsetOf, WORD_BYTES, type Word, type Words } from "../memory/words.ts";
import { EVERYBODY, Monitor, type MonitorUser } from "../sync/monitor.ts";
import type { Node, Selector } from "../sync/wait-list.ts";
import type { Condition } from "../sync/waiting.ts";
import { used } from "./positions.ts";
import { isLess, selections, selects } from "./selection.ts";

const TWO_TO_32 = 4294967296;

/** STATE of a slot. */
const LIVE = 0;
const HOLE = 1;

/** Shorter messages are copied byte by byte. */
const VIEW_BYTES_MIN = 24;

/** Slots of a queue whose messages are counted in bytes: it gets more as it fills. */
const SLOTS_FIRST = 16;

/** What the owner of a ring does for it in the kernel. */
export interface RingOwner extends MonitorUser {
  /** Gives a ring of this shape twice as many slots: 0, also where it has another shape by now, or a negative errno. */
  grow(ring: MessageRing, seen: Shape): number;
  /** A message has come into the empty queue, and nobody waits for it. */
  arrived(ring: MessageRing): void;
}

/** What a queue is made with. `bytesMax` 0: it is bounded by `depth` alone. */
export interface QueueShape {
  readonly depth: number;
  readonly bytesMax: number;
  readonly messageBytesMax: number;
}

export const QUEUE_BODY_BYTES = queue.WORDS * WORD_BYTES;

const slotWords = (messageBytesMax: number): number => message.DATA + roundUp(messageBytesMax, 8) / WORD_BYTES;

export const slotsFor = ({ depth, bytesMax }: QueueShape): number =>
  bytesMax > 0 ? SLOTS_FIRST : powerOfTwoFrom(depth);

/** Bytes of so many slots. */
export const slotsBytes = (slots: number, messageBytesMax: number): number =>
  slots * slotWords(messageBytesMax) * WORD_BYTES;

export class MessageRing {
  readonly messageBytesMax: number;
  /** The body's first line. */
  readonly bodyLine: number;
  /** For receivers: there is a message. */
  readonly filled: Condition;
  /** For senders: there is room; what to want says `wantFor`. */
  readonly vacant: Condition;

  // Of the message that was taken last, so that taking one allocates nothing.
  takenSender = 0;
  takenPriority = 0;
  takenTypeLow = 0;
  takenTypeHigh = 0;

  readonly #words: Words;
  readonly #owner: RingOwner;
  readonly #pid: number;
  readonly #producer: Monitor;
  readonly #consumer: Monitor;
  readonly #body: Word;
  readonly #tail: Word;
  readonly #taken: Word;
  readonly #cachedTaken: Word;
  readonly #cachedTail: Word;
  readonly #head: Word;
  readonly #mixedAt: Word;
  readonly #mixedUntil: Word;
  readonly #slotWords: number;
  // What SHAPE said last.
  #shape = -1;
  #firstSlot = 0 as Word;
  #slotMask = 0;
  // What RULES, DEPTH, BYTES_MAX and REMOVED said last.
  #rules = -1;
  #depth = 0;
  #bytesMax = 0;
  #removed = false;
  /** Messages that the slots leave room for: `depth`, or fewer where slots are added as needed. */
  #room = 0;
  /** Slots to spare, for holes: with as many, the messages that there may be still fit. */
  #holesMax = 0;
  /** For each slot the view that was last used to copy out of it. */
  #views: (Uint8Array | undefined)[] = [];

  constructor(owner: RingOwner, bodyLine: number) {
    const words = owner.words;
    const body = (bodyLine * LINE_WORDS) as Word;
    this.bodyLine = bodyLine;
    this.#words = words;
    this.#owner = owner;
    this.#pid = owner.pid;
    this.#body = body;
    this.messageBytesMax = words.load(field(body, queue.MESSAGE_BYTES_MAX));
    this.#slotWords = words.load(field(body, queue.SLOT_WORDS));
    this.#producer = new Monitor(owner, field(body, queue.PRODUCER), {
      fits: (at) => this.#hasFor(at),
      repair: () => {}, // what was not published never was
    });
    this.#consumer = new Monitor(owner, field(body, queue.CONSUMER), { repair: () => this.#repairLocked() });
    this.#tail = field(body, queue.PRODUCER + monitor.POSITION);
    this.#cachedTaken = field(body, queue.PRODUCER + monitor.CACHED_OPPOSITE);
    this.#taken = field(body, queue.CONSUMER + monitor.POSITION);
    this.#cachedTail = field(body, queue.CONSUMER + monitor.CACHED_OPPOSITE);
    this.#head = field(body, queue.HEAD);
    this.#mixedAt = field(body, queue.MIXED_AT);
    this.#mixedUntil = field(body, queue.MIXED_UNTIL);
    this.#reshape();
    this.#reread();
    this.filled = {
      monitor: this.#producer,
      spin: owner.newSpin(),
      ready: () => this.length > 0 || this.removed,
    };
    this.vacant = {
      monitor: this.#consumer,
      spin: owner.newSpin(),
      ready: (want) => this.#hasRoomFor(want) || this.removed,
    };
  }

  /** Writes the body of a new queue, whose slots are a block from `slotsLine` on. Nobody else can see it yet. */
  static format(words: Words, bodyLine: number, slotsLine: number, shape: QueueShape): void {
    const body = (bodyLine * LINE_WORDS) as Word;
    words.set(field(body, queue.SHAPE), shapeOf(slotsLine, slotsFor(shape)));
    words.set(field(body, queue.SLOT_WORDS), slotWords(shape.messageBytesMax));
    words.set(field(body, queue.MESSAGE_BYTES_MAX), shape.messageBytesMax);
    words.set(field(body, queue.DEPTH), shape.depth);
    words.set(field(body, queue.BYTES_MAX), shape.bytesMax);
  }

  /** Messages it holds before senders wait. */
  get depth(): number {
    return this.#words.load(field(this.#body, queue.DEPTH));
  }

  /** Bytes of all messages before senders wait; 0: only `depth` counts. */
  get bytesMax(): number {
    return this.#words.load(field(this.#body, queue.BYTES_MAX));
  }

  /** Messages sent and not yet received. */
  get length(): number {
    const taken = this.#words.load(this.#taken);
    return used(taken, this.#words.load(this.#tail));
  }

  /** Bytes of the messages sent and not yet received; only where `bytesMax` counts them. */
  get lengthBytes(): number {
    const words = this.#words;
    for (;;) {
      const taken = words.load(this.#taken);
      const tail = words.load(this.#tail);
      const bytes = used(words.load(this.#takenBytes(taken)), words.load(this.#sentBytes(tail)));
      if (words.load(this.#taken) === taken && words.load(this.#tail) === tail) return bytes;
    }
  }

  get removed(): boolean {
    return this.#words.load(field(this.#body, queue.REMOVED)) !== 0;
  }

  get shape(): Shape {
    return this.#words.load(field(this.#body, queue.SHAPE)) as Shape;
  }

  /** How often the rules have changed: whoever remembers a decision made by them decides anew. */
  get rules(): number {
    return this.#words.get(field(this.#body, queue.RULES));
  }

  /** A word of the body, by its name in the layout. */
  word(name: number): Word {
    return field(this.#body, name);
  }

  /** What a sender of so many bytes wants of `vacant`: 1, and the bytes where those count. */
  wantFor(bytes: number): number {
    return this.bytesMax > 0 ? bytes + 1 : 1;
  }

  /** For a receiver that is particular: there is a message it takes. */
  selected(selector: Selector): Condition {
    if (selector.kind === selections.ANY) return this.filled;
    const { monitor, spin } = this.filled;
    return { monitor, spin, selector, ready: () => this.#holds(selector) || this.removed };
  }

  /**
   * Appends a message. Returns 0, EAGAIN where there is no room, EMSGSIZE where it is too long, EIDRM; ENOMEM where more
   * slots cannot be had.
   */
  tryAppend(data: Uint8Array, type: number, priority = 0): number {
    return this.tryAppendTyped(data, type | 0, Math.floor(type / TWO_TO_32), priority);
  }

  /** The same, with the type in its halves. */
  tryAppendTyped(data: Uint8Array, typeLow: number, typeHigh: number, priority: number): number {
    if (data.length > this.messageBytesMax) return EMSGSIZE;
    const words = this.#words;
    this.#enterProducer();
    if (this.#removed) return this.#leaveProducerWith(EIDRM);
    const tail = words.get(this.#tail);
    if (this.#roomLocked(tail) <= 0 || (this.#bytesMax > 0 && !this.#bytesFitLocked(tail, data.length))) {
      return this.#appendWithoutRoom(tail, data, typeLow, typeHigh, priority);
    }
    this.#fill(tail, data, typeLow, typeHigh, priority);
    if (this.#bytesMax > 0) this.#countSentLocked(tail, data.length);
    const tell = words.get(field(this.#body, queue.NOTIFY_PID)) !== 0 && this.#isFirstLocked(tail);
    words.store(this.#tail, (tail + 1) | 0); // PUBLISHES the message → observed in #availableLocked()
    this.#producer.leave(1);
    if (tell) this.#owner.arrived(this);
    return 0;
  }

  /**
   * Appends what there is room for of `messages` from `start`, published by one store. Returns how many, EAGAIN where there
   * is no room, EMSGSIZE where the first is too long, EIDRM.
   */
  tryAppendMany(messages: readonly Uint8Array[], start: number, type: number, priority = 0): number {
    const first = messages[start] as Uint8Array;
    if (first.length > this.messageBytesMax) return EMSGSIZE;
    const words = this.#words;
    const typeHigh = Math.floor(type / TWO_TO_32);
    this.#enterProducer();
    const onlyOne = this.#bytesMax > 0 || words.get(field(this.#body, queue.NOTIFY_PID)) !== 0;
    if (onlyOne || this.#removed) {
      this.#producer.leave(0);
      return this.tryAppend(first, type, priority) || 1;
    }
    const tail = words.get(this.#tail);
    words.set(this.#cachedTaken, words.load(this.#taken));
    const room = Math.min(this.#roomLocked(tail), messages.length - start);
    let count = 0;
    for (; count < room; count++) {
      const data = messages[start + count] as Uint8Array;
      if (data.length > this.messageBytesMax) break;
      this.#fill((tail + count) | 0, data, type | 0, typeHigh, priority);
    }
    if (count > 0) words.store(this.#tail, (tail + count) | 0); // PUBLISHES all of them
    this.#producer.leave(count);
    return count > 0 ? count : EAGAIN;
  }

  /**
   * Takes the first message of the highest priority into `target`. Returns its length, EAGAIN where there is none, E2BIG
   * where it does not fit, EIDRM.
   */
  tryTake(target: Uint8Array): number {
    const words = this.#words;
    this.#enterConsumer();
    if (this.#removed) return this.#leaveConsumerWith(EIDRM);
    const taken = words.get(this.#taken);
    if (this.#availableLocked(taken) <= 0) return this.#leaveConsumerWith(EAGAIN);
    const head = words.get(this.#head);
    const at = this.#isMixedLocked(head) ? this.#urgentLocked(head) : head;
    const length = this.#lengthAt(at);
    if (length > target.length) return this.#leaveConsumerWith(E2BIG);
    this.#copyOut(at, target, length);
    this.#takeLocked(at, head, taken);
    this.#consumer.leave(this.#bytesMax > 0 ? this.#bytesCredit() : 1);
    return length;
  }

  /**
   * Takes the first message that `selector` selects into `target`; `truncate` leaves out what does not fit (MSG_NOERROR).
   * Returns the bytes copied, EAGAIN, E2BIG, EIDRM. `keep` only looks: the message stays.
   */
  tryTakeSelected(selector: Selector, target: Uint8Array, truncate: boolean, keep = false): number {
    const words = this.#words;
    this.#enterConsumer();
    if (this.#removed) return this.#leaveConsumerWith(EIDRM);
    const head = words.get(this.#head);
    const at = this.#firstSelected(selector, head);
    if (at === undefined) return this.#leaveConsumerWith(EAGAIN);
    const length = this.#lengthAt(at);
    if (length > target.length && !truncate) return this.#leaveConsumerWith(E2BIG);
    const count = Math.min(length, target.length);
    this.#copyOut(at, target, count);
    if (keep) return this.#leaveConsumerWith(count);
    this.#takeLocked(at, head, words.get(this.#taken));
    this.#consumer.leave(this.#bytesMax > 0 ? this.#bytesCredit() : 1);
    return count;
  }

  /** Copies the message at an index, from 0, and leaves it there (MSG_COPY). ENOMSG where there are no so many, E2BIG, EIDRM. */
  tryPeek(index: number, target: Uint8Array): number {
    this.#enterConsumer();
    if (this.#removed) return this.#leaveConsumerWith(EIDRM);
    if (index < 0) return this.#leaveConsumerWith(ENOMSG);
    let left = index;
    let found: number | undefined;
    this.#eachLive(this.#words.get(this.#head), (at) => {
      if (left-- > 0) return false;
      found = at;
      return true;
    });
    if (found === undefined) return this.#leaveConsumerWith(ENOMSG);
    const length = this.#lengthAt(found);
    if (length > target.length) return this.#leaveConsumerWith(E2BIG);
    this.#copyOut(found, target, length);
    return this.#leaveConsumerWith(length);
  }

  /**
   * Takes up to `max` messages; `deliver` gets each one's bytes. Where they are in their order they count as taken together,
   * by one store, after the last was delivered. Returns how many, EAGAIN where there is none, EIDRM.
   */
  tryTakeMany(max: number, deliver: (data: Uint8Array) => void): number {
    const words = this.#words;
    this.#enterConsumer();
    if (this.#removed) return this.#leaveConsumerWith(EIDRM);
    const taken = words.get(this.#taken);
    words.set(this.#cachedTail, words.load(this.#tail));
    const count = Math.min(this.#availableLocked(taken), max);
    const head = words.get(this.#head);
    const inOrder = head === taken && this.#bytesMax === 0 && !this.#isMixedLocked(head);
    try {
      if (inOrder) this.#takeRunLocked(head, count, deliver);
      else for (let i = 0; i < count; i++) this.#takeUrgentLocked(deliver);
    } catch (error) {
      this.#consumer.leave(1); // no memory for the copies: nobody is locked out
      throw error;
    }
    this.#consumer.leave(this.#bytesMax > 0 ? this.#bytesCredit() : count);
    return count > 0 ? count : EAGAIN;
  }

  /** The bytes of all messages, counted one by one (what a POSIX queue's file says). */
  sumBytes(): number {
    this.#enterConsumer();
    let sum = 0;
    this.#eachLive(this.#words.get(this.#head), (at) => {
      sum += this.#lengthAt(at);
      return false;
    });
    return this.#leaveConsumerWith(sum);
  }

  /**
   * Moves the messages to other slots, and publishes these by one store. A death before it leaves them where they were. The
   * caller holds the kernel lock.
   */
  moveTo(shape: Shape): void {
    const words = this.#words;
    this.#enterProducer();
    this.#enterConsumer();
    const bytes = this.#slotWords * WORD_BYTES;
    const mask = shapeCount(shape) - 1;
    const first = (shapeLine(shape) * LINE_WORDS) as Word;
    const head = words.get(this.#head);
    const count = Math.min(used(head, words.get(this.#tail)), mask + 1, this.#slotMask + 1);
    for (let i = 0; i < count; i++) {
      const at = (head + i) | 0;
      const target = field(first, (at & mask) * this.#slotWords);
      words.copyIn(offsetOf(target), words.bytes, offsetOf(this.#slot(at)), bytes);
    }
    words.store(field(this.#body, queue.SHAPE), shape); // PUBLISHES the slots → observed in #reshape()
    this.#reshape();
    this.#reread();
    this.#consumer.leave(EVERYBODY);
    this.#producer.leave(0);
  }

  /** Those who wait look again: the rules have changed, or it was removed. */
  notifyAll(): void {
    this.#producer.notify(EVERYBODY);
    this.#consumer.notify(EVERYBODY);
  }

  #enterProducer(): void {
    this.#producer.enter();
    this.#refresh();
  }

  #enterConsumer(): void {
    this.#consumer.enter();
    this.#refresh();
  }

  /** Under either lock: neither rules nor shape change until it is released. */
  #refresh(): void {
    if (this.#words.get(field(this.#body, queue.RULES)) !== this.#rules) this.#reread();
    if (this.#words.get(field(this.#body, queue.SHAPE)) !== this.#shape) this.#reshape();
  }

  #leaveProducerWith(result: number): number {
    this.#producer.leave(0);
    return result;
  }

  #leaveConsumerWith(result: number): number {
    this.#consumer.leave(0);
    return result;
  }

  /** It is full; or only its slots are, and more can be had. */
  #appendWithoutRoom(tail: number, data: Uint8Array, typeLow: number, typeHigh: number, priority: number): number {
    const words = this.#words;
    const messages = used(words.load(this.#taken), tail);
    const slotsShort = messages >= this.#room && messages < this.#depth && this.#bytesFitLocked(tail, data.length);
    const seen = this.#shape as Shape;
    this.#producer.leave(0);
    if (!slotsShort) return EAGAIN;
    const grown = this.#owner.grow(this, seen);
    return grown < 0 ? grown : this.tryAppendTyped(data, typeLow, typeHigh, priority);
  }

  #roomLocked(tail: number): number {
    const room = this.#room - used(this.#words.get(this.#cachedTaken), tail);
    if (room > 0) return room;
    const taken = this.#words.load(this.#taken);
    this.#words.set(this.#cachedTaken, taken);
    return this.#room - used(taken, tail);
  }

  #bytesFitLocked(tail: number, length: number): boolean {
    if (this.#bytesMax === 0) return true;
    const words = this.#words;
    for (;;) {
      const taken = words.load(this.#taken);
      const bytes = used(words.load(this.#takenBytes(taken)), words.get(this.#sentBytes(tail)));
      if (words.load(this.#taken) === taken) return bytes + length <= this.#bytesMax;
    }
  }

  #hasRoomFor(want: number): boolean {
    if (this.length >= this.depth) return false;
    const bytesMax = this.bytesMax;
    return bytesMax === 0 || this.lengthBytes + want - 1 <= bytesMax;
  }

  /** What senders may want, after a message was taken. */
  #bytesCredit(): number {
    return Math.max(1, this.#bytesMax - this.lengthBytes + 1);
  }

  #countSentLocked(tail: number, length: number): void {
    const words = this.#words;
    words.set(this.#sentBytes((tail + 1) | 0), (words.get(this.#sentBytes(tail)) + length) | 0);
    words.set(field(this.#body, queue.SENT_SECONDS), Math.floor(Date.now() / 1000) | 0);
    words.set(field(this.#body, queue.SENT_PID), this.#pid);
  }

  #isFirstLocked(tail: number): boolean {
    return used(this.#words.load(this.#taken), tail) === 0 && !this.#producer.hasTakersLocked();
  }

  #availableLocked(taken: number): number {
    const available = used(taken, this.#words.get(this.#cachedTail));
    if (available > 0) return available;
    const tail = this.#words.load(this.#tail);
    this.#words.set(this.#cachedTail, tail);
    return Math.min(used(taken, tail), this.#slotMask + 1);
  }

  /** Takes the message at `at`: it is copied out. */
  #takeLocked(at: number, head: number, taken: number): void {
    const words = this.#words;
    const after = (taken + 1) | 0;
    if (this.#bytesMax > 0) this.#countTakenLocked(taken, this.#lengthAt(at)); // first: a repair finds it counted
    if (at !== head) {
      words.store(this.#state(at), HOLE); // PUBLISHES that it is taken → observed in #repairLocked()
      if (used(head, after) > this.#holesMax) this.#closeHolesLocked();
    }
    words.store(this.#taken, after); // PUBLISHES the room, and in order the taking → observed in #roomLocked()
    if (at !== head) return;
    if (head === taken) words.set(this.#head, after);
    else this.#skipHolesLocked((head + 1) | 0);
  }

  #countTakenLocked(taken: number, length: number): void {
    const words = this.#words;
    words.set(this.#takenBytes((taken + 1) | 0), (words.get(this.#takenBytes(taken)) + length) | 0);
    words.set(field(this.#body, queue.TAKEN_SECONDS), Math.floor(Date.now() / 1000) | 0);
    words.set(field(this.#body, queue.TAKEN_PID), this.#pid);
  }

  #takeRunLocked(head: number, count: number, deliver: (data: Uint8Array) => void): void {
    for (let i = 0; i < count; i++) {
      const at = (head + i) | 0;
      const data = new Uint8Array(this.#lengthAt(at));
      this.#copyOut(at, data, data.length);
      deliver(data);
    }
    if (count === 0) return;
    this.#words.store(this.#taken, (head + count) | 0); // PUBLISHES the room
    this.#words.set(this.#head, (head + count) | 0);
  }

  #takeUrgentLocked(deliver: (data: Uint8Array) => void): void {
    const head = this.#words.get(this.#head);
    const at = this.#isMixedLocked(head) ? this.#urgentLocked(head) : head;
    const data = new Uint8Array(this.#lengthAt(at));
    this.#copyOut(at, data, data.length);
    deliver(data);
    this.#takeLocked(at, head, this.#words.get(this.#taken));
  }

  /** Whether the first message need not be the most urgent: priorities change somewhere behind it. */
  #isMixedLocked(head: number): boolean {
    return (
      this.#isAhead(head, this.#words.get(this.#mixedAt)) || this.#isAhead(head, this.#words.get(this.#mixedUntil))
    );
  }

  /** Whether a position lies behind the first message's: one that is further off than there are slots is from long ago. */
  #isAhead(head: number, position: number): boolean {
    const distance = used(head, position);
    return distance > 0 && distance <= this.#slotMask + 1;
  }

  /** The first message of the highest priority. */
  #urgentLocked(head: number): number {
    let found = head;
    let highest = -1;
    this.#eachLive(head, (at) => {
      const priority = this.#words.get(field(this.#slot(at), message.PRIORITY));
      if (priority > highest) {
        highest = priority;
        found = at;
      }
      return false;
    });
    return found;
  }

  #firstSelected(selector: Selector, head: number): number | undefined {
    const words = this.#words;
    let found: number | undefined;
    let bestLow = 0;
    let bestHigh = 0;
    this.#eachLive(head, (at) => {
      const low = words.get(field(this.#slot(at), message.TYPE));
      const high = words.get(field(this.#slot(at), message.TYPE + 1));
      if (!selects(selector, low, high)) return false;
      if (selector.kind !== selections.LOWEST) {
        found = at;
        return true;
      }
      if (found === undefined || isLess(low, high, bestLow, bestHigh)) {
        found = at;
        bestLow = low;
        bestHigh = high;
      }
      return false;
    });
    return found;
  }

  /** Calls `visit` for each message in order, until it returns true. */
  #eachLive(head: number, visit: (at: number) => boolean): void {
    const words = this.#words;
    const count = Math.min(used(head, words.load(this.#tail)), this.#slotMask + 1);
    for (let i = 0; i < count; i++) {
      const at = (head + i) | 0;
      if (words.load(this.#state(at)) === LIVE && visit(at)) return;
    }
  }

  /** Whether there is a message for a waiter. Under the producer lock, nothing is added meanwhile. */
  #hasFor(at: Node): boolean {
    const words = this.#words;
    const kind = words.get(field(at, node.SELECT_KIND));
    if (kind === selections.ANY) return true;
    return this.#holds({
      kind,
      low: words.get(field(at, node.SELECT)),
      high: words.get(field(at, node.SELECT + 1)),
    });
  }

  /**
   * A look without the consumer lock: a message that moves meanwhile moves towards where the look goes. Under the producer
   * lock the shape stays.
   */
  #holds(selector: Selector): boolean {
    for (;;) {
      if (this.shape !== this.#shape) this.#reshape();
      const found = this.#firstSelected(selector, this.#words.load(this.#head)) !== undefined;
      if (this.shape === this.#shape) return found;
    }
  }

  #skipHolesLocked(from: number): void {
    const words = this.#words;
    const tail = words.load(this.#tail);
    let at = from;
    while (used(at, tail) > 0 && words.get(this.#state(at)) === HOLE) at = (at + 1) | 0;
    words.store(this.#head, at);
  }

  /** Moves the messages that have holes behind them, the last first, so that all holes come to lie before them. */
  #closeHolesLocked(): void {
    const words = this.#words;
    const head = words.get(this.#head);
    let to = (words.load(this.#tail) - 1) | 0;
    if (this.#isMixedLocked(head)) words.set(this.#mixedUntil, (to + 1) | 0);
    for (let at = to; used(head, at) >= 0; at = (at - 1) | 0) {
      if (words.get(this.#state(at)) !== LIVE) continue;
      if (at !== to) this.#moveLocked(at, to);
      to = (to - 1) | 0;
    }
    words.store(this.#head, (to + 1) | 0);
  }

  #moveLocked(from: number, to: number): void {
    const words = this.#words;
    words.set(field(this.#body, queue.MOVE_FROM), from);
    words.set(field(this.#body, queue.MOVE_TO), to);
    words.store(field(this.#body, queue.MOVING), 1);
    const source = this.#slot(from);
    const target = this.#slot(to);
    for (const name of [message.LENGTH, message.SENDER, message.TYPE, message.TYPE + 1, message.PRIORITY]) {
      words.set(field(target, name), words.get(field(source, name)));
    }
    const data = offsetOf(field(source, message.DATA));
    words.copyIn(offsetOf(field(target, message.DATA)), words.bytes, data, this.#lengthAt(from));
    words.store(this.#state(to), LIVE);
    words.store(this.#state(from), HOLE);
    words.store(field(this.#body, queue.MOVING), 0);
  }

  /** Finishes what a dead receiver had begun. May itself be interrupted and run again. */
  #repairLocked(): void {
    const words = this.#words;
    this.#refresh();
    if (words.get(field(this.#body, queue.MOVING)) === 1) {
      const from = words.get(field(this.#body, queue.MOVE_FROM));
      const to = words.get(field(this.#body, queue.MOVE_TO));
      if (words.load(this.#state(to)) === LIVE) words.store(this.#state(from), HOLE);
      words.store(field(this.#body, queue.MOVING), 0);
    }
    const head = words.get(this.#head);
    const holes = this.#countHolesLocked(head);
    const inOrder = used(head, words.get(this.#taken)) - holes;
    if (inOrder < 0) this.#countHolesAsTakenLocked(head, holes);
    this.#skipHolesLocked((words.get(this.#head) + Math.max(0, inOrder)) | 0);
  }

  #countHolesLocked(head: number): number {
    const words = this.#words;
    const count = Math.min(used(head, words.load(this.#tail)), this.#slotMask + 1);
    let holes = 0;
    for (let i = 0; i < count; i++) if (words.get(this.#state((head + i) | 0)) === HOLE) holes++;
    return holes;
  }

  #countHolesAsTakenLocked(head: number, holes: number): void {
    if (holes > this.#holesMax) this.#closeHolesLocked();
    this.#words.store(this.#taken, (head + holes) | 0);
  }

  /** A damaged shape reads as one that lies inside the region. */
  #reshape(): void {
    const words = this.#words;
    const shape = words.load(field(this.#body, queue.SHAPE));
    const first = shapeLine(shape) * LINE_WORDS;
    const slots = shapeCount(shape);
    const inside = first + slots * this.#slotWords <= words.int32.length;
    this.#shape = shape;
    this.#firstSlot = (inside ? first : 0) as Word;
    this.#slotMask = inside ? slots - 1 : 0;
    this.#views = new Array(this.#slotMask + 1);
    this.#measure();
  }

  #reread(): void {
    const words = this.#words;
    this.#rules = words.load(field(this.#body, queue.RULES));
    this.#depth = words.load(field(this.#body, queue.DEPTH));
    this.#bytesMax = words.load(field(this.#body, queue.BYTES_MAX));
    this.#removed = this.removed;
    this.#measure();
  }

  #measure(): void {
    const slots = this.#slotMask + 1;
    const most = this.#bytesMax > 0 ? slots / 2 : Math.min(this.#depth, slots);
    this.#room = Math.min(this.#depth, most);
    this.#holesMax = slots - most; // whatever the rules are, for they change
  }

  #slot(position: number): Word {
    return field(this.#firstSlot, (position & this.#slotMask) * this.#slotWords);
  }

  #state(position: number): Word {
    return field(this.#slot(position), message.STATE);
  }

  #sentBytes(sent: number): Word {
    return field(this.#body, queue.SENT_BYTES + (sent & 1));
  }

  #takenBytes(taken: number): Word {
    return field(this.#body, queue.TAKEN_BYTES + (taken & 1));
  }

  /** A damaged length reads as the longest there can be, never past the slot. */
  #lengthAt(position: number): number {
    const length = this.#words.get(field(this.#slot(position), message.LENGTH));
    return Math.min(length >>> 0, this.messageBytesMax);
  }

  #fill(position: number, data: Uint8Array, typeLow: number, typeHigh: number, priority: number): void {
    const words = this.#words;
    const slot = this.#slot(position);
    words.set(field(slot, message.LENGTH), data.length);
    words.set(field(slot, message.SENDER), this.#pid);
    words.set(field(slot, message.TYPE), typeLow);
    words.set(field(slot, message.TYPE + 1), typeHigh);
    words.set(field(slot, message.PRIORITY), priority);
    words.set(field(slot, message.STATE), LIVE);
    const last = field(this.#body, queue.LAST_PRIORITY);
    if (words.get(last) !== priority) {
      words.store(this.#mixedAt, position); // before the message is published: who sees it sees this
      words.set(last, priority);
    }
    words.copyIn(offsetOf(field(slot, message.DATA)), data, 0, data.length);
  }

  #copyOut(position: number, target: Uint8Array, length: number): void {
    const words = this.#words;
    const slot = this.#slot(position);
    this.takenSender = words.get(field(slot, message.SENDER));
    this.takenPriority = words.get(field(slot, message.PRIORITY));
    this.takenTypeLow = words.get(field(slot, message.TYPE));
    this.takenTypeHigh = words.get(field(slot, message.TYPE + 1));
    const data = offsetOf(field(slot, message.DATA));
    if (length > VIEW_BYTES_MIN) this.#copyView(position & this.#slotMask, data, target, length);
    else words.copyOut(data, target, 0, length);
  }

  /** The type of the message that was taken last. */
  get takenType(): number {
    return this.takenTypeHigh * TWO_TO_32 + (this.takenTypeLow >>> 0);
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
