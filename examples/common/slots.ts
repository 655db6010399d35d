// Who has what in hand, in shared memory: a word for each slot, and every change of it is one atomic store, so that a task may
// be killed between any two and leaves no slot in doubt.
//
//   0 FREE · 1 READY for whoever takes it · 2 DONE · 3 LOST: its taker died · 4 + n in the hands of worker n
//
// Workers have numbers that are never given again: the pid of a dead one may be.

import type { MessageQueue } from "../../src/index.ts";

const FREE = 0;
const READY = 1;
const DONE = 2;
const LOST = 3;
const TAKEN = 4;

export class Slots {
  readonly #words: Int32Array;

  /** A word of shared memory for each slot, all 0 at first. */
  constructor(words: Int32Array) {
    this.#words = words;
  }

  get count(): number {
    return this.#words.length;
  }

  /** What lies in a free slot may be taken from now on. PUBLISHES the slot's contents → observed in take() */
  offer(slot: number): void {
    Atomics.store(this.#words, slot, READY);
  }

  /** Returns false where it is not there to be taken: another one has it. */
  take(slot: number, worker: number): boolean {
    return Atomics.compareExchange(this.#words, slot, READY, TAKEN + worker) === READY;
  }

  /** PUBLISHES what the worker made of it → observed in isDone() */
  finish(slot: number): void {
    Atomics.store(this.#words, slot, DONE);
  }

  release(slot: number): void {
    Atomics.store(this.#words, slot, FREE);
  }

  isDone(slot: number): boolean {
    return Atomics.load(this.#words, slot) === DONE;
  }

  isLost(slot: number): boolean {
    return Atomics.load(this.#words, slot) === LOST;
  }

  /** The slots that nobody has taken. */
  get ready(): number[] {
    return this.#with(READY);
  }

  get done(): number[] {
    return this.#with(DONE);
  }

  /** The slots in the hands of a worker. */
  heldBy(worker: number): number[] {
    return this.#with(TAKEN + worker);
  }

  /** A worker is dead: what it had in hand is there to be taken again. Returns which. */
  giveBack(worker: number): number[] {
    const held = this.heldBy(worker);
    for (const slot of held) this.offer(slot);
    return held;
  }

  /** The same, but nobody is to take it again. */
  giveUp(worker: number): number[] {
    const held = this.heldBy(worker);
    for (const slot of held) Atomics.store(this.#words, slot, LOST);
    return held;
  }

  #with(state: number): number[] {
    const slots: number[] = [];
    for (let slot = 0; slot < this.count; slot++) if (Atomics.load(this.#words, slot) === state) slots.push(slot);
    return slots;
  }
}

/**
 * Sends the numbers of all slots that are ready, after a death: the dead worker may have received one and not taken its slot. The
 * queue is emptied first, so that it holds each once; a worker that has one in hand, or a sender that is about to send one, makes
 * it twice, and take() drops that.
 */
export async function dealAgain(slots: Slots, queue: MessageQueue): Promise<void> {
  while (queue.tryReceive());
  for (const slot of slots.ready) await queue.send(Uint8Array.of(slot));
}
