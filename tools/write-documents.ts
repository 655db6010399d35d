// npm run docs: writes the documents that are made of data.

import { writeFileSync } from "node:fs";
import { documents } from "./documents.ts";

for (const [path, text] of Object.entries(documents)) {
  writeFileSync(path, text());
  process.stdout.write(`${path}\n`);
}
