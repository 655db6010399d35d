// What was given to a command, as it asks for it.

import { UsageError } from "./failure.ts";
import type { Option, Options } from "./option.ts";

export type Value = string | boolean | (string | boolean)[];

/** What was given to a command. Asking for what the command has not declared is a programmer's mistake: a TypeError. */
export class Arguments {
  /** The command's full name, such as "shm create": for messages. */
  readonly command: string;
  readonly words: readonly string[];
  /** What stood behind "--", where the command takes that as it is; undefined where there was no "--". */
  readonly rest: readonly string[] | undefined;
  readonly #options: Options;
  readonly #values: { readonly [name: string]: Value | undefined };

  constructor(command: string, options: Options, read: Read) {
    this.command = command;
    this.words = read.words;
    this.rest = read.rest;
    this.#options = options;
    this.#values = read.values;
  }

  /** Whether an option without a value was given. */
  has(name: string): boolean {
    return this.#value(name, "boolean") === true;
  }

  /** An option's value; of one that was given several times, the last. */
  text(name: string): string | undefined {
    const value = this.#value(name, "string");
    return (Array.isArray(value) ? value.at(-1) : value) as string | undefined;
  }

  /** Every value of an option that may be given several times. */
  texts(name: string): readonly string[] {
    const value = this.#value(name, "string");
    return value === undefined ? [] : ([value].flat() as string[]);
  }

  /** A value as a number within bounds, decimal or 0x…: else a UsageError. */
  number(name: string, { least = 0, most = Number.MAX_SAFE_INTEGER, whole = true } = {}): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (!Number.isNaN(value) && value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
    const what = whole ? "a whole number" : "a number";
    const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
    throw this.wrong(`--${name} takes ${what} ${range}, not "${text}"`);
  }

  /** The word of a parameter that must be there: the table has seen to it. */
  word(index: number): string {
    return this.words[index] as string;
  }

  /** An error of the command line, which names this command. */
  wrong(what: string): UsageError {
    return new UsageError(`${this.command}: ${what}`);
  }

  #value(name: string, type: Option["type"]): Value | undefined {
    if (this.#options[name]?.type !== type) throw new TypeError(`${this.command} declares no ${type} option --${name}`);
    return this.#values[name];
  }
}

export interface Read {
  readonly words: readonly string[];
  readonly rest: readonly string[] | undefined;
  readonly values: { readonly [name: string]: Value | undefined };
}
