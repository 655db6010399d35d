// The main job: its parts alone, then the whole program, with tasks killed while it runs.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { parseArguments, UsageError, WORKERS_MAX } from "../examples/word-count/arguments.ts";
import { JobCutter } from "../examples/word-count/job-cutter.ts";
import { JobLedger } from "../examples/word-count/job-ledger.ts";
import {
  decodeJob,
  encodeResult,
  JOB_TEXT_BYTES_MAX,
  mergeResult,
  RESULT_BYTES_MAX,
} from "../examples/word-count/messages.ts";
import { createProgress } from "../examples/word-count/progress.ts";
import { listTextFiles, readInto } from "../examples/word-count/text-files.ts";
import { WORD_BYTES_MAX, WordCounter } from "../examples/word-count/word-counter.ts";
import { readable, WordTable } from "../examples/word-count/word-table.ts";

const program = fileURLToPath(new URL("../examples/word-count/main.js", import.meta.url));
/** A run that takes longer than this has been ended, and its test fails. */
const HUNG_MS = 30_000;
const JOB_BYTES_SMALL = WORD_BYTES_MAX + 1;

/** Text with all that is hard about it: short words, upper case, bytes from 0x80, runs around the limit and far above it. */
const text = fc
  .array(
    fc.oneof(
      { weight: 8, arbitrary: fc.string({ unit: fc.constantFrom(..."aAbZz_09é \n.-"), maxLength: 12 }) },
      { weight: 2, arbitrary: fc.constantFrom(" ", "\n", "\0", "The", "the") },
      { weight: 1, arbitrary: fc.integer({ min: 250, max: 260 }).map((length) => "x".repeat(length)) },
      { weight: 1, arbitrary: fc.integer({ min: 500, max: 1100 }).map((length) => "Y".repeat(length)) },
    ),
    { maxLength: 60 },
  )
  .map((parts) => Buffer.from(parts.join(""), "utf8"));

/** Where a text falls into pieces. */
const cuts = fc.array(fc.nat(400), { maxLength: 40 });

function* inPieces(bytes: Uint8Array, lengths: readonly number[]): Generator<Uint8Array> {
  let position = 0;
  for (const length of lengths) {
    yield bytes.subarray(position, position + length);
    position += length;
  }
  yield bytes.subarray(position);
}

function countedAtOnce(bytes: Uint8Array): WordTable {
  const counter = new WordCounter();
  counter.push(bytes);
  counter.end();
  return counter.table;
}

function countsOf(table: WordTable): Map<string, number> {
  return new Map(Array.from(table, ({ word, count }) => [word, count]));
}

/** What a word is, in the words of a regular expression. */
function countedByExpression(bytes: Uint8Array): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [run] of Buffer.from(bytes)
    .toString("latin1")
    .matchAll(/[A-Za-z0-9_\x80-\xff]+/g)) {
    if (run.length > WORD_BYTES_MAX) continue;
    const word = run.replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase());
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

describe("the word counter", () => {
  test("counts the runs of letters, digits, underscores and bytes from 0x80 up, in lower case", () => {
    const table = countedAtOnce(Buffer.from("The the THE snake_case x2 naïve-Ünï\tend", "utf8"));
    const counts = Array.from(table, ({ word, count }) => [readable(word), count]);
    assert.deepEqual(counts, [
      ["the", 3],
      ["snake_case", 1],
      ["x2", 1],
      ["naïve", 1],
      ["Ünï", 1],
      ["end", 1],
    ]);
    assert.equal(table.words, 8);
  });

  test("finds what a regular expression finds, in any text", () => {
    fc.assert(
      fc.property(text, (bytes) => assert.deepEqual(countsOf(countedAtOnce(bytes)), countedByExpression(bytes))),
    );
  });

  test("finds the same wherever the text falls into pieces", () => {
    fc.assert(
      fc.property(text, cuts, (bytes, lengths) => {
        const counter = new WordCounter();
        for (const piece of inPieces(bytes, lengths)) counter.push(piece);
        counter.end();
        assert.equal(counter.bytes, bytes.length);
        assert.deepEqual(counter.table.differences(countedAtOnce(bytes)), []);
      }),
    );
  });

  test("takes a run of 255 bytes for a word, and one of 256 for data", () => {
    const table = countedAtOnce(Buffer.from(`${"a".repeat(255)} ${"b".repeat(256)} c`));
    assert.deepEqual([...countsOf(table).keys()], ["a".repeat(255), "c"]);
  });

  test("does not join words across the end of a text", () => {
    const counter = new WordCounter();
    for (const part of ["one", "two"]) {
      counter.push(Buffer.from(part));
      counter.end();
    }
    assert.deepEqual([...countsOf(counter.table).keys()], ["one", "two"]);
  });

  test("names the commonest words first, and equals in the order of their bytes", () => {
    const table = countedAtOnce(Buffer.from("b b c c a d d d"));
    assert.deepEqual(
      table.commonest(3).map(({ word, count }) => `${word} ${count}`),
      ["d 3", "b 2", "c 2"],
    );
  });

  test("shows a word without the power to steer a terminal", () => {
    assert.equal(readable(Buffer.from("a\u009b31m", "utf8").toString("latin1")), "a\uFFFD31m");
  });
});

