// The object that a name of the command line leads to.

import type { InspectedKernel, InspectedObject } from "../api/inspected.ts";
import type { ObjectKind } from "../api/object-kinds.ts";
import type { Arguments } from "./arguments.ts";
import { Failure } from "./failure.ts";
import { nearest } from "./nearest.ts";
import { type ObjectName, parseObjectName } from "./object-name.ts";
import { nameToType } from "./object-text.ts";

const LISTED_MAX = 6;

/**
 * The one object that a word names; a UsageError where several have that name, a Failure where none does. `kinds` are those that
 * the command works on.
 */
export function findObject(
  given: Arguments,
  kernel: InspectedKernel,
  text: string,
  kinds?: readonly ObjectKind[],
): InspectedObject {
  const wanted = parseObjectName(given, text, kinds);
  const found = kernel.objects.filter((object) => isNamed(object, wanted));
  if (found.length === 1) return found[0] as InspectedObject;
  if (found.length > 1) {
    throw given.wrong(`"${text}" is several objects: type one of ${found.map(nameToType).join(", ")}`);
  }
  throw new Failure(`there is no object "${text}" in kernel "${kernel.name}"${remedy(kernel, wanted)}`);
}

function isNamed(object: InspectedObject, { kinds, name, key, id }: ObjectName): boolean {
  if (kinds !== undefined && !kinds.includes(object.kind)) return false;
  if (id !== undefined) return object.id === id;
  return key === undefined ? object.name === name : object.key !== undefined && (object.key | 0) === key;
}

function remedy({ objects }: InspectedKernel, { text, kinds, name, key }: ObjectName): string {
  const others = objects.filter((object) => kinds === undefined || kinds.includes(object.kind));
  const same = objects.filter((object) => (name === undefined ? object.key === key : object.name === name));
  if (key !== undefined || name !== undefined) {
    if (same.length > 0) return `: there is ${same.map(nameToType).join(", ")}`;
  }
  const byWord = new Map(
    others.flatMap(
      (object) =>
        [
          [object.name ?? "", object],
          [nameToType(object), object],
        ] as const,
    ),
  );
  const close = name === undefined ? undefined : (nearest(name, byWord.keys()) ?? nearest(text, byWord.keys()));
  if (close !== undefined) return `: did you mean "${nameToType(byWord.get(close) as InspectedObject)}"?`;
  if (others.length === 0) return ": there is none of its kind";
  const listed = others.slice(0, LISTED_MAX).map(nameToType).join(", ");
  return `: there are ${listed}${others.length > LISTED_MAX ? ", … (fanga ls shows all)" : ""}`;
}
