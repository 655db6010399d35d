// Spawning, ending and waiting, stopped after the n-th write, for every n: a parent is told of each child once, with one SIGCHLD
// at least, nobody is stuck, and when all is over the kernel uses what it used before.

import assert from "node:assert/strict";
import { constants } from "node:os";
import { test } from "node:test";
import { ECHILD, ENOENT } from "../src/abi/errno.ts";
import { bitOf, NO_SIGNALS, SIGCHLD, SIGKILL, SIGSTOP } from "../src/abi/signals.ts";
import { CONTINUED_STATUS, exitedStatus, killedStatus, stoppedStatus } from "../src/abi/wait.ts";
import { type ChildStatus, childrenByPid } from "../src/kernel/children.ts";
import type { Opened } from "../src/kernel/opening.ts";
import type { System } from "../src/kernel/system.ts";
import { task } from "../src/memory/layout.ts";
import { field, type Word, Words } from "../src/memory/words.ts";
import { taskSlot } from "../src/sync/bell.ts";
import type { Pid } from "../src/sync/robust-lock.ts";
import type { World } from "../src/sync/world.ts";
import { Machine, makePipe } from "./crash-fixture.ts";
import { dies, MortalWords } from "./memory-fixture.ts";

const { SIGHUP, SIGTERM } = constants.signals;
const STATUS = exitedStatus(7);
const KILLED = killedStatus(SIGKILL);
const ANY = { which: "any", ended: true, stopped: true, continued: true, leave: false } as const;

/** A parent that blocks SIGCHLD and has a pipe open, and somebody who looks after all. */
class Family {
  readonly machine = new Machine();
  readonly onlooker = this.machine.attach();
  readonly usage = this.onlooker.usage();
  readonly parentWords = new MortalWords(this.machine.buffer);
  readonly childWords = new MortalWords(this.machine.buffer);
  readonly parent = this.machine.attach(this.parentWords);
  readonly ends: Opened[];
  childWorld: World | undefined;

  constructor() {
    this.parent.signals.own.blocked = bitOf(SIGCHLD);
    this.ends = makePipe(this.parent);
  }

  reserve(): Pid {
    return this.parent.reserveChild({ blocked: 0n, ignored: 0n }) as Pid;
  }

  begin(pid: Pid): System {
    this.childWorld = this.machine.world();
    return this.machine.attach(this.childWords, this.childWorld, { parentPid: this.parent.pid, pid });
  }

  /** The child's thread is gone, however far it came. */
  endChild(): void {
    if (this.childWorld) this.machine.kill(this.childWorld);
  }

  look(): ChildStatus | number {
    return this.parent.children.look(ANY);
  }

  get isTold(): boolean {
    return (this.parent.signals.own.pending & bitOf(SIGCHLD)) !== NO_SIGNALS;
  }

  checkAllOver(where: string): void {
    this.machine.kill(this.parent.world);
    this.onlooker.reap();
    this.onlooker.reap();
    assert.deepEqual(this.onlooker.usage(), this.usage, `nothing leaked ${where}`);
  }
}

/** Calls back before each access that others may see. */
class WatchedWords extends Words {
  before: () => void = () => {};

  override load(word: Word): number {
    this.before();
    return super.load(word);
  }

  override store(word: Word, value: number): void {
    this.before();
    super.store(word, value);
  }

  override compareExchange(word: Word, expected: number, value: number): number {
    this.before();
    return super.compareExchange(word, expected, value);
  }

  override compareExchange64(word: Word, expected: bigint, value: bigint): bigint {
    this.before();
    return super.compareExchange64(word, expected, value);
  }
}

/** Runs with a death after each number of writes, until it lives through. */
function overDeaths(run: (writes: number) => boolean): void {
  for (let writes = 0; run(writes); writes++);
}

const statusOf = (found: ChildStatus | number): number => {
  assert.ok(typeof found !== "number", `news, not ${found}`);
  return found.status;
};

