// npm run test:interleave -- [--only TEXT] [--schedules N] [--seed S] [--replay "0A 12B"]

import { anySeed, CommandLine, progress } from "../command-line.ts";
import { Random } from "../random.ts";
import { coreFamilies } from "../stepped/core-families.ts";
import { machineFamilies } from "../stepped/machine-families.ts";
import { families, pairsOf } from "../stepped/object-families.ts";
import { promiseFamily } from "../stepped/promise-family.ts";
import { read, type Scenario, Stepped, written } from "../stepped/stepped.ts";
import { type Exploration, explore, exploreAtRandom, serialOutcomes } from "./explore.ts";
import { planted } from "./planted.ts";
import { triples } from "./triples.ts";

const usage = `usage: npm run test:interleave -- [--only TEXT] [--schedules N] [--seed S] [--replay SCHEDULE]
  --only       scenarios whose name contains this text
  --schedules  of each scenario, so many at random beyond the bound, at most 1000000; default 200
  --seed       a whole number, of those at random; by default another each time
  --replay     runs the scenarios by one schedule, as "0A 12B 19A": at step 12 task B goes on; says what came of it`;

/** Preemptions of two operations; more for what all others stand on. */
const PAIR_BOUND = 2;
const DEEP_BOUND = 3;
const deep = ["lock", "wait list", "queue", "pipe", "queue in machine code", "pipe in machine code"];

const options = new CommandLine(usage, { only: "", schedules: "200", seed: anySeed(), replay: undefined });
const atRandom = options.count("schedules", 1_000_000);
const seed = options.count("seed");
const only = options.text("only");
const replay = options.given("replay");

interface Job {
  readonly name: string;
  readonly scenario: Scenario;
  readonly bound: number;
}

const jobs: Job[] = [
  ...[...families, ...machineFamilies, ...coreFamilies, promiseFamily].flatMap((family) =>
    pairsOf(family).map(({ name, scenario }) => ({
      name,
      scenario,
      bound: deep.includes(family.name) ? DEEP_BOUND : PAIR_BOUND,
    })),
  ),
  ...triples,
].filter(({ name }) => name.includes(only));
const bugs = planted.filter(({ name }) => name.includes(only));
if (jobs.length + bugs.length === 0) options.fail(`no scenario is called ${only}`);

if (replay !== undefined) {
  const schedule = scheduleOf(replay);
  for (const { name, scenario } of jobs) {
    process.stdout.write(`${name}: ${verdict(scenario, scenario, schedule)}\n`);
  }
  for (const { name, right, wrong } of bugs) process.stdout.write(`${name}: ${verdict(right, wrong, schedule)}\n`);
  process.exit(0);
}

function scheduleOf(text: string): ReturnType<typeof read> {
  try {
    return read(text);
  } catch (error) {
    return options.fail((error as Error).message);
  }
}

function verdict(right: Scenario, run: Scenario, schedule: ReturnType<typeof read>): string {
  const outcome = new Stepped(run).run(schedule);
  return `${serialOutcomes(right).has(outcome) ? "allowed" : "NOT ALLOWED"}: ${outcome}`;
}

let violations = 0;
let schedules = 0;

function report(name: string, how: string, { finding, schedules: tried }: Exploration, allowed: Set<string>): void {
  schedules += tried;
  process.stdout.write(`${name}: ${how}, ${tried} schedules, ${finding ? 1 : 0} violations\n`);
  if (!finding) return;
  violations++;
  process.stdout.write(`  by ${written(finding.schedule)}\n    ${finding.outcome}\n  allowed\n`);
  for (const one of allowed) process.stdout.write(`    ${one}\n`);
}

const tell = progress(jobs.length, "scenarios");
for (const [i, { name, scenario, bound }] of jobs.entries()) {
  const allowed = serialOutcomes(scenario);
  report(name, `bound ${bound}`, explore(scenario, bound, allowed), allowed);
  if (atRandom > 0)
    report(name, "at random", exploreAtRandom(scenario, atRandom, new Random(seed + i), allowed), allowed);
  tell(i + 1);
}

let found = 0;
for (const { name, right, wrong, bound } of bugs) {
  const allowed = serialOutcomes(right);
  const finding = explore(wrong, bound, allowed).finding;
  if (finding) found++;
  const how = finding ? `found by ${written(finding.schedule)}: ${finding.outcome}` : "NOT FOUND";
  process.stdout.write(`planted: ${name}: ${how}\n`);
}

process.stdout.write(
  `${jobs.length} scenarios, ${schedules} schedules, ${violations} violations, ` +
    `${found} of ${bugs.length} planted bugs found, seed ${seed}\n`,
);
if (violations > 0 || found < bugs.length) process.exitCode = 1;
