// Damaged regions in short: flipped words, truncated files, and a rogue that scribbles. The long form is `npm run test:hostile`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { segment } from "../src/memory/layout.ts";
import { headerWord } from "../src/memory/region.ts";
import { field, LINE_WORDS, type Word } from "../src/memory/words.ts";
import { PAGE_BYTES, Segment } from "../src/objects/shared-memory.ts";
import { Machine } from "./crash-fixture.ts";
import { tryRegions } from "./hostile/regions.ts";
import { tryRogue } from "./hostile/rogue.ts";
import { tryTruncations } from "./hostile/truncations.ts";
import { type Watched, watch } from "./hostile/watched.ts";
import { formattedBuffer } from "./memory-fixture.ts";

const REGIONS = 1500;
const ROUNDS = 3;
const TRUNCATIONS = 30;
const stuck = fileURLToPath(new URL("./hostile/stuck.js", import.meta.url));
const seed = Number(process.env.HOSTILE_SEED ?? Date.now() % 1_000_000);

test(`whatever is done with ${REGIONS} damaged regions ends, with a result or an error (HOSTILE_SEED=${seed})`, async () => {
  const { hangs, crashes, violations, regions } = await tryRegions(REGIONS, seed, () => {});
  assert.deepEqual({ hangs, crashes, violations, regions }, { hangs: 0, crashes: 0, violations: [], regions: REGIONS });
});

test("a process that is stuck is ended and named, whether it spins or sleeps, in its thread or another", async () => {
  const ways = ["spins", "sleeps", "sleeps in the host"].flatMap((how) => [
    { how, inThread: false },
    { how, inThread: true },
  ]);
  const ended = ways.map(async (way) => {
    const found: Watched = { hangs: 0, crashes: 0, violations: [] };
    const isDone = await watch(stuck, way, found, { where: () => "in a test", heard: () => false, hangMs: 2000 });
    assert.equal(isDone, false);
    assert.deepEqual(found, { hangs: 1, crashes: 0, violations: ["no progress for 2000 ms in a test"] });
  });
  await Promise.all(ended);
});

test("a process that ends before it has done is a crash, and named", async () => {
  const found: Watched = { hangs: 0, crashes: 0, violations: [] };
  await watch(stuck, { how: "ends", inThread: false }, found, { where: () => "in a test", heard: () => false });
  assert.deepEqual(found, { hangs: 0, crashes: 1, violations: ["the process ended with 7 in a test"] });
});

test("a damaged segment reads as whole pages inside the region", () => {
  const { buffer, region } = formattedBuffer();
  const bodyLine = region.geometry.heapLine + 1;
  const body = (bodyLine * LINE_WORDS) as Word;
  for (const line of [-1, 0, 1, 63, 4095, 4096, 0x7fffffff]) {
    region.words.set(field(body, segment.DATA), line);
    region.words.set(field(body, segment.BYTES), -1);
    const { offset, bytes } = new Segment(region.words, bodyLine);
    assert.equal(offset % PAGE_BYTES, 0, `at line ${line}`);
    assert.equal(bytes % PAGE_BYTES, 0, `at line ${line}`);
    assert.ok(offset + bytes <= buffer.byteLength, `at line ${line}`);
  }
});

test("a kernel's lock that is damaged to name the task that waits for it is taken over by it", () => {
  const machine = new Machine();
  const world = machine.world();
  let parks = 0;
  const park = (): void => assert.ok(++parks < 3, "it waits for itself");
  const system = machine.attach(undefined, { ...world, parker: { ...world.parker, park } });
  system.words.store(headerWord("KERNEL_LOCK"), system.pid);
  assert.equal(
    system.transaction(() => 0),
    0,
  );
  assert.equal(system.words.load(headerWord("KERNEL_LOCK")), 0);
});

test(`a region file that was cut short, or made longer, is refused (HOSTILE_SEED=${seed})`, (t) => {
  const wrong = tryTruncations(TRUNCATIONS, seed);
  if (typeof wrong === "string") return t.skip(wrong);
  assert.deepEqual(wrong, []);
});

test(`tasks beside one that scribbles into their region get results or errors, and end (HOSTILE_SEED=${seed})`, async () => {
  const { hangs, crashes, violations } = await tryRogue(ROUNDS, seed);
  assert.deepEqual({ hangs, crashes, violations }, { hangs: 0, crashes: 0, violations: [] });
});
