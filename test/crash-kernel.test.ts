// What changes several things at once, stopped after the n-th write, for every n: resizing a pipe, duplicating descriptors,
// attaching segments, using and removing SysV queues, interrupting. The survivor goes on; when all is closed and removed, the
// kernel uses what it used before.

import assert from "node:assert/strict";
import { test } from "node:test";
import { EAGAIN, EIDRM } from "../src/abi/errno.ts";
import { makingQueue, makingSegment } from "../src/kernel/making.ts";
import type { Opened } from "../src/kernel/opening.ts";
import type { System } from "../src/kernel/system.ts";
import { access, kinds, segment } from "../src/memory/layout.ts";
import { field, LINE_WORDS, type Word } from "../src/memory/words.ts";
import type { Pipe } from "../src/objects/pipe.ts";
import { beginPoll, endPoll } from "../src/sync/poll-word.ts";
import { INTERRUPTED, isTakenOut, type Node, POLLED, stateOf, WAITING, WOKEN } from "../src/sync/wait-list.ts";
import type { Description } from "../src/tasks/descriptors.ts";
import { bytes, drainPipe, Machine, makePipe, undertakerDies } from "./crash-fixture.ts";
import { dies, MortalWords } from "./memory-fixture.ts";

const MODE = 0o600;
const CONTENT = "abcdefghijkl";
const shape = { depth: 100, bytesMax: 100, messageBytesMax: 64 };
const LIMIT_BYTES = 16;

function removeQueue(system: System, objectIndex: number): void {
  let announce = (): void => {};
  const remove = (): number => {
    announce = system.sysv.removeQueueLocked(objectIndex);
    return 0;
  };
  system.transaction(remove, () => announce());
}

/** A pipe of 16 bytes with twelve, wrapped; a segment; a SysV queue with a message. The victim has all of them open. */
class Scene {
  readonly machine = new Machine();
  readonly survivor = this.machine.attach();
  readonly usage = this.survivor.usage();
  readonly words = new MortalWords(this.machine.buffer);
  readonly victim: System;
  readonly pipe: Pipe;
  readonly ends: Opened[];
  readonly victimEnds: Opened[] = [];
  readonly segment: number;
  readonly queue: number;

  constructor() {
    const { survivor } = this;
    this.ends = makePipe(survivor);
    const [read] = this.ends as [Opened, Opened];
    this.pipe = survivor.pipeOf(read.objectIndex);
    this.pipe.tryWrite(bytes("123456789"), 0, 9, true);
    drainPipe(this.pipe);
    this.pipe.tryWrite(bytes(CONTENT), 0, CONTENT.length, true);
    const making = makingSegment(survivor.words, 100, MODE);
    this.segment = survivor.create({ kind: kinds.SEGMENT, persistent: true }, making);
    const queue = makingQueue(survivor.words, shape, MODE);
    this.queue = survivor.create({ kind: kinds.SYSV_QUEUE, key: 5 }, queue);
    assert.equal(survivor.sysv.useQueue(this.queue), 0);
    survivor.ringOf(this.queue).tryAppend(bytes("hello"), 3);
    this.victim = this.machine.attach(this.words);
    const token = { objectIndex: read.objectIndex, generation: read.generation };
    for (const mode of [access.READ, access.WRITE]) {
      const opened = this.victim.openToken(token, [kinds.PIPE], mode);
      assert.ok(typeof opened !== "number");
      this.victimEnds.push(opened);
    }
  }

  get pipeIndex(): number {
    return (this.ends[0] as Opened).objectIndex;
  }

  /** Whether the queue is still there, seen from the survivor. */
  get queueStands(): boolean {
    return !this.survivor.ringOf(this.queue).removed;
  }

  bury(): void {
    this.machine.kill(this.victim.world);
    this.survivor.reap();
    assert.equal(this.survivor.tasks.list().length, 1);
  }

