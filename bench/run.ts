// The benchmark: `npm run bench -- --json FILE`. Figures go to standard output as a table, progress to standard error.

import { writeFileSync } from "node:fs";
import { constants } from "node:os";
import { type Arguments, HELP, parseArguments, UsageError } from "./arguments.ts";
import { type Comparison, compareWithBaseline, readBaseline } from "./baseline.ts";
import { Ours } from "./ours.ts";
import { installNpmPeers, Peers } from "./peers.ts";
import { allowedCpus, assertTaskset, type Cpus, chooseCpus } from "./placement.ts";
import { killProcesses } from "./processes.ts";
import { table } from "./report.ts";
import { type Entry, FULL, type Machine, measureCase, QUICK } from "./rounds.ts";
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
  const baseline = args.check ? readBaseline() : undefined;
  const wrong = installNpmPeers();
  if (wrong !== undefined) say(`The peers from npm cannot be installed: ${wrong}`);
  const peers = new Peers();
  process.on("exit", () => peers.remove());
  const ours = new Ours();
  process.on("exit", () => ours.remove());

  const machine: Machine = { ours, peers, cpus };
  const entries: Entry[] = [];
  const missing = new Map<string, string>();
  let failures = 0;
  const cases = selectedCases(args, cpus.single);
  for (const [i, { row, one }] of cases.entries()) {
    const what = one.call ?? (one.parties === undefined ? "" : `${one.parties} of each side`);
    const title = [row.name, one.placement, `${one.bytes} bytes`, ...(what ? [what] : [])].join(", ");
    const start = performance.now();
    try {
      const measured = await measureCase(row, one, machine, args.quick ? QUICK : FULL);
      entries.push(...measured.entries);
      for (const { peer, reason } of measured.missing) missing.set(peer, reason);
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      const ratios = measured.entries.map(({ peer, ratio }) => `${peer} ${ratio.toFixed(2)}`).join(", ");
      say(`${i + 1} of ${cases.length}: ${title}: ${ratios} (${seconds} s)`);
    } catch (error) {
      failures++;
      say(`${i + 1} of ${cases.length}: ${title}: FAILED: ${(error as Error).message}`);
    }
  }
  process.stdout.write(table(entries));
  for (const [peer, reason] of missing) process.stdout.write(`${peer} does not run: ${reason}\n`);
  if (args.json !== undefined) {
    writeFileSync(args.json, `${JSON.stringify(entries, null, 2)}\n`);
    say(`${entries.length} entries in ${args.json}`);
  }
  const regressions = baseline ? compareWithBaseline(entries, baseline) : [];
  for (const line of regressions.map(regression)) process.stdout.write(line);
  return failures + regressions.length === 0 ? 0 : EXIT_FAILED;
}

const regression = ({ title, ratio, before, least }: Comparison): string =>
  `regression: ${title}: ratio ${ratio.toFixed(2)}, in the baseline ${before.toFixed(2)}, tolerated from ${least.toFixed(2)} on\n`;

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
