// The reference says what the code says: it is what the doc comments of today make.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { filesOf, REFERENCE, writeReference } from "../../tools/reference.ts";
import { project } from "./markdown.ts";

const folder = mkdtempSync(join(tmpdir(), "fangaos-reference-"));
after(() => rmSync(folder, { recursive: true, force: true }));

test("docs/reference is up to date", () => {
  writeReference(folder);
  const written = filesOf(join(project, REFERENCE));
  const made = filesOf(folder);
  assert.deepEqual([...written.keys()], [...made.keys()], "pages come or go: npm run docs");
  for (const [path, text] of made) assert.equal(written.get(path), text, `${REFERENCE}/${path} is stale: npm run docs`);
});

test("the reference names no place of the machine that it was made on", () => {
  for (const [path, text] of filesOf(join(project, REFERENCE))) {
    assert.ok(!text.includes(project), path);
    assert.doesNotMatch(text, /file:\/\/|\/home\/|\/tmp\//, path);
  }
});
