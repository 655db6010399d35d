// Torture in short: real tasks, killed at random while they work with all that is shared, and every message accounted for. The long
// form is `npm run torture`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { libc } from "../src/platforms/libc.ts";
import { isSound, summary, Torture } from "./torture/torture.ts";

const KILLS = 12;
const missing = libc();

for (const world of ["threads", "processes"] as const) {
  const skip = typeof missing === "string" ? missing : false;
  const seed = Number(process.env.TORTURE_SEED ?? Date.now() % 1_000_000);
  test(`${KILLS} ${world} killed at random lose nothing, double nothing, leave nothing stuck and leak nothing (TORTURE_SEED=${seed})`, {
    skip,
  }, async () => {
    const torture = new Torture({ world, kills: KILLS, minutes: 1, seed });
    try {
      const outcome = await torture.run(() => {});
      assert.ok(isSound(outcome), summary(outcome));
    } finally {
      torture.end();
    }
  });
}
