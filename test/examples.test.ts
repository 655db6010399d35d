// The examples, as a reader would run them: each ends in ok, with the deaths that are part of it, and leaves nothing behind, also
// when its main program is killed.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { libc } from "../src/platforms/libc.ts";

const project = fileURLToPath(new URL("../../", import.meta.url));
const HUNG_MS = 120_000;
const missing = libc();
const skip = typeof missing === "string" ? missing : false;

/** A running example. */
class Run {
  output = "";
  errors = "";
  readonly child: ChildProcess;
  readonly ended: Promise<{ status: number | null; signal: NodeJS.Signals | null }>;
  readonly #label: string;
  #onOutput: () => void = () => {};

  constructor(label: string, command: string, ...words: string[]) {
    this.#label = label;
    this.child = spawn(command, words, { cwd: project, stdio: ["ignore", "pipe", "pipe"] });
    const timer = setTimeout(() => this.child.kill("SIGKILL"), HUNG_MS);
    this.child.stdout?.setEncoding("utf8").on("data", (part: string) => {
      this.output += part;
      this.#onOutput();
    });
    this.child.stderr?.setEncoding("utf8").on("data", (part: string) => {
      this.errors += part;
    });
    this.ended = new Promise((resolve) => {
      this.child.once("close", (status, signal) => {
        clearTimeout(timer);
        this.#onOutput();
        resolve({ status, signal });
      });
    });
  }

  /** Waits until the output holds something; fails where the run ends before. */
  async until(text: string): Promise<void> {
    while (!this.output.includes(text)) {
      assert.equal(
        this.child.exitCode ?? this.child.signalCode,
        null,
        `${text} is not in ${this.output}${this.errors}`,
      );
      await new Promise<void>((resolve) => {
        this.#onOutput = resolve;
      });
    }
  }

  async endsInOk(): Promise<void> {
    const { status } = await this.ended;
    assert.equal(status, 0, this.output + this.errors);
    assert.ok(this.output.endsWith("\nok\n"), this.output);
    assert.deepEqual(this.leftInSharedMemory(), []);
  }

  leftInSharedMemory(): string[] {
    const name = new RegExp(`^fangaos\\.${this.#label}-${this.child.pid}(?!\\d)`);
    return readdirSync("/dev/shm").filter((entry) => name.test(entry));
  }

  /** The processes that it has started and that still run. */
  children(): number[] {
    const list = `/proc/${this.child.pid}/task/${this.child.pid}/children`;
    if (!existsSync(list)) return [];
    return readFileSync(list, "utf8").trim().split(" ").filter(Boolean).map(Number);
  }
}

const runs: Run[] = [];
function example(name: string, ...words: string[]): Run {
  const run = new Run(name, process.execPath, `dist/examples/${name}/main.js`, ...words);
  runs.push(run);
  return run;
}

after(() => {
  for (const { child } of runs) if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
});

describe("the example", { skip }, () => {
  test("job-queue does again what two killed workers had in hand, and all jobs are done", async () => {
    const run = example("job-queue");
    await run.endsInOk();
    const killed = [...run.output.matchAll(/^worker \d+ was killed; in its hands: job (\d+), which is done again$/gm)];
    assert.equal(killed.length, 2, run.output);
    // The second worker may be killed with the very job of the first in its hands.
    const jobs = [...new Set(killed.map(([, job]) => Number(job)))].sort((a, b) => a - b);
    assert.match(run.output, new RegExp(`^done: 200; lost: none; begun more than once: job ${jobs.join(", ")}$`, "m"));
  });

  test("job-queue --never-twice reports what two killed workers had in hand, and begins nothing twice", async () => {
    const run = example("job-queue", "--never-twice");
    await run.endsInOk();
    assert.match(run.output, /^done: 198; lost: job \d+, \d+; begun more than once: none$/m);
  });

  test("frame-pipeline shows all frames in their order though a filter is killed in the middle of one", async () => {
    const run = example("frame-pipeline");
    await run.endsInOk();
    assert.match(run.output, /^filter 1 was killed in the middle of frame \d+; filter 3 is started$/m);
    assert.match(run.output, /^200 frames of 320 × 180 in their order, 0 wrong/m);
  });

  test("rate-limiter grants no call too early though a client is killed with the mutex locked", async () => {
    const run = example("rate-limiter");
    await run.endsInOk();
    assert.match(run.output, /^client 1: killed by SIGKILL with the mutex locked$/m);
    assert.match(run.output, /^99 calls in \S+ s, 99 expected; too early: 0$/m);
  });

  test("worker-pool replaces workers that are killed and that crash, and gives up the request that kills", async () => {
    const run = example("worker-pool");
    await run.endsInOk();
    assert.match(run.output, /^worker 1 was killed by SIGKILL, with request \d+ in hand; another one in 0 ms$/m);
    assert.equal([...run.output.matchAll(/ ended with 70, with request 12 in hand/g)].length, 2, run.output);
    assert.match(run.output, /^39 of 40 requests answered; given up: request 12 has cost 2 workers their lives$/m);
  });

  test("worker-pool --serve finishes what is in hand when SIGTERM comes from outside", async () => {
    const run = example("worker-pool", "--serve");
    await run.until("serving until SIGTERM");
    run.child.kill("SIGTERM");
    await run.endsInOk();
    assert.match(run.output, /^SIGTERM: in hand and answered: [01]; not begun and refused: 0; no worker is left$/m);
  });

  test("shell-pipeline answers all, with the service killed in the middle of a message", async () => {
    const run = new Run("shell-pipeline", "examples/shell-pipeline/run.sh", "src/api");
    runs.push(run);
    await run.endsInOk();
    assert.match(run.errors, /the service has died; it is started again/);
    assert.match(run.output, /^answers missing after the service's death: 1$/m);
  });
});

describe("when its main program is killed with kill -9", { skip }, () => {
  for (const [name, words, begun] of [
    ["job-queue", [], "worker 1 was killed"],
    ["frame-pipeline", [], "filter 1 was killed"],
    ["worker-pool", ["--serve"], "serving until SIGTERM"],
  ] as const) {
    test(`${name} has no process and no shared memory left soon after`, async () => {
      const run = example(name, ...words);
      await run.until(begun);
      const children = run.children();
      assert.ok(children.length > 0, "it has children");
      run.child.kill("SIGKILL");
      await run.ended;
      const running = () => children.filter((child) => isRunning(child));
      const deadline = performance.now() + HUNG_MS / 4;
      while (running().length > 0 || run.leftInSharedMemory().length > 0) {
        assert.ok(performance.now() < deadline, `still there: ${running()} ${run.leftInSharedMemory()}`);
        await pause(10);
      }
    });
  }

  for (const name of ["job-queue", "frame-pipeline", "rate-limiter", "worker-pool"]) {
    test(`${name} says what is wrong with its command line, and ends with 2`, async () => {
      const run = example(name, "--frobnicate");
      assert.equal((await run.ended).status, 2);
      assert.match(run.errors, /^Unknown option '--frobnicate'.* \(--help tells more\)\n$/);
    });
  }
});

function isRunning(process: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${process}/status`, "utf8"));
  } catch {
    return false;
  }
}
