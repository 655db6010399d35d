// Which public methods of the kernel's classes the table of operations reaches: measured, by wrapping them.

import { readdirSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";

const source = fileURLToPath(new URL("../../src/", import.meta.url));
/** The floors whose code writes to the region. Those of the API above them only call. */
const floors = ["memory", "sync", "objects", "tasks", "kernel"];

export interface Coverage {
  /** "Class.method" of each public method. */
  readonly all: Set<string>;
  readonly called: Set<string>;
}

/** Wraps the methods of all exported classes; from then on calls are noted. */
export async function cover(): Promise<Coverage> {
  const coverage: Coverage = { all: new Set(), called: new Set() };
  for (const floor of floors) {
    for (const file of readdirSync(`${source}${floor}`)) {
      if (!file.endsWith(".js")) continue;
      const module = (await import(pathToFileURL(`${source}${floor}/${file}`).href)) as Record<string, unknown>;
      for (const one of Object.values(module)) {
        if (typeof one === "function" && /^class\b/.test(Function.prototype.toString.call(one))) wrap(one, coverage);
      }
    }
  }
  return coverage;
}

// biome-ignore lint/complexity/noBannedTypes: a class, whatever its constructor takes
function wrap(made: Function, { all, called }: Coverage): void {
  const prototype = made.prototype as Record<string, unknown>;
  for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (name === "constructor" || typeof value !== "function") continue;
    const id = `${made.name}.${name}`;
    all.add(id);
    prototype[name] = function wrapped(this: unknown, ...args: unknown[]): unknown {
      called.add(id);
      return (value as (...args: unknown[]) => unknown).apply(this, args);
    };
  }
}
