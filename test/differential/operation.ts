// An operation of the differential test: one call by one task, as data, so that it can be run on both sides, taken out of its
// sequence, and printed.

import type { CallName } from "./calls.ts";
import type { View } from "./views.ts";

/** What an argument is; each side makes its own number of it. */
export type Operand =
  | number
  | bigint
  /** An offset in the task's scratch memory. */
  | { readonly at: number }
  /** What an earlier operation made: a descriptor, an id, an address, and so many bytes behind it. */
  | { readonly symbol: string; readonly plus?: number }
  /** The pid of a task of the run; with `isGroup` below 0, as kill(2) names a group. */
  | { readonly pidOf: number; readonly isGroup?: boolean }
  /** A descriptor by its number. The first that a task can get is 0 here; each side has others below it. */
  | { readonly descriptor: number }
  /** A key, relative to the keys of this run. */
  | { readonly key: number };

/** What is put into scratch memory before a call. */
export interface Input {
  readonly at: number;
  /** Bytes; or the low 32 bits of an operand; or a `struct timespec` so many milliseconds from now. */
  readonly value: Uint8Array | { readonly word: Operand } | { readonly inMilliseconds: number };
}

/** What a call may write, and how it is compared. What it left alone counts too. */
export interface Output {
  readonly at: number;
  readonly bytes: number;
  readonly as: View;
}

export interface Operation {
  readonly task: number;
  readonly name: CallName;
  readonly args: readonly Operand[];
  readonly inputs?: readonly Input[];
  readonly outputs?: readonly Output[];
  /**
   * What a good result is: by default a number that must agree; or something that gets a name and may be another number on
   * each side (an id, an address), or must be the same (a descriptor). Or its sign alone; or a pid; or any, if it is no error.
   */
  readonly result?:
    | { readonly names: string; readonly as: "queue" | "segment" | "set" | "address" | "descriptor" }
    | "sign"
    | "task"
    | "any";
  /** Descriptors that are found in scratch memory afterwards, and get names: those of pipe. */
  readonly made?: readonly { readonly at: number; readonly symbol: string }[];
  /** It returns by itself, if late: wait for that, though it sleeps. */
  readonly returns?: true;
}

/** How a call ended on Linux, for those who draw the next; a descriptor as `Operand` counts; `sleeps` where it has not. */
export type Result = number | "sleeps";

/** An operation, and what came of it on Linux. */
export interface Observation {
  readonly operation: Operation;
  readonly result: Result;
  /** The two descriptors of pipe, as `Operand` counts them. */
  readonly made: readonly number[];
}

/** The name that an operation gives its result. */
export const namedBy = ({ result }: Operation): string | undefined =>
  typeof result === "object" ? result.names : undefined;

export function printed(operation: Operation): string {
  const octal = octalArguments[operation.name] ?? [];
  const args = operation.args.map((operand, i) => printedOperand(operand, octal.includes(i))).join(", ");
  const memory = (operation.inputs ?? []).map(({ at, value }) => `@${at} ${printedInput(value)}`);
  const names = [namedBy(operation), ...(operation.made ?? []).map(({ symbol }) => symbol)].filter(Boolean).join(", ");
  const given = memory.length > 0 ? ` with ${memory.join(", ")}` : "";
  return `task ${operation.task}: ${names ? `${names} = ` : ""}${operation.name}(${args})${given}`;
}

/** Which arguments are flags or modes. */
const octalArguments: { readonly [name in CallName]?: readonly number[] } = {
  open: [1, 2],
  openat: [2, 3],
  pipe2: [1],
  dup3: [2],
  mknod: [1],
  chmod: [1],
  fchmod: [1],
  umask: [0],
  mq_open: [1, 2],
  semget: [2],
  sem_open: [2, 3],
  msgget: [1],
  msgsnd: [3],
  msgrcv: [4],
  shmget: [2],
  shmat: [2],
};

function printedOperand(operand: Operand, octal = false): string {
  if (typeof operand === "number" && octal && operand > 7) return `0${operand.toString(8)}`;
  if (typeof operand === "number" || typeof operand === "bigint") return String(operand);
  if ("at" in operand) return `@${operand.at}`;
  if ("pidOf" in operand) return `${operand.isGroup ? "group" : "task"} ${operand.pidOf}`;
  if ("symbol" in operand) return operand.plus ? `${operand.symbol} + ${operand.plus}` : operand.symbol;
  return "descriptor" in operand ? `descriptor ${operand.descriptor}` : `key ${operand.key}`;
}

function printedInput(value: Input["value"]): string {
  if ("word" in value) return printedOperand(value.word);
  if ("inMilliseconds" in value) return `in ${value.inMilliseconds} ms`;
  return printedBytes(value);
}

/** As a text, a message (its type and text), or numbers. */
function printedBytes(bytes: Uint8Array): string {
  const [whole, rest] = [bytes, bytes.subarray(8)].map((part) => Buffer.from(part).toString("latin1"));
  const isText = (text = ""): boolean => /^[ -~]*\0?$/.test(text);
  if (isText(whole)) return quoted(whole);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length > 8 && isText(rest)) return `${view.getBigInt64(0, true)} ${quoted(rest)}`;
  const size = bytes.length % 8 === 0 ? 8 : 4;
  const numbers = Array.from({ length: Math.floor(bytes.length / size) }, (_, i) =>
    size === 8 ? view.getBigInt64(8 * i, true) : view.getInt32(4 * i, true),
  );
  return `[${numbers.join(" ")}]`;
}

function quoted(text = ""): string {
  const short = text.replace(/\0$/, "");
  return JSON.stringify(short.length > 48 ? `${short.slice(0, 40)}… (${short.length})` : short);
}
