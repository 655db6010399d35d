// What tasks hold of objects, and how it is given back: a descriptor that is closed, a description that is dropped, and all of a
// task that leaves or is buried. Under the kernel lock, through the journal; who is to look again is told once the change stands.

import { ALL_SIGNALS } from "../abi/signals.ts";
import type { Allocator } from "../memory/allocator.ts";
import type { Journal } from "../memory/journal.ts";
import { access, kinds, node, SELECT_OPERATIONS } from "../memory/layout.ts";
import { field, type Word } from "../memory/words.ts";
import type { Pipe } from "../objects/pipe.ts";
import { SemaphoreSet } from "../objects/semaphore-set.ts";
import type { Segment } from "../objects/shared-memory.ts";
import { EVERYBODY, Monitor } from "../sync/monitor.ts";
import { nodesOf } from "../sync/node-pool.ts";
import { listOf, WOKEN } from "../sync/wait-list.ts";
import type { Waiter } from "../sync/waiting.ts";
import type { Descriptors, Released } from "../tasks/descriptors.ts";
import { TaskSignals } from "../tasks/signals.ts";
import type { TaskTable } from "../tasks/task-table.ts";
import { forgetWatcherLocked } from "./arrivals.ts";
import { giveBackLocksLocked } from "./held-locks.ts";
import { closeEndLocked, wakeOtherEnd } from "./pipe-ends.ts";
import { type Registry, secondsNow } from "./registry.ts";

/** The kernel, as far as holdings need it. */
interface Kernel extends Waiter {
  readonly tasks: TaskTable;
  readonly registry: Registry;
  readonly descriptors: Descriptors;
  readonly journal: Journal;
  readonly allocator: Allocator;
  pipeAt(bodyLine: number): Pipe;
  setOf(objectIndex: number): SemaphoreSet;
  segmentOf(objectIndex: number): Segment;
  transaction(change: () => number): number;
}

export const isPipe = (kind: number): boolean => kind === kinds.PIPE || kind === kinds.FIFO;

export class Holdings {
  readonly #kernel: Kernel;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Closes one descriptor, as a part of the open transaction; returns who is to look again once it stands. */
  closeLocked(slot: Word, descriptor: number): () => void {
    this.#stopWatchingLocked(slot, descriptor);
    const released = this.#kernel.descriptors.closeLocked(slot, descriptor);
    return this.dropLocked(released);
  }

  /** A task that closes a descriptor of a queue is told of its messages no more (mq_close(3)). */
  #stopWatchingLocked(slot: Word, descriptor: number): void {
    const description = this.#kernel.descriptors.lookUp(slot, descriptor)?.description;
    if (description === undefined) return;
    const objectIndex = this.#kernel.descriptors.objectOf(description);
    if (!this.#kernel.registry.isIndex(objectIndex) || this.#kernel.registry.kindOf(objectIndex) !== kinds.QUEUE)
      return;
    forgetWatcherLocked(this.#kernel, this.#kernel.registry.bodyLineOf(objectIndex), slot);
  }

  /** Gives back what a description held. */
  dropLocked(released: Released | undefined): () => void {
    if (!released) return () => {};
    const { objectIndex, access: mode, owner, position } = released;
    if (!this.#kernel.registry.isIndex(objectIndex)) return () => {};
    if (position !== 0 && this.#kernel.registry.kindOf(objectIndex) === kinds.SEMAPHORE_SET) {
      this.#kernel.setOf(objectIndex).undo(position, owner);
      this.#kernel.allocator.freeLocked(position);
    }
    const { registry } = this.#kernel;
    const pipe = isPipe(registry.kindOf(objectIndex))
      ? this.#kernel.pipeAt(registry.bodyLineOf(objectIndex))
      : undefined;
    if (pipe) closeEndLocked(pipe, this.#kernel.journal, mode);
    // A dead task's detach is its own, whoever buries it.
    if (mode === access.ATTACH)
      this.#kernel.segmentOf(objectIndex).countLocked(this.#kernel.journal, -1, owner, secondsNow());
    this.#kernel.registry.releaseLocked(objectIndex);
    // The object's memory may be free from here on, but nobody can be given it before the kernel lock is released.
    return () => {
      if (pipe) wakeOtherEnd(pipe, mode);
    };
  }

  /** Gives back what a slot's task holds: first its waits, while what it waits on is still there, then its descriptors. */
  releaseAllLocked(slot: Word): void {
    this.#abandonOperationsLocked(slot);
    for (const at of nodesOf(this.#kernel.words, this.#kernel.geometry, this.#kernel.tasks.indexOf(slot))) {
      const list = listOf(this.#kernel.words, this.#kernel.geometry, at);
      if (list !== 0) {
        const monitor = new Monitor(this.#kernel, list);
        if (monitor.delist(at) === WOKEN) monitor.notify(EVERYBODY); // woken, but it died before it could look
      }
      this.#kernel.words.store(field(at, node.OWNER), 0);
    }
    new TaskSignals(this.#kernel, slot).clearLocked(ALL_SIGNALS);
    giveBackLocksLocked(this.#kernel, this.#kernel.tasks.indexOf(slot));
    for (const description of this.#kernel.descriptors.heldBySlot(this.#kernel.tasks.indexOf(slot))) {
      this.dropLocked(this.#kernel.descriptors.dropLocked(description));
      this.#kernel.journal.commit();
    }
    for (const descriptor of this.#kernel.descriptors.openOf(slot)) {
      const announce = this.closeLocked(slot, descriptor);
      this.#kernel.journal.commit();
      announce();
    }
  }

  /** Of a task that waited for semaphores, before any node with its operations is freed. */
  #abandonOperationsLocked(slot: Word): void {
    for (const at of nodesOf(this.#kernel.words, this.#kernel.geometry, this.#kernel.tasks.indexOf(slot))) {
      const list = listOf(this.#kernel.words, this.#kernel.geometry, at);
      if (list === 0 || this.#kernel.words.load(field(at, node.SELECT_KIND)) !== SELECT_OPERATIONS) continue;
      new SemaphoreSet(this.#kernel, SemaphoreSet.lineOfList(list)).abandon(at);
    }
  }
}
