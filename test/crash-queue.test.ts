// Taking out of order, closing holes and growing, stopped after the n-th write, for every n. A task does some steps on a queue
// and dies in one of them; another dies in the repair, after any write too; the last then finds the messages as they were
// before or after the step that was cut off, in their order, with room for as many as there should be.

import assert from "node:assert/strict";
import { test } from "node:test";
import { EAGAIN } from "../src/abi/errno.ts";
import { makingQueue } from "../src/kernel/making.ts";
import type { System } from "../src/kernel/system.ts";
import { kinds } from "../src/memory/layout.ts";
import { Words } from "../src/memory/words.ts";
import type { MessageRing, QueueShape } from "../src/objects/message-ring.ts";
import { Machine } from "./crash-fixture.ts";
import { inMachineCode } from "./machine/interpreted-words.ts";
import { dies, MortalWords } from "./memory-fixture.ts";
import { letter, lettersIn, QueueModel, runOnRing, type Step, send, take, urgent } from "./queue-model.ts";

interface Plan {
  readonly name: string;
  readonly shape: QueueShape;
  /** What is done before. */
  readonly before: readonly Step[];
  /** What the task does that dies. */
  readonly steps: readonly Step[];
  /** What the second one does, and dies: it repairs first. */
  readonly second?: Step;
}

const shallow = { depth: 6, bytesMax: 0, messageBytesMax: 64 };
const full = { depth: 8, bytesMax: 0, messageBytesMax: 64 };
const counted = { depth: 1000, bytesMax: 1000, messageBytesMax: 64 };
const sends = (count: number, from = 1): Step[] =>
  Array.from({ length: count }, (_, i) => send(`m${from + i}`, from + i));

const plans: Plan[] = [
  {
    name: "sending one after another, and a batch",
    shape: full,
    before: [...sends(6), take(0), take(0), take(0)],
    steps: [send("m7", 7), { do: "sendMany", letters: ["a", "b", "c"].map((text) => letter(text, 8)) }],
    second: send("then", 9),
  },
  {
    name: "taking by type from the middle",
    shape: shallow,
    before: sends(4),
    steps: [take(2), take(3)],
  },
  {
    name: "taking the first and skipping the holes behind it",
    shape: shallow,
    before: [...sends(5), take(2), take(3)],
    steps: [take(1), take(4)],
  },
  {
    name: "taking all but one type, and the lowest type",
    shape: shallow,
    before: [send("a", 5), send("b", 4), send("c", 3), send("d", 5)],
    steps: [take(5, true), take(-4), take(0)],
  },
  {
    name: "taking by priority",
    shape: shallow,
    before: [send("a", 1, 1), send("b", 1, 3), send("c", 1, 2), send("d", 1, 3)],
    steps: [urgent, urgent, send("e", 1, 3), urgent],
    second: urgent,
  },
  {
    name: "taking a batch by priority",
    shape: shallow,
    before: [send("a", 1, 1), send("b", 1, 3), send("c", 1, 2)],
    steps: [urgent, urgent, urgent],
    second: { do: "many", max: 1 },
  },
  {
    name: "closing holes in a queue without a slot to spare",
    shape: full,
    before: sends(8),
    steps: [take(4), take(7), take(3)],
  },
  {
    name: "closing holes where the most urgent lies behind",
    shape: { ...full, depth: 4 },
    before: [send("a", 1, 1), send("b", 1, 9), send("c", 1, 9), send("d", 1, 5)],
    steps: [urgent, urgent],
    second: urgent,
  },
  {
    name: "closing many holes of a queue whose bytes are counted",
    shape: counted,
    before: [...sends(8), ...[3, 4, 5, 6, 7].map((type) => take(type)), ...sends(5, 9)],
    steps: [take(8), take(9), take(10), take(11)],
  },
  {
    name: "taking from a queue whose bytes are counted, in order and not",
    shape: counted,
    before: [send("four", 1), send("fifty", 2), send("sixsix", 3)],
    steps: [take(2), take(0)],
  },
  {
    name: "growing a queue whose bytes are counted",
    shape: counted,
    before: sends(8),
    steps: [send("m9", 9), send("m10", 10)],
    second: send("then", 11),
  },
  {
    name: "growing a queue that has holes",
    shape: counted,
    before: [...sends(8), take(2), take(5), ...sends(2, 9)],
    steps: [send("m11", 11), take(9)],
    second: send("then", 12),
  },
];

