// A queue of values: a codec before a queue of bytes. The queue itself knows nothing of it, and costs no more.

import type { Duplex } from "node:stream";
import { type Codec, checkCodec, type TypedMessage } from "./codecs.ts";
import { DecodeError } from "./decode-error.ts";
import { labelOf } from "./handle.ts";
import { INSPECT, type Inspect, shown } from "./inspecting.ts";
import { iterate } from "./iteration.ts";
import { type Message, MessageQueue, type QueueToken } from "./message-queue.ts";
import type { SyncWaitOptions, WaitOptions } from "./options.ts";
import type { QueueStreamOptions, SelectOptions, SendOptions, WebStreams } from "./queue-options.ts";
import { nodeStreamOf, webStreamsOf } from "./queue-streams.ts";

/**
 * A message queue whose messages are values of a type (msgop(2), mq_overview(7)): what a codec makes bytes of, and values again.
 * `kernel.queue({ codec: json<Job>() })` makes one; `new TypedQueue(queue, codec)` puts a codec before a queue that is there. All
 * calls are those of `MessageQueue`, with its errors; what is said here is what differs.
 */
export class TypedQueue<T> implements Disposable, AsyncIterable<TypedMessage<T>> {
  /** The queue of bytes beneath: one handle, and one descriptor. */
  readonly bytes: MessageQueue;
  readonly #codec: Codec<T>;

  /**
   * Puts a codec before a queue. Closing either closes both.
   * @throws TypeError for what is no queue, or no codec
   */
  constructor(queue: MessageQueue, codec: Codec<T>) {
    if (!(queue instanceof MessageQueue)) throw new TypeError("msgget: the queue must be a MessageQueue");
    checkCodec(codec);
    this.bytes = queue;
    this.#codec = codec as Codec<T>;
  }

  /** True once closed, by `close` or by closing the kernel. */
  get closed(): boolean {
    return this.bytes.closed;
  }

  /** The descriptor in this task's table. */
  get descriptor(): number {
    return this.bytes.descriptor;
  }

  /** How many messages it holds before senders wait. */
  get depth(): number {
    return this.bytes.depth;
  }

  /** The longest message, in bytes, once it is encoded. */
  get messageBytesMax(): number {
    return this.bytes.messageBytesMax;
  }

  /** Messages sent and not yet received. */
  get length(): number {
    return this.bytes.length;
  }

  /** Opens the same queue in another task, by `kernel.openToken(token, { codec })`. */
  get token(): QueueToken {
    return this.bytes.token;
  }

