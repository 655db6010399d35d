// A System V semaphore set: values (semaphore-values.ts), and tasks that wait until operations can be done.
//
// Whoever changes a value does, before unlocking, what those who wait can now have done, in their place and in the order in which
// Linux does it: first all who only wait for zero; then, in order of arrival, who changes something, and after each of them both
// again from the beginning. So nobody who comes later takes what a waiter was due. A waiter's node says what it wants
// (semaphore-operations.ts), and gets the RESULT; it sleeps until it is taken out of the list.
//
// What a death leaves behind:
//   in the middle of a step      semaphore-values.ts; the values and the RESULT of one waiter are one step
//   after a step, with the lock  waiters who could go on: whoever takes the lock over sees to all of them
//   as a waiter                  a node that swallows what is done for it: the reaper takes the node out, and where all that was
//                                done was taking, gives it back (abandon)
//   with adjustments (SEM_UNDO)  the reaper adds them (undo)
//
// Source: semget(2), semop(2), semctl(2), and the order of ipc/sem.c.

import { EAGAIN, EIDRM, EINTR } from "../abi/errno.ts";
import { adjustment, node, operationsNode, SELECT_OPERATIONS, semaphoreSet, setMember } from "../memory/layout.ts";
import { field, LINE_WORDS, WORD_BYTES, type Word, type Words } from "../memory/words.ts";
import { Monitor } from "../sync/monitor.ts";
import { beginningOfWait } from "../sync/node-pool.ts";
import type { Spin } from "../sync/spin.ts";
import { INTERRUPTED, isTakenOut, type Node, SLEEPING, stateOf, WAITING } from "../sync/wait-list.ts";
import { deadlineIn, remainingMs, type Waiter } from "../sync/waiting.ts";
import { alters, Operations } from "./semaphore-operations.ts";
import { ABANDONED, BLOCKED, OWN, SemaphoreValues, UNDECIDED } from "./semaphore-values.ts";

export const setBodyBytes = (count: number): number => (semaphoreSet.SEMAPHORES + count * setMember.WORDS) * WORD_BYTES;
/** Of a task's adjustments of a set. */
export const undoBytes = (count: number): number => count * adjustment.WORDS * WORD_BYTES;

/** With BLOCKING: the wait is for zero. */
export const AWAITS_ZERO = 1 << 16;
const MS_PER_S = 1000;

/** A waiter's operations, while they are tried: one at a time, so one is enough for a thread. */
const awaited = new Operations();

export class SemaphoreSet {
  readonly count: number;
  readonly #words: Words;
  readonly #task: Waiter;
  readonly #body: Word;
  readonly #monitor: Monitor;
  readonly #values: SemaphoreValues;
  readonly #spin: Spin;

  constructor(task: Waiter, bodyLine: number) {
    this.#words = task.words;
    this.#task = task;
    this.#body = (bodyLine * LINE_WORDS) as Word;
    this.#values = new SemaphoreValues(task.words, task.geometry, this.#body);
    this.count = this.#values.count;
    this.#spin = task.newSpin();
    this.#monitor = new Monitor(task, field(this.#body, semaphoreSet.MONITOR), { repair: () => this.#repairLocked() });
  }

  /** Writes the body of a new set, all of whose values are 0. Nobody else can see it yet. */
  static format(words: Words, bodyLine: number, count: number): void {
    words.set(field((bodyLine * LINE_WORDS) as Word, semaphoreSet.COUNT), count);
  }

  /** The body of the set that a wait node's list belongs to. */
  static lineOfList(list: Word): number {
    return (list - semaphoreSet.MONITOR) / LINE_WORDS;
  }

  get removed(): boolean {
    return this.#words.load(this.word(semaphoreSet.REMOVED)) !== 0;
  }

  /** Another number whenever owner or mode have changed, or the set was removed. */
  get rules(): number {
    return this.#words.get(this.word(semaphoreSet.RULES));
  }

  /** When operations were last done, in seconds since 1970; 0: never. */
  get operatedSeconds(): number {
    return this.#words.load(this.word(semaphoreSet.OPERATED_SECONDS)) >>> 0;
  }

  /** When a value was last set. */
  get changedSeconds(): number {
    return this.#words.load(this.word(semaphoreSet.CHANGED_SECONDS)) >>> 0;
  }

  word(name: number): Word {
    return field(this.#body, name);
  }

  /** A value as it is between operations, and after those of a dead task were finished or undone. */
  value(index: number): number {
    return this.#look(() => this.#values.value(index));
  }

  pidOf(index: number): number {
    return this.#look(() => this.#values.pidOf(index));
  }

  /** All values at one time. */
  values(): number[] {
    return this.#look(() => Array.from({ length: this.count }, (_, i) => this.#values.value(i)));
  }

  #look<T>(what: () => T): T {
    this.#monitor.enter();
    const seen = what();
    this.#monitor.leave(0);
    return seen;
  }

