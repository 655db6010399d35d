// The reference of the package's exports, made of the doc comments of src/ by TypeDoc.

import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where it stands in the repository. */
export const REFERENCE = "docs/reference";

/** TypeDoc needs the older compiler of its own folder. */
const writer = fileURLToPath(new URL("../../tools/reference/write.mjs", import.meta.url));

/** Makes it anew in `folder`; throws what the writer says if it cannot. */
export function writeReference(folder: string): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, [writer, folder], { encoding: "utf8" });
  if (status !== 0) throw new Error(`the reference was not made:\n${stdout}${stderr}`);
}

/** The text of each file below a folder, by its path there, in order. */
export function filesOf(folder: string): Map<string, string> {
  const entries = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  const paths = entries.filter((path) => path.endsWith(".md"));
  return new Map(paths.map((path) => [path, readFileSync(join(folder, path), "utf8")]));
}
