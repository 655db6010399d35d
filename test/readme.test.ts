// The README's tables agree with the code, and what the documents name is there. Their programs are run by
// test/documents/snippets.test.ts.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { errnos } from "../src/abi/errno.ts";
import {
  limitBounds,
  limitDefaults,
  NAME_BYTES_MAX,
  PIPE_BUF,
  PIPE_BYTES_DEFAULT,
  QUEUE_DEPTH_DEFAULT,
  shareOf,
} from "../src/abi/limits.ts";
import { documents, project } from "./documents/markdown.ts";

const readme = readFileSync(join(project, "README.md"), "utf8");

/** The cells of every table row in a text. */
const rowsOf = (markdown: string): string[][] =>
  [...markdown.matchAll(/^\|(.+)\|$/gm)].map((row) => (row[1] as string).split("|").map((cell) => cell.trim()));

const numbersIn = (cell: string | undefined): number[] =>
  [...(cell ?? "").matchAll(/\d[\d,]*/g)].map(([digits]) => Number(digits.replaceAll(",", "")));

/** What all have together of which a limit of one task is a share. */
const ofAll: { readonly [name in keyof typeof limitDefaults]?: number } = {
  taskObjectsMax: limitDefaults.objectsMax,
  taskHeapBytesMax: limitDefaults.regionBytes,
  taskHoldsMax: limitDefaults.descriptionsMax,
  taskWaitersMax: limitDefaults.waitersMax,
  taskChildrenMax: limitDefaults.tasksMax,
};

test("the README's limits are those of the code", () => {
  const rows = new Map(rowsOf(readme).map(([name, ...cells]) => [name, cells]));
  for (const name of Object.keys(limitDefaults) as (keyof typeof limitDefaults)[]) {
    const cells = rows.get(`\`${name}\``) ?? [];
    const bounds = numbersIn(cells[0]).length === 2 ? cells[0] : cells[1]; // a task's share follows from what all have
    if (bounds === cells[1]) assert.deepEqual(numbersIn(cells[0]), [limitDefaults[name]], `the default of ${name}`);
    else assert.equal(limitDefaults[name], shareOf(ofAll[name] ?? Number.NaN), `the seven eighths that ${name} is`);
    assert.deepEqual(numbersIn(bounds), [...limitBounds[name]], `the bounds of ${name}`);
  }
  const ofObjects: [row: RegExp, cell: number, value: number][] = [
    [/^capacity of a pipe/, 0, PIPE_BYTES_DEFAULT],
    [/PIPE_BUF/, 0, PIPE_BUF],
    [/^depth of a queue/, 0, QUEUE_DEPTH_DEFAULT],
    [/^name of a queue/, 1, NAME_BYTES_MAX],
  ];
  for (const [row, cell, value] of ofObjects) {
    const [, cells] = [...rows].find(([name]) => row.test(name as string)) ?? [];
    assert.deepEqual(numbersIn(cells?.[cell]), [value], String(row));
  }
});

test("the README's error codes are errors that there are", () => {
  const section = readme.slice(readme.indexOf("## Errors"), readme.indexOf("## Time-outs"));
  const codes = rowsOf(section).flatMap(([cell]) => cell?.match(/E[A-Z0-9]+/g) ?? []);
  assert.ok(codes.length > 10);
  for (const code of codes) assert.ok(code in errnos, code);
});

test("the documents' links lead to files that are there", () => {
  for (const { path, text } of documents()) {
    for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)) {
      assert.ok(existsSync(join(project, dirname(path), target as string)), `${path} links to ${target}`);
    }
  }
});
