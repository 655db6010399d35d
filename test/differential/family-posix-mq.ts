// POSIX message queues: mq_open, mq_timedsend, mq_timedreceive, mq_notify, mq_getsetattr, mq_unlink, close, and poll.

import type { Random } from "../random.ts";
import {
  type Context,
  call,
  type Drawing,
  drawInterrupt,
  type Family,
  idleTasks,
  ints,
  longs,
  type Sleeping,
  symbolOf,
  text,
} from "./family.ts";
import * as is from "./flags.ts";
import { SCRATCH_BYTES } from "./mailbox.ts";
import type { Observation, Operand, Operation } from "./operation.ts";
import { QueueTable } from "./queue-table.ts";

const BUFFER = 16_384;
const NAME = 4096;
const ATTRIBUTES = 10_240;
const OLD_ATTRIBUTES = 10_496;
const TIME = 10_752;
const EVENT = 11_008;
const PRIORITY = BUFFER - 8;
const POLL = 11_520;
const ATTRIBUTE_BYTES = 64;
const EVENT_BYTES = 64;
/** Ignored unless a task asks for it, so that it interrupts no call. */
const SIGURG = 23;
const NAMES = ["a", "b", "c"] as const;
const QUEUES = 4;
const BAD: readonly Operand[] = [0, -8, { at: SCRATCH_BYTES }];

class PosixMq implements Drawing {
  readonly leftovers: { fifos: string[]; queues: string[] };
  readonly #context: Context;
  readonly #table: QueueTable;
  #made = 0;

  constructor(context: Context) {
    this.#context = context;
    this.#table = new QueueTable(context.tasks);
    this.leftovers = { fifos: [], queues: [...NAMES, "n".repeat(200)].map((name) => context.prefix + name) };
  }

  draw(random: Random, sleeping: Sleeping): Operation | undefined {
    const idle = idleTasks(this.#context.tasks, sleeping);
    if (idle.length === 0 || (sleeping.size > 0 && random.chance(4))) return drawInterrupt(random, sleeping);
    const task = random.pick(idle);
    const own = this.#table.symbolsOf(task);
    const kind = random.weighted([
      [own.length < QUEUES ? 25 : 4, "open"],
      [40, "send"],
      [42, "receive"],
      [8, "attributes"],
      [7, "notify"],
      [3, "unlink"],
      [3, "close"],
      [4, "flags"],
      [5, "poll"],
      [2, "file"],
    ] as const);
    if (kind === "open") return this.#open(random, task);
    if (kind === "unlink") return this.#unlink(random, task);
    const descriptor: Operand =
      own.length === 0 || random.chance(3) ? random.pick([-1, { descriptor: 40 }, 9999]) : { symbol: random.pick(own) };
    if (kind === "send") return this.#send(random, task, descriptor);
    if (kind === "receive") return this.#receive(random, task, descriptor);
    if (kind === "attributes") return this.#attributes(random, task, descriptor);
    if (kind === "notify") return this.#notify(random, task, descriptor);
    if (kind === "poll") return this.#poll(random, task, descriptor);
    if (kind === "close") return call(task, "close", [descriptor]);
    if (kind === "flags") {
      if (random.chance(50))
        return call(task, "fcntl", [descriptor, random.pick([is.F_GETFL, is.F_GETFL, is.F_GETFD]), 0]);
      return call(task, "fcntl", [descriptor, is.F_SETFL, random.pick([0, is.O_NONBLOCK, is.O_NONBLOCK | is.O_RDWR])]);
    }
    if (random.chance(50)) return call(task, "write", [descriptor, { at: BUFFER }, random.below(3)]);
    const outputs = [{ at: BUFFER, bytes: 256, as: "queue-status" as const }];
    return call(task, "read", [descriptor, { at: BUFFER }, 256], { outputs, result: "sign" });
  }

  /**
   * Where several could win by luck, it is not drawn: two senders that wait for the same room, and one that polls beside any
   * other that waits. A call that waits holds its descriptor, so closing it elsewhere changes nothing for it. What may go into
   * a queue of default size is bounded by RLIMIT_MSGQUEUE, which all queues of a user share.
   */
  admits(operation: Operation, sleeping: Sleeping): boolean {
    if (operation.name === "mq_open") return this.#table.hasRoomFor(operation);
    const queue = this.#table.queueOf(operation.task, operation.args[0]);
    if (operation.name === "poll") return this.#admitsPoll(operation, sleeping);
    if (queue === undefined) return true;
    const others = [...sleeping.values()].filter((other) => this.#uses(other, queue));
    if (operation.name === "mq_timedsend" || operation.name === "mq_timedreceive") {
      if (others.some(({ name }) => name === "poll")) return others.length === 1 && this.#returnsAtOnce(operation);
    }
    if (operation.name !== "mq_timedsend") return true;
    return !others.some(({ name }) => name === "mq_timedsend") || this.#returnsAtOnce(operation);
  }

  observe(observation: Observation): void {
    this.#table.observe(observation);
  }

  /** Whether a call cannot wait: its time is over. */
  #returnsAtOnce({ args, inputs = [] }: Operation): boolean {
    return symbolOf(args[4]) === undefined && args[4] !== 0 && !inputs.some(({ value }) => "inMilliseconds" in value);
  }

  #uses(operation: Operation, queue: number): boolean {
    if (operation.name !== "poll") return this.#table.queueOf(operation.task, operation.args[0]) === queue;
    return this.#polled(operation).includes(queue);
  }

