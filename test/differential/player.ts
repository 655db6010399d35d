// Plays operations on one side: makes the calls, waits until everything is at rest, and says what came of them in words that can
// be compared with the other side's.

import { errnoName } from "../../src/abi/errno.ts";
import { LIBRARY_NUMBERS, numbers, OWN_NUMBERS } from "./calls.ts";
import { IDLE, SCRATCH_BYTES } from "./mailbox.ts";
import { type Input, namedBy, type Operand, type Operation, type Result } from "./operation.ts";
import type { Side, Standing } from "./side.ts";
import { Symbols } from "./symbols.ts";
import { THREW } from "./task-start.ts";
import { type Names, read, UNTOUCHED } from "./views.ts";

/** Calls that send signals. */
const sends = new Set(["kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"]);

/** What an operation came to, or a call that slept before and has returned because of it. */
export interface Ending {
  readonly operation: Operation;
  readonly result: Result;
  readonly made: readonly number[];
  /** For comparison. */
  readonly text: string;
}

export class Player implements Names {
  readonly side: Side;
  readonly #symbols: Symbols;
  /** Calls that sleep, by task. */
  readonly #sleeping = new Map<number, Operation>();
  /** Segments that are attached: the task, and the address's name. */
  readonly attached = new Set<readonly [task: number, symbol: string]>();
  /** Tasks that cannot be used any more. */
  readonly broken = new Set<number>();

  constructor(side: Side, keyBase: number) {
    this.side = side;
    this.#symbols = new Symbols(side, keyBase);
  }

  get sleeping(): ReadonlyMap<number, Operation> {
    return this.#sleeping;
  }

  get symbols(): Symbols {
    return this.#symbols;
  }