  /** All is as it was when the victim had nothing; and when all is closed and removed, nothing is left. */
  checkAndEnd(where: string): void {
    const { survivor, pipe } = this;
    assert.equal(pipe.readers, 1, `one reader is left ${where}`);
    assert.equal(pipe.writers, 1, `one writer is left ${where}`);
    assert.equal(drainPipe(pipe), CONTENT, `the pipe's bytes ${where}`);
    assert.equal(survivor.segmentOf(this.segment).attached, 0, `nobody has the segment ${where}`);
    assert.deepEqual(survivor.attachedTo(this.segment), []);
    if (this.queueStands) {
      const ring = survivor.ringOf(this.queue);
      const data = new Uint8Array(64);
      assert.equal(ring.tryTake(data), 5, `the message stands ${where}`);
      for (let i = 0; i < 12; i++) assert.equal(ring.tryAppend(bytes("x"), 1), 0, `the queue takes messages ${where}`);
      removeQueue(survivor, this.queue);
    }
    survivor.sysv.forgetRemoved();
    assert.equal(survivor.resizePipe(this.pipeIndex, 64), 0, `the pipe can be resized ${where}`);
    for (const end of this.ends) survivor.close(end.descriptor);
    survivor.transaction(() => {
      survivor.registry.unlinkLocked(this.segment);
      return 0;
    });
    assert.deepEqual(survivor.usage(), this.usage, `nothing leaked ${where}`);
  }
}

interface Operation {
  readonly name: string;
  /** Before the victim's writes are counted. */
  readonly prepare?: (scene: Scene) => void;
  readonly run: (scene: Scene) => void;
  /** After the burial. */
  readonly check?: (scene: Scene, died: boolean, where: string) => void;
}

const readEnd = ({ victimEnds }: Scene): number => (victimEnds[0] as Opened).descriptor;
const writeEnd = ({ victimEnds }: Scene): number => (victimEnds[1] as Opened).descriptor;

function attachSegment({ victim, segment }: Scene): Description {
  return victim.transaction(() => victim.attachSegmentLocked(segment, 0)) as Description;
}

const capacityIs =
  (...allowed: number[]) =>
  ({ pipe }: Scene, died: boolean, where: string): void => {
    assert.ok(allowed.includes(pipe.capacity), `${pipe.capacity} bytes ${where}`);
    if (!died) assert.equal(pipe.capacity, allowed.at(-1), where);
  };

