// The slots of a message queue: blocks of one size, each a message with its length, sender, type and priority. Positions
// count on for ever, and wrap; the slot of a position is its remainder by the number of slots, a power of two.

import { message, queue, roundUp } from "../memory/layout.ts";
import { shapeCount, shapeLine } from "../memory/shape.ts";
import { field, LINE_WORDS, type Offset, offsetOf, WORD_BYTES, type Word, type Words } from "../memory/words.ts";

const TWO_TO_32 = 4294967296;

/** STATE of a slot. */
export const LIVE = 0;
/** Its message was taken out of order. */
export const HOLE = 1;

/** Shorter messages are copied byte by byte. */
const VIEW_BYTES_MIN = 24;

/** A message's type, of its halves. */
export const typeOf = (low: number, high: number): number => high * TWO_TO_32 + (low >>> 0);

/** Bytes of so many slots. */
export const slotsBytes = (slots: number, messageBytesMax: number): number =>
  slots * slotWords(messageBytesMax) * WORD_BYTES;

const slotWords = (messageBytesMax: number): number => message.DATA + roundUp(messageBytesMax, 8) / WORD_BYTES;

/** What else the message was that was looked at last, so that taking one allocates nothing. */
export class Last {
  /** LENGTH to STATE of its slot. */
  readonly words = new Int32Array(6);

  get sender(): number {
    return this.words[message.SENDER] as number;
  }

  get priority(): number {
    return this.words[message.PRIORITY] as number;
  }

  get typeLow(): number {
    return this.words[message.TYPE] as number;
  }

  get typeHigh(): number {
    return this.words[message.TYPE + 1] as number;
  }

  get type(): number {
    return typeOf(this.typeLow, this.typeHigh);
  }
}

export class MessageSlots {
  readonly messageBytesMax: number;
  readonly stride: number;

  readonly last = new Last();
  readonly #lastWords = this.last.words;

  // What SHAPE said last.
  shape = -1;
  mask = 0;
  #first = 0 as Word;

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
    this.#first = (inside ? first : 0) as Word;
    this.mask = inside ? slots - 1 : 0;
    this.#views = new Array(this.mask + 1);
  }

  /** Whether slots of a shape lie inside the region. */
  holds(shape: number): boolean {
    return shapeLine(shape) * LINE_WORDS + shapeCount(shape) * this.stride <= this.#words.int32.length;
  }

  at(position: number): Word {
    return field(this.#first, (position & this.mask) * this.stride);
  }

  state(position: number): Word {
    return field(this.at(position), message.STATE);
  }

  priority(position: number): number {
    return this.#words.get(field(this.at(position), message.PRIORITY));
  }

  /** Looks at a message; returns its length. A damaged one reads as the longest there can be, never past the slot. */
  look(position: number): number {
    const words = this.#lastWords;
    this.#words.getSix(field(this.#first, (position & this.mask) * this.stride), words);
    const length = words[message.LENGTH] as number;
    return length >>> 0 <= this.messageBytesMax ? length : this.messageBytesMax;
  }

  /** The length alone. A damaged one reads as the longest there can be. */
  lengthAt(position: number): number {
    const length = this.#words.get(field(this.at(position), message.LENGTH));
    return length >>> 0 <= this.messageBytesMax ? length : this.messageBytesMax;
  }

  fill(position: number, data: Uint8Array, sender: number, typeLow: number, typeHigh: number, priority: number): void {
    const words = this.#words;
    const slot = field(this.#first, (position & this.mask) * this.stride);
    words.setSix(slot, data.length, sender, typeLow, typeHigh, priority, LIVE); // LENGTH to STATE
    words.copyAllIn(((slot + message.DATA) * WORD_BYTES) as Offset, data);
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
    this.#words.setSix(this.at(position), length, sender, typeLow, typeHigh, priority, LIVE);
  }

  copyOut(position: number, target: Uint8Array, length: number, start = 0): void {
    const data = offsetOf(field(this.at(position), message.DATA));
    if (length > VIEW_BYTES_MIN) this.#words.copyView(this.#view(position & this.mask, data, length), target, start);
    else this.#words.copyOut(data, target, start, length);
  }

  /** Lends so many bytes of a slot, as they lie. */
  lend(position: number, length: number, use: (bytes: Uint8Array) => void): void {
    this.#words.lendView(
      this.#view(position & this.mask, offsetOf(field(this.at(position), message.DATA)), length),
      use,
    );
  }

  /** Copies a message from one slot to another, all but its STATE. */
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
