// The table of crash points in short: each operation that writes dies after each of its writes, and who buries it after each of its
// own for some of those. The long form is `npm run test:crash`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { syscalls } from "../src/abi/syscalls.ts";
import { callOf, callsFamily } from "./crash/calls-family.ts";
import { cover } from "./crash/coverage.ts";
import { differingFutures, tryDeaths, tryOnce, writesOf } from "./crash/deaths.ts";
import { rows } from "./crash/rows.ts";

const EVERY = 97;

for (const family of new Set(rows.map(({ family }) => family))) {
  test(`a death after any write of an operation of a ${family} leaves all or nothing, leaks nothing, and nobody is stuck`, () => {
    for (const row of rows) {
      if (row.family !== family) continue;
      const { violations } = tryDeaths(row, row.hasWaiter || family === callsFamily.name ? 0 : EVERY);
      assert.deepEqual(violations, []);
    }
  });
}

test("two deaths that leave the same state behind have the same future", () => {
  for (const name of ["queue empty: send while another waits to receive", "mutex free: lockAndUnlock"]) {
    const row = rows.find((one) => one.name.startsWith(name));
    assert.ok(row, name);
    const { compared, differing } = differingFutures(row);
    assert.deepEqual(differing, []);
    assert.ok(compared > 100, `only ${compared} of ${row.name}`);
  }
});

test("each system call is in the table of crash points", () => {
  const there = syscalls.filter(({ status }) => status !== "later").map(({ name }) => name as string);
  const tried = new Set(Object.keys(callsFamily.operations).map(callOf));
  assert.deepEqual(
    there.filter((name) => !tried.has(name)),
    [],
  );
  assert.deepEqual(
    [...tried].filter((name) => !there.includes(name)),
    [],
  );
});

test("a system call of which the table tries no death writes nothing", () => {
  const silent = rows
    .filter((row) => row.family === callsFamily.name && writesOf(row) === 0)
    .map(({ operation }) => operation);
  assert.deepEqual(silent.sort(), [...reading].sort());
});

/** Calls that only look, or that change what is the task's own: an alarm, and how its thread ends. */
const reading = [
  "alarm",
  "exit",
  "exit_group",
  "fcntl F_GETFD",
  "getegid",
  "geteuid",
  "getgid",
  "getgroups",
  "getpgid",
  "getpgrp",
  "getpid",
  "getppid",
  "getresgid",
  "getresuid",
  "getuid",
  "ioctl",
  "poll what is ready",
  "rt_sigpending",
  "shmdt",
];

const PROMISES =
  "as Awaits.until, which is tried, with what needs turns of a real event loop: test/death.test.ts, test/waiting.test.ts";
const CHILDREN = "test/crash-children.test.ts";
const LOOKS = "only looks";
const HANDED = "of a mutex that is handed over: test/crash-locks.test.ts";
const MACHINE = "the accesses of Words, as machine instructions: test/machine-words.test.ts";
const SOON = "as tryTake once there is a message, and only where a task spins: test/queue-steps.test.ts";
const STOPPED = "sends the host's signals: test/stopped.test.ts";
const OWN = "changes what is the task's own, in no shared memory";

/** Public methods that the table does not reach, and why it need not. */
const elsewhere: Record<string, string> = {
  "Awaits.letOthersRun": PROMISES,
  "Awaits.untilAny": PROMISES,
  "Awaits.untilTaken": PROMISES,
  "Children.correct": CHILDREN,
  "Children.noteContinue": CHILDREN,
  "Children.noteStop": CHILDREN,
  "Children.stopLocked": CHILDREN,
  "Descriptors.holdersOf": LOOKS,
  "DirectSignal.takeBack": "only of one that is ignored just then: test/direct-signal.test.ts",
  "Hearing.until": PROMISES,
  "MachineWords.compareExchange": MACHINE,
  "MachineWords.compareExchangePair": MACHINE,
  "MachineWords.exchange": MACHINE,
  "MachineWords.load": MACHINE,
  "MachineWords.moveAndUnlock": MACHINE,
  "MachineWords.store": MACHINE,
  "MessageRing.tryTakeNewSoon": SOON,
  "Monitor.firstLocked": HANDED,
  "Monitor.hasSeveralLocked": HANDED,
  "Monitor.ownerOfLocked": HANDED,
  "ReadWriteLock.gaveUp": "after a time-out: test/crash-locks.test.ts",
  "Reaper.hostEnded": CHILDREN,
  "Registry.nameOf": LOOKS,
  "SemaphoreValues.giveBackLocked": "what a dead waiter had been given: test/crash-semaphore-set.test.ts",
  "Signals.adopt": OWN,
  "Signals.arrival": OWN,
  "Signals.disown": OWN,
  "Signals.handlerOf": OWN,
  "Signals.letStoppedRun": STOPPED,
  "Signals.listen": OWN,
  "Signals.raise": "a kill of itself: its crash points are those of kill",
  "Signals.reset": OWN,
  "Spin.endGivingWay": OWN,
  "Spin.giveWay": OWN,
  "Spin.hit": OWN,
  "Spin.miss": OWN,
  "Spin.relax": OWN,
  "Structure.setBigInt64": "in the caller's own memory",
  "System.attachedTo": LOOKS,
  "System.letStoppedRun": STOPPED,
  "TaskSignals.takeBackDirect": "of a signal to a task that is dead: test/direct-signal.test.ts",
  "TaskTable.begin": CHILDREN,
  "TaskTable.bequeath": CHILDREN,
  "TaskTable.freeZombie": CHILDREN,
  "TaskTable.hasBegun": CHILDREN,
  "TaskTable.isUnwaited": LOOKS,
  "TaskTable.startedAs": CHILDREN,
  "TaskTable.startedIn": CHILDREN,
  "WaitList.hasTakersLocked": LOOKS,
  "TaskSignals.forgetLocked": "of a damaged region: test/hostile.test.ts",
  "Words.getSix": LOOKS,
  "Words.getTwoLanes": LOOKS,
  "Words.lendView": "what the caller does in place is one access of the tests' own",
  "Words.store64": "single accesses, which others are made of",
};

test("each public method of the kernel's classes is reached by the table, or is known not to be", async () => {
  const { all, called } = await cover();
  for (const row of rows) tryOnce(row);
  const missing = [...all].filter((name) => !called.has(name)).sort();
  assert.deepEqual(missing, Object.keys(elsewhere).sort());
});
