// The fast path of a queue as machine code takes it: short messages that are staged, long ones beside them, and how a receiver learns
// when to look.

import assert from "node:assert/strict";
import { test } from "node:test";
import { E2BIG } from "../src/abi/errno.ts";
import { makingQueue } from "../src/kernel/making.ts";
import { access, kinds, monitor, queue } from "../src/memory/layout.ts";
import { allocateMemory, machineCodeOf } from "../src/memory/machine-code.ts";
import { MachineWords } from "../src/memory/machine-words.ts";
import { CONTENDED, EMPTY, LOCKED, TAKEN_LOCKED } from "../src/memory/queue-steps.ts";
import { STAGED_BYTES_MAX } from "../src/memory/staging.ts";
import { field, type Word, type Words } from "../src/memory/words.ts";
import type { MessageRing } from "../src/objects/message-ring.ts";
import { Last } from "../src/objects/message-slots.ts";
import type { QueuePath } from "../src/objects/queue-path.ts";
import { messageBytes } from "../src/platforms/byte-pool.ts";
import type { Spinning } from "../src/sync/spin.ts";
import { Machine } from "./crash-fixture.ts";

const MODE = 0o600;
const DEPTH = 4;
const BYTES_MAX = 256;

interface Bench {
  readonly words: Words;
  readonly ring: MessageRing;
  readonly path: QueuePath;
  readonly body: Word;
}

/** A queue in a region with machine code. */
function made(messageBytesMax = BYTES_MAX): Bench {
  const machine = new Machine();
  const memory = allocateMemory(machine.buffer.byteLength);
  assert.ok(memory);
  new Uint8Array(memory.buffer).set(new Uint8Array(machine.buffer));
  const code = machineCodeOf(memory);
  assert.ok(code);
  const words = new MachineWords(memory.buffer, code);
  const system = machine.attach(words);
  const shape = { depth: DEPTH, bytesMax: 0, messageBytesMax };
  const opened = system.createAnonymous(kinds.QUEUE, makingQueue(words, shape, MODE), [access.READ | access.WRITE]);
  assert.ok(typeof opened !== "number");
  const bodyLine = opened[0]?.bodyLine as number;
  const ring = system.messageRingAt(bodyLine);
  return { words, ring, path: ring.path, body: (bodyLine * 16) as Word };
}

const countUp = (length: number, from: number): Uint8Array => Uint8Array.from({ length }, (_, i) => from + i);
const lengths = [0, 1, 7, 8, 9, 24, 25, 31, 32, 63, 64, 65, 71, 72, 100, 127, 128, 129, 200, 256];

for (const length of lengths) {
  test(`a message of ${length} bytes comes as it was sent, however often the same arrays are used`, () => {
    const { ring, path } = made();
    const data = new Uint8Array(length);
    const target = new Uint8Array(BYTES_MAX);
    const last = new Last();
    for (let round = 0; round < 3 * DEPTH; round++) {
      data.set(countUp(length, round));
      target.fill(0xee);
      assert.equal(ring.tryAppendTyped(data, round, -round, 0), 0);
      assert.equal(path.receive(target, last), length);
      assert.deepEqual(target.subarray(0, length), data);
      assert.ok(target.subarray(length).every((byte) => byte === 0xee));
      assert.deepEqual([last.typeLow, last.typeHigh, last.priority], [round, -round | 0, 0]);
      assert.equal(ring.length, 0);
    }
  });

  test(`a message of ${length} bytes is received into bytes of its own`, () => {
    const { ring } = made();
    const received = Array.from({ length: 3 * DEPTH }, (_, round) => {
      ring.tryAppendTyped(countUp(length, round), 1, 0, 0);
      return ring.tryTakeNew(messageBytes);
    });
    received.forEach((data, round) => {
      assert.deepEqual(data, countUp(length, round));
    });
  });

  test(`a message of ${length} bytes stays where the target is shorter`, () => {
    const { ring, path } = made();
    ring.tryAppendTyped(countUp(length, 1), 1, 0, 0);
    if (length > 0) assert.equal(path.receive(new Uint8Array(length - 1), new Last()), E2BIG);
    const target = new Uint8Array(length);
    assert.equal(ring.length, 1);
    assert.equal(path.receive(target, new Last()), length);
    assert.deepEqual(target, countUp(length, 1));
  });
}

