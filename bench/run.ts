// The benchmark: `npm run bench -- --json FILE`. Figures go to standard output as a table, progress to standard error.

import { writeFileSync } from "node:fs";
import { constants } from "node:os";
import { type Arguments, HELP, parseArguments, UsageError } from "./arguments.ts";
import { Ours } from "./ours.ts";
import { Peers } from "./peers.ts";
import { allowedCpus, assertTaskset, type Cpus, chooseCpus } from "./placement.ts";
import { killProcesses } from "./processes.ts";
import { type Line, table } from "./report.ts";
import { FULL, type Machine, measureCase, QUICK } from "./rounds.ts";
import { type Case, ROWS, type Row } from "./rows.ts";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Whatever ends this process, its "exit" listeners run, and nothing stays behind. */
function exitOnSignals(): void {
  process.on("exit", killProcesses);
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => process.exit(128 + constants.signals[name]));
  }
}

function usableCpus(): Cpus & { single: boolean } {
  const allowed = allowedCpus();
  const cpus = chooseCpus(allowed);
  const single = allowed.length === 1;
  if (single) say(`This process may use CPU ${cpus.measured} only: what needs two CPUs is left out.`);
  else {
    const threads = cpus.sameCore ? " (two threads of one core)" : "";
    say(`CPUs ${cpus.measured} and ${cpus.partner}${threads}, of ${allowed.length}; Node ${process.version}.`);
  }
  return { ...cpus, single };
}

function selectedCases(args: Arguments, single: boolean): { row: Row; one: Case }[] {
  return ROWS.filter((row) => args.rows.length === 0 || args.rows.includes(row.name))
    .flatMap((row) => row.cases.map((one) => ({ row, one })))
    .filter(({ one }) => !(single && one.placement === "two-cpus"));
}

async function run(args: Arguments): Promise<number> {
  exitOnSignals();
  assertTaskset();
  const cpus = usableCpus();
  const peers = new Peers();
  process.on("exit", () => peers.remove());
  const ours = new Ours();
  process.on("exit", () => ours.remove());

  const machine: Machine = { ours, peers, cpus };
  const lines: Line[] = [];
  let failures = 0;
  for (const { row, one } of selectedCases(args, cpus.single)) {
    const title = `${row.name}, ${one.placement}, ${one.bytes} bytes`;
    const start = performance.now();
    try {
      const entries = await measureCase(row, one, machine, args.quick ? QUICK : FULL);
      lines.push(...entries.map((entry) => ({ entry, ratioLeast: one.ratioLeast })));
      say(`${title}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
    } catch (error) {
      failures++;
      say(`${title}: FAILED: ${(error as Error).message}`);
    }
  }
  process.stdout.write(table(lines));
  if (args.json !== undefined) {
    const entries = lines.map(({ entry }) => entry);
    writeFileSync(args.json, `${JSON.stringify(entries, null, 2)}\n`);
    say(`${entries.length} entries in ${args.json}`);
  }
  return failures === 0 ? 0 : EXIT_FAILED;
}

async function main(): Promise<number> {
  try {
    const args = parseArguments(process.argv.slice(2));
    if (!args.help) return await run(args);
    process.stdout.write(HELP);
    return 0;
  } catch (error) {
    say(`bench: ${(error as Error).message}`);
    return error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED;
  }
}

process.exitCode = await main();
