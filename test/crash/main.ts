// npm run test:crash -- [--only TEXT] [--stride N]

import { CommandLine, progress } from "../command-line.ts";
import { tryDeaths } from "./deaths.ts";
import { rows } from "./rows.ts";

const usage = `usage: npm run test:crash -- [--only TEXT] [--stride N]
  --only    operations whose name contains this text
  --stride  who buries the dead dies too, after each of its writes, for every N-th death of the first; 0: never; default 7`;

const options = new CommandLine(usage, { only: "", stride: "7" });
const stride = options.count("stride", 1_000_000);
const chosen = rows.filter(({ name }) => name.includes(options.text("only")));
if (chosen.length === 0) options.fail(`no operation's name contains ${options.text("only")}`);

const tell = progress(chosen.length, "operations");
let points = 0;
let doublePoints = 0;
let violations = 0;
for (const [i, row] of chosen.entries()) {
  const tally = tryDeaths(row, stride);
  points += tally.points;
  doublePoints += tally.doublePoints;
  violations += tally.violations.length;
  process.stdout.write(
    `${row.name}: ${tally.points} crash points, ${tally.doublePoints} double, ${tally.violations.length} violations\n`,
  );
  for (const violation of tally.violations) process.stdout.write(`  ${violation}\n`);
  tell(i + 1);
}
process.stdout.write(
  `${chosen.length} operations, ${points} crash points, ${doublePoints} double crash points, ${violations} violations\n`,
);
if (violations > 0) process.exitCode = 1;
