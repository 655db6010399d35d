// What the tasks have open, from what was observed: pipes, FIFOs and POSIX queues, who waits at them, and whether what a call
// does now is determined and the same by intention on both sides.

import { DescriptorTable } from "./descriptor-table.ts";
import type { Context, Sleeping } from "./family.ts";
import * as is from "./flags.ts";
import { namedBy, type Observation, type Operand, type Operation } from "./operation.ts";
import { fifoIn, isDirectory, pathIn } from "./paths.ts";
import { type PipeFlow, PipeModel } from "./pipe-model.ts";

const PAGE = 4096;

/** What can be waited for: a pipe, a FIFO, a POSIX queue. */
export interface Channel {
  readonly kind: "pipe" | "queue";
  readonly model: PipeModel;
  /** Both sides' pipes have the same size. A new one has another on each, and Linux's FIFO whenever it was closed by all. */
  sized: boolean;
  readers: number;
  writers: number;
}

/** An open file description. */
export interface OpenFile {
  readonly channel: Channel;
  readonly reads: boolean;
  readonly writes: boolean;
  waits: boolean;
  references: number;
}

interface Entry {
  readonly file: OpenFile;
  closesOnExec: boolean;
}

type Action = (flow: PipeFlow) => string;

export class FilesModel {
  readonly fifos = new Map<string, Channel>();
  readonly #queues = new Map<string, Channel>();
  readonly #context: Context;
  readonly #table: DescriptorTable<Entry>;
  /** What calls that sleep have opened already. */
  readonly #opening = new Map<Operation, OpenFile>();
  readonly #moving = new Set<Operation>();

  constructor(context: Context) {
    this.#context = context;
    this.#table = new DescriptorTable(context.tasks);
  }

  symbolsOf(task: number): string[] {
    return this.#table.symbolsOf(task);
  }

  fileOf(task: number, operand: Operand | undefined): OpenFile | undefined {
    return this.#table.get(task, operand)?.file;
  }

  /** A task's descriptor of a pipe whose size is still to be set. */
  unsized(task: number): string | undefined {
    return this.symbolsOf(task).find((symbol) => this.fileOf(task, { symbol })?.channel.sized === false);
  }

  admits(operation: Operation, sleeping: Sleeping): boolean {
    const { task, name, args } = operation;
    if (name === "open" || name === "openat") return this.#admitsOpen(operation);
    if (name === "poll") return this.#admitsPoll(operation, sleeping);
    if (name === "inherit") return this.#context.mayInherit && sleeping.size === 0 && args[0] !== task;
    const file = this.fileOf(task, args[0]);
    if (!file) return true;
    if (name === "fcntl") return this.#admitsControl(operation, file, sleeping);
    if (name !== "read" && name !== "write") return true;
    const count = args[2];
    const isOdd = typeof count !== "number" || count < 1; // whose errors come before the pipe is looked at
    if (file.channel.kind === "queue" || isOdd) return true;
    if (!(name === "read" ? file.reads : file.writes)) return true;
    return this.#admitsMove(operation, file, sleeping);
  }

  observe(observation: Observation): void {
    const { operation, result, made } = observation;
    const { task, name, args } = operation;
    if (name === "read" || name === "write") this.#moved(operation, result);
    if (name === "open" || name === "openat" || name === "mq_open") this.#opened(operation, result);
    if (result === "sleeps" || result < 0) return;
    if (name === "pipe" || name === "pipe2") this.#madePipe(operation, made);
    else if (name === "mknod") this.fifos.set(fifoIn(pathIn(operation)) ?? "", newChannel("pipe"));
    else if (name === "unlink") this.fifos.delete(fifoIn(pathIn(operation)) ?? "");
    else if (name === "mq_unlink") this.#queues.delete(pathIn(operation));
    else if (name === "close") this.#release(this.#table.close(task, args[0]));
    else if (name === "dup") this.#duplicated(operation, result, false);
    else if (name === "dup2" && this.#table.numberOf(args[0]) !== result) this.#duplicated(operation, result, false);
    else if (name === "dup3") this.#duplicated(operation, result, ((args[2] as number) & is.O_CLOEXEC) !== 0);
    else if (name === "fcntl") this.#controlled(operation, result);
    else if (name === "inherit") this.#inherited(task, args[0] as number);
  }

  /** Calls that sleep at a channel, those in open apart. */
  #sleepersAt(channel: Channel, sleeping: Sleeping): Operation[] {
    return [...sleeping.values()].filter((operation) => {
      if (operation.name === "poll") return this.#polled(operation).some((file) => file?.channel === channel);
      return this.fileOf(operation.task, operation.args[0])?.channel === channel;
    });
  }

