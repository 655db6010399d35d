// What all commands of fanga have in common: help, options, exit codes, one line where something is wrong.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Command } from "../src/cli/command.ts";
import { commands } from "../src/cli/commands.ts";
import { changesBetween, nearest } from "../src/cli/nearest.ts";
import {
  ALONE,
  endOf,
  fanga,
  fangaFails,
  fangaFailsHere,
  fangaHere,
  fangaOk,
  fangaPath,
  kernelName,
  notAlone,
  openKernel,
  startFanga,
  startTask,
  until,
} from "./fanga.ts";

const listed = commands.filter(({ hidden }) => !hidden);
const root = new URL("../../", import.meta.url);

test("fanga --help lists every command with its summary", async () => {
  const text = await fangaOk(["--help"]);
  for (const { name, summary } of listed) assert.match(text, new RegExp(`^  ${name} +${summary.slice(0, 20)}`, "m"));
  assert.equal(await fangaOk(["help"]), text);
  assert.equal(await fangaOk(["-h"]), text);
  assert.doesNotMatch(text, /__/, "what is ours is not listed");
});

/** Every command and subcommand with its words. */
function allOf(some: readonly Command[], before: readonly string[] = []): { words: string[]; command: Command }[] {
  return some.flatMap((command) => {
    const words = [...before, command.name];
    return [{ words, command }, ...allOf(command.subcommands ?? [], words)];
  });
}

test("every command and subcommand has --help, with its options and parameters, and fanga help says the same", async () => {
  for (const { words, command } of allOf(listed)) {
    const { stdout: text, status } = await fangaHere([...words, "--help"]);
    assert.equal(status, 0);
    assert.ok(text.startsWith(`usage: fanga ${words.join(" ")}`), text);
    for (const name of Object.keys(command.options ?? {})) assert.ok(text.includes(`--${name}`), `${words}: --${name}`);
    for (const { name } of command.parameters ?? []) assert.match(text, new RegExp(`^  ${name}\\s`, "m"));
    assert.equal((await fangaHere(["help", ...words])).stdout, text);
    for (const line of text.split("\n"))
      assert.ok([...line].length <= 110, `a line of ${words.join(" ")} is long: ${line}`);
  }
});

test("what the table says of each command is whole: a summary without a full stop, options with descriptions", () => {
  for (const { words, command } of allOf(commands)) {
    assert.match(command.summary, /^[a-z].*[^.]$/, words.join(" "));
    assert.equal(command.run === undefined, command.subcommands !== undefined, `${words}: it runs, or has commands`);
    const shorts = Object.values(command.options ?? {}).flatMap(({ short }) => short ?? []);
    assert.equal(new Set([...shorts, "h"]).size, shorts.length + 1, `${words}: two options have one letter`);
    for (const [name, option] of Object.entries(command.options ?? {})) {
      assert.match(option.description, /[^.]$/, `${words} --${name}`);
      if (option.type === "string") assert.match(option.value ?? "", /^[A-Z]+$/, `${words} --${name} names its value`);
    }
  }
});

test("fanga --version says the package's version", async () => {
  const { version } = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));
  assert.equal(await fangaOk(["--version"]), `fanga ${version}\n`);
});

test("a mistyped command, option, kind, kernel or object is one line that says what to type instead", async () => {
  const { kernel, name } = openKernel();
  kernel.mutex({ name: "accounts", create: true });
  const at = ["--kernel", name];
  const wrong: [words: string[], status: 1 | 2, told: RegExp][] = [
    [["sl"], 2, /there is no command "sl": did you mean "fanga ls"\?/],
    [["xyzzy"], 2, /there is no command "xyzzy": type one of ls, ps/],
    [[], 2, /no command was given: see "fanga --help"/],
    [["--jsn"], 2, /there is no option "--jsn" before a command/],
    [["ls", "--jsno"], 2, /ls: there is no option "--jsno": did you mean "--json"\?/],
    [["ls", "--json=yes"], 2, /ls: --json takes no value: type --json alone/],
    [["ls", "--kernel"], 2, /ls: --kernel needs a value: type --kernel NAME/],
    [["ls", "--kind", "mutx"], 2, /ls: there is no kind "mutx": did you mean "mutex"\?/],
    [["ls", "extra"], 2, /ls: there is no place for "extra": type fanga ls \[OPTION…\]/],
    [["show"], 2, /show: OBJECT is missing: type fanga show \[OPTION…\] OBJECT/],
    [["show", ...at, "muex:accounts"], 2, /"muex:accounts" begins with no kind: did you mean "mutex:accounts"\?/],
    [["show", ...at, "key:zero"], 2, /"key:zero" does not hold a key, such as key:0x4d2/],
    [["show", ...at, "id:"], 2, /"id:" does not hold an id/],
    [["show", ...at, "acounts"], 1, /there is no object "acounts" in kernel "[^"]+": did you mean "mutex:accounts"\?/],
    [["show", ...at, "queue:accounts"], 1, /there is no object "queue:accounts" .*: there is mutex:accounts/],
    [["ls", "--kernel", `${name}0`], 1, new RegExp(`there is no kernel "${name}0": did you mean "${name}"`)],
    [["top", "-n", "0"], 2, /top: --frames takes a whole number of at least 1, not "0"/],
    [["top", "-d", "soon"], 2, /top: --interval takes a number from 0\.1 to 3600, not "soon"/],
    [["completion", "fish"], 2, /there is no script for "fish"/],
    [["help", "lss"], 2, /there is no command "lss": did you mean "fanga ls"\?/],
  ];
  for (const [words, status, told] of wrong) assert.match(await fangaFailsHere(words, status), told, words.join(" "));
  // And as a process, with its exit code.
  assert.match(await fangaFails(["sl"], 2), /did you mean "fanga ls"/);
  assert.match(await fangaFails(["show", ...at, "acounts"], 1), /did you mean "mutex:accounts"/);
});

