// Every operation that writes to the region, stopped after its n-th write, for every n. Another task then buries the dead
// one and goes on. The tasks are real, their deaths are not: they share this thread, and what dies is the one whose words
// refuse the next write. Real kills of real processes are in death.test.ts.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { System } from "../src/kernel/system.ts";
import { Words } from "../src/memory/words.ts";
import type { MessageRing } from "../src/objects/message-ring.ts";
import { type Node, stateOf, WAITING, WOKEN } from "../src/sync/wait-list.ts";
import {
  bytes,
  drain,
  drainPipe,
  Machine,
  makePipe,
  openQueue,
  type Scene,
  scene,
  sceneWithDeathAfter,
  undertakerDies,
} from "./crash-fixture.ts";
import { inMachineCode } from "./machine/interpreted-words.ts";
import { dies, MortalWords } from "./memory-fixture.ts";

/** What an operation may leave behind: the states before and after it, as the survivor sees them. */
interface Operation {
  readonly name: string;
  run(scene: Scene): void;
  readonly queue?: readonly (readonly string[])[];
  readonly pipe?: readonly string[];
}

const before = ["one", "two"];
const take = (scene: Scene): void => void scene.victimRing.tryTake(new Uint8Array(64));

const operations: Operation[] = [
  {
    name: "sending a message",
    run: ({ victimRing }) => void victimRing.tryAppend(bytes("three"), 1),
    queue: [before, [...before, "three"]],
  },
  {
    name: "sending a batch",
    run: ({ victimRing }) => void victimRing.tryAppendMany([bytes("three"), bytes("four")], 0, 1),
    queue: [before, [...before, "three", "four"]],
  },
  { name: "receiving a message", run: take, queue: [before, ["two"]] },
  {
    name: "receiving a batch",
    run: ({ victimRing }) => void victimRing.tryTakeMany(4, () => {}),
    queue: [before, []],
  },
  {
    name: "writing to a pipe",
    run: ({ victimPipe }) => void victimPipe.tryWrite(bytes("fgh"), 0, 3, true),
    pipe: ["abcde", "abcdefgh"],
  },
  {
    name: "reading from a pipe",
    run: ({ victimPipe }) => void victimPipe.tryRead(new Uint8Array(2), 0, 2),
    pipe: ["abcde", "cde"],
  },
  { name: "making a pipe", run: ({ victim }) => void makePipe(victim) },
  {
    name: "making and closing a pipe",
    run: ({ victim }) => {
      for (const end of makePipe(victim)) victim.close(end.descriptor);
    },
  },
  {
    name: "opening a queue",
    run: ({ victim }) => void openQueue(victim),
  },
  { name: "closing a queue", run: ({ victim, victimQueue }) => victim.close(victimQueue.descriptor) },
  {
    name: "sending to a sleeper",
    run: ({ machine, survivor, victim, victimRing, ring }) => {
      drain(ring);
      const at = survivor.nodes.claim() as Node;
      ring.filled.monitor.enlist(at, WAITING, 1, () => false);
      try {
        victimRing.tryAppend(bytes("three"), 1);
      } finally {
        machine.kill(victim.world); // dead or not: what it holds is taken over
        ring.filled.monitor.delist(at);
      }
    },
    queue: [[], ["three"]],
  },
  {
    name: "beginning and ending a wait",
    run: ({ victim, victimRing }) => {
      const at = victim.nodes.claim() as Node;
      victimRing.filled.monitor.enlist(at, WAITING, 1, () => false);
      victimRing.filled.monitor.delist(at);
    },
  },
  {
    name: "beginning and ending a wait between two others",
    run: ({ machine, survivor, victim, ring, victimRing }) => {
      const [first, last] = [survivor.nodes.claim() as Node, survivor.nodes.claim() as Node];
      const own = victim.nodes.claim() as Node;
      const filled = ring.filled.monitor;
      filled.enlist(first, WAITING, 1, () => false);
      try {
        victimRing.filled.monitor.enlist(own, WAITING, 1, () => false);
        filled.enlist(last, WAITING, 1, () => false);
        victimRing.filled.monitor.delist(own);
      } finally {
        machine.kill(victim.world); // dead or not: what it holds is taken over
        filled.delist(first);
        filled.delist(last);
      }
    },
  },
  { name: "detaching", run: ({ victim }) => victim.detach() },
];