describe("the job cutter", () => {
  test("never changes what is counted, wherever the stream falls into pieces", () => {
    fc.assert(
      fc.property(text, cuts, fc.integer({ min: JOB_BYTES_SMALL, max: 2000 }), (bytes, lengths, jobBytesMax) => {
        const cutter = new JobCutter(jobBytesMax);
        const jobs = Array.from(inPieces(bytes, lengths), (piece) => [...cutter.push(piece)]).flat();
        const rest = cutter.end();
        if (rest !== undefined) jobs.push(rest);
        const merged = new WordTable();
        for (const job of jobs) {
          assert.ok(job.length > 0 && job.length <= jobBytesMax, `a job of ${job.length} bytes`);
          countedAtOnce(job).forEach((words, start, end, count) => {
            merged.add(words, start, end, count);
          });
        }
        const jobBytes = jobs.reduce((sum, job) => sum + job.length, 0);
        assert.equal(jobBytes + cutter.droppedBytes, bytes.length);
        assert.deepEqual(merged.differences(countedAtOnce(bytes)), []);
      }),
    );
  });

  test("drops a run that fills a whole job, and goes on behind it", () => {
    const cutter = new JobCutter(JOB_BYTES_SMALL);
    assert.deepEqual([...cutter.push(Buffer.from("x".repeat(1000)))], []);
    assert.deepEqual([...cutter.push(Buffer.from("xxx next"))], []);
    assert.equal(Buffer.from(cutter.end() ?? []).toString(), " next");
    assert.equal(cutter.droppedBytes, 1003);
  });

  test("refuses jobs that a word might not fit in", () => {
    assert.throws(() => new JobCutter(WORD_BYTES_MAX), RangeError);
  });
});

describe("a result", () => {
  test("of the text with the largest table still fits a message, and comes back the same", () => {
    const worst = textOfShortestWords();
    const table = countedAtOnce(worst);
    const buffer = Buffer.alloc(RESULT_BYTES_MAX);
    const length = encodeResult(buffer, { task: 1, job: 2, bytes: worst.length }, table);
    const merged = new WordTable();
    mergeResult(buffer.subarray(0, length), merged);
    assert.ok(table.distinct > 21_000, `${table.distinct} distinct words`);
    assert.ok(length <= RESULT_BYTES_MAX);
    assert.deepEqual(merged.differences(table), []);
  });

  test("of one word as often as a job can hold it comes back the same", () => {
    const table = countedAtOnce(Buffer.from("a ".repeat(JOB_TEXT_BYTES_MAX / 2)));
    const buffer = Buffer.alloc(RESULT_BYTES_MAX);
    const merged = new WordTable();
    mergeResult(buffer.subarray(0, encodeResult(buffer, { task: 1, job: 1, bytes: 0 }, table)), merged);
    assert.deepEqual([...countsOf(merged)], [["a", JOB_TEXT_BYTES_MAX / 2]]);
  });

  test("of any text comes back the same, and one cut short is refused", () => {
    fc.assert(
      fc.property(text, (bytes) => {
        const table = countedAtOnce(bytes);
        const buffer = Buffer.alloc(RESULT_BYTES_MAX);
        const message = buffer.subarray(0, encodeResult(buffer, { task: 1, job: 1, bytes: bytes.length }, table));
        const merged = new WordTable();
        mergeResult(message, merged);
        assert.deepEqual(merged.differences(table), []);
        if (table.words > 0)
          assert.throws(() => mergeResult(message.subarray(0, -1), new WordTable()), /not delivered/);
      }),
    );
  });
});

