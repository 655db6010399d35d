// Every write of locking, unlocking and waking is a point where the task may die: the survivor buries it, and whoever waits goes
// on.

import assert from "node:assert/strict";
import { test } from "node:test";
import { EAGAIN } from "../src/abi/errno.ts";
import { makingBarrier, makingCondition, makingMutex, makingRwlock, makingSemaphore } from "../src/kernel/making.ts";
import { kinds, mutexTypes } from "../src/memory/layout.ts";
import { Barrier } from "../src/objects/barrier.ts";
import { Condition } from "../src/objects/condition.ts";
import { Mutex } from "../src/objects/mutex.ts";
import { ReadWriteLock } from "../src/objects/rwlock.ts";
import { Semaphore } from "../src/objects/semaphore.ts";
import { AWAITED, type Node } from "../src/sync/wait-list.ts";
import { atEveryWrite, Scene } from "./lock-scene.ts";

const MODE = 0o600;

const mutexScene = (): Scene<Mutex> =>
  new Scene(kinds.MUTEX, (system) => makingMutex(system.words, mutexTypes.NORMAL, MODE), Mutex);
const rwlockScene = (): Scene<ReadWriteLock> =>
  new Scene(kinds.RWLOCK, (system) => makingRwlock(system.words, system.geometry.limits.tasksMax, MODE), ReadWriteLock);

test("a death after any write of locking and unlocking a mutex lets the next one in, once", () => {
  atEveryWrite((writes) => {
    const scene = mutexScene();
    const [mine, other, third] = scene.of;
    const at = scene.wait(scene.survivor, other.free);
    const died = scene.kill(() => {
      mine.tryLock();
      mine.unlock();
    }, writes);
    assert.equal(other.owner, 0, `after ${writes} writes`);
    // Whoever waits was woken, or finds it free by itself at the end of its slice.
    assert.ok(scene.isWoken(scene.survivor, at) || other.free.ready(1));
    other.free.monitor.delist(at);
    assert.ok(other.tryLock() >= 0);
    assert.equal(third.tryLock(), EAGAIN);
    other.markConsistent();
    assert.equal(other.unlock(), 0);
    assert.equal(third.tryLock(), 0);
    return died;
  });
});

test("a death with a mutex held, whose undertaker dies too, after any write, still gives it to the next", () => {
  atEveryWrite((writes) => {
    const scene = mutexScene();
    const [mine, other] = scene.of;
    assert.equal(other.tryLock(), 0);
    const at = scene.wait(scene.third, scene.of[2].free);
    scene.machine.kill(scene.survivor.world); // its owner
    const died = scene.kill(() => scene.victim.reap(), writes);
    scene.third.reap();
    assert.equal(mine.owner, 0);
    assert.ok(scene.isWoken(scene.third, at) || scene.of[2].free.ready(1), `after ${writes} writes`);
    scene.of[2].free.monitor.delist(at);
    assert.equal(scene.of[2].tryLock(), 1, "with the news");
    return died;
  });
});

test("a death after any write of handing a mutex to one that sleeps gives it to that one, or to whoever looks, once", () => {
  atEveryWrite((writes) => {
    const scene = mutexScene();
    const [mine, other, third] = scene.of;
    assert.equal(mine.tryLock(), 0);
    const at = scene.sleep(scene.survivor, other.free);
    scene.machine.nowMs = 10;
    const died = scene.kill(() => void mine.unlock(), writes);
    assert.ok(scene.isWoken(scene.survivor, at) || other.free.ready(1), `after ${writes} writes`);
    other.free.monitor.delist(at);
    assert.ok(other.tryLock() >= 0);
    assert.equal(third.tryLock(), EAGAIN);
    other.markConsistent();
    assert.equal(other.unlock(), 0);
    assert.equal(third.tryLock(), 0);
    return died;
  });
});

test("a task that dies after any write of taking the mutex that it was handed leaves it to the next", () => {
  atEveryWrite((writes) => {
    const scene = mutexScene();
    const [mine, other, third] = scene.of;
    assert.equal(other.tryLock(), 0);
    const at = scene.sleep(scene.victim, mine.free);
    scene.machine.nowMs = 10;
    other.unlock();
    assert.equal(third.tryLock(), EAGAIN, "it is the victim's");
    const died = scene.kill(() => {
      mine.free.monitor.delist(at);
      mine.tryLock();
    }, writes);
    const isNews = third.tryLock();
    assert.ok(isNews >= 0, `after ${writes} writes`);
    if (!died) assert.equal(isNews, 1, "it held it");
    if (writes === 0) assert.equal(isNews, 0, "it had done nothing yet");
    return died;
  });
});

