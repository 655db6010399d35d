// In which order a queue's messages are taken: by type, or the highest priority first. Everything here is guarded by the
// consumer lock, save what is said to be looked at by all.
//
// What was sent says the slots' SENT: the tail is as far, or has still to count the last.
//
// Taking out of order leaves a hole: its slot's STATE says so, which is the store that takes the message. Holes lie from HEAD
// on, and TAKEN - HEAD is their number: without holes both are one. A hole is no message, and blocks no sender: where there
// are more holes than slots to spare, whoever takes moves the messages before them together, one at a time, each with an
// intent (MOVING) that says how to finish, and only then gives the room to the senders.
//
// What a death leaves behind, by the last store that stood:
//   the count of the taken, not HEAD HEAD is behind by what was taken in order: repaired by counting the holes
//   HEAD, not the count of the taken the count is behind by the one that was taken in order: repaired by counting the holes
//   a slot's STATE, not the count    a hole too many: repaired by counting
//   in the middle of a move          the message is in its old slot, or in both: repaired from MOVING

import { message, messageStates, monitor, queue } from "../memory/layout.ts";
import { field, type Word, type Words } from "../memory/words.ts";
import type { Selector } from "../sync/wait-list.ts";
import type { MessageSlots } from "./message-slots.ts";
import { used } from "./positions.ts";
import { isLess, selections, selects } from "./selection.ts";

const { HOLE, LIVE } = messageStates;

export class MessageOrder {
  /** Slots to spare, for holes: with as many, the messages that there may be still fit. */
  holesMax = 0;

  readonly #words: Words;
  readonly #slots: MessageSlots;
  readonly #tail: Word;
  readonly #taken: Word;
  readonly #head: Word;
  readonly #lastPriority: Word;
  readonly #mixed: Word;
  readonly #mixedAt: Word;
  readonly #mixedUntil: Word;
  readonly #moving: Word;
  readonly #moveFrom: Word;
  readonly #moveTo: Word;

  constructor(words: Words, body: Word, slots: MessageSlots) {
    this.#words = words;
    this.#slots = slots;
    this.#tail = field(body, queue.PRODUCER + monitor.POSITION);
    this.#taken = field(body, queue.CONSUMER + monitor.POSITION);
    this.#head = field(body, queue.HEAD);
    this.#lastPriority = field(body, queue.LAST_PRIORITY);
    this.#mixed = field(body, queue.MIXED);
    this.#mixedAt = field(body, queue.MIXED_AT);
    this.#mixedUntil = field(body, queue.MIXED_UNTIL);
    this.#moving = field(body, queue.MOVING);
    this.#moveFrom = field(body, queue.MOVE_FROM);
    this.#moveTo = field(body, queue.MOVE_TO);
  }

  /** Position of the first message. */
  get head(): number {
    return this.#words.get(this.#head);
  }

  /** The same, for a look without the lock. */
  seenHead(): number {
    return this.#words.load(this.#head);
  }

  /** How many were sent. */
  sent(): number {
    return this.#slots.sentFrom(this.#words.load(this.#tail));
  }

