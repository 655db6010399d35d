// How messages are selected, sent and streamed, for queues of bytes and typed ones alike.

/** Which messages a receiver takes (msgop(2)). */
export interface SelectOptions {
  /**
   * Above 0: messages of this type alone. Below 0: the first message of the lowest type up to the absolute value. 0 or
   * absent: the first message of the highest priority.
   */
  readonly type?: number | undefined;
  /** With a type above 0: messages of any other type (MSG_EXCEPT). */
  readonly except?: boolean | undefined;
}

/** What a message is sent with (msgop(2), mq_send(3)). */
export interface SendOptions {
  /** The message's type: a whole number from 1 to 2^53 - 1; default 1. */
  readonly type?: number | undefined;
  /** From 0, the default, to 32767: messages of a higher priority are received first (mq_send(3)). */
  readonly priority?: number | undefined;
}

/** Which messages a stream of a queue reads, and with what it sends those that are written to it. */
export interface QueueStreamOptions {
  /** Of what is read: as `receive` takes it. */
  readonly select?: SelectOptions | undefined;
  /** Of what is written: as `send` takes it. */
  readonly send?: SendOptions | undefined;
}

/** Two Web Streams, as `Duplex.toWeb` of node:stream gives them. */
export interface WebStreams<Read, Written> {
  /** What comes. Cancelling it ends its wait; no message is lost. */
  readonly readable: ReadableStream<Read>;
  /** What goes. Each write waits for room in the queue; aborting it ends the wait. */
  readonly writable: WritableStream<Written>;
}
