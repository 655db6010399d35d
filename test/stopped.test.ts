// A task that a signal has stopped with a lock in its hands: whoever waits for the lock lets it run until it has unlocked. Here the
// host only notes the signals; test/spawn.test.ts stops real tasks.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SIGCONT, SIGSTOP } from "../src/abi/signals.ts";
import type { System } from "../src/kernel/system.ts";
import { Machine } from "./crash-fixture.ts";

/** A task that is stopped, and another one whose signals to it are noted. */
function stoppedTask(): { owner: System; waiter: System; sent: number[]; die: () => void } {
  const machine = new Machine();
  const sent: number[] = [];
  const noting = machine.world();
  const tasks = { ...noting.tasks, signalProcess: (_: number, signal: number) => void sent.push(signal) };
  const waiter = machine.attach(undefined, { ...noting, tasks });
  const world = machine.world();
  const owner = machine.attach(undefined, world);
  waiter.signals.kill(owner.pid, SIGSTOP);
  sent.length = 0;
  return { owner, waiter, sent, die: () => machine.kill(world) };
}

test("it runs until it has unlocked, and is stopped again", () => {
  const { owner, waiter, sent } = stoppedTask();
  waiter.letStoppedRun(owner.pid, () => true);
  assert.deepEqual(sent, [SIGCONT, SIGSTOP]);
});

test("it is told to go on again as long as it has not unlocked: another waiter may have stopped it again", () => {
  const { owner, waiter, sent } = stoppedTask();
  const looks = [false, false, true];
  waiter.letStoppedRun(owner.pid, () => looks.shift() as boolean);
  assert.deepEqual(sent, [SIGCONT, SIGCONT, SIGCONT, SIGSTOP]);
});

test("it is not stopped again where it was told to go on meanwhile", () => {
  const { owner, waiter, sent } = stoppedTask();
  waiter.letStoppedRun(owner.pid, () => {
    waiter.signals.kill(owner.pid, SIGCONT);
    return false;
  });
  assert.deepEqual(sent, [SIGCONT, SIGCONT]);
});

test("it is not waited for any more once it is dead", () => {
  const { owner, waiter, sent, die } = stoppedTask();
  waiter.letStoppedRun(owner.pid, () => {
    die();
    return false;
  });
  assert.deepEqual(sent, [SIGCONT]);
});

test("nothing is done to a task that runs", () => {
  const { owner, waiter, sent } = stoppedTask();
  waiter.signals.kill(owner.pid, SIGCONT);
  sent.length = 0;
  waiter.letStoppedRun(owner.pid, () => assert.fail("it is not waited for"));
  assert.deepEqual(sent, []);
});
