// Runs a sequence of operations on both sides and compares them, one by one: what each call gave or that it sleeps, what it
// wrote, and which calls that slept before have come back because of it.

import { errnoName } from "../../src/abi/errno.ts";
import type { Crew } from "./crew.ts";
import { IDLE, LINUX, OURS, type SideIndex } from "./mailbox.ts";
import { interruptThread } from "./native.ts";
import { numbers, type Operand, type Operation, printed } from "./operation.ts";
import { type Names, read } from "./structures.ts";

/** Where the two sides differ. */
export interface Mismatch {
  readonly index: number;
  readonly operation: Operation;
  readonly linux: string;
  readonly ours: string;
}

/** What an operation, or a call that slept before, came to. */
export interface Observation {
  readonly operation: Operation;
  readonly result: number | "sleeps";
}

const DESCRIPTOR_SHIFT = 200;
const UNKNOWN_SYMBOL = 9999;
const UNTOUCHED = 0xaa;

export class Sequence implements Names {
  readonly #crew: Crew;
  readonly #keyBase: number;
  readonly #directory: string;
  /** What each side calls a symbol. */
  readonly #symbols = [new Map<string, bigint>(), new Map<string, bigint>()] as const;
  /** Operations whose call sleeps, by task. */
  readonly #sleeping = new Map<number, Operation>();
  #side: SideIndex = LINUX;
  #index = 0;

  constructor(crew: Crew, keyBase: number, directory: string) {
    this.#directory = directory;
    this.#crew = crew;
    this.#keyBase = keyBase;
  }

  get sleeping(): ReadonlyMap<number, Operation> {
    return this.#sleeping;
  }

  hasSymbol(name: string): boolean {
    return this.#symbols[LINUX].has(name);
  }