/** Buries the dead and checks all that the survivor can see. */
function checkAfterDeath({ machine, survivor, victim, ring, pipe }: Scene, operation: Operation, where: string): void {
  machine.kill(victim.world);
  survivor.reap();
  assert.equal(survivor.tasks.list().length, 1, `one task is left ${where}`);
  const { objects } = survivor.usage();
  assert.equal(objects, 2, `nothing leaked ${where}`);
  assert.equal(pipe.readers, 1, `one reader is left ${where}`);
  assert.equal(pipe.writers, 1, `one writer is left ${where}`);
  const messages = drain(ring);
  const bytesLeft = drainPipe(pipe);
  const queues = operation.queue ?? [before];
  assert.ok(
    queues.some((state) => state.join() === messages.join()),
    `the queue holds [${messages}] ${where}`,
  );
  assert.ok((operation.pipe ?? ["abcde"]).includes(bytesLeft), `the pipe holds "${bytesLeft}" ${where}`);
  checkWaiters(survivor, ring, where);
  assert.equal(pipe.tryWrite(bytes("0123456789abcdef"), 0, 16, true), 16, `the pipe has all its room ${where}`);
  assert.equal(drainPipe(pipe), "0123456789abcdef", `the pipe gives bytes ${where}`);
}

/** Two waiters stand in the list alone, and are woken one by one, in their order. */
function checkWaiters(survivor: System, ring: MessageRing, where: string): void {
  const waiters = [survivor.nodes.claim() as Node, survivor.nodes.claim() as Node];
  for (const at of waiters) ring.filled.monitor.enlist(at, WAITING, 1, () => false);
  const woken = (): boolean[] => waiters.map((at) => survivor.words.load(stateOf(at)) === WOKEN);
  assert.deepEqual(woken(), [false, false]);
  assert.equal(ring.tryAppend(bytes("next"), 1), 0, `the queue takes messages ${where}`);
  assert.deepEqual(woken(), [true, false], `the first waiter is woken ${where}`);
  assert.equal(ring.tryAppend(bytes("last"), 1), 0, `the queue takes messages ${where}`);
  assert.deepEqual(woken(), [true, true], `the second waiter is woken ${where}`);
  for (const at of waiters) assert.ok(ring.filled.monitor.delist(at));
  assert.deepEqual(drain(ring), ["next", "last"], `the queue gives messages ${where}`);
}

function freeLinesAtRest(): number {
  const { machine, survivor, victim } = scene((buffer) => new Words(buffer));
  machine.kill(victim.world);
  survivor.reap();
  return survivor.usage().freeLines;
}

/** Those that differ where the victim runs machine code. */
const machineOperations = operations.filter(({ queue, pipe }) => queue !== undefined || pipe !== undefined);

for (const [operation, Mortal, how] of [
  ...operations.map((operation) => [operation, MortalWords, ""] as const),
  ...machineOperations.map((operation) => [operation, inMachineCode(MortalWords), " in machine code"] as const),
]) {
  test(`a death after any write of ${operation.name}${how} loses nothing, leaks nothing and leaves nobody stuck`, () => {
    const free = freeLinesAtRest();
    let points = 0;
    for (let writes = 0; ; writes++, points++) {
      const at = sceneWithDeathAfter(writes, Mortal);
      const died = dies(() => operation.run(at));
      checkAfterDeath(at, operation, `after ${writes} writes of ${operation.name}`);
      assert.equal(at.survivor.usage().freeLines, free, `the heap is whole after ${writes} writes`);
      if (!died) break;
    }
    assert.ok(points > 1);
  });

  test(`a death after ${operation.name}${how} whose undertaker dies too, after any write, is repaired by a third`, () => {
    for (let writes = 0, step = 1; ; writes += step) {
      const at = sceneWithDeathAfter(writes, Mortal);
      const died = dies(() => operation.run(at));
      for (let second = 0; ; second++) {
        if (!undertakerDies(at, second)) break;
      }
      checkAfterDeath(at, operation, `after ${writes} writes and dead undertakers`);
      if (!died) break;
      step = 3; // every third point of the first death, each point of the second
    }
  });
}

test("a death after any write of attaching leaves a slot that the next task can have", () => {
  for (let writes = 0; ; writes++) {
    const machine = new Machine();
    const survivor = machine.attach();
    const words = new MortalWords(machine.buffer);
    const world = machine.world();
    words.writesLeft = writes;
    const died = dies(() => void machine.attach(words, world));
    machine.kill(world);
    const others = [machine.attach(), machine.attach(), machine.attach()];
    assert.equal(new Set([survivor, ...others].map((system) => system.pid)).size, 4, `after ${writes} writes`);
    if (!died) break;
  }
});