test("a slot as short as its message has nothing behind it written over", () => {
  for (const messageBytesMax of [1, 8, 20, 64, 100]) {
    const { ring } = made(messageBytesMax);
    const sent = Array.from({ length: DEPTH }, (_, i) => countUp(messageBytesMax, i));
    for (const data of sent) assert.equal(ring.tryAppendTyped(data, 1, 0, 0), 0);
    for (const data of sent) assert.deepEqual(ring.tryTakeNew(messageBytes), data);
  }
});

test("a damaged length is that of the longest message, and nothing is read past the slot", () => {
  const { words, ring, path } = made(20);
  for (const damaged of [21, 100, 128, 129, 0x7fffffff, -1]) {
    assert.equal(ring.tryAppendTyped(countUp(9, 1), 1, 0, 0), 0);
    words.set((path.first + path.firstIndex() * path.stride) as Word, damaged);
    const target = new Uint8Array(BYTES_MAX).fill(0xee);
    assert.equal(path.receive(target, new Last()), 20);
    assert.ok(target.subarray(20).every((byte) => byte === 0xee));
  }
});

test("short and long messages in turns come in their order", () => {
  const { ring, path } = made();
  const target = new Uint8Array(BYTES_MAX);
  const pairs = lengths.flatMap((length) => [length, BYTES_MAX - length]);
  for (const [i, length] of pairs.entries()) {
    ring.tryAppendTyped(countUp(length, i), 1, 0, 0);
    ring.tryAppendTyped(countUp(BYTES_MAX - length, i), 1, 0, 0);
    for (const expected of [length, BYTES_MAX - length]) {
      assert.equal(path.receive(target, new Last()), expected);
      assert.deepEqual(target.subarray(0, expected), countUp(expected, i));
    }
  }
});

test("long messages that follow one another are not asked to be staged", () => {
  const { ring, path } = made();
  const asked: number[] = [];
  const staged = path.receiveStaged;
  Object.assign(path, {
    receiveStaged: (...args: Parameters<typeof staged>) => {
      asked.push(1);
      return staged(...args);
    },
  });
  const target = new Uint8Array(BYTES_MAX);
  for (const [length, times] of [
    [BYTES_MAX, 1],
    [BYTES_MAX, 1],
    [STAGED_BYTES_MAX, 1],
    [STAGED_BYTES_MAX, 2],
  ] as const) {
    ring.tryAppendTyped(new Uint8Array(length), 1, 0, 0);
    assert.equal(path.receive(target, new Last()), length);
    assert.equal(asked.length, times);
  }
});

test("a message that is taken while others wait is received, and the lock given back", () => {
  const { words, ring, path, body } = made();
  const lock = field(body, queue.CONSUMER + monitor.LOCK);
  const staged = path.receiveStaged;
  Object.assign(path, {
    receiveStaged: (...args: Parameters<typeof staged>) => {
      const length = staged(...args);
      words.store(lock, path.pid); // as if the exchange that unlocks had found that others wait
      return TAKEN_LOCKED - length;
    },
  });
  for (const length of [0, 1, 64, STAGED_BYTES_MAX]) {
    ring.tryAppendTyped(countUp(length, 3), 1, 0, 0);
    const target = new Uint8Array(length);
    assert.equal(path.receive(target, new Last()), length);
    assert.deepEqual(target, countUp(length, 3));
    assert.equal(words.load(lock), 0);
  }
});

/** A spin that is allowed so many turns, and tells what came of it. */
function spinning(turns: number): Spinning & { readonly told: string[] } {
  const told: string[] = [];
  return {
    told,
    begin: () => turns,
    hit: () => void told.push("hit"),
    miss: () => void told.push("miss"),
    relax: () => {},
    beginGivingWay: () => 0,
    giveWay: () => {},
    endGivingWay: () => {},
  };
}

/** Lets each wait for an answer find it after so many looks in vain; returns how long the first look of each was put off. */
function waits({ words, path }: Bench, looksInVain: readonly number[]): number[] {
  return looksInVain.map((inVain) => {
    let left = inVain;
    let putOff: number | undefined;
    const awaitStaged: QueuePath["awaitStaged"] = (staged, ...rest) => {
      const [quiet, , looks] = rest.slice(-3) as [number, number, number];
      putOff ??= quiet;
      left -= looks;
      if (left >= 0) return EMPTY;
      words.set(staged, -left);
      return 8;
    };
    Object.assign(path, { awaitStaged });
    path.owner.lastSentTo = path;
    assert.equal(path.takeSoon(spinning(1000), STAGED_BYTES_MAX), 8);
    assert.equal(path.owner.lastSentTo, undefined);
    return putOff ?? -1;
  });
}

