// How a command line names an object:
//
//   NAME            by its name, where only one kind has it
//   KIND:NAME       queue:jobs, mutex:accounts, fifo:log
//   key:0x4d2       by its System V key, where only one kind has it; KIND:key:0x4d2
//   id:17, #17      by its id, as fanga ls and msgget(2) tell it ("#" is a comment to a shell, unless it is quoted)

import { kindWords, type ObjectKind } from "../api/object-kinds.ts";
import type { Arguments } from "./arguments.ts";
import { hint } from "./nearest.ts";

/** What was typed, taken apart: a name, a key, or an id. */
export interface ObjectName {
  readonly text: string;
  /** The kinds that it may be of; undefined: any. */
  readonly kinds: readonly ObjectKind[] | undefined;
  readonly name?: string;
  readonly key?: number;
  readonly id?: number;
}

/** Words for kinds: those that fanga ls shows, and what else people type. */
const kindsByWord: { readonly [word: string]: readonly ObjectKind[] } = {
  ...Object.fromEntries(kindWords.map((kind) => [kind, [kind]])),
  queue: ["queue", "sysv-queue"],
  mq: ["queue"],
  msg: ["sysv-queue"],
  sem: ["semaphore", "semaphore-set"],
  semaphores: ["semaphore-set"],
  segment: ["shm"],
  "shared-memory": ["shm"],
  lock: ["mutex", "rwlock"],
  cond: ["condition"],
};

/** Takes a word of the command line apart; `kinds` are those that the command works on. */
export function parseObjectName(given: Arguments, text: string, kinds?: readonly ObjectKind[]): ObjectName {
  const wholeId = /^(?:#|id:)(.*)$/.exec(text)?.[1];
  if (wholeId !== undefined) return { text, kinds, id: numberIn(given, text, wholeId, "an id, such as id:17") };
  const [, word, behind] = /^([^:]*):(.*)$/s.exec(text) ?? [];
  if (word === undefined || behind === undefined) return { text, kinds, name: nonEmpty(given, text, text) };
  if (word === "key") return { text, kinds, key: keyIn(given, text, behind) };
  const typed = Object.hasOwn(kindsByWord, word) ? kindsByWord[word] : undefined;
  if (!typed) {
    const remedy = hint(word, Object.keys(kindsByWord), (kind) => `"${kind}:${behind}"`);
    throw given.wrong(`"${text}" begins with no kind${remedy || `: type one of ${kindWords.join(", ")} before ":"`}`);
  }
  const both = typed.filter((kind) => kinds === undefined || kinds.includes(kind));
  if (both.length === 0) throw given.wrong(`"${text}" is no ${(kinds as string[]).join(" or ")}: type another kind`);
  if (behind.startsWith("key:")) return { text, kinds: both, key: keyIn(given, text, behind.slice("key:".length)) };
  return { text, kinds: both, name: nonEmpty(given, text, behind) };
}

const KEY_MAX = 0xffffffff;

/** A key as System V's calls take it: 32 bits with a sign. */
function keyIn(given: Arguments, text: string, digits: string): number {
  const key = numberIn(given, text, digits, "a key, such as key:0x4d2");
  if (key === 0 || key > KEY_MAX) throw given.wrong(`"${text}" is no key: it is from 0x1 to 0xffffffff`);
  return key | 0;
}

function numberIn(given: Arguments, text: string, digits: string, what: string): number {
  if (/^(?:\d+|0x[0-9a-f]+)$/i.test(digits)) return Number(digits);
  throw given.wrong(`"${text}" does not hold ${what}`);
}

function nonEmpty(given: Arguments, text: string, name: string): string {
  if (name === "") throw given.wrong(`"${text}" names no object: type NAME, KIND:NAME, key:0xKEY or id:ID`);
  return name;
}
