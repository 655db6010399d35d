// What the host says of a task's process.

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { harmless } from "./table.ts";

/** Its command line, with the programs' names without their directories; "" where it is gone or not ours to see. */
export function commandLine(osPid: number): string {
  let words: string[];
  try {
    words = readFileSync(`/proc/${osPid}/cmdline`, "utf8").split("\0").slice(0, -1);
  } catch {
    return "";
  }
  const [program = "", ...behind] = words;
  const shown = behind.map((word) => (word.startsWith("/") ? basename(word) : word));
  return harmless([basename(program), ...shown].join(" "));
}
