// Pipes, FIFOs and descriptors: what is read and written, who waits for whom, and which number names what. Three families that
// draw from the same calls, with other weights.

import type { Random } from "../random.ts";
import {
  type Context,
  call,
  type Drawing,
  drawInterrupt,
  type Family,
  idleTasks,
  longs,
  type Sleeping,
} from "./family.ts";
import { FileCalls } from "./file-calls.ts";
import { FilesModel } from "./files-model.ts";
import * as is from "./flags.ts";
import type { Observation, Operand, Operation } from "./operation.ts";
import { PATH, pathInput } from "./paths.ts";

const ATTRIBUTES = 10_240;
const FIFOS = ["f", "g", "h"] as const;
const QUEUES = ["q", "r"] as const;
const LONG = "n".repeat(255);
const OPEN_MAX = 9;

/** How often what is drawn. */
interface Weights {
  readonly pipe: number;
  readonly fifo: number;
  readonly queue: number;
  readonly move: number;
  readonly control: number;
  readonly duplicate: number;
  readonly poll: number;
  readonly close: number;
  readonly inherit: number;
}

class Files implements Drawing {
  readonly leftovers: { fifos: string[]; queues: string[] };
  readonly #context: Context;
  readonly #weights: Weights;
  readonly #model: FilesModel;
  readonly #calls = new FileCalls();

  constructor(context: Context, weights: Weights) {
    this.#context = context;
    this.#weights = weights;
    this.#model = new FilesModel(context);
    this.leftovers = { fifos: [...FIFOS, LONG, "none"], queues: QUEUES.map((name) => context.prefix + name) };
  }

  draw(random: Random, sleeping: Sleeping): Operation | undefined {
    const idle = idleTasks(this.#context.tasks, sleeping);
    if (idle.length === 0 || (sleeping.size > 0 && random.chance(3))) return drawInterrupt(random, sleeping);
    const task = random.pick(idle);
    const unsized = this.#model.unsized(task);
    if (unsized !== undefined && random.chance(95)) return this.#calls.resize(random, task, { symbol: unsized });
    const own = this.#model.symbolsOf(task);
    const { pipe, fifo, queue, move, control, duplicate, poll, close, inherit } = this.#weights;
    const kind = random.weighted([
      [own.length < OPEN_MAX ? pipe : 1, "pipe"],
      [fifo, "fifo"],
      [queue, "queue"],
      [own.length > 0 ? move : 1, "move"],
      [control, "control"],
      [duplicate, "duplicate"],
      [poll, "poll"],
      [own.length > OPEN_MAX ? 4 * close : close, "close"],
      [inherit, "inherit"],
    ] as const);
    if (kind === "pipe") return pipe > 0 ? this.#calls.pipe(random, task) : undefined;
    if (kind === "fifo") return this.#fifo(random, task);
    if (kind === "queue") return this.#queue(random, task);
    if (kind === "move") return this.#move(random, task, own);
    if (kind === "control") return this.#control(random, task, own);
    if (kind === "duplicate") return this.#calls.duplicate(random, task, own);
    if (kind === "poll") return this.#calls.poll(random, task, own);
    if (kind === "close") return this.#calls.close(task, this.#calls.descriptor(random, own));
    return call(task, "inherit", [random.below(this.#context.tasks)]);
  }

  admits(operation: Operation, sleeping: Sleeping): boolean {
    return this.#model.admits(operation, sleeping);
  }

  observe(observation: Observation): void {
    this.#model.observe(observation);
  }

  /** Mostly in the direction that a descriptor has. */
  #move(random: Random, task: number, own: readonly string[]): Operation {
    const descriptor = this.#calls.descriptor(random, own);
    if (random.chance(4)) return this.#calls.oddMove(random, task, descriptor);
    if (random.chance(6)) return this.#calls.unread(random, task, descriptor);
    const file = this.#model.fileOf(task, descriptor);
    const reads = file?.reads && file.writes ? random.chance(50) : (file?.reads ?? random.chance(50));
    const right = random.chance(95);
    if (file?.channel.kind === "queue" && reads === right) return this.#readStatus(task, descriptor);
    return reads === right ? this.#calls.read(random, task, descriptor) : this.#calls.write(random, task, descriptor);
  }

  #control(random: Random, task: number, own: readonly string[]): Operation {
    const descriptor = this.#calls.descriptor(random, own);
    if (random.chance(20)) return this.#calls.resize(random, task, descriptor);
    return this.#calls.control(random, task, descriptor);
  }

  #readStatus(task: number, descriptor: Operand): Operation {
    const outputs = [{ at: PATH, bytes: 256, as: "queue-status" as const }];
    return call(task, "read", [descriptor, { at: PATH }, 256], { outputs, result: "sign" });
  }

  #fifo(random: Random, task: number): Operation {
    const name = random.pick(FIFOS);
    const path = this.#path(random, name);
    const inputs = [pathInput(path)];
    const place: Operand = random.chance(98) ? { at: PATH } : random.pick([0, -8]);
    if (!this.#model.fifos.has(name) || random.chance(4)) {
      const kind = random.chance(95) ? is.S_IFIFO : random.pick([0o040000, 0o150000, is.S_IFIFO | 0o200000]);
      return call(task, "mknod", [place, kind | random.pick([0o600, 0o666, 0o777, 0]), random.pick([0, 5])], {
        inputs,
      });
    }
    if (random.chance(5)) return call(task, "unlink", [place], { inputs });
    const result = { names: this.#calls.newSymbol("fifo"), as: "descriptor" as const };
    const flags = this.#openFlags(random);
    if (random.chance(80)) return call(task, "open", [place, flags, 0o600], { inputs, result });
    const directory = random.pick<Operand>([is.AT_FDCWD, is.AT_FDCWD, -1, { descriptor: 0 }]);
    return call(task, "openat", [directory, place, flags, 0o600], { inputs, result });
  }

  #path(random: Random, name: string): string {
    const { isRoot } = this.#context;
    if (random.chance(92)) return isRoot && random.chance(35) ? `/${name}` : name;
    return random.pick([...oddPaths(name), ...(isRoot ? rootedPaths(name) : [])]);
  }

