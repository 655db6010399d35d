// The two sets of a queue's steps do the same, word for word: from any state of a queue, whole or damaged. And so does the interpreter
// by which other tests see each access of the compiled ones.

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { message, monitor, queue } from "../src/memory/layout.ts";
import { allocateMemory, machineCodeOf } from "../src/memory/machine-code.ts";
import { PlainQueueSteps } from "../src/memory/plain-queue-steps.ts";
import {
  CONTENDED,
  EMPTY,
  LOCKED,
  LONG,
  type QueueSteps,
  type StagedSteps,
  sentAs,
  TAKEN_LOCKED,
} from "../src/memory/queue-steps.ts";
import { field, offsetOf, type Word, Words } from "../src/memory/words.ts";
import { CONTESTED } from "../src/sync/robust-lock.ts";
import { codeOver } from "./machine/interpreted-words.ts";
import { Random } from "./random.ts";

const OPERATIONS = 40_000;
const INTERPRETED_OPERATIONS = 10_000;
const seed = Number(process.env.STEPS_SEED ?? Date.now() % 1_000_000);
const MEMORY_BYTES = 65_536;
const body = 1024 as Word;
const first = 2048 as Word;
const PID = 5;
const ANOTHER_PID = 6;
const RULES = 3;
const staged = 512 as Word;
const DATA_WORDS = 32;
const DATA_BYTES = 4 * DATA_WORDS;
const stride = message.DATA + DATA_WORDS;

const producerLock = field(body, queue.PRODUCER + monitor.LOCK);
const tailWord = field(body, queue.PRODUCER + monitor.POSITION);
const cachedTaken = field(body, queue.PRODUCER + monitor.CACHED_OPPOSITE);
const consumerLock = field(body, queue.CONSUMER + monitor.LOCK);
const takenWord = field(body, queue.CONSUMER + monitor.POSITION);

/** What staged steps are made of: the plain ones, with the copy in between. */
function stagedOf(words: Words, plain: QueueSteps): StagedSteps {
  const slotOf = (index: number): Word => field(first, index * stride);
  const copy = (to: Word, from: Word, bytes: number): void => {
    words.bytes.copyWithin(offsetOf(to), offsetOf(from), offsetOf(from) + Math.ceil(bytes / 8) * 8);
  };
  const receive = (index: number, most: number): number => {
    if (index < 0) return index;
    const slot = slotOf(index);
    const length = words.get(field(slot, message.LENGTH));
    if (length >>> 0 > most) return LONG;
    copy(field(staged, message.TYPE), field(slot, message.TYPE), 16);
    copy(field(staged, message.DATA), field(slot, message.DATA), length);
    return plain.releaseMessage(body, PID) === 1 ? length : TAKEN_LOCKED - length;
  };
  /** Whether the first message was sent, whatever else is in the way. */
  const isThere = (mask: number): boolean => {
    const taken = words.get(takenWord);
    return words.get(field(slotOf(taken & mask), message.SENT)) === sentAs(taken);
  };
  return {
    sendStaged: (_, ...claim) => {
      const index = plain.claimSlot(...claim);
      if (index < 0) return index;
      copy(field(slotOf(index), message.DATA), field(staged, message.DATA), claim[7]);
      return plain.publishSlot(body, PID, slotOf(index));
    },
    receiveStaged: (_, ...[queueBody, pid, rules, from, mask, words, most]) =>
      receive(plain.claimMessage(queueBody, pid, rules, from, mask, words), most),
    awaitStaged: (_, ...[queueBody, pid, rules, from, mask, words_, most, , , turns]) => {
      for (let left = turns; left > 0; left--) {
        const index = plain.awaitMessage(queueBody, pid, rules, from, mask, words_, 1);
        if (index === EMPTY) continue;
        if (isThere(mask)) words.set(staged, left);
        return receive(index, most);
      }
      return EMPTY;
    },
    // What is not there when it locks does not come, in a memory of one thread's.
    expectStaged: (_, ...[queueBody, pid, rules, from, mask, words_, most, , , turns]) => {
      const index = plain.claimMessage(queueBody, pid, rules, from, mask, words_);
      if (index >= 0) words.set(staged, turns);
      return receive(index, most);
    },
  };
}

type AllSteps = QueueSteps & StagedSteps;

type Sets = Readonly<Record<"machine" | "plain" | "interpreted", AllSteps>>;

/** A memory with all sets of steps; what is done is done to two of them. */
function memory(): Sets & { words: Words } {
  const shared = allocateMemory(MEMORY_BYTES);
  assert.ok(shared);
  const words = new Words(shared.buffer);
  const code = machineCodeOf(shared);
  assert.ok(code);
  const plain = new PlainQueueSteps(words);
  return {
    words,
    machine: code.queueSteps,
    plain: { ...plain, ...stagedOf(words, plain) },
    interpreted: codeOver(words).queueSteps,
  };
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
  words.set(field(body, queue.RESERVED_ROOM), random.pick([0, 0, 0, ANOTHER_PID]));
  words.set(field(body, queue.MIXED), random.pick([0, 0, 0, 1]));
  words.set(field(body, queue.RESERVED_MESSAGE), random.pick([0, 0, 0, ANOTHER_PID]));
  for (let i = 0; i < slots; i++) {
    const at = (position + i) | 0;
    const sent = random.pick([sentAs(at), sentAs(at), 0, sentAs((at - slots) | 0)]);
    const slot = field(first, (at & (slots - 1)) * stride);
    words.set(field(slot, message.SENT), sent);
    words.set(
      field(slot, message.LENGTH),
      random.pick([0, 1, 8, 63, 64, 65, 128, 129, -1, random.below(DATA_BYTES + 1)]),
    );
    for (let word = 0; word < DATA_WORDS; word++) words.set(field(slot, message.DATA + word), random.below(0x7fffffff));
  }
  for (let word = 0; word < message.DATA + DATA_WORDS; word++) words.set(field(staged, word), random.below(0x7fffffff));
}