test("a parent that dies at any write of making a child leaves no task, and no descriptor", () => {
  overDeaths((writes) => {
    const family = new Family();
    family.parentWords.writesLeft = writes;
    const died = dies(() => family.reserve());
    family.checkAllOver(`after ${writes} writes`);
    return died;
  });
});

test("a child that dies at any write of attaching was killed, for its parent, once and with a SIGCHLD", () => {
  overDeaths((writes) => {
    const where = `after ${writes} writes`;
    const family = new Family();
    const pid = family.reserve();
    family.childWords.writesLeft = writes;
    const died = dies(() => family.begin(pid));
    family.endChild();
    family.parent.reaper.hostEnded(pid, KILLED); // what the host tells the parent
    family.onlooker.reap();
    assert.ok(family.isTold, where);
    assert.deepEqual(family.look(), { pid, uid: 0, status: KILLED }, where);
    assert.equal(family.look(), ECHILD, where);
    family.checkAllOver(where);
    return died;
  });
});

test("a child that ends takes nothing from the next one in its place, whenever its parent waits for it and makes that", () => {
  /** Before which of its accesses, once it is a zombie, the parent does the one and the other; returns whether there are so many. */
  const runs = (waitsAt: number, makesAt: number): boolean => {
    const family = new Family();
    const pid = family.reserve();
    const words = new WatchedWords(family.machine.buffer);
    const child = family.machine.attach(words, family.machine.world(), { parentPid: family.parent.pid, pid });
    let next = 0 as Pid;
    let isZombie = false;
    let accesses = 0;
    words.before = () => {
      isZombie ||= family.onlooker.tasks.isZombie(pid);
      if (!isZombie) return;
      accesses++;
      if (accesses === waitsAt) assert.deepEqual(family.look(), { pid, uid: 0, status: STATUS });
      if (accesses === makesAt) next = family.reserve();
    };
    child.detach(STATUS);
    if (next === 0) return false;
    assert.equal(taskSlot(child.geometry, next), taskSlot(child.geometry, pid), "it is in its place");
    assert.equal(family.look(), ENOENT, `waited for before access ${waitsAt}, made before access ${makesAt}`);
    assert.equal(family.begin(next).pid, next);
    return true;
  };
  for (let waitsAt = 1; runs(waitsAt, waitsAt); waitsAt++) {
    for (let makesAt = waitsAt + 1; runs(waitsAt, makesAt); makesAt++);
  }
});

test("a child that dies at any write of ending has ended so or was killed, for its parent, once and with a SIGCHLD", () => {
  overDeaths((writes) => {
    const where = `after ${writes} writes`;
    const family = new Family();
    const pid = family.reserve();
    const child = family.begin(pid);
    family.childWords.writesLeft = writes;
    const died = dies(() => child.detach(STATUS));
    if (died) family.endChild();
    family.onlooker.reap();
    assert.ok(family.isTold, where);
    const status = statusOf(family.look());
    assert.ok((died ? [STATUS, KILLED] : [STATUS]).includes(status), `status ${status} ${where}`);
    assert.equal(family.look(), ECHILD, where);
    family.checkAllOver(where);
    return died;
  });
});

for (const { host, reported } of [
  { host: killedStatus(SIGKILL), reported: killedStatus(SIGHUP) },
  { host: killedStatus(SIGTERM), reported: killedStatus(SIGTERM) },
  { host: STATUS, reported: STATUS },
]) {
  test(`a child that was sent SIGHUP, and ended as the host says with ${host}, has ended with ${reported}`, () => {
    const family = new Family();
    const pid = family.reserve();
    family.begin(pid);
    const slot = taskSlot(family.parent.geometry, pid);
    family.parentWords.store(field(slot, task.ENDED_BY), SIGHUP);
    family.endChild();
    family.parent.reaper.hostEnded(pid, host);
    assert.equal(statusOf(family.look()), reported);
  });
}

