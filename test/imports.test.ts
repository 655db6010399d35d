// Imports point down only. The floors, and what each may stand on, are data; the check reads the source as text, so that an
// import of a type counts as one of a value does.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join, posix, relative, sep } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const sourceDirectory = fileURLToPath(new URL("../../src/", import.meta.url));

/** The floors from the ground up, and those that each may import. `objects` and `tasks` stand side by side. */
const floors: { readonly [floor: string]: readonly string[] } = {
  abi: [],
  memory: ["abi"],
  sync: ["abi", "memory"],
  objects: ["abi", "memory", "sync"],
  tasks: ["abi", "memory", "sync"],
  kernel: ["abi", "memory", "sync", "objects", "tasks"],
  platforms: ["abi", "memory", "sync"],
  api: ["abi", "memory", "sync", "objects", "tasks", "kernel", "platforms"],
  cli: ["abi", "memory", "sync", "objects", "tasks", "kernel", "platforms", "api"],
};

const TOP = "index.ts";
const topImports = Object.keys(floors);

/** Floors that may use what Node has and a browser has not; the floors below run anywhere. */
const ofNode = ["platforms", "api", "cli"];
const nodeGlobals = ["process", "Buffer", "global", "setImmediate", "require", "__dirname", "__filename"];

/** The one floor that may load a package, and the packages. */
const packageFloor = "platforms";
const packages = ["koffi"];

/** Text of files by their path below src, with "/" whatever the system. */
type Sources = ReadonlyMap<string, string>;

