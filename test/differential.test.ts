// A short form of npm run test:differential, and the parts of it that can be wrong by themselves.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { libc } from "../src/platforms/libc.ts";
import { families } from "./differential/families.ts";
import { PipeModel } from "./differential/pipe-model.ts";
import { Random } from "./differential/random.ts";
import { runFamily, summary } from "./differential/run.ts";
import { shortest } from "./differential/shrink.ts";

const CALLS = 600;
const missing = libc();
const isRoot = process.geteuid?.() === 0;
const seed = Number(process.env.DIFFERENTIAL_SEED ?? Date.now() % 1_000_000);

describe("beside Linux", { skip: typeof missing === "string" ? missing : false }, () => {
  for (const family of families) {
    const skip = family.name === "permissions" && !isRoot ? "tasks of other users need user 0" : false;
    test(`random calls of ${family.name} give what Linux gives (DIFFERENTIAL_SEED=${seed})`, { skip }, async () => {
      const outcome = await runFamily(family, CALLS, seed);
      assert.equal(outcome.mismatches, 0, `${summary(outcome)}\n${outcome.reports.join("\n\n")}`);
      assert.ok(outcome.calls >= CALLS);
    });
  }
});

test("the same seed draws the same numbers, another seed others", () => {
  const drawn = (from: number): number[] => {
    const random = new Random(from);
    return Array.from({ length: 20 }, () => random.below(1000));
  };
  assert.deepEqual(drawn(7), drawn(7));
  assert.notDeepEqual(drawn(7), drawn(8));
});

test("the shortest sequence that fails is found", async () => {
  const numbers = Array.from({ length: 50 }, (_, i) => i);
  const fails = async (candidate: readonly number[]): Promise<boolean> =>
    candidate.includes(13) && candidate.includes(37);
  assert.deepEqual(await shortest(numbers, fails), [13, 37]);
});

test("in the model of Linux's pipe, what was read from a page's front is no room until the page is empty", () => {
  const model = new PipeModel(4096);
  assert.equal(model.write(4096), 4096);
  assert.equal(model.read(100), 100);
  assert.equal(model.writesOnLinux(100), "full");
  assert.equal(model.writesHere(100), 100);
  model.read(3996);
  assert.equal(model.writesOnLinux(100), 100);
});

test("in the model of Linux's pipe, a short write goes into the last page where it fits behind what is there", () => {
  const model = new PipeModel(8192);
  model.write(3000);
  model.write(1096);
  assert.equal(model.pages.length, 1);
  model.write(1);
  assert.equal(model.pages.length, 2);
});