const SYSV = { kind: kinds.SYSV_QUEUE, key: 7 };
const fill = letter("fill", 99);

class Run {
  readonly machine = new Machine();
  readonly survivor: System;
  readonly model: QueueModel;
  readonly objectIndex: number;
  /** What the kernel used before there was a queue. */
  readonly usage: ReturnType<System["usage"]>;
  readonly Mortal: typeof MortalWords;
  readonly #plan: Plan;

  constructor(plan: Plan, Mortal = MortalWords) {
    this.Mortal = Mortal;
    this.#plan = plan;
    this.survivor = this.machine.attach();
    this.usage = this.survivor.usage();
    this.model = new QueueModel(plan.shape);
    this.objectIndex = this.survivor.create(SYSV, makingQueue(this.survivor.words, plan.shape, 0o600));
    const ring = this.ringOf(this.survivor);
    for (const step of plan.before) assert.deepEqual(runOnRing(ring, step), this.model.run(step));
  }

  ringOf(system: System): MessageRing {
    assert.equal(system.sysv.useQueue(this.objectIndex), 0);
    return system.ringOf(this.objectIndex);
  }

  /** A task does `steps` and dies after so many writes; returns what may be left, and whether it died. */
  mortal(steps: readonly Step[], writes: number, from: QueueModel): { states: QueueModel[]; died: boolean } {
    const words = new this.Mortal(this.machine.buffer);
    const world = this.machine.world();
    const ring = this.ringOf(this.machine.attach(words, world));
    const states = [from.copy()];
    words.writesLeft = writes;
    const died = dies(() => {
      for (const step of steps) {
        const model = (states.at(-1) as QueueModel).copy();
        const outcome = model.run(step);
        states.push(model); // what is under way may have happened, or not
        assert.deepEqual(runOnRing(ring, step), outcome);
        states.splice(0, states.length - 1); // it has
      }
    });
    this.machine.kill(world);
    return { states, died };
  }

