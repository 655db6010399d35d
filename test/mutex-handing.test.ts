// Nobody who sleeps for a mutex is passed over for ever: now and then it is handed over.

import assert from "node:assert/strict";
import { test } from "node:test";
import { EAGAIN, EPERM } from "../src/abi/errno.ts";
import { makingMutex } from "../src/kernel/making.ts";
import { kinds, mutexTypes } from "../src/memory/layout.ts";
import { Mutex } from "../src/objects/mutex.ts";
import { AWAITED, type Node } from "../src/sync/wait-list.ts";
import { enlistFor, settleWake } from "../src/sync/waiting.ts";
import { Scene } from "./lock-scene.ts";

const sceneAt = (nowMs: number): Scene<Mutex> => {
  const scene = new Scene(kinds.MUTEX, ({ words }) => makingMutex(words, mutexTypes.NORMAL, 0o600), Mutex);
  scene.machine.nowMs = nowMs;
  return scene;
};

test("a mutex that is unlocked while a thread sleeps for it is that thread's, and no other gets in between", () => {
  const scene = sceneAt(10);
  const [mine, other, third] = scene.of;
  assert.equal(mine.tryLock(), 0);
  const at = scene.sleep(scene.survivor, other.free);
  assert.equal(mine.unlock(), 0);
  assert.ok(scene.isWoken(scene.survivor, at));
  assert.equal(mine.owner, scene.survivor.pid);
  assert.equal(mine.tryLock(), EAGAIN);
  assert.equal(third.tryLock(), EAGAIN);
  assert.equal(other.tryLock(), 0);
  assert.equal(other.unlock(), 0);
  assert.equal(third.tryLock(), 0);
});

test("within 2 ms of being handed over it is left free, and the first that sleeps is woken", () => {
  const scene = sceneAt(10);
  const [mine, other, third] = scene.of;
  assert.equal(mine.tryLock(), 0);
  const first = scene.sleep(scene.survivor, other.free);
  const second = scene.sleep(scene.third, third.free);
  mine.unlock();
  other.free.monitor.delist(first);
  assert.equal(other.tryLock(), 0);
  scene.machine.nowMs = 11;
  other.unlock();
  assert.ok(scene.isWoken(scene.third, second));
  assert.equal(mine.tryLock(), 0, "whoever is awake");
});

test("a mutex is not handed to a promise, whose event loop may be busy", () => {
  const scene = sceneAt(10);
  const [mine, other, third] = scene.of;
  assert.equal(mine.tryLock(), 0);
  const at = scene.survivor.nodes.claim() as Node;
  assert.ok(enlistFor(other.free, at, AWAITED, 1));
  mine.unlock();
  assert.ok(scene.isWoken(scene.survivor, at));
  assert.equal(third.tryLock(), 0);
});

test("who was handed a mutex and has not come for 20 ms has lost it to the next, and waits in front of all", () => {
  const scene = sceneAt(10);
  const [mine, other, third] = scene.of;
  assert.equal(mine.tryLock(), 0);
  const at = scene.sleep(scene.survivor, other.free);
  mine.unlock();
  scene.machine.nowMs = 30;
  assert.equal(third.tryLock(), EAGAIN);
  scene.machine.nowMs = 31;
  assert.ok(third.free.ready(1));
  assert.equal(third.tryLock(), 0);
  const behind = scene.sleep(scene.victim, mine.free);
  other.free.monitor.delist(at);
  assert.equal(other.tryLock(), EAGAIN);
  assert.ok(enlistFor(other.free, at, AWAITED, 1));
  third.unlock();
  assert.ok(scene.isWoken(scene.survivor, at));
  assert.ok(!scene.isWoken(scene.victim, behind));
});

test("a mutex that was handed to a wait which ends without it is free", () => {
  const scene = sceneAt(10);
  const [mine, other, third] = scene.of;
  assert.equal(mine.tryLock(), 0);
  const at = scene.sleep(scene.survivor, other.free);
  mine.unlock();
  other.free.monitor.delist(at);
  settleWake(other.free, true, EAGAIN, true);
  assert.equal(third.tryLock(), 0);
});

test("who was handed a mutex and has not looked does not hold it: unlocking is EPERM", () => {
  const scene = sceneAt(10);
  const [mine, other] = scene.of;
  assert.equal(mine.tryLock(), 0);
  scene.sleep(scene.survivor, other.free);
  mine.unlock();
  assert.equal(other.unlock(), EPERM);
  assert.equal(other.isHeldOnce(), false);
  assert.equal(other.tryLock(), 0);
  assert.equal(other.isHeldOnce(), true);
});

test("a task that dies before it comes for the mutex it was handed leaves it free, and whole", () => {
  const scene = sceneAt(10);
  const [mine, other, third] = scene.of;
  assert.equal(other.tryLock(), 0);
  scene.sleep(scene.victim, mine.free);
  const behind = scene.sleep(scene.third, third.free);
  other.unlock();
  scene.kill(() => {}, 0);
  assert.ok(scene.isWoken(scene.third, behind));
  assert.equal(third.tryLock(), 0);
});
