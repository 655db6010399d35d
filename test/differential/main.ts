// npm run test:differential -- --calls N --seed S --family F

import { anySeed, CommandLine } from "../command-line.ts";
import { type Against, Differential, summaryOf } from "./differential.ts";
import { families } from "./families.ts";

const PROGRESS_CALLS = 10_000;

const usage = `usage: npm run test:differential -- [--calls N] [--seed S] [--family F] [--against ours|linux]
  --calls    calls of each family, default 10000
  --seed     a whole number; the same seed draws the same calls; by default another each time
  --family   one of ${families.map(({ name }) => name).join(", ")}; by default all
  --against  linux compares Linux with itself: what the test itself would do wrong`;

const options = new CommandLine(usage, { calls: "10000", seed: anySeed(), family: undefined, against: "ours" });
const family = options.given("family");
const wanted = families.filter(({ name }) => (family ?? name) === name);
if (wanted.length === 0) options.fail(`there is no family ${family}`);
const against = options.text("against");
if (!["ours", "linux"].includes(against)) options.fail(`--against must be ours or linux, not ${against}`);
const calls = options.count("calls");
const seed = options.count("seed");

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
const differential = await Differential.begin(against as Against);
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
