// fanga send QUEUE [MESSAGE…]

import type { QueueOptions } from "../../api/kernel-options.ts";
import type { MessageQueue } from "../../api/message-queue.ts";
import type { SendOptions } from "../../api/queue-options.ts";
import type { Arguments } from "../arguments.ts";
import type { Command, Context } from "../command.ts";
import { EXIT_OK } from "../failure.ts";
import { messagesIn, NEWLINE, NUL, wholeOf } from "../framing.ts";
import { openKernel } from "../kernels.ts";
import { addressOfNew, openObject, targetOf } from "../open-object.ts";
import { kernelOption } from "../option.ts";
import { bytesOf, modeOf, modeOption } from "../values.ts";
import { type Patience, patienceOf, patiently, waitingOptions } from "../waiting.ts";

const KINDS = ["queue", "sysv-queue"] as const;
const TYPE_MOST = Number.MAX_SAFE_INTEGER;
const PRIORITY_MOST = 32_767;
/** Options that say how a new queue is to be. */
const OF_NEW = ["depth", "message-bytes", "mode"];

export const send: Command = {
  name: "send",
  summary: "send messages to a queue, from the command line or standard input",
  notes: `
Without MESSAGE each line of standard input is a message, sent as soon as it has come. While
the queue is full, fanga waits and reads no further. Messages are bytes: any will do.`,
  options: {
    ...kernelOption,
    type: { type: "string", short: "t", value: "TYPE", description: "the messages' type, from 1, the default" },
    priority: { type: "string", short: "p", value: "N", description: "their priority, from 0, the default, to 32767" },
    null: { type: "boolean", short: "0", description: "messages end with a NUL byte, not with a line" },
    whole: { type: "boolean", description: "standard input is one message" },
    ...waitingOptions,
    create: { type: "boolean", description: "make the queue, and the kernel, where it is not there" },
    depth: { type: "string", value: "N", description: "how many messages a new queue holds; default 10" },
    "message-bytes": { type: "string", value: "BYTES", description: "the longest message of a new queue" },
    ...modeOption,
  },
  parameters: [
    { name: "QUEUE", description: "the queue", completes: { objects: KINDS } },
    { name: "MESSAGE", description: "a message, instead of standard input", optional: true, many: true },
  ],
  examples: [
    ["fanga send jobs 'resize a.png'", "one message"],
    ["find . -print0 | fanga send --null files", "each file name a message"],
    ["fanga send --whole -p 9 frames < frame.bin", "a file as one message"],
  ],

  async run(context, given) {
    const options = { type: given.number("type", { least: 1, most: TYPE_MOST }), priority: priorityOf(given) };
    const patience = patienceOf(given);
    const making = makingOf(given);
    if (given.has("null") && given.has("whole")) throw given.wrong("--null and --whole exclude each other");
    const target = targetOf(given, given.word(0), KINDS);
    const isNew = making && addressOfNew(given, given.word(0), KINDS);
    using kernel = openKernel(context, given, { create: making !== undefined });
    using queue = isNew
      ? kernel.queue({ ...making, ...isNew })
      : await openObject(kernel, target, "--create", (address) => kernel.queue(address));
    const sending = new Sending(queue, given.word(0), options, patience);
    for await (const batch of batchesOf(context, given, queue.messageBytesMax)) await sending.send(batch);
    return EXIT_OK;
  },
};

const priorityOf = (given: Arguments): number | undefined => given.number("priority", { most: PRIORITY_MOST });

function makingOf(given: Arguments): QueueOptions | undefined {
  if (given.has("create")) {
    const depth = given.number("depth", { least: 1 });
    return { create: true, depth, messageBytesMax: bytesOf(given, "message-bytes"), mode: modeOf(given) };
  }
  const odd = OF_NEW.find((name) => given.text(name) !== undefined);
  if (odd !== undefined) throw given.wrong(`--${odd} is for a new queue: type --create too`);
  return undefined;
}

/** The messages, as they come. */
async function* batchesOf({ stdin }: Context, given: Arguments, bytesMax: number): AsyncGenerator<Uint8Array[]> {
  const messages = given.words.slice(1);
  if (messages.length > 0) yield messages.map((message) => Buffer.from(message));
  else if (given.has("whole")) yield [await wholeOf(stdin, bytesMax)];
  else yield* messagesIn(stdin, given.has("null") ? NUL : NEWLINE, bytesMax);
}

class Sending {
  readonly #queue: MessageQueue;
  readonly #label: string;
  readonly #options: SendOptions;
  readonly #patience: Patience;
  #sent = 0;

  constructor(queue: MessageQueue, label: string, options: SendOptions, patience: Patience) {
    this.#queue = queue;
    this.#label = label;
    this.#options = options;
    this.#patience = patience;
  }

  /** Sends a batch in its order: at one time what there is room for, then the next when there is room again. */
  async send(batch: readonly Uint8Array[]): Promise<void> {
    for (let at = 0; at < batch.length; ) {
      const some = batch.slice(at, at + this.#queue.depth);
      const sent = this.#queue.trySendMany(some, this.#options);
      at += sent;
      this.#sent += sent;
      if (sent > 0) continue;
      const wait = this.#queue.send(batch[at] as Uint8Array, { ...this.#options, ...this.#patience });
      await patiently(
        wait,
        this.#patience,
        () => `queue "${this.#label}" is full: message ${this.#sent + 1} was not sent`,
      );
      at++;
      this.#sent++;
    }
  }
}
