// Nobody who sleeps for a message, or for room, is passed over for ever: now and then one is kept for it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { EAGAIN } from "../src/abi/errno.ts";
import { makingQueue } from "../src/kernel/making.ts";
import { kinds } from "../src/memory/layout.ts";
import { MessageRing } from "../src/objects/message-ring.ts";
import { settleWake } from "../src/sync/waiting.ts";
import { bytes } from "./crash-fixture.ts";
import { Scene } from "./lock-scene.ts";

const shape = { depth: 2, bytesMax: 0, messageBytesMax: 16 };
const sceneAt = (nowMs: number): Scene<MessageRing> => {
  const scene = new Scene(kinds.QUEUE, ({ words }) => makingQueue(words, shape, 0o600), MessageRing);
  scene.machine.nowMs = nowMs;
  return scene;
};

const send = (ring: MessageRing): number => ring.tryAppend(bytes("x"), 1);
const take = (ring: MessageRing): number => ring.tryTake(new Uint8Array(16));

test("a message that a sleeping receiver was woken for is kept for it: another finds none", () => {
  const scene = sceneAt(10);
  const [mine, other, third] = scene.of;
  const at = scene.sleep(scene.survivor, other.filled);
  assert.equal(send(mine), 0);
  assert.ok(scene.isWoken(scene.survivor, at));
  assert.equal(third.filled.ready(1), false);
  assert.equal(take(third), EAGAIN);
  assert.equal(
    third.tryTakeMany(8, () => {}),
    EAGAIN,
  );
  assert.equal(
    third.tryTakeInPlace(() => {}),
    EAGAIN,
  );
  assert.equal(other.filled.ready(1), true);
  assert.equal(take(other), 1);
  settleWake(other.filled, true, 1, false);
  assert.equal(send(mine), 0);
  assert.equal(take(third), 1, "the next is anybody's");
});

test("of several messages others take all but one", () => {
  const scene = sceneAt(10);
  const [mine, other, third] = scene.of;
  scene.sleep(scene.survivor, other.filled);
  assert.deepEqual([send(mine), send(mine)], [0, 0]);
  assert.equal(third.filled.ready(1), true);
  assert.equal(
    third.tryTakeMany(8, () => {}),
    1,
  );
  assert.equal(take(third), EAGAIN);
  assert.equal(take(other), 1);
});

test("a sender keeps a message once in 2 ms: between, who is awake takes what there is", () => {
  const scene = sceneAt(10);
  const [mine, other, third] = scene.of;
  for (const [nowMs, isKept] of [
    [10, true],
    [11, false],
    [12, true],
  ] as const) {
    scene.machine.nowMs = nowMs;
    const at = scene.sleep(scene.survivor, other.filled);
    assert.equal(send(mine), 0);
    assert.equal(take(third), isKept ? EAGAIN : 1, `at ${nowMs} ms`);
    other.filled.monitor.delist(at);
    if (isKept) assert.equal(take(other), 1);
    settleWake(other.filled, true, isKept ? 1 : EAGAIN, false);
  }
});

test("who has not come for 20 ms for the message that is kept for it finds that another took it", () => {
  const scene = sceneAt(10);
  const [mine, other, third] = scene.of;
  scene.sleep(scene.survivor, other.filled);
  send(mine);
  assert.equal(take(third), EAGAIN);
  scene.machine.nowMs = 30;
  assert.equal(take(third), EAGAIN);
  scene.machine.nowMs = 31;
  assert.equal(third.filled.ready(1), true);
  assert.equal(take(third), 1);
  assert.equal(take(other), EAGAIN);
});

test("a receiver that gives up waiting leaves the message that was kept for it to the next", () => {
  const scene = sceneAt(10);
  const [mine, other, third] = scene.of;
  const at = scene.sleep(scene.survivor, other.filled);
  const behind = scene.sleep(scene.third, third.filled);
  send(mine);
  other.filled.monitor.delist(at);
  settleWake(other.filled, true, EAGAIN, true);
  assert.ok(scene.isWoken(scene.third, behind));
  assert.equal(take(third), 1);
});

test("nothing is kept for a receiver that is only to look again, as the rules have changed", () => {
  const scene = sceneAt(10);
  const [mine, other, third] = scene.of;
  const at = scene.sleep(scene.survivor, other.filled);
  mine.notifyAll();
  assert.ok(scene.isWoken(scene.survivor, at));
  assert.equal(send(mine), 0);
  assert.equal(take(third), 1);
});

test("a receiver that was woken, and found nothing, keeps nothing from others while it waits on", () => {
  const scene = sceneAt(10);
  const [mine, other, third] = scene.of;
  const at = scene.sleep(scene.survivor, other.filled);
  assert.equal(send(mine), 0);
  assert.equal(take(other), 1, "for another wait of the same task");
  other.filled.monitor.delist(at);
  assert.equal(take(other), EAGAIN);
  const behind = scene.sleep(scene.third, third.filled);
  assert.equal(send(mine), 0);
  assert.ok(scene.isWoken(scene.third, behind));
  settleWake(other.filled, true, EAGAIN, false);
  assert.equal(take(third), 1);
});

test("a receiver that is buried leaves the message that was kept for it to anybody", () => {
  const scene = sceneAt(10);
  const [mine, other, third] = scene.of;
  scene.sleep(scene.victim, mine.filled);
  send(other);
  assert.equal(take(third), EAGAIN);
  scene.kill(() => {}, 0);
  assert.equal(take(third), 1);
});

test("room that a sleeping sender was woken for is kept for it: another finds the queue full", () => {
  const scene = sceneAt(10);
  const [mine, other, third] = scene.of;
  assert.deepEqual([send(mine), send(mine)], [0, 0]);
  const at = scene.sleep(scene.survivor, other.vacant);
  assert.equal(take(mine), 1);
  assert.ok(scene.isWoken(scene.survivor, at));
  assert.equal(third.vacant.ready(1), false);
  assert.equal(send(third), EAGAIN);
  assert.equal(third.tryAppendMany([bytes("y")], 0, 1), EAGAIN);
  assert.equal(
    third.tryAppendInPlace(1, () => {}, 1, 0, false),
    EAGAIN,
  );
  assert.equal(other.vacant.ready(1), true);
  assert.equal(send(other), 0);
  settleWake(other.vacant, true, 0, false);
  assert.equal(take(mine), 1);
  assert.equal(send(third), 0, "the next is anybody's");
});