const operations: Operation[] = [
  {
    name: "giving a pipe more room",
    run: (scene) => void scene.victim.resizePipe(scene.pipeIndex, 256),
    check: capacityIs(LIMIT_BYTES, 256),
  },
  {
    name: "giving a pipe less room",
    prepare: ({ survivor, pipeIndex }) => void survivor.resizePipe(pipeIndex, 256),
    run: (scene) => void scene.victim.resizePipe(scene.pipeIndex, 16),
    check: capacityIs(256, LIMIT_BYTES),
  },
  {
    name: "giving a pipe less room than its bytes need",
    run: (scene) => void scene.victim.resizePipe(scene.pipeIndex, 8),
    check: capacityIs(LIMIT_BYTES),
  },
  {
    name: "resizing a pipe twice",
    run: (scene) => {
      scene.victim.resizePipe(scene.pipeIndex, 256);
      scene.victim.resizePipe(scene.pipeIndex, 32);
    },
    check: capacityIs(LIMIT_BYTES, 256, 32),
  },
  {
    name: "duplicating descriptors and closing some",
    run: (scene) => {
      const { victim } = scene;
      const second = victim.duplicate(readEnd(scene), 0, false);
      const third = victim.duplicate(writeEnd(scene), 10, true);
      victim.close(writeEnd(scene));
      victim.close(second);
      victim.close(third);
    },
  },
  {
    name: "duplicating to a free descriptor, a taken one and one of the host's",
    run: (scene) => {
      const { victim } = scene;
      victim.duplicateTo(readEnd(scene), 12, false);
      victim.duplicateTo(readEnd(scene), writeEnd(scene), false);
      victim.duplicateTo(12, 0, true);
      victim.duplicateTo(1, 12, true);
    },
  },
  {
    name: "attaching a segment twice and detaching it once",
    run: (scene) => {
      const first = attachSegment(scene);
      attachSegment(scene);
      scene.victim.detachSegment(first);
    },
  },
  {
    name: "using a SysV queue, sending and receiving",
    run: ({ victim, queue }) => {
      victim.sysv.useQueue(queue);
      const ring = victim.ringOf(queue);
      ring.tryAppend(bytes("bye"), 9);
      assert.ok([3, EAGAIN].includes(ring.tryTakeSelected({ kind: 1, low: 9, high: 0 }, new Uint8Array(9), false)));
    },
    check: ({ survivor, queue }) => {
      const ring = survivor.ringOf(queue);
      ring.tryTakeSelected({ kind: 1, low: 9, high: 0 }, new Uint8Array(9), false);
    },
  },
  {
    name: "removing a SysV queue that others use",
    run: ({ victim, queue }) => removeQueue(victim, queue),
    check: (scene, died, where) => {
      if (!died) assert.ok(!scene.queueStands, where);
      if (scene.queueStands) return;
      const ring = scene.survivor.ringOf(scene.queue);
      assert.equal(ring.tryAppend(bytes("late"), 1), EIDRM, where);
      assert.equal(ring.tryTake(new Uint8Array(64)), EIDRM, where);
      assert.ok(ring.filled.ready(1) && ring.vacant.ready(1), `whoever waits looks ${where}`);
      assert.equal(scene.survivor.registry.findLocked({ kind: kinds.SYSV_QUEUE, key: 5 }), -1, where);
    },
  },
  {
    name: "removing a SysV queue that grew while others use it, after using it",
    prepare: ({ survivor, queue }) => {
      for (let i = 0; i < 12; i++) survivor.ringOf(queue).tryAppend(bytes("x"), 2);
      for (let i = 0; i < 12; i++)
        survivor.ringOf(queue).tryTakeSelected({ kind: 1, low: 2, high: 0 }, bytes("y"), true);
    },
    run: ({ victim, queue }) => {
      victim.sysv.useQueue(queue);
      removeQueue(victim, queue);
      victim.sysv.forgetRemoved();
    },
  },
  {
    name: "making and removing a SysV queue that nobody uses",
    run: ({ victim }) => {
      const making = makingQueue(victim.words, shape, MODE);
      removeQueue(victim, victim.create({ kind: kinds.SYSV_QUEUE, key: 6 }, making));
    },
    // A queue outlives its maker: where it was made and not removed, the survivor removes it.
    check: ({ survivor }) => {
      const index = survivor.registry.findLocked({ kind: kinds.SYSV_QUEUE, key: 6 });
      if (index >= 0) removeQueue(survivor, index);
    },
  },
  { name: "detaching with all of that open", prepare: (scene) => openAll(scene), run: ({ victim }) => victim.detach() },
];

function openAll(scene: Scene): void {
  attachSegment(scene);
  scene.victim.sysv.useQueue(scene.queue);
  scene.victim.duplicateTo(readEnd(scene), 14, false);
}

function sceneWithDeath(operation: Operation, writes: number): { scene: Scene; died: boolean } {
  const scene = new Scene();
  operation.prepare?.(scene);
  scene.words.writesLeft = writes;
  const died = dies(() => operation.run(scene));
  return { scene, died };
}

for (const operation of operations) {
  test(`a death after any write of ${operation.name} leaves all or nothing, and leaks nothing`, () => {
    for (let writes = 0; ; writes++) {
      const where = `after ${writes} writes of ${operation.name}`;
      const { scene, died } = sceneWithDeath(operation, writes);
      scene.bury();
      operation.check?.(scene, died, where);
      scene.checkAndEnd(where);
      if (!died) break;
    }
  });

  test(`a death after ${operation.name} whose undertaker dies too, after any write, leaks nothing either`, () => {
    for (let writes = 0; ; writes += 7) {
      let died = false;
      for (let second = 0, goesOn = true; goesOn; second++) {
        const made = sceneWithDeath(operation, writes);
        died = made.died;
        goesOn = undertakerDies(made.scene, second);
        made.scene.bury();
        operation.check?.(made.scene, died, `after ${writes} and ${second} writes`);
        made.scene.checkAndEnd(`after ${writes} and ${second} writes of ${operation.name}`);
      }
      if (!died) break;
    }
  });
}

/** Lets tasks wait for a pipe: a node of another task's, in a state, and behind it one of the survivor's. */
function sceneWithWaiters(state: number): { scene: Scene; waiting: System; at: Node; behind: Node } {
  const scene = new Scene();
  const { survivor, victim, pipe } = scene;
  drainPipe(pipe);
  for (const end of scene.victimEnds) victim.close(end.descriptor);
  const waiting = scene.machine.attach();
  const [at, behind] = [waiting.nodes.claim() as Node, survivor.nodes.claim() as Node];
  pipe.readable.monitor.enlist(at, state, state === POLLED ? 0 : 1, () => false);
  pipe.readable.monitor.enlist(behind, WAITING, 1, () => false);
  return { scene, waiting, at, behind };
}

