// Damaged regions in short: flipped words, truncated files, and a rogue that scribbles. The long form is `npm run test:hostile`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { tryRegions } from "./hostile/regions.ts";
import { tryRogue } from "./hostile/rogue.ts";
import { tryTruncations } from "./hostile/truncations.ts";

const REGIONS = 1500;
const ROUNDS = 3;
const TRUNCATIONS = 30;
const seed = Number(process.env.HOSTILE_SEED ?? Date.now() % 1_000_000);

test(`whatever is done with ${REGIONS} damaged regions ends, with a result or an error (HOSTILE_SEED=${seed})`, async () => {
  const { hangs, crashes, violations, regions } = await tryRegions(REGIONS, seed, () => {});
  assert.deepEqual({ hangs, crashes, violations, regions }, { hangs: 0, crashes: 0, violations: [], regions: REGIONS });
});

test(`a region file that was cut short, or made longer, is refused (HOSTILE_SEED=${seed})`, (t) => {
  const wrong = tryTruncations(TRUNCATIONS, seed);
  if (typeof wrong === "string") return t.skip(wrong);
  assert.deepEqual(wrong, []);
});

test(`tasks beside one that scribbles into their region get results or errors, and end (HOSTILE_SEED=${seed})`, async () => {
  const { hangs, crashes, violations } = await tryRogue(ROUNDS, seed);
  assert.deepEqual({ hangs, crashes, violations }, { hangs: 0, crashes: 0, violations: [] });
});