test("an undertaker that dies at any write of burying a child leaves the rest to the next: its parent is told once", () => {
  overDeaths((writes) => {
    const where = `after ${writes} writes`;
    const family = new Family();
    const pid = family.reserve();
    family.begin(pid);
    family.endChild();
    const words = new MortalWords(family.machine.buffer);
    const world = family.machine.world();
    const undertaker = family.machine.attach(words, world);
    words.writesLeft = writes;
    const died = dies(() => void undertaker.reap());
    family.machine.kill(world);
    family.onlooker.reap();
    assert.ok(family.isTold, where);
    assert.equal(statusOf(family.look()), KILLED, where);
    family.parent.reaper.hostEnded(pid, STATUS); // too late: it has been waited for
    assert.equal(family.look(), ECHILD, where);
    family.checkAllOver(where);
    return died;
  });
});

test("a parent that dies at any write of waiting for a child takes its zombies with it", () => {
  overDeaths((writes) => {
    const family = new Family();
    for (let i = 0; i < 2; i++) {
      const child = family.begin(family.reserve());
      child.detach(STATUS);
    }
    family.parentWords.writesLeft = writes;
    const died = dies(() => assert.equal(statusOf(family.look()), STATUS));
    family.checkAllOver(`after ${writes} writes`);
    return died;
  });
});

test("a parent that dies at any write of leaving takes its zombies with it, and its other children live on", () => {
  overDeaths((writes) => {
    const where = `after ${writes} writes`;
    const family = new Family();
    family.begin(family.reserve()).detach(STATUS);
    const living = family.begin(family.reserve());
    family.parentWords.writesLeft = writes;
    const died = dies(() => family.parent.detach());
    family.machine.kill(family.parent.world);
    family.onlooker.reap();
    family.onlooker.reap();
    assert.deepEqual(
      family.onlooker.tasks.list().map(({ pid, parentPid }) => [pid, parentPid]),
      [
        [family.onlooker.pid, 0],
        [living.pid, 0],
      ],
      where,
    );
    living.detach(STATUS);
    family.checkAllOver(where);
    return died;
  });
});

test("what the host says of a child's end is better than what its undertaker could guess", () => {
  const family = new Family();
  const pid = family.reserve();
  family.begin(pid);
  family.endChild();
  family.onlooker.reap();
  family.parent.reaper.hostEnded(pid, STATUS);
  assert.equal(statusOf(family.look()), STATUS);
});

test("a death at any write of telling that a child has stopped, or goes on, leaves it so or not", () => {
  for (const first of ["stop", "continue"] as const) {
    overDeaths((writes) => {
      const where = `${first} after ${writes} writes`;
      const family = new Family();
      const pid = family.reserve();
      const child = family.begin(pid);
      const slot = taskSlot(family.machine.geometry, pid);
      const words = new MortalWords(family.machine.buffer);
      const world = family.machine.world();
      const sender = family.machine.attach(words, world);
      if (first === "continue") sender.children.noteStop(slot, SIGSTOP);
      words.writesLeft = writes;
      const died = dies(() =>
        first === "stop" ? sender.children.noteStop(slot, SIGSTOP) : sender.children.noteContinue(slot),
      );
      family.machine.kill(world);
      family.onlooker.reap();
      const found = family.look();
      const told = typeof found === "number" ? found : found.status;
      const [before, after] = [
        first === "stop" ? ENOENT : stoppedStatus(SIGSTOP),
        first === "stop" ? stoppedStatus(SIGSTOP) : CONTINUED_STATUS,
      ];
      assert.ok((died ? [before, after] : [after]).includes(told), `${told} ${where}`);
      if (told !== ENOENT) assert.ok(family.isTold, where);
      assert.equal(family.look(), ENOENT, where);
      child.detach();
      family.checkAllOver(where);
      return died;
    });
  }
});

test("waitpid's numbers are one child, a group, or any", () => {
  assert.deepEqual([5, -1, 0, -5].map(childrenByPid), [{ pid: 5 }, "any", { group: 0 }, { group: 5 }]);
});