  #polled({ task, inputs = [] }: Operation): (number | undefined)[] {
    return inputs.map(({ value }) => ("word" in value ? this.#table.queueOf(task, value.word) : undefined));
  }

  #admitsPoll(operation: Operation, sleeping: Sleeping): boolean {
    if (operation.args[2] === 0) return true;
    const polled = this.#polled(operation).filter((queue) => queue !== undefined);
    return ![...sleeping.values()].some((other) => polled.some((queue) => this.#uses(other, queue)));
  }

  #open(random: Random, task: number): Operation {
    const name = random.weighted([
      [90, this.#context.prefix + random.pick(NAMES)],
      [1, ""],
      [1, "x/y"],
      [1, "/a"],
      [1, "."],
      [1, "n".repeat(256)],
      [1, this.#context.prefix + "n".repeat(200)],
      [1, "n".repeat(5000)],
    ]);
    let flags = random.pick([0, is.O_WRONLY, is.O_RDWR, is.O_RDWR, is.O_RDWR, is.O_RDWR, is.O_ACCMODE]);
    if (random.chance(75)) flags |= is.O_CREAT;
    if (random.chance(12)) flags |= is.O_EXCL;
    if (random.chance(30)) flags |= is.O_NONBLOCK;
    if (random.chance(20)) flags |= is.O_CLOEXEC;
    const above = (...values: number[]): number[] => (this.#context.testsLimits ? values : []);
    const most = random.pick([1, 2, 3, 3, 4, 10, 10, 0, -1, ...above(11, 2 ** 31, 2 ** 32 + 1)]);
    const longest = random.pick([1, 32, 128, 128, 1024, 0, -1, ...above(8193, 2 ** 31)]);
    const attributes = longs(random.pick([0, is.O_NONBLOCK, 77]), most, longest, random.pick([0, 5]), 0, 0, 0, 0);
    const pointer: Operand = random.chance(88)
      ? { at: ATTRIBUTES }
      : random.pick([0, 0, 0, -8, { at: SCRATCH_BYTES - 8 }]);
    const place: Operand = random.chance(98) ? { at: NAME } : random.pick(BAD);
    return call(task, "mq_open", [place, flags, random.pick([0o600, 0o666, 0o777, 0, 0o70600]), pointer], {
      inputs: [
        { at: NAME, value: text(name) },
        { at: ATTRIBUTES, value: attributes },
      ],
      result: { names: `mq ${this.#made++}`, as: "descriptor" },
    });
  }

  #unlink(random: Random, task: number): Operation {
    const name = random.chance(80)
      ? this.#context.prefix + random.pick(NAMES)
      : random.pick(["", "nothing", "n".repeat(256), ".", "/a", "a/"]);
    const place: Operand = random.chance(96) ? { at: NAME } : random.pick(BAD);
    return call(task, "mq_unlink", [place], { inputs: [{ at: NAME, value: text(name) }] });
  }

  /** For ever, a time long past, one to come, a bad one, or one that cannot be read. */
  #time(random: Random): Pick<Operation, "inputs" | "returns"> & { readonly operand: Operand } {
    const past = longs(random.pick([0, 1000, 100_000]), random.pick([0, 999_999_999]));
    const bad = longs(
      ...random.pick([
        [0, 1_000_000_000],
        [1000, -1],
        [-1, 0],
        [2 ** 40, 1_000_000_000],
      ]),
    );
    const kind = random.weighted([
      [35, "none"],
      [50, "past"],
      [5, "bad"],
      [2, "nowhere"],
      [3, "soon"],
    ] as const);
    if (kind === "none") return { operand: 0 };
    if (kind === "nowhere") return { operand: random.pick([-8, { at: SCRATCH_BYTES }, { at: SCRATCH_BYTES - 8 }]) };
    if (kind === "soon")
      return { operand: { at: TIME }, inputs: [{ at: TIME, value: { inMilliseconds: 2 } }], returns: true };
    if (kind === "bad") return { operand: { at: TIME }, inputs: [{ at: TIME, value: bad }] };
    return { operand: { at: TIME }, inputs: [{ at: TIME, value: past }], returns: true }; // may be seen asleep on the way
  }

  #send(random: Random, task: number, descriptor: Operand): Operation {
    const length = random.weighted<number>([
      [50, random.below(32)],
      [20, random.below(140)],
      [4, 0],
      [2, 1024],
      [2, 8193],
      [2, -1],
    ]);
    const priority = random.weighted<number>([
      [60, random.below(4)],
      [25, random.below(32)],
      [4, 32_767],
      [3, 32_768],
      [1, -1],
    ]);
    const { operand, inputs = [], returns } = this.#time(random);
    const pointer: Operand = random.chance(2) ? random.pick([...BAD, { at: SCRATCH_BYTES - 1 }]) : { at: BUFFER };
    const value = random.bytes(Math.max(0, length));
    return call(task, "mq_timedsend", [descriptor, pointer, length, priority, operand], {
      inputs: [{ at: BUFFER, value }, ...inputs],
      ...(returns && { returns }),
    });
  }

  #receive(random: Random, task: number, descriptor: Operand): Operation {
    const length = random.weighted<number>([
      [90, 8192],
      [6, 128],
      [3, 32],
      [3, 5],
      [2, 0],
      [1, -1],
    ]);
    const { operand, inputs = [], returns } = this.#time(random);
    const priority: Operand = random.chance(85) ? { at: PRIORITY } : 0;
    return call(task, "mq_timedreceive", [descriptor, { at: BUFFER }, length, priority, operand], {
      inputs,
      outputs: [
        { at: PRIORITY, bytes: 4, as: "bytes" },
        { at: BUFFER, bytes: 1100, as: "bytes" },
      ],
      ...(returns && { returns }),
    });
  }

