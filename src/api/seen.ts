// What those parts need that look at a kernel from outside.

import type { Registry } from "../kernel/registry.ts";
import { sysvId } from "../kernel/sysv-ids.ts";
import { type Geometry, task } from "../memory/layout.ts";
import { field, type Word, type Words } from "../memory/words.ts";
import type { Descriptors } from "../tasks/descriptors.ts";

/** The parts of a kernel that is looked at. */
export interface Seen {
  readonly words: Words;
  readonly geometry: Geometry;
  readonly registry: Registry;
  readonly descriptors: Descriptors;
}

/** The index of each object that is there. */
export function* objectIndexes({ registry, geometry }: Seen): Generator<number> {
  for (let index = 0; index < geometry.limits.objectsMax; index++) {
    if (registry.kindOf(index) !== 0 && registry.isWhole(index)) yield index;
  }
}

export const idOf = (seen: Seen, objectIndex: number): number => sysvId(seen, objectIndex);

/** Every task's slot, free or not. */
export function* taskSlots({ geometry }: Seen): Generator<Word> {
  for (let i = 0; i < geometry.limits.tasksMax; i++) yield field(geometry.tasks, i * task.WORDS);
}

/** The pid of the task of a slot, by the slot's index; 0: it is free. */
export function pidOfSlot({ words, geometry }: Seen, index: number): number {
  return words.load(field(geometry.tasks, index * task.WORDS + task.PID));
}
