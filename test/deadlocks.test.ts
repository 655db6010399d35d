// Two tasks that lock two mutexes in opposite order and ask to be refused, stepped through each other.

import assert from "node:assert/strict";
import { test } from "node:test";
import { IpcError } from "../src/api/ipc-error.ts";
import { Mutex } from "../src/api/mutex.ts";
import { makingMutex } from "../src/kernel/making.ts";
import type { ObjectToken } from "../src/kernel/opening.ts";
import { kinds, mutexTypes } from "../src/memory/layout.ts";
import { explore, serialOutcomes } from "./interleave/explore.ts";
import { made, opened } from "./stepped/object-families.ts";
import { type Scenario, written } from "./stepped/stepped.ts";
import type { Program } from "./stepped/stepped-task.ts";

/** Both hold one of the two by then, and one is between its look and its place in the list. */
const BOUND = 2;
const MODE = 0o600;

type Pair = readonly [Mutex, Mutex];

function lockBoth(own: Mutex, other: Mutex, program: Program): void {
  own.lockSync();
  program.between();
  try {
    other.lockSync({ refuseDeadlock: true });
    program.tell("both");
    other.unlock();
  } catch (error) {
    if (!(error instanceof IpcError)) throw error;
    program.tell(error.code);
  }
  own.unlock();
}

const scenario: Scenario<readonly ObjectToken[], Pair> = {
  name: "two that would close a circle",
  arrange: (system) => [0, 1].map(() => made(system, kinds.MUTEX, makingMutex(system.words, mutexTypes.NORMAL, MODE))),
  open: (system, tokens) =>
    tokens.map((token) => new Mutex(system, opened(system, token, kinds.MUTEX), "it", () => {})) as unknown as Pair,
  observe: (pair) => pair.map(({ owner }) => owner).join(),
  programs: [
    ([first, second], program) => lockBoth(first, second, program),
    ([first, second], program) => lockBoth(second, first, program),
  ],
};

test("of two that would close a circle together one is refused, wherever the one gives way to the other", () => {
  const allowed = serialOutcomes(scenario);
  assert.deepEqual(
    [...allowed].sort(),
    ["A: EDEADLK; B: both; then 0,0", "A: both; B: EDEADLK; then 0,0", "A: both; B: both; then 0,0"],
    "one after the other",
  );
  const { finding, schedules } = explore(scenario, BOUND, allowed);
  assert.ok(schedules > 10);
  assert.equal(finding && `${written(finding.schedule)}: ${finding.outcome}`, undefined);
});