  /** The survivor goes on: it finds one of the states, with room for what is missing, and everything is given back. */
  check(states: readonly QueueModel[], where: string): QueueModel {
    const ring = this.ringOf(this.survivor);
    const found = lettersIn(ring);
    const state = states.find(({ letters }) => JSON.stringify(letters) === JSON.stringify(found)) as QueueModel;
    assert.ok(state, `the queue holds ${JSON.stringify(found)} ${where}`);
    assert.equal(ring.length, state.letters.length, `length ${where}`);
    if (this.#plan.shape.bytesMax > 0) assert.equal(ring.lengthBytes, state.lengthBytes, `lengthBytes ${where}`);
    for (let i = 0; i < 20; i++) {
      const step: Step = { do: "send", letter: fill };
      assert.equal(runOnRing(ring, step), state.run(step), `room for another ${i} ${where}`);
    }
    for (let left = state.letters.length; left >= 0; left--) {
      assert.deepEqual(runOnRing(ring, urgent), state.run(urgent), `the messages in their order ${where}`);
    }
    assert.equal(runOnRing(ring, urgent), EAGAIN);
    return state;
  }

  /** The queue is removed: nothing is left of it. */
  end(where: string): void {
    const { survivor } = this;
    survivor.reap();
    let announce = (): void => {};
    const removed = survivor.transaction(
      () => {
        announce = survivor.sysv.removeQueueLocked(this.objectIndex);
        return 0;
      },
      () => announce(),
    );
    assert.equal(removed, 0);
    survivor.sysv.forgetRemoved();
    assert.deepEqual(survivor.usage(), this.usage, `nothing leaked ${where}`);
  }
}

const ways = [
  ["", MortalWords],
  [" in machine code", inMachineCode(MortalWords)],
] as const;

for (const [plan, how, Mortal] of plans.flatMap((plan) => ways.map((way) => [plan, ...way] as const))) {
  test(`a death after any write of ${plan.name}${how} loses no message, delivers none twice and keeps the order`, () => {
    let points = 0;
    for (let writes = 0; ; writes++, points++) {
      const where = `after ${writes} writes of ${plan.name}`;
      const run = new Run(plan, Mortal);
      const { states, died } = run.mortal(plan.steps, writes, run.model);
      run.check(states, where);
      run.end(where);
      if (!died) break;
    }
    assert.ok(points > 5);
  });

  test(`a death in the repair after ${plan.name}${how}, after any write, is repaired by a third`, () => {
    for (let writes = 0; ; writes += 3) {
      let firstDied = false;
      for (let second = 0; ; second++) {
        const run = new Run(plan, Mortal);
        const first = run.mortal(plan.steps, writes, run.model);
        firstDied = first.died;
        const died = checkSecond(
          run,
          first.states,
          plan.second ?? take(0),
          second,
          `after ${writes} and ${second} writes`,
        );
        if (!died) break;
      }
      if (!firstDied) break;
    }
  });
}

/** A second task goes on from one of `states`, and dies too. */
function checkSecond(run: Run, states: readonly QueueModel[], step: Step, writes: number, where: string): boolean {
  const words = new run.Mortal(run.machine.buffer);
  const world = run.machine.world();
  const ring = run.ringOf(run.machine.attach(words, world));
  words.writesLeft = writes;
  let outcome: unknown;
  const died = dies(() => {
    outcome = runOnRing(ring, step);
  });
  run.machine.kill(world);
  const after = states.map((state) => {
    const model = state.copy();
    return { model, outcome: model.run(step) };
  });
  // What it was told stands; where it was told nothing, the step happened or not.
  const told = after.filter((one) => JSON.stringify(one.outcome) === JSON.stringify(outcome)).map(({ model }) => model);
  assert.ok(died || told.length > 0, `was given ${JSON.stringify(outcome)} ${where}`);
  const allowed = died ? [...states, ...after.map(({ model }) => model)] : told;
  run.check(
    allowed.map((model) => model.copy()),
    where,
  );
  run.end(where);
  return died;
}

test("a sender that comes after a receiver died while it closed holes writes over no message", () => {
  for (let writes = 0; ; writes++) {
    const plan: Plan = { name: "", shape: full, before: sends(8), steps: [take(4)] };
    const run = new Run(plan);
    const { states, died } = run.mortal(plan.steps, writes, run.model);
    const sender = run.ringOf(run.machine.attach());
    const sent = sender.tryAppend(new TextEncoder().encode("fill"), 99);
    const after = states.filter(({ letters }) => letters.length === (sent === 0 ? 7 : 8));
    if (sent === 0) for (const state of after) state.letters.push(fill);
    // A message that was taken, but whose room was not given yet, is gone all the same.
    run.check(sent === 0 ? after : states, `after ${writes} writes`);
    if (!died) break;
  }
});

test("the reaper, who knows no queue, leaves the repair of one to the next who uses it", () => {
  for (let writes = 0; ; writes++) {
    const plan: Plan = { name: "", shape: shallow, before: sends(6), steps: [take(1), take(3)] };
    const run = new Run(plan);
    const waiter = run.machine.world();
    const waiting = run.machine.attach(new Words(run.machine.buffer), waiter);
    const ring = run.ringOf(waiting);
    const at = waiting.nodes.claim();
    ring.vacant.monitor.enlist(at as never, 1, 1, () => false);
    const { states, died } = run.mortal(plan.steps, writes, run.model);
    run.machine.kill(waiter); // its burial takes the queue's lock over from the dead receiver
    run.survivor.reap();
    run.check(states, `after ${writes} writes`);
    run.end(`after ${writes} writes`);
    if (!died) break;
  }
});
