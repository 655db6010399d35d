// npm run test:differential -- --calls N --seed S --family F

import { parseArgs } from "node:util";
import { families } from "./families.ts";
import { runFamily, summary } from "./run.ts";

const usage = `usage: npm run test:differential -- [--calls N] [--seed S] [--family F]
  --calls   calls of each family, default 10000
  --seed    a number; the same seed draws the same calls; default: by the clock
  --family  one of ${families.map(({ name }) => name).join(", ")}; default: all`;

function fail(message: string): never {
  process.stderr.write(`${message}\n${usage}\n`);
  process.exit(2);
}

function count(value: string, name: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 0) fail(`--${name} must be a whole number, not ${value}`);
  return number;
}

function parsed(): { calls: string; seed: string; family?: string | undefined; help?: boolean | undefined } {
  try {
    const options = {
      calls: { type: "string", default: "10000" },
      seed: { type: "string", default: String(Date.now() % 1_000_000) },
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
const calls = count(options.calls, "calls");
const seed = count(options.seed, "seed");
let failed = false;
for (const family of wanted) {
  let shown = 0;
  const outcome = await runFamily(family, calls, seed, (done) => {
    if (done - shown < 5000) return;
    shown = done;
    process.stderr.write(`${family.name}: ${done} of ${calls}\n`);
  });
  for (const report of outcome.reports) process.stdout.write(`\n${report}\n`);
  process.stdout.write(`${summary(outcome)}\n`);
  failed ||= outcome.mismatches > 0;
}
process.exit(failed ? 1 : 0);
