// The two sets of a queue's steps do the same, word for word: from any state of a queue, whole or damaged.

import assert from "node:assert/strict";
import { test } from "node:test";
import { message, monitor, queue } from "../src/memory/layout.ts";
import { allocateMemory, machineCodeOf } from "../src/memory/machine-code.ts";
import { PlainQueueSteps } from "../src/memory/plain-queue-steps.ts";
import { CONTENDED, EMPTY, LOCKED, type QueueSteps, sentAs } from "../src/memory/queue-steps.ts";
import { field, type Word, Words } from "../src/memory/words.ts";
import { Random } from "./random.ts";

const OPERATIONS = 30_000;
const seed = Number(process.env.STEPS_SEED ?? Date.now() % 1_000_000);
const MEMORY_BYTES = 65_536;
const body = 1024 as Word;
const first = 2048 as Word;
const PID = 5;
const ANOTHER_PID = 6;
const RULES = 3;
const DATA_WORDS = 16;
const stride = message.DATA + DATA_WORDS;

const producerLock = field(body, queue.PRODUCER + monitor.LOCK);
const tailWord = field(body, queue.PRODUCER + monitor.POSITION);
const cachedTaken = field(body, queue.PRODUCER + monitor.CACHED_OPPOSITE);
const consumerLock = field(body, queue.CONSUMER + monitor.LOCK);
const takenWord = field(body, queue.CONSUMER + monitor.POSITION);

/** A memory with both sets of steps; what is done is done to two of them. */
function memory(): { words: Words; machine: QueueSteps; plain: QueueSteps } {
  const shared = allocateMemory(MEMORY_BYTES);
  assert.ok(shared);
  const words = new Words(shared.buffer);
  const code = machineCodeOf(shared);
  assert.ok(code);
  return { words, machine: code.queueSteps, plain: new PlainQueueSteps(words) };
}

/** Anything that a word may hold, mostly what leads somewhere. */
function scatter(random: Random, words: Words, slots: number): void {
  const position = random.pick([0, 1, slots - 1, slots, 0x3fffffff, 0x7fffffff, -1, -0x80000000, random.below(1000)]);
  const length = random.pick([0, 0, 1, slots - 1, slots, -1]);
  const tail = (position + length) | 0;
  words.set(tailWord, tail);
  words.set(takenWord, position);
  words.set(cachedTaken, random.pick([position, position, (position - 1) | 0, tail, random.below(100)]));
  words.set(producerLock, random.pick([0, 0, 0, ANOTHER_PID, PID, 1 << 29]));
  words.set(consumerLock, random.pick([0, 0, 0, ANOTHER_PID, PID, 1 << 29]));
  words.set(field(body, queue.RULES), random.pick([RULES, RULES, RULES, RULES + 1]));
  words.set(field(body, queue.LAST_PRIORITY), random.pick([0, 0, 0, 7]));
  words.set(field(body, queue.MIXED), random.pick([0, 0, 0, 1]));
  words.set(field(body, queue.RESERVED_MESSAGE), random.pick([0, 0, 0, ANOTHER_PID]));
  for (let i = 0; i < slots; i++) {
    const at = (position + i) | 0;
    const sent = random.pick([sentAs(at), sentAs(at), 0, sentAs((at - slots) | 0)]);
    words.set(field(first, (at & (slots - 1)) * stride + message.SENT), sent);
  }
}

function step(random: Random, slots: number): (steps: QueueSteps) => number {
  const mask = slots - 1;
  const turns = 1 + random.below(3);
  const [length, type, priority] = [random.below(64), random.pick([1, -1, 0x7fffffff]), random.pick([0, 0, 7])];
  const index = random.below(slots);
  switch (random.below(5)) {
    case 0:
      return ({ claimSlot }) => claimSlot(body, PID, RULES, slots, first, mask, stride, length, type, -type, priority);
    case 1:
      return ({ publishSlot }) => publishSlot(body, PID, field(first, index * stride));
    case 2:
      return ({ claimMessage }) => claimMessage(body, PID, RULES, first, mask, stride);
    case 3:
      return ({ releaseMessage }) => releaseMessage(body, PID);
    default:
      return ({ awaitMessage }) => awaitMessage(body, PID, RULES, first, mask, stride, turns);
  }
}

test(`machine steps leave what plain ones leave, and answer the same (STEPS_SEED=${seed})`, () => {
  const random = new Random(seed);
  const one = memory();
  const other = memory();
  const answers = new Set<number>();
  for (let i = 0; i < OPERATIONS; i++) {
    const slots = 2 ** random.below(4);
    scatter(random, one.words, slots);
    other.words.bytes.set(one.words.bytes);
    const run = step(random, slots);
    const answer = run(one.machine);
    assert.equal(run(other.plain), answer, `operation ${i}: ${run}`);
    assert.deepEqual(one.words.int32, other.words.int32, `operation ${i}: ${run}`);
    answers.add(answer);
  }
  for (const answer of [LOCKED, CONTENDED, EMPTY, 0, 1]) assert.ok(answers.has(answer), `${answer} was answered, too`);
});
