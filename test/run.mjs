// Runs built tests with node:test: every dist/test/*.test.js, or those whose names hold one of the words given; a word that
// ends in "/" names a folder of dist/test to take them from. Two files run at a time, each in a process group of its own.
// Nothing here can hang: a file that takes too long is killed with all that it started, and so is everything once the whole
// run takes too long, or is asked to end; what was under way is named.

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { MARK } from "./running/processes.mjs";
import { TestFile } from "./running/test-file.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    root: { type: "string", default: "dist/test" },
    jobs: { type: "string", default: String(Math.max(2, availableParallelism())) },
    "file-seconds": { type: "string", default: "300" }, // the slowest file needs one minute on a quiet machine
    "total-seconds": { type: "string", default: "1500" },
    verbose: { type: "boolean", default: false }, // prints what the files printed, not only of those that failed
  },
});

const folder = join(values.root, positionals.find((word) => word.endsWith("/")) ?? "");
const parts = positionals.filter((word) => !word.endsWith("/"));
const names = readdirSync(folder)
  .filter((name) => name.endsWith(".test.js"))
  .filter((name) => parts.length === 0 || parts.some((part) => name.includes(part)));
if (names.length === 0) {
  process.stderr.write(`no test file of ${folder} has a name with ${parts.join(" or ")}\n`);
  process.exit(2);
}

const notes = mkdtempSync(join(tmpdir(), "fangaos-tests-"));
const startedMs = performance.now();
const outer = process.env[MARK] ? `${process.env[MARK]}/` : "";
const waiting = names.map(
  (name, i) => new TestFile(join(folder, name), notes, `${outer}${process.pid}-${startedMs}-${i}`),
);
const running = new Set();
const totals = { tests: 0, suites: 0, pass: 0, fail: 0, cancelled: 0, skipped: 0, todo: 0 };
const failed = [];
let stopping;

function report(file, { ok, counts, faults, seconds }) {
  for (const what of Object.keys(totals)) totals[what] += counts[what] ?? 0;
  totals.tests += faults.length > 0 ? 1 : 0; // the file itself is a test that failed
  totals.fail += faults.length > 0 ? 1 : 0;
  if (!ok) failed.push(file.name);
  if (!ok || values.verbose) process.stdout.write(file.output());
  const summary = `${file.name}: ${counts.pass ?? 0} of ${counts.tests ?? "?"} tests, ${seconds.toFixed(1)} s`;
  process.stdout.write(`${ok ? "ok" : "NOT OK"} ${summary}\n`);
  for (const fault of faults) process.stdout.write(`  ${file.name}: ${fault}\n`);
}

async function work() {
  for (let file = waiting.shift(); file !== undefined && !stopping; file = waiting.shift()) {
    running.add(file);
    const verdict = await file.run(Number(values["file-seconds"]));
    running.delete(file);
    report(file, verdict);
  }
}

/** Ends everything now; the verdicts of what was running follow as it goes. */
function stop(reason) {
  if (stopping) return;
  stopping = reason;
  for (const { name } of waiting.splice(0)) failed.push(`${name} (not begun)`);
  for (const file of running) file.kill(reason);
}

const total = setTimeout(
  () => stop(`all tests together took more than ${values["total-seconds"]} s`),
  values["total-seconds"] * 1000,
);
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => stop(`the run was ended by ${signal}`));

await Promise.all(Array.from({ length: Number(values.jobs) }, work));
clearTimeout(total);
rmSync(notes, { recursive: true, force: true });
for (const name of failed) process.stdout.write(`failed: ${name}\n`);
if (stopping) process.stdout.write(`stopped: ${stopping}\n`);
for (const [what, count] of Object.entries(totals)) process.stdout.write(`# ${what} ${count}\n`);
process.stdout.write(`# duration_ms ${Math.round(performance.now() - startedMs)}\n`);
process.exit(failed.length === 0 ? 0 : 1);
