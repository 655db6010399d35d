// What the documents show is what happens: their programs are type-checked and run, against the built package and as a user
// would import it, and the commands that they name are there. A block that is not run says why, behind the fence:
// ```sh not run: it publishes the package

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { libc } from "../../src/platforms/libc.ts";
import { type Block, blocksOf, documents, type Program, programsOf, project } from "./markdown.ts";

/** Inside the package, so that "@fangaos/ipc" is the package itself, by its "exports". */
const workshop = fileURLToPath(new URL(`./snippets-${process.pid}/`, import.meta.url));
const sourceDirectory = join(workshop, "source");
const compiledDirectory = join(workshop, "compiled");
const commands = join(workshop, "bin");
const compiler = join(project, "node_modules/typescript/bin/tsc");

/** A program that takes longer has hung. */
const HUNG_MS = 60_000;

const { scripts, bin = {} } = JSON.parse(readFileSync(join(project, "package.json"), "utf8"));

interface DocumentPrograms {
  readonly path: string;
  readonly folder: string;
  readonly blocks: readonly Block[];
  readonly programs: readonly Program[];
}

const all: DocumentPrograms[] = documents().map(({ path, text }) => {
  const blocks = blocksOf(text);
  return { path, folder: path.replace(/\.md$/, "").replaceAll("/", "-"), blocks, programs: programsOf(blocks) };
});

interface Ending {
  readonly status: number | null;
  readonly output: string;
  readonly complaints: string;
  readonly osPid: number;
}

async function run(command: string, args: readonly string[]): Promise<Ending> {
  const child = spawn(command, args, {
    cwd: workshop,
    env: { ...process.env, PATH: `${commands}${delimiter}${process.env.PATH}` },
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
  for (const { folder, programs } of all) {
    mkdirSync(join(sourceDirectory, folder), { recursive: true });
    for (const { file, text } of programs) writeFileSync(join(sourceDirectory, folder, file), text);
  }
  mkdirSync(commands);
  for (const [name, path] of Object.entries<string>(bin)) symlinkSync(join(project, path), join(commands, name));
  writeFileSync(join(workshop, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["source"] }));
  compiled = await run(process.execPath, [compiler, "-p", workshop]);
});

after(() => rmSync(workshop, { recursive: true, force: true }));

test("the documents' programs are correct TypeScript and JavaScript", () => {
  assert.equal(compiled.output, "");
  assert.equal(compiled.status, 0, compiled.complaints);
});

/** JavaScript and shell commands run as they stand in the document. */
function start(folder: string, { file }: Program): Promise<Ending> {
  const source = join(sourceDirectory, folder, file);
  if (file.endsWith(".sh")) return run("bash", ["-eu", "-o", "pipefail", source]);
  const built = join(compiledDirectory, folder, file.replace(/ts$/, "js"));
  return run(process.execPath, [file.endsWith(".ts") ? built : source]);
}

/** Whether a program needs what only some machines have; the reason where this one has not. */
function lacking({ file, text }: Program): string | false {
  const missing = file.endsWith(".sh") || text.includes("Kernel.open(") ? libc() : undefined;
  return typeof missing === "string" ? missing : false;
}

for (const { path, folder, programs } of all) {
  for (const program of programs) {
    const skip = lacking(program);
    test(`${path}: the program under "${program.heading}" ends well and prints what is shown`, { skip }, async () => {
      const { status, output, complaints, osPid } = await start(folder, program);
      const left = leftovers(osPid);
      assert.equal(complaints, "");
      assert.equal(output, program.output);
      assert.equal(status, 0);
      assert.deepEqual(left, [], "it left a kernel in /dev/shm");
    });
  }
}

test("the README has a program for threads, one for processes, and one that dies", () => {
  const readme = all.find(({ path }) => path === "README.md");
  const headings = readme?.programs.map(({ heading }) => heading) ?? [];
  for (const heading of ["Quick start: threads", "Quick start: processes", "When a task dies"]) {
    assert.ok(headings.includes(heading), `there is none under "${heading}"`);
  }
});

/** The commands of a shell block, without comments. */
const commandsOf = (text: string): string[] =>
  text
    .split(/\n|&&/)
    .map((line) => line.replace(/(^|\s)#.*$/, "").trim())
    .filter((line) => line !== "");

/** npm's own words that are no script of ours, and those that stand for one. */
const NPM_OWN = new Set(["ci", "install", "i", "exec", "pack", "publish", "cit"]);

/** What is wrong with a command of ours; undefined if nothing is, null where it is none of ours. */
function faultOf(command: string): string | undefined | null {
  const [program, ...words] = command.split(/\s+/);
  const [word, script] = words;
  if (program === "npm") {
    const name = word === "run" ? script : word;
    if (word !== "run" && NPM_OWN.has(word as string)) return undefined;
    return (name as string) in scripts ? undefined : `package.json has no script "${name}"`;
  }
  if (program !== "node") return null;
  return existsSync(join(project, word as string)) ? undefined : `there is no ${word}`;
}

for (const { path, blocks } of all) {
  test(`${path}: each block of code is run, or is a command that is there, or says why not`, () => {
    for (const { heading, language, text } of blocks) {
      const where = `${path}, "${heading}", \`\`\`${language}\n${text}`;
      const [name, ...mark] = language.split(" ");
      assert.doesNotMatch(name as string, /^(javascript|typescript|mjs|cjs|mts|cts|bash|shell|console)$/, where);
      if (!["js", "ts", "sh"].includes(name as string)) continue;
      if (mark.length > 0) assert.match(mark.join(" "), /^(runnable|not run: .+)$/, where);
      else assert.equal(name, "sh", `it is not marked "runnable", nor "not run: REASON": ${where}`);
      if (name !== "sh" || mark[0] === "runnable") continue;
      for (const command of commandsOf(text)) {
        const fault = faultOf(command);
        assert.ok(
          fault !== null || mark.length > 0,
          `"${command}" is not run, and the block does not say why: ${where}`,
        );
        assert.ok(fault === undefined || fault === null, `${fault}: ${where}`);
      }
    }
  });
}

test("blocks are found with their headings, and programs with what they print", () => {
  const markdown =
    "# A\n```js runnable\na();\n```\nprose\n```text\n1\n```\n## B\n```ts runnable\nb();\n```\n```sh\nc\n```\n";
  assert.deepEqual(programsOf(blocksOf(markdown)), [
    { heading: "A", file: "program-0.js", text: "a();\n", output: "1\n" },
    { heading: "B", file: "program-2.ts", text: "b();\n", output: "" },
  ]);
});

test("commands are found in a shell block, and those of ours are looked up", () => {
  const text = "npm ci && npm start   # installs\n# only words\nnode test/run.mjs pipe\n";
  assert.deepEqual(commandsOf(text), ["npm ci", "npm start", "node test/run.mjs pipe"]);
  assert.deepEqual(commandsOf(text).map(faultOf), [undefined, undefined, undefined]);
  assert.match(faultOf("npm run nothing-like-it") as string, /no script/);
  assert.match(faultOf("node test/nothing-like-it.mjs") as string, /there is no/);
  assert.equal(faultOf("ls -l"), null);
});
