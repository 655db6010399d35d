// Every operation that writes to the region, stopped after its n-th write, for every n. Another task then buries the dead
// one and goes on. The tasks are real, their deaths are not: they share this thread, and what dies is the one whose words
// refuse the next write. Real kills of real processes are in death.test.ts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { EAGAIN } from "../src/abi/errno.ts";
import { type Opened, System } from "../src/kernel/system.ts";
import { access, type Geometry, kinds } from "../src/memory/layout.ts";
import { Words } from "../src/memory/words.ts";
import { MessageRing, queueBodyBytes } from "../src/objects/message-queue.ts";
import { Pipe, pipeBodyBytes } from "../src/objects/pipe.ts";
import { type Node, stateOf, WAITING, WOKEN } from "../src/sync/wait-list.ts";
import type { World } from "../src/sync/world.ts";
import { dies, formattedBuffer, MortalWords } from "./memory-fixture.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);

/** A world in which nobody sleeps: a lock that is held is held by the dead, and the look after the sleep finds out. */
class Machine {
  readonly buffer: SharedArrayBuffer;
  readonly geometry: Geometry;
  readonly #alive = new Set<bigint>();
  #next = 1n;

  constructor() {
    const { buffer, region } = formattedBuffer();
    this.buffer = buffer;
    this.geometry = region.geometry;
  }

  world(): World {
    const identity = this.#next++;
    this.#alive.add(identity);
    return {
      identity,
      osPid: Number(identity),
      osThreadId: Number(identity),
      uid: 0,
      gid: 0,
      cpuMask: 1,
      parker: { park: () => {}, unpark: () => {} },
      doorbell: { install: () => {}, listen: () => {}, ring: () => {}, close: () => {} },
      isAlive: (other) => this.#alive.has(other),
      nowMs: () => 1,
      afterTurn: (callback) => callback(),
      relax: () => {},
    };
  }

  kill(world: World): void {
    this.#alive.delete(world.identity);
  }

  attach(words: Words = new Words(this.buffer), world = this.world()): System {
    const system = System.attach({ words, geometry: this.geometry, reserve: () => 0 }, world, 0);
    assert.ok(typeof system !== "number");
    return system;
  }
}

interface Scene {
  readonly machine: Machine;
  readonly survivor: System;
  readonly victim: System;
  readonly queue: Opened;
  readonly ring: MessageRing;
  readonly victimRing: MessageRing;
  readonly pipe: Pipe;
  readonly victimPipe: Pipe;
  readonly victimQueue: Opened;
}

const queueAddress = { kind: kinds.QUEUE, name: bytes("q") };
const makeQueue = (words: Words) => ({
  bodyBytes: queueBodyBytes(4, 64),
  format: (line: number) => MessageRing.format(words, line, 4, 64),
  exclusive: false,
});

function openQueue(system: System): Opened {
  const opened = system.open(queueAddress, access.READ | access.WRITE, makeQueue(system.words));
  assert.ok(typeof opened !== "number");
  return opened;
}

function makePipe(system: System, ends = [access.READ, access.WRITE]): Opened[] {
  const format = (line: number): void => Pipe.format(system.words, line, 16);
  const opened = system.createAnonymous(kinds.PIPE, pipeBodyBytes(16), format, ends);
  assert.ok(typeof opened !== "number");
  return opened;
}

/** Two tasks, a queue with two messages of four, a pipe with five bytes of sixteen that the survivor has open at both ends. */
function scene(victimWords: (buffer: SharedArrayBuffer) => Words): Scene {
  const machine = new Machine();
  const survivor = machine.attach();
  const queue = openQueue(survivor);
  const ring = survivor.messageRingAt(queue.bodyLine);
  ring.tryAppend(bytes("one"), 1);
  ring.tryAppend(bytes("two"), 1);
  const [end] = makePipe(survivor) as [Opened, Opened];
  const pipe = survivor.pipeAt(end.bodyLine);
  pipe.tryWrite(bytes("abcde"), 0, 5, true);
  const victim = machine.attach(victimWords(machine.buffer));
  const victimQueue = openQueue(victim);
  return {
    machine,
    survivor,
    victim,
    queue,
    ring,
    pipe,
    victimRing: victim.messageRingAt(victimQueue.bodyLine),
    victimPipe: victim.pipeAt(end.bodyLine),
    victimQueue,
  };
}

/** The victim dies after so many writes from now on. */
function sceneWithDeathAfter(writes: number): Scene {
  let mortal: MortalWords | undefined;
  const made = scene((buffer) => {
    mortal = new MortalWords(buffer);
    return mortal;
  });
  (mortal as MortalWords).writesLeft = writes;
  return made;
}

function drain(ring: MessageRing): string[] {
  const found: string[] = [];
  const buffer = new Uint8Array(64);
  for (let length = ring.tryTake(buffer); length !== EAGAIN; length = ring.tryTake(buffer)) {
    assert.ok(length >= 0);
    found.push(text(buffer.subarray(0, length)));
  }
  return found;
}

function drainPipe(pipe: Pipe): string {
  const buffer = new Uint8Array(64);
  const count = pipe.tryRead(buffer, 0, 64);
  return count === EAGAIN ? "" : text(buffer.subarray(0, count));
}

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

for (const operation of operations) {
  test(`a death after any write of ${operation.name} loses nothing, leaks nothing and leaves nobody stuck`, () => {
    const free = freeLinesAtRest();
    let points = 0;
    for (let writes = 0; ; writes++, points++) {
      const at = sceneWithDeathAfter(writes);
      const died = dies(() => operation.run(at));
      checkAfterDeath(at, operation, `after ${writes} writes of ${operation.name}`);
      assert.equal(at.survivor.usage().freeLines, free, `the heap is whole after ${writes} writes`);
      if (!died) break;
    }
    assert.ok(points > 1);
  });

  test(`a death after ${operation.name} whose undertaker dies too, after any write, is repaired by a third`, () => {
    for (let writes = 0, step = 1; ; writes += step) {
      const at = sceneWithDeathAfter(writes);
      const died = dies(() => operation.run(at));
      for (let second = 0; ; second++) {
        const copy = buryTwice(at, second);
        if (!copy.undertakerDied) break;
      }
      checkAfterDeath(at, operation, `after ${writes} writes and dead undertakers`);
      if (!died) break;
      step = 3; // every third point of the first death, each point of the second
    }
  });
}

/** A third task tries to bury the victim and dies after `writes` writes. */
function buryTwice({ machine, victim }: Scene, writes: number): { undertakerDied: boolean } {
  const words = new MortalWords(machine.buffer);
  machine.kill(victim.world);
  const world = machine.world();
  const undertaker = machine.attach(words, world);
  words.writesLeft = writes;
  const undertakerDied = dies(() => {
    undertaker.reap();
    undertaker.detach();
  });
  machine.kill(world);
  return { undertakerDied };
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
