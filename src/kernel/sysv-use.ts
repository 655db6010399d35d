// SysV queues and semaphore sets that this task uses. They are found by an id and have no descriptors: a task that has looked at
// one once holds it, so that its memory stays while the task may look at it again, until it is removed (msgctl(2), semctl(2)).

import type { Allocator } from "../memory/allocator.ts";
import type { Journal } from "../memory/journal.ts";
import { access, kinds, queue, semaphoreSet } from "../memory/layout.ts";
import { shapeLine } from "../memory/shape.ts";
import { field, LINE_WORDS, type Word } from "../memory/words.ts";
import { freshRules, MessageRing, type RingOwner } from "../objects/message-ring.ts";
import { type SemaphoreSet, undoBytes } from "../objects/semaphore-set.ts";
import type { Description, Descriptors } from "../tasks/descriptors.ts";
import type { BlockExchange } from "./block-exchange.ts";
import type { Holdings } from "./holdings.ts";
import type { Registry } from "./registry.ts";

/** The kernel, as far as the use of SysV objects needs it. */
interface Kernel extends RingOwner {
  readonly registry: Registry;
  readonly descriptors: Descriptors;
  readonly journal: Journal;
  readonly allocator: Allocator;
  readonly holdings: Holdings;
  ringOf(objectIndex: number): MessageRing;
  setOf(objectIndex: number): SemaphoreSet;
  transaction(change: () => number): number;
}

export class SysvUse {
  readonly #kernel: Kernel;
  readonly #exchange: BlockExchange;
  /** The description that holds each, by the object's index. */
  readonly #used = new Map<number, Description>();
  /** How many this task has let go of. */
  letGo = 0;

  constructor(kernel: Kernel, exchange: BlockExchange) {
    this.#kernel = kernel;
    this.#exchange = exchange;
  }

  /** Holds a SysV queue for this task, so that its memory stays while the task may look at it. EMFILE, ENFILE. */
  useQueue(objectIndex: number): number {
    return Math.min(this.#use(objectIndex), 0);
  }

  /** The same for a semaphore set: the description that holds it, or EMFILE, ENFILE. */
  useSet(objectIndex: number): Description | number {
    return this.#use(objectIndex);
  }

  /** The first line of this task's adjustments of a set that it uses (SEM_UNDO), made with the first. ENOMEM. */
  adjustmentsOf(used: Description, set: SemaphoreSet): number {
    const line = this.#kernel.descriptors.positionOf(used);
    if (line !== 0) return line;
    return this.#kernel.transaction(() => {
      const made = this.#kernel.allocator.allocateLocked(undoBytes(set.count), this.#kernel.pid);
      if (made >= 0) this.#kernel.descriptors.setPositionLocked(used, made);
      return made;
    });
  }

  #use(objectIndex: number): number {
    const used = this.#used.get(objectIndex);
    if (used !== undefined) return used;
    this.forgetRemoved();
    const held = this.#kernel.transaction(() => {
      const description = this.#kernel.descriptors.holdLocked(this.#kernel.pid, objectIndex, access.USE, 0);
      if (description >= 0) this.#kernel.registry.retainLocked(objectIndex);
      return description;
    });
    if (held >= 0) this.#used.set(objectIndex, held as Description);
    return held;
  }

  /** Lets go of the SysV queues and semaphore sets that have been removed meanwhile. */
  forgetRemoved(): void {
    for (const [objectIndex, description] of this.#used) {
      if (!this.#isRemoved(objectIndex)) continue;
      this.#used.delete(objectIndex);
      this.letGo++;
      this.#kernel.transaction(() => {
        this.#kernel.holdings.dropLocked(this.#kernel.descriptors.dropLocked(description));
        return 0;
      });
    }
  }

  #isRemoved(objectIndex: number): boolean {
    const isSet = this.#kernel.registry.kindOf(objectIndex) === kinds.SEMAPHORE_SET;
    return (isSet ? this.#kernel.setOf(objectIndex) : this.#kernel.ringOf(objectIndex)).removed;
  }

  /** Removes a semaphore set at once: whoever waits or comes is told EIDRM. */
  removeSetLocked(objectIndex: number): () => void {
    const set = this.#kernel.setOf(objectIndex);
    this.#kernel.journal.write(set.word(semaphoreSet.REMOVED), 1);
    this.#kernel.journal.write(set.word(semaphoreSet.RULES), freshRules(this.#kernel.words));
    const isUsed = this.#kernel.registry.referencesTo(objectIndex) > 0; // else it goes now
    this.#kernel.registry.unlinkLocked(objectIndex);
    return () => {
      if (isUsed) set.notifyRemoved();
    };
  }

  /** Removes a SysV queue at once: its messages are gone, and whoever waits or comes is told EIDRM. */
  removeQueueLocked(objectIndex: number): () => void {
    const bodyLine = this.#kernel.registry.bodyLineOf(objectIndex);
    const ring = new MessageRing(this.#kernel, bodyLine);
    const body = (bodyLine * LINE_WORDS) as Word;
    this.#kernel.journal.write(field(body, queue.REMOVED), 1);
    this.#kernel.journal.write(field(body, queue.RULES), freshRules(this.#kernel.words));
    const isUsed = this.#kernel.registry.referencesTo(objectIndex) > 0; // else it goes now
    this.#kernel.registry.unlinkLocked(objectIndex);
    if (!isUsed) return () => {};
    return () => {
      ring.notifyAll(); // and from here on nobody looks into its slots any more
      this.#exchange.freeSpareLocked(body, queue);
      const shape = this.#kernel.words.load(field(body, queue.SHAPE));
      this.#kernel.journal.write(field(body, queue.SHAPE), 0);
      this.#kernel.allocator.freeLocked(shapeLine(shape));
      this.#kernel.journal.commit(); // a death before it leaves the slots to whoever lets go of the queue last
    };
  }
}
