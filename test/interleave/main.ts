// npm run test:interleave -- [--only TEXT] [--schedules N] [--seed S] [--replay "0A 12B"]

import { parseArgs } from "node:util";
import { Random } from "../random.ts";
import { coreFamilies } from "../stepped/core-families.ts";
import { families, pairsOf } from "../stepped/object-families.ts";
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
const deep = ["lock", "wait list", "queue", "pipe"];

function fail(message: string): never {
  process.stderr.write(`${message}\n${usage}\n`);
  process.exit(2);
}

function count(text: string, name: string, most: number): number {
  if (!/^\d+$/.test(text) || Number(text) > most) fail(`--${name} must be a whole number up to ${most}, not ${text}`);
  return Number(text);
}

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    schedules: { type: "string", default: "200" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    replay: { type: "string" },
    help: { type: "boolean" },
  },
});
if (values.help) {
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}
const atRandom = count(values.schedules, "schedules", 1_000_000);
const seed = count(values.seed, "seed", 0xffffffff);

interface Job {
  readonly name: string;
  readonly scenario: Scenario;
  readonly bound: number;
}

const jobs: Job[] = [
  ...[...families, ...coreFamilies].flatMap((family) =>
    pairsOf(family).map(({ name, scenario }) => ({
      name,
      scenario,
      bound: deep.includes(family.name) ? DEEP_BOUND : PAIR_BOUND,
    })),
  ),
  ...triples,
].filter(({ name }) => name.includes(values.only));
const bugs = planted.filter(({ name }) => name.includes(values.only));
if (jobs.length + bugs.length === 0) fail(`no scenario is called ${values.only}`);

if (values.replay !== undefined) {
  const schedule = scheduleOf(values.replay);
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
    return fail((error as Error).message);
  }
}

function verdict(right: Scenario, run: Scenario, schedule: ReturnType<typeof read>): string {
  const outcome = new Stepped(run).run(schedule);
  return `${serialOutcomes(right).has(outcome) ? "allowed" : "NOT ALLOWED"}: ${outcome}`;
}

let violations = 0;
let schedules = 0;

function report(name: string, how: string, { findings, schedules: tried }: Exploration, allowed: Set<string>): void {
  schedules += tried;
  process.stdout.write(`${name}: ${how}, ${tried} schedules, ${findings.length} violations\n`);
  for (const { outcome, schedule } of findings) {
    violations++;
    process.stdout.write(`  by ${written(schedule)}\n    ${outcome}\n  allowed\n`);
    for (const one of allowed) process.stdout.write(`    ${one}\n`);
  }
}

let shown = Date.now();
for (const [i, { name, scenario, bound }] of jobs.entries()) {
  const allowed = serialOutcomes(scenario);
  report(name, `bound ${bound}`, explore(scenario, bound, { allowed }), allowed);
  if (atRandom > 0)
    report(name, "at random", exploreAtRandom(scenario, atRandom, new Random(seed + i), { allowed }), allowed);
  if (Date.now() - shown < 5000) continue;
  shown = Date.now();
  process.stderr.write(`${i + 1} of ${jobs.length} scenarios\n`);
}

let found = 0;
for (const { name, right, wrong, bound } of bugs) {
  const allowed = serialOutcomes(right);
  const finding = explore(wrong, bound, { allowed }).findings[0];
  if (finding) found++;
  const how = finding ? `found by ${written(finding.schedule)}: ${finding.outcome}` : "NOT FOUND";
  process.stdout.write(`planted: ${name}: ${how}\n`);
}

process.stdout.write(
  `${jobs.length} scenarios, ${schedules} schedules, ${violations} violations, ` +
    `${found} of ${bugs.length} planted bugs found, seed ${seed}\n`,
);
if (violations > 0 || found < bugs.length) process.exitCode = 1;