/** What is looked at one after the other: comments, strings, and whatever else; nothing in a comment or string counts. */
const TOKEN = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|(["'])((?:\\.|(?!\1)[^\\\n])*)\1|`((?:\\[\s\S]|[^\\`])*)`/g;
const IMPORTING = /(?:\bfrom|\bimport|\bimport\s*\(|\brequire\s*\(|\bcreateRequire\s*\([^()]*\)\s*\()\s*$/;

/** What a file imports, in any form: import, export from, import type, import(), typeof import(), require(). */
function importsOf(text: string): string[] {
  const found: string[] = [];
  for (const token of text.matchAll(TOKEN)) {
    const string = token[2] ?? token[3];
    if (string !== undefined && IMPORTING.test(textBefore(text, token.index))) found.push(string);
  }
  return found;
}

const LONGEST_IMPORTING = 100;
const textBefore = (text: string, index: number): string => text.slice(Math.max(0, index - LONGEST_IMPORTING), index);

const withoutCommentsAndStrings = (text: string): string => text.replaceAll(TOKEN, " ");

const floorOf = (path: string): string => (path === TOP ? TOP : (path.split("/")[0] as string));
const isFloor = (floor: string): boolean => Object.hasOwn(floors, floor);
const allowedFor = (floor: string): readonly string[] => (floor === TOP ? topImports : (floors[floor] as string[]));

/** One line for every import that does not point down: the file, the import, and why. */
function offencesIn(sources: Sources): string[] {
  const offences: string[] = [];
  for (const [path, text] of sources) {
    const floor = floorOf(path);
    if (floor !== TOP && !isFloor(floor)) {
      offences.push(`${path}: there is no floor "${floor}"; the floors are ${Object.keys(floors).join(", ")}`);
      continue;
    }
    for (const specifier of importsOf(text)) {
      const why = specifier.startsWith(".") ? wrongFile(sources, path, specifier) : wrongModule(floor, specifier);
      if (why !== undefined) offences.push(`${path} imports "${specifier}": ${why}`);
    }
    if (!ofNode.includes(floor) && floor !== TOP) offences.push(...nodeGlobalsIn(path, text));
  }
  return [...offences, ...ringsIn(sources)];
}

function wrongFile(sources: Sources, path: string, specifier: string): string | undefined {
  const from = floorOf(path);
  const target = resolve(path, specifier);
  if (target.startsWith("../")) return "it is outside src";
  if (!sources.has(target)) return "there is no such file (a relative import ends in .ts)";
  const to = floorOf(target);
  if (to === from || allowedFor(from).includes(to)) return undefined;
  if (to === TOP) return "nothing imports the top of the house";
  return `${from} may import only ${allowedFor(from).join(", ") || "nothing"}`;
}

function wrongModule(floor: string, specifier: string): string | undefined {
  if (specifier.startsWith("node:")) {
    return ofNode.includes(floor) ? undefined : "nothing below platforms imports from node:, it must run in a browser";
  }
  if (builtinModules.includes(specifier)) return `Node's own modules are imported as "node:${specifier}"`;
  if (floor === packageFloor && packages.includes(specifier)) return undefined;
  return `only ${packageFloor} may import a package, and only ${packages.join(", ")}`;
}

function nodeGlobalsIn(path: string, text: string): string[] {
  const code = withoutCommentsAndStrings(text);
  return nodeGlobals
    .filter((name) => new RegExp(`(?<![.\\w#])${name}\\b(?!\\s*[:?])`).test(code))
    .map((name) => `${path} uses "${name}": only Node has it, and this floor must run in a browser`);
}

/** Files that import each other, directly or round a ring: one of those imports points up. */
function ringsIn(sources: Sources): string[] {
  const rings: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) rings.push(`${[...trail.slice(start), path].join(" imports ")}: a ring`);
    if (start >= 0 || done.has(path)) return;
    for (const specifier of importsOf(sources.get(path) ?? "")) {
      if (specifier.startsWith(".")) visit(resolve(path, specifier), [...trail, path]);
    }
    done.add(path);
  };
  for (const path of sources.keys()) visit(path, []);
  return rings;
}

const resolve = (path: string, specifier: string): string => posix.join(posix.dirname(path), specifier);

function readSources(directory: string): Sources {
  const sources = new Map<string, string>();
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    sources.set(relative(directory, file).split(sep).join("/"), readFileSync(file, "utf8"));
  }
  return sources;
}

const sources = readSources(sourceDirectory);

test("imports point down only, and to what is there", () => {
  assert.deepEqual(offencesIn(sources), []);
});

test("the check sees the imports of the real source", () => {
  const system = importsOf(sources.get("kernel/system.ts") ?? "");
  assert.ok(system.includes("../memory/layout.ts"), "kernel/system.ts imports the layout");
  assert.ok(system.includes("../sync/world.ts"), "an import of types counts");
  assert.ok(importsOf(sources.get("platforms/libc.ts") ?? "").includes("koffi"), "typeof import() counts");
  assert.ok(importsOf(sources.get(TOP) ?? "").includes("./api/kernel.ts"), "export from counts");
  for (const [path, text] of sources) {
    const statements = text.match(/^(?:import|export|\}).*\bfrom "[^"]+";$/gm) ?? [];
    assert.ok(importsOf(text).length >= statements.length, `${path} has ${statements.length} import statements`);
  }
});

/** A house with one file a floor, which nothing is wrong with. */
const goodHouse: readonly (readonly [path: string, text: string])[] = [
  ...Object.keys(floors).map((floor) => [`${floor}/good.ts`, "export {};"] as const),
  [TOP, 'export * from "./api/good.ts";'],
];

const offencesWith = (path: string, text: string): string[] => offencesIn(new Map([...goodHouse, [path, text]]));

const planted: readonly (readonly [what: string, path: string, text: string, offence: RegExp])[] = [
  [
    "an import of the floor above",
    "memory/bad.ts",
    'import { a } from "../sync/good.ts";',
    /memory may import only abi/,
  ],
  ["an import of the ground's neighbour", "abi/bad.ts", 'import "../memory/good.ts";', /abi may import only nothing/],
  ["objects that import tasks", "objects/bad.ts", 'import { a } from "../tasks/good.ts";', /objects may import only/],
  ["tasks that import objects", "tasks/bad.ts", 'import { a } from "../objects/good.ts";', /tasks may import only/],
  ["a kernel that knows a platform", "kernel/bad.ts", 'import { a } from "../platforms/good.ts";', /kernel may import/],
  [
    "a kernel that knows the API's types",
    "kernel/bad.ts",
    'import type { A } from "../api/good.ts";',
    /kernel may import/,
  ],
  ["one type among values", "sync/bad.ts", 'import { type A } from "../kernel/good.ts";', /sync may import only/],
  ["a platform that knows the kernel", "platforms/bad.ts", 'import { a } from "../kernel/good.ts";', /platforms may/],
  ["an API that knows the command", "api/bad.ts", 'export { a } from "../cli/good.ts";', /api may import only/],
  ["an import of the top", "api/bad.ts", 'import { a } from "../index.ts";', /nothing imports the top/],
  [
    "an import over several lines",
    "sync/bad.ts",
    'import {\n  a,\n  b,\n} from "../tasks/good.ts";',
    /sync may import/,
  ],
  ["an import after an odd quote", "memory/bad.ts", 'const odd = /"/;\nimport "../api/good.ts";', /memory may import/],
  ["a re-export", "memory/bad.ts", "export * from '../api/good.ts';", /memory may import only abi/],
  ["a dynamic import", "memory/bad.ts", 'const a = await import("../api/good.ts");', /memory may import only abi/],
  [
    "an import behind a comment",
    "memory/bad.ts",
    '/* x */ import "../api/good.ts"; // y',
    /memory may import only abi/,
  ],
  ["a dynamic import of a template", "memory/bad.ts", "await import(`../api/good.ts`);", /memory may import only abi/],
  ["a type by import()", "sync/bad.ts", 'type A = typeof import("../api/good.ts");', /sync may import only/],
  ["a required file", "sync/bad.ts", 'createRequire(import.meta.url)("../api/good.ts");', /sync may import only/],
  ["node: below platforms", "sync/bad.ts", 'import { threadId } from "node:worker_threads";', /must run in a browser/],
  ["a type of node: below platforms", "kernel/bad.ts", 'import type { A } from "node:fs";', /must run in a browser/],
  ["a module of Node's without node:", "platforms/bad.ts", 'import { a } from "fs";', /imported as "node:fs"/],
  ["a package below platforms", "memory/bad.ts", 'import koffi from "koffi";', /only platforms may import a package/],
  ["a package in the API", "api/bad.ts", 'import koffi from "koffi";', /only platforms may import a package/],
  ["an unknown package", "platforms/bad.ts", 'import a from "left-pad";', /only platforms .* and only koffi/],
  ["a file that is not there", "sync/bad.ts", 'import { a } from "../memory/gone.ts";', /there is no such file/],
  ["an import without .ts", "sync/bad.ts", 'import { a } from "../memory/good";', /there is no such file/],
  ["an import of .js", "sync/bad.ts", 'import { a } from "../memory/good.js";', /there is no such file/],
  ["a file outside src", "api/bad.ts", 'import { a } from "../../test/good.ts";', /outside src/],
  ["a floor that nobody has drawn", "attic/bad.ts", "export {};", /no floor "attic"/],
  ["a file beside the top", "helpers.ts", "export {};", /no floor "helpers.ts"/],
  ["Node's process below platforms", "sync/bad.ts", "const pid = process.pid;", /uses "process"/],
  ["Node's Buffer below platforms", "objects/bad.ts", "Buffer.alloc(1);", /uses "Buffer"/],
  ["a file that imports itself", "sync/bad.ts", 'import "./bad.ts";', /sync\/bad.ts imports sync\/bad.ts: a ring/],
];

for (const [what, path, text, offence] of planted) {
  test(`the check finds ${what}, and names the file and the import`, () => {
    const offences = offencesWith(path, text);
    assert.equal(offences.length, 1, offences.join("\n") || "nothing was found");
    assert.match(offences[0] as string, offence);
    assert.ok((offences[0] as string).startsWith(path), offences[0]);
    for (const specifier of importsOf(text)) {
      assert.ok((offences[0] as string).includes(specifier.replace(/^\.\//, "")), `${offences[0]} names ${specifier}`);
    }
  });
}

test("the check finds two files of one floor that import each other", () => {
  const two = new Map([
    ["sync/one.ts", 'import type { A } from "./two.ts";'],
    ["sync/two.ts", 'import { b } from "./one.ts";'],
  ]);
  assert.deepEqual(offencesIn(two), ["sync/one.ts imports sync/two.ts imports sync/one.ts: a ring"]);
});

const harmless: readonly (readonly [what: string, path: string, text: string])[] = [
  ["an import in a comment", "abi/good.ts", '// import "../api/good.ts"\n/* import("node:fs") */'],
  ["an import in a string", "abi/good.ts", "const usage = 'import { a } from \"../api/good.ts\"';"],
  ["a word that ends in from", "memory/good.ts", 'const a = powerOfTwoFrom("x");'],
  ["an import of the own floor", "sync/other.ts", 'import { a } from "./good.ts";'],
  ["an import of the ground", "kernel/good.ts", 'import { a } from "../abi/good.ts";'],
  ["node: in platforms", "platforms/good.ts", 'import { threadId } from "node:worker_threads";'],
  ["koffi in platforms", "platforms/good.ts", 'createRequire(import.meta.url)("koffi");'],
  ["the words process and Buffer in comments", "sync/good.ts", "// one process, one Buffer\nexport {};"],
  ["a property named process", "sync/good.ts", "interface A { process: number }\nconst p = a.process;"],
];

for (const [what, path, text] of harmless) {
  test(`the check passes ${what}`, () => {
    assert.deepEqual(offencesWith(path, text), []);
  });
}
