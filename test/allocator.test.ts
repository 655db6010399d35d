import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ENOMEM } from "../src/abi/errno.ts";
import { Allocator } from "../src/memory/allocator.ts";
import { Charges, NOBODY } from "../src/memory/charges.ts";
import { Journal } from "../src/memory/journal.ts";
import { HEADER_BYTES, header } from "../src/memory/layout.ts";
import { LINE_BYTES } from "../src/memory/words.ts";
import { dies, formattedBuffer, MortalWords, smallLimits } from "./memory-fixture.ts";

function freshAllocator(reserve: (from: number, to: number) => number = () => 0) {
  const { buffer, region } = formattedBuffer();
  const words = new MortalWords(buffer);
  const journal = new Journal(words);
  const allocator = new Allocator(
    words,
    journal,
    new Charges(words, journal, region.geometry),
    region.geometry,
    reserve,
  );
  return { words, journal, allocator, geometry: region.geometry, buffer };
}

interface Held {
  readonly first: number;
  readonly lines: number;
  readonly mark: number;
}

test("blocks never overlap, keep what is written to them, and come back whole", () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 0, max: 9000 }) },
    { weight: 2, arbitrary: fc.integer({ min: -50, max: -1 }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const { words, journal, allocator } = freshAllocator();
      const free = allocator.freeLinesLocked();
      const held: Held[] = [];
      for (const [index, value] of steps.entries()) {
        if (value >= 0) {
          const first = allocator.allocateLocked(value, NOBODY);
          journal.commit();
          if (first === ENOMEM) continue;
          const lines = Math.ceil(value / LINE_BYTES);
          const bytes = words.bytes.subarray(first * LINE_BYTES, (first + lines) * LINE_BYTES);
          assert.ok(
            bytes.every((byte) => byte === 0),
            "new memory is zeroed",
          );
          bytes.fill((index % 255) + 1);
          held.push({ first, lines, mark: (index % 255) + 1 });
        } else if (held.length > 0) {
          const [one] = held.splice(-value % held.length, 1) as [Held];
          allocator.freeLocked(one.first);
          journal.commit();
        }
        for (const { first, lines, mark } of held) {
          const bytes = words.bytes.subarray(first * LINE_BYTES, (first + lines) * LINE_BYTES);
          assert.ok(
            bytes.every((byte) => byte === mark),
            "a block keeps its bytes",
          );
        }
      }
      for (const one of held) {
        allocator.freeLocked(one.first);
        journal.commit();
      }
      assert.equal(allocator.freeLinesLocked(), free);
    }),
    { numRuns: 100 },
  );
});

test("the whole heap can be had in one block again after everything was freed", () => {
  const { journal, allocator } = freshAllocator();
  const blocks: number[] = [];
  for (let first = allocator.allocateLocked(100, NOBODY); first > 0; first = allocator.allocateLocked(100, NOBODY)) {
    blocks.push(first);
    journal.commit();
  }
  journal.rollback();
  assert.ok(blocks.length > 100);
  const free = (first: number): void => {
    allocator.freeLocked(first);
    journal.commit();
  };
  for (const first of blocks.filter((_, i) => i % 2 === 0)) free(first);
  for (const first of blocks.filter((_, i) => i % 2 === 1)) free(first);
  const bytes = (allocator.freeLinesLocked() - 1) * LINE_BYTES;
  assert.ok(allocator.allocateLocked(bytes - (bytes >> 3), NOBODY) > 0);
});

test("memory is reserved before it is handed out, and none is where it cannot be", () => {
  const asked: [number, number][] = [];
  const refusing = freshAllocator((from, to) => {
    asked.push([from, to]);
    return -28;
  });
  // The region counts as backed up to its first block only.
  refusing.words.int32[20] = refusing.geometry.heapLine * LINE_BYTES + LINE_BYTES;
  const free = refusing.allocator.freeLinesLocked();
  assert.equal(refusing.allocator.allocateLocked(5000, NOBODY), -28);
  refusing.journal.rollback();
  assert.equal(refusing.allocator.freeLinesLocked(), free);
  assert.equal(asked.length, 2, "asked for a step ahead, then for no more than is needed");
  assert.ok((asked[1]?.[1] ?? 0) >= refusing.geometry.heapLine * LINE_BYTES + 5000);
});

for (const what of ["allocating", "freeing"] as const) {
  test(`a death after any write of ${what} leaves the heap as it was before or as it is after`, () => {
    let points = 0;
    for (let writes = 0; ; writes++) {
      const { words, journal, allocator } = freshAllocator();
      const kept = [300, 40, 2000].map((bytes) => {
        const first = allocator.allocateLocked(bytes, NOBODY);
        journal.commit();
        return first;
      });
      allocator.freeLocked(kept[1] as number);
      journal.commit();
      const before = allocator.freeLinesLocked();
      words.writesLeft = writes;
      const died = dies(() => {
        if (what === "allocating") allocator.allocateLocked(30, NOBODY);
        else allocator.freeLocked(kept[0] as number);
        journal.commit();
      });
      words.writesLeft = Number.POSITIVE_INFINITY;
      journal.rollback();
      if (died) assert.equal(allocator.freeLinesLocked(), before, `after ${writes} writes`);
      assert.ok(allocator.allocateLocked(smallLimits.regionBytes / 4, NOBODY) > 0, `after ${writes} writes`);
      journal.commit();
      points++;
      if (!died) break;
    }
    assert.ok(points > 10);
  });
}

test("a death in the middle of a rollback is repaired by rolling back again", () => {
  for (let writes = 0; ; writes++) {
    const { words, journal, allocator } = freshAllocator();
    const before = words.int32.slice(0, header.JOURNAL);
    const heapBefore = words.int32.slice(HEADER_BYTES / 4);
    allocator.allocateLocked(1000, NOBODY); // and never commits
    words.writesLeft = writes;
    const died = dies(() => journal.rollback());
    words.writesLeft = Number.POSITIVE_INFINITY;
    journal.rollback();
    assert.deepEqual(words.int32.slice(0, header.JOURNAL), before);
    assert.deepEqual(words.int32.slice(HEADER_BYTES / 4), heapBefore);
    if (!died) break;
  }
});
