// What one task has taken of what all share, so that one cannot use it all up (setrlimit(2)): objects that it made and that are
// still there, the heap's lines that these take, and what it holds other than by descriptors. Counted in its slot, as a part of
// the transaction that takes it or gives it back: a death in between has taken nothing.
//
// Who made something pays for it until it is gone. A task that is gone pays no more: what it left is nobody's.
//
// Guarded by the kernel lock. A slot's counts begin at 0 in the first transaction of its task, not when the slot is claimed, which
// is done without the lock.

import type { Journal } from "./journal.ts";
import { type Geometry, task } from "./layout.ts";
import { field, LINE_BYTES, type Word, type Words } from "./words.ts";

/** A field of a task's slot that counts. */
export type Charged = "OBJECTS" | "HEAP_LINES" | "HOLDS";

/** No task: what nobody pays for, such as what another limit bounds. */
export const NOBODY = 0;

export class Charges {
  readonly #words: Words;
  readonly #journal: Journal;
  readonly #geometry: Geometry;
  readonly #most: { readonly [charged in Charged]: number };

  constructor(words: Words, journal: Journal, geometry: Geometry) {
    this.#words = words;
    this.#journal = journal;
    this.#geometry = geometry;
    const { taskObjectsMax, taskHeapBytesMax, taskHoldsMax } = geometry.limits;
    this.#most = {
      OBJECTS: taskObjectsMax,
      HEAP_LINES: Math.floor(taskHeapBytesMax / LINE_BYTES),
      HOLDS: taskHoldsMax,
    };
  }

  /** Adds to what a task has taken; false where that would be more than one may take, and nothing has changed. */
  payLocked(pid: number, charged: Charged, count: number): boolean {
    const slot = this.#slotOf(pid);
    if (slot < 0) return true;
    const total = this.#read(slot, charged) + count;
    if (total > this.#most[charged]) return false;
    this.#journal.write(field(slot, task[charged]), total);
    return true;
  }

  giveBackLocked(pid: number, charged: Charged, count: number): void {
    const slot = this.#slotOf(pid);
    if (slot >= 0) this.#journal.write(field(slot, task[charged]), Math.max(0, this.#read(slot, charged) - count));
  }

  /** A task has just begun, in a slot that another had before it. */
  beginLocked(slot: Word): void {
    for (const charged of ["OBJECTS", "HEAP_LINES", "HOLDS"] as const) {
      if (this.#words.get(field(slot, task[charged])) !== 0) this.#journal.write(field(slot, task[charged]), 0);
    }
  }

  /** Whether a task is still there to pay. */
  pays(pid: number): boolean {
    return this.#slotOf(pid) >= 0;
  }

  /** What is read may be damaged: never below 0. */
  #read(slot: Word, charged: Charged): number {
    return Math.max(0, this.#words.get(field(slot, task[charged])));
  }

  /** The slot of a task that is there, else -1. */
  #slotOf(pid: number): Word {
    if (pid <= 0) return -1 as Word;
    const { tasks, limits } = this.#geometry;
    const slot = field(tasks, ((pid - 1) % limits.tasksMax) * task.WORDS);
    return this.#words.load(field(slot, task.PID)) === pid ? slot : (-1 as Word);
  }
}
