// What the README shows is what happens: its programs are type-checked and run, against the built package and as a user
// would import it, and its tables agree with the code.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { errnos } from "../src/abi/errno.ts";
import {
  limitBounds,
  limitDefaults,
  NAME_BYTES_MAX,
  PIPE_BUF,
  PIPE_BYTES_DEFAULT,
  QUEUE_DEPTH_DEFAULT,
} from "../src/abi/limits.ts";
import { libc } from "../src/platforms/libc.ts";

const project = fileURLToPath(new URL("../../", import.meta.url));
/** Inside the package, so that "@fangaos/ipc" is the package itself, by its "exports". */
const workshop = fileURLToPath(new URL(`./readme-${process.pid}/`, import.meta.url));
const sourceDirectory = join(workshop, "source");
const compiledDirectory = join(workshop, "compiled");
const compiler = join(project, "node_modules/typescript/bin/tsc");

/** A program that takes longer has hung. */
const HUNG_MS = 30_000;

const readme = readFileSync(join(project, "README.md"), "utf8");

interface Block {
  readonly heading: string;
  /** What follows the fence, such as "js runnable". */
  readonly language: string;
  readonly text: string;
}

interface Program {
  readonly heading: string;
  readonly file: string;
  readonly text: string;
  readonly output: string | undefined;
}

/** Fenced blocks, each with the heading that it stands under. */
function blocksOf(markdown: string): Block[] {
  const found: Block[] = [];
  let heading = "";
  for (const match of markdown.matchAll(/^#+ (.+)$|^```([^\n]*)\n([\s\S]*?)^```$/gm)) {
    if (match[1] !== undefined) heading = match[1];
    else found.push({ heading, language: (match[2] as string).trim(), text: match[3] as string });
  }
  return found;
}

/** Blocks marked runnable. What such a program prints stands in the next block, of language text. */
function programsOf(blocks: readonly Block[]): Program[] {
  return blocks.flatMap(({ heading, language, text }, i) => {
    if (!language.endsWith(" runnable")) return [];
    const next = blocks[i + 1];
    const output = next?.language === "text" && next.heading === heading ? next.text : undefined;
    return [{ heading, file: `program-${i}.${language.split(" ")[0]}`, text, output }];
  });
}

const programs = programsOf(blocksOf(readme));

interface Ending {
  readonly status: number | null;
  readonly output: string;
  readonly complaints: string;
  readonly osPid: number;
}

async function run(file: string, args: readonly string[]): Promise<Ending> {
  const child = spawn(process.execPath, [file, ...args], {
    cwd: workshop,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: HUNG_MS,
    killSignal: "SIGKILL",
  });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const [output, complaints] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  return { status: await exited, output, complaints, osPid: child.pid as number };
}

/** Names of kernels with this process's number that are still there; removes them. */
function leftovers(osPid: number): string[] {
  const left = readdirSync("/dev/shm").filter((name) => name.startsWith("fangaos.") && name.endsWith(`-${osPid}`));
  for (const name of left) rmSync(join("/dev/shm", name));
  return left;
}

const compilerOptions = {
  strict: true,
  target: "ES2022",
  lib: ["ES2024", "ESNext.Disposable"],
  module: "NodeNext",
  types: ["node"],
  allowJs: true,
  checkJs: true,
  skipLibCheck: true,
  rootDir: "source",
  outDir: "compiled",
};

let compiled: Ending;

before(async () => {
  mkdirSync(sourceDirectory, { recursive: true });
  for (const { file, text } of programs) writeFileSync(join(sourceDirectory, file), text);
  writeFileSync(join(workshop, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["source"] }));
  compiled = await run(compiler, ["-p", workshop]);
});

after(() => rmSync(workshop, { recursive: true, force: true }));

test("the README's programs are correct TypeScript and JavaScript", () => {
  assert.equal(compiled.output, "");
  assert.equal(compiled.status, 0, compiled.complaints);
});

/** JavaScript runs as it stands in the README. */
const runnableFile = ({ file }: Program): string =>
  file.endsWith(".ts") ? join(compiledDirectory, file.replace(/ts$/, "js")) : join(sourceDirectory, file);

for (const program of programs) {
  const missing = program.text.includes("Kernel.open(") ? libc() : undefined;
  const skip = typeof missing === "string" ? missing : false;
  test(`the program under "${program.heading}" ends well and prints what the README says`, { skip }, async () => {
    const { status, output, complaints, osPid } = await run(runnableFile(program), []);
    const left = leftovers(osPid);
    assert.equal(complaints, "");
    assert.equal(output, program.output);
    assert.equal(status, 0);
    assert.deepEqual(left, [], "it left a kernel in /dev/shm");
  });
}

test("the README has a program for threads, one for processes, and one that dies", () => {
  const headings = programs.map(({ heading }) => heading);
  for (const heading of ["Quick start: threads", "Quick start: processes", "When a task dies"]) {
    assert.ok(headings.includes(heading), `there is none under "${heading}"`);
  }
});

test("blocks are found with their headings, and programs with what they print", () => {
  const markdown =
    "# A\n```js runnable\na();\n```\nprose\n```text\n1\n```\n## B\n```ts runnable\nb();\n```\n```sh\nc\n```\n";
  assert.deepEqual(programsOf(blocksOf(markdown)), [
    { heading: "A", file: "program-0.js", text: "a();\n", output: "1\n" },
    { heading: "B", file: "program-2.ts", text: "b();\n", output: undefined },
  ]);
});

/** The cells of every table row in a text. */
const rowsOf = (markdown: string): string[][] =>
  [...markdown.matchAll(/^\|(.+)\|$/gm)].map((row) => (row[1] as string).split("|").map((cell) => cell.trim()));

const numbersIn = (cell: string | undefined): number[] =>
  [...(cell ?? "").matchAll(/\d[\d,]*/g)].map(([digits]) => Number(digits.replaceAll(",", "")));

test("the README's limits are those of the code", () => {
  const rows = new Map(rowsOf(readme).map(([name, ...cells]) => [name, cells]));
  for (const name of Object.keys(limitDefaults) as (keyof typeof limitDefaults)[]) {
    const [usual, bounds] = rows.get(`\`${name}\``) ?? [];
    assert.deepEqual(numbersIn(usual), [limitDefaults[name]], `the default of ${name}`);
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

test("the scripts that the documents name are in package.json", () => {
  const { scripts } = JSON.parse(readFileSync(join(project, "package.json"), "utf8"));
  const builtIn: { readonly [word: string]: string } = { cit: "test" };
  const named = documents().flatMap(({ text }) => [
    ...text.matchAll(/\bnpm (?:run )?(start|cit|test|bench|lint|format)\b/g),
  ]);
  assert.ok(named.length > 3);
  for (const [, word] of named) assert.ok((builtIn[word as string] ?? word) in scripts, `npm ${word}`);
});

test("the documents' links lead to files that are there", () => {
  for (const { path, text } of documents()) {
    for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)) {
      assert.ok(existsSync(join(dirname(path), target as string)), `${path} links to ${target}`);
    }
  }
});

function documents(): { path: string; text: string }[] {
  const names = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/ARCHITECTURE.md"];
  return names.map((name) => ({ path: join(project, name), text: readFileSync(join(project, name), "utf8") }));
}
