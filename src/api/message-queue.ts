// The public handle of a message queue.

import type { Duplex } from "node:stream";
import { E2BIG, EAGAIN, EFAULT, EMSGSIZE } from "../abi/errno.ts";
import { PRIORITY_BOUND } from "../abi/limits.ts";
import { unwatchArrivals, wasTold, watchArrivals } from "../kernel/arrivals.ts";
import type { ObjectToken, Opened } from "../kernel/opening.ts";
import type { System } from "../kernel/system.ts";
import { EMPTY } from "../memory/queue-steps.ts";
import type { Lengths, MessageRing } from "../objects/message-ring.ts";
import { Last } from "../objects/message-slots.ts";
import type { QueuePath } from "../objects/queue-path.ts";
import { ANY_MESSAGE, selections, selectorOf } from "../objects/selection.ts";
import { messageBytes } from "../platforms/byte-pool.ts";
import type { Selector } from "../sync/wait-list.ts";
import { giveWayFor, spinFor } from "../sync/waiting.ts";
import { Handle } from "./handle.ts";
import { IpcError } from "./ipc-error.ts";
import { iterate } from "./iteration.ts";
import {
  checkBytes,
  checkCount,
  countdown,
  type SyncWaitOptions,
  signalOf,
  timeoutOf,
  type WaitOptions,
} from "./options.ts";
import type { QueueStreamOptions, SelectOptions, SendOptions, WebStreams } from "./queue-options.ts";
import { nodeStreamOf, webStreamsOf } from "./queue-streams.ts";

/** A received message. */
export interface Message {
  /**
   * The bytes, a copy of one's own. Their `buffer` may be larger and hold those of other messages, as a Buffer's may: mind
   * `byteOffset`, and copy with `slice()` what is to be transferred or kept for long.
   */
  readonly data: Uint8Array;
  /** The pid, in the kernel, of the task that sent it. */
  readonly sender: number;
  /** The type it was sent with, 1 where the sender named none (msgop(2)). */
  readonly type: number;
  /** The priority it was sent with, 0 where the sender named none (mq_overview(7)). */
  readonly priority: number;
}

/** Opens the same queue in another task of the kernel, by `kernel.openToken`. */
export interface QueueToken extends ObjectToken {
  /** What kind of object it leads to. */
  readonly end: "queue";
}

/**
 * Reads or writes the bytes of a message where they lie. They are not to be used once it has returned, and their `buffer`, in which the
 * whole kernel lies, is never to be transferred.
 */
export type UseBytes = (bytes: Uint8Array) => void;

const TYPE_DEFAULT = 1;

/** What every message that is sent at once resolves with. */
const SENT: Promise<void> = Promise.resolve();

/**
 * Messages in the order they were sent, each received once, between any number of senders and receivers (msgop(2),
 * mq_overview(7), the mission's "Message Queue"). Waiting calls come as `verb` (a promise), `verbSync` (blocks the thread)
 * and `tryVerb` (never waits).
 */
export class MessageQueue extends Handle implements AsyncIterable<Message> {
  readonly #ring: MessageRing;
  readonly #path: QueuePath;
  /** Of what receiveInto took last. */
  readonly #last = new Last();
  /** Where messages are copied to that a receiver was particular about, before their length is known. */
  #scratch: Uint8Array | undefined;

  /** Made by Kernel. @internal */
  constructor(system: System, opened: Opened, label: string, onClose: (handle: Handle) => void) {
    super(system, opened, label, onClose);
    this.#ring = system.messageRingAt(opened.bodyLine);
    this.#path = this.#ring.path;
  }

  /** How many messages it holds before senders wait. */
  get depth(): number {
    return this.#ring.depth;
  }

  /** The longest message, in bytes. */
  get messageBytesMax(): number {
    return this.#ring.messageBytesMax;
  }

  /** Messages sent and not yet received. */
  get length(): number {
    this.checkOpen("msgctl");
    return this.#ring.length;
  }

  /** The sender's pid of what `receiveInto` took last through this handle. */
  get lastSender(): number {
    return this.#last.sender;
  }

  /** The type of what `receiveInto` took last through this handle. */
  get lastType(): number {
    return this.#last.type;
  }

