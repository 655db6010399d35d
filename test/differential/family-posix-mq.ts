// POSIX message queues: mq_open, mq_timedsend, mq_timedreceive, mq_notify, mq_getsetattr, mq_unlink, close.

import { type Context, call, type Drawing, type Family, idleTasks, ints, longs, text } from "./family.ts";
import type { Operand, Operation } from "./operation.ts";
import type { Random } from "./random.ts";
import type { Observation, Sequence } from "./sequence.ts";

const BUFFER = 4096;
const NAME = 512;
const ATTRIBUTES = 1024;
const OLD_ATTRIBUTES = 1152;
const TIME = 1280;
const EVENT = 1408;
const O_WRONLY = 1;
const O_RDWR = 2;
const O_CREAT = 0o100;
const O_EXCL = 0o200;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const SIGEV_NONE = 1;

interface Open {
  readonly task: number;
  readonly symbol: string;
  readonly name: string;
}

class PosixMq implements Drawing {
  readonly #tasks: number;
  readonly #names: readonly string[];
  #open: Open[] = [];
  #made = 0;

  constructor(context: Context) {
    this.#tasks = context.tasks;
    this.#names = ["a", "b", "c"].map((name) => `fangaos-differential-${context.run}-${name}`);
  }

  draw(random: Random, sequence: Sequence): Operation | undefined {
    const idle = idleTasks(sequence, this.#tasks);
    const interrupt = (): Operation =>
      call(0, "interrupt", [random.pick([...sequence.sleeping.keys()])], { result: "ignored" });
    if (idle.length === 0) return interrupt();
    const task = random.pick(idle);
    const kind = random.weighted([
      [this.#open.length < 4 ? 30 : 6, "open"],
      [40, "send"],
      [40, "receive"],
      [10, "attributes"],
      [6, "notify"],
      [4, "unlink"],
      [4, "close"],
      [2, "file"],
      [sequence.sleeping.size > 0 ? 4 : 0, "interrupt"],
    ] as const);
    if (kind === "interrupt") return interrupt();
    if (kind === "open") return this.#openOne(random, task);
    if (kind === "unlink") return this.#unlink(random, task);
    const descriptor = this.#descriptor(random, task);
    if (kind === "send") return this.#send(random, task, descriptor, sequence, idle.length > 1);
    if (kind === "receive") return this.#receive(random, task, descriptor, idle.length > 1);
    if (kind === "attributes") return this.#attributes(random, task, descriptor);
    if (kind === "notify") return this.#notify(random, task, descriptor);
    if (kind === "file") return call(task, "write", [descriptor, { at: BUFFER }, random.below(3)]);
    return call(task, "close", [descriptor]);
  }

  observe({ operation, result }: Observation): void {
    if (result === "sleeps" || result < 0) return;
    if (operation.name === "mq_open" && typeof operation.result === "object") {
      const name = Buffer.from(operation.writes?.[0]?.bytes ?? []).toString("latin1");
      this.#open.push({ task: operation.task, symbol: operation.result.symbol, name });
    }
    if (operation.name === "close") {
      const gone = operation.args[0] as { symbol: string };
      this.#open = this.#open.filter(({ symbol }) => symbol !== gone.symbol);
    }
  }

  cleanUp(): Operation[] {
    return [
      ...this.#open.map(({ task, symbol }) => call(task, "close", [{ symbol }])),
      ...this.#names.map((name) => call(0, "mq_unlink", [{ at: NAME }], { writes: [{ at: NAME, bytes: text(name) }] })),
    ];
  }

  #descriptor(random: Random, task: number): Operand {
    const own = this.#open.filter((one) => one.task === task);
    return own.length === 0 || random.chance(2) ? random.pick([-1, 9999]) : { symbol: random.pick(own).symbol };
  }

  #openOne(random: Random, task: number): Operation {
    const name = random.weighted([
      [90, random.pick(this.#names)],
      [1, ""],
      [1, "x/y"],
      [1, "n".repeat(255)],
      [1, "n".repeat(256)],
    ]);
    const creates = random.chance(75) && name.length < 255 && name !== "";
    const flags =
      random.pick([0, O_WRONLY, O_RDWR, O_RDWR, O_RDWR]) |
      (creates ? O_CREAT : 0) |
      (random.chance(15) ? O_EXCL : 0) |
      (random.chance(30) ? O_NONBLOCK : 0) |
      (random.chance(20) ? O_CLOEXEC : 0);
    const attributes = longs(
      0,
      random.pick([1, 2, 3, 3, 4, 10, 10, 0, -1]),
      random.pick([1, 32, 128, 128, 8192, 0, -1]),
      0,
      0,
      0,
      0,
      0,
    );
    const pointer: Operand = random.chance(85) ? { at: ATTRIBUTES } : random.pick([0, 0, -8]);
    const named: Operand = random.chance(98) ? { at: NAME } : random.pick([0, -8]);
    return call(task, "mq_open", [named, flags, random.pick([0o600, 0o666, 0o777, 0]), pointer], {
      writes: [
        { at: NAME, bytes: text(name) },
        { at: ATTRIBUTES, bytes: attributes },
      ],
      result: { symbol: `mq ${this.#made++}` },
    });
  }

  #unlink(random: Random, task: number): Operation {
    const name = random.pick([...this.#names, "", "nothing", "n".repeat(256)]);
    return call(task, "mq_unlink", [{ at: NAME }], { writes: [{ at: NAME, bytes: text(name) }] });
  }

  /** A time long past, none (for ever), or a bad one. */
  #time(random: Random, mayBlock: boolean): { operand: Operand; bytes: Uint8Array } {
    const past = longs(random.pick([0, 1000, 100_000]), random.pick([0, 999_999_999]));
    const bad = longs(random.pick([0, -1, 1000]), random.pick([1_000_000_000, -1]));
    if (random.chance(6)) return { operand: { at: TIME }, bytes: bad };
    if (random.chance(2)) return { operand: -8, bytes: past };
    return mayBlock ? { operand: 0, bytes: past } : { operand: { at: TIME }, bytes: past };
  }

  #send(random: Random, task: number, descriptor: Operand, sequence: Sequence, mayBlock: boolean): Operation {
    const length = random.weighted([
      [50, random.below(32)],
      [20, random.below(129)],
      [4, 0],
      [3, 8193],
      [3, -1],
    ]);
    const priority = random.weighted([
      [70, random.below(4)],
      [20, random.below(32)],
      [3, 32_767],
      [3, 32_768],
      [1, -1],
    ]);
    const someoneSends = [...sequence.sleeping.values()].some((of) => of.name === "mq_timedsend");
    const time = this.#time(random, mayBlock && !someoneSends && random.chance(40));
    const pointer: Operand = random.chance(2) ? random.pick([0, -8]) : { at: BUFFER };
    return call(task, "mq_timedsend", [descriptor, pointer, length, priority, time.operand], {
      writes: [
        { at: BUFFER, bytes: random.bytes(Math.max(0, length)) },
        { at: TIME, bytes: time.bytes },
      ],
    });
  }

  #receive(random: Random, task: number, descriptor: Operand, mayBlock: boolean): Operation {
    const length = random.weighted([
      [90, 8192],
      [6, 128],
      [3, 5],
      [2, 0],
    ]);
    const time = this.#time(random, mayBlock && random.chance(40));
    const priority: Operand = random.chance(85) ? { at: BUFFER - 8 } : 0;
    return call(task, "mq_timedreceive", [descriptor, { at: BUFFER }, length, priority, time.operand], {
      writes: [{ at: TIME, bytes: time.bytes }],
      outputs: [{ at: BUFFER - 8, bytes: 8 + 8192, as: "bytes" }],
    });
  }