  #polled({ task, inputs = [] }: Operation): (OpenFile | undefined)[] {
    return inputs.flatMap(({ value }) => ("word" in value ? [this.fileOf(task, value.word)] : []));
  }

  /** One that polls at most, and then nobody else: who looks first would see other things than who looks last. */
  #admitsPoll(operation: Operation, sleeping: Sleeping): boolean {
    const waits = operation.args[2] !== 0;
    return this.#polled(operation).every((file) => {
      if (!file || file.channel.kind === "queue") return !file || !waits || !this.#isWaitedFor(file.channel, sleeping);
      const { channel, writes } = file;
      if (writes && !(channel.sized && channel.model.agreesOnRoom)) return false;
      return !waits || !this.#isWaitedFor(channel, sleeping);
    });
  }

  #isWaitedFor(channel: Channel, sleeping: Sleeping): boolean {
    return this.#sleepersAt(channel, sleeping).length > 0;
  }

  #actionOf({ name, args }: Operation, file: OpenFile): Action | undefined {
    const { channel } = file;
    const count = args[2] as number;
    if (name === "read") {
      if (channel.model.used === 0 && channel.writers === 0) return undefined; // end of file
      return (flow) => flow.read(count, file.waits);
    }
    if (channel.readers === 0) return undefined; // EPIPE
    return (flow) => flow.write(count, file.waits);
  }

  #admitsMove(operation: Operation, file: OpenFile, sleeping: Sleeping): boolean {
    const { channel } = file;
    const action = this.#actionOf(operation, file);
    if (!action) return true;
    if (!channel.sized) return false;
    const sleepers = this.#sleepersAt(channel, sleeping);
    const polls = sleepers.some(({ name }) => name === "poll");
    if (!channel.model.agrees(action, polls)) return false;
    const waits = channel.model.foresee(action).startsWith("waits");
    // Our reader may have made room again by the time that a write goes on, and Linux's cannot.
    const mayGoOn = operation.name === "write" && !file.waits && sleepers.some(({ name }) => name === "read");
    if (mayGoOn && channel.model.foresee(action).split(",")[0] !== String(operation.args[2])) return false;
    if (waits && (polls || sleepers.some(({ name }) => name === operation.name))) return false;
    if (isGoodPointer(operation.args[1])) return true;
    if (operation.name === "write" && !this.#context.efaultIsClean) return false;
    return !waits && sleepers.length === 0;
  }

  #admitsControl({ args }: Operation, file: OpenFile, sleeping: Sleeping): boolean {
    const { channel } = file;
    const command = args[1];
    if (channel.kind === "queue") return true;
    // A call that waits would see its own flags change.
    if (command === is.F_SETFL) return !this.#isWaitedFor(channel, sleeping);
    if (command === is.F_GETPIPE_SZ) return channel.sized;
    if (command !== is.F_SETPIPE_SZ || !channel.sized) return true;
    const capacity = capacityOf(args[2] as number);
    return capacity === undefined || channel.model.agrees((flow) => flow.resize(capacity), true);
  }

  #admitsOpen(operation: Operation): boolean {
    const flags = operation.args[operation.name === "open" ? 1 : 2] as number;
    const path = pathIn(operation);
    if (isDirectory(path)) return (flags & is.O_ACCMODE) !== is.O_RDONLY; // to read it is not our matter
    const name = fifoIn(path);
    if (flags & is.O_CREAT && this.#context.protectsFifos) return false;
    return !(flags & is.O_CREAT) || (name !== undefined && this.fifos.has(name)); // else it makes a regular file
  }

  #moved(operation: Operation, result: Observation["result"]): void {
    const { task, args } = operation;
    const file = this.fileOf(task, args[0]);
    if (!file || file.channel.kind === "queue") return;
    const { model } = file.channel;
    if (this.#moving.delete(operation)) {
      // Where it was served the model has let go of it already; else it was interrupted, or the other end is closed.
      if (operation.name === "read") model.forgetReader();
      else model.forgetWriter();
      return;
    }
    if (result === "sleeps") this.#moving.add(operation);
    const serves = result === "sleeps" || (result > 0 && isGoodPointer(args[1]));
    const action = serves ? this.#actionOf(operation, file) : undefined;
    if (!action) return;
    const expected = model.apply(action).split(",")[0];
    if (expected !== (result === "sleeps" ? "waits" : String(result))) {
      if (!(operation.name === "write" && result === args[2] && expected === "waits")) {
        throw new Error(`the model of Linux's pipe expected ${expected}, not ${result}`);
      }
    }
  }

  #opened(operation: Operation, result: Observation["result"]): void {
    const file = this.#opening.get(operation) ?? this.#fileToOpen(operation);
    if (!file) return;
    if (result === "sleeps") this.#opening.set(operation, file);
    if (typeof result === "number" && result < 0 && !this.#opening.has(operation)) return;
    if (!this.#opening.has(operation) || result === "sleeps") this.#count(file, 1);
    if (result === "sleeps") return;
    this.#opening.delete(operation);
    if (result < 0) {
      this.#count(file, -1);
      return;
    }
    const flags = operation.args[operation.name === "openat" ? 2 : 1] as number;
    this.#table.name(namedBy(operation) as string, result);
    this.#table.open(operation.task, result, { file, closesOnExec: (flags & is.O_CLOEXEC) !== 0 });
    file.references++;
  }

  #fileToOpen(operation: Operation): OpenFile | undefined {
    const flags = operation.args[operation.name === "openat" ? 2 : 1] as number;
    const mode = flags & is.O_ACCMODE;
    const common = { reads: mode !== is.O_WRONLY, writes: mode !== is.O_RDONLY, waits: !(flags & is.O_NONBLOCK) };
    if (operation.name === "mq_open") {
      const name = pathIn(operation);
      const channel = this.#queues.get(name) ?? newChannel("queue");
      this.#queues.set(name, channel);
      return { channel, ...common, references: 0 };
    }
    const channel = this.fifos.get(fifoIn(pathIn(operation)) ?? "");
    return channel && { channel, ...common, references: 0 };
  }

  #count({ channel, reads, writes }: OpenFile, difference: 1 | -1): void {
    if (reads) channel.readers += difference;
    if (writes) channel.writers += difference;
    if (channel.readers > 0 || channel.writers > 0 || channel.kind === "queue") return;
    channel.sized = false;
    channel.model.empty();
  }

  #madePipe({ task, name, args, made: names = [] }: Operation, made: readonly number[]): void {
    const flags = name === "pipe2" ? (args[1] as number) : 0;
    const channel = newChannel("pipe");
    made.forEach((descriptor, i) => {
      const file = { channel, reads: i === 0, writes: i === 1, waits: !(flags & is.O_NONBLOCK), references: 1 };
      this.#count(file, 1);
      this.#table.name(names[i]?.symbol ?? "", descriptor);
      this.#table.open(task, descriptor, { file, closesOnExec: (flags & is.O_CLOEXEC) !== 0 });
    });
  }

  #duplicated(operation: Operation, descriptor: number, closesOnExec: boolean): void {
    const { task, args } = operation;
    const file = this.fileOf(task, args[0]);
    if (!file) return;
    const symbol = namedBy(operation);
    if (symbol) this.#table.name(symbol, descriptor);
    const before = this.#table.close(task, { descriptor });
    file.references++;
    this.#release(before);
    this.#table.open(task, descriptor, { file, closesOnExec });
  }

  #controlled(operation: Operation, result: number): void {
    const { task, args } = operation;
    const entry = this.#table.get(task, args[0]);
    const [, command, value] = args as [Operand, number, number];
    if (!entry) return;
    const { channel } = entry.file;
    if (command === is.F_DUPFD || command === is.F_DUPFD_CLOEXEC) {
      this.#duplicated(operation, result, command === is.F_DUPFD_CLOEXEC);
    } else if (command === is.F_SETFD) entry.closesOnExec = (value & 1) !== 0;
    else if (command === is.F_SETFL) entry.file.waits = !(value & is.O_NONBLOCK);
    else if (command === is.F_SETPIPE_SZ && channel.kind === "pipe") {
      channel.sized = true;
      channel.model.apply((flow) => flow.resize(result));
    }
  }

  #inherited(task: number, from: number): void {
    for (const descriptor of [...this.#table.entriesOf(task).keys()]) {
      this.#release(this.#table.close(task, { descriptor }));
    }
    for (const [descriptor, { file, closesOnExec }] of this.#table.entriesOf(from)) {
      if (closesOnExec) continue;
      file.references++;
      this.#table.open(task, descriptor, { file, closesOnExec: false });
    }
  }

  #release(entry: Entry | undefined): void {
    if (entry && --entry.file.references === 0) this.#count(entry.file, -1);
  }
}

const newChannel = (kind: Channel["kind"]): Channel => ({
  kind,
  model: new PipeModel(PAGE),
  sized: false,
  readers: 0,
  writers: 0,
});

/** The size that a request for so many bytes gives; undefined where it is refused. */
export function capacityOf(bytes: number): number | undefined {
  const wanted = bytes >>> 0;
  return wanted > 2 ** 20 ? undefined : 2 ** Math.ceil(Math.log2(Math.max(PAGE, wanted)));
}

const isGoodPointer = (operand: Operand | undefined): boolean =>
  typeof operand === "object" && "at" in operand && operand.at < 100_000;