test("a name that two kinds of objects have must be told apart, and by its kind or id it is", async () => {
  const { kernel, name } = openKernel();
  kernel.mutex({ name: "both", create: true });
  kernel.queue({ name: "both", create: true });
  const told = await fangaFails(["show", "-k", name, "both"], 2);
  assert.match(told, /"both" is several objects: type one of mutex:both, queue:both/);
  assert.match(await fangaOk(["show", "-k", name, "queue:both"]), /^object +queue:both$/m);
  const id = /^id +(\d+)$/m.exec(await fangaOk(["show", "-k", name, "mutex:both"]))?.[1];
  for (const way of [`id:${id}`, `#${id}`])
    assert.match(await fangaOk(["show", "-k", name, way]), /^object +mutex:both$/m);
});

test("without --kernel the only kernel is used, FANGA_KERNEL names one, and of several each is told", {
  skip: notAlone(),
}, async () => {
  assert.match(await fangaFails(["show", "x"], 1, { under: ALONE }), /there is no kernel in \/dev\/shm/);
  const script = (names: readonly string[], line: string): string[] => {
    const source = `import { Kernel } from ${JSON.stringify(new URL("../src/index.js", import.meta.url).href)};
for (const name of ${JSON.stringify(names)}) Kernel.open(name, { create: true }).mutex({ name: "m-" + name, create: true });`;
    return [
      ...ALONE,
      "sh",
      "-c",
      `"$0" --input-type=module -e "$1" && shift && exec "$0" "$@"`,
      process.execPath,
      source,
      line,
    ];
  };
  const run = async (names: readonly string[], words: readonly string[], environment = {}) => {
    const [program, ...behind] = [...script(names, fangaPath), ...words];
    const child = spawn(program as string, behind, { env: { ...process.env, ...environment } });
    return endOf(child);
  };
  const one = await run(["one"], ["show", "m-one"]);
  assert.match(one.stdout, /^kernel +one$/m, one.stderr);
  const several = await run(["one", "two"], ["show", "m-one"]);
  assert.equal(several.status, 2);
  assert.match(several.stderr, /show: there are several kernels: type --kernel with one of one, two\n/);
  const named = await run(["one", "two"], ["show", "m-two"], { FANGA_KERNEL: "two" });
  assert.match(named.stdout, /^kernel +two$/m, named.stderr);
});

test("who reads the output may go, as head does, and nothing is said of it", async () => {
  const { kernel, name } = openKernel();
  const longName = "a-semaphore-with-a-name-that-is-long-";
  for (let i = 0; i < 800; i++) kernel.semaphore({ name: longName + i, create: true }).close();
  const child = spawn("bash", [
    "-c",
    `set -o pipefail; "$0" "$@" | head -1`,
    process.execPath,
    fangaPath,
    "ls",
    "-k",
    name,
  ]);
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (part) => {
    stdout += part;
  });
  child.stderr.setEncoding("utf8").on("data", (part) => {
    stderr += part;
  });
  await once(child, "close");
  assert.equal(stderr, "");
  assert.match(stdout, /^KERNEL +KIND[^\n]*\n$/);
});

test("SIGINT ends a command as it ends any process", async () => {
  const name = kernelName();
  const task = startTask(name, "setInterval(() => {}, 1000);");
  await until(name, ({ tasks }) => tasks.length === 1);
  const child = startFanga(["top", "-k", name, "-n", "1000000"]);
  await once(child.stdout as NodeJS.ReadableStream, "data");
  child.kill("SIGINT");
  const [status, signal] = await once(child, "close");
  assert.deepEqual([status, signal], [null, "SIGINT"]);
  task.kill("SIGKILL");
});

test("what is near to a mistyped word is found, and what is not is not guessed", () => {
  assert.equal(changesBetween("", "abc"), 3);
  assert.equal(changesBetween("lock", "lokc"), 1, "neighbours that have changed places are one change");
  assert.equal(changesBetween("kitten", "sitting"), 3);
  assert.equal(nearest("shw", ["show", "shm"]), "show");
  assert.equal(nearest("comp", ["completion", "clean"]), "completion", "a beginning is near to the whole");
  assert.equal(nearest("banana", ["ls", "ps"]), undefined);
});

test("the command is in the package, with a line that says what runs it", async () => {
  const { bin, files } = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));
  assert.equal(new URL(bin.fanga, root).pathname, fangaPath);
  assert.ok(files.includes("dist/src"));
  assert.ok(readFileSync(fangaPath, "utf8").startsWith("#!/usr/bin/env node\n"));
  assert.equal((await fanga(["--version"])).stderr, "");
});
