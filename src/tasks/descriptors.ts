// Descriptors and open file descriptions. A task's table holds small integers that name descriptions; a description names
// an object and how it was opened. Everything here is guarded by the kernel lock and written through the journal.

import { EMFILE, ENFILE } from "../abi/errno.ts";
import type { Journal } from "../memory/journal.ts";
import { description, type Geometry, header, task } from "../memory/layout.ts";
import { field, type Word, type Words } from "../memory/words.ts";

export type Descriptor = number & { readonly brand: "descriptor" };

/** 0, 1 and 2 are kept for the host's standard input, output and error. */
const FIRST_DESCRIPTOR = 3;

const FREE_HEAD = header.DESCRIPTION_FREE as Word;

export class Descriptors {
  readonly #words: Words;
  readonly #journal: Journal;
  readonly #geometry: Geometry;

  constructor(words: Words, journal: Journal, geometry: Geometry) {
    this.#words = words;
    this.#journal = journal;
    this.#geometry = geometry;
  }

  /** Makes a description of an object and the lowest free descriptor for it. */
  openLocked(slot: Word, objectIndex: number, access: number): Descriptor | typeof EMFILE | typeof ENFILE {
    const descriptor = this.#lowestFree(slot);
    if (descriptor < 0) return EMFILE;
    const index = this.#words.get(FREE_HEAD) - 1;
    if (index < 0 || index >= this.#geometry.limits.descriptionsMax) return ENFILE;
    const at = this.#description(index);
    this.#journal.write(FREE_HEAD, this.#words.get(field(at, description.NEXT)));
    this.#journal.write(field(at, description.OBJECT), objectIndex + 1);
    this.#journal.write(field(at, description.ACCESS), access);
    this.#journal.write(field(at, description.REFERENCES), 1);
    this.#journal.write(field(at, description.FLAGS), 0);
    this.#journal.write(this.#entry(slot, descriptor), index + 1);
    return descriptor as Descriptor;
  }

  /** Frees a descriptor; where it was the last of its description, says what that described. */
  closeLocked(slot: Word, descriptor: Descriptor): { objectIndex: number; access: number } | undefined {
    const entry = this.#entry(slot, descriptor);
    const index = this.#words.get(entry) - 1;
    this.#journal.write(entry, 0);
    if (index < 0 || index >= this.#geometry.limits.descriptionsMax) return undefined;
    const at = this.#description(index);
    if (this.#journal.add(field(at, description.REFERENCES), -1) > 0) return undefined;
    const objectIndex = this.#words.get(field(at, description.OBJECT)) - 1;
    this.#journal.write(field(at, description.OBJECT), 0);
    this.#journal.write(field(at, description.NEXT), this.#words.get(FREE_HEAD));
    this.#journal.write(FREE_HEAD, index + 1);
    return { objectIndex, access: this.#words.get(field(at, description.ACCESS)) };
  }

  /** Every descriptor that a task has open. */
  openOf(slot: Word): Descriptor[] {
    const open: Descriptor[] = [];
    for (let i = 0; i < this.#geometry.limits.descriptorsMax; i++) {
      if (this.#words.load(this.#entry(slot, i)) !== 0) open.push(i as Descriptor);
    }
    return open;
  }

  #lowestFree(slot: Word): number {
    for (let i = FIRST_DESCRIPTOR; i < this.#geometry.limits.descriptorsMax; i++) {
      if (this.#words.get(this.#entry(slot, i)) === 0) return i;
    }
    return EMFILE;
  }

  #entry(slot: Word, descriptor: number): Word {
    const { descriptors, tasks, limits } = this.#geometry;
    return field(descriptors, ((slot - tasks) / task.WORDS) * limits.descriptorsMax + descriptor);
  }

  #description(index: number): Word {
    return field(this.#geometry.descriptions, index * description.WORDS);
  }
}