test("who waits for an answer looks later after looks that were too early, and earlier after one that was not", () => {
  assert.deepEqual(waits(made(), [1, 5, 6, 0, 0, 0, 3, 20]), [0, 2, 4, 6, 5, 4, 3, 5]);
});

test("answers that come long after the first look are not foreseen", () => {
  assert.deepEqual(waits(made(), [1, 1, 1, 1, 55, 500, 90, 60, 60]), [0, 2, 4, 6, 8, 4, 2, 1, 0]);
});

test("the first look is put off for 128 turns at most", () => {
  const quiets = waits(made(), new Array(100).fill(1));
  assert.equal(Math.max(...quiets), 128);
});

test("who has sent nothing waits for no answer, and looks at once", () => {
  const { path } = made();
  path.quiet = 100;
  assert.equal(path.isQuiet, false);
  let putOff: number | undefined;
  const awaitStaged: QueuePath["awaitStaged"] = (...args) => {
    putOff ??= args.at(-3) as number;
    return 8;
  };
  Object.assign(path, { awaitStaged });
  assert.equal(path.takeSoon(spinning(10), STAGED_BYTES_MAX), 8);
  assert.deepEqual([putOff, path.quiet], [0, 100]);
});

test("a spin in vain, and one that is not worth it, end the waiting without a look", () => {
  const { path } = made();
  for (const turns of [20, 0]) {
    path.quiet = 100;
    path.owner.lastSentTo = path;
    const spin = spinning(turns);
    assert.equal(path.takeSoon(spin, STAGED_BYTES_MAX), EMPTY);
    assert.equal(path.quiet, 0);
    assert.deepEqual(spin.told, turns > 0 ? ["miss"] : []);
  }
});

test("a message that is there already is taken where looking is put off and no spin is worth it", () => {
  const { ring, path } = made();
  path.quiet = 100;
  ring.tryAppendTyped(countUp(9, 1), 1, 0, 0);
  assert.ok(path.isQuiet);
  assert.equal(path.takeSoon(spinning(0), STAGED_BYTES_MAX), 9);
});

test("the quiet before a look ends by itself", () => {
  const { ring, path } = made();
  ring.tryAppendTyped(countUp(9, 1), 1, 0, 0);
  path.quiet = 1000;
  path.owner.lastSentTo = path;
  assert.equal(path.takeSoon(spinning(1), STAGED_BYTES_MAX), 9);
});

/** Lets a path wait for an answer, which is there; `expecting`: what comes of expecting it, where that is not left as it is. */
function waitFor({ ring, path }: Bench, expecting?: number): { steps: string[]; taken: number } {
  const steps: string[] = [];
  const { awaitStaged, expectStaged } = path;
  Object.assign(path, {
    awaitStaged: (...args: Parameters<typeof awaitStaged>) => {
      steps.push("looks");
      return awaitStaged(...args);
    },
    expectStaged: (...args: Parameters<typeof expectStaged>) => {
      steps.push("locks, looks");
      return expecting ?? expectStaged(...args);
    },
  });
  ring.tryAppendTyped(countUp(9, 1), 1, 0, 0);
  path.owner.lastSentTo = path;
  const taken = path.takeSoon(spinning(10), STAGED_BYTES_MAX);
  Object.assign(path, { awaitStaged, expectStaged });
  return { steps, taken };
}

test("who waits for an answer locks before it looks, where nobody else has taken a message since the last one", () => {
  const bench = made();
  const steps = (): string[] => waitFor(bench).steps;
  assert.deepEqual([steps(), steps(), steps()], [["looks"], ["locks, looks"], ["locks, looks"]]);
  bench.ring.tryAppendTyped(countUp(9, 1), 1, 0, 0);
  bench.path.receive(new Uint8Array(9), new Last());
  assert.deepEqual([steps(), steps()], [["looks"], ["locks, looks"]]);
});

for (const expecting of [EMPTY, CONTENDED]) {
  test(`who has expected an answer under the lock in vain goes on looking without it (${expecting})`, () => {
    const bench = made();
    waitFor(bench);
    assert.deepEqual(waitFor(bench, expecting), { steps: ["locks, looks", "looks"], taken: 9 });
  });
}

test("what comes up while an answer is expected under the lock is left to who sees to it", () => {
  const bench = made();
  waitFor(bench);
  assert.deepEqual(waitFor(bench, LOCKED), { steps: ["locks, looks"], taken: LOCKED });
});
