// An operation of the differential test: one call by one task, as data, so that it can be run on both sides, taken out of its
// sequence, and printed.

import type { View } from "./structures.ts";

/** What an argument is; each side makes its own number of it. */
export type Operand =
  | number
  | bigint
  /** An offset in the task's scratch memory. */
  | { readonly at: number }
  /** What an earlier operation made: a descriptor, an id, an address. */
  | { readonly symbol: string }
  /** A number of a descriptor that is chosen by the caller (dup2), and shifted on Linux, where low ones are the host's. */
  | { readonly descriptor: number }
  /** A key, relative to the keys of this run. */
  | { readonly key: number };

export interface Operation {
  readonly task: number;
  readonly name: CallName;
  readonly args: readonly Operand[];
  /** Bytes that are in scratch memory before the call. */
  readonly writes?: readonly { readonly at: number; readonly bytes: Uint8Array }[];
  /** 32-bit words in scratch memory that hold symbols, such as the descriptors of poll. */
  readonly patches?: readonly { readonly at: number; readonly value: Operand }[];
  /** What the call may have written, and how it is compared. */
  readonly outputs?: readonly {
    readonly at: number;
    readonly bytes: number;
    readonly as: View;
    /** What is there before the call stays: it is an input too. */
    readonly keep?: boolean;
  }[];
  /** Paths of FIFOs: each side has a directory of its own. */
  readonly paths?: readonly { readonly at: number; readonly name: string }[];
  /** What a good result is: a number that must agree, or something that gets a name. */
  readonly result?: { readonly symbol: string } | "descriptor" | "pid" | "ignored";
  /** Symbols that are found in scratch memory afterwards: pipe's two descriptors. */
  readonly made?: readonly { readonly at: number; readonly symbol: string }[];
}

/** Calls by their number on Linux x86-64; those from 10000 are the harness's own. */
export const numbers = {
  read: 0,
  write: 1,
  open: 2,
  close: 3,
  poll: 7,
  ioctl: 16,
  pipe: 22,
  shmget: 29,
  shmat: 30,
  shmctl: 31,
  dup: 32,
  dup2: 33,
  shmdt: 67,
  msgget: 68,
  msgsnd: 69,
  msgrcv: 70,
  msgctl: 71,
  fcntl: 72,
  unlink: 87,
  chmod: 90,
  fchmod: 91,
  chown: 92,
  fchown: 93,
  umask: 95,
  getuid: 102,
  getgid: 104,
  setuid: 105,
  setgid: 106,
  geteuid: 107,
  getegid: 108,
  getgroups: 115,
  setgroups: 116,
  setresuid: 117,
  getresuid: 118,
  setresgid: 119,
  getresgid: 120,
  mknod: 133,
  mq_open: 240,
  mq_unlink: 241,
  mq_timedsend: 242,
  mq_timedreceive: 243,
  mq_notify: 244,
  mq_getsetattr: 245,
  dup3: 292,
  pipe2: 293,
  /** interrupt(task): makes the blocked call of another task return EINTR. */
  interrupt: 10_000,
  /** peek(address, scratch, length) and poke: through an attached segment. */
  peek: 10_001,
  poke: 10_002,
} as const;

export type CallName = keyof typeof numbers;

/** What became of an operation on one side. */
export type Outcome = { readonly blocks: true } | { readonly blocks: false; readonly result: string };

export function printed(operation: Operation): string {
  const args = operation.args.map(printedOperand).join(", ");
  const writes = (operation.writes ?? []).map(({ at, bytes }) => `@${at}=${printedBytes(bytes)}`);
  const patches = (operation.patches ?? []).map(({ at, value }) => `@${at}=${printedOperand(value)}`);
  const paths = (operation.paths ?? []).map(({ at, name }) => `@${at}=path ${JSON.stringify(name)}`);
  const memory = [...paths, ...writes, ...patches].join(" ");
  const name = typeof operation.result === "object" ? `${operation.result.symbol} = ` : "";
  return `task ${operation.task}: ${name}${operation.name}(${args})${memory ? ` with ${memory}` : ""}`;
}

function printedOperand(operand: Operand): string {
  if (typeof operand === "number" || typeof operand === "bigint") return String(operand);
  if ("at" in operand) return `@${operand.at}`;
  if ("symbol" in operand) return operand.symbol;
  return "descriptor" in operand ? `descriptor ${operand.descriptor}` : `key ${operand.key}`;
}

function printedBytes(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString("latin1");
  const short = text.length > 48 ? `${text.slice(0, 40)}… (${text.length})` : text;
  return JSON.stringify(short);
}