/** A job's worth of different words of one and two bytes. */
function textOfShortestWords(): Buffer {
  const letters = Array.from({ length: 256 }, (_, byte) => byte).filter(
    (byte) => byte >= 0x80 || (byte > 0x60 && byte < 0x7b),
  );
  letters.push(...Buffer.from("0123456789_"));
  const words = [...letters.map((one) => [one]), ...letters.flatMap((one) => letters.map((two) => [one, two]))];
  const bytes: number[] = [];
  for (const word of words) bytes.push(...word, 0x20);
  return Buffer.from(bytes.slice(0, JOB_TEXT_BYTES_MAX));
}

describe("the ledger of jobs", () => {
  const textOf = (message: Uint8Array) => Buffer.from(decodeJob(message).text).toString();
  const ledgerOf = (...texts: string[]) => {
    const ledger = new JobLedger();
    for (const one of texts) ledger.add(Buffer.from(one));
    return ledger;
  };

  test("has the jobs of a dead worker sent again, and those that nobody has taken yet", () => {
    const ledger = ledgerOf("one", "two", "three", "four");
    ledger.taken(1, 7);
    ledger.taken(2, 8);
    ledger.taken(3, 7);
    ledger.finish(3);
    assert.deepEqual(ledger.abandon(7).map(textOf), ["one", "four"]);
  });

  test("counts the first result of a job only", () => {
    const ledger = ledgerOf("one");
    assert.deepEqual([ledger.finish(1), ledger.finish(1), ledger.unfinished], [true, false, 0]);
  });

  test("believes no notice of a worker that is dead already", () => {
    const ledger = ledgerOf("one");
    ledger.abandon(7);
    ledger.taken(1, 7);
    assert.deepEqual(ledger.abandon(8).map(textOf), ["one"]);
  });

  test("leaves a job alone that a second worker has in hand", () => {
    const ledger = ledgerOf("one");
    ledger.taken(1, 7);
    ledger.taken(1, 8);
    assert.deepEqual(ledger.abandon(7), []);
    assert.deepEqual(ledger.abandon(8).map(textOf), ["one"]);
  });
});

describe("the command line", () => {
  test("takes paths, a number of workers and threads in any order", () => {
    const { paths, workers, threads } = parseArguments(["--threads", "a", "--workers=3", "b"]);
    assert.deepEqual({ paths, workers, threads }, { paths: ["a", "b"], workers: 3, threads: true });
  });

  for (const words of [
    ["--workers", "0"],
    ["--workers", "abc"],
    ["--workers", "1e1"],
    ["--workers", String(WORKERS_MAX + 1)],
    ["--workers"],
    ["--workers", "-1"],
    ["--threads=yes"],
    ["--frobnicate"],
    [""],
  ]) {
    test(`refuses "${words.join(" ")}" in one line`, () => {
      assert.throws(
        () => parseArguments(words),
        (error) => error instanceof UsageError && !error.message.includes("\n"),
      );
    });
  }
});

describe("progress", () => {
  const written = (isTTY: boolean, act: (progress: ReturnType<typeof createProgress>) => void) => {
    const lines: string[] = [];
    const terminal: string[] = [];
    const output = { write: (line: string) => lines.push(line) };
    act(createProgress(41_000_000, output, { write: (line: string) => terminal.push(line), isTTY, columns: 60 }));
    return { lines, terminal };
  };

  test("without a terminal is a line for every tenth", () => {
    const { lines, terminal } = written(false, (progress) => {
      for (const bytes of [1e6, 12.3e6, 12.4e6, 40e6]) progress.update(bytes);
      progress.finish();
    });
    assert.deepEqual(lines, [
      "progress 30% 12.3 MB of 41.0 MB\n",
      "progress 90% 40.0 MB of 41.0 MB\n",
      "progress 100% 41.0 MB of 41.0 MB\n",
    ]);
    assert.deepEqual(terminal, []);
  });

  test("on a terminal is a bar redrawn in place, never as wide as the terminal, that makes way for lines", () => {
    const { lines, terminal } = written(true, (progress) => {
      progress.update(12.3e6);
      progress.line("a line");
      progress.finish();
    });
    assert.deepEqual(lines, ["a line\n"]);
    const drawn = terminal.filter((piece) => piece.includes("[" + "#")).map((piece) => piece.replace("\r\x1b[K", ""));
    assert.ok(drawn[0].startsWith(`[${"#".repeat(9)}${".".repeat(21)}] 30% 12.3 MB of`), drawn[0]);
    assert.ok(drawn.every((line) => line.length < 60));
    assert.equal(terminal.at(-1), "\n");
  });
});

