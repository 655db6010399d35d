// What the pointers of a system call point into, where the memory is not what it was when it was handed over.

import assert from "node:assert/strict";
import { test } from "node:test";
import { TaskMemory } from "../src/kernel/task-memory.ts";

const BYTES = 64;
/** Of a buffer that can grow; this TypeScript's library does not know of them yet. */
const Growable = SharedArrayBuffer as unknown as new (
  bytes: number,
  options: { maxByteLength: number },
) => SharedArrayBuffer & { grow(bytes: number): void };

test("a structure in memory that has grown since is where its pointer says", () => {
  const buffer = new Growable(BYTES, { maxByteLength: 2 * BYTES });
  const memory = new TaskMemory(new Uint8Array(buffer));
  memory.structure(8, 8, true)?.setInt32(0, 1);
  assert.equal(memory.structure(BYTES, 8, true), undefined);
  buffer.grow(2 * BYTES);
  memory.structure(BYTES, 8, true)?.setInt32(4, 77);
  assert.equal(new Int32Array(buffer)[BYTES / 4 + 1], 77);
});

test("a structure is in the memory that is the task's now", () => {
  const [first, second] = [new Uint8Array(BYTES), new Uint8Array(BYTES)];
  const memory = new TaskMemory(first);
  memory.structure(8, 8, true)?.setInt32(0, 1);
  memory.own = second;
  memory.structure(8, 8, true)?.setInt32(0, 2);
  assert.deepEqual([first[8], second[8]], [1, 2]);
});

test("a structure in a part of a larger buffer begins where the part does, and ends before it ends", () => {
  const whole = new Uint8Array(3 * BYTES);
  const memory = new TaskMemory(whole.subarray(BYTES, 2 * BYTES));
  memory.structure(8, 4, true)?.setUint32(0, 5);
  assert.equal(whole[BYTES + 8], 5);
  assert.equal(memory.structure(BYTES - 4, 8, true), undefined);
  memory.structure(BYTES - 8, 8, true)?.clear(0, 8);
});

test("there is no structure in memory that was given away", () => {
  for (const when of ["before", "afterwards"]) {
    const bytes = new Uint8Array(BYTES);
    const memory = new TaskMemory(new Uint8Array(BYTES));
    if (when === "before") structuredClone(bytes, { transfer: [bytes.buffer] });
    memory.own = bytes;
    if (when === "afterwards") {
      assert.ok(memory.structure(8, 8, true));
      structuredClone(bytes, { transfer: [bytes.buffer] });
    }
    assert.equal(memory.structure(8, 8, true), undefined, when);
  }
});
