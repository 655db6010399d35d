// The runner of these tests itself: whatever a test file does, the run ends, and says what was under way.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { afterEach, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";

const runner = fileURLToPath(new URL("../../test/run.mjs", import.meta.url));

/** A worker that spins, and a process that has left the group, ignores SIGTERM and holds the output. */
const HANGS = `
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
const holder = 'process.on("SIGTERM", () => {}); process.title; setInterval(() => {}, 1000); console.log("holding")';
test("it goes on for ever", async () => {
  new Worker("for (;;);", { eval: true });
  const child = spawn(process.execPath, ["-e", holder], { detached: true, stdio: ["ignore", "inherit", "inherit"] });
  child.once("spawn", () => writeFileSync(new URL("holder", import.meta.url), String(child.pid)));
  await new Promise(() => setInterval(() => {}, 1000));
});
`;

const PASSES = `
import { test } from "node:test";
test("it passes", () => console.log("quiet"));
test("it is left out", { skip: true });
`;

const FAILS = `
import { test } from "node:test";
test("it fails", () => { throw new Error("on purpose"); });
`;

const LEAVES = `
import { spawn } from "node:child_process";
import { test } from "node:test";
test("it leaves a process", () => {
  spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)", "left-behind"], { detached: true, stdio: "ignore" }).unref();
});
`;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fangaos-runner-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Run {
  readonly status: number | null;
  readonly output: string;
}

function start(files: Readonly<Record<string, string>>, args: readonly string[] = []): ChildProcess {
  for (const [name, source] of Object.entries(files)) writeFileSync(join(folder, `${name}.test.js`), source);
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  return spawn(process.execPath, [runner, "--root", folder, ...args], { stdio: ["ignore", "pipe", "pipe"] });
}

async function ended(child: ChildProcess): Promise<Run> {
  const exited = once(child, "exit");
  const texts = [child.stdout, child.stderr].map((stream) => textOf(stream as NodeJS.ReadableStream));
  const output = (await Promise.all(texts)).join("");
  return { status: (await exited)[0], output };
}

const isAlive = (osPid: number): boolean => existsSync(`/proc/${osPid}/cmdline`) && !isZombie(osPid);
const isZombie = (osPid: number): boolean => readFileSync(`/proc/${osPid}/cmdline`, "utf8") === "";

test("counts are added up in the closing lines of node's own runner, and only what fails is printed whole", async () => {
  const { status, output } = await ended(start({ fails: FAILS, passes: PASSES }));
  assert.equal(status, 1);
  assert.match(
    output,
    /^# tests 3\n# suites 0\n# pass 1\n# fail 1\n# cancelled 0\n# skipped 1\n# todo 0\n# duration_ms/m,
  );
  assert.match(output, /on purpose/);
  assert.match(output, /^NOT OK fails\.test\.js: 0 of 1 tests/m);
  assert.match(output, /^ok passes\.test\.js: 1 of 2 tests/m);
  assert.doesNotMatch(output, /quiet/);
});

test("a run of what passes ends with 0", async () => {
  const { status } = await ended(start({ passes: PASSES }));
  assert.equal(status, 0);
});

test("a file that takes too long is killed, and its test is named; the others are run", async () => {
  const { status, output } = await ended(start({ hangs: HANGS, passes: PASSES }, ["--file-seconds", "5"]));
  assert.equal(status, 1);
  assert.match(output, /hangs\.test\.js: killed: it took more than 5 s/);
  assert.match(output, /hangs\.test\.js: under way: it goes on for ever/);
  assert.match(output, /^ok passes\.test\.js/m);
  assert.match(output, /^# pass 1\n# fail 1$/m);
});

test("a run that takes too long is ended, with what was under way and what had not begun", async () => {
  const limits = ["--total-seconds", "4", "--jobs", "1"];
  const { status, output } = await ended(start({ hangs: HANGS, passes: PASSES }, limits));
  assert.equal(status, 1);
  assert.match(output, /^failed: passes\.test\.js \(not begun\)$/m);
  assert.match(output, /^failed: hangs\.test\.js$/m);
  assert.match(output, /^stopped: all tests together took more than 4 s$/m);
});

test("a run that is asked to end kills what its tests started, also what left their group", async () => {
  const holder = join(folder, "holder");
  const watcher = watch(folder);
  const child = start({ hangs: HANGS });
  const run = ended(child);
  while (!existsSync(holder) || readFileSync(holder, "utf8") === "") await once(watcher, "change");
  watcher.close();
  const osPid = Number(readFileSync(holder, "utf8"));
  assert.ok(isAlive(osPid));
  child.kill("SIGTERM");
  const { status, output } = await run;
  assert.equal(status, 1);
  assert.match(output, /^stopped: the run was ended by SIGTERM$/m);
  assert.ok(!isAlive(osPid), "the process that held the output lives on");
});

test("a file that leaves a process behind has failed, and the process is named and ended", async () => {
  const { status, output } = await ended(start({ leaves: LEAVES }));
  assert.equal(status, 1);
  const [, osPid] = output.match(/^ {2}leaves\.test\.js: it left process (\d+): .*left-behind$/m) ?? [];
  assert.ok(osPid, output);
  assert.ok(!isAlive(Number(osPid)));
});

test("a file without a test, and a name that no file has, are mistakes", async () => {
  const empty = await ended(start({ empty: "" }));
  assert.equal(empty.status, 1);
  assert.match(empty.output, /empty\.test\.js: it ended \(0\) before its tests did/);
  const unknown = await ended(start({ passes: PASSES }, ["nothing-of-that-name"]));
  assert.equal(unknown.status, 2);
  assert.match(unknown.output, /no test file of .* has a name with nothing-of-that-name/);
});
