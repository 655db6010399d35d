// Pipes, FIFOs and descriptors: what is read and written, who waits for whom, and which number names what. Three families that
// draw from the same calls, with other weights.

import { type Context, call, type Drawing, type Family, idleTasks, ints } from "./family.ts";
import type { Operand, Operation } from "./operation.ts";
import { PipeModel } from "./pipe-model.ts";
import type { Random } from "./random.ts";
import type { Observation, Sequence } from "./sequence.ts";

const BUFFER = 4096;
const PATH = 512;
const PAIR = 1024;
const POLLS = 1152;
const O_RDONLY = 0;
const O_WRONLY = 1;
const O_RDWR = 2;
const O_CREAT = 0o100;
const O_EXCL = 0o200;
const O_APPEND = 0o2000;
const O_NONBLOCK = 0o4000;
const O_DIRECTORY = 0o200000;
const O_CLOEXEC = 0o2000000;
const S_IFIFO = 0o010000;
const F_DUPFD = 0;
const F_GETFD = 1;
const F_SETFD = 2;
const F_GETFL = 3;
const F_SETFL = 4;
const F_DUPFD_CLOEXEC = 1030;
const F_SETPIPE_SZ = 1031;
const F_GETPIPE_SZ = 1032;
const FIONREAD = 0x541b;
const CAPACITY = 4096;

/** A pipe, or a FIFO with its name. */
interface Channel {
  readonly model: PipeModel;
  /** Linux gives a FIFO a new pipe, of its own size, whenever it is opened anew. */
  sized: boolean;
}

/** An open file description. */
interface File {
  readonly channel: Channel;
  readonly reads: boolean;
  readonly writes: boolean;
  nonblocking: boolean;
}

interface Open {
  readonly task: number;
  readonly symbol: string;
  readonly file: File;
}

interface Weights {
  readonly pipe: number;
  readonly fifo: number;
  readonly data: number;
  readonly descriptors: number;
  readonly poll: number;
  readonly close: number;
}

class Files implements Drawing {
  readonly #tasks: number;
  readonly #weights: Weights;
  readonly #names = ["x", "y", "z"];
  readonly #fifos = new Map<string, Channel>();
  #open: Open[] = [];
  /** What a call that sleeps will have opened, by its symbol. */
  readonly #opening = new Map<string, { task: number; file: File }>();
  #forced: Operation[] = [];
  #made = 0;

  constructor(context: Context, weights: Weights) {
    this.#tasks = context.tasks;
    this.#weights = weights;
  }

  draw(random: Random, sequence: Sequence): Operation | undefined {
    const idle = idleTasks(sequence, this.#tasks);
    const forced = this.#forced.find((operation) => idle.includes(operation.task));
    if (forced) {
      this.#forced = this.#forced.filter((one) => one !== forced);
      return forced;
    }
    if (idle.length === 0) return this.#interrupt(random, sequence);
    const task = random.pick(idle);
    const { pipe, fifo, data, descriptors, poll, close } = this.#weights;
    const kind = random.weighted([
      [pipe, "pipe"],
      [fifo, "fifo"],
      [data, "data"],
      [descriptors, "descriptors"],
      [poll, "poll"],
      [close, "close"],
      [sequence.sleeping.size > 0 ? 5 : 0, "interrupt"],
    ] as const);
    if (kind === "interrupt") return this.#interrupt(random, sequence);
    if (kind === "pipe") return this.#pipe(random, task);
    if (kind === "fifo") return this.#fifo(random, task, sequence);
    if (kind === "data") return this.#data(random, task, sequence);
    if (kind === "poll") return this.#poll(random, task, sequence);
    if (kind === "close") return this.#close(random, task);
    return this.#descriptors(random, task);
  }

  observe({ operation, result }: Observation): void {
    const symbol = typeof operation.result === "object" ? operation.result.symbol : "";
    if (result === "sleeps") return;
    const opening = this.#opening.get(symbol);
    this.#opening.delete(symbol);
    if (operation.name === "mknod" && result === 0) {
      const name = operation.paths?.[0]?.name as string;
      this.#fifos.set(name, { model: new PipeModel(CAPACITY), sized: false });
    }
    if (operation.name === "unlink" && result === 0) this.#fifos.delete(operation.paths?.[0]?.name as string);
    if ((operation.name === "pipe" || operation.name === "pipe2") && result === 0) this.#madePipe(operation);
    if (opening && result >= 0) this.#opened(symbol, opening.task, opening.file);
    if (["dup", "dup2", "dup3", "fcntl"].includes(operation.name)) this.#duplicated(operation, symbol, result);
    const file = this.#fileOf(operation.args[0]);
    if (!file) return;
    if (operation.name === "close" && result === 0) this.#closed(operation.args[0] as { symbol: string });
    if (operation.name === "write" && result > 0) file.channel.model.write(result);
    if (operation.name === "read" && result > 0) file.channel.model.read(result);
    if (operation.name === "fcntl" && result >= 0) this.#controlled(operation, file, result);
  }

  cleanUp(): Operation[] {
    return [
      ...this.#open.map(({ task, symbol }) => call(task, "close", [{ symbol }])),
      ...this.#names.map((name) => call(0, "unlink", [{ at: PATH }], { paths: [{ at: PATH, name }] })),
    ];
  }

  #interrupt(random: Random, sequence: Sequence): Operation {
    return call(0, "interrupt", [random.pick([...sequence.sleeping.keys()])], { result: "ignored" });
  }

