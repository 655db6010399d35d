// npm run test:hostile -- [--regions N] [--seed S]

import { anySeed, CommandLine, progress } from "../command-line.ts";
import { tryRegions } from "./regions.ts";
import { tryRogue } from "./rogue.ts";
import { tryTruncations } from "./truncations.ts";

const usage = `usage: npm run test:hostile -- [--regions N] [--seed S]
  --regions  damaged regions to work with, at most 10000000; default 10000
  --seed     a whole number, of the first region; the next has the next; by default another each time`;

const ROUNDS = 20;
const TRUNCATIONS = 200;

const options = new CommandLine(usage, { regions: "10000", seed: anySeed() });
const regions = options.count("regions", 10_000_000);
const seed = options.count("seed", 0x7fffffff);

const found = await tryRegions(regions, seed, progress(regions, "regions"));
const ends = [...found.ends].sort((a, b) => b[1] - a[1]).map(([end, times]) => `${end} ${times}`);
process.stdout.write(`${found.regions} regions, ${found.changes} words changed, ${found.operations} operations\n`);
process.stdout.write(`  they ended with: ${ends.join(", ")}\n`);

const truncated = tryTruncations(TRUNCATIONS, seed);
process.stdout.write(
  typeof truncated === "string"
    ? `truncated files: not tried: ${truncated}\n`
    : `${TRUNCATIONS} truncated files: ${truncated.length === 0 ? "each refused" : truncated.join("; ")}\n`,
);

process.stderr.write(`a rogue task scribbles, ${ROUNDS} rounds\n`);
const rogue = await tryRogue(ROUNDS, seed);
process.stdout.write(
  `${ROUNDS} rounds of a rogue task that scribbles while others run: ${rogue.operations} operations, ${rogue.errors} errors\n`,
);

const violations = [...found.violations, ...(typeof truncated === "string" ? [] : truncated), ...rogue.violations];
for (const violation of violations) process.stdout.write(`  ${violation}\n`);
process.stdout.write(
  `${found.hangs + rogue.hangs} hangs, ${found.crashes + rogue.crashes} crashes, ${violations.length} violations, seed ${seed}\n`,
);
if (violations.length + found.hangs + found.crashes + rogue.hangs + rogue.crashes > 0) process.exitCode = 1;
