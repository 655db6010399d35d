// fanga completion: the scripts in a real bash and a real zsh, and what may stand in each place.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { candidates } from "../src/cli/candidates.ts";
import { commands } from "../src/cli/commands.ts";
import { fangaOk, fangaPath, missing, openKernel } from "./fanga.ts";

/** A directory with a `fanga` in it that runs the built one. */
let directory = "";
let scripts: { bash: string; zsh: string };
before(async () => {
  directory = mkdtempSync(join(tmpdir(), "fanga-completion-"));
  writeFileSync(join(directory, "main"), `#!/bin/sh\nexec '${process.execPath}' '${fangaPath}' "$@"\n`, {
    mode: 0o755,
  });
  symlinkSync("main", join(directory, "fanga"));
  scripts = { bash: await fangaOk(["completion", "bash"]), zsh: await fangaOk(["completion", "zsh"]) };
});
after(() => rmSync(directory, { recursive: true, force: true }));

function run(shell: string, flags: readonly string[], script: string): string[] {
  const path = `${directory}:${process.env.PATH}`;
  const { stdout, stderr } = spawnSync(shell, [...flags, "-c", script], {
    encoding: "utf8",
    env: { ...process.env, PATH: path },
  });
  assert.equal(stderr, "", stderr);
  return stdout.split("\n").filter((line) => line !== "");
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** What bash offers with the cursor at the end of a line. */
function inBash(line: string): string[] {
  return run(
    "bash",
    ["--norc"],
    `${scripts.bash}
compopt() { :; }
COMP_LINE=${quoted(line)}; COMP_POINT=\${#COMP_LINE}; COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
_fanga fanga
printf '%s\\n' "\${COMPREPLY[@]}"`,
  );
}

/** The same in zsh; of what it has for descriptions, the words. */
function inZsh(line: string): string[] {
  return run(
    "zsh",
    ["-f"],
    `compdef() { :; }
_describe() { local one; for one in "\${(@P)@[-1]}"; do print -r -- "\${one%%:*}"; done; }
compadd() { local array="\${@[-1]}"; print -rl -- "\${(@P)array}"; }
_files() { print files; }
_command_names() { print commands; }
${scripts.zsh}
line=${quoted(line)}; words=(\${(s: :)line}); [[ $line == *" " ]] && words+=("")
CURRENT=\${#words}
_fanga`,
  );
}

const listed = commands.filter(({ hidden }) => !hidden).map(({ name }) => name);

test("bash completes commands, options, kernels, kinds and objects", { skip: missing("bash", "--version") }, () => {
  const { kernel, name } = openKernel();
  kernel.queue({ name: "jobs", create: true });
  kernel.queue({ key: 0x4d2, create: true });
  kernel.mutex({ name: "with blank", create: true });
  assert.deepEqual(inBash("fanga "), [...listed, "--help", "--version"]);
  assert.deepEqual(inBash("fanga comp"), ["completion"]);
  assert.deepEqual(inBash("fanga ls --k"), ["--kernel", "--kind"]);
  assert.deepEqual(inBash("fanga ls --kind mu"), ["mutex"]);
  assert.ok(inBash("fanga ls --kernel ").includes(name));
  assert.deepEqual(inBash(`fanga ls --kernel=${name}`), [name], "of a word with = the rest");
  assert.deepEqual(inBash(`fanga show --kernel ${name} j`), ["jobs"]);
  assert.deepEqual(inBash(`fanga show --kernel ${name} queue:`), ["jobs"], "of a word with : the rest");
  assert.deepEqual(inBash(`fanga show --kernel ${name} w`), ["with\\ blank"]);
  assert.deepEqual(inBash("fanga help do"), ["doctor"]);
  assert.deepEqual(inBash("fanga nothing "), []);
});

test("zsh completes commands, options, kernels, kinds and objects", { skip: missing("zsh", "--version") }, () => {
  const { kernel, name } = openKernel();
  kernel.queue({ name: "jobs", create: true });
  assert.deepEqual(inZsh("fanga "), listed);
  assert.ok(inZsh("fanga ls --").includes("--kernel"));
  assert.deepEqual(inZsh("fanga ls --kind mu"), ["mutex"]);
  assert.ok(inZsh("fanga ls --kernel ").includes(name));
  assert.deepEqual(inZsh(`fanga show --kernel ${name} queue:j`), ["queue:jobs"]);
});

const at = (...words: string[]): string[] => {
  const { stdin, stdout, stderr } = process;
  const { signal } = new AbortController();
  return candidates({ commands, stdin, stdout, stderr, environment: {}, isTTY: false, signal }, words);
};

test("objects are offered by name, by kind where two have one name or a kind was typed, by key and by id", () => {
  const { kernel, name } = openKernel();
  kernel.queue({ name: "one", create: true });
  kernel.mutex({ name: "both", create: true });
  kernel.queue({ name: "both", create: true });
  kernel.queue({ key: 0x4d2, create: true });
  kernel.mutex({ name: "bad\x1b", create: true });
  const show = (word: string): string[] => at("show", "--kernel", name, word);
  assert.deepEqual(show("o"), ["one"]);
  assert.deepEqual(show("b"), []);
  assert.deepEqual(show("mutex:"), ["mutex:both"]);
  assert.deepEqual(show("key:"), ["key:0x000004d2"]);
  assert.ok(
    show("").some((word) => /^id:\d+$/.test(word)),
    "what would not be safe to print, by its id",
  );
  assert.deepEqual(at("show", `--kernel=${name}`, "one"), ["one"]);
});

test("every option and parameter of the table that says what completes it is completed", () => {
  for (const { name, options = {}, parameters = [] } of commands) {
    for (const [option, { completes }] of Object.entries(options)) {
      if (Array.isArray(completes)) assert.deepEqual(at(name, `--${option}`, ""), completes, `${name} --${option}`);
    }
    const first = parameters[0]?.completes;
    if (Array.isArray(first)) assert.deepEqual(at(name, ""), first, name);
  }
});
