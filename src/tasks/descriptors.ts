// Descriptors and open file descriptions. A task's table holds small integers that name descriptions; a description names
// an object and how it was opened. Everything here is guarded by the kernel lock and written through the journal.
//
// A description that no descriptor names is held by a task: its attachment to a segment, or its use of a SysV queue or semaphore set.

import { EBADF, EMFILE, ENFILE } from "../abi/errno.ts";
import type { Charges } from "../memory/charges.ts";
import type { Journal } from "../memory/journal.ts";
import { descriptor as bits, description, type Geometry, header, task } from "../memory/layout.ts";
import { field, type Word, type Words } from "../memory/words.ts";
import type { Pid } from "../sync/robust-lock.ts";

export type Descriptor = number & { readonly brand: "descriptor" };
/** An index in the table of descriptions. */
export type Description = number & { readonly brand: "description" };

/** What a descriptor that is open leads to. */
export interface Entry {
  /** Undefined for a stream of the host's. */
  readonly description: Description | undefined;
  /** The host's descriptor: 0, 1 or 2; else -1. */
  readonly hostStream: number;
  readonly closeOnExec: boolean;
}

/** What the last descriptor of a description described. */
export interface Released {
  readonly objectIndex: number;
  readonly access: number;
  /** The pid of the task that held it other than by a descriptor, else 0. */
  readonly owner: number;
  readonly position: number;
}

const HOST_STREAMS = 3;
const INDEX = bits.HOST - 1;
const FREE_HEAD = header.DESCRIPTION_FREE as Word;

export class Descriptors {
  readonly #words: Words;
  readonly #journal: Journal;
  readonly #charges: Charges;
  readonly #geometry: Geometry;

  constructor(words: Words, journal: Journal, charges: Charges, geometry: Geometry) {
    this.#words = words;
    this.#journal = journal;
    this.#charges = charges;
    this.#geometry = geometry;
  }

  /** Gives a new task the host's standard input, output and error as 0, 1 and 2. */
  openHostStreamsLocked(slot: Word): void {
    for (let stream = 0; stream < HOST_STREAMS; stream++) {
      this.#journal.write(this.#entry(slot, stream), bits.HOST | stream);
    }
  }

  /** Makes a description of an object and the lowest free descriptor for it. */
  openLocked(slot: Word, objectIndex: number, access: number, flags: number, closeOnExec: boolean): number {
    const descriptor = this.#lowestFree(slot, 0);
    if (descriptor < 0) return descriptor;
    const index = this.#describeLocked(objectIndex, access, flags, 0);
    if (index < 0) return index;
    this.#journal.write(this.#entry(slot, descriptor), (index + 1) | (closeOnExec ? bits.CLOSE_ON_EXEC : 0));
    return descriptor;
  }

  /** Makes a description that a task holds by itself. ENFILE; EMFILE where it holds as many as one task may. */
  holdLocked(pid: Pid, objectIndex: number, access: number, flags: number): number {
    return this.#describeLocked(objectIndex, access, flags, pid);
  }

  /** Drops what `holdLocked` made; undefined where it is no such thing any more. */
  dropLocked(index: Description): Released | undefined {
    return this.#releaseLocked(index);
  }

  /** Frees a descriptor; where it was the last of its description, says what that described. */
  closeLocked(slot: Word, descriptor: number): Released | undefined {
    const entry = this.#entry(slot, descriptor);
    const word = this.#words.get(entry);
    this.#journal.write(entry, 0);
    return word & bits.HOST ? undefined : this.#releaseLocked(((word & INDEX) - 1) as Description);
  }

  /** The lowest free descriptor from `least` up for what `from` names (dup(2)). EBADF, EMFILE. */
  duplicateLocked(slot: Word, from: number, least: number, closeOnExec: boolean): number {
    if (!this.lookUp(slot, from)) return EBADF;
    const descriptor = this.#lowestFree(slot, least);
    if (descriptor >= 0) this.#copyEntry(slot, from, slot, descriptor, closeOnExec);
    return descriptor;
  }

  /** Makes `to` name what `from` names; `to` is free (dup2(2)). */
  placeLocked(slot: Word, from: number, to: number, closeOnExec: boolean): void {
    this.#copyEntry(slot, from, slot, to, closeOnExec);
  }

  /**
   * Gives a task with an empty table what another has open, save what closes on exec. Each is a transaction of its own, for
   * all of them may be more than the journal holds.
   */
  inheritLocked(parent: Word, child: Word): void {
    for (const descriptor of this.openOf(parent)) {
      if (this.lookUp(parent, descriptor)?.closeOnExec) continue;
      this.#copyEntry(parent, descriptor, child, descriptor, false);
      this.#journal.commit();
    }
  }

  /** Gives a task with an empty table some of what another has open, by the numbers that it is to have there. */
  giveLocked(parent: Word, child: Word, descriptors: ReadonlyMap<number, number>): void {
    for (const [to, from] of descriptors) {
      this.#copyEntry(parent, from, child, to, false);
      this.#journal.commit();
    }
  }

