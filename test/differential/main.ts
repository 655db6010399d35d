// npm run test:differential -- --calls N --seed S --family F

import { parseArgs } from "node:util";
import { type Against, Differential, summaryOf } from "./differential.ts";
import { families } from "./families.ts";

const PROGRESS_CALLS = 10_000;

const usage = `usage: npm run test:differential -- [--calls N] [--seed S] [--family F] [--against ours|linux]
  --calls    calls of each family, default 10000
  --seed     a whole number; the same seed draws the same calls; by default another each time
  --family   one of ${families.map(({ name }) => name).join(", ")}; by default all
  --against  linux compares Linux with itself: what the test itself would do wrong`;

function fail(message: string): never {
  process.stderr.write(`${message}\n${usage}\n`);
  process.exit(2);
}

function count(value: string, name: string): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number > 0xffffffff) fail(`--${name} must be a whole number below 2^32, not ${value}`);
  return number;
}

function parsed(): {
  calls: string;
  seed: string;
  against: string;
  family?: string | undefined;
  help?: boolean | undefined;
} {
  try {
    const options = {
      calls: { type: "string", default: "10000" },
      seed: { type: "string", default: String(Date.now() % 1_000_000) },
      against: { type: "string", default: "ours" },
      family: { type: "string" },
      help: { type: "boolean" },
    } as const;
    return parseArgs({ options }).values;
  } catch (error) {
    fail((error as Error).message);
  }
}

const options = parsed();
if (options.help) {
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}
const wanted = families.filter(({ name }) => options.family === undefined || options.family === name);
if (wanted.length === 0) fail(`there is no family ${options.family}`);
if (!["ours", "linux"].includes(options.against)) fail(`--against must be ours or linux, not ${options.against}`);
const calls = count(options.calls, "calls");
const seed = count(options.seed, "seed");

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
const differential = await Differential.begin(options.against as Against);
let failed = false;
try {
  for (const family of wanted) {
    let shown = 0;
    const outcome = await differential.run(family, calls, seed, (done) => {
      if (done - shown < PROGRESS_CALLS) return;
      shown = done;
      process.stderr.write(`${family.name}: ${done} of ${calls}\n`);
    });
    for (const report of outcome.reports) process.stdout.write(`\n${report.join("\n")}\n`);
    process.stdout.write(`${summaryOf(outcome)}\n`);
    failed ||= outcome.reports.length > 0;
  }
} finally {
  await differential.end();
}
process.exit(failed ? 1 : 0);
