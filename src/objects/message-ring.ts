// A message queue: a ring of slots of one size with two locks, as a pipe is one of bytes. Senders hold the producer's
// monitor, receivers the consumer's. A message is written into the slot behind the tail, and published by storing in the slot
// that it is sent; the tail, how many were sent, then follows. It is copied out, and then taken by storing how many were taken.
// So a receiver that looks out for a message looks at the very line that it comes in, and one that takes it never at those that
// senders write. A fast send costs four atomics, a receive three and a look, and one less each where machine code counts and unlocks
// at once: memory/queue-steps.ts.
//
// Where the messages lie say message-slots.ts, which of them is next message-order.ts. A death before its slot says that it is sent
// has sent nothing; one between that and the tail is repaired by the next sender, and until then receivers look at the slots
// themselves; what one among the receivers leaves behind is repaired in message-order.ts. A batch is marked as sent from its last
// message to its first, which sends it; of one that was not, the next sender takes the marks back.
//
// The bytes of all messages are counted in pairs of words, of which the count's last bit chooses one: it is written before
// the message is sent that makes it the one that holds.
//
// Source: msgop(2), mq_overview(7), and the mission's "Message Queue".

import { E2BIG, EAGAIN, EIDRM, EIO, EMSGSIZE, ENOMSG } from "../abi/errno.ts";
import { monitor, node, powerOfTwoFrom, queue } from "../memory/layout.ts";
import { CONTENDED, EMPTY, LONG } from "../memory/queue-steps.ts";
import { headerWord } from "../memory/region.ts";
import { type Shape, shapeCount, shapeOf } from "../memory/shape.ts";
import { field, LINE_WORDS, WORD_BYTES, type Word, type Words } from "../memory/words.ts";
import { EVERYBODY, Monitor, type MonitorUser } from "../sync/monitor.ts";
import { Reservation } from "../sync/reservation.ts";
import type { Node, Selector } from "../sync/wait-list.ts";
import type { Condition } from "../sync/waiting.ts";
import type { World } from "../sync/world.ts";
import { MessageOrder } from "./message-order.ts";
import { type Last, MessageSlots } from "./message-slots.ts";
import { used } from "./positions.ts";
import { type PathOwner, QueuePath } from "./queue-path.ts";
import { selections } from "./selection.ts";

const TWO_TO_32 = 4294967296;

/** Slots of a queue whose messages are counted in bytes: it gets more as it fills. */
const SLOTS_FIRST = 16;

/** What the owner of a ring does for it in the kernel. */
export interface RingOwner extends MonitorUser, PathOwner {
  readonly world: Pick<World, "nowMs">;
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

export const slotsFor = ({ depth, bytesMax }: QueueShape): number =>
  bytesMax > 0 ? SLOTS_FIRST : powerOfTwoFrom(depth);

/**
 * A number that RULES has never had: rules that were seen and then undone, for who set them has died, must not look like
 * later ones. The caller holds the kernel lock.
 */
export function freshRules(words: Words): number {
  const given = headerWord("RULES_GIVEN");
  const rules = (words.load(given) + 1) | 0;
  words.store(given, rules);
  return rules;
}

type Deliver = (data: Uint8Array) => void;
type Allocate = (bytes: number) => Uint8Array;
/** Where received messages get bytes of their own. */
export interface MessageBytes {
  of: Allocate;
  /** Called before a short message is taken: what `copied` needs is there then, and it does not fail. */
  ready(): void;
  /** Of a short message, a copy of its bytes: of so many at the start of these lanes. */
  copied(lanes: BigInt64Array, length: number): Uint8Array;
}
/** Reads or writes a message where it lies. */
type Use = (bytes: Uint8Array) => void;
/** Where the lengths of messages are written. */
export type Lengths = Int32Array | Uint32Array;
const newBytes: Allocate = (bytes) => new Uint8Array(bytes);

export class MessageRing {
  readonly messageBytesMax: number;
  /** The body's first line. */
  readonly bodyLine: number;
  /** Of the message that was taken last by one who has brought no `Last` of its own. */
  readonly last: Last;
  /** For receivers: there is a message. */
  readonly filled: Condition;
  /** For senders: there is room; what to want says `wantFor`. */
  readonly vacant: Condition;
  /** What nobody waits for, and can be done at once; what it claims and does not do is to be told to `appendClaimed`, `takeClaimed`. */
  readonly path: QueuePath;

