// Run by liveness.test.ts with few file descriptors: uses them all up, then looks at the other tasks. Prints what it saw.

import { closeSync, openSync } from "node:fs";
import { Kernel } from "../src/index.ts";

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);

const [name, when] = process.argv.slice(2) as [string, "attached" | "attaching"];
const attached = when === "attached" ? Kernel.open(name) : undefined;
const held: number[] = [];
let full = "";
while (full === "") {
  try {
    held.push(openSync("/dev/null", "r"));
  } catch (error) {
    full = codeOf(error);
  }
}
let refused = "";
if (attached === undefined) {
  // Enough to open the region's file, not enough to ask the system anything.
  closeSync(held.pop() as number);
  try {
    Kernel.open(name).close();
  } catch (error) {
    refused = codeOf(error);
  }
}
const buried = attached?.reap() ?? 0;
const states = attached?.tasks().map(({ state }) => state) ?? [];
for (const descriptor of held) closeSync(descriptor);
attached?.close();
console.log(JSON.stringify({ full, buried, states, refused }));