  /** What a descriptor names, or undefined where it is not open. */
  lookUp(slot: Word, descriptor: number): Entry | undefined {
    if (descriptor < 0 || descriptor >= this.#geometry.limits.descriptorsMax) return undefined;
    const word = this.#words.load(this.#entry(slot, descriptor));
    if (word === 0) return undefined;
    const closeOnExec = (word & bits.CLOSE_ON_EXEC) !== 0;
    if (word & bits.HOST) return { description: undefined, hostStream: word & INDEX, closeOnExec };
    const index = (word & INDEX) - 1;
    if (!this.#isIndex(index)) return undefined;
    return { description: index as Description, hostStream: -1, closeOnExec };
  }

  setCloseOnExecLocked(slot: Word, descriptor: number, closeOnExec: boolean): void {
    const entry = this.#entry(slot, descriptor);
    const word = this.#words.get(entry) & ~bits.CLOSE_ON_EXEC;
    this.#journal.write(entry, closeOnExec ? word | bits.CLOSE_ON_EXEC : word);
  }

  /** The index of what a description describes; -1 for nothing. */
  objectOf(index: Description): number {
    const object = this.#words.load(this.#at(index, description.OBJECT)) - 1;
    return object >= 0 && object < this.#geometry.limits.objectsMax ? object : -1;
  }

  accessOf(index: Description): number {
    return this.#words.load(this.#at(index, description.ACCESS));
  }

  flagsOf(index: Description): number {
    return this.#words.load(this.#at(index, description.FLAGS));
  }

  setFlagsLocked(index: Description, flags: number): void {
    this.#journal.write(this.#at(index, description.FLAGS), flags);
  }

  positionOf(index: Description): number {
    return this.#words.load(this.#at(index, description.POSITION));
  }

  setPositionLocked(index: Description, position: number): void {
    this.#journal.write(this.#at(index, description.POSITION), position);
  }

  /** Every descriptor that a task has open. */
  openOf(slot: Word): Descriptor[] {
    const open: Descriptor[] = [];
    for (let i = 0; i < this.#geometry.limits.descriptorsMax; i++) {
      if (this.#words.load(this.#entry(slot, i)) !== 0) open.push(i as Descriptor);
    }
    return open;
  }

  /** The descriptions that a task of a slot, this one or one before it, holds by itself. */
  *heldBySlot(slotIndex: number): Generator<Description> {
    const { descriptionsMax, tasksMax } = this.#geometry.limits;
    for (let i = 0; i < descriptionsMax; i++) {
      const index = i as Description;
      const owner = this.#words.load(this.#at(index, description.OWNER));
      if (owner !== 0 && (owner - 1) % tasksMax === slotIndex && this.objectOf(index) >= 0) yield index;
    }
  }

  /** The pids of the tasks that hold an object with an access, one for each time they do. */
  holdersOf(objectIndex: number, access: number): Pid[] {
    const found: Pid[] = [];
    for (let i = 0; i < this.#geometry.limits.descriptionsMax; i++) {
      const index = i as Description;
      if (this.objectOf(index) !== objectIndex || this.accessOf(index) !== access) continue;
      found.push(this.#words.load(this.#at(index, description.OWNER)) as Pid);
    }
    return found;
  }

  #describeLocked(objectIndex: number, access: number, flags: number, owner: number): number {
    const index = (this.#words.get(FREE_HEAD) - 1) as Description;
    if (!this.#isIndex(index)) return ENFILE;
    if (owner !== 0 && !this.#charges.payLocked(owner, "HOLDS", 1)) return EMFILE;
    this.#journal.write(FREE_HEAD, this.#words.get(this.#at(index, description.NEXT)));
    this.#journal.write(this.#at(index, description.OBJECT), objectIndex + 1);
    this.#journal.write(this.#at(index, description.ACCESS), access);
    this.#journal.write(this.#at(index, description.REFERENCES), 1);
    this.#journal.write(this.#at(index, description.FLAGS), flags);
    this.#journal.write(this.#at(index, description.OWNER), owner);
    this.#journal.write(this.#at(index, description.POSITION), 0);
    return index;
  }

  #releaseLocked(index: Description): Released | undefined {
    if (!this.#isIndex(index)) return undefined;
    if (this.#journal.add(this.#at(index, description.REFERENCES), -1) > 0) return undefined;
    const owner = this.#words.load(this.#at(index, description.OWNER));
    const position = this.positionOf(index);
    const released = { objectIndex: this.objectOf(index), access: this.accessOf(index), owner, position };
    this.#charges.giveBackLocked(owner, "HOLDS", 1);
    this.#journal.write(this.#at(index, description.OBJECT), 0);
    this.#journal.write(this.#at(index, description.OWNER), 0);
    this.#journal.write(this.#at(index, description.NEXT), this.#words.get(FREE_HEAD));
    this.#journal.write(FREE_HEAD, index + 1);
    return released;
  }

  #copyEntry(fromSlot: Word, from: number, toSlot: Word, to: number, closeOnExec: boolean): void {
    const word = this.#words.get(this.#entry(fromSlot, from)) & ~bits.CLOSE_ON_EXEC;
    const index = ((word & INDEX) - 1) as Description;
    if (!(word & bits.HOST) && this.#isIndex(index)) {
      this.#journal.add(this.#at(index, description.REFERENCES), 1);
    }
    this.#journal.write(this.#entry(toSlot, to), closeOnExec ? word | bits.CLOSE_ON_EXEC : word);
  }

  #lowestFree(slot: Word, least: number): number {
    for (let i = least; i < this.#geometry.limits.descriptorsMax; i++) {
      if (this.#words.get(this.#entry(slot, i)) === 0) return i;
    }
    return EMFILE;
  }

  #isIndex(index: number): boolean {
    return index >= 0 && index < this.#geometry.limits.descriptionsMax;
  }

  #entry(slot: Word, descriptor: number): Word {
    const { descriptors, tasks, limits } = this.#geometry;
    return field(descriptors, ((slot - tasks) / task.WORDS) * limits.descriptorsMax + descriptor);
  }

  #at(index: Description, name: number): Word {
    return field(this.#geometry.descriptions, index * description.WORDS + name);
  }
}