function step(random: Random, slots: number): (steps: AllSteps) => number {
  const mask = slots - 1;
  const turns = 1 + random.below(3);
  const [quiet, gap] = [random.pick([0, 1, 5]), random.pick([0, 3])];
  const most = random.pick([0, 7, 64, DATA_BYTES]);
  const [length, type, priority] = [
    random.below(DATA_BYTES + 1),
    random.pick([1, -1, 0x7fffffff]),
    random.pick([0, 0, 7]),
  ];
  const index = random.below(slots);
  switch (random.below(9)) {
    case 0:
      return ({ claimSlot }) => claimSlot(body, PID, RULES, slots, first, mask, stride, length, type, -type, priority);
    case 1:
      return ({ publishSlot }) => publishSlot(body, PID, field(first, index * stride));
    case 2:
      return ({ claimMessage }) => claimMessage(body, PID, RULES, first, mask, stride);
    case 3:
      return ({ releaseMessage }) => releaseMessage(body, PID);
    case 4:
      return ({ awaitMessage }) => awaitMessage(body, PID, RULES, first, mask, stride, turns);
    case 5:
      return ({ sendStaged }) =>
        sendStaged(staged, body, PID, RULES, slots, first, mask, stride, length, type, -type, priority);
    case 6:
      return ({ receiveStaged }) => receiveStaged(staged, body, PID, RULES, first, mask, stride, most);
    case 7:
      return ({ expectStaged }) => expectStaged(staged, body, PID, RULES, first, mask, stride, most, quiet, gap, turns);
    default:
      return ({ awaitStaged }) => awaitStaged(staged, body, PID, RULES, first, mask, stride, most, quiet, gap, turns);
  }
}

/** Does things by one set of steps and by the other, from the same state; what they leave and answer must be the same. */
function compare(one: keyof Sets, other: keyof Sets, operations: number): void {
  const random = new Random(seed);
  const here = memory();
  const there = memory();
  const answers = new Set<number>();
  for (let i = 0; i < operations; i++) {
    const slots = 2 ** random.below(4);
    scatter(random, here.words, slots);
    there.words.bytes.set(here.words.bytes);
    const run = step(random, slots);
    const answer = run(here[one]);
    assert.equal(run(there[other]), answer, `operation ${i}: ${run}`);
    assert.deepEqual(here.words.int32, there.words.int32, `operation ${i}: ${run}`);
    answers.add(answer);
  }
  for (const answer of [LOCKED, CONTENDED, EMPTY, LONG, 0, 1])
    assert.ok(answers.has(answer), `${answer} was answered, too`);
}

test(`machine steps leave what plain ones leave, and answer the same (STEPS_SEED=${seed})`, () => {
  compare("machine", "plain", OPERATIONS);
});

test(`an interpreter of the machine code does what the engine does (STEPS_SEED=${seed})`, () => {
  compare("machine", "interpreted", INTERPRETED_OPERATIONS);
});

/** Between two looks, so that all of them take minutes: the other thread has to start first. */
const LOOK_GAP = 100;

/** Runs in another thread until it has done it: once the lock is held, it says there that it wants it; or it sends a message. */
const others = {
  wants: `Atomics.or(words, ${consumerLock}, ${CONTESTED})`,
  sends: `Atomics.store(words, ${field(first, message.SENT)}, ${sentAs(0)})`,
};

/** What comes of expecting a message of an empty queue for ever, if another thread does that once the lock is held. */
async function expected(other: keyof typeof others): Promise<{ words: Words; answer: number }> {
  const shared = allocateMemory(MEMORY_BYTES);
  const code = shared && machineCodeOf(shared);
  assert.ok(code);
  const words = new Words(shared.buffer);
  words.set(field(body, queue.RULES), RULES);
  words.set(field(first, message.LENGTH), 8);
  const program = `
    const words = new Int32Array(require("node:worker_threads").workerData);
    while (Atomics.load(words, ${consumerLock}) !== ${PID});
    ${others[other]};`;
  const worker = new Worker(program, { eval: true, workerData: shared.buffer });
  const ended = once(worker, "exit");
  const { expectStaged } = code.queueSteps;
  const answer = expectStaged(staged, body, PID, RULES, first, 0, stride, DATA_BYTES, 0, LOOK_GAP, 0x7fffffff);
  await ended;
  return { words, answer };
}

test("who expects a message under the lock leaves when somebody else wants the lock", async () => {
  const { words, answer } = await expected("wants");
  assert.equal(answer, LOCKED);
  assert.equal(words.load(consumerLock), PID | CONTESTED);
});

test("who expects a message under the lock takes it when it comes, and unlocks", async () => {
  const { words, answer } = await expected("sends");
  assert.equal(answer, 8);
  assert.deepEqual([words.load(consumerLock), words.load(takenWord)], [0, 1]);
});
