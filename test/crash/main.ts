// npm run test:crash -- [--only TEXT] [--every N] [--threads N]

import { CommandLine, progress } from "../command-line.ts";
import { rows } from "./rows.ts";
import { tryRows } from "./spread.ts";

const usage = `usage: npm run test:crash -- [--only TEXT] [--every N] [--threads N]
  --only     operations whose name contains this text
  --every    who buries the dead dies too, after each of its writes, for every N-th death of the first; 0: never; default 1
  --threads  default 2`;

const options = new CommandLine(usage, { only: "", every: "1", threads: "2" });
const every = options.count("every", 1_000_000);
const threads = options.count("threads", 256);
if (threads === 0) options.fail("--threads must be at least 1");
const chosen = [...rows.keys()].filter((i) => rows[i]?.name.includes(options.text("only")));
if (chosen.length === 0) options.fail(`no operation's name contains ${options.text("only")}`);

const tell = progress(chosen.length, "operations");
const total = { done: 0, points: 0, doublePoints: 0, repeated: 0, violations: 0 };
try {
  await tryRows(chosen, { every, threads }, ({ row, tally }) => {
    const { points, doublePoints, repeated, violations } = tally;
    total.points += points;
    total.doublePoints += doublePoints;
    total.repeated += repeated;
    total.violations += violations.length;
    process.stdout.write(
      `${rows[row]?.name}: ${points} crash points, ${doublePoints} double, ${violations.length} violations\n`,
    );
    for (const violation of violations) process.stdout.write(`  ${violation}\n`);
    tell(++total.done);
  });
} catch (error) {
  process.stdout.write(`given up: ${(error as Error).message}\n`);
  process.exit(1);
}
process.stdout.write(
  `${total.done} operations, ${total.points} crash points, ${total.doublePoints} double crash points ` +
    `(${total.repeated} of them left a state that another had left), ${total.violations} violations\n`,
);
process.exit(total.violations > 0 || total.done < chosen.length ? 1 : 0);
