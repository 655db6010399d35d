// Names of users, from passwd(5).

import { readFileSync } from "node:fs";

let names: ReadonlyMap<number, string> | undefined;

/** A user's name; the number where there is none. */
export function userName(uid: number): string {
  names ??= readNames();
  return names.get(uid) ?? String(uid);
}

function readNames(): Map<number, string> {
  const found = new Map<number, string>();
  let text = "";
  try {
    text = readFileSync("/etc/passwd", "utf8");
  } catch {
    // Then numbers it is.
  }
  for (const line of text.split("\n")) {
    const [name, , uid] = line.split(":");
    if (name && uid && !found.has(Number(uid))) found.set(Number(uid), name);
  }
  return found;
}