for (const [name, run] of [
  ["reading", (lock: ReadWriteLock) => lock.tryRead()],
  ["writing", (lock: ReadWriteLock) => lock.tryWrite()],
] as const) {
  test(`a death after any write of locking for ${name} and unlocking leaves the lock free for all`, () => {
    atEveryWrite((writes) => {
      const scene = rwlockScene();
      const [mine, other, third] = scene.of;
      const died = scene.kill(() => {
        assert.equal(run(mine), 0);
        mine.unlock();
      }, writes);
      assert.equal(other.tryWrite(), 0, `after ${writes} writes`);
      assert.equal(third.tryRead(), EAGAIN);
      other.unlock();
      assert.deepEqual([other.tryRead(), third.tryRead()], [0, 0]);
      return died;
    });
  });

  test(`a death after any write of ${name}, unlocking and letting others in lets them in`, () => {
    atEveryWrite((writes) => {
      const scene = rwlockScene();
      const [mine, other, third] = scene.of;
      let died = false;
      let at: Node | undefined;
      died = scene.kill(() => {
        run(mine);
        scene.words.writesLeft = Number.POSITIVE_INFINITY;
        at = scene.wait(scene.survivor, other.writing.condition);
        scene.words.writesLeft = writes;
        mine.unlock();
      }, Number.POSITIVE_INFINITY);
      assert.ok(at);
      assert.ok(scene.isWoken(scene.survivor, at) || other.writing.condition.ready(1), `after ${writes} writes`);
      other.writing.condition.monitor.delist(at);
      assert.equal(other.tryWrite(true), 0);
      other.unlock();
      assert.equal(third.tryRead(), 0);
      return died;
    });
  });
}

test("a writer that dies while it waits, after any write, keeps no reader out", () => {
  atEveryWrite((writes) => {
    const scene = rwlockScene();
    const [mine, other, third] = scene.of;
    assert.equal(other.tryRead(), 0);
    const { condition } = mine.writing;
    const died = scene.kill(() => {
      const at = scene.victim.nodes.claim() as Node;
      condition.monitor.enlist(at, AWAITED, 1, condition.ready, condition.selector);
    }, writes);
    assert.equal(third.tryRead(), 0, `after ${writes} writes`);
    return died;
  });
});

test("a death after any write of a post leaves the value or one more, and who waits is woken or looks", () => {
  atEveryWrite((writes) => {
    const scene = new Scene(kinds.SEMAPHORE, (system) => makingSemaphore(system.words, 0, MODE), Semaphore);
    const [mine, other] = scene.of;
    const at = scene.wait(scene.survivor, other.positive);
    const died = scene.kill(() => void mine.post(), writes);
    assert.ok([0, 1].includes(other.value));
    if (other.value === 1) assert.ok(scene.isWoken(scene.survivor, at) || other.positive.ready(1));
    other.positive.monitor.delist(at);
    assert.equal(other.post(), 0);
    assert.equal(other.tryWait(), 0, `after ${writes} writes`);
    return died;
  });
});

test("a signal to a task that has been woken, and dies before it looks, goes to the next", () => {
  const scene = new Scene(kinds.CONDITION, () => makingCondition(MODE), Condition);
  const [mine, other, third] = scene.of;
  const first = scene.wait(scene.victim, mine.signalled);
  const next = scene.wait(scene.survivor, other.signalled);
  third.signal();
  assert.ok(scene.isWoken(scene.third, first));
  assert.ok(!scene.isWoken(scene.third, next));
  scene.kill(() => {}, 0);
  assert.ok(scene.isWoken(scene.third, next));
});

test("a death after any write of opening a barrier opens it for all that have come, or for none", () => {
  atEveryWrite((writes) => {
    const scene = new Scene(kinds.BARRIER, (system) => makingBarrier(system.words, 2, MODE), Barrier);
    const [mine, other, third] = scene.of;
    const { open, attempt } = other.arrive();
    const at = scene.survivor.nodes.claim() as Node;
    assert.ok(open.monitor.enlist(at, AWAITED, 1, open.ready));
    const died = scene.kill(() => void mine.arrive().attempt(false), writes);
    const isOpen = open.ready(1);
    if (scene.isWoken(scene.survivor, at)) assert.ok(isOpen, `after ${writes} writes`);
    if (isOpen) {
      open.monitor.delist(at);
      assert.equal(attempt(true), 0);
    } else {
      assert.equal(third.arrive().attempt(false), 1, "another one opens it");
      assert.ok(scene.isWoken(scene.survivor, at));
    }
    return died;
  });
});