  #attributes(random: Random, task: number, descriptor: Operand): Operation {
    const flags = random.weighted([
      [40, 0],
      [40, O_NONBLOCK],
      [5, 1],
      [5, O_NONBLOCK | O_RDWR],
    ]);
    const wanted: Operand = random.chance(40) ? { at: ATTRIBUTES } : random.pick([0, 0, 0, 0, 0, -8]);
    const old: Operand = random.chance(80) ? { at: OLD_ATTRIBUTES } : 0;
    return call(task, "mq_getsetattr", [descriptor, wanted, old], {
      writes: [{ at: ATTRIBUTES, bytes: longs(flags, 77, 77, 77, 0, 0, 0, 0) }],
      outputs: [{ at: OLD_ATTRIBUTES, bytes: 64, as: "bytes" }],
    });
  }

  #notify(random: Random, task: number, descriptor: Operand): Operation {
    const how = random.pick([SIGEV_NONE, SIGEV_NONE, SIGEV_NONE, 3, 17]);
    const bytes = Buffer.concat([ints(5, 0, 0, how), new Uint8Array(48)]);
    const pointer: Operand = random.chance(65) ? { at: EVENT } : random.pick([0, 0, 0, 0, -8]);
    return call(task, "mq_notify", [descriptor, pointer], { writes: [{ at: EVENT, bytes }] });
  }
}

export const posixMq: Family = { name: "posix-mq", begin: (context) => new PosixMq(context) };