  #attributes(random: Random, task: number, descriptor: Operand): Operation {
    const flags = random.pick([
      0,
      0,
      0,
      is.O_NONBLOCK,
      is.O_NONBLOCK,
      is.O_NONBLOCK,
      1,
      is.O_NONBLOCK | is.O_RDWR,
      2 ** 40,
    ]);
    const wanted: Operand = random.chance(40) ? { at: ATTRIBUTES } : random.pick([0, 0, 0, 0, 0, -8]);
    // Where the old ones have no place, Linux has set the new ones all the same (row efault-keeps).
    const bad = wanted === 0 ? [-8, { at: SCRATCH_BYTES - 32 }] : [];
    const old: Operand = random.chance(85) ? { at: OLD_ATTRIBUTES } : random.pick([0, 0, 0, ...bad]);
    return call(task, "mq_getsetattr", [descriptor, wanted, old], {
      inputs: [{ at: ATTRIBUTES, value: longs(flags, 77, 77, 77, 0, 0, 0, 0) }],
      outputs: [{ at: OLD_ATTRIBUTES, bytes: ATTRIBUTE_BYTES, as: "bytes" }],
    });
  }

  #notify(random: Random, task: number, descriptor: Operand): Operation {
    const [how, signal] = random.pick([
      [is.SIGEV_NONE, 0],
      [is.SIGEV_NONE, 5],
      [is.SIGEV_NONE, 0],
      [is.SIGEV_NONE, 99],
      [is.SIGEV_SIGNAL, SIGURG],
      [is.SIGEV_SIGNAL, 0],
      [is.SIGEV_SIGNAL, 65],
      [is.SIGEV_SIGNAL, -1],
      [3, 0],
      [4, 0],
      [17, 0],
    ] as const);
    const value = Buffer.concat([ints(5, 0, signal, how), new Uint8Array(EVENT_BYTES - 16)]);
    const pointer: Operand = random.chance(65)
      ? { at: EVENT }
      : random.pick([0, 0, 0, 0, -8, { at: SCRATCH_BYTES - 8 }]);
    return call(task, "mq_notify", [descriptor, pointer], { inputs: [{ at: EVENT, value }] });
  }

  #poll(random: Random, task: number, descriptor: Operand): Operation {
    const own = this.#table.symbolsOf(task);
    const items: Operand[] = [descriptor];
    if (own.length > 0 && random.chance(40)) items.push({ symbol: random.pick(own) });
    const words = items.flatMap(() => [0, random.pick([1, 4, 5, 0, 0x41, 0x104, 0x7fff])]);
    return call(task, "poll", [{ at: POLL }, items.length, random.pick([0, 0, 0, -1])], {
      inputs: [{ at: POLL, value: ints(...words) }, ...items.map((word, i) => ({ at: POLL + 8 * i, value: { word } }))],
      outputs: [{ at: POLL, bytes: 8 * items.length, as: "poll" }],
    });
  }
}

export const posixMq: Family = { name: "posix-mq", begin: (context) => new PosixMq(context) };
