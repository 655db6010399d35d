// docs/fangaos-map.md has a row for everything that the mission says, and the tests that it names are there.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { missionItems } from "./mission-items.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const map = readFileSync(`${root}docs/fangaos-map.md`, "utf8");

interface Row {
  readonly heading: string;
  readonly item: string;
  readonly proofs: readonly string[];
}

/** The map's rows, under their headings. */
function rowsOf(markdown: string): Row[] {
  let heading = "";
  return markdown.split("\n").flatMap((line) => {
    if (line.startsWith("## ")) heading = line.slice(3);
    const [item, , proofs] = line.startsWith("| ") ? line.slice(2, -2).split(" | ") : [];
    if (item === undefined || item === "the mission") return [];
    return [{ heading, item: item.replaceAll("`", ""), proofs: (proofs ?? "").split("<br>") }];
  });
}

interface Item {
  readonly heading: string;
  readonly item: string;
}

function itemsOf(text: string): Item[] {
  let heading = "";
  return text
    .trim()
    .split("\n")
    .flatMap((line) => {
      if (!line.startsWith("## ")) return [{ heading, item: line.slice(2) }];
      heading = line.slice(3);
      return [];
    });
}

/** What matches the names of a source's tests: a literal matches itself, each `${…}` of a template any text. */
function testNamesOf(source: string): RegExp[] {
  const literals = source.matchAll(/\btest\(\s*(?:"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`)/g);
  return Array.from(literals, ([, double, single, template]) => {
    const plain = double ?? single;
    const parts = plain === undefined ? (template as string).split(/\$\{[^}]*\}/) : [plain];
    const exact = parts.map((part) => part.replace(/\\(.)/g, "$1").replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${exact.join(".+")}$`);
  });
}

const namesByFile = new Map<string, RegExp[]>();

function isTest(file: string, sentence: string): boolean {
  const path = `${root}test/${file}`;
  let names = namesByFile.get(file);
  if (!names) {
    names = existsSync(path) ? testNamesOf(readFileSync(path, "utf8")) : [];
    namesByFile.set(file, names);
  }
  return names.some((name) => name.test(sentence));
}

/** What is wrong with a row's proofs. */
function complaintsAbout({ item, proofs }: Row): string[] {
  const found: string[] = [];
  for (const proof of proofs) {
    const [, file, sentence] = /^([\w-]+\.test\.ts): "(.+)"$/.exec(proof) ?? [];
    if (file === undefined || sentence === undefined) found.push(`${item}: "${proof}" names no test`);
    else if (!isTest(file, sentence)) found.push(`${item}: test/${file} has no test "${sentence}"`);
  }
  if (proofs.length === 0) found.push(`${item}: it has no test`);
  return found;
}

const rows = rowsOf(map);
const items = itemsOf(missionItems);

test("everything that the mission says has its row in docs/fangaos-map.md, in the mission's order", () => {
  assert.ok(items.length > 200);
  assert.deepEqual(
    rows.map(({ heading, item }) => `${heading}: ${item}`),
    items.map(({ heading, item }) => `${heading}: ${item}`),
  );
});

test("every row of docs/fangaos-map.md has a test, and every test is there", () => {
  assert.deepEqual(
    rows.flatMap((row) => complaintsAbout(row)),
    [],
  );
});

test("a missing test, a misspelt one and a row without any are found", () => {
  const complaints = (...proofs: string[]): string[] => complaintsAbout({ heading: "", item: "it", proofs });
  const here = 'fangaos-map.test.ts: "a missing test, a misspelt one and a row without any are found"';
  assert.deepEqual(complaints(here), []);
  assert.equal(complaints(here.replace("missing", "mising")).length, 1);
  assert.equal(complaints(here.replace("map", "mop")).length, 1);
  assert.equal(complaints("by hand").length, 1);
  assert.deepEqual(complaints(), ["it: it has no test"]);
});

test("names of tests are found, whatever their quotes, and templates match what they make", () => {
  const sources = ["test(\"a. 'b'\", f);", "test(\n  'c', f);", ["test(`d $", "{e} f $", "{g}`, h)"].join("")];
  const [plain, other, template] = testNamesOf(sources.join(" "));
  assert.ok(plain?.test("a. 'b'") && !plain.test("ab 'b'"));
  assert.ok(other?.test("c"));
  assert.ok(template?.test("d 1 f sync") && !template.test("d 1 f "));
});
