// Identifiers of SysV objects: the object's index, and how many objects have lived in its slot, so that an id of one that is
// gone finds nothing (ipc(2): EINVAL).

import { EINVAL } from "../abi/errno.ts";
import type { Geometry } from "../memory/layout.ts";
import type { Registry } from "./registry.ts";

const ID_BITS = 31;

/** The kernel, as far as ids need it. */
interface System {
  readonly registry: Registry;
  readonly geometry: Geometry;
}

export function sysvId(system: System, objectIndex: number): number {
  const bits = indexBits(system);
  const lives = system.registry.generationOf(objectIndex) & (2 ** (ID_BITS - bits) - 1);
  return lives * 2 ** bits + objectIndex;
}

/** How often an id's slot has been used, as far as the id tells: `seq` of struct ipc_perm. */
export const sequenceOf = (system: System, id: number): number => id >>> indexBits(system);

/** The index of the object of a kind that an id names, or EINVAL. */
export function objectOfId(system: System, id: number, kind: number): number {
  if (id < 0) return EINVAL;
  const objectIndex = id & (2 ** indexBits(system) - 1);
  const { registry } = system;
  if (!registry.isIndex(objectIndex) || registry.kindOf(objectIndex) !== kind) return EINVAL;
  return sysvId(system, objectIndex) === id ? objectIndex : EINVAL;
}

const indexBits = (system: System): number => Math.log2(system.geometry.bucketCount);
