// Interleavings in short: every two operations of an object with one preemption at every place where it can matter, three tasks
// likewise, and the planted bugs. The long form, with two and three, is `npm run test:interleave`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Exploration, explore, exploreAtRandom, serialOutcomes } from "./interleave/explore.ts";
import { planted } from "./interleave/planted.ts";
import { triples } from "./interleave/triples.ts";
import { Random } from "./random.ts";
import { coreFamilies } from "./stepped/core-families.ts";
import { machineFamilies } from "./stepped/machine-families.ts";
import { families, pairsOf } from "./stepped/object-families.ts";
import { promiseFamily } from "./stepped/promise-family.ts";
import { read, type Scenario, Stepped, written } from "./stepped/stepped.ts";

const BOUND = 1;
const AT_RANDOM = 5;
const seed = Number(process.env.INTERLEAVE_SEED ?? Date.now() % 1_000_000);

function check(name: string, scenario: Scenario): void {
  const allowed = serialOutcomes(scenario);
  const none = ({ finding }: Exploration): void => {
    if (!finding) return;
    const { schedule, outcome } = finding;
    assert.fail(`${name} by ${written(schedule)}: ${outcome}; allowed: ${[...allowed].join(" / ")}`);
  };
  none(explore(scenario, BOUND, allowed));
  none(exploreAtRandom(scenario, AT_RANDOM, new Random(seed), allowed));
}

for (const family of [...families, ...machineFamilies, ...coreFamilies, promiseFamily]) {
  test(`two operations of a ${family.name}, stepped through each other, do what they do one after the other (INTERLEAVE_SEED=${seed})`, () => {
    for (const { name, scenario } of pairsOf(family)) check(name, scenario);
  });
}

test(`three tasks, stepped through each other, do what they do one after the other (INTERLEAVE_SEED=${seed})`, () => {
  for (const { name, scenario } of triples) check(name, scenario);
});

for (const { name, right, wrong, bound } of planted) {
  test(`a planted bug is found, and its schedule shows it again: ${name}`, () => {
    const allowed = serialOutcomes(right);
    const { finding } = explore(wrong, bound, allowed);
    assert.ok(finding, "not found");
    const schedule = read(written(finding.schedule));
    assert.equal(new Stepped(wrong).run(schedule), finding.outcome, "the same schedule gives the same");
    assert.ok(allowed.has(new Stepped(right).run(schedule)), "without the bug it gives what is allowed");
  });
}

test("a schedule that is none is refused", () => {
  assert.throws(() => read("12"), /not a turn: 12/);
});
