// The operations of one semop(2), decoded; and where a waiting task keeps them for those who will do them in its place: the
// first in the wait node that is in the set's list, the others in more nodes of the same owner, six in each.
//
// What a death leaves behind: nodes whose owner is dead, which the reaper frees one by one. Who reads them looks afterwards
// whether all still are the waiting task's; where one is not, its operations are nobody's any more.

import { IPC_NOWAIT, SEM_UNDO } from "../abi/flags.ts";
import { OPERATIONS_MAX } from "../abi/limits.ts";
import { node, OPERATIONS_ALTER, operationsMore, operationsNode } from "../memory/layout.ts";
import { field, type Word, type Words } from "../memory/words.ts";
import type { NodePool } from "../sync/node-pool.ts";
import { NO_NODE, type Node } from "../sync/wait-list.ts";

/** struct sembuf (sem.h). */
export const OPERATION_BYTES = 6;

const OPERATION_WORDS = 2;
const PER_NODE = (operationsMore.WORDS - operationsMore.OPERATIONS) / OPERATION_WORDS;

/** Where wait nodes are: what is read from shared memory leads to one of them, or nowhere. */
export interface NodeTable {
  readonly nodes: Word;
  readonly limits: { readonly waitersMax: number };
}

export class Operations {
  count = 0;
  /** Any changes a value. */
  alters = false;
  /** Any is to be undone when its task dies. */
  undoes = false;
  /** The highest semaphore. */
  highest = 0;
  readonly #indexes = new Uint16Array(OPERATIONS_MAX);
  readonly #changes = new Int16Array(OPERATIONS_MAX);
  readonly #flags = new Int16Array(OPERATIONS_MAX);

  /** The semaphore that an operation is on. */
  index(i: number): number {
    return this.#indexes[i] as number;
  }

  /** What it adds to the value; 0 waits for zero. */
  change(i: number): number {
    return this.#changes[i] as number;
  }

  isUndone(i: number): boolean {
    return ((this.#flags[i] as number) & SEM_UNDO) !== 0;
  }

  mayWait(i: number): boolean {
    return ((this.#flags[i] as number) & IPC_NOWAIT) === 0;
  }

  /** Takes `count` structs from a task's memory. */
  decode(bytes: Uint8Array, start: number, count: number): void {
    this.#clear();
    for (let i = 0, at = start; i < count; i++, at += OPERATION_BYTES) {
      this.#add(halfWord(bytes, at), halfWord(bytes, at + 2), halfWord(bytes, at + 4));
    }
  }

  /** Takes the operations that a waiting task keeps in its nodes; returns whether they are all there. */
  read(words: Words, table: NodeTable, at: Node, semaphores: number): boolean {
    const owner = words.load(field(at, node.OWNER));
    const count = Math.min(words.get(field(at, operationsNode.COUNT)) & (OPERATIONS_ALTER - 1), OPERATIONS_MAX);
    this.#clear();
    this.#addWords(words, field(at, node.SELECT));
    let more = words.get(field(at, operationsNode.MORE));
    while (this.count < count) {
      const from = nodeAt(table, more);
      if (from === NO_NODE) return false;
      const some = Math.min(PER_NODE, count - this.count);
      for (let i = 0; i < some; i++) {
        this.#addWords(words, field(from, operationsMore.OPERATIONS + OPERATION_WORDS * i));
      }
      more = words.get(field(from, operationsMore.NEXT));
      if (words.load(field(from, operationsMore.OWNER)) !== owner) return false; // freed, and perhaps another's
    }
    return owner !== 0 && this.highest < semaphores;
  }

  /** The first, as the selector of a wait node. */
  firstWords(): { low: number; high: number } {
    return { low: this.index(0) | (this.change(0) << 16), high: this.#flags[0] as number };
  }

  /** Keeps the others in nodes claimed for it; returns them, or the pool's error. */
  keep(words: Words, pool: NodePool, at: Node): Node[] | number {
    const kept: Node[] = [];
    words.set(field(at, operationsNode.COUNT), this.count | (this.alters ? OPERATIONS_ALTER : 0));
    words.set(field(at, operationsNode.MORE), NO_NODE);
    let link = field(at, operationsNode.MORE);
    for (let next = 1; next < this.count; next += PER_NODE) {
      const more = pool.claim();
      if (more < 0) {
        for (const one of kept) pool.free(one);
        return more;
      }
      kept.push(more as Node);
      this.#writeTo(words, more as Node, next);
      words.set(link, more);
      link = field(more as Node, operationsMore.NEXT);
    }
    return kept;
  }

  #writeTo(words: Words, more: Node, from: number): void {
    words.set(field(more, operationsMore.NEXT), NO_NODE);
    for (let i = from; i < Math.min(from + PER_NODE, this.count); i++) {
      const at = field(more, operationsMore.OPERATIONS + OPERATION_WORDS * (i - from));
      words.set(at, this.index(i) | (this.change(i) << 16));
      words.set(field(at, 1), this.#flags[i] as number);
    }
  }

  #clear(): void {
    this.count = 0;
    this.highest = 0;
    this.alters = false;
    this.undoes = false;
  }

  #addWords(words: Words, at: Word): void {
    const word = words.get(at);
    this.#add(word & 0xffff, word >> 16, words.get(field(at, 1)));
  }

  #add(index: number, change: number, flags: number): void {
    const i = this.count++;
    this.#indexes[i] = index;
    this.#changes[i] = change;
    this.#flags[i] = flags;
    if (index > this.highest) this.highest = index;
    if (flags & SEM_UNDO) this.undoes = true;
    if (this.#changes[i] !== 0) this.alters = true;
  }
}

const halfWord = (bytes: Uint8Array, at: number): number => (bytes[at] as number) | ((bytes[at + 1] as number) << 8);

/** Whether one of the operations that a waiting task keeps changes a value: else all wait for zero. */
export const alters = (words: Words, at: Node): boolean =>
  (words.get(field(at, operationsNode.COUNT)) & OPERATIONS_ALTER) !== 0;

/** A word that should be a node's: the node, or none. */
export function nodeAt({ nodes, limits }: NodeTable, word: number): Node {
  const index = word - nodes;
  return (index >= 0 && index < limits.waitersMax * node.WORDS && index % node.WORDS === 0 ? word : NO_NODE) as Node;
}
