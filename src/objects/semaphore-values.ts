// The values of a semaphore set, and what SEM_UNDO will add to them. All that one call changes, it changes in one step. Everything
// here is guarded by the lock of the set's monitor, save that a value may be read by all.
//
// A word has two halves: the value as it is, and as it is to be. At rest they are equal.
//
//   stage    the second halves of the words that change, one by one
//   commit   PENDING: one store PUBLISHES the step
//   apply    the first halves become as the second; then PENDING is 0 again
//
// What a death leaves behind, by the last store that stood:
//   before PENDING       second halves that nothing came of: repaired by making them as the first again
//   PENDING              a step that stands: repaired by making every first half as its second, which may be done twice
// One operation without SEM_UNDO changes one word, by one store of both halves, and needs no PENDING.
//
// Adjustments lie in a block of each task that has some. To clear one in all tasks' blocks, the semaphore gets the number of a
// new clearing: an adjustment counts only while it has the same number.

import { EAGAIN, EIDRM, ERANGE } from "../abi/errno.ts";
import { SEMAPHORE_VALUE_MAX } from "../abi/limits.ts";
import { adjustment, operationsNode, semaphoreSet, setMember } from "../memory/layout.ts";
import { field, LINE_WORDS, type Word, type Words } from "../memory/words.ts";
import { NO_NODE, type Node } from "../sync/wait-list.ts";
import { type NodeTable, nodeAt, type Operations } from "./semaphore-operations.ts";

/** What comes of operations that must wait. */
export const BLOCKED = 1;
/** A waiter's RESULT that nobody has decided yet. */
export const UNDECIDED = 1;

/** The RESULT of one whose task has died. */
export const ABANDONED = EIDRM;

/**
 * PENDING's values; any other is the node of the waiter for whom operations were done, whose RESULT becomes 0, or below 0 one
 * from whom they are taken back, whose RESULT becomes ABANDONED.
 */
const NOTHING = 0;
export const OWN = 1;
const SETTING = 2;

const ALL = -1;
const LOW = 0xffff;
const VALUE_BITS = 16;
/** The most that SEM_UNDO may add, and with one more the most that it may take (SEMAEM of sem.h). */
const ADJUSTMENT_MAX = 32_767;

export class SemaphoreValues {
  readonly count: number;
  /** The operation that kept the last ones from being done. */
  blocking = 0;
  readonly #words: Words;
  readonly #nodes: NodeTable;
  readonly #body: Word;
  readonly #pending: Word;
  readonly #undo: Word;

  constructor(words: Words, nodes: NodeTable, body: Word) {
    this.#words = words;
    this.#nodes = nodes;
    this.#body = body;
    this.#pending = field(body, semaphoreSet.PENDING);
    this.#undo = field(body, semaphoreSet.UNDO);
    const room = Math.floor((words.int32.length - body - semaphoreSet.SEMAPHORES) / setMember.WORDS);
    this.count = Math.max(0, Math.min(words.load(field(body, semaphoreSet.COUNT)) >>> 0, room));
  }

  value(index: number): number {
    return this.#words.load(this.#at(index)) & LOW;
  }

  /** The task of the last operation or setting, 0: none. */
  pidOf(index: number): number {
    return this.#words.load(field(this.#at(index), setMember.PID));
  }