  /** How many tasks wait for a semaphore to become zero, or to become more. */
  waiters(index: number, forZero: boolean): number {
    const blocking = forZero ? index | AWAITS_ZERO : index;
    let found = 0;
    this.#monitor.enter();
    this.#monitor.eachLocked((at) => {
      const waits = this.#resultOf(at) === UNDECIDED;
      if (waits && this.#words.get(field(at, operationsNode.BLOCKING)) === blocking) found++;
      return false;
    });
    this.#monitor.leave(0);
    return found;
  }

  /**
   * One try: 0, ERANGE, EIDRM, EAGAIN where an operation with IPC_NOWAIT cannot be done, BLOCKED for another. `undo` is the
   * first line of the task's adjustments, needed for SEM_UNDO.
   */
  tryOperate(operations: Operations, undo: number): number {
    this.#monitor.enter();
    return this.#leaveAfter(operations, this.#tryLocked(operations, undo));
  }

  /** Sleeps until the operations are done for it: 0, EIDRM, EINTR, EAGAIN where the time is over, or an error of the operations. */
  operate(operations: Operations, undo: number, timeoutMs: number): number {
    if (timeoutMs === 0) return EAGAIN;
    const { nodes } = this.#task;
    const at = nodes.claim(beginningOfWait());
    if (at < 0) return at;
    const more = operations.keep(this.#words, nodes, at as Node);
    const result = typeof more === "number" ? more : this.#waitOn(at as Node, operations, undo, timeoutMs);
    if (typeof more !== "number") for (const one of more) nodes.free(one);
    nodes.free(at as Node);
    return result;
  }

  /** Sets a value (SETVAL). EIDRM. */
  set(index: number, value: number): number {
    return this.#change(() => this.#values.setLocked(index, value, this.#task.pid));
  }

  /** The same for all (SETALL). */
  setAll(wanted: (index: number) => number): number {
    return this.#change(() => this.#values.setAllLocked(wanted, this.#task.pid));
  }

  /** The set was removed: those who wait are told. */
  notifyRemoved(): void {
    this.#monitor.enter();
    this.#monitor.eachLocked((at) => {
      if (this.#resultOf(at) === UNDECIDED) this.#decide(at, EIDRM);
      this.#monitor.takeOutLocked(at);
      return false;
    });
    this.#monitor.leave(0);
  }

  /**
   * Adds the adjustments of a task that is no more (SEM_UNDO), or no longer uses the set; nobody looks at them afterwards. Of a
   * set that was removed they only end.
   */
  undo(line: number, pid: number): void {
    this.#monitor.enter();
    if (!this.removed) {
      this.#values.undoLocked(line, pid);
      this.#noteOperated();
      this.#updateLocked(undefined);
    }
    this.#monitor.leave(0);
  }

  /** Takes a dead task's node out of the list. What was taken for it without its hearing of it is given back. */
  abandon(at: Node): void {
    this.#monitor.enter();
    const result = this.#resultOf(at);
    if (result === UNDECIDED) this.#decide(at, ABANDONED); // PUBLISHES that nothing is to be done for it
    if (result === 0 && !this.removed && awaited.read(this.#words, this.#task.geometry, at, this.count)) {
      if (onlyTakes(awaited)) this.#values.giveBackLocked(awaited, at);
      this.#updateLocked(undefined);
    }
    this.#monitor.leave(0);
    this.#monitor.delist(at);
  }

  #tryLocked(operations: Operations, undo: number): number {
    if (this.removed) return EIDRM;
    const result = this.#values.operateLocked(operations, undo, this.#task.pid, OWN);
    if (result === 0) this.#noteOperated();
    return result;
  }

  /** Unlocks; before that, where something was changed and somebody waits, sees to those. */
  #leaveAfter(operations: Operations, result: number): number {
    if (this.#monitor.tryLeave()) return result;
    if (result === 0 && operations.alters) this.#updateLocked(operations);
    this.#monitor.leave(0);
    return result;
  }

  #change(change: () => void): number {
    this.#monitor.enter();
    const { removed } = this;
    if (!removed) {
      change();
      this.#words.set(this.word(semaphoreSet.CHANGED_SECONDS), secondsNow());
      this.#updateLocked(undefined);
    }
    this.#monitor.leave(0);
    return removed ? EIDRM : 0;
  }

  #waitOn(at: Node, operations: Operations, undo: number, timeoutMs: number): number {
    const words = this.#words;
    const deadline = deadlineIn(this.#task.world, timeoutMs);
    const selector = { kind: SELECT_OPERATIONS, ...operations.firstWords() };
    words.set(field(at, operationsNode.UNDO), undo);
    this.#decide(at, UNDECIDED);
    for (;;) {
      this.#monitor.enter();
      const result = this.#tryLocked(operations, undo);
      if (result !== BLOCKED) return this.#leaveAfter(operations, result);
      this.#noteBlocking(at, operations);
      this.#monitor.enlistAndLeave(at, WAITING, 1, selector);
      const signalled = this.#task.isSignalled(); // after it has enlisted, as in sync/waiting.ts
      const expired = !signalled && this.#sleepUntilDecided(at, deadline);
      const state = this.#monitor.delist(at);
      const decided = this.#resultOf(at);
      if (decided !== UNDECIDED) return decided;
      if (state === INTERRUPTED || (signalled && !this.#task.stoodStill())) return EINTR;
      if (expired) return EAGAIN;
    }
  }

  /** Returns true where the deadline passed. */
  #sleepUntilDecided(at: Node, deadline: number | undefined): boolean {
    const { parker, world } = this.#task;
    const state = stateOf(at);
    if (this.#spinUntilTakenOut(at)) return false;
    if (this.#words.compareExchange(state, WAITING, SLEEPING) !== WAITING) return false;
    for (;;) {
      const left = deadline === undefined ? Number.POSITIVE_INFINITY : remainingMs(world, deadline);
      if (left <= 0) return true;
      parker.park(state, SLEEPING, Math.min(left, this.#task.sliceMs()));
      if (isTakenOut(this.#words.load(state))) return false;
      this.#task.lookAround();
      this.#monitor.notify(0); // takes over from a holder that died
      if (this.removed || this.#resultOf(at) !== UNDECIDED || this.#task.isSignalled()) return false;
    }
  }

  #spinUntilTakenOut(at: Node): boolean {
    const limit = this.#spin.begin();
    for (let turn = 0; turn < limit; turn++) {
      if (isTakenOut(this.#words.load(stateOf(at)))) {
        this.#spin.hit();
        return true;
      }
      this.#spin.relax();
    }
    if (limit > 0) this.#spin.miss();
    return false;
  }

  /** Does what those who wait can have done. `changed` says which semaphores have changed: without it, any may have. */
  #updateLocked(changed: Operations | undefined): void {
    this.#updateZeroLocked(changed);
    for (let again = true; again; ) {
      again = false;
      this.#monitor.eachLocked((at) => {
        if (!alters(this.#words, at) || !this.#tryForLocked(at)) return false;
        if (this.#resultOf(at) !== 0) return false;
        this.#updateZeroLocked(awaited);
        again = true;
        return true;
      });
    }
  }

  /** Of those who only wait for zero. Linux looks at them where a semaphore that was named is zero, be it changed or not. */
  #updateZeroLocked(changed: Operations | undefined): void {
    if (!this.#hasZero(changed)) return;
    this.#monitor.eachLocked((at) => {
      if (!alters(this.#words, at)) this.#tryForLocked(at);
      return false;
    });
  }

  #hasZero(among: Operations | undefined): boolean {
    const count = among?.count ?? this.count;
    for (let i = 0; i < count; i++) if (this.#values.value(among?.index(i) ?? i) === 0) return true;
    return false;
  }

  /** Tries a waiter's operations in its place; returns whether it was decided and taken out. */
  #tryForLocked(at: Node): boolean {
    if (this.#resultOf(at) === UNDECIDED) {
      if (!awaited.read(this.#words, this.#task.geometry, at, this.count)) return false; // a dead task's
      const undo = this.#words.get(field(at, operationsNode.UNDO));
      const pid = this.#words.load(field(at, node.OWNER));
      const result = this.#values.operateLocked(awaited, undo, pid, at);
      if (result === BLOCKED) {
        this.#noteBlocking(at, awaited);
        return false;
      }
      if (result === 0) this.#noteOperated();
      else this.#decide(at, result);
    }
    this.#monitor.takeOutLocked(at);
    return true;
  }

  #repairLocked(): void {
    this.#values.repairLocked();
    this.#monitor.eachLocked((at) => {
      if (this.#resultOf(at) !== UNDECIDED) this.#monitor.takeOutLocked(at);
      return false;
    });
    if (this.removed) return;
    this.#updateLocked(undefined);
  }

  #resultOf(at: Node): number {
    return this.#words.load(field(at, operationsNode.RESULT));
  }

  #decide(at: Node, result: number): void {
    this.#words.store(field(at, operationsNode.RESULT), result);
  }

  #noteBlocking(at: Node, operations: Operations): void {
    const { blocking } = this.#values;
    const zero = operations.change(blocking) === 0 ? AWAITS_ZERO : 0;
    this.#words.set(field(at, operationsNode.BLOCKING), operations.index(blocking) | zero);
  }

  #noteOperated(): void {
    this.#words.set(this.word(semaphoreSet.OPERATED_SECONDS), secondsNow());
  }
}

const secondsNow = (): number => Math.floor(Date.now() / MS_PER_S) | 0;

function onlyTakes(operations: Operations): boolean {
  for (let i = 0; i < operations.count; i++) if (operations.change(i) > 0) return false;
  return true;
}
