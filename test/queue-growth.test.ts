// A queue whose bytes are counted gets more slots as it fills, while other tasks look at it with what they knew before.

import assert from "node:assert/strict";
import { test } from "node:test";
import { EIDRM } from "../src/abi/errno.ts";
import { makingQueue } from "../src/kernel/making.ts";
import type { System } from "../src/kernel/system.ts";
import { kinds } from "../src/memory/layout.ts";
import { shapeCount } from "../src/memory/shape.ts";
import type { MessageRing } from "../src/objects/message-ring.ts";
import { selectorOf } from "../src/objects/selection.ts";
import { type Node, stateOf, WAITING, WOKEN } from "../src/sync/wait-list.ts";
import { bytes, Machine } from "./crash-fixture.ts";

const shape = { depth: 1000, bytesMax: 1000, messageBytesMax: 64 };

interface View {
  readonly system: System;
  readonly ring: MessageRing;
}

/** Two tasks that both have looked at a queue of eight messages: one more, and it grows. */
function twoViews(): { first: View; second: View; objectIndex: number } {
  const machine = new Machine();
  const [one, other] = [machine.attach(), machine.attach()];
  const objectIndex = one.create({ kind: kinds.SYSV_QUEUE, key: 1 }, makingQueue(one.words, shape, 0o600));
  const viewOf = (system: System): View => {
    system.sysv.useQueue(objectIndex);
    return { system, ring: system.ringOf(objectIndex) };
  };
  const [first, second] = [viewOf(one), viewOf(other)];
  for (let i = 0; i < 8; i++) assert.equal(first.ring.tryAppend(bytes(`m${i}`), 1), 0);
  assert.equal(second.ring.tryTakeSelected(selectorOf(5n, false), new Uint8Array(64), false) < 0, true);
  return { first, second, objectIndex };
}

test("a receiver that looked before the queue grew finds what came after", () => {
  const { first, second } = twoViews();
  const wanted = second.ring.selected(selectorOf(5n, false));
  assert.ok(!wanted.ready(1));
  for (let i = 0; i < 30; i++) first.ring.tryAppend(bytes("x".repeat(i % 9)), 2);
  first.ring.tryAppend(bytes("five"), 5);
  assert.ok(wanted.ready(1), "a look without the lock");
  const at = second.system.nodes.claim() as Node;
  const { monitor, ready, selector } = wanted;
  assert.equal(monitor.enlist(at, WAITING, 1, ready, selector), false, "and under it: there is nothing to wait for");
  assert.equal(second.ring.tryTakeSelected(selectorOf(5n, false), new Uint8Array(64), false), 4);
});

test("a task that hands a wake on after the queue grew wakes whom the new message is for", () => {
  const { first, second } = twoViews();
  const waiting = first.system.nodes.claim() as Node;
  const { monitor, selector } = first.ring.selected(selectorOf(5n, false));
  monitor.enlist(waiting, WAITING, 1, () => false, selector);
  assert.equal(first.system.grow(first.ring, first.ring.shape), 0);
  first.ring.tryAppend(bytes("for six"), 6);
  assert.equal(first.system.words.load(stateOf(waiting)), WAITING, "nothing for it yet");
  first.ring.tryAppend(bytes("for five"), 5);
  assert.equal(first.system.words.load(stateOf(waiting)), WOKEN);
  monitor.delist(waiting);
  monitor.enlist(waiting, WAITING, 1, () => false, selector); // it looked away, and waits again
  second.ring.filled.monitor.notify(1);
  assert.equal(first.system.words.load(stateOf(waiting)), WOKEN, "whoever hands the wake on sees the new slots");
});

test("who comes late to let a queue grow lets it be, and no message is lost", () => {
  const { first, second } = twoViews();
  const seen = second.ring.shape;
  for (let i = 8; i < 40; i++) assert.equal(first.ring.tryAppend(bytes(`m${i}`), 1), 0);
  const slots = shapeCount(first.ring.shape);
  assert.ok(slots >= 64);
  assert.equal(second.system.grow(second.ring, seen), 0);
  assert.equal(shapeCount(first.ring.shape), slots, "as many slots as before");
  const data = new Uint8Array(64);
  for (let i = 0; i < 40; i++) {
    const length = second.ring.tryTake(data);
    assert.equal(new TextDecoder().decode(data.subarray(0, length)), `m${i}`);
  }
});

test("who lets a queue grow that has been removed meanwhile is told so, and leaks nothing", () => {
  const { first, second, objectIndex } = twoViews();
  const seen = second.ring.shape;
  let announce = (): void => {};
  const remove = (): number => {
    announce = first.system.sysv.removeQueueLocked(objectIndex);
    return 0;
  };
  first.system.transaction(remove, () => announce());
  const { freeLines } = first.system.usage();
  assert.equal(second.system.grow(second.ring, seen), 0);
  assert.equal(second.ring.tryAppend(bytes("late"), 1), EIDRM);
  assert.equal(first.system.usage().freeLines, freeLines);
});
