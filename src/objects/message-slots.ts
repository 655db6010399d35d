// The slots of a message queue: blocks of one size, each a message with its length, sender, type and priority. Positions
// count on for ever, and wrap; the slot of a position is its remainder by the number of slots, a power of two.

import { message, messageStates, queue, roundUp } from "../memory/layout.ts";
import { sentAs } from "../memory/queue-steps.ts";
import { shapeCount, shapeLine } from "../memory/shape.ts";
import { field, LINE_WORDS, type Offset, offsetOf, WORD_BYTES, type Word, type Words } from "../memory/words.ts";

const TWO_TO_32 = 4294967296;

/** Shorter messages are copied byte by byte. */
const VIEW_BYTES_MIN = 24;

/** A message's type, of its halves. */
export const typeOf = (low: number, high: number): number => high * TWO_TO_32 + (low >>> 0);

/** Bytes of so many slots. */
export const slotsBytes = (slots: number, messageBytesMax: number): number =>
  slots * slotWords(messageBytesMax) * WORD_BYTES;

/** Whole lines: what a sender writes is not in one that a receiver reads. */
const slotWords = (messageBytesMax: number): number =>
  roundUp(message.DATA + Math.ceil(messageBytesMax / WORD_BYTES), LINE_WORDS);

/** What else the message was that somebody looked at last, so that taking one allocates nothing. */
export class Last {
  /** TYPE to PRIORITY of its slot. */
  readonly lanes = new BigInt64Array(2);
  readonly #words = new Int32Array(this.lanes.buffer);

  get typeLow(): number {
    return this.#words[0] as number;
  }

  get typeHigh(): number {
    return this.#words[1] as number;
  }

  get sender(): number {
    return this.#words[message.SENDER - message.TYPE] as number;
  }

  get priority(): number {
    return this.#words[message.PRIORITY - message.TYPE] as number;
  }

  get type(): number {
    return typeOf(this.typeLow, this.typeHigh);
  }
}

export class MessageSlots {
  readonly messageBytesMax: number;
  readonly stride: number;

  readonly last = new Last();

  // What SHAPE said last.
  shape = -1;
  mask = 0;
  first = 0 as Word;

  readonly #words: Words;
  readonly #body: Word;
  /** For each slot the view that was last used to copy out of it. */
  #views: (Uint8Array | undefined)[] = [];

  constructor(words: Words, body: Word) {
    this.#words = words;
    this.#body = body;
    this.messageBytesMax = Math.min(words.load(field(body, queue.MESSAGE_BYTES_MAX)) >>> 0, words.bytes.length / 2);
    this.stride = slotWords(this.messageBytesMax);
    this.reshape();
  }

  get count(): number {
    return this.mask + 1;
  }