describe("the list of texts", () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "word-count-list-"));
  });
  after(() => rmSync(directory, { recursive: true }));

  test("holds regular files that are not empty and have no NUL in their first 8 KiB, each once", () => {
    mkdirSync(join(directory, "below"));
    writeFileSync(join(directory, "below", "deep.txt"), "deep");
    writeFileSync(join(directory, "text.txt"), "text");
    writeFileSync(join(directory, "late.bin"), Buffer.concat([Buffer.alloc(8192, "x"), Buffer.alloc(1)]));
    writeFileSync(join(directory, "early.bin"), Buffer.concat([Buffer.alloc(8191, "x"), Buffer.alloc(1)]));
    writeFileSync(join(directory, "empty.txt"), "");
    symlinkSync("text.txt", join(directory, "link.txt"));
    symlinkSync(".", join(directory, "round"));
    const list = listTextFiles([directory, join(directory, "text.txt")]);
    const names = list.files.map((file) => file.path.slice(directory.length + 1));
    assert.deepEqual(names, ["below/deep.txt", "late.bin", "text.txt"]);
    assert.equal(list.binary, 1);
  });

  test("keeps to the size it has found, though the file grows", () => {
    const path = join(directory, "growing.txt");
    writeFileSync(path, "longer than listed");
    const buffer = new Uint8Array(4);
    const parts: string[] = [];
    for (const length of readInto(path, 6, () => buffer))
      parts.push(Buffer.from(buffer.subarray(0, length)).toString());
    assert.deepEqual(parts, ["long", "er"]);
  });

  test("does not take a path that is not there", () => {
    assert.throws(() => listTextFiles([join(directory, "nowhere")]), UsageError);
  });
});

/** A run of the program, whose output can be waited for. */
class Run {
  readonly child: ChildProcess;
  readonly ended: Promise<{ status: number | null; signal: NodeJS.Signals | null }>;
  output = "";
  errors = "";
  #hasEnded = false;
  #onNews: (() => void)[] = [];

  /** In a process group of its own, so that a signal can go to all of it, as a terminal sends it. */
  constructor(...words: string[]) {
    this.child = spawn(process.execPath, [program, ...words], {
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
      timeout: HUNG_MS,
      killSignal: "SIGKILL",
    });
    this.child.stdout?.setEncoding("utf8").on("data", (part: string) => {
      this.output += part;
      this.#news();
    });
    this.child.stderr?.setEncoding("utf8").on("data", (part: string) => {
      this.errors += part;
    });
    this.ended = new Promise((resolve) => {
      this.child.on("close", (status, signal) => {
        this.#hasEnded = true;
        this.#news();
        resolve({ status, signal });
      });
    });
  }

