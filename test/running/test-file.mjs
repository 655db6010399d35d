// One test file, run in a process group of its own. Its output goes to a file, not to a pipe: whoever inherits the output
// and lives on holds up nobody.

import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { killProcessesOf, MARK, processesOf } from "./processes.mjs";

/** What a test has killed may take a moment to be gone. */
const GONE_MS_MAX = 5000;
/** Of an endless output, its end. */
const OUTPUT_CHARS_MAX = 1_000_000;

const reporter = fileURLToPath(new URL("./progress-reporter.mjs", import.meta.url));

export class TestFile {
  #killedFor;
  #child;
  #startedMs = 0;

  constructor(path, directory, mark) {
    this.path = path;
    this.name = basename(path);
    this.mark = mark;
    this.outputPath = join(directory, `${this.name}.output`);
    this.progressPath = join(directory, `${this.name}.progress`);
  }

  get seconds() {
    return (performance.now() - this.#startedMs) / 1000;
  }

  /** Runs it to its end, or for `secondsMax`. */
  async run(secondsMax) {
    this.#startedMs = performance.now();
    const status = await this.#exited(secondsMax);
    const left = this.#killedFor ? [] : await this.#leftBehind();
    killProcessesOf(this.mark);
    return { ...this.#verdict(status, left), seconds: this.seconds };
  }

  /** Ends it with all that it started. */
  kill(reason) {
    this.#killedFor ??= reason;
    try {
      process.kill(-this.#child.pid, "SIGKILL");
    } catch {} // the whole group is gone
    killProcessesOf(this.mark);
  }

  #exited(secondsMax) {
    const options = [
      ["--test-reporter=spec", "--test-reporter-destination=stdout"],
      [`--test-reporter=${reporter}`, `--test-reporter-destination=${this.progressPath}`],
    ];
    const output = openSync(this.outputPath, "w");
    this.#child = spawn(process.execPath, [...options.flat(), this.path], {
      detached: true,
      stdio: ["ignore", output, output],
      env: { ...process.env, [MARK]: this.mark },
    });
    closeSync(output);
    const timer = setTimeout(() => this.kill(`it took more than ${secondsMax} s`), secondsMax * 1000);
    return new Promise((resolve, reject) => {
      this.#child.once("error", reject);
      this.#child.once("exit", (code, signal) => resolve(signal ?? code));
    }).finally(() => clearTimeout(timer));
  }

  async #leftBehind() {
    const until = performance.now() + GONE_MS_MAX;
    let left = processesOf(this.mark);
    while (left.length > 0 && performance.now() < until) {
      await after(50);
      left = processesOf(this.mark);
    }
    return left;
  }

  #verdict(status, left) {
    const { counts, running } = this.#progress();
    const faults = [];
    if (this.#killedFor) faults.push(`killed: ${this.#killedFor}`, ...underWay(running));
    else if (counts.tests === undefined) faults.push(`it ended (${status}) before its tests did`);
    else if (counts.tests === 0) faults.push("it has no test");
    else if (status !== 0 && counts.fail + counts.cancelled === 0) faults.push(`it ended with ${status}`);
    for (const { osPid, command } of left) faults.push(`it left process ${osPid}: ${command}`);
    return { counts, faults, ok: status === 0 && faults.length === 0 };
  }

  /** What the reporter noted: the counts, once all tests have ended, and the tests that had begun and not ended. */
  #progress() {
    const counts = {};
    const running = [];
    for (const entry of entriesOf(this.progressPath)) {
      if (entry.began !== undefined) running.push(entry.began);
      else if (entry.what !== undefined) counts[entry.what] = entry.count;
      else if (running.includes(entry.ended)) running.splice(running.lastIndexOf(entry.ended), 1);
    }
    return { counts, running };
  }

  /** What it printed, without the counts at its end. */
  output() {
    const text = readFileSync(this.outputPath, "utf8").slice(-OUTPUT_CHARS_MAX);
    return text.replace(/^(?:ℹ (?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) .*\n)+/gm, "");
  }
}

const underWay = (running) =>
  running.length > 0
    ? running.map((name) => `under way: ${name}`)
    : ["no test was under way: something else kept it alive"];

function entriesOf(path) {
  try {
    const lines = readFileSync(path, "utf8").split("\n");
    return lines.slice(0, -1).map((text) => JSON.parse(text)); // the last is empty, or was cut off
  } catch {
    return [];
  }
}