  /** Reads where the slots are. A damaged shape reads as one that lies inside the region. */
  reshape(): void {
    const words = this.#words;
    const shape = words.load(field(this.#body, queue.SHAPE));
    const first = shapeLine(shape) * LINE_WORDS;
    const slots = shapeCount(shape);
    const inside = this.holds(shape);
    this.shape = shape;
    this.first = (inside ? first : 0) as Word;
    this.mask = inside ? slots - 1 : 0;
    this.#views = new Array(this.mask + 1);
  }

  /** Whether slots of a shape lie inside the region. */
  holds(shape: number): boolean {
    return shapeLine(shape) * LINE_WORDS + shapeCount(shape) * this.stride <= this.#words.int32.length;
  }

  /** The slot of an index. */
  of(index: number): Word {
    return field(this.first, index * this.stride);
  }

  at(position: number): Word {
    return field(this.first, (position & this.mask) * this.stride);
  }

  state(position: number): Word {
    return field(this.at(position), message.STATE);
  }

  priority(position: number): number {
    return this.#words.get(field(this.at(position), message.PRIORITY));
  }

  /** Whether the message of a position was sent. */
  isSent(position: number): boolean {
    return this.#words.load(field(this.at(position), message.SENT)) === sentAs(position);
  }

  /** PUBLISHES a message → observed by isSent(). Under the producer lock, and the message before it is sent. */
  publish(position: number): void {
    this.#words.store(field(this.at(position), message.SENT), sentAs(position));
  }

  /** Publishes a batch by one store: it is sent when its first message is. */
  publishMany(position: number, count: number): void {
    for (let i = count - 1; i > 0; i--) {
      const at = (position + i) | 0;
      this.#words.set(field(this.at(at), message.SENT), sentAs(at));
    }
    this.publish(position);
  }

  /** Who wrote the messages from a position on has died before they were sent: none of them counts as that any more. */
  forgetFrom(position: number): void {
    for (let i = 0; i < this.count; i++) {
      const at = (position + i) | 0;
      if (this.isSent(at)) this.#words.store(field(this.at(at), message.SENT), 0);
    }
  }

  /** The first position from one on whose message was not sent. */
  sentFrom(position: number): number {
    let at = position;
    for (let left = this.count; left > 0 && this.isSent(at); left--) at = (at + 1) | 0;
    return at;
  }

  /** A message's length. A damaged one reads as the longest there can be, never past the slot. */
  lengthAt(position: number): number {
    return this.lengthIn(this.at(position));
  }

  lengthIn(slot: Word): number {
    const length = this.#words.get(field(slot, message.LENGTH));
    return length >>> 0 <= this.messageBytesMax ? length : this.messageBytesMax;
  }

  /** Notes what else the message of a slot is. */
  tell(slot: Word, last: Last): void {
    this.#words.getTwoLanes(field(slot, message.TYPE), last.lanes);
  }

  /** Both. */
  look(position: number, last = this.last): number {
    const slot = this.at(position);
    this.tell(slot, last);
    return this.lengthIn(slot);
  }

  fill(position: number, data: Uint8Array, sender: number, typeLow: number, typeHigh: number, priority: number): void {
    this.describe(position, data.length, sender, typeLow, typeHigh, priority);
    this.copyIn(this.at(position), data);
  }

  /** Copies the bytes of a message whose slot is described. `lanes` are theirs, where they are known. */
  copyIn(slot: Word, data: Uint8Array, lanes?: BigInt64Array): void {
    this.#words.copyAllIn(((slot + message.DATA) * WORD_BYTES) as Offset, data, lanes);
  }

  /** The same for bytes that lie there already. */
  describe(
    position: number,
    length: number,
    sender: number,
    typeLow: number,
    typeHigh: number,
    priority: number,
  ): void {
    this.#words.setSix(this.at(position), length, messageStates.LIVE, typeLow, typeHigh, sender, priority); // LENGTH to PRIORITY
  }

  copyOut(position: number, target: Uint8Array, length: number, start = 0): void {
    this.copyOutOf(position & this.mask, target, length, start);
  }

  /** The same of the slot of an index. */
  copyOutOf(index: number, target: Uint8Array, length: number, start = 0): void {
    const data = offsetOf(field(this.of(index), message.DATA));
    if (length > VIEW_BYTES_MIN) this.#words.copyView(this.#view(index, data, length), target, start);
    else this.#words.copyOut(data, target, start, length);
  }

  /** The same from the start of a target, whose lanes may be known. */
  copyInto(index: number, target: Uint8Array, length: number, lanes: BigInt64Array | undefined): void {
    if (lanes === undefined) this.copyOutOf(index, target, length);
    else this.#words.copyOut(offsetOf(field(this.of(index), message.DATA)), target, 0, length, lanes);
  }

  /** Lends so many bytes of a slot, as they lie. */
  lend(position: number, length: number, use: (bytes: Uint8Array) => void): void {
    this.#words.lendView(
      this.#view(position & this.mask, offsetOf(field(this.at(position), message.DATA)), length),
      use,
    );
  }

  /** Copies a message from one slot to another, all but its STATE and SENT. */
  copy(from: number, to: number): void {
    const words = this.#words;
    const source = this.at(from);
    const target = this.at(to);
    for (const name of [message.LENGTH, message.SENDER, message.TYPE, message.TYPE + 1, message.PRIORITY]) {
      words.set(field(target, name), words.get(field(source, name)));
    }
    const data = offsetOf(field(source, message.DATA));
    const length = Math.min(words.get(field(source, message.LENGTH)) >>> 0, this.messageBytesMax);
    words.copyIn(offsetOf(field(target, message.DATA)), words.bytes, data, length);
  }

  /** Copies a slot whole to where its position is in slots of another shape. */
  copyTo(shape: number, position: number): void {
    const first = (shapeLine(shape) * LINE_WORDS) as Word;
    const target = field(first, (position & (shapeCount(shape) - 1)) * this.stride);
    this.#words.copyIn(offsetOf(target), this.#words.bytes, offsetOf(this.at(position)), this.stride * WORD_BYTES);
  }

  /** A queue's messages tend to be of one length: the view that served a slot last time serves again. */
  #view(index: number, data: Offset, length: number): Uint8Array {
    let view = this.#views[index];
    if (view === undefined || view.length !== length) {
      view = this.#words.view(data, length);
      this.#views[index] = view;
    }
    return view;
  }
}
