// Histories of real tasks, of both worlds, are linearizable; and the search for an order tells those that are not.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  finalStates,
  type Model,
  mutexModel,
  queueModel,
  type Recorded,
  rwlockModel,
  semaphoreModel,
} from "./linearizability.ts";
import type { HistoryArgs } from "./tasks-history.ts";
import { overWorlds } from "./worlds.ts";

const TASKS = 3;
const ROUNDS = 300;
const OPERATIONS = 7;
const DEPTH = 3;
const seed = Number(process.env.HISTORY_SEED ?? Date.now() % 1_000_000);

const models: Record<HistoryArgs["kind"], { model: Model; first: string }> = {
  queue: { model: queueModel(DEPTH), first: "" },
  semaphore: { model: semaphoreModel, first: "2" },
  mutex: { model: mutexModel, first: "" },
  rwlock: { model: rwlockModel, first: "" },
};

overWorlds((world) => {
  for (const [kind, { model, first }] of Object.entries(models)) {
    test(`what real tasks do with a ${kind} at once could have been one after the other (HISTORY_SEED=${seed})`, async () => {
      const kernel = world.createKernel();
      const made = {
        queue: () => kernel.queue({ depth: DEPTH }),
        semaphore: () => kernel.semaphore({ value: Number(first) }),
        mutex: () => kernel.mutex(),
        rwlock: () => kernel.rwlock(),
      }[kind as HistoryArgs["kind"]]();
      const barrier = kernel.barrier({ parties: TASKS });
      const start = async (task: number) => {
        const started = await world.startTask(kernel, "recordHistory", {
          kind: kind as HistoryArgs["kind"],
          token: made.token,
          barrier: barrier.token,
          task,
          rounds: ROUNDS,
          operations: OPERATIONS,
          seed: seed + task,
        });
        assert.equal(await started.report(), "open");
        return started;
      };
      const tasks = await Promise.all(Array.from({ length: TASKS }, (_, i) => start(i + 1)));
      const histories = await Promise.all(tasks.map(async (task) => (await task.result()) as Recorded[][]));
      let states = new Set([first]);
      for (let round = 0; round < ROUNDS; round++) {
        const history = histories.flatMap((rounds) => rounds[round] as Recorded[]);
        const real = history.filter(({ operation }) => operation !== "nothing");
        states = finalStates(real, model, states);
        assert.ok(states.size > 0, `round ${round}: ${JSON.stringify(real)}`);
      }
    });
  }
});

const at = (
  task: number,
  operation: string,
  argument: number,
  result: number,
  start: number,
  end: number,
): Recorded => ({
  task,
  operation,
  argument,
  result,
  start,
  end,
});

const wrong: Record<string, { model: Model; first: string; history: Recorded[] }> = {
  "a message that overtakes another": {
    model: queueModel(2),
    first: "",
    history: [at(1, "trySend", 1, 0, 0, 1), at(1, "trySend", 2, 0, 2, 3), at(2, "tryReceive", 0, 2, 4, 5)],
  },
  "a message that is received twice": {
    model: queueModel(2),
    first: "7",
    history: [at(1, "tryReceive", 0, 7, 0, 3), at(2, "tryReceive", 0, 7, 1, 2)],
  },
  "a full queue that had room": {
    model: queueModel(2),
    first: "1",
    history: [at(1, "trySend", 2, -1, 0, 1)],
  },
  "a semaphore that lets two through": {
    model: semaphoreModel,
    first: "1",
    history: [at(1, "tryWait", 0, 0, 0, 3), at(2, "tryWait", 0, 0, 1, 2)],
  },
  "a mutex that two hold": {
    model: mutexModel,
    first: "",
    history: [at(1, "lock", 0, 0, 0, 1), at(2, "tryLock", 0, 0, 2, 3), at(1, "unlock", 0, 0, 4, 5)],
  },
  "a reader and a writer that both go away": {
    model: rwlockModel,
    first: "",
    history: [at(1, "tryRead", 0, -1, 0, 3), at(2, "tryWrite", 0, -1, 1, 2)],
  },
};

for (const [what, { model, first, history }] of Object.entries(wrong)) {
  test(`a history is refused in which there is ${what}`, () => {
    assert.deepEqual([...finalStates(history, model, [first])], []);
  });
}

test("operations that overlap may have been in either order", () => {
  const history = [at(1, "trySend", 1, 0, 0, 3), at(2, "trySend", 2, 0, 1, 2)];
  assert.deepEqual([...finalStates(history, queueModel(2), [""])].sort(), ["1,2", "2,1"]);
});