  #openFlags(random: Random): number {
    let flags = random.weighted([
      [35, is.O_RDONLY],
      [35, is.O_WRONLY],
      [20, is.O_RDWR],
      [2, is.O_ACCMODE],
    ]);
    if (random.chance(55)) flags |= is.O_NONBLOCK;
    if (random.chance(12)) flags |= is.O_CLOEXEC;
    if (random.chance(15)) {
      flags |= random.pick([
        is.O_APPEND,
        is.O_TRUNC,
        is.O_CREAT,
        is.O_CREAT | is.O_EXCL,
        is.O_EXCL,
        is.O_DIRECTORY,
        is.O_NOFOLLOW,
        is.O_NOATIME,
        is.O_DSYNC,
        is.O_ASYNC,
        is.O_LARGEFILE,
        0o400,
      ]);
    }
    return flags;
  }

  #queue(random: Random, task: number): Operation {
    const name = this.#context.prefix + random.pick(QUEUES);
    if (random.chance(10)) return call(task, "mq_unlink", [{ at: PATH }], { inputs: [pathInput(name)] });
    const flags = random.below(3) | is.O_CREAT | random.pick([0, is.O_NONBLOCK]) | random.pick([0, 0, is.O_CLOEXEC]);
    const value = longs(0, 2, 16, 0, 0, 0, 0, 0);
    return call(task, "mq_open", [{ at: PATH }, flags, 0o600, { at: ATTRIBUTES }], {
      inputs: [pathInput(name), { at: ATTRIBUTES, value }],
      result: { names: this.#calls.newSymbol("mq"), as: "descriptor" },
    });
  }
}

/** Paths that lead nowhere, or by a detour. */
const oddPaths = (name: string): string[] => [
  "",
  ".",
  `./${name}`,
  `${name}/`,
  `${name}/x`,
  `${name}/.`,
  "none/x",
  "none/",
  "none",
  LONG,
  `${LONG}n`,
  `${LONG}n/`,
  "x".repeat(4095),
  "x".repeat(4096),
];

/** Which leave the directory, unless it is the root. */
const rootedPaths = (name: string): string[] => [
  "/",
  "..",
  `//${name}`,
  `../${name}`,
  `/../.././${name}`,
  "/".repeat(4094),
];

const family = (name: string, weights: Weights): Family => ({ name, begin: (context) => new Files(context, weights) });

const none = { pipe: 0, fifo: 0, queue: 0, move: 60, control: 8, duplicate: 3, poll: 8, close: 6, inherit: 0 };

export const pipe = family("pipe", { ...none, pipe: 8, inherit: 3 });
export const fifo = family("fifo", { ...none, fifo: 22, close: 9 });
export const descriptors = family("descriptors", {
  pipe: 6,
  fifo: 8,
  queue: 4,
  move: 14,
  control: 22,
  duplicate: 26,
  poll: 8,
  close: 8,
  inherit: 1,
});
