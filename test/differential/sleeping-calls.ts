// Draws calls that sleep, of each kind that a signal may interrupt: those that go on after a handler with SA_RESTART, and those
// that never do (signal(7)). And writes that nobody reads, for SIGPIPE.

import type { Random } from "../random.ts";
import { type Context, call, ints, type Leftovers, longs, symbolOf, text } from "./family.ts";
import * as is from "./flags.ts";
import { namedBy, type Observation, type Operation } from "./operation.ts";

const MESSAGE = 12_288;
const OPERATIONS = 13_312;
const POLLED = 14_336;
const ENDS = 15_360;
const NAME = 15_872;
const ATTRIBUTES = 16_128;
const BYTES = 24_576;
const PIPE_BYTES = 4096;
const TO_WRITE = PIPE_BYTES + 100;
const MODE = 0o666;
const NAMED = "sleepy";

const FULL = "crammed";
const PRIORITY = 1;

const kinds = [
  "read",
  "write",
  "poll",
  "open",
  "msgrcv",
  "semop",
  "semtimedop",
  "mq_timedreceive",
  "mq_timedsend",
] as const;

export class SleepingCalls {
  readonly leftovers: Leftovers;
  readonly #queueName: string;
  readonly #fullName: string;
  /** Symbols that stand for something now, and pipes that have their size. */
  readonly #there = new Set<string>();

  constructor({ prefix }: Context) {
    this.#queueName = prefix + NAMED;
    this.#fullName = prefix + FULL;
    this.leftovers = { fifos: [NAMED], queues: [this.#queueName, this.#fullName] };
  }

  /** A call that sleeps, or one that makes what it needs. */
  draw(random: Random, task: number): Operation | undefined {
    const kind = random.pick(kinds);
    if (kind === "read" || kind === "poll") return this.#read(task, kind);
    if (kind === "write") return this.#write(task);
    if (kind === "open") return this.#open(task);
    if (kind === "mq_timedreceive") return this.#receive(task);
    if (kind === "mq_timedsend") return this.#send(task);
    if (kind === "msgrcv") {
      if (!this.#there.has("queue"))
        return call(task, "msgget", [0, MODE], { result: { names: "queue", as: "queue" } });
      return call(task, "msgrcv", [{ symbol: "queue" }, { at: MESSAGE }, 64, 0, 0]);
    }
    if (!this.#there.has("set")) return call(task, "semget", [0, 1, MODE], { result: { names: "set", as: "set" } });
    const value = new Uint8Array(6);
    new DataView(value.buffer).setInt16(2, -1, true);
    const args = [{ symbol: "set" }, { at: OPERATIONS }, 1];
    return call(task, kind, kind === "semop" ? args : [...args, 0], { inputs: [{ at: OPERATIONS, value }] });
  }

  /** A pipe that loses its reader, and then writes into it. */
  drawBroken(random: Random, task: number): Operation | undefined {
    const [reader, writer] = [`reader ${task}`, `writer ${task}`];
    if (this.#there.has(reader)) return random.chance(40) ? call(task, "close", [{ symbol: reader }]) : undefined;
    if (!this.#there.has(writer)) return this.#makePipe(task, "");
    return call(task, "write", [{ symbol: writer }, { at: MESSAGE }, 4]);
  }

  /** Whether what an operation needs is there as it must be: a pipe of Linux's has another size at first. */
  admits({ name, args }: Operation): boolean {
    const symbol = name === "write" ? symbolOf(args[0]) : undefined;
    return !symbol?.startsWith("full") || this.#there.has(`size of ${symbol}`);
  }

  observe({ operation, result }: Observation): void {
    if (result === "sleeps" || result < 0) return;
    const { name, args } = operation;
    if (name === "pipe2") for (const { symbol } of operation.made ?? []) this.#there.add(symbol);
    if (name === "close") this.#there.delete(symbolOf(args[0]) ?? "");
    if (name === "fcntl") this.#there.add(`size of ${symbolOf(args[0])}`);
    if (name === "msgget") this.#there.add("queue");
    if (name === "semget") this.#there.add("set");
    if (name === "mq_open") this.#there.add(namedBy(operation) as string);
  }

  #read(task: number, kind: "read" | "poll"): Operation | undefined {
    const reader = { symbol: `reader ${task}` };
    if (!this.#there.has(reader.symbol)) return this.#makePipe(task, "");
    if (kind === "read") return call(task, "read", [reader, { at: MESSAGE }, 8]);
    const inputs = [
      { at: POLLED, value: { word: reader } },
      { at: POLLED + 4, value: ints(1) },
    ];
    return call(task, "poll", [{ at: POLLED }, 1, -1], { inputs });
  }

  /** More than the pipe holds: what was written before the signal counts. */
  #write(task: number): Operation | undefined {
    const writer = { symbol: `full writer ${task}` };
    if (!this.#there.has(writer.symbol)) return this.#makePipe(task, "full ");
    if (!this.#there.has(`size of ${writer.symbol}`)) return call(task, "fcntl", [writer, is.F_SETPIPE_SZ, PIPE_BYTES]);
    return call(task, "write", [writer, { at: BYTES }, TO_WRITE]);
  }

  #makePipe(task: number, what: string): Operation | undefined {
    const ends = ["reader", "writer"].map((end, i) => ({ at: ENDS + 4 * i, symbol: `${what}${end} ${task}` }));
    return ends.some(({ symbol }) => this.#there.has(symbol))
      ? undefined
      : call(task, "pipe2", [{ at: ENDS }, 0], { made: ends });
  }

  /** Nobody opens the other end. */
  #open(task: number): Operation {
    const inputs = [{ at: NAME, value: text(NAMED) }];
    if (!this.#there.has("fifo")) {
      this.#there.add("fifo");
      return call(task, "mknod", [{ at: NAME }, is.S_IFIFO | MODE, 0], { inputs });
    }
    return call(task, "open", [{ at: NAME }, is.O_RDONLY, 0], { inputs });
  }

  #receive(task: number): Operation {
    const symbol = `mq ${task}`;
    if (this.#there.has(symbol)) return call(task, "mq_timedreceive", [{ symbol }, { at: MESSAGE }, 64, 0, 0]);
    const inputs = [
      { at: NAME, value: text(this.#queueName) },
      { at: ATTRIBUTES, value: longs(0, 2, 64, 0, 0, 0, 0, 0) },
    ];
    const flags = is.O_CREAT | is.O_RDONLY;
    const result = { names: symbol, as: "descriptor" as const };
    return call(task, "mq_open", [{ at: NAME }, flags, MODE, { at: ATTRIBUTES }], { inputs, result });
  }

  /** Into a queue of one message, which nobody takes: the first is sent. */
  #send(task: number): Operation {
    const symbol = `full mq ${task}`;
    if (this.#there.has(symbol)) return call(task, "mq_timedsend", [{ symbol }, { at: MESSAGE }, 8, PRIORITY, 0]);
    const inputs = [
      { at: NAME, value: text(this.#fullName) },
      { at: ATTRIBUTES, value: longs(0, 1, 64, 0, 0, 0, 0, 0) },
    ];
    const result = { names: symbol, as: "descriptor" as const };
    return call(task, "mq_open", [{ at: NAME }, is.O_CREAT | is.O_WRONLY, MODE, { at: ATTRIBUTES }], {
      inputs,
      result,
    });
  }
}
