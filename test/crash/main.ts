// npm run test:crash -- [--only TEXT] [--stride N]

import { parseArgs } from "node:util";
import { tryDeaths } from "./deaths.ts";
import { rows } from "./rows.ts";

const usage = `usage: npm run test:crash -- [--only TEXT] [--stride N]
  --only    operations whose name contains this text
  --stride  who buries the dead dies too, after each of its writes, for every N-th death of the first; 0: never; default 7`;

function fail(message: string): never {
  process.stderr.write(`${message}\n${usage}\n`);
  process.exit(2);
}

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    stride: { type: "string", default: "7" },
    help: { type: "boolean" },
  },
});
if (values.help) {
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}
if (!/^\d{1,6}$/.test(values.stride)) fail(`--stride must be a whole number, not ${values.stride}`);
const chosen = rows.filter(({ name }) => name.includes(values.only));
if (chosen.length === 0) fail(`no operation's name contains ${values.only}`);

let points = 0;
let doublePoints = 0;
let violations = 0;
let shown = Date.now();
for (const [i, row] of chosen.entries()) {
  const tally = tryDeaths(row, Number(values.stride));
  points += tally.points;
  doublePoints += tally.doublePoints;
  violations += tally.violations.length;
  process.stdout.write(
    `${row.name}: ${tally.points} crash points, ${tally.doublePoints} double, ${tally.violations.length} violations\n`,
  );
  for (const violation of tally.violations) process.stdout.write(`  ${violation}\n`);
  if (Date.now() - shown < 5000) continue;
  shown = Date.now();
  process.stderr.write(`${i + 1} of ${chosen.length} operations\n`);
}
process.stdout.write(
  `${chosen.length} operations, ${points} crash points, ${doublePoints} double crash points, ${violations} violations\n`,
);
if (violations > 0) process.exitCode = 1;
