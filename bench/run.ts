// The benchmark: `npm run bench -- --json FILE`. Figures go to standard output as a table, progress to standard error.

import { writeFileSync } from "node:fs";
import { constants } from "node:os";
import { type Arguments, HELP, parseArguments, UsageError } from "./arguments.ts";
import { type Comparison, compareWithBaseline, readBaseline } from "./baseline.ts";
import { estimateMs, inWords, leftMs } from "./estimate.ts";
import { describeMachine, load, type RunDescription, sameMachine } from "./machine.ts";
import { Ours } from "./ours.ts";
import { installNpmPeers, Peers } from "./peers.ts";
import { allowedCpus, assertTaskset, type Cpus, chooseCpus } from "./placement.ts";
import { killProcesses } from "./processes.ts";
import { type Profile, profileCase } from "./profile.ts";
import { table } from "./report.ts";
import { type Missing, type Run, readResults, withRun, writeResults } from "./results.ts";
import { type Effort, type Entry, FULL, type Machine, measureCase, QUICK } from "./rounds.ts";
import { type Case, ROWS, type Row } from "./rows.ts";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** Processes that want to run, on average, on a machine that has nothing else to do. */
const LOAD_QUIET = 0.5;

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

function usableCpus(): Cpus & { single: boolean; sameCore: boolean } {
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

/** Installs and compiles the peers, and makes our kernels; the way out removes both. */
function prepare(cpus: Cpus): Machine {
  const wrong = installNpmPeers();
  if (wrong !== undefined) say(`The peers from npm cannot be installed: ${wrong}`);
  const peers = new Peers();
  process.on("exit", () => peers.remove());
  const ours = new Ours();
  process.on("exit", () => ours.remove());
  return { ours, peers, cpus };
}

interface Outcome {
  readonly entries: Entry[];
  readonly missing: Missing[];
  readonly profiles: Profile[];
  readonly failures: number;
}

/** The line that says what was wrong, of an error's message with a stack; without paths, which mean nothing elsewhere. */
function shortReason(reason: string): string {
  const lines = reason.split("\n");
  const line = lines.find((one) => /^\w*Error\b/.test(one)) ?? lines.at(-1) ?? reason;
  return line.replaceAll(/(file:\/\/)?\/[\w./-]+\//g, "").trim();
}

const caseTitle = (row: Row, one: Case): string => {
  const what = one.call ?? (one.parties === undefined ? [] : `${one.parties} of each side`);
  return [row.name, one.placement, `${one.bytes} bytes`].concat(what, one.beside ?? []).join(", ");
};

type Cases = readonly { readonly row: Row; readonly one: Case }[];

/** A case that fails is told of, and the others go on. */
async function measureAll(cases: Cases, machine: Machine, effort: Effort, profiled: boolean): Promise<Outcome> {
  const outcome = { entries: [] as Entry[], profiles: [] as Profile[], failures: 0 };
  const missing = new Map<string, Missing>();
  const estimates = cases.map(({ row, one }) => estimateMs(row, one, effort));
  say(`${cases.length} cases, about ${inWords(leftMs(estimates, 0, 0))}.`);
  const begin = performance.now();
  for (const [i, { row, one }] of cases.entries()) {
    let said: string;
    try {
      const measured = await measureCase(row, one, machine, effort);
      said = measured.entries.map(({ peer, ratio }) => `${peer} ${ratio.toFixed(2)}`).join(", ");
      outcome.entries.push(...measured.entries);
      for (const { peer, reason } of measured.missing) {
        missing.set(`${row.name} ${peer}`, { row: row.name, peer, reason: shortReason(reason) });
      }
      if (profiled && isProfiled(row, one) && measured.entries.length > 0) {
        outcome.profiles.push(await profileCase(row, one, measured.entries[0], machine));
      }
    } catch (error) {
      outcome.failures++;
      said = `FAILED: ${(error as Error).message}`;
    }
    const left = leftMs(estimates, i + 1, performance.now() - begin);
    const remains = i + 1 < cases.length ? ` (${inWords(left)} left)` : "";
    say(`${i + 1} of ${cases.length}: ${caseTitle(row, one)}: ${said}${remains}`);
  }
  return { ...outcome, missing: [...missing.values()] };
}

/** A row's first case; not where what it does is over at once, or is a call of many. */
const isProfiled = (row: Row, one: Case): boolean =>
  one === row.cases[0] && one.beside === undefined && row.fixedOperations === undefined;

/** Writes what was measured to where it was asked for. */
function write({ json, results, again }: Arguments, run: Run): void {
  if (json !== undefined) {
    writeFileSync(json, `${JSON.stringify(run.entries, null, 2)}\n`);
    say(`${run.entries.length} entries in ${json}`);
  }
  if (results !== undefined) {
    writeResults(results, withRun(readResults(results), run, again));
    say(`${run.entries.length} entries in ${results}${results === "bench/results.json" ? "; now: npm run docs" : ""}`);
  }
}

/** Some rows of one machine beside others of another would mislead. */
function assertResultsFit({ rows, results }: Arguments): void {
  const there = results === undefined ? undefined : readResults(results);
  if (rows.length === 0 || there === undefined || sameMachine(there.machine, describeMachine())) return;
  throw new UsageError(`${results} has figures of another machine: measure all rows, or name another file`);
}

async function run(args: Arguments): Promise<number> {
  exitOnSignals();
  assertTaskset();
  const cpus = usableCpus();
  const baseline = args.check ? readBaseline() : undefined;
  const description: RunDescription = {
    date: new Date().toISOString().slice(0, 10),
    effort: args.quick ? "quick" : "full",
    placement: cpus.single
      ? `CPU ${cpus.measured}`
      : `CPUs ${cpus.measured} and ${cpus.partner}${cpus.sameCore ? ", threads of one core" : ""}`,
    load: load(),
  };
  if (description.load > LOAD_QUIET)
    say(`The machine has other work (load ${description.load}): the figures will be noisy.`);
  assertResultsFit(args);
  const machine = prepare(cpus);
  const { entries, missing, profiles, failures } = await measureAll(
    selectedCases(args, cpus.single),
    machine,
    args.quick ? QUICK : FULL,
    args.results !== undefined,
  ).finally(() => machine.ours.remove()); // its crowds would keep this process, and themselves, for ever
  process.stdout.write(table(entries));
  for (const { peer, reason } of missing) process.stdout.write(`${peer} does not run: ${reason}\n`);
  write(args, { machine: describeMachine(), run: description, entries, missing, profiles });
  const regressions = baseline ? compareWithBaseline(entries, baseline) : [];
  for (const line of regressions.map(regression)) process.stdout.write(line);
  if (baseline && regressions.length === 0) process.stdout.write("no regression\n");
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
