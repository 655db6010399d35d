// fanga top, ls and ps in a real terminal (a pseudo-terminal of script(1)), and top as plain frames.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { bytes } from "./expectations.ts";
import { fangaOk, fangaPath, HUNG_MS, missing, openKernel } from "./fanga.ts";

const noTerminal = missing("script", "-qec", "true", "/dev/null");

/** Runs a command line of fanga's in a terminal of a size; what is typed is written to its standard input. */
function inTerminal(words: readonly string[], { rows = 24, columns = 150 } = {}): ChildProcess {
  const line = [process.execPath, fangaPath, ...words].map((word) => `'${word}'`).join(" ");
  const shell = `stty rows ${rows} cols ${columns}; ${line}; echo "exit code $?"; stty -a | grep -o -- '-\\?icanon'`;
  const child = spawn("script", ["-qec", shell, "/dev/null"], {
    timeout: HUNG_MS,
    env: { ...process.env, TERM: "xterm" },
  });
  child.stdout.setEncoding("utf8");
  return child;
}

/** Everything that a terminal was sent, as it comes, with ESC for that character. */
class Shown {
  text = "";
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.on("data", (part: string) => {
      this.text += part.replaceAll("\x1b", "ESC");
    });
  }

  async until(wanted: RegExp, what: string): Promise<void> {
    while (!wanted.test(this.text)) {
      const part = await Promise.race([
        once(this.#child.stdout as NodeJS.ReadableStream, "data"),
        once(this.#child, "close"),
      ]);
      assert.equal(typeof part[0], "string", `it ended before ${what}: ${JSON.stringify(this.text)}`);
    }
  }
}

test("fanga top takes the whole terminal, shows rates that change, and gives it back at q", {
  skip: noTerminal,
}, async () => {
  const { kernel, name } = openKernel();
  const queue = kernel.queue({ name: "jobs", create: true });
  const child = inTerminal(["top", "--kernel", name, "--interval", "0.1"]);
  const shown = new Shown(child);
  await shown.until(/ESC\[\?1049hESC\[\?25l/, "it took the screen");
  await shown.until(/jobs +0\/10 messages +0 +0 +0/, "a frame had rates");
  queue.trySend(bytes("a message"));
  await shown.until(/jobs +1\/10 messages +[1-9]\d* +0 +0/, "a frame told of the message");
  child.stdin?.write("q");
  await once(child, "close");
  const [, behind = ""] = shown.text.split("ESC[?25hESC[?1049l");
  assert.match(behind, /exit code 0\r\n/);
  assert.match(behind, /^icanon/m, "the terminal reads lines again");
});

test("a frame is no longer and no wider than the terminal, and says what it leaves out", {
  skip: noTerminal,
}, async () => {
  const { kernel, name } = openKernel();
  for (let i = 0; i < 40; i++) kernel.mutex({ name: `a-mutex-of-many-${i}`, create: true }).close();
  const child = inTerminal(["top", "-k", name, "-d", "0.1"], { rows: 12, columns: 60 });
  const shown = new Shown(child);
  await shown.until(/ESC\[H[\s\S]*ESC\[J/, "a frame was whole");
  child.stdin?.write("\x03"); // Ctrl-C
  await once(child, "close");
  const [frame = ""] = (/ESC\[H([\s\S]*?)ESC\[J/.exec(shown.text) ?? []).slice(1);
  const lines = frame.split("\r\n").map((line) => line.replaceAll("ESC[K", ""));
  assert.ok(lines.length <= 12, `${lines.length} lines`);
  for (const line of lines) assert.ok([...line].length <= 60, line);
  assert.match(frame, /… \d+ more/);
  assert.match(shown.text, /exit code 0/);
});

test("fanga ls and ps print the same in a terminal as in a pipe", { skip: noTerminal }, async () => {
  const { kernel, name } = openKernel();
  kernel.queue({ name: "jobs", create: true });
  for (const command of ["ls", "ps"]) {
    const shown = new Shown(inTerminal([command, "-k", name]));
    await shown.until(/exit code 0/, "it ended well");
    const piped = await fangaOk([command, "-k", name]);
    assert.ok(shown.text.replaceAll("\r\n", "\n").startsWith(piped), `${shown.text}\n${piped}`);
  }
});

test("fanga top -n prints plain frames, with rates from the second on, and ends", async () => {
  const { kernel, name } = openKernel();
  kernel.mkfifo("log");
  const text = await fangaOk(["top", "-n", "2", "-d", "0.1", "--kernel", name]);
  assert.ok(!text.includes("\x1b"));
  assert.equal(text.match(/^\d\d:\d\d:\d\d {2}1 kernel, 1 task, 1 object, 0 waiters/gm)?.length, 2);
  const rows = text.split("\n").filter((line) => line.includes(" fifo "));
  assert.deepEqual(
    rows.map((line) => line.split(/\s{2,}/).slice(4, 6)),
    [
      ["-", "-"],
      ["0 B", "0 B"],
    ],
  );
});

test("fanga top without a terminal prints one frame", async () => {
  const { name } = openKernel();
  const text = await fangaOk(["top", "--kernel", name]);
  assert.equal(text.match(/1 kernel, 1 task/g)?.length, 1);
});
