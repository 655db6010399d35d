// Atomic accesses as machine instructions do what those of Atomics do.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import {
  allocateMemory,
  isMemory,
  MEMORY_PAGE_BYTES,
  machineCodeOf,
  type SharedMemory,
} from "../src/memory/machine-code.ts";
import { MachineWords, wordsOf } from "../src/memory/machine-words.ts";
import { type Word, Words } from "../src/memory/words.ts";
import { codeOver } from "./machine/interpreted-words.ts";
import { Random } from "./random.ts";

const OPERATIONS = 20_000;
const INCREMENTS = 100_000;
const seed = Number(process.env.WORDS_SEED ?? Date.now() % 1_000_000);

function memory(bytes = MEMORY_PAGE_BYTES): SharedMemory {
  const allocated = allocateMemory(bytes);
  assert.ok(allocated, "this engine has WebAssembly's shared memories");
  return allocated;
}

function machineWords(shared: SharedMemory): Words {
  const code = machineCodeOf(shared);
  assert.ok(code);
  return new MachineWords(shared.buffer, code);
}

function increment(words: Words, at: Word): void {
  for (let i = 0; i < INCREMENTS; i++) {
    let seen = words.load(at);
    while (words.compareExchange(at, seen, seen + 1) !== seen) seen = words.load(at);
  }
}

/** The same, run instruction by instruction. */
function interpretedWords(shared: SharedMemory): Words {
  return new MachineWords(shared.buffer, codeOver(new Words(shared.buffer)));
}

function compare(machineWordsOf: (shared: SharedMemory) => Words): void {
  const random = new Random(seed);
  const machine = machineWordsOf(memory());
  const plain = new Words(new SharedArrayBuffer(MEMORY_PAGE_BYTES));
  const last = MEMORY_PAGE_BYTES / 4 - 1;
  for (let i = 0; i < OPERATIONS; i++) {
    const at = random.pick([0, 1, 7, last]) as Word;
    const value = random.pick([0, 1, -1, 0x7fffffff, -0x80000000]);
    const expected = random.chance(50) ? plain.load(at) : value;
    switch (random.below(5)) {
      case 0:
        machine.store(at, value);
        plain.store(at, value);
        break;
      case 1:
        assert.equal(machine.exchange(at, value), plain.exchange(at, value));
        break;
      case 2:
        assert.equal(machine.compareExchange(at, expected, value), plain.compareExchange(at, expected, value));
        break;
      case 3: {
        const lock = random.pick([0, 6]) as Word; // with the position behind it, 64 bits
        const pid = random.chance(50) ? plain.load(lock) : value;
        const before = plain.load((lock + 1) as Word);
        const isUnlocked = plain.moveAndUnlock(lock, pid, before, value);
        assert.equal(machine.moveAndUnlock(lock, pid, before, value), isUnlocked);
        assert.equal(machine.load((lock + 1) as Word), value);
        assert.equal(machine.load(lock), plain.load(lock));
        break;
      }
      default:
        assert.equal(machine.get(at), plain.get(at), "a plain access sees what the atomic ones did");
    }
    assert.equal(machine.load(at), plain.load(at));
  }
}

function defineTests(): void {
  test(`machine words do what words do, access by access (WORDS_SEED=${seed})`, () => compare(machineWords));

  test(`an interpreter of the machine code does the same (WORDS_SEED=${seed})`, () => compare(interpretedWords));

  test("an access beyond the memory throws", () => {
    for (const words of [machineWords(memory()), interpretedWords(memory())])
      for (const at of [MEMORY_PAGE_BYTES / 4, -1, 0x7fffffff]) {
        assert.throws(() => words.load(at as Word), /out of bounds/);
        assert.throws(() => words.store(at as Word, 1), /out of bounds/);
      }
  });

  test("a thread that counts with machine words and one that counts with Atomics miss no count of the other", async () => {
    const shared = memory();
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { counted: shared } });
    const ended = new Promise<unknown>((resolve, reject) => worker.once("message", resolve).once("error", reject));
    await new Promise((resolve) => worker.once("online", resolve));
    increment(machineWords(shared), 0 as Word);
    await ended;
    assert.equal(new Words(shared.buffer).load(0 as Word), 2 * INCREMENTS);
  });

  test("a memory is as many bytes as asked for, or the rest of a page more, and none is had beyond 4 GiB", () => {
    assert.equal(memory(1).buffer.byteLength, MEMORY_PAGE_BYTES);
    assert.equal(memory(MEMORY_PAGE_BYTES + 4096).buffer.byteLength, 2 * MEMORY_PAGE_BYTES);
    assert.equal(allocateMemory(2 ** 32 + 1), undefined);
    assert.ok(isMemory(memory()));
    for (const other of [undefined, null, 1, {}, { buffer: new SharedArrayBuffer(64) }]) assert.ok(!isMemory(other));
  });

  test("a thread's first region has machine words; the next has plain ones, as where there is no memory", () => {
    assert.ok(!(wordsOf(new SharedArrayBuffer(64), undefined) instanceof MachineWords));
    const first = memory();
    assert.ok(wordsOf(first.buffer, first) instanceof MachineWords);
    const second = memory();
    assert.ok(!(wordsOf(second.buffer, second) instanceof MachineWords));
  });
}

const counted = (workerData as { counted?: SharedMemory } | null)?.counted;
if (isMainThread) defineTests();
else if (counted) {
  increment(new Words(counted.buffer), 0 as Word);
  parentPort?.postMessage("counted");
}
