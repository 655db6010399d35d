// fanga recv QUEUE

import { IpcError } from "../../api/ipc-error.ts";
import type { Kernel } from "../../api/kernel.ts";
import type { Message, MessageQueue } from "../../api/message-queue.ts";
import type { SelectOptions } from "../../api/queue-options.ts";
import type { Arguments } from "../arguments.ts";
import type { Command } from "../command.ts";
import { EXIT_OK, EXIT_SIGPIPE, Failure } from "../failure.ts";
import { NEWLINE, NUL } from "../framing.ts";
import { openKernel } from "../kernels.ts";
import { type Address, addressOf, ifThere, openObject, targetOf } from "../open-object.ts";
import { kernelOption } from "../option.ts";
import { Output } from "../output.ts";
import { type Patience, patienceOf, waitingOptions } from "../waiting.ts";

const KINDS = ["queue", "sysv-queue"] as const;
const TYPE_MOST = Number.MAX_SAFE_INTEGER;

export const recv: Command = {
  name: "recv",
  summary: "receive messages from a queue, to standard output",
  notes: `
Receives one message, waiting for it, and prints it as a line. The highest priority comes
first. A message is gone from the queue once it is received; fanga takes the next one only
when the last one is written, and takes none when nobody reads its output any more.

--timeout counts anew for each message. --follow ends with SIGINT or SIGTERM, or once the
queue has been removed: exit code 0 then.`,
  options: {
    ...kernelOption,
    follow: { type: "boolean", short: "f", description: "go on with the next message, and the next" },
    count: { type: "string", short: "c", value: "N", description: "receive so many messages" },
    type: {
      type: "string",
      short: "t",
      value: "TYPE",
      description: "messages of this type alone; --type=-N: the lowest type up to N first",
    },
    except: { type: "boolean", description: "messages of any type but that of --type" },
    raw: { type: "boolean", short: "r", description: "print nothing behind a message: its bytes alone" },
    null: { type: "boolean", short: "0", description: "print a NUL byte behind each message, not a newline" },
    long: { type: "boolean", short: "l", description: "print type, priority and sender, and a tab, before each" },
    json: { type: "boolean", description: "print each as JSON: bytes that are no UTF-8 in base64" },
    ...waitingOptions,
  },
  parameters: [{ name: "QUEUE", description: "the queue", completes: { objects: KINDS } }],
  examples: [
    ["fanga recv jobs", "the next message"],
    ["fanga recv --follow --null files | xargs -0 wc", "feed a pipeline"],
    ["fanga recv --raw frames > frame.bin", "its bytes, whatever they are"],
  ],

  async run(context, given) {
    const receiving = { selection: selectionOf(given), patience: patienceOf(given), signal: context.signal };
    const count = countOf(given);
    const format = formatOf(given);
    const target = targetOf(given, given.word(0), KINDS);
    using kernel = openKernel(context, given);
    const address = addressOf(kernel, target);
    using queue = await openObject(kernel, target, "fanga send --create", () => kernel.queue(address));
    const output = new Output(context);
    const receiver = new Receiver(kernel, queue, output, receiving, () => isLinked(kernel, queue, address));
    for (let received = 0; received < count; received++) {
      const message = await receiver.next();
      if (message === "unread") return EXIT_SIGPIPE;
      if (message === "removed" && given.has("follow")) return EXIT_OK;
      if (message === "removed") throw new Failure(`queue "${given.word(0)}" has been removed`);
      if (message === "late") throw new Failure(nothingCame(given, receiving.patience));
      await output.write(format(message));
    }
    return EXIT_OK;
  },
};

function countOf(given: Arguments): number {
  const count = given.number("count", { least: 1 });
  if (count !== undefined && given.has("follow")) throw given.wrong("--count and --follow exclude each other");
  return given.has("follow") ? Number.POSITIVE_INFINITY : (count ?? 1);
}

function selectionOf(given: Arguments): SelectOptions {
  const type = given.number("type", { least: -TYPE_MOST });
  const except = given.has("except");
  if (except && !(type !== undefined && type > 0)) throw given.wrong("--except needs a --type above 0");
  return { type, except };
}

