// Queues against a plain array: random sends, takes and looks, on rings whose positions begin anywhere, also where they wrap.
// A failure prints the seed and the shortest plan that fails; SEED=… runs it again.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { makingQueue } from "../src/kernel/making.ts";
import type { System } from "../src/kernel/system.ts";
import { kinds, monitor, queue } from "../src/memory/layout.ts";
import { field, LINE_WORDS, type Word, Words } from "../src/memory/words.ts";
import { freshRules, MessageRing, type QueueShape } from "../src/objects/message-ring.ts";
import { Machine } from "./crash-fixture.ts";
import { type Letter, lettersIn, QueueModel, runOnRing, type Step } from "./queue-model.ts";

const seed = Number(process.env.SEED ?? Date.now() | 0);
const MESSAGE_BYTES_MAX = 64;

/** What a ring's counters hold after so many messages were sent and taken. */
function startAt(system: System, bodyLine: number, position: number): void {
  const body = (bodyLine * LINE_WORDS) as Word;
  const set = (name: number): void => system.words.set(field(body, name), position);
  for (const side of [queue.PRODUCER, queue.CONSUMER]) {
    set(side + monitor.POSITION);
    set(side + monitor.CACHED_OPPOSITE);
  }
  set(queue.HEAD);
  set(queue.MIXED_AT);
}

function makeRing(shape: QueueShape, position: number): { system: System; ring: MessageRing } {
  const system = new Machine().attach();
  const kind = shape.bytesMax > 0 ? kinds.SYSV_QUEUE : kinds.QUEUE;
  const index = system.create({ kind, persistent: true }, makingQueue(system.words, shape, 0o600));
  const bodyLine = system.registry.bodyLineOf(index);
  startAt(system, bodyLine, position);
  return { system, ring: new MessageRing(system, bodyLine) };
}

const positions = fc.oneof(
  fc.integer({ min: -40, max: 40 }),
  fc.integer({ min: -40, max: 40 }).map((near) => (2 ** 31 + near) | 0),
  fc.integer(),
);
const lengths = fc.oneof(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: MESSAGE_BYTES_MAX }));
const types = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 4 }) },
  { weight: 1, arbitrary: fc.constantFrom(2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1) },
);
const letters = (priorities: number): fc.Arbitrary<Letter> =>
  fc
    .tuple(lengths, fc.nat(25), types, fc.integer({ min: 0, max: priorities }))
    .map(([length, which, type, priority]) => ({
      text: String.fromCharCode(97 + which).repeat(length),
      type,
      priority,
    }));

const steps = (priorities: number): fc.Arbitrary<Step> => {
  const one = letters(priorities);
  const alike = fc.tuple(one, fc.array(lengths, { maxLength: 5 }));
  return fc.oneof(
    { weight: 8, arbitrary: one.map((some): Step => ({ do: "send", letter: some })) },
    {
      weight: 1,
      arbitrary: alike.map(([first, others]): Step => {
        const rest = others.map((length) => ({ ...first, text: "z".repeat(length) }));
        return { do: "sendMany", letters: [first, ...rest] };
      }),
    },
    {
      weight: 4,
      arbitrary: fc.tuple(types, fc.boolean()).map(([type, except]): Step => ({ do: "take", type, except })),
    },
    { weight: 2, arbitrary: types.map((type): Step => ({ do: "take", type: -type })) },
    { weight: 1, arbitrary: fc.constant<Step>({ do: "take", type: 0 }) },
    { weight: 1, arbitrary: types.map((type): Step => ({ do: "take", type, keep: true })) },
    { weight: 3, arbitrary: fc.constant<Step>({ do: "urgent" }) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 6 }).map((max): Step => ({ do: "many", max })) },
    { weight: 2, arbitrary: fc.nat(12).map((index): Step => ({ do: "peek", index })) },
  );
};

const shapes: fc.Arbitrary<QueueShape> = fc.oneof(
  fc.integer({ min: 1, max: 9 }).map((depth) => ({ depth, bytesMax: 0, messageBytesMax: MESSAGE_BYTES_MAX })),
  fc
    .record({ depth: fc.integer({ min: 1, max: 60 }), bytesMax: fc.integer({ min: 1, max: 400 }) })
    .map((bounds) => ({ ...bounds, messageBytesMax: MESSAGE_BYTES_MAX })),
);

function check(ring: MessageRing, model: QueueModel, step: Step, at: string): void {
  assert.deepEqual(runOnRing(ring, step), model.run(step), `${JSON.stringify(step)} ${at}`);
  assert.equal(ring.length, model.letters.length, `length ${at}`);
  if (model.shape.bytesMax > 0) assert.equal(ring.lengthBytes, model.lengthBytes, `lengthBytes ${at}`);
}

test("a queue does what a plain array does: results, order, length and bytes, wherever its positions begin", () => {
  const runs = fc.record({
    shape: shapes,
    position: positions,
    plan: fc.nat(2).chain((priorities) => fc.array(steps(priorities), { minLength: 20, maxLength: 150 })),
  });
  fc.assert(
    fc.property(runs, ({ shape, position, plan }) => {
      const { ring } = makeRing(shape, position);
      const model = new QueueModel(shape);
      plan.forEach((step, i) => {
        check(ring, model, step, `at step ${i}`);
      });
      assert.deepEqual(lettersIn(ring), model.letters, "what is left, in its order");
      assert.equal(ring.sumBytes(), model.lengthBytes, "the bytes, one by one");
    }),
    { seed, includeErrorInReport: true, numRuns: 1000 },
  );
});