  /** The operation's own ending first, then those of calls that slept, by task. */
  play(operation: Operation): Ending[] {
    const slept = [...this.#sleeping].sort(([a], [b]) => a - b);
    const own = this.#start(operation);
    const ended = sends.has(operation.name) ? this.#deliverToIdle() : [];
    this.side.settleChildren();
    // What the call woke may wake it: how it stands is known when all are at rest.
    if (own.result === "sleeps") slept.push([operation.task, operation]);
    const endings = this.#untilRest(slept);
    const others = slept.flatMap(([task, of]) => (of === operation ? [] : (endings.get(task) ?? [])));
    return [own.result === "sleeps" ? (endings.get(operation.task) ?? own) : own, ...others, ...ended];
  }

  /** The death of a task, which ends nothing of its own, and what comes of it for others. */
  async kill(operation: Operation): Promise<Ending[]> {
    await this.replace(operation.task);
    const slept = [...this.#sleeping].sort(([a], [b]) => a - b);
    const endings = this.#untilRest(slept);
    return [{ operation, result: 0, made: [], text: "0" }, ...slept.flatMap(([other]) => endings.get(other) ?? [])];
  }

  /** Kills a task, whatever it is in, and starts another in its place. */
  async replace(task: number): Promise<void> {
    this.#sleeping.delete(task);
    this.broken.delete(task);
    await this.side.replace(task);
  }

  taskOf(pid: number): string {
    if (pid === 0) return "nobody";
    const child = this.#symbols.childOf(pid);
    if (child !== undefined) return child;
    for (let task = 0; task < this.side.count; task++) if (this.side.isPidOf(task, pid)) return `task ${task}`;
    return "a stranger";
  }

  keyOf(key: number): string {
    return this.#symbols.keyOf(key);
  }

  descriptorOf(descriptor: number): number {
    return descriptor - this.side.firstDescriptor;
  }

  /**
   * A task that does nothing runs its handlers when the system comes to it: now, so that what was sent first is not merged.
   * Returns what came of those that a signal has ended or stopped.
   */
  #deliverToIdle(): Ending[] {
    const ended: Ending[] = [];
    for (let task = 0; task < this.side.count; task++) {
      if (this.#sleeping.has(task) || this.broken.has(task)) continue;
      this.side.begin(task, numbers.deliver, []);
      const standing = this.side.settle(task, true);
      this.side.slot(task).state = IDLE;
      if (standing === "back") continue;
      this.broken.add(task);
      ended.push({ operation: { task, name: "deliver", args: [] }, result: "sleeps", made: [], text: standing });
    }
    return ended;
  }

  #start(operation: Operation): Ending {
    const { task, name, args } = operation;
    if (name === "interrupt") {
      if (this.#sleeping.has(args[0] as number)) this.side.interrupt(args[0] as number);
      return { operation, result: 0, made: [], text: "0" };
    }
    if (name === "end_child") {
      const [pid = 0, code = 0] = args.map((operand) => Number(this.#symbols.valueOf(operand, task)));
      this.side.endChild(pid, code);
      return { operation, result: 0, made: [], text: "0" };
    }
    if (name === "spawn") {
      this.side.slot(task).result = this.side.spawn(task);
      return this.#ending(operation, "back");
    }
    this.#fill(operation);
    const values =
      name === "inherit"
        ? this.side.inheritance(task, args[0] as number)
        : args.map((operand) => this.#symbols.valueOf(operand, task));
    this.side.begin(task, numbers[name], values);
    const isOwn = numbers[name] >= OWN_NUMBERS && numbers[name] < LIBRARY_NUMBERS;
    const returns = operation.returns === true || isOwn;
    return this.#ending(operation, this.side.settle(task, returns));
  }

  /**
   * A call wakes others before it returns, and these may wake more. All that slept are looked at until, in one whole round, each
   * was found at rest at once: whoever moves is moved by another that moves.
   */
  #untilRest(slept: readonly (readonly [number, Operation])[]): ReadonlyMap<number, Ending> {
    const endings = new Map<number, Ending>();
    for (let moved = slept.length > 0, round = 0; moved || round < 2; round++) {
      moved = false;
      for (const [task, operation] of slept) {
        if (endings.has(task) || this.broken.has(task)) continue;
        const standing = this.side.settle(task, false);
        if (standing === "sleeps") continue;
        moved = true;
        endings.set(task, this.#ending(operation, standing));
      }
    }
    return endings;
  }

  #ending(operation: Operation, standing: Standing): Ending {
    const { task } = operation;
    if (standing === "sleeps") {
      this.#sleeping.set(task, operation);
      return { operation, result: "sleeps", made: [], text: "sleeps" };
    }
    this.#sleeping.delete(task);
    if (standing !== "back") {
      this.broken.add(task);
      return { operation, result: "sleeps", made: [], text: standing };
    }
    const { result } = this.side.slot(task);
    const made = result < 0 ? [] : this.#named(operation);
    if (result >= 0) this.#keepAttached(operation);
    const texts = [this.#resultText(operation, result), ...this.#written(operation)];
    this.side.slot(task).state = IDLE;
    const isDescriptor = result >= 0 && typeof operation.result === "object" && operation.result.as === "descriptor";
    return { operation, result: isDescriptor ? this.descriptorOf(result) : result, made, text: texts.join(" ") };
  }

  #fill({ task, inputs = [], outputs = [] }: Operation): void {
    const { scratch } = this.side.slot(task);
    for (const { at, bytes } of outputs) scratch.fill(UNTOUCHED, at, Math.min(at + bytes, SCRATCH_BYTES));
    for (const input of inputs) this.#put(task, input);
  }

  #put(task: number, { at, value }: Input): void {
    const { scratch, view } = this.side.slot(task);
    if ("word" in value) {
      view.setInt32(at, Number(BigInt.asIntN(32, this.#symbols.valueOf(value.word, task))), true);
    } else if ("inMilliseconds" in value) {
      const when = Date.now() + value.inMilliseconds;
      view.setBigInt64(at, BigInt(Math.floor(when / 1000)), true);
      view.setBigInt64(at + 8, BigInt((when % 1000) * 1_000_000), true);
    } else scratch.set(value, at);
  }

  #named({ task, made = [] }: Operation): number[] {
    const { view } = this.side.slot(task);
    return made.map(({ at, symbol }) => {
      const descriptor = view.getInt32(at, true);
      this.#symbols.name(symbol, "descriptor", descriptor);
      return this.descriptorOf(descriptor);
    });
  }

  #keepAttached(operation: Operation): void {
    const symbol = operation.name === "shmat" ? namedBy(operation) : undefined;
    if (symbol !== undefined) this.attached.add([operation.task, symbol]);
    if (operation.name !== "shmdt") return;
    const gone = this.#symbols.valueOf(operation.args[0] as Operand, operation.task);
    for (const one of this.attached) {
      if (one[0] !== operation.task || this.#symbols.valueOf({ symbol: one[1] }, one[0]) !== gone) continue;
      this.attached.delete(one);
      this.#symbols.forget(one[1]);
    }
  }

  #resultText({ result: as }: Operation, result: number): string {
    if (result === THREW) return "threw";
    if (result < 0) return errnoName(result);
    if (as === undefined) return String(result);
    if (as === "task") return this.taskOf(result);
    if (as === "any") return "well";
    if (as === "sign") return result > 0 ? "some" : "0";
    return this.#symbols.name(as.names, as.as, result);
  }

  #written({ task, outputs = [] }: Operation): string[] {
    const { scratch } = this.side.slot(task);
    return outputs.map(({ at, bytes, as }) => read(as, scratch.subarray(at, at + bytes), this));
  }
}
