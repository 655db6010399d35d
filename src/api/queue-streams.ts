// A queue as streams. Nothing is taken from it before it is asked for: a message that a stream holds in stock is lost to the others.

import { Duplex } from "node:stream";
import type { WaitOptions } from "./options.ts";
import type { QueueStreamOptions, SelectOptions, SendOptions, WebStreams } from "./queue-options.ts";

/** A queue, as far as streams need it. */
interface Streamed<Received, Sent> {
  values(options: SelectOptions & WaitOptions): AsyncGenerator<Received, void, undefined>;
  send(value: Sent, options: SendOptions & WaitOptions): Promise<void>;
}

export function webStreamsOf<Received, Sent>(
  queue: Streamed<Received, Sent>,
  { select, send }: QueueStreamOptions = {},
): WebStreams<Received, Sent> {
  const cancelling = new AbortController();
  const messages = queue.values({ ...select, signal: cancelling.signal });
  const readable = new ReadableStream<Received>(
    {
      pull: async (controller) => {
        const { value, done } = await messages.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: () => cancelling.abort(),
    },
    { highWaterMark: 0 },
  );
  const writable = new WritableStream<Sent>({
    write: (value, controller) => queue.send(value, { ...send, signal: abortOf(controller) }),
  });
  return { readable, writable };
}

/** What an abort of the stream aborts. Node has it, as the standard says; its types do not know yet. */
const abortOf = (controller: WritableStreamDefaultController): AbortSignal =>
  (controller as WritableStreamDefaultController & { readonly signal: AbortSignal }).signal;

export function nodeStreamOf<Received, Sent>(
  queue: Streamed<Received, Sent>,
  { select, send }: QueueStreamOptions = {},
): Duplex {
  const destroying = new AbortController();
  const { signal } = destroying;
  const messages = queue.values({ ...select, signal });
  return new Duplex({
    objectMode: true,
    readableHighWaterMark: 0,
    writableHighWaterMark: 1,
    read() {
      messages.next().then(
        ({ value, done }) => this.push(done ? null : value),
        (error) => this.destroy(error),
      );
    },
    write(value: Sent, _encoding, callback) {
      queue.send(value, { ...send, signal }).then(() => callback(), callback);
    },
    destroy(error, callback) {
      destroying.abort();
      callback(error);
    },
  });
}