function nothingCame(given: Arguments, { timeout }: Patience): string {
  const what = given.text("type") === undefined ? "message" : "such message";
  const queue = `queue "${given.word(0)}"`;
  return timeout ? `no ${what} came to ${queue} within ${timeout / 1000} s` : `there is no ${what} in ${queue} now`;
}

type Format = (message: Message) => Uint8Array;

function formatOf(given: Arguments): Format {
  const [one, other] = ["raw", "null", "json"].filter((name) => given.has(name));
  if (other !== undefined) throw given.wrong(`--${one} and --${other} exclude each other: type one of them`);
  if (given.has("json")) return asJson;
  const end = given.has("raw") ? "" : String.fromCharCode(given.has("null") ? NUL : NEWLINE);
  if (!given.has("long")) return ({ data }) => Buffer.concat([data, Buffer.from(end)]);
  return ({ data, type, priority, sender }) =>
    Buffer.concat([Buffer.from(`${type} ${priority} ${sender}\t`), data, Buffer.from(end)]);
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function asJson({ data, type, priority, sender }: Message): Uint8Array {
  let content: { text: string } | { base64: string };
  try {
    content = { text: utf8.decode(data) };
  } catch {
    content = { base64: Buffer.from(data).toString("base64") };
  }
  return Buffer.from(`${JSON.stringify({ type, priority, sender, ...content })}\n`);
}

/** Whether a queue's name or key still leads to it. */
function isLinked(kernel: Kernel, queue: MessageQueue, address: Address): boolean {
  const found = ifThere(() => kernel.queue(address));
  if (!found) return false;
  using now = found;
  return now.token.objectIndex === queue.token.objectIndex && now.token.generation === queue.token.generation;
}

interface Receiving {
  readonly selection: SelectOptions;
  readonly patience: Patience;
  readonly signal: AbortSignal;
}

/** Taking a queue's name away wakes nobody who waits for its messages (mq_unlink(3)): so often is looked. */
const LOOK_MS = 250;

class Receiver {
  readonly #kernel: Kernel;
  readonly #queue: MessageQueue;
  readonly #output: Output;
  readonly #receiving: Receiving;
  readonly #isLinked: () => boolean;

  constructor(kernel: Kernel, queue: MessageQueue, output: Output, receiving: Receiving, isLinked: () => boolean) {
    this.#isLinked = isLinked;
    this.#kernel = kernel;
    this.#queue = queue;
    this.#output = output;
    this.#receiving = receiving;
  }

  /** The next message; or that nobody would read it, that the queue is gone, or that the time has passed. */
  async next(): Promise<Message | "unread" | "removed" | "late"> {
    const { selection, patience, signal } = this.#receiving;
    const end = patience.timeout === undefined ? Number.POSITIVE_INFINITY : performance.now() + patience.timeout;
    try {
      for (;;) {
        signal.throwIfAborted();
        if (!this.#output.isRead()) return "unread";
        const message = this.#queue.tryReceive(selection);
        if (message) return message;
        const left = end - performance.now();
        if (left <= 0) return "late";
        const came = await this.#wait(Math.min(left, LOOK_MS));
        if (typeof came === "object") return came;
        if (!came && !this.#isLinked()) return "removed";
      }
    } catch (error) {
      if (error instanceof IpcError && error.code === "EIDRM") return "removed";
      throw error;
    }
  }

  /** Waits until there is a message, without taking it; one of a type can only be waited for by taking it. */
  async #wait(timeout: number): Promise<Message | boolean> {
    const { selection, signal } = this.#receiving;
    if (selection.type === undefined) {
      return (await this.#kernel.poll([{ handle: this.#queue, read: true }], { timeout, signal })).length > 0;
    }
    try {
      return await this.#queue.receive({ ...selection, timeout, signal });
    } catch (error) {
      if (error instanceof IpcError && error.code === "ETIMEDOUT") return false;
      throw error;
    }
  }
}