  /** A message's priority is not the last one's: under the producer lock, before it is published. Who sees it sees this. */
  noteLocked(position: number, priority: number): void {
    const words = this.#words;
    words.store(this.#mixed, 1);
    words.store(this.#mixedAt, position);
    words.set(this.#lastPriority, priority);
  }

  /** The first message of the highest priority; `head` is that of the first. */
  nextLocked(head: number): number {
    if (this.#words.get(this.#mixed) === 0) return head;
    return this.#isMixedLocked(head) ? this.#urgentLocked(head) : head;
  }

  /** The first message that a selector selects. Looked at by all: what moves meanwhile moves towards where the look goes. */
  firstSelected(selector: Selector, head: number): number | undefined {
    const words = this.#words;
    let found: number | undefined;
    let bestLow = 0;
    let bestHigh = 0;
    this.eachLive(head, (at) => {
      const low = words.get(field(this.#slots.at(at), message.TYPE));
      const high = words.get(field(this.#slots.at(at), message.TYPE + 1));
      if (!selects(selector, low, high)) return false;
      if (selector.kind !== selections.LOWEST) {
        found = at;
        return true;
      }
      if (found === undefined || isLess(low, high, bestLow, bestHigh)) {
        found = at;
        bestLow = low;
        bestHigh = high;
      }
      return false;
    });
    return found;
  }

  /** Calls `visit` for each message in order, until it returns true. */
  eachLive(head: number, visit: (at: number) => boolean): void {
    const words = this.#words;
    const count = Math.min(used(head, this.sent()), this.#slots.count);
    for (let i = 0; i < count; i++) {
      const at = (head + i) | 0;
      if (words.load(this.#slots.state(at)) === LIVE && visit(at)) return;
    }
  }

  /** Takes the message at `at`, which was copied out. */
  takeLocked(at: number, head: number, taken: number): void {
    const words = this.#words;
    const after = (taken + 1) | 0;
    if (at !== head) {
      if (words.get(this.#mixed) === 0) words.store(this.#mixed, 1);
      words.store(this.#slots.state(at), HOLE); // PUBLISHES that it is taken → observed in repairLocked()
      if (used(head, after) > this.holesMax) this.#closeHolesLocked();
    }
    words.store(this.#taken, after); // PUBLISHES the room, and in order the taking → observed by the senders
    if (at !== head) return;
    if (head === taken) words.set(this.#head, after);
    else this.#skipHolesLocked((head + 1) | 0);
  }

  /** Takes the first messages, of which all are plain. */
  takeFirstLocked(head: number, count: number): void {
    this.#words.store(this.#taken, (head + count) | 0); // PUBLISHES the room
    this.#words.set(this.#head, (head + count) | 0);
  }

  /** Finishes what a dead receiver had begun. May itself be interrupted and run again. */
  repairLocked(): void {
    const words = this.#words;
    if (words.get(this.#moving) === 1) {
      const from = words.get(this.#moveFrom);
      const to = words.get(this.#moveTo);
      if (words.load(this.#slots.state(to)) === LIVE) words.store(this.#slots.state(from), HOLE);
      words.store(this.#moving, 0);
    }
    const head = words.get(this.#head);
    const holes = this.#countHolesLocked(head);
    const inOrder = used(head, words.get(this.#taken)) - holes;
    if (inOrder < 0) this.#countHolesAsTakenLocked(head, holes);
    this.#skipHolesLocked((words.get(this.#head) + Math.max(0, inOrder)) | 0);
  }

  /** Whether the first message need not be the most urgent: priorities change somewhere behind it. */
  #isMixedLocked(head: number): boolean {
    const words = this.#words;
    if (words.get(this.#mixed) === 0) return false;
    return this.#isAhead(head, words.get(this.#mixedAt)) || this.#isAhead(head, words.get(this.#mixedUntil));
  }

  /** Whether a position lies behind the first message's: one that is further off than there are slots is from long ago. */
  #isAhead(head: number, position: number): boolean {
    const distance = used(head, position);
    return distance > 0 && distance <= this.#slots.count;
  }

  #urgentLocked(head: number): number {
    let found = head;
    let highest = -1;
    this.eachLive(head, (at) => {
      const priority = this.#slots.priority(at);
      if (priority > highest) {
        highest = priority;
        found = at;
      }
      return false;
    });
    return found;
  }

  #skipHolesLocked(from: number): void {
    const words = this.#words;
    const tail = this.sent();
    let at = from;
    while (used(at, tail) > 0 && words.get(this.#slots.state(at)) === HOLE) at = (at + 1) | 0;
    words.store(this.#head, at);
  }

  /** Moves the messages that have holes behind them, the last first, so that all holes come to lie before them. */
  #closeHolesLocked(): void {
    const words = this.#words;
    const head = words.get(this.#head);
    let to = (this.sent() - 1) | 0;
    if (this.#isMixedLocked(head)) words.set(this.#mixedUntil, (to + 1) | 0);
    for (let at = to; used(head, at) >= 0; at = (at - 1) | 0) {
      if (words.get(this.#slots.state(at)) !== LIVE) continue;
      if (at !== to) this.#moveLocked(at, to);
      to = (to - 1) | 0;
    }
    words.store(this.#head, (to + 1) | 0);
  }

  #moveLocked(from: number, to: number): void {
    const words = this.#words;
    words.set(this.#moveFrom, from);
    words.set(this.#moveTo, to);
    words.store(this.#moving, 1);
    this.#slots.copy(from, to);
    words.store(this.#slots.state(to), LIVE);
    words.store(this.#slots.state(from), HOLE);
    words.store(this.#moving, 0);
  }

  #countHolesLocked(head: number): number {
    const words = this.#words;
    const count = Math.min(used(head, this.sent()), this.#slots.count);
    let holes = 0;
    for (let i = 0; i < count; i++) if (words.get(this.#slots.state((head + i) | 0)) === HOLE) holes++;
    return holes;
  }

  #countHolesAsTakenLocked(head: number, holes: number): void {
    if (holes > this.holesMax) this.#closeHolesLocked();
    this.#words.store(this.#taken, (head + holes) | 0);
  }
}