  /** Runs one operation by both sides. */
  run(operation: Operation): { mismatch?: Mismatch; observations: Observation[] } {
    if (this.#sleeping.has(operation.task) || this.#touchesNothing(operation)) return { observations: [] };
    const before = new Map(this.#sleeping);
    const linux = this.#runOn(LINUX, operation, before);
    const ours = this.#runOn(OURS, operation, before);
    this.#sleeping.clear();
    for (const [task, of] of [...linux.sleeping, ...ours.sleeping]) this.#sleeping.set(task, of);
    const index = this.#index++;
    if (linux.text === ours.text) return { observations: linux.observations };
    return { mismatch: { index, operation, linux: linux.text, ours: ours.text }, observations: linux.observations };
  }

  /** After the tasks were replaced. */
  forgetSleepers(): void {
    this.#sleeping.clear();
  }

  /** Tasks whose call does not return though it was interrupted. */
  interruptAll(): number[] {
    const stuck: number[] = [];
    for (const [task] of this.#sleeping) {
      for (const side of [LINUX, OURS] as const) {
        if (this.#crew.slot(task, side).state === IDLE) continue; // after a mismatch, one side alone sleeps
        this.#interrupt(task, side);
        if (!this.#crew.settles(task, side)) stuck.push(task);
        this.#crew.slot(task, side).state = IDLE;
      }
    }
    this.#sleeping.clear();
    return stuck;
  }

  taskOf(pid: number): string {
    if (pid === 0) return "nobody";
    for (let task = 0; task < this.#crew.count; task++) {
      const slot = this.#crew.slot(task, this.#side);
      if ((this.#side === LINUX ? slot.pid : slot.kernelPid) === pid) return `task ${task}`;
    }
    return "a stranger";
  }

  keyOf(key: number): string {
    return key === 0 ? "private" : String(key - this.#keyBase);
  }

  /** Memory that is not attached, as in a sequence of which a part was left out: Linux would end the task. */
  #touchesNothing({ name, args }: Operation): boolean {
    if (name !== "peek" && name !== "poke") return false;
    return !this.hasSymbol((args[0] as { symbol: string }).symbol);
  }

  #interrupt(task: number, side: SideIndex): void {
    const slot = this.#crew.slot(task, side);
    if (side === LINUX) interruptThread(slot.pid, slot.thread);
    else this.#crew.kernel.interrupt(slot.kernelPid);
  }

  #runOn(
    side: SideIndex,
    operation: Operation,
    before: ReadonlyMap<number, Operation>,
  ): { text: string; observations: Observation[]; sleeping: Map<number, Operation> } {
    this.#side = side;
    const observations: Observation[] = [];
    const sleeping = new Map<number, Operation>();
    const texts: string[] = [];
    const settle = (task: number, of: Operation, label: string): void => {
      if (this.#crew.settles(task, side)) {
        const { text, result } = this.#finish(side, task, of);
        texts.push(`${label}${text}`);
        observations.push({ operation: of, result });
        sleeping.delete(task); // what slept in the last look may have been woken by what came back since
        this.#crew.slot(task, side).state = IDLE;
      } else {
        sleeping.set(task, of);
        if (label === "") texts.push("sleeps");
        if (label === "") observations.push({ operation: of, result: "sleeps" });
      }
    };
    if (operation.name === "interrupt") {
      const target = operation.args[0] as number;
      if (before.has(target)) this.#interrupt(target, side);
      texts.push("interrupted");
    } else {
      this.#begin(side, operation);
      settle(operation.task, operation, "");
    }
    for (let changed = true; changed; ) {
      changed = false;
      for (const [task, of] of before) {
        if (observations.some((seen) => seen.operation === of)) continue;
        const known = observations.length;
        settle(task, of, `, and task ${task}'s ${of.name}: `);
        changed ||= observations.length > known;
      }
    }
    const [own, ...others] = texts;
    return { text: [own, ...others.sort()].join(""), observations, sleeping };
  }

  #begin(side: SideIndex, operation: Operation): void {
    const slot = this.#crew.slot(operation.task, side);
    const { scratch } = slot;
    for (const { at, bytes, keep } of operation.outputs ?? []) if (!keep) scratch.fill(UNTOUCHED, at, at + bytes);
    for (const { at, name } of operation.paths ?? []) {
      const path = name === "" ? "" : `${side === LINUX ? this.#directory : "/"}${name}`;
      scratch.set(Buffer.from(`${path}\0`, "latin1"), at);
    }
    for (const { at, bytes } of operation.writes ?? []) scratch.set(bytes, at);
    const view = new DataView(scratch.buffer, scratch.byteOffset, scratch.length);
    for (const { at, value } of operation.patches ?? []) {
      view.setInt32(at, Number(BigInt.asIntN(32, this.#value(side, operation.task, value))), true);
    }
    const args = operation.args.map((operand) => this.#value(side, operation.task, operand));
    slot.want(numbers[operation.name], args);
  }

  #value(side: SideIndex, task: number, operand: Operand): bigint {
    if (typeof operand === "bigint") return operand;
    if (typeof operand === "number") return BigInt(Math.trunc(operand));
    if ("at" in operand) return BigInt(operand.at) + (side === LINUX ? this.#crew.slot(task, side).base : 0n);
    if ("symbol" in operand) return this.#symbols[side].get(operand.symbol) ?? BigInt(UNKNOWN_SYMBOL);
    if ("key" in operand) return BigInt(operand.key + this.#keyBase);
    return BigInt(operand.descriptor + (side === LINUX ? DESCRIPTOR_SHIFT : 0));
  }

  #finish(side: SideIndex, task: number, operation: Operation): { text: string; result: number } {
    const slot = this.#crew.slot(task, side);
    const result = Number(slot.result);
    const { scratch } = slot;
    const outputs = (operation.outputs ?? []).map(({ at, bytes, as }) => read(as, scratch.slice(at, at + bytes), this));
    if (result < 0) return { text: [errnoName(result), ...outputs].join(" "), result };
    const view = new DataView(scratch.buffer, scratch.byteOffset, scratch.length);
    for (const { at, symbol } of operation.made ?? []) this.#symbols[side].set(symbol, BigInt(view.getInt32(at, true)));
    return { text: [this.#resultText(side, operation, result), ...outputs].join(" "), result };
  }

  #resultText(side: SideIndex, operation: Operation, result: number): string {
    const as = operation.result;
    if (as === undefined) return String(result);
    if (as === "ignored") return "something";
    if (as === "pid") return this.taskOf(result);
    if (as === "descriptor") return String(result - (side === LINUX ? DESCRIPTOR_SHIFT : 0));
    return this.#named(side, as.symbol, BigInt(result));
  }

  /** A result that has a name on this side has the same on the other, or is new to both. */
  #named(side: SideIndex, symbol: string, value: bigint): string {
    if (symbol.startsWith("address")) {
      this.#symbols[side].set(symbol, value); // where there is room for a segment is each side's own business
      return "an address";
    }
    for (const [name, known] of this.#symbols[side]) {
      if (known === value && name.split(" ")[0] === symbol.split(" ")[0]) {
        this.#symbols[side].set(symbol, value);
        return `the same as ${name}`;
      }
    }
    this.#symbols[side].set(symbol, value);
    return "a new one";
  }
}

export const mismatchText = ({ operation, linux, ours }: Mismatch): string =>
  `${printed(operation)} → Linux ${linux}, ours ${ours}`;
