// Every object of a kernel, with who uses it, who waits at it, and who holds it.

import { objectState } from "../kernel/object-states.ts";
import { access, description, task } from "../memory/layout.ts";
import { field } from "../memory/words.ts";
import type { Description } from "../tasks/descriptors.ts";
import type { InspectedObject, InspectedUse, InspectedWait } from "./inspected.ts";
import { kindWordOf } from "./object-kinds.ts";
import { idOf, objectIndexes, pidOfSlot, type Seen, taskSlots } from "./seen.ts";

const PERMISSIONS = 0o777;

export function inspectObjects(seen: Seen, waits: readonly InspectedWait[]): InspectedObject[] {
  const uses = usesByObject(seen);
  const objects: InspectedObject[] = [];
  for (const index of objectIndexes(seen)) {
    const object = inspectObject(seen, index, uses.get(index) ?? [], waits);
    if (object) objects.push(object);
  }
  return objects;
}

function inspectObject(
  seen: Seen,
  index: number,
  uses: readonly InspectedUse[],
  waits: readonly InspectedWait[],
): InspectedObject | undefined {
  const { words, geometry, registry } = seen;
  const number = registry.kindOf(index);
  const kind = kindWordOf(number);
  const state = objectState(words, geometry, number, registry.bodyLineOf(index), (slot) => pidOfSlot(seen, slot));
  if (kind === undefined || state === undefined) return undefined; // gone meanwhile, or damaged
  const id = idOf(seen, index);
  const name = registry.nameOf(index);
  const { mode, uid, gid } = registry.ownershipOf(index);
  return {
    id,
    kind,
    name: name.length === 0 ? undefined : new TextDecoder().decode(name),
    key: registry.keyOf(index) || undefined,
    mode: mode & PERMISSIONS,
    uid,
    gid,
    creatorPid: registry.creatorPidOf(index),
    changedSeconds: registry.changedAt(index),
    linked: registry.isLinked(index),
    uses,
    waits: waits.filter(({ objectId }) => objectId === id),
    holders: holdersOf(state),
    state,
  } as InspectedObject;
}

function holdersOf(state: object): number[] {
  if ("owner" in state) return state.owner === 0 ? [] : [state.owner as number];
  if (!("writer" in state && "readers" in state)) return [];
  const { writer, readers } = state as { writer: number; readers: readonly number[] };
  return writer === 0 ? [...readers] : [writer, ...readers];
}

/** Who has each object open or uses it, from the tables of descriptors and descriptions. */
function usesByObject(seen: Seen): Map<number, InspectedUse[]> {
  const { words, geometry, descriptors } = seen;
  const uses = new Map<number, InspectedUse[]>();
  const note = (index: Description, pid: number, descriptor: number | undefined): void => {
    const object = descriptors.objectOf(index);
    if (object < 0) return;
    const use = { pid, descriptor, access: accessWord(descriptors.accessOf(index)) };
    uses.set(object, [...(uses.get(object) ?? []), use]);
  };
  for (const slot of taskSlots(seen)) {
    const pid = words.load(field(slot, task.PID));
    if (pid <= 0) continue;
    for (const descriptor of descriptors.openOf(slot)) {
      const index = descriptors.lookUp(slot, descriptor)?.description;
      if (index !== undefined) note(index, pid, descriptor);
    }
  }
  for (let i = 0; i < geometry.limits.descriptionsMax; i++) {
    const owner = words.load(field(geometry.descriptions, i * description.WORDS + description.OWNER));
    if (owner > 0) note(i as Description, owner, undefined);
  }
  return uses;
}

function accessWord(mask: number): InspectedUse["access"] {
  if (mask & access.ATTACH) return "attached";
  if (mask & access.USE) return "used";
  const both = access.READ | access.WRITE;
  return (mask & both) === both ? "read-write" : mask & access.WRITE ? "write" : "read";
}
