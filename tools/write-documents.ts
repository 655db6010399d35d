// npm run docs: writes the documents that are made of data, and the reference.

import { writeFileSync } from "node:fs";
import { documents } from "./documents.ts";
import { REFERENCE, writeReference } from "./reference.ts";

for (const [path, text] of Object.entries(documents)) {
  writeFileSync(path, text());
  process.stdout.write(`${path}\n`);
}
writeReference(REFERENCE);
process.stdout.write(`${REFERENCE}/\n`);