/** Interrupts, dying after so many writes; returns whether it died. */
function interruptAndDie({ machine, words, victim, survivor }: Scene, pid: number, writes: number): boolean {
  words.writesLeft = writes;
  const died = dies(() => assert.ok(victim.interrupt(pid)));
  machine.kill(victim.world);
  survivor.reap();
  return died;
}

test("a death after any write of interrupting a task that sleeps leaves it interrupted, or in its place", () => {
  for (let writes = 0; ; writes++) {
    const where = `after ${writes} writes`;
    const { scene, waiting, at, behind } = sceneWithWaiters(WAITING);
    const { survivor, pipe } = scene;
    const died = interruptAndDie(scene, waiting.pid, writes);
    const found = survivor.words.load(stateOf(at));
    assert.ok([WAITING, INTERRUPTED].includes(found), `state ${found} ${where}`);
    if (!died) assert.equal(found, INTERRUPTED);
    const woken = [at, behind].filter((one) => !isTakenOut(survivor.words.load(stateOf(one))));
    for (const one of woken) {
      pipe.tryWrite(bytes("x"), 0, 1, true);
      assert.equal(survivor.words.load(stateOf(one)), WOKEN, `who still waits is woken in order ${where}`);
    }
    assert.equal(pipe.readable.monitor.delist(at), woken.includes(at) ? WOKEN : INTERRUPTED);
    assert.equal(pipe.readable.monitor.delist(behind), WOKEN);
    if (!died) break;
  }
});

test("a death after any write of interrupting a task that polls leaves it interrupted or not, and in its lists", () => {
  for (let writes = 0; ; writes++) {
    const { scene, waiting, at, behind } = sceneWithWaiters(POLLED);
    beginPoll(waiting, 1);
    const died = interruptAndDie(scene, waiting.pid, writes);
    assert.equal(scene.survivor.words.load(stateOf(at)), POLLED);
    scene.pipe.tryWrite(bytes("x"), 0, 1, true);
    for (const one of [at, behind])
      assert.equal(scene.pipe.readable.monitor.delist(one), WOKEN, `after ${writes} writes`);
    const interrupted = endPoll(waiting);
    assert.ok(!endPoll(waiting), "it is told once");
    if (died) continue;
    assert.ok(interrupted);
    break;
  }
});

test("a segment's times and pid are of the last attach or detach that stands", () => {
  const scene = new Scene();
  const description = attachSegment(scene);
  const seen = scene.survivor.segmentOf(scene.segment);
  assert.deepEqual([seen.attached, seen.lastPid], [1, scene.victim.pid]);
  assert.deepEqual(scene.survivor.attachedTo(scene.segment), [scene.victim.pid]);
  scene.victim.detachSegment(description);
  assert.equal(seen.attached, 0);
  const body = (scene.survivor.registry.bodyLineOf(scene.segment) * LINE_WORDS) as Word;
  assert.equal(scene.survivor.words.load(field(body, segment.ATTACHED)), 0);
});

test("a task that inherits more descriptors than one transaction holds dies at any write, and leaks nothing", () => {
  for (let writes = 0; ; writes += 5) {
    const scene = new Scene();
    const { survivor } = scene;
    for (let i = 0; i < 9; i++) assert.ok(survivor.duplicate((scene.ends[i % 2] as Opened).descriptor, 3, i === 4) > 0);
    const words = new MortalWords(scene.machine.buffer);
    const world = scene.machine.world();
    words.writesLeft = writes;
    const died = dies(() => {
      const child = scene.machine.attach(words, world, { parentPid: survivor.pid, inherit: true });
      assert.equal(child.descriptors.openOf(child.geometry.tasks as Word).length > 0, true);
      child.detach();
    });
    scene.machine.kill(world);
    for (let i = 5; i < 14; i++) survivor.close(i);
    scene.bury();
    scene.checkAndEnd(`after ${writes} writes`);
    if (!died) break;
  }
});