test("a hole never blocks a sender: whatever is taken from the middle, there is room again at once", () => {
  const runs = fc.record({
    depth: fc.integer({ min: 2, max: 17 }),
    position: positions,
    picks: fc.array(fc.nat(16), { maxLength: 120 }),
  });
  fc.assert(
    fc.property(runs, ({ depth, position, picks }) => {
      const shape = { depth, bytesMax: 0, messageBytesMax: MESSAGE_BYTES_MAX };
      const { ring } = makeRing(shape, position);
      const model = new QueueModel(shape);
      let type = 1;
      const fill = (): void => {
        while (model.letters.length < depth) check(ring, model, sending(type++), "with room");
        check(ring, model, sending(1), "when full");
      };
      fill();
      for (const pick of picks) {
        const picked = model.letters[pick % depth] as Letter;
        check(ring, model, { do: "take", type: picked.type }, "in the middle");
        fill();
      }
    }),
    { seed, includeErrorInReport: true, numRuns: 400 },
  );
});

const sending = (type: number): Step => ({ do: "send", letter: { text: `m${type}`, type, priority: 0 } });

function setRules(system: System, ring: MessageRing, bounds: { bytesMax: number; depth: number }): void {
  system.transaction(() => {
    system.journal.write(ring.word(queue.BYTES_MAX), bounds.bytesMax);
    system.journal.write(ring.word(queue.DEPTH), bounds.depth);
    system.journal.write(ring.word(queue.RULES), freshRules(system.words));
    return 0;
  });
}

test("where its rules change, a queue of counted bytes keeps its messages, and obeys from then on", () => {
  const runs = fc.record({
    position: positions,
    plan: fc.array(fc.oneof(steps(0), fc.integer({ min: 0, max: 400 })), { minLength: 20, maxLength: 150 }),
  });
  fc.assert(
    fc.property(runs, ({ position, plan }) => {
      const shape = { depth: 100, bytesMax: 100, messageBytesMax: MESSAGE_BYTES_MAX };
      const { system, ring } = makeRing(shape, position);
      let model = new QueueModel(shape);
      plan.forEach((step, i) => {
        if (typeof step !== "number") {
          check(ring, model, step, `at step ${i}`);
          return;
        }
        const bounds = { bytesMax: Math.max(1, step), depth: step };
        model = new QueueModel({ ...shape, ...bounds }, model.letters);
        setRules(system, ring, bounds);
      });
      assert.deepEqual(lettersIn(ring), model.letters);
    }),
    { seed, includeErrorInReport: true, numRuns: 400 },
  );
});

test("holes from a time when few messages were allowed leave room for many", () => {
  for (let holes = 1; holes < 40; holes++) {
    const shape = { depth: 2, bytesMax: 100, messageBytesMax: MESSAGE_BYTES_MAX };
    const { system, ring } = makeRing(shape, 0);
    const few = new QueueModel(shape);
    check(ring, few, sending(1), "first");
    for (let i = 0; i < holes; i++) {
      check(ring, few, sending(2), "behind it");
      check(ring, few, { do: "take", type: 2 }, "behind it");
    }
    const rules = { depth: 100, bytesMax: 1000 };
    setRules(system, ring, rules);
    const many = new QueueModel({ ...shape, ...rules }, few.letters);
    for (let i = 0; i < 40; i++) check(ring, many, sending(3 + i), `another ${i} after ${holes} holes`);
    assert.deepEqual(lettersIn(ring), many.letters, `after ${holes} holes`);
  }
});

/** Words that count how often they are looked at. */
class CountingWords extends Words {
  looks = 0;

  override load(word: Word): number {
    this.looks++;
    return super.load(word);
  }

  override get(word: Word): number {
    this.looks++;
    return super.get(word);
  }
}

test("priorities of long ago cost nothing: a receive looks at as few words after 2^31 messages as at first", () => {
  const shape = { depth: 64, bytesMax: 0, messageBytesMax: 8 };
  const looksAt = (position: number): number => {
    const machine = new Machine();
    const words = new CountingWords(machine.buffer);
    const system = machine.attach(words);
    const index = system.create({ kind: kinds.QUEUE, persistent: true }, makingQueue(words, shape, 0o600));
    startAt(system, system.registry.bodyLineOf(index), position);
    const ring = system.ringOf(index);
    words.set(ring.word(queue.MIXED_AT), 0); // the last message of another priority was the first one
    words.set(ring.word(queue.MIXED_UNTIL), 0);
    for (let i = 0; i < 64; i++) ring.tryAppend(new Uint8Array(8), 1);
    words.looks = 0;
    assert.equal(ring.tryTake(new Uint8Array(8)), 8);
    return words.looks;
  };
  const first = looksAt(1);
  for (const position of [2 ** 31 - 100, -(2 ** 31), -1000, -100]) assert.equal(looksAt(position), first);
});