  /** Opens the same object in another task, by `kernel.openToken`: plain data, to be posted, sent or written as JSON. */
  get token(): QueueToken {
    return { ...this.objectToken, end: "queue" };
  }

  /**
   * Sends a copy of `data`, waiting while the queue is full.
   * @throws IpcError EMSGSIZE above `messageBytesMax`, ETIMEDOUT
   */
  send(data: Uint8Array, options?: SendOptions & WaitOptions): Promise<void> {
    // The fast half: what can be sent at once makes no promise of its own. Whatever is wrong, or has to wait, the other half tells.
    if (options === undefined && !this.closed && data instanceof Uint8Array) {
      if (this.#sendsAtOnce(data)) return this.atEnd(this.system.awaits.turn ?? SENT);
    }
    return this.#send(data, options);
  }

  /** The same where there is room soon, on another CPU. */
  #sendsAtOnce(data: Uint8Array): boolean {
    const ring = this.#ring;
    const result = this.#sendNow(data);
    if (result !== EAGAIN || !spinFor(ring.vacant, ring.wantFor(data.length))) return result === 0;
    return ring.tryAppendTyped(data, TYPE_DEFAULT, 0, 0, true) === 0;
  }

  #sendNow(data: Uint8Array): number {
    const sent = this.#path.send(data, TYPE_DEFAULT, 0, 0);
    return sent === 0 ? 0 : this.#ring.appendClaimed(sent, data, TYPE_DEFAULT, 0, 0);
  }

  async #send(data: Uint8Array, options: (SendOptions & WaitOptions) | undefined): Promise<void> {
    const type = this.#checkMessage(data, options);
    const priority = options?.priority ?? 0;
    const { length } = data;
    let waited = false;
    const attempt = (): number => {
      const result = data.length === length ? this.#ring.tryAppend(data, type, priority, waited) : EFAULT;
      waited = true;
      return result;
    };
    await this.finish("msgsnd", this.#ring.vacant, this.#ring.wantFor(length), attempt, options);
  }

  /** The same, asleep. @throws IpcError EMSGSIZE, ETIMEDOUT, EINTR where another task interrupted it */
  sendSync(data: Uint8Array, options?: SendOptions & SyncWaitOptions): void {
    if (options === undefined && !this.closed && (this.#path.sources.knows(data) || data instanceof Uint8Array)) {
      const sent = this.#path.send(data, TYPE_DEFAULT, 0, 0);
      if (sent === 0 || this.#ring.appendClaimed(sent, data, TYPE_DEFAULT, 0, 0) === 0) this.deliverAtEnd();
      else this.#sendSync(data, options, true);
    } else this.#sendSync(data, options, false);
  }

  /** `tried`: there was no room, or something is wrong. */
  #sendSync(data: Uint8Array, options: (SendOptions & SyncWaitOptions) | undefined, tried: boolean): void {
    const type = this.#checkMessage(data, options);
    const priority = options?.priority ?? 0;
    let waited = tried;
    const attempt = (): number => {
      const result = this.#ring.tryAppend(data, type, priority, waited);
      waited = true;
      return result;
    };
    this.finishSync("msgsnd", this.#ring.vacant, this.#ring.wantFor(data.length), attempt, options);
  }

  /** Returns false where the queue is full. @throws IpcError EMSGSIZE */
  trySend(data: Uint8Array, options?: SendOptions): boolean {
    const type = this.#checkMessage(data, options);
    const result = this.atEnd(this.#ring.tryAppend(data, type, options === undefined ? 0 : (options.priority ?? 0)));
    if (result === EAGAIN) return false;
    this.checked("msgsnd", result);
    return true;
  }

  /**
   * Receives the first message, waiting for one.
   * @throws IpcError ETIMEDOUT
   */
  receive(options?: SelectOptions & WaitOptions): Promise<Message> {
    const message = options === undefined ? this.#takeFirstOrSoon() : undefined;
    if (message === undefined) return this.#receive(options);
    this.deliverAtEnd();
    const { turn } = this.system.awaits;
    return turn === undefined ? Promise.resolve(message) : turn.then(() => message);
  }

  async #receive(options: (SelectOptions & WaitOptions) | undefined): Promise<Message> {
    const selector = this.#checkSelection(options);
    const taken: Message[] = [];
    const attempt = (): number => this.#takeOne(selector, taken);
    await this.finish("msgrcv", this.#ring.selected(selector), 1, attempt, options);
    return taken[0] as Message;
  }

  /** The same, asleep. @throws IpcError ETIMEDOUT, EINTR where another task interrupted it */
  receiveSync(options?: SelectOptions & SyncWaitOptions): Message {
    const message = options === undefined ? this.#tryTakeFirst() : undefined;
    return message === undefined ? this.#receiveSync(options) : this.atEnd(message);
  }

  #receiveSync(options: (SelectOptions & SyncWaitOptions) | undefined): Message {
    const selector = this.#checkSelection(options);
    const taken: Message[] = [];
    const attempt = (): number => this.#takeOne(selector, taken);
    this.finishSync("msgrcv", this.#ring.selected(selector), 1, attempt, options);
    return taken[0] as Message;
  }

  /** Returns undefined where there is no such message. */
  tryReceive(options?: SelectOptions): Message | undefined {
    const message = options === undefined ? this.#tryTakeFirst() : undefined;
    return this.atEnd(message ?? this.#tryReceive(options));
  }

  #tryReceive(options: SelectOptions | undefined): Message | undefined {
    const selector = this.#checkSelection(options);
    const taken: Message[] = [];
    const result = this.#takeOne(selector, taken);
    if (result !== EAGAIN) this.checked("msgrcv", result);
    return taken[0];
  }

  /**
   * Resolves when a message next comes into the empty queue while nobody waits to receive one (mq_notify(3)): once, for the
   * one task that asked.
   * @throws IpcError EBUSY where another wait, or another task, is to be told already; ETIMEDOUT
   */
  async notified(options?: WaitOptions): Promise<void> {
    this.checkOpen("mq_notify");
    timeoutOf(options, "mq_notify", this.label);
    const signal = signalOf(options, "mq_notify", this.label);
    signal?.throwIfAborted();
    const watch = watchArrivals(this.system, this.#ring);
    this.checked("mq_notify", watch);
    const { monitor, spin } = this.#ring.filled;
    const told = (): boolean => wasTold(this.system, this.#ring, watch);
    const attempt = (): number => (told() ? 0 : EAGAIN);
    try {
      await this.finish("mq_notify", { monitor, spin, ready: told }, 0, attempt, options);
    } finally {
      // Closing has ended the registration, and the queue's memory may be another's by now.
      if (!this.closed) unwatchArrivals(this.system, this.#ring, watch);
    }
  }

  /**
   * Receives the first message into the caller's buffer; no message is allocated, and by the other two forms nothing at all
   * while messages are of one length. Returns its length in bytes; `lastSender` and `lastType` tell the rest.
   * @throws IpcError E2BIG where the buffer is too short (the message stays), ETIMEDOUT
   */
  receiveInto(buffer: Uint8Array, options?: WaitOptions): Promise<number> {
    if (options === undefined && !this.closed && buffer instanceof Uint8Array) {
      const length = this.atEnd(this.#take(buffer));
      if (length >= 0) return this.system.awaits.turn?.then(() => length) ?? Promise.resolve(length);
    }
    return this.#receiveInto(buffer, options);
  }

  async #receiveInto(buffer: Uint8Array, options: WaitOptions | undefined): Promise<number> {
    this.#checkBuffer(buffer);
    const { length } = buffer;
    const attempt = (): number => (buffer.length === length ? this.#take(buffer) : EFAULT);
    return this.finish("msgrcv", this.#ring.filled, 1, attempt, options);
  }

  /** The same, asleep. @throws IpcError E2BIG, ETIMEDOUT, EINTR where another task interrupted it */
  receiveIntoSync(buffer: Uint8Array, options?: SyncWaitOptions): number {
    if (options !== undefined || this.closed || !(this.#path.targets.knows(buffer) || buffer instanceof Uint8Array)) {
      return this.#receiveIntoSync(buffer, options, false);
    }
    const path = this.#path;
    const length = path.isQuiet ? EMPTY : path.receive(buffer, this.#last);
    if (length < 0) return this.#receiveIntoSoon(length, buffer);
    this.deliverAtEnd();
    return length;
  }

  /** The same where there was none just now, or something is in the way. */
  #receiveIntoSoon(found: number, buffer: Uint8Array): number {
    const { filled } = this.#ring;
    const path = this.#path;
    let result = found;
    if (found === EMPTY) {
      result = path.receiveAs(path.takeSoon(filled.spin, path.mostFor(buffer)), buffer, this.#last);
      if (result >= 0) return this.atEnd(result);
    }
    result = this.#takeOtherwise(result, buffer);
    if (result === EAGAIN && giveWayFor(filled, 1)) result = this.#take(buffer);
    return result >= 0 ? this.atEnd(result) : this.#receiveIntoSync(buffer, undefined, true);
  }

  #receiveIntoSync(buffer: Uint8Array, options: SyncWaitOptions | undefined, hasSpun: boolean): number {
    this.#checkBuffer(buffer);
    return this.finishSync("msgrcv", this.#ring.filled, 1, () => this.#take(buffer), options, hasSpun);
  }

  /** Returns -1 where the queue is empty. @throws IpcError E2BIG */
  tryReceiveInto(buffer: Uint8Array): number {
    this.#checkBuffer(buffer);
    const result = this.atEnd(this.#take(buffer));
    return result === EAGAIN ? -1 : this.checked("msgrcv", result);
  }

  /**
   * Sends a message of so many bytes that `write` writes where it is to lie, so that nothing is copied. `write` runs while the queue's
   * other senders wait, and is given bytes of the kernel's memory, whose contents do not matter: they are to be written at once, and
   * not to be used once it has returned. Where it throws nothing was sent. It may be called on a later try, and then again.
   * @throws IpcError EMSGSIZE above `messageBytesMax`, ETIMEDOUT; TypeError where `write` uses this queue itself
   */
  async sendInPlace(length: number, write: UseBytes, options?: SendOptions & WaitOptions): Promise<void> {
    const attempt = this.#attemptInPlace(length, write, options);
    await this.finish("msgsnd", this.#ring.vacant, this.#ring.wantFor(length), attempt, options);
  }

  /** The same, asleep. @throws IpcError as `sendInPlace`, and EINTR */
  sendInPlaceSync(length: number, write: UseBytes, options?: SendOptions & SyncWaitOptions): void {
    const attempt = this.#attemptInPlace(length, write, options);
    this.finishSync("msgsnd", this.#ring.vacant, this.#ring.wantFor(length), attempt, options);
  }

  /** Returns false where the queue is full: `write` has not been called then. */
  trySendInPlace(length: number, write: UseBytes, options?: SendOptions): boolean {
    const result = this.atEnd(this.#attemptInPlace(length, write, options)());
    if (result === EAGAIN) return false;
    this.checked("msgsnd", result);
    return true;
  }

  /**
   * Receives the first message into `read`, which is given its bytes where they lie, so that nothing is copied. `read` runs while the
   * queue's other receivers wait; the bytes are the kernel's, and not to be used once it has returned, nor to be written. Where it
   * throws the message stays. Returns the length; `lastSender` and `lastType` tell the rest, in `read` too.
   * @throws IpcError ETIMEDOUT; TypeError where `read` uses this queue itself
   */
  async receiveInPlace(read: UseBytes, options?: WaitOptions): Promise<number> {
    this.#checkUse(read, "msgrcv");
    return this.finish("msgrcv", this.#ring.filled, 1, () => this.#takeInPlace(read), options);
  }

  /** The same, asleep. @throws IpcError ETIMEDOUT, EINTR */
  receiveInPlaceSync(read: UseBytes, options?: SyncWaitOptions): number {
    this.#checkUse(read, "msgrcv");
    return this.finishSync("msgrcv", this.#ring.filled, 1, () => this.#takeInPlace(read), options);
  }

  /** Returns -1 where the queue is empty: `read` has not been called then. */
  tryReceiveInPlace(read: UseBytes): number {
    this.#checkUse(read, "msgrcv");
    const result = this.atEnd(this.#takeInPlace(read));
    return result === EAGAIN ? -1 : this.checked("msgrcv", result);
  }

  /**
   * Receives at least one message, waiting for the first, and as many more as are there and fit: one behind the other into `buffer`,
   * and the length of each in bytes into `lengths`, whose own length bounds how many. Returns how many; `lastSender` and `lastType`
   * tell of the last. Nothing is allocated for a message.
   * @throws IpcError E2BIG where the buffer is too short for the first (it stays), ETIMEDOUT
   */
  async receiveManyInto(buffer: Uint8Array, lengths: Lengths, options?: WaitOptions): Promise<number> {
    this.#checkManyInto(buffer, lengths);
    const { length } = buffer;
    const attempt = (): number => (buffer.length === length ? this.#takeManyInto(buffer, lengths) : EFAULT);
    return this.finish("msgrcv", this.#ring.filled, 1, attempt, options);
  }

  /** The same, asleep. @throws IpcError E2BIG, ETIMEDOUT, EINTR */
  receiveManyIntoSync(buffer: Uint8Array, lengths: Lengths, options?: SyncWaitOptions): number {
    this.#checkManyInto(buffer, lengths);
    if (options !== undefined) timeoutOf(options, "msgrcv", this.label);
    const result = this.#takeManyInto(buffer, lengths);
    if (result >= 0) return this.atEnd(result);
    return this.finishSync("msgrcv", this.#ring.filled, 1, () => this.#takeManyInto(buffer, lengths), options);
  }

  /** Returns 0 where the queue is empty. */
  tryReceiveManyInto(buffer: Uint8Array, lengths: Lengths): number {
    this.#checkManyInto(buffer, lengths);
    const result = this.atEnd(this.#takeManyInto(buffer, lengths));
    return result === EAGAIN ? 0 : this.checked("msgrcv", result);
  }

  /**
   * Sends all messages in their order, waiting for room as often as needed. Those that fit at one time are published by one
   * store. With a time-out, or an abort, the first of them may have been sent; all are checked before any is.
   * @throws IpcError EMSGSIZE, ETIMEDOUT
   */
  async sendMany(messages: readonly Uint8Array[], options?: SendOptions & WaitOptions): Promise<void> {
    const type = this.#checkMessages(messages, options);
    const all = [...messages]; // the caller may change its array while this waits
    const lengths = all.map(({ length }) => length);
    const areWhole = (from: number): boolean => all.every(({ length }, i) => i < from || length === lengths[i]);
    timeoutOf(options, "msgsnd", this.label);
    signalOf(options, "msgsnd", this.label)?.throwIfAborted();
    const left = countdown(options);
    for (let sent = 0; sent < all.length; ) {
      let waited = false;
      const attempt = (): number => {
        const result = areWhole(sent) ? this.#ring.tryAppendMany(all, sent, type, options?.priority, waited) : EFAULT;
        waited = true;
        return result;
      };
      sent += await this.finish("msgsnd", this.#ring.vacant, this.#wantFor(all[sent]), attempt, left());
    }
  }

  /** The same, asleep. @throws IpcError EMSGSIZE, ETIMEDOUT, EINTR where another task interrupted it */
  sendManySync(messages: readonly Uint8Array[], options?: SendOptions & SyncWaitOptions): void {
    const type = this.#checkMessages(messages, options);
    timeoutOf(options, "msgsnd", this.label);
    const left = countdown(options);
    for (let sent = 0; sent < messages.length; ) {
      let waited = false;
      const attempt = (): number => {
        const result = this.#ring.tryAppendMany(messages, sent, type, options?.priority, waited);
        waited = true;
        return result;
      };
      sent += this.finishSync("msgsnd", this.#ring.vacant, this.#wantFor(messages[sent]), attempt, left());
    }
  }

  /** Sends what there is room for; returns how many, from the first. @throws IpcError EMSGSIZE */
  trySendMany(messages: readonly Uint8Array[], options?: SendOptions): number {
    const type = this.#checkMessages(messages, options);
    if (messages.length === 0) return 0;
    const result = this.atEnd(this.#ring.tryAppendMany(messages, 0, type, options?.priority));
    return result === EAGAIN ? 0 : this.checked("msgsnd", result);
  }

  /** Receives at least one and at most `max` messages, waiting for the first. @throws IpcError ETIMEDOUT */
  async receiveMany(max: number, options?: WaitOptions): Promise<Message[]> {
    this.#checkMax(max);
    const taken: Message[] = [];
    await this.finish("msgrcv", this.#ring.filled, 1, () => this.#takeMany(max, taken), options);
    return taken;
  }

  /** The same, asleep. @throws IpcError ETIMEDOUT, EINTR where another task interrupted it */
  receiveManySync(max: number, options?: SyncWaitOptions): Message[] {
    this.#checkMax(max);
    const taken: Message[] = [];
    this.finishSync("msgrcv", this.#ring.filled, 1, () => this.#takeMany(max, taken), options);
    return taken;
  }

  /** Receives what is there, at most `max` messages. */
  tryReceiveMany(max: number): Message[] {
    this.#checkMax(max);
    const taken: Message[] = [];
    this.atEnd(this.#takeMany(max, taken));
    return taken;
  }

  /** Messages as they come, until the handle is closed. */
  [Symbol.asyncIterator](): AsyncGenerator<Message, void, undefined> {
    return this.values();
  }

  /**
   * The same, of some messages only, with a time-out for each wait, or until an abort.
   * @throws IpcError ETIMEDOUT; the signal's reason
   */
  values(options?: SelectOptions & WaitOptions): AsyncGenerator<Message, void, undefined> {
    return iterate(this, () => this.receive(options));
  }

  /**
   * A pair of Web Streams: one of the messages that come, one of bytes to send. A message is taken only when it is read. Both leave
   * the handle open; closing it ends the first.
   */
  toWeb(options?: QueueStreamOptions): WebStreams<Message, Uint8Array> {
    return webStreamsOf<Message, Uint8Array>(this, options);
  }

  /** The same as one node:stream, in object mode. Destroying it leaves the handle open. */
  toNode(options?: QueueStreamOptions): Duplex {
    return nodeStreamOf<Message, Uint8Array>(this, options);
  }

  protected override get facts(): object {
    const { length, depth, messageBytesMax } = this;
    return { length, depth, messageBytesMax };
  }

  /** What a batch waits for: room for the first message that is left, as the try after the wait finds it. */
  #wantFor(first: Uint8Array | undefined): number {
    return this.#ring.wantFor(first?.length ?? 0);
  }

  /** The first message, where that is there at once and nothing is wrong. */
  #tryTakeFirst(): Message | undefined {
    return this.closed ? undefined : this.#messageOf(this.#ring.tryTakeNew(messageBytes));
  }

  #takeFirstOrSoon(): Message | undefined {
    const first = this.#path.isQuiet ? undefined : this.#tryTakeFirst();
    return first ?? this.#takeFirstSoon();
  }

  /** The same where it comes soon, from another CPU. */
  #takeFirstSoon(): Message | undefined {
    if (this.closed) return undefined;
    const ring = this.#ring;
    const taken = ring.tryTakeNewSoon(messageBytes);
    return taken === EAGAIN && giveWayFor(ring.filled, 1) ? this.#tryTakeFirst() : this.#messageOf(taken);
  }

  #messageOf(data: Uint8Array | number): Message | undefined {
    if (typeof data === "number") return undefined;
    const { last } = this.#ring;
    return { data, sender: last.sender, type: last.type, priority: last.priority };
  }

  #take(buffer: Uint8Array): number {
    const length = this.#path.receive(buffer, this.#last);
    return length >= 0 ? length : this.#takeOtherwise(length, buffer);
  }

  #takeOtherwise(found: number, buffer: Uint8Array): number {
    return found === E2BIG ? E2BIG : this.#ring.takeClaimed(found, buffer, this.#last);
  }

  #takeManyInto(buffer: Uint8Array, lengths: Lengths): number {
    return this.#ring.tryTakeManyInto(buffer, lengths, this.#last);
  }

  #takeInPlace(read: UseBytes): number {
    return this.#ring.tryTakeInPlace(read, this.#last);
  }

  #attemptInPlace(length: number, write: UseBytes, options: SendOptions | undefined): () => number {
    this.#checkUse(write, "msgsnd");
    checkCount(length, "length", 0, 0x7fffffff, "msgsnd");
    if (length > this.#ring.messageBytesMax) throw this.#tooLong(length);
    const type = this.#checkSendOptions(options);
    let waited = false;
    return () => {
      const result = this.#ring.tryAppendInPlace(length, write, type, options?.priority ?? 0, waited);
      waited = true;
      return result;
    };
  }

  #takeMany(max: number, into: Message[]): number {
    const ring = this.#ring;
    return ring.tryTakeMany(
      max,
      (data) => {
        into.push({ data, sender: ring.last.sender, type: ring.last.type, priority: ring.last.priority });
      },
      messageBytes.of,
    );
  }

  #takeOne(selector: Selector, into: Message[]): number {
    const ring = this.#ring;
    if (selector.kind === selections.ANY) return this.#takeMany(1, into);
    this.#scratch ??= new Uint8Array(ring.messageBytesMax);
    const result = ring.tryTakeSelected(selector, this.#scratch, false);
    if (result < 0) return result;
    const { sender, type, priority } = ring.last;
    const data = messageBytes.of(result);
    data.set(this.#scratch.subarray(0, result));
    into.push({ data, sender, type, priority });
    return 1;
  }

  #checkSelection(options: SelectOptions | undefined): Selector {
    this.checkOpen("msgrcv");
    const type = options?.type;
    if (type === undefined) return ANY_MESSAGE;
    checkCount(type, "type", -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, "msgrcv");
    return selectorOf(BigInt(type), options?.except === true);
  }

  #checkMessage(data: Uint8Array, options: SendOptions | undefined): number {
    this.checkOpen("msgsnd");
    checkBytes(data, "msgsnd", this.label);
    if (data.length > this.#ring.messageBytesMax) throw this.#tooLong(data.length);
    return this.#checkSendOptions(options);
  }

  #checkSendOptions(options: SendOptions | undefined): number {
    if (options === undefined) return TYPE_DEFAULT;
    const { type, priority } = options;
    if (priority !== undefined) checkCount(priority, "priority", 0, PRIORITY_BOUND - 1, "msgsnd");
    if (type === undefined) return TYPE_DEFAULT;
    checkCount(type, "type", 1, Number.MAX_SAFE_INTEGER, "msgsnd");
    return type;
  }

  #checkMessages(messages: readonly Uint8Array[], options: SendOptions | undefined): number {
    if (!Array.isArray(messages)) throw new TypeError(`msgsnd ${this.label}: the messages must be an array`);
    let type = TYPE_DEFAULT;
    for (const data of messages) type = this.#checkMessage(data, options);
    return type;
  }

  #checkBuffer(buffer: Uint8Array): void {
    this.checkOpen("msgrcv");
    checkBytes(buffer, "msgrcv", this.label);
  }

  #checkMax(max: number): void {
    this.checkOpen("msgrcv");
    checkCount(max, "max", 1, 0x7fffffff, "msgrcv");
  }

  #checkUse(use: UseBytes, syscall: string): void {
    this.checkOpen(syscall);
    if (typeof use !== "function")
      throw new TypeError(`${syscall} ${this.label}: what uses the bytes must be a function`);
  }

  #checkManyInto(buffer: Uint8Array, lengths: Lengths): void {
    this.#checkBuffer(buffer);
    if ((lengths instanceof Int32Array || lengths instanceof Uint32Array) && lengths.length > 0) return;
    throw new TypeError(
      `msgrcv ${this.label}: the lengths must be an Int32Array or Uint32Array with at least one place`,
    );
  }

  #tooLong(bytes: number): IpcError {
    const limit = this.#ring.messageBytesMax;
    const remedy = `a message has at most ${limit} bytes, this one has ${bytes}; split it, or create the kernel and the queue with a larger messageBytesMax`;
    return new IpcError(EMSGSIZE, "msgsnd", this.label, remedy);
  }
}
