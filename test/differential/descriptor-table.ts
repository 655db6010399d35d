// What each descriptor of the tasks leads to, as far as a family needs to know it, from what was observed.

import type { Operand } from "./operation.ts";

export class DescriptorTable<T> {
  /** By task and number. */
  readonly #entries: Map<number, T>[];
  /** The number that a name stands for, whether it is still open or not. */
  readonly #numbers = new Map<string, number>();

  constructor(tasks: number) {
    this.#entries = Array.from({ length: tasks }, () => new Map());
  }

  name(symbol: string, descriptor: number): void {
    this.#numbers.set(symbol, descriptor);
  }

  open(task: number, descriptor: number, entry: T): void {
    this.#of(task).set(descriptor, entry);
  }

  /** Returns what it led to. */
  close(task: number, operand: Operand | undefined): T | undefined {
    const number = this.numberOf(operand);
    const entry = number === undefined ? undefined : this.#of(task).get(number);
    if (number !== undefined) this.#of(task).delete(number);
    return entry;
  }

  get(task: number, operand: Operand | undefined): T | undefined {
    const number = this.numberOf(operand);
    return number === undefined ? undefined : this.#of(task).get(number);
  }

  numberOf(operand: Operand | undefined): number | undefined {
    if (typeof operand !== "object") return undefined;
    if ("symbol" in operand) return this.#numbers.get(operand.symbol);
    return "descriptor" in operand ? operand.descriptor : undefined;
  }

  /** A task's descriptors that are open and have a name: the name last given. */
  symbolsOf(task: number): string[] {
    const names = new Map<number, string>();
    for (const [symbol, number] of this.#numbers) if (this.#of(task).has(number)) names.set(number, symbol);
    return [...names.values()];
  }

  entriesOf(task: number): ReadonlyMap<number, T> {
    return this.#of(task);
  }

  #of(task: number): Map<number, T> {
    return this.#entries[task] as Map<number, T>;
  }
}
