// Bytes that are copied as lanes are the bytes that were there, whatever has become of the caller's array meanwhile.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Lanes } from "../src/memory/lanes.ts";
import { type Offset, Words } from "../src/memory/words.ts";

const OFFSET = 64 as Offset;
const countUp = (length: number, from = 1): Uint8Array => Uint8Array.from({ length }, (_, i) => from + i);
const words = (): Words => new Words(new SharedArrayBuffer(4096));

/** The lanes of bytes that were asked about before. */
function lanesOf(bytes: Uint8Array): BigInt64Array | undefined {
  const lanes = new Lanes();
  assert.equal(lanes.of(bytes), undefined, "bytes that are used once are not worth it");
  return lanes.of(bytes);
}

for (const length of [25, 31, 32, 64, 71, 100, 127, 128]) {
  test(`${length} bytes are copied in and out by lanes, and nothing beside them`, () => {
    const source = countUp(length);
    const target = new Uint8Array(length + 16).fill(0xee);
    const region = words();
    const [from, into] = [lanesOf(source), lanesOf(target)];
    assert.ok(from);
    region.copyAllIn(OFFSET, source, from);
    region.copyOut(OFFSET, target, 0, length, into);
    assert.deepEqual(target.subarray(0, length), source);
    assert.ok(target.subarray(length).every((byte) => byte === 0xee));
    assert.ok(region.bytes.subarray(0, OFFSET).every((byte) => byte === 0));
    assert.ok(region.bytes.subarray(OFFSET + length).every((byte) => byte === 0));
  });
}

test("a longer target takes a shorter message, of which the last bytes are no whole lane", () => {
  const source = countUp(37);
  const target = new Uint8Array(64);
  const region = words();
  region.copyAllIn(OFFSET, source);
  region.copyOut(OFFSET, target, 0, source.length, lanesOf(target));
  assert.deepEqual(target.subarray(0, 37), source);
  assert.ok(target.subarray(37).every((byte) => byte === 0));
});

test("bytes that are short, long, not aligned or in a large buffer have no lanes", () => {
  const large = new ArrayBuffer(65_537);
  for (const bytes of [countUp(24), countUp(129), countUp(65).subarray(1), new Uint8Array(large, 0, 64)]) {
    const lanes = new Lanes();
    for (let i = 0; i < 3; i++) assert.equal(lanes.of(bytes), undefined);
  }
});

test("lanes are those of the bytes that are asked about, not of others before", () => {
  const lanes = new Lanes();
  const [one, other] = [countUp(64), countUp(64, 100)];
  for (const bytes of [one, one, other, one, other, other, one, one]) {
    const found = lanes.of(bytes);
    if (found) assert.equal(found.buffer, bytes.buffer);
  }
  assert.equal(lanes.of(one)?.buffer, one.buffer);
});

test("bytes whose buffer was transferred have no lanes", () => {
  const bytes = countUp(64);
  const lanes = new Lanes();
  lanes.of(bytes);
  assert.ok(lanes.of(bytes));
  structuredClone(bytes.buffer, { transfer: [bytes.buffer as ArrayBuffer] });
  assert.equal(lanes.of(bytes), undefined);
});