  /**
   * Does the operations of the task `pid`, all or none: 0, ERANGE, EAGAIN where one must wait and may not, BLOCKED where it may.
   * `undo` is the task's adjustments. `doneFor` is OWN, or the node of a waiter, whose RESULT becomes 0 in the same step.
   */
  operateLocked(operations: Operations, undo: number, pid: number, doneFor: Word | typeof OWN): number {
    if (operations.count === 1 && doneFor === OWN && !operations.undoes)
      return this.#operateOnceLocked(operations, pid);
    const words = this.#words;
    if (operations.undoes) words.set(this.#undo, undo);
    const { count } = operations;
    for (let i = 0; i < count; i++) {
      const result = this.#stageLocked(operations, i, undo);
      if (result === 0) continue;
      for (let staged = i; staged >= 0; staged--) this.#unstageLocked(operations, staged, undo);
      if (operations.undoes) words.set(this.#undo, 0);
      this.blocking = i;
      return result;
    }
    words.store(this.#pending, doneFor); // PUBLISHES the operations → observed in repairLocked()
    for (let i = 0; i < count; i++) this.#applyOneLocked(operations, i, undo, pid);
    if (doneFor !== OWN) words.store(field(doneFor as Word, operationsNode.RESULT), 0);
    this.#endLocked();
    return 0;
  }

  /** Sets one value, and clears its adjustments in every task. */
  setLocked(index: number, value: number, pid: number): void {
    const words = this.#words;
    const at = this.#at(index);
    words.set(at, staged(words.get(at), value));
    this.#settleLocked(index);
    words.set(field(at, setMember.PID), pid);
  }

  /** The same for all. */
  setAllLocked(wanted: (index: number) => number, pid: number): void {
    const words = this.#words;
    for (let i = 0; i < this.count; i++) {
      const at = this.#at(i);
      words.set(at, staged(words.get(at), wanted(i)));
    }
    this.#settleLocked(ALL);
    for (let i = 0; i < this.count; i++) words.set(field(this.#at(i), setMember.PID), pid);
  }

  /** Adds a dead task's adjustments, each as far as a value goes, and forgets them. Returns whether there were any. */
  undoLocked(undo: number, pid: number): boolean {
    const words = this.#words;
    const adjusted: number[] = [];
    words.set(this.#undo, undo);
    for (let i = 0; i < this.count; i++) {
      const at = this.#at(i);
      const difference = this.#adjustmentLocked(undo, i);
      if (difference === 0) continue;
      adjusted.push(i);
      words.set(at, staged(words.get(at), bounded((words.get(at) & LOW) + difference)));
      const word = adjustmentAt(undo, i);
      words.set(word, staged(words.get(word), 0));
    }
    words.store(this.#pending, OWN); // PUBLISHES all of it → observed in repairLocked()
    for (const i of adjusted) {
      words.set(field(this.#at(i), setMember.PID), pid);
      this.#makeAsStaged(this.#at(i));
      this.#makeAsStaged(adjustmentAt(undo, i));
    }
    this.#endLocked();
    return adjusted.length > 0;
  }

  /** Gives back what operations took that were done for a task which died before it heard of it. */
  giveBackLocked(operations: Operations, at: Node): void {
    const words = this.#words;
    for (let i = 0; i < operations.count; i++) {
      const word = this.#at(operations.index(i));
      if (operations.isUndone(i)) continue; // its adjustments see to it
      words.set(word, staged(words.get(word), bounded((words.get(word) >> VALUE_BITS) - operations.change(i))));
    }
    words.store(this.#pending, -at); // PUBLISHES it → observed in repairLocked()
    for (let i = 0; i < operations.count; i++) this.#makeAsStaged(this.#at(operations.index(i)));
    words.store(field(at, operationsNode.RESULT), ABANDONED);
    this.#endLocked();
  }

  /** Finishes or forgets what a dead holder had begun. May itself be interrupted and run again. */
  repairLocked(): void {
    const words = this.#words;
    const pending = words.load(this.#pending);
    const heal = (at: Word): void => {
      const word = words.get(at);
      const value = pending === NOTHING ? word & LOW : word >>> VALUE_BITS;
      words.store(at, twice(value));
    };
    for (let i = 0; i < this.count; i++) heal(this.#at(i));
    const undo = words.get(this.#undo);
    if (undo > 0 && this.#holds(undo)) for (let i = 0; i < this.count; i++) heal(adjustmentAt(undo, i));
    if (pending === SETTING) this.#clearLocked(words.get(field(this.#body, semaphoreSet.SET_INDEX)));
    const waiter = nodeAt(this.#nodes, Math.abs(pending));
    if (waiter !== NO_NODE) words.store(field(waiter, operationsNode.RESULT), pending > 0 ? 0 : ABANDONED);
    this.#endLocked();
  }

  #operateOnceLocked(operations: Operations, pid: number): number {
    const words = this.#words;
    const at = this.#at(operations.index(0));
    const change = operations.change(0);
    const value = words.get(at) & LOW;
    const next = value + change;
    if (next < 0 || (change === 0 && value !== 0)) {
      this.blocking = 0;
      return operations.mayWait(0) ? BLOCKED : EAGAIN;
    }
    if (next > SEMAPHORE_VALUE_MAX) return ERANGE;
    words.set(field(at, setMember.PID), pid);
    words.store(at, twice(next)); // PUBLISHES the operation → observed by the lock's next holder
    return 0;
  }

  /** Writes down what one operation makes of the value, after those before it. */
  #stageLocked(operations: Operations, i: number, undo: number): number {
    const words = this.#words;
    const index = operations.index(i);
    const at = this.#at(index);
    const word = words.get(at);
    const change = operations.change(i);
    const next = (word >>> VALUE_BITS) + change;
    if (next < 0 || (change === 0 && next !== 0)) return operations.mayWait(i) ? BLOCKED : EAGAIN;
    if (next > SEMAPHORE_VALUE_MAX) return ERANGE;
    if (change === 0) return 0;
    if (operations.isUndone(i)) {
      const adjusted = this.#adjustmentLocked(undo, index) - change;
      if (adjusted < -ADJUSTMENT_MAX - 1 || adjusted > ADJUSTMENT_MAX) return ERANGE;
      const adjustAt = adjustmentAt(undo, index);
      words.set(adjustAt, staged(words.get(adjustAt), adjusted));
    }
    words.set(at, staged(word, next));
    return 0;
  }

  #unstageLocked(operations: Operations, i: number, undo: number): void {
    const words = this.#words;
    const index = operations.index(i);
    if (operations.change(i) === 0) return;
    words.set(this.#at(index), twice(words.get(this.#at(index)) & LOW));
    if (!operations.isUndone(i)) return;
    words.set(adjustmentAt(undo, index), twice(words.get(adjustmentAt(undo, index)) & LOW));
  }

  #applyOneLocked(operations: Operations, i: number, undo: number, pid: number): void {
    const index = operations.index(i);
    this.#words.set(field(this.#at(index), setMember.PID), pid);
    if (operations.change(i) === 0) return;
    this.#makeAsStaged(this.#at(index));
    if (operations.isUndone(i)) this.#makeAsStaged(adjustmentAt(undo, index));
  }

  #settleLocked(index: number): void {
    const words = this.#words;
    const given = field(this.#body, semaphoreSet.CLEARINGS);
    words.set(given, (words.get(given) + 1) | 0);
    words.set(field(this.#body, semaphoreSet.SET_INDEX), index);
    words.store(this.#pending, SETTING); // PUBLISHES the setting → observed in repairLocked()
    if (index !== ALL) this.#makeAsStaged(this.#at(index));
    else for (let i = 0; i < this.count; i++) this.#makeAsStaged(this.#at(i));
    this.#clearLocked(index);
    this.#endLocked();
  }

  #clearLocked(index: number): void {
    const words = this.#words;
    const number = words.get(field(this.#body, semaphoreSet.CLEARINGS));
    const clear = (i: number): void => words.set(field(this.#at(i), setMember.CLEARED), number);
    if (index >= 0 && index < this.count) clear(index);
    else if (index === ALL) for (let i = 0; i < this.count; i++) clear(i);
  }

  /** As it is staged; one of before the last clearing becomes 0, and counts from here on. */
  #adjustmentLocked(undo: number, index: number): number {
    const words = this.#words;
    const at = adjustmentAt(undo, index);
    const cleared = words.get(field(this.#at(index), setMember.CLEARED));
    if (words.get(field(at, adjustment.CLEARED)) === cleared) return words.get(at) >> VALUE_BITS;
    words.set(at, 0); // first: under the new number it counts
    words.set(field(at, adjustment.CLEARED), cleared);
    return 0;
  }

  #makeAsStaged(at: Word): void {
    this.#words.store(at, twice(this.#words.get(at) >>> VALUE_BITS));
  }

  #endLocked(): void {
    this.#words.store(this.#pending, NOTHING);
    if (this.#words.get(this.#undo) !== 0) this.#words.set(this.#undo, 0);
  }

  #holds(undo: number): boolean {
    return adjustmentAt(undo, this.count) <= this.#words.int32.length;
  }

  #at(index: number): Word {
    return field(this.#body, semaphoreSet.SEMAPHORES + index * setMember.WORDS);
  }
}

const adjustmentAt = (undo: number, index: number): Word => (undo * LINE_WORDS + index * adjustment.WORDS) as Word;

/** A word at rest. */
const twice = (value: number): number => (value << VALUE_BITS) | (value & LOW);

/** A word whose value is to be another. */
const staged = (word: number, value: number): number => (word & LOW) | (value << VALUE_BITS);

const bounded = (value: number): number => Math.max(0, Math.min(value, SEMAPHORE_VALUE_MAX));