  #fileOf(operand: Operand | undefined): File | undefined {
    if (typeof operand !== "object" || !("symbol" in operand)) return undefined;
    return this.#open.find(({ symbol }) => symbol === operand.symbol)?.file;
  }

  #opened(symbol: string, task: number, file: File): void {
    this.#open.push({ task, symbol, file });
    if (file.channel.sized) return;
    file.channel.sized = true;
    file.channel.model.capacity = CAPACITY;
    this.#forced.push(call(task, "fcntl", [{ symbol }, F_SETPIPE_SZ, CAPACITY]));
  }

  #madePipe(operation: Operation): void {
    const [reader, writer] = operation.made as readonly { symbol: string }[];
    const channel: Channel = { model: new PipeModel(CAPACITY), sized: false };
    const nonblocking = operation.name === "pipe2" && ((operation.args[1] as number) & O_NONBLOCK) !== 0;
    this.#opened(reader?.symbol ?? "", operation.task, { channel, reads: true, writes: false, nonblocking });
    this.#opened(writer?.symbol ?? "", operation.task, { channel, reads: false, writes: true, nonblocking });
  }

  #duplicated(operation: Operation, symbol: string, result: number): void {
    const file = this.#fileOf(operation.args[0]);
    const duplicates = operation.name !== "fcntl" || [F_DUPFD, F_DUPFD_CLOEXEC].includes(operation.args[1] as number);
    if (!file || result < 0 || !duplicates) return;
    const name = symbol || chosenSymbol(operation.task, operation.args[1] as { descriptor: number });
    if (operation.name === "dup2" || operation.name === "dup3") this.#closed({ symbol: name });
    this.#open.push({ task: operation.task, symbol: name, file });
  }

  #closed({ symbol }: { symbol: string }): void {
    const file = this.#fileOf({ symbol });
    this.#open = this.#open.filter((one) => one.symbol !== symbol);
    if (!file || this.#open.some((one) => one.file.channel === file.channel)) return;
    file.channel.sized = false;
    file.channel.model.pages = [];
  }

  #controlled(operation: Operation, file: File, result: number): void {
    if (operation.args[1] === F_SETPIPE_SZ) file.channel.model.capacity = result;
    if (operation.args[1] === F_SETFL) file.nonblocking = ((operation.args[2] as number) & O_NONBLOCK) !== 0;
  }

  #own(task: number): Open[] {
    return this.#open.filter((one) => one.task === task);
  }

  #descriptor(random: Random, task: number): Operand {
    const own = this.#own(task);
    return own.length === 0 || random.chance(3) ? random.pick([-1, 9999]) : { symbol: random.pick(own).symbol };
  }

  #pipe(random: Random, task: number): Operation {
    const made = [0, 4].map((at) => ({ at: PAIR + at, symbol: `end ${this.#made++}` }));
    const pointer: Operand = random.chance(96) ? { at: PAIR } : random.pick([0, -8]);
    if (random.chance(30)) return call(task, "pipe", [pointer], { made });
    const flags = random.pick([0, O_NONBLOCK, O_NONBLOCK, O_CLOEXEC, O_NONBLOCK | O_CLOEXEC, 1, O_APPEND]);
    return call(task, "pipe2", [pointer, flags], { made });
  }

  #fifo(random: Random, task: number, sequence: Sequence): Operation | undefined {
    const name = random.pick(this.#names);
    const wrong = random.chance(3) ? random.pick(["", "n".repeat(256), "none/x", "x/y", "."]) : name;
    const paths = [{ at: PATH, name: wrong }];
    if (!this.#fifos.has(name) || random.chance(8)) {
      const mode = S_IFIFO | random.pick([0o600, 0o666]);
      return wrong === "." ? undefined : call(task, "mknod", [{ at: PATH }, mode, 0], { paths });
    }
    if (random.chance(8)) return call(task, "unlink", [{ at: PATH }], { paths });
    return wrong === "." ? undefined : this.#openFifo(random, task, wrong, sequence);
  }

  #openFifo(random: Random, task: number, name: string, sequence: Sequence): Operation | undefined {
    const direction = random.pick([O_RDONLY, O_RDONLY, O_WRONLY, O_WRONLY, O_RDWR]);
    const mayBlock = sequence.sleeping.size < this.#tasks - 1 && random.chance(35);
    const extra = random.pick([0, 0, 0, 0, O_CLOEXEC, O_APPEND, O_DIRECTORY, O_CREAT | O_EXCL]);
    const channel = this.#fifos.get(name);
    if (!channel && (extra & O_CREAT) !== 0) return undefined; // would make a regular file
    const nonblocking = !mayBlock;
    const flags = direction | extra | (nonblocking ? O_NONBLOCK : 0);
    const symbol = `end ${this.#made++}`;
    if (channel) {
      const file = { channel, reads: direction !== O_WRONLY, writes: direction !== O_RDONLY, nonblocking };
      this.#opening.set(symbol, { task, file });
    }
    return call(task, "open", [{ at: PATH }, flags, 0], { paths: [{ at: PATH, name }], result: { symbol } });
  }

  #data(random: Random, task: number, sequence: Sequence): Operation | undefined {
    const own = this.#own(task);
    if (own.length === 0) return undefined;
    const { symbol, file } = random.pick(own);
    const others = this.#sleepers(sequence, file.channel);
    const bytes = random.weighted([
      [30, random.below(100)],
      [20, 4096],
      [10, 8192],
      [10, random.below(5000)],
      [3, 0],
      [2, 12_288],
    ]);
    const wrong: Operand | undefined = random.chance(2) ? random.pick([0, -8]) : undefined;
    if (random.chance(4))
      return call(task, "ioctl", [{ symbol }, FIONREAD, { at: BUFFER }], { outputs: [four(BUFFER)] });
    if (random.chance(50) === file.reads && file.reads) return this.#read(task, symbol, file, bytes, wrong, others);
    return this.#write(random, task, symbol, file, bytes, wrong, others);
  }

  /** Calls that sleep on a channel. */
  #sleepers(sequence: Sequence, channel: Channel): { name: string; bytes: number }[] {
    return [...sequence.sleeping.values()]
      .filter((operation) => this.#fileOf(operation.args[0])?.channel === channel)
      .map((operation) => ({ name: operation.name, bytes: Number(operation.args[2] ?? 0) }));
  }

  #read(
    task: number,
    symbol: string,
    file: File,
    bytes: number,
    wrong: Operand | undefined,
    sleepers: readonly { name: string; bytes: number }[],
  ): Operation | undefined {
    if (sleepers.some(({ name }) => name === "read")) return undefined;
    const writer = sleepers.find(({ name }) => name === "write");
    if (writer) {
      const after = file.channel.model.copy();
      after.read(bytes);
      const resumes = after.pages.length < after.capacity / CAPACITY;
      if (resumes !== (after.writesHere(writer.bytes) !== "full")) return undefined;
    }
    const outputs = [{ at: BUFFER, bytes: 12_288, as: "bytes" as const }];
    return call(task, "read", [{ symbol }, wrong ?? { at: BUFFER }, bytes], { outputs });
  }

  #write(
    random: Random,
    task: number,
    symbol: string,
    file: File,
    bytes: number,
    wrong: Operand | undefined,
    sleepers: readonly { name: string; bytes: number }[],
  ): Operation | undefined {
    if (sleepers.some(({ name }) => name === "write")) return undefined;
    const { model } = file.channel;
    const linux = model.writesOnLinux(bytes);
    if (file.writes && linux !== model.writesHere(bytes)) return undefined;
    // A long write that waits would go on page by page.
    if (file.writes && !file.nonblocking && linux !== bytes && bytes > CAPACITY) return undefined;
    if (sleepers.some(({ name }) => name === "read") && bytes > CAPACITY) return undefined;
    const writes = [{ at: BUFFER, bytes: random.bytes(bytes) }];
    return call(task, "write", [{ symbol }, wrong ?? { at: BUFFER }, bytes], { writes });
  }

  #close(random: Random, task: number): Operation {
    return call(task, "close", [this.#descriptor(random, task)]);
  }

  #poll(random: Random, task: number, sequence: Sequence): Operation | undefined {
    const own = this.#own(task);
    const count = random.below(4);
    const patches: { at: number; value: Operand }[] = [];
    const entries: number[] = [];
    let objects = 0;
    for (let i = 0; i < count; i++) {
      const known = own.length > 0 && random.chance(92) ? random.pick(own) : undefined;
      if (known && !known.file.channel.model.agreesOnRoom()) return undefined;
      if (known) objects++;
      patches.push({ at: POLLS + 8 * i, value: known ? { symbol: known.symbol } : random.pick([-1, 9999]) });
      entries.push(0, random.pick([1, 4, 5, 0, 0x41, 0x104]));
    }
    const mayBlock = sequence.sleeping.size < this.#tasks - 1 && random.chance(15) && objects > 0;
    return call(task, "poll", [{ at: POLLS }, count, mayBlock ? -1 : 0], {
      writes: [{ at: POLLS, bytes: ints(...entries) }],
      patches,
      outputs: [{ at: POLLS, bytes: 8 * count, as: "polls", keep: true }],
    });
  }

  #descriptors(random: Random, task: number): Operation | undefined {
    const descriptor = this.#descriptor(random, task);
    const chosen = { descriptor: 30 + random.below(4) };
    const symbol = `end ${this.#made++}`;
    const kind = random.below(12);
    if (kind < 2) return call(task, "dup", [descriptor], { result: { symbol } });
    if (kind < 4) return this.#duplicateTo(random, task, descriptor, chosen);
    if (kind === 4) return this.#fcntl(task, descriptor, random.pick([F_GETFD, F_GETFL, F_GETPIPE_SZ]), 0);
    if (kind === 5) return this.#fcntl(task, descriptor, F_SETFD, random.pick([0, 1, 3]));
    if (kind === 6)
      return this.#fcntl(task, descriptor, F_SETFL, random.pick([0, O_NONBLOCK, O_APPEND, O_NONBLOCK | O_RDWR]));
    if (kind === 7) return this.#resize(random, task, descriptor);
    if (kind === 8) return this.#fcntl(task, descriptor, random.pick([999, 77]), 0);
    if (kind === 9) {
      const command = random.pick([F_DUPFD, F_DUPFD_CLOEXEC]);
      if (random.chance(10)) return call(task, "fcntl", [descriptor, command, random.pick([-1, 1 << 30])]);
      return call(task, "fcntl", [descriptor, command, { descriptor: 40 + random.below(8) }], { result: { symbol } });
    }
    return this.#fcntl(task, descriptor, random.pick([F_GETFD, F_GETFL]), 0);
  }

  #fcntl(task: number, descriptor: Operand, command: number, value: number): Operation {
    return call(task, "fcntl", [descriptor, command, value]);
  }

  #resize(random: Random, task: number, descriptor: Operand): Operation | undefined {
    const wanted = random.pick([4096, 8192, 65_536, 5000, 0, 16_384]);
    const capacity = 2 ** Math.ceil(Math.log2(Math.max(4096, wanted)));
    const file = this.#fileOf(descriptor);
    if (file && !file.channel.model.agreesOnCapacity(capacity)) return undefined;
    return this.#fcntl(task, descriptor, F_SETPIPE_SZ, wanted);
  }

  #duplicateTo(random: Random, task: number, descriptor: Operand, chosen: { descriptor: number }): Operation {
    const symbol = chosenSymbol(task, chosen);
    if (random.chance(6)) return call(task, "dup2", [descriptor, -1]);
    if (random.chance(8)) return call(task, "dup3", [descriptor, descriptor, 0]);
    if (random.chance(60)) return call(task, "dup2", [descriptor, chosen], { result: { symbol } });
    const flags = random.pick([0, O_CLOEXEC, O_NONBLOCK]);
    return call(task, "dup3", [descriptor, chosen, flags], { result: { symbol } });
  }
}

/** A number that the caller chose names the same descriptor each time. */
const chosenSymbol = (task: number, { descriptor }: { descriptor: number }): string => `chosen ${task}-${descriptor}`;

const four = (at: number): { at: number; bytes: number; as: "bytes" } => ({ at, bytes: 4, as: "bytes" });

const family = (name: string, weights: Weights): Family => ({ name, begin: (context) => new Files(context, weights) });

export const pipe = family("pipe", { pipe: 8, fifo: 0, data: 60, descriptors: 8, poll: 8, close: 6 });
export const fifo = family("fifo", { pipe: 0, fifo: 20, data: 50, descriptors: 4, poll: 6, close: 12 });
export const descriptors = family("descriptors", { pipe: 6, fifo: 8, data: 20, descriptors: 45, poll: 10, close: 10 });