  /** Waits until the output matches. */
  async until(pattern: RegExp): Promise<RegExpMatchArray> {
    for (;;) {
      const found = this.output.match(pattern);
      if (found !== null) return found;
      assert.ok(!this.#hasEnded, `it ended without ${pattern}:\n${this.output}${this.errors}`);
      await new Promise<void>((resolve) => this.#onNews.push(resolve));
    }
  }

  processOf(role: string): number[] {
    const pattern = new RegExp(`^${role} pid \\d+ \\(process (\\d+)\\) started$`, "gm");
    return Array.from(this.output.matchAll(pattern), ([, process]) => Number(process));
  }

  /** All processes of it that can still be seen, dead ones that nobody has waited for left out. */
  remains(): number[] {
    return [...this.processOf("main"), ...this.processOf("reader"), ...this.processOf("worker")].filter(isRunning);
  }

  leftInSharedMemory(): string[] {
    const name = new RegExp(`^fangaos\\.word-count-${this.child.pid}(?!\\d)`);
    return readdirSync("/dev/shm").filter((entry) => name.test(entry));
  }

  async endsInOk(): Promise<void> {
    const { status } = await this.ended;
    assert.equal(status, 0, this.output + this.errors);
    assert.ok(this.output.endsWith("\nok\n"), this.output);
    assert.equal(this.errors, "");
    assert.deepEqual(this.leftInSharedMemory(), []);
  }

  #news(): void {
    for (const resolve of this.#onNews.splice(0)) resolve();
  }
}

function isRunning(process: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${process}/status`, "utf8"));
  } catch {
    return false;
  }
}

async function until(holds: () => boolean, message: () => string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!holds()) {
    assert.ok(performance.now() < deadline, message());
    await pause(10);
  }
}

const sumOf = (output: string) => output.match(/^tasks +(\d+ +\d+ +\d+ +\d+)/m)?.[1].replace(/ +/g, " ");
const sharedWordsOf = (output: string) => output.match(/^in shared memory: \d+ jobs, (\d+) words$/m)?.[1];
const plainSumOf = (output: string) => output.match(/^one process +(\d+ +\d+ +\d+ +\d+)/m)?.[1].replace(/ +/g, " ");

describe("the program", () => {
  let small: string;
  let large: string;
  const runs: Run[] = [];
  const copies: string[] = [];
  const copyOf = (directory: string) => {
    const copy = mkdtempSync(join(tmpdir(), "word-count-copy-"));
    copies.push(copy);
    cpSync(directory, copy, { recursive: true });
    return copy;
  };
  const run = (...words: string[]) => {
    const started = new Run(...words);
    runs.push(started);
    return started;
  };

  before(() => {
    small = mkdtempSync(join(tmpdir(), "word-count-small-"));
    writeFileSync(join(small, "one.txt"), "The quick brown fox jumps over the lazy dog");
    writeFileSync(join(small, "two.txt"), "and the end");
    writeFileSync(join(small, "data.txt"), `${"x".repeat(200_000)} tail`);
    large = mkdtempSync(join(tmpdir(), "word-count-large-"));
    writeLargeText(large, 40);
  });

  after(() => {
    for (const { child } of runs) if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    for (const directory of [small, large, ...copies]) rmSync(directory, { recursive: true });
  });

  for (const mode of [[], ["--threads"]]) {
    test(`counts a small directory and ends in ok ${mode.join("") || "with processes"}`, async () => {
      const counting = run(small, ...mode, "--workers", "2");
      await counting.endsInOk();
      assert.match(counting.output, /^progress 100% 0\.2 MB of 0\.2 MB$/m);
      assert.match(counting.output, /^ +3 {2}the$/m);
      assert.equal(sumOf(counting.output), `3 ${43 + 11 + 200_005} 13 11`);
      assert.equal(plainSumOf(counting.output), sumOf(counting.output));
      assert.equal(sharedWordsOf(counting.output), "13");
    });
  }

  test("does the jobs of a worker killed with kill -9 by another one, and ends in ok", async () => {
    const counting = run(large, "--workers", "2");
    const [, pid, victim] = await counting.until(/^worker pid (\d+) \(process (\d+)\) started$/m);
    await counting.until(/^progress [1-4]0%/m);
    process.kill(Number(victim), "SIGKILL");
    await counting.endsInOk();
    assert.match(counting.output, new RegExp(`^worker +${pid} +${victim} .* killed by SIGKILL$`, "m"));
    assert.equal(plainSumOf(counting.output), sumOf(counting.output));
    assert.equal(sharedWordsOf(counting.output), sumOf(counting.output)?.split(" ")[2], "none is lost, none twice");
  });

  test("starts another worker when the last one is killed, and ends in ok", async () => {
    const counting = run(large, "--workers", "1");
    await counting.until(/^progress [1-4]0%/m);
    process.kill(counting.processOf("worker")[0], "SIGKILL");
    await counting.endsInOk();
    assert.equal(counting.processOf("worker").length, 2);
  });

  test("says so and fails when three workers that were started instead of the last one are killed too", async () => {
    const counting = run(large, "--workers", "1");
    for (let life = 1; life <= 4; life++) {
      await counting.until(new RegExp(`(^worker pid \\d+ \\(process \\d+\\) started$[^]*){${life}}`, "m"));
      process.kill(counting.processOf("worker")[life - 1], "SIGKILL");
    }
    assert.equal((await counting.ended).status, 1);
    assert.match(counting.errors, /^word-count: no worker is left, and 3 .*\n$/);
    assert.deepEqual(counting.leftInSharedMemory(), []);
    assert.deepEqual(counting.remains(), []);
  });

  test("counts what is still there when files vanish, shrink and grow before their turn, and ends in ok", async () => {
    const directory = copyOf(large);
    const counting = run(directory, "--workers", "2");
    await counting.until(/^progress [1-4]0%/m);
    appendFileSync(join(directory, "page-7.txt"), " more".repeat(1000));
    truncateSync(join(directory, "page-8.txt"), 500_000);
    rmSync(join(directory, "page-9.txt"));
    await counting.endsInOk();
    assert.match(counting.output, /^tasks +39 /m);
    assert.equal(plainSumOf(counting.output), sumOf(counting.output));
  });

  test("blames the files, not the tasks, when one that was counted has changed since", async () => {
    const directory = copyOf(large);
    const counting = run(directory, "--workers", "2");
    await counting.until(/^progress [1-4]0%/m);
    writeFileSync(join(directory, "page-0.txt"), "no longer what it was");
    assert.equal((await counting.ended).status, 1);
    assert.match(counting.errors, /^word-count: .* files have changed meanwhile \(1; one is .*page-0\.txt\).*\n$/);
  });

  test("says so and fails when the reader is killed, for the text is not complete", async () => {
    const counting = run(large, "--workers", "2");
    await counting.until(/^progress [1-4]0%/m);
    process.kill(counting.processOf("reader")[0], "SIGKILL");
    const { status } = await counting.ended;
    assert.equal(status, 1);
    assert.match(counting.errors, /^word-count: reader pid \d+ \(process \d+\) killed by SIGKILL, so .*\n$/);
    assert.deepEqual(counting.leftInSharedMemory(), []);
    assert.deepEqual(counting.remains(), []);
  });

  for (const [signal, expected] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    test(`leaves no shared memory and no process behind when ${signal} goes to all its processes`, async () => {
      const counting = run(large, "--workers", "2");
      await counting.until(/^progress [1-4]0%/m);
      assert.equal(counting.leftInSharedMemory().length, 1);
      process.kill(-(counting.child.pid ?? Number.NaN), signal);
      const { status } = await counting.ended;
      assert.equal(status, expected, counting.errors);
      assert.deepEqual(counting.leftInSharedMemory(), []);
      assert.deepEqual(counting.remains(), []);
    });
  }

  test("ends with status 130 on SIGINT with threads too", async () => {
    const counting = run(large, "--threads", "--workers", "2");
    await counting.until(/^progress [1-4]0%/m);
    counting.child.kill("SIGINT");
    assert.equal((await counting.ended).status, 130, counting.errors);
  });

  test("has no process left, and no shared memory, soon after the main one was killed with kill -9", async () => {
    const counting = run(large, "--workers", "2");
    await counting.until(/^progress [1-4]0%/m);
    counting.child.kill("SIGKILL");
    await until(
      () => counting.remains().length === 0,
      () => `still there: ${counting.remains()}`,
    );
    assert.deepEqual(counting.leftInSharedMemory(), []);
  });

  for (const [words, complaint] of [
    [["--frobnicate"], /^word-count: Unknown option '--frobnicate' \(--help tells more\)\n$/],
    [["--workers", "0"], /^word-count: --workers takes a number from 1 to 64, not "0" \(--help tells more\)\n$/],
    [["/nowhere/at all"], /^word-count: there is no \/nowhere\/at all \(--help tells more\)\n$/],
  ] as const) {
    test(`ends with status 2 and one line on "${words.join(" ")}"`, async () => {
      const counting = run(...words);
      assert.equal((await counting.ended).status, 2);
      assert.match(counting.errors, complaint);
      assert.equal(counting.output, "");
    });
  }

  test("tells with --help how it is used", async () => {
    const counting = run("--help");
    assert.equal((await counting.ended).status, 0);
    assert.match(counting.output, /^Usage: npm start -- \[PATH…\] \[--workers N\] \[--threads\]\n/);
  });
});

/** Text of some megabytes, one file each, the same in every run: words drawn by a multiplicative generator. */
function writeLargeText(directory: string, megabytes: number): void {
  let state = 12345;
  const draw = (bound: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  const words = Array.from({ length: 5000 }, () =>
    Array.from({ length: 1 + draw(12) }, () => "etaoinshrdlucmfw"[draw(16)]),
  );
  const vocabulary = words.map((letters) => letters.join(""));
  let page = "";
  while (page.length < 1_000_000) page += `${vocabulary[Math.floor(vocabulary.length * (draw(1000) / 1000) ** 2)]} `;
  for (let file = 0; file < megabytes; file++) {
    const turn = draw(page.length);
    writeFileSync(join(directory, `page-${file}.txt`), `${file} ${page.slice(turn)}${page.slice(0, turn)}`);
  }
}
