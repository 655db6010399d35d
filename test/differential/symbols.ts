// What the names in a sequence stand for on each side: a descriptor is the same number on both, counted from the first that a
// task can get; an id or an address is each side's own.

import type { Operand } from "./operation.ts";
import type { Side } from "./side.ts";

/** Stands for what was never made: no descriptor, no id, no address. */
const NOTHING = 0x7ffffff0;

interface Meaning {
  readonly as: "queue" | "segment" | "set" | "address" | "descriptor" | "child";
  readonly value: number;
}

export class Symbols {
  readonly #side: Side;
  readonly #keyBase: number;
  readonly #meanings = new Map<string, Meaning>();

  constructor(side: Side, keyBase: number) {
    this.#side = side;
    this.#keyBase = keyBase;
  }

  /** An operand as an argument of a call by a task. */
  valueOf(operand: Operand, task: number): bigint {
    if (typeof operand === "bigint") return operand;
    if (typeof operand === "number") return BigInt(operand);
    if ("at" in operand) return BigInt(this.#side.baseOf(task) + operand.at);
    if ("pidOf" in operand) return BigInt(this.#side.pidOf(operand.pidOf) * (operand.isGroup ? -1 : 1));
    if ("key" in operand) return BigInt(this.#keyBase + operand.key);
    if ("descriptor" in operand) return BigInt(this.#side.firstDescriptor + operand.descriptor);
    const { as, value } = this.#meanings.get(operand.symbol) ?? { as: "queue", value: NOTHING };
    if (as === "child" && operand.isGroup) return BigInt(-value);
    return BigInt(value + (as === "descriptor" ? this.#side.firstDescriptor : 0) + (operand.plus ?? 0));
  }

  /** The child that has a pid. */
  childOf(pid: number): string | undefined {
    return [...this.#meanings].find(([, { as, value }]) => as === "child" && value === pid)?.[0];
  }

  has(symbol: string): boolean {
    return this.#meanings.has(symbol);
  }

  forget(symbol: string): void {
    this.#meanings.delete(symbol);
  }

  /** Gives a result its name. Says what is to be compared: a descriptor's number, or what else has the same id. */
  name(symbol: string, as: Meaning["as"], result: number): string {
    const value = as === "descriptor" ? result - this.#side.firstDescriptor : result;
    const known = [...this.#meanings].find(([, other]) => as !== "address" && other.as === as && other.value === value);
    this.#meanings.set(symbol, { as, value });
    if (as === "child" && known) this.#meanings.delete(known[0]); // it was waited for, and its pid has come back
    if (as === "descriptor") return `descriptor ${value}`;
    return known && as !== "child" ? `the same as ${known[0]}` : `a new ${as}`;
  }

  /** All that has been named so. */
  all(as: Meaning["as"]): string[] {
    return [...this.#meanings].filter(([, meaning]) => meaning.as === as).map(([symbol]) => symbol);
  }

  keyOf(key: number): string {
    return key === 0 ? "private" : String(key - this.#keyBase);
  }
}
