// The package as a user gets it: packed, installed into an empty folder, and run in each version of Node that it promises,
// with koffi and without.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { blocksOf, programsOf, project } from "../documents/markdown.ts";
import { nodeBinary, nodeVersions, npm } from "./node-versions.ts";

/** A program that takes longer has hung. */
const HUNG_MS = 60_000;

const workshop = mkdtempSync(join(tmpdir(), "fangaos-package-"));
/** Two projects of users: one as npm makes it, one that has declined optional dependencies. */
const whole = join(workshop, "whole");
const bare = join(workshop, "bare");
const installed = join(whole, "node_modules/@fangaos/ipc");

const { bin = {} } = JSON.parse(readFileSync(join(project, "package.json"), "utf8"));
const readme = programsOf(blocksOf(readFileSync(join(project, "README.md"), "utf8")));
const programs = readme.filter(({ file }) => file.endsWith(".js"));

const REQUIRED = `
const { isMainThread, Worker, workerData } = require("node:worker_threads");
const { Kernel } = require("@fangaos/ipc");
const kernel = isMainThread ? Kernel.create() : Kernel.attach(workerData);
const queue = kernel.queue({ name: "greetings", create: true });
if (isMainThread) {
  kernel.adopt(new Worker(__filename, { workerData: kernel.handle }));
  queue.receive().then(({ data }) => {
    console.log(Buffer.from(data).toString());
    kernel.close();
  });
} else {
  queue.sendSync(Buffer.from("required"));
  kernel.close();
}
`;

const WITHOUT_KOFFI = `
import { IpcError, Kernel } from "@fangaos/ipc";
try {
  Kernel.open("without-koffi", { create: true });
} catch (error) {
  console.log(error instanceof IpcError, error.code, error.message);
}
`;

const TYPED = `
import { Kernel, type Message, type MessageQueue } from "@fangaos/ipc";
using kernel: Kernel = Kernel.create({ tasksMax: 4 });
const queue: MessageQueue = kernel.queue({ depth: 2 });
const message: Message | undefined = queue.tryReceive();
const data: Uint8Array | undefined = message?.data;
// @ts-expect-error a queue's depth is a number
kernel.queue({ depth: "two" });
export { data };
`;

function makeProject(folder: string, tarball: string, ...options: string[]): void {
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  npm(folder, "install", ...options, tarball);
  for (const { file, text } of programs) writeFileSync(join(folder, file.replace(/js$/, "mjs")), text);
  writeFileSync(join(folder, "required.cjs"), REQUIRED);
  writeFileSync(join(folder, "without-koffi.mjs"), WITHOUT_KOFFI);
}

before(() => {
  const [packed] = JSON.parse(npm(project, "pack", "--json", "--ignore-scripts", "--pack-destination", workshop));
  const tarball = join(workshop, packed.filename);
  makeProject(whole, tarball);
  makeProject(bare, tarball, "--omit=optional");
});

after(() => rmSync(workshop, { recursive: true, force: true }));

interface Ending {
  readonly status: number | null;
  readonly output: string;
  readonly complaints: string;
}

async function run(folder: string, command: string, ...args: string[]): Promise<Ending> {
  const child = spawn(command, args, {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: HUNG_MS,
    killSignal: "SIGKILL",
  });
  const exited = new Promise<number | null>((resolve, reject) => child.once("exit", resolve).once("error", reject));
  const [output, complaints] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  return { status: await exited, output, complaints };
}

for (const version of nodeVersions) {
  describe(`Node ${version}`, () => {
    let node: string;
    before(() => {
      node = nodeBinary(version);
    });

    for (const { heading, file, output } of programs) {
      test(`the README's program under "${heading}" prints what is shown`, async () => {
        const ending = await run(whole, node, file.replace(/js$/, "mjs"));
        assert.deepEqual(ending, { status: 0, output, complaints: "" });
      });
    }

    test("require() of the package gives what import gives, and two threads talk", async () => {
      const { status, output, complaints } = await run(whole, node, "required.cjs");
      assert.equal(output, "required\n", complaints);
      assert.equal(status, 0);
    });

    test("without koffi the package loads, and threads talk", async () => {
      const threads = programs.find(({ heading }) => heading === "Quick start: threads");
      assert.ok(threads);
      const ending = await run(bare, node, threads.file.replace(/js$/, "mjs"));
      assert.deepEqual(ending, { status: 0, output: threads.output, complaints: "" });
    });

    test("without koffi Kernel.open is ENOSYS, and says what to install", async () => {
      assert.ok(!existsSync(join(bare, "node_modules/koffi")));
      const { status, output, complaints } = await run(bare, node, "without-koffi.mjs");
      assert.match(output, /^true ENOSYS .*npm install koffi/, complaints);
      assert.equal(status, 0);
    });

    for (const name of Object.keys(bin)) {
      test(`the command ${name} shows its help`, async () => {
        const { status, output, complaints } = await run(whole, node, join("node_modules/.bin", name), "--help");
        assert.ok(output.length > 0, complaints);
        assert.equal(status, 0);
      });
    }
  });
}

for (const [module, moduleResolution] of [
  ["NodeNext", "NodeNext"],
  ["ESNext", "Bundler"],
]) {
  test(`the types of the installed package are whole under moduleResolution ${moduleResolution}`, () => {
    const folder = join(whole, `typed-${moduleResolution}`);
    mkdirSync(folder);
    writeFileSync(join(folder, "program.mts"), TYPED);
    const types = join(whole, "node_modules/@types");
    if (!existsSync(types)) symlinkSync(join(project, "node_modules/@types"), types);
    const compilerOptions = {
      ...{
        module,
        moduleResolution,
        strict: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
        skipLibCheck: false,
      },
      ...{ target: "ES2023", lib: ["ES2024", "ESNext.Disposable"], types: ["node"] },
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["program.mts"] }));
    const compiler = join(project, "node_modules/typescript/bin/tsc");
    const { stdout, status } = spawnSync(process.execPath, [compiler, "-p", folder], { encoding: "utf8" });
    assert.equal(stdout, "");
    assert.equal(status, 0);
  });
}

/** Every file of the package, by its path there. */
const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));

test("the package holds what is run, its types, documents and examples, and nothing else", () => {
  const kinds =
    /^(dist\/src\/.+\.(js|d\.ts)|docs\/.+\.(md|svg)|examples\/.+\.(ts|md|sh)|README\.md|CHANGELOG\.md|SECURITY\.md|CONTRIBUTING\.md|LICENSE|package\.json)$/;
  assert.deepEqual(
    filesOf(installed).filter((path) => !kinds.test(path)),
    [],
  );
});

test("the links of the package's documents lead to files of the package", () => {
  for (const path of filesOf(installed).filter((name) => name.endsWith(".md"))) {
    const text = readFileSync(join(installed, path), "utf8");
    for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)) {
      assert.ok(existsSync(join(installed, dirname(path), target as string)), `${path} links to ${target}`);
    }
  }
});
