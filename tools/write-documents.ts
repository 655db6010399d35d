// npm run docs: writes the documents that are made of data.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { documents } from "./documents.ts";

for (const [path, text] of Object.entries(documents)) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text());
  process.stdout.write(`${path}\n`);
}