  readonly #words: Words;
  readonly #owner: RingOwner;
  readonly #producer: Monitor;
  readonly #consumer: Monitor;
  readonly #tail: Word;
  readonly #taken: Word;
  readonly #cachedTaken: Word;
  readonly #cachedTail: Word;
  readonly #changes: Word;
  readonly #lastPriority: Word;
  readonly #mixed: Word;
  readonly #reservedMessage: Word;
  readonly #reservedRoom: Word;
  /** For receivers that were woken, and for senders. */
  readonly #messages: Reservation;
  readonly #rooms: Reservation;
  readonly #slots: MessageSlots;
  readonly #order: MessageOrder;
  readonly #pid: number;
  readonly #body: Word;
  // What RULES, and DEPTH, BYTES_MAX, REMOVED and NOTIFY_PID with it, said last. What the fast path needs of it is there.
  #depth = 0;
  #bytesMax = 0;
  #removed = false;
  /** Removed, or its bytes count. */
  #isSpecial = false;
  /** Somebody is to be told of an arrival. */
  #isWatched = false;

  constructor(owner: RingOwner, bodyLine: number) {
    const words = owner.words;
    const body = (bodyLine * LINE_WORDS) as Word;
    this.bodyLine = bodyLine;
    this.#words = words;
    this.#owner = owner;
    this.#pid = owner.pid;
    this.#body = body;
    this.#slots = new MessageSlots(words, body);
    this.last = this.#slots.last;
    this.messageBytesMax = this.#slots.messageBytesMax;
    this.#order = new MessageOrder(words, body, this.#slots);
    this.#reservedMessage = field(body, queue.RESERVED_MESSAGE);
    this.#reservedRoom = field(body, queue.RESERVED_ROOM);
    this.#messages = new Reservation(owner, this.#reservedMessage);
    this.#rooms = new Reservation(owner, this.#reservedRoom);
    this.#producer = new Monitor(owner, field(body, queue.PRODUCER), {
      fits: (at) => this.#hasFor(at),
      waking: (at) => this.#keepMessageFor(at),
      repair: () => this.#repairSentLocked(), // what was not published never was
    });
    this.#consumer = new Monitor(owner, field(body, queue.CONSUMER), {
      waking: (at) => this.#keepRoomFor(at),
      repair: () => this.#repairLocked(),
    });
    this.path = new QueuePath(owner, body, this.#slots, this.#producer, this.#consumer);
    this.#changes = field(body, queue.RULES);
    this.#mixed = field(body, queue.MIXED);
    this.#lastPriority = field(body, queue.LAST_PRIORITY);
    this.#tail = field(body, queue.PRODUCER + monitor.POSITION);
    this.#cachedTaken = field(body, queue.PRODUCER + monitor.CACHED_OPPOSITE);
    this.#taken = field(body, queue.CONSUMER + monitor.POSITION);
    this.#cachedTail = field(body, queue.CONSUMER + monitor.CACHED_OPPOSITE);
    this.#reread();
    this.filled = {
      monitor: this.#producer,
      spin: owner.newSpin(),
      ready: () => this.#hasForUs() || this.removed,
      settled: () => this.#messages.end(),
      beforeSpin: () => owner.lastSentTo?.claimNext(),
    };
    this.vacant = {
      monitor: this.#consumer,
      spin: owner.newSpin(),
      ready: (want) => this.#hasRoomFor(want) || this.removed,
      settled: () => this.#rooms.end(),
      isPlenty: () => 4 * (this.depth - this.length) >= this.depth || this.removed,
    };
  }

  /** Writes the body of a new queue, whose slots are a block from `slotsLine` on. Nobody else can see it yet. */
  static format(words: Words, bodyLine: number, slotsLine: number, shape: QueueShape): void {
    const body = (bodyLine * LINE_WORDS) as Word;
    words.set(field(body, queue.SHAPE), shapeOf(slotsLine, slotsFor(shape)));
    words.set(field(body, queue.MESSAGE_BYTES_MAX), shape.messageBytesMax);
    words.set(field(body, queue.DEPTH), shape.depth);
    words.set(field(body, queue.BYTES_MAX), shape.bytesMax);
  }

  /** For receivers: a message that is not kept for another. */
  #hasForUs(): boolean {
    const { length } = this;
    return length > 1 || (length === 1 && !this.#messages.isForAnother());
  }

  /** How many messages were sent, also those that their sender has not counted yet, and may never: it may have died. */
  #sentCount(): number {
    for (;;) {
      if (this.shape !== this.#slots.shape) this.#reshape();
      const sent = this.#order.sent();
      if (this.shape === this.#slots.shape) return sent;
    }
  }

  /** Receivers that are particular about what they take find something else than others do. */
  #keepMessageFor(at: Node): void {
    if (this.#words.get(field(at, node.SELECT_KIND)) === selections.ANY) this.#messages.keepFor(this.#ownerOf(at));
  }

  /** Where bytes count, senders want more or less. */
  #keepRoomFor(at: Node): void {
    if (this.#bytesMax === 0) this.#rooms.keepFor(this.#ownerOf(at));
  }

  #ownerOf(at: Node): number {
    return this.#words.load(field(at, node.OWNER));
  }

  /** Messages it holds before senders wait. */
  get depth(): number {
    return this.#words.load(field(this.#body, queue.DEPTH));
  }

  /** Bytes of all messages before senders wait; 0: only `depth` counts. */
  get bytesMax(): number {
    return this.#words.load(field(this.#body, queue.BYTES_MAX));
  }

  /** Messages taken so far; it wraps at 32 bits. */
  get takenCount(): number {
    return this.#words.load(this.#taken);
  }

  /** Messages sent and not yet received. */
  get length(): number {
    const taken = this.#words.load(this.#taken);
    return used(taken, this.#sentCount());
  }

  /** Bytes of the messages sent and not yet received; only where `bytesMax` counts them. */
  get lengthBytes(): number {
    const words = this.#words;
    for (;;) {
      const taken = words.load(this.#taken);
      const sent = this.#sentCount();
      const bytes = used(words.load(this.#takenBytes(taken)), words.load(this.#sentBytes(sent)));
      if (words.load(this.#taken) === taken && this.#sentCount() === sent) return bytes;
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
  tryAppend(data: Uint8Array, type: number, priority = 0, waited = false): number {
    return this.tryAppendTyped(data, type | 0, Math.floor(type / TWO_TO_32), priority, waited);
  }

  /** The same, with the type in its halves. `waited`: there was no room for it before. */
  tryAppendTyped(data: Uint8Array, typeLow: number, typeHigh: number, priority: number, waited = false): number {
    const sent = this.path.send(data, typeLow, typeHigh, priority);
    return sent === 0 ? 0 : this.appendClaimed(sent, data, typeLow, typeHigh, priority, waited);
  }

  /** Appends a message of so many bytes, which `fill` writes where they are to lie. What it throws goes on, and nothing was sent. */
  tryAppendInPlace(length: number, fill: Use, type: number, priority: number, waited: boolean): number {
    if (length > this.messageBytesMax) return EMSGSIZE;
    const words = this.#words;
    this.#enterProducer();
    if (this.#removed) return this.#leaveProducerWith(EIDRM);
    const tail = words.get(this.#tail);
    if (this.#roomLocked(tail) <= 0 || !this.#bytesFitLocked(tail, length)) {
      const grown = this.#growFor(tail, length);
      return grown < 0 ? grown : this.tryAppendInPlace(length, fill, type, priority, waited);
    }
    if (words.get(this.#lastPriority) !== priority) this.#order.noteLocked(tail, priority);
    try {
      this.#producer.lendLocked(() => this.#slots.lend(tail, length, fill));
    } catch (error) {
      this.#producer.leave(0);
      throw error;
    }
    this.#slots.describe(tail, length, this.#pid, type | 0, Math.floor(type / TWO_TO_32), priority);
    this.#publishWithCare(tail, length, waited);
    return 0;
  }

  /**
   * Appends what there is room for of `messages` from `start`, published by one store. Returns how many, EAGAIN where there
   * is no room, EMSGSIZE where the first is too long, EIDRM.
   */
  tryAppendMany(messages: readonly Uint8Array[], start: number, type: number, priority = 0, waited = false): number {
    const first = messages[start] as Uint8Array;
    if (first.length > this.messageBytesMax) return EMSGSIZE;
    const words = this.#words;
    const typeHigh = Math.floor(type / TWO_TO_32);
    this.#enterProducer();
    const onlyOne = this.#bytesMax > 0 || this.#isWatched;
    if (onlyOne || this.#removed) {
      this.#producer.leave(0);
      return this.tryAppend(first, type, priority, waited) || 1;
    }
    const tail = words.get(this.#tail);
    this.#lookAtTakenLocked();
    const room = Math.min(this.#roomLocked(tail), messages.length - start);
    if (room > 0 && words.get(this.#lastPriority) !== priority) this.#order.noteLocked(tail, priority);
    let count = 0;
    for (; count < room; count++) {
      const data = messages[start + count] as Uint8Array;
      if (data.length > this.messageBytesMax) break;
      this.#slots.fill((tail + count) | 0, data, this.#pid, type | 0, typeHigh, priority);
    }
    if (count > 0) {
      this.#slots.publishMany(tail, count);
      words.store(this.#tail, (tail + count) | 0);
    }
    this.#producer.leave(count);
    return count > 0 ? count : EAGAIN;
  }

  /**
   * Takes the first message of the highest priority into `target`. Returns its length, EAGAIN where there is none, E2BIG
   * where it does not fit, EIDRM. `last` is told what else it was.
   */
  tryTake(target: Uint8Array, last: Last = this.last): number {
    const taken = this.path.receive(target, last);
    return taken >= 0 || taken === E2BIG ? taken : this.takeClaimed(taken, target, last);
  }

  /**
   * Takes the first message of the highest priority into bytes of its own, of its length, which `bytes` gives: those, or EAGAIN
   * where there is none, EIDRM.
   */
  tryTakeNew(bytes: MessageBytes): Uint8Array | number {
    bytes.ready();
    return this.#newOf(this.path.takeFirst(this.path.takenMax), bytes);
  }

  /** The same where there was none just now, and one comes soon. */
  tryTakeNewSoon(bytes: MessageBytes): Uint8Array | number {
    bytes.ready();
    return this.#newOf(this.path.takeSoon(this.filled.spin, this.path.takenMax), bytes);
  }

  #newOf(taken: number, bytes: MessageBytes): Uint8Array | number {
    if (taken < 0)
      return taken === LONG ? this.#takeNewAt(this.path.firstIndex(), bytes.of) : this.#newOtherwise(taken, bytes);
    this.path.tell(this.last);
    return bytes.copied(this.path.staging.lanes, taken);
  }

  #newOtherwise(claimed: number, { of }: MessageBytes): Uint8Array | number {
    return claimed === EMPTY ? EAGAIN : this.#takeNewWithCare(claimed, of);
  }

  #takeNewAt(index: number, allocate: Allocate): Uint8Array {
    const slots = this.#slots;
    const slot = slots.of(index);
    slots.tell(slot, this.last);
    const data = this.#allocated(allocate, slots.lengthIn(slot));
    this.path.expect(data.length);
    slots.copyOutOf(index, data, data.length);
    this.path.release();
    return data;
  }

  /** Nobody is locked out where there is no memory. */
  #allocated(allocate: Allocate, length: number): Uint8Array {
    try {
      return allocate(length);
    } catch (error) {
      this.#consumer.leave(1);
      throw error;
    }
  }

  #takeNewWithCare(claimed: number, allocate: Allocate): Uint8Array | number {
    if (claimed !== CONTENDED) this.#consumer.leave(0);
    let taken: Uint8Array | undefined;
    const keep: Deliver = (data) => {
      taken = data;
    };
    const result = this.tryTakeMany(1, keep, allocate);
    return taken ?? result;
  }

  /**
   * Takes the first message of the highest priority once `use` has read it where it lies. What it throws goes on, and the message
   * stays. Returns its length, EAGAIN, EIDRM.
   */
  tryTakeInPlace(use: Use, last: Last = this.last): number {
    this.#enterConsumer();
    if (this.#removed) return this.#leaveConsumerWith(EIDRM);
    const taken = this.#words.get(this.#taken);
    if (this.#availableLocked(taken) <= 0) return this.#leaveConsumerWith(EAGAIN);
    const head = this.#order.head;
    const at = this.#order.nextLocked(head);
    const length = this.#slots.look(at, last);
    try {
      this.#consumer.lendLocked(() => this.#slots.lend(at, length, use));
    } catch (error) {
      this.#consumer.leave(1);
      throw error;
    }
    this.#takeLocked(at, head, taken);
    this.#consumer.leave(this.#bytesMax > 0 ? this.#bytesCredit() : 1);
    return length;
  }

  /**
   * Takes as many messages as fit into `target`, one behind the other, and at most as many as `lengths` has places for their lengths.
   * Where they are in their order they count as taken together, by one store. Returns how many, EAGAIN where there is none, E2BIG
   * where the first does not fit, EIDRM.
   */
  tryTakeManyInto(target: Uint8Array, lengths: Lengths, last: Last = this.last): number {
    const words = this.#words;
    this.#enterConsumer();
    if (this.#removed) return this.#leaveConsumerWith(EIDRM);
    const taken = words.get(this.#taken);
    this.#lookAtTailLocked();
    const most = Math.min(this.#availableLocked(taken), lengths.length);
    if (most <= 0) return this.#leaveConsumerWith(EAGAIN);
    const inOrder = !this.#isSpecial && words.get(this.#mixed) === 0;
    const count = inOrder
      ? this.#copyRunLocked(most, target, lengths, last)
      : this.#takeUrgentInto(most, target, lengths, last);
    if (count === 0) return this.#leaveConsumerWith(E2BIG);
    if (inOrder) this.#order.takeFirstLocked(this.#order.head, count);
    this.#consumer.leave(this.#bytesMax > 0 ? this.#bytesCredit() : count);
    return count;
  }

  #copyRunLocked(most: number, target: Uint8Array, lengths: Lengths, last: Last): number {
    const head = this.#order.head;
    const slots = this.#slots;
    let filled = 0;
    let count = 0;
    for (; count < most; count++) {
      const length = slots.lengthAt((head + count) | 0);
      if (filled + length > target.length) break;
      slots.copyOut((head + count) | 0, target, length, filled);
      lengths[count] = length;
      filled += length;
    }
    if (count > 0) slots.look((head + count - 1) | 0, last); // what the last one was besides
    return count;
  }

  #takeUrgentInto(most: number, target: Uint8Array, lengths: Lengths, last: Last): number {
    let filled = 0;
    for (let i = 0; i < most; i++) {
      const head = this.#order.head;
      const at = this.#order.nextLocked(head);
      const length = this.#slots.lengthAt(at);
      if (filled + length > target.length) return i;
      this.#slots.copyOut(at, target, length, filled);
      this.#slots.look(at, last);
      this.#takeLocked(at, head, this.#words.get(this.#taken));
      lengths[i] = length;
      filled += length;
    }
    return most;
  }

  /**
   * Takes the first message that `selector` selects into `target`; `truncate` leaves out what does not fit (MSG_NOERROR).
   * Returns the bytes copied, EAGAIN, E2BIG, EIDRM. `keep` only looks: the message stays.
   */
  tryTakeSelected(selector: Selector, target: Uint8Array, truncate: boolean, keep = false): number {
    const words = this.#words;
    this.#enterConsumer();
    if (this.#removed) return this.#leaveConsumerWith(EIDRM);
    const head = this.#order.head;
    const at = this.#order.firstSelected(selector, head);
    const isKept = !keep && selector.kind === selections.ANY && this.#isKeptLocked();
    if (at === undefined || isKept) return this.#leaveConsumerWith(EAGAIN);
    const length = this.#slots.look(at);
    if (length > target.length && !truncate) return this.#leaveConsumerWith(E2BIG);
    const count = Math.min(length, target.length);
    this.#slots.copyOut(at, target, count);
    if (keep) return this.#leaveConsumerWith(count);
    this.#takeLocked(at, head, words.get(this.#taken));
    this.#consumer.leave(this.#bytesMax > 0 ? this.#bytesCredit() : 1);
    return count;
  }

  /** The only message there is waits for another receiver. */
  #isKeptLocked(): boolean {
    const words = this.#words;
    return words.get(this.#reservedMessage) !== 0 && used(words.get(this.#taken), this.#lookAtTailLocked()) <= 0;
  }

  /** Copies the message at an index, from 0, and leaves it there (MSG_COPY). ENOMSG where there are no so many, E2BIG, EIDRM. */
  tryPeek(index: number, target: Uint8Array): number {
    this.#enterConsumer();
    if (this.#removed) return this.#leaveConsumerWith(EIDRM);
    if (index < 0) return this.#leaveConsumerWith(ENOMSG);
    let left = index;
    let found: number | undefined;
    this.#order.eachLive(this.#order.head, (at) => {
      if (left-- > 0) return false;
      found = at;
      return true;
    });
    if (found === undefined) return this.#leaveConsumerWith(ENOMSG);
    const length = this.#slots.look(found);
    if (length > target.length) return this.#leaveConsumerWith(E2BIG);
    this.#slots.copyOut(found, target, length);
    return this.#leaveConsumerWith(length);
  }

  /**
   * Takes up to `max` messages; `allocate` gives the bytes for each, of its length, and `deliver` gets them. Where they are in
   * their order they count as taken together, by one store, after the last was delivered. Returns how many, EAGAIN where there
   * is none, EIDRM.
   */
  tryTakeMany(max: number, deliver: Deliver, allocate: Allocate = newBytes): number {
    const words = this.#words;
    this.#enterConsumer();
    if (this.#removed) return this.#leaveConsumerWith(EIDRM);
    const taken = words.get(this.#taken);
    this.#lookAtTailLocked();
    const count = Math.min(this.#availableLocked(taken), max);
    const head = this.#order.head;
    const inOrder = !this.#isSpecial && words.get(this.#mixed) === 0;
    try {
      if (inOrder) this.#takeRunLocked(head, count, deliver, allocate);
      else for (let i = 0; i < count; i++) this.#takeUrgentLocked(deliver, allocate);
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
    this.#order.eachLive(this.#order.head, (at) => {
      sum += this.#slots.lengthAt(at);
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
    const head = this.#order.head;
    const count = Math.min(used(head, words.get(this.#tail)), shapeCount(shape), this.#slots.count);
    for (let i = 0; i < count; i++) this.#slots.copyTo(shape, (head + i) | 0);
    words.store(this.#changes, freshRules(words)); // who enters after a death looks at SHAPE in any case
    words.store(field(this.#body, queue.SHAPE), shape); // PUBLISHES the slots → observed in #reread()
    this.#reread();
    this.#consumer.leave(EVERYBODY);
    this.#producer.leave(0);
  }

  /** Those who wait look again: the rules have changed, or it was removed. */
  notifyAll(): void {
    this.#producer.notify(EVERYBODY);
    this.#consumer.notify(EVERYBODY);
  }

  /** Locks, unless a step has: LOCKED or CONTENDED. */
  #enterProducerAfter(step: number): void {
    if (step === CONTENDED) this.#producer.enter();
    this.#refresh();
  }

  #enterConsumerAfter(step: number): void {
    if (step === CONTENDED) this.#consumer.enter();
    this.#refresh();
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
    if (this.#words.get(this.#changes) !== this.path.rules) this.#reread();
  }

  #reshape(): void {
    this.#slots.reshape();
    this.path.reshape();
    this.#measure();
  }

  #leaveProducerWith(result: number): number {
    this.#producer.leave(0);
    return result;
  }

  #leaveConsumerWith(result: number): number {
    this.#consumer.leave(0);
    return result;
  }

  /** `tryAppendTyped` where it may be full, removed, watched, or counts bytes, or another holds the lock. */
  appendClaimed(
    claimed: number,
    data: Uint8Array,
    typeLow: number,
    typeHigh: number,
    priority: number,
    waited = false,
  ): number {
    if (data.length > this.messageBytesMax) return EMSGSIZE;
    this.#enterProducerAfter(claimed);
    if (this.#removed) return this.#leaveProducerWith(EIDRM);
    const tail = this.#words.get(this.#tail);
    if (this.#roomLocked(tail) <= 0 || !this.#bytesFitLocked(tail, data.length)) {
      const grown = this.#growFor(tail, data.length);
      return grown < 0 ? grown : this.tryAppendTyped(data, typeLow, typeHigh, priority, waited);
    }
    this.#fill(tail, data, typeLow, typeHigh, priority);
    this.#publishWithCare(tail, data.length, waited);
    return 0;
  }

  #publishWithCare(tail: number, length: number, waited: boolean): void {
    if (this.#bytesMax > 0) this.#countSentLocked(tail, length);
    const tell = this.#isWatched && this.#isArrivalLocked(tail, waited);
    this.#slots.publish(tail);
    this.#words.store(this.#tail, (tail + 1) | 0);
    this.#producer.leave(1);
    if (tell) this.#owner.arrived(this);
  }

  /** `tryTake` where it may be removed, out of order, kept for another, or counts bytes, or another holds the lock. */
  takeClaimed(claimed: number, target: Uint8Array, last: Last): number {
    if (claimed === EMPTY) return EAGAIN;
    this.#enterConsumerAfter(claimed);
    if (this.#removed) return this.#leaveConsumerWith(EIDRM);
    const taken = this.#words.get(this.#taken);
    if (this.#availableLocked(taken) <= 0) return this.#leaveConsumerWith(EAGAIN);
    const head = this.#order.head;
    const at = this.#order.nextLocked(head);
    const length = this.#slots.lengthAt(at);
    if (length > target.length) return this.#leaveConsumerWith(E2BIG);
    this.#slots.copyOut(at, target, length);
    this.#slots.look(at, last);
    this.#takeLocked(at, head, taken);
    this.#consumer.leave(this.#bytesMax > 0 ? this.#bytesCredit() : 1);
    return length;
  }

  /** Unlocks. It is full, EAGAIN; or only its slots were, and there are more by now, 0; or more cannot be had. */
  #growFor(tail: number, length: number): number {
    const words = this.#words;
    const messages = used(words.load(this.#taken), tail);
    const slotsShort = messages >= this.path.room && messages < this.#depth && this.#bytesFitLocked(tail, length);
    const seen = this.#slots.shape as Shape;
    this.#producer.leave(0);
    if (!slotsShort) return EAGAIN;
    const grown = this.#owner.grow(this, seen);
    if (grown < 0) return grown;
    this.#reread();
    return this.#slots.shape === seen ? EIO : 0; // it was to be another: the region is damaged
  }

  #roomLocked(tail: number): number {
    const room = this.path.room - used(this.#words.get(this.#cachedTaken), tail);
    if (room > 0) return room;
    return this.path.room - used(this.#lookAtTakenLocked(), tail);
  }

  /** How many were taken, less one where room is kept for another: what is not seen is not used. */
  #lookAtTakenLocked(): number {
    const words = this.#words;
    const taken = words.load(this.#taken);
    const seen = words.get(this.#reservedRoom) !== 0 && this.#rooms.isForAnother() ? (taken - 1) | 0 : taken;
    words.set(this.#cachedTaken, seen);
    return seen;
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

  /** Counts what a dead sender had sent, and leaves nothing of a batch that it had not. */
  #repairSentLocked(): void {
    this.#refresh();
    const sent = this.#order.sent();
    this.#words.store(this.#tail, sent);
    this.#slots.forgetFrom(sent);
  }

  /** Under either lock, a repair comes before the rest of what is known is read anew. */
  #repairLocked(): void {
    this.#refresh();
    this.#order.repairLocked();
  }

  #fill(position: number, data: Uint8Array, typeLow: number, typeHigh: number, priority: number): void {
    if (this.#words.get(this.#lastPriority) !== priority) this.#order.noteLocked(position, priority);
    this.#slots.fill(position, data, this.#pid, typeLow, typeHigh, priority);
  }

  #hasRoomFor(want: number): boolean {
    const room = this.depth - this.length;
    if (room <= 0 || (room === 1 && this.#rooms.isForAnother())) return false;
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

  /**
   * Whether mq_notify tells of the message at the tail: it comes into the empty queue, and nobody waits for it. On Linux the
   * message of a sender that waits is in the queue as soon as there is room, so whoever had asked before that is not told.
   */
  #isArrivalLocked(tail: number, waited: boolean): boolean {
    const words = this.#words;
    if (used(words.load(this.#taken), tail) !== 0 || this.#producer.hasTakersLocked()) return false;
    return !waited || used(words.get(field(this.#body, queue.NOTIFY_FROM)), (tail + 1 - this.#depth) | 0) <= 0;
  }

  #availableLocked(taken: number): number {
    const available = used(taken, this.#words.get(this.#cachedTail));
    if (available > 0) return available;
    return Math.min(used(taken, this.#lookAtTailLocked()), this.#slots.count);
  }

  /** How many were sent, less one where a message is kept for another: what is not seen is not taken. */
  #lookAtTailLocked(): number {
    const words = this.#words;
    const tail = this.#order.sent();
    const seen = words.get(this.#reservedMessage) !== 0 && this.#messages.isForAnother() ? (tail - 1) | 0 : tail;
    words.set(this.#cachedTail, seen);
    return seen;
  }

  /** Takes the message at `at`: it is copied out. */
  #takeLocked(at: number, head: number, taken: number): void {
    if (this.#bytesMax > 0) this.#countTakenLocked(taken, this.#slots.lengthAt(at)); // first: a repair finds it counted
    this.#order.takeLocked(at, head, taken);
  }

  #countTakenLocked(taken: number, length: number): void {
    const words = this.#words;
    words.set(this.#takenBytes((taken + 1) | 0), (words.get(this.#takenBytes(taken)) + length) | 0);
    words.set(field(this.#body, queue.TAKEN_SECONDS), Math.floor(Date.now() / 1000) | 0);
    words.set(field(this.#body, queue.TAKEN_PID), this.#pid);
  }

  #takeRunLocked(head: number, count: number, deliver: Deliver, allocate: Allocate): void {
    for (let i = 0; i < count; i++) {
      const at = (head + i) | 0;
      const data = allocate(this.#slots.look(at));
      this.#slots.copyOut(at, data, data.length);
      deliver(data);
    }
    if (count > 0) this.#order.takeFirstLocked(head, count);
  }

  #takeUrgentLocked(deliver: Deliver, allocate: Allocate): void {
    const head = this.#order.head;
    const at = this.#order.nextLocked(head);
    const data = allocate(this.#slots.look(at));
    this.#slots.copyOut(at, data, data.length);
    deliver(data);
    this.#takeLocked(at, head, this.#words.get(this.#taken));
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
      if (this.shape !== this.#slots.shape) this.#reshape();
      const found = this.#order.firstSelected(selector, this.#order.seenHead()) !== undefined;
      if (this.shape === this.#slots.shape) return found;
    }
  }

  #reread(): void {
    const words = this.#words;
    const rules = words.load(this.#changes);
    this.#depth = words.load(field(this.#body, queue.DEPTH));
    this.#bytesMax = words.load(field(this.#body, queue.BYTES_MAX));
    this.#removed = this.removed;
    this.#isWatched = words.load(field(this.#body, queue.NOTIFY_PID)) !== 0;
    this.#isSpecial = this.#removed || this.#bytesMax > 0;
    this.path.allow(rules, this.#isSpecial || this.#isWatched ? -1 : this.messageBytesMax, !this.#isSpecial);
    this.#reshape();
  }

  #measure(): void {
    const slots = this.#slots.count;
    const most = this.#bytesMax > 0 ? slots / 2 : Math.min(this.#depth, slots);
    this.path.room = Math.min(this.#depth, most);
    this.#order.holesMax = slots - most; // whatever the rules are, for they change
  }

  #sentBytes(sent: number): Word {
    return field(this.#body, queue.SENT_BYTES + (sent & 1));
  }

  #takenBytes(taken: number): Word {
    return field(this.#body, queue.TAKEN_BYTES + (taken & 1));
  }
}