  /**
   * Sends a value, waiting while the queue is full. It is encoded at once: what becomes of it afterwards changes nothing.
   * @throws TypeError where it cannot be encoded; IpcError EMSGSIZE above `messageBytesMax`, ETIMEDOUT
   */
  async send(value: T, options?: SendOptions & WaitOptions): Promise<void> {
    await this.bytes.send(this.#encode(value), options);
  }

  /** The same, asleep. @throws TypeError, IpcError EMSGSIZE, ETIMEDOUT, EINTR */
  sendSync(value: T, options?: SendOptions & SyncWaitOptions): void {
    this.bytes.sendSync(this.#encode(value), options);
  }

  /** Returns false where the queue is full. @throws TypeError, IpcError EMSGSIZE */
  trySend(value: T, options?: SendOptions): boolean {
    return this.bytes.trySend(this.#encode(value), options);
  }

  /**
   * Sends all values in their order, waiting for room as often as needed. All are encoded and checked before any is sent.
   * @throws TypeError, IpcError EMSGSIZE, ETIMEDOUT
   */
  async sendMany(values: readonly T[], options?: SendOptions & WaitOptions): Promise<void> {
    await this.bytes.sendMany(this.#encodeAll(values), options);
  }

  /** The same, asleep. @throws TypeError, IpcError EMSGSIZE, ETIMEDOUT, EINTR */
  sendManySync(values: readonly T[], options?: SendOptions & SyncWaitOptions): void {
    this.bytes.sendManySync(this.#encodeAll(values), options);
  }

  /** Sends what there is room for; returns how many, from the first. @throws TypeError, IpcError EMSGSIZE */
  trySendMany(values: readonly T[], options?: SendOptions): number {
    return this.bytes.trySendMany(this.#encodeAll(values), options);
  }

  /**
   * Receives the first message, or the first of a type, waiting for one.
   * @throws DecodeError where it cannot be decoded: it is taken; IpcError ETIMEDOUT
   */
  async receive(options?: SelectOptions & WaitOptions): Promise<TypedMessage<T>> {
    return this.#decode(await this.bytes.receive(options));
  }

  /** The same, asleep. @throws DecodeError, IpcError ETIMEDOUT, EINTR */
  receiveSync(options?: SelectOptions & SyncWaitOptions): TypedMessage<T> {
    return this.#decode(this.bytes.receiveSync(options));
  }

  /** Returns undefined where there is no such message. @throws DecodeError */
  tryReceive(options?: SelectOptions): TypedMessage<T> | undefined {
    const message = this.bytes.tryReceive(options);
    return message && this.#decode(message);
  }

  /**
   * Receives at least one and at most `max` messages, waiting for the first.
   * @throws DecodeError where some cannot be decoded: it has those, and the others; IpcError ETIMEDOUT
   */
  async receiveMany(max: number, options?: WaitOptions): Promise<TypedMessage<T>[]> {
    return this.#decodeAll(await this.bytes.receiveMany(max, options));
  }

  /** The same, asleep. @throws DecodeError, IpcError ETIMEDOUT, EINTR */
  receiveManySync(max: number, options?: SyncWaitOptions): TypedMessage<T>[] {
    return this.#decodeAll(this.bytes.receiveManySync(max, options));
  }

  /** Receives what is there, at most `max` messages. @throws DecodeError */
  tryReceiveMany(max: number): TypedMessage<T>[] {
    return this.#decodeAll(this.bytes.tryReceiveMany(max));
  }

  /**
   * Resolves when a message next comes into the empty queue, as `MessageQueue.notified` does (mq_notify(3)).
   * @throws IpcError EBUSY, ETIMEDOUT
   */
  async notified(options?: WaitOptions): Promise<void> {
    await this.bytes.notified(options);
  }

  /** Messages as they come, until the handle is closed; one that cannot be decoded ends it with a DecodeError. */
  [Symbol.asyncIterator](): AsyncGenerator<TypedMessage<T>, void, undefined> {
    return this.values();
  }

  /**
   * The same, of some messages only, with a time-out for each wait, or until an abort.
   * @throws DecodeError, IpcError ETIMEDOUT; the signal's reason
   */
  values(options?: SelectOptions & WaitOptions): AsyncGenerator<TypedMessage<T>, void, undefined> {
    return iterate(this, () => this.receive(options));
  }

  /**
   * A pair of Web Streams: one of the messages that come, one of values to send. A message is taken only when it is read. Both leave
   * the handle open; closing it ends the first.
   */
  toWeb(options?: QueueStreamOptions): WebStreams<TypedMessage<T>, T> {
    return webStreamsOf<TypedMessage<T>, T>(this, options);
  }

  /** The same as one node:stream, in object mode. Destroying it leaves the handle open. */
  toNode(options?: QueueStreamOptions): Duplex {
    return nodeStreamOf<TypedMessage<T>, T>(this, options);
  }

  /** Closes the queue beneath. Promises that still wait on it are rejected with EBADF. Closing again does nothing. */
  close(): void {
    this.bytes.close();
  }

  /** As `close`: for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** What `console.log` shows of it. @internal */
  [INSPECT](depth: number, options: object, inspect: Inspect): string {
    const facts = this.closed ? { closed: true } : { length: this.length, depth: this.depth };
    return shown(this.constructor, labelOf(this.bytes), facts, [depth, options, inspect]);
  }

  #encode(value: T): Uint8Array {
    let encoded: unknown;
    try {
      encoded = this.#codec.encode(value);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new TypeError(`msgsnd ${labelOf(this.bytes)}: the value cannot be encoded: ${why}`, { cause });
    }
    if (encoded instanceof Uint8Array) return encoded;
    throw new TypeError(`msgsnd ${labelOf(this.bytes)}: the codec's encode must return a Uint8Array`);
  }

  #encodeAll(values: readonly T[]): Uint8Array[] {
    if (!Array.isArray(values)) throw new TypeError(`msgsnd ${labelOf(this.bytes)}: the values must be an array`);
    return values.map((value) => this.#encode(value));
  }

  #decode(message: Message): TypedMessage<T> {
    const { data, sender, type, priority } = message;
    try {
      return { data: this.#codec.decode(data), sender, type, priority };
    } catch (cause) {
      throw new DecodeError(labelOf(this.bytes), [message], [], cause);
    }
  }

  /** None of a batch is lost where one of it cannot be decoded. */
  #decodeAll(messages: readonly Message[]): TypedMessage<T>[] {
    const decoded: TypedMessage<T>[] = [];
    const undecoded: Message[] = [];
    let cause: unknown;
    for (const message of messages) {
      try {
        decoded.push({ ...message, data: this.#codec.decode(message.data) });
      } catch (error) {
        if (undecoded.push(message) === 1) cause = error;
      }
    }
    const [first, ...others] = undecoded;
    if (first) throw new DecodeError(labelOf(this.bytes), [first, ...others], decoded, cause);
    return decoded;
  }
}
