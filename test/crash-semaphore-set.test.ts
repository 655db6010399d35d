// Calls on a semaphore set, stopped after the n-th write, for every n. A task does some steps and dies in one of them; another
// dies in the repair, after any write too; the last then finds each call whole or not at all, with waiters who got what they were
// due, with what SEM_UNDO undoes undone, and with nothing left over when all is removed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { EAGAIN, ENOSPC } from "../src/abi/errno.ts";
import { IPC_NOWAIT, SEM_UNDO } from "../src/abi/flags.ts";
import { makingSemaphoreSet } from "../src/kernel/making.ts";
import type { System } from "../src/kernel/system.ts";
import { kinds, node, operationsNode, SELECT_OPERATIONS, semaphoreSet } from "../src/memory/layout.ts";
import { field, LINE_WORDS, type Word } from "../src/memory/words.ts";
import { OPERATION_BYTES, Operations } from "../src/objects/semaphore-operations.ts";
import type { SemaphoreSet } from "../src/objects/semaphore-set.ts";
import { BLOCKED, UNDECIDED } from "../src/objects/semaphore-values.ts";
import { Monitor } from "../src/sync/monitor.ts";
import { IDLE, type Node, WAITING } from "../src/sync/wait-list.ts";
import type { Description } from "../src/tasks/descriptors.ts";
import { Machine } from "./crash-fixture.ts";
import { dies, MortalWords } from "./memory-fixture.ts";

type Change = readonly [index: number, change: number, flags?: number];

const COUNT = 3;

function operations(...changes: readonly Change[]): Operations {
  const bytes = new Uint8Array(changes.length * OPERATION_BYTES);
  const view = new DataView(bytes.buffer);
  changes.forEach(([index, change, flags = 0], i) => {
    view.setUint16(OPERATION_BYTES * i, index, true);
    view.setInt16(OPERATION_BYTES * i + 2, change, true);
    view.setInt16(OPERATION_BYTES * i + 4, flags, true);
  });
  const decoded = new Operations();
  decoded.decode(bytes, 0, changes.length);
  return decoded;
}

/** One task's use of the set. */
class User {
  readonly system: System;
  readonly set: SemaphoreSet;
  readonly #used: Description;

  constructor(system: System, objectIndex: number) {
    this.system = system;
    this.#used = system.sysv.useSet(objectIndex) as Description;
    assert.ok(this.#used >= 0 && (this.#used as number) !== ENOSPC);
    this.set = system.setOf(objectIndex);
  }

  try(...changes: readonly Change[]): number {
    const wanted = operations(...changes);
    const undo = wanted.undoes ? this.system.sysv.adjustmentsOf(this.#used, this.set) : 0;
    assert.ok(undo >= 0);
    return this.set.tryOperate(wanted, undo);
  }

  values(): number[] {
    return this.set.values();
  }

  /** Waits as a task does that does not come to sleep: its node is in the list. */
  wait(...changes: readonly Change[]): Node {
    const { words, nodes } = this.system;
    const wanted = operations(...changes);
    const at = nodes.claim() as Node;
    assert.ok(Array.isArray(wanted.keep(words, nodes, at)));
    const undo = wanted.undoes ? this.system.sysv.adjustmentsOf(this.#used, this.set) : 0;
    words.set(field(at, operationsNode.UNDO), undo);
    words.set(field(at, operationsNode.RESULT), UNDECIDED);
    const monitor = new Monitor(this.system, this.set.word(semaphoreSet.MONITOR));
    const selector = { kind: SELECT_OPERATIONS, ...wanted.firstWords() };
    assert.ok(monitor.enlist(at, WAITING, 1, () => false, selector));
    return at;
  }

  /** What came of a wait. */
  resultOf(at: Node): number {
    return this.system.words.load(field(at, operationsNode.RESULT));
  }

  isListed(at: Node): boolean {
    return this.system.words.load(field(at, node.STATE)) === WAITING;
  }
}

interface Plan {
  readonly name: string;
  readonly before: readonly number[];
  /** What a living task waits for meanwhile. */
  readonly awaited?: readonly Change[];
  readonly run: (victim: User) => void;
  /** What the values may be once the task was buried, with the result of the wait, if there is one. */
  readonly allowed: readonly (readonly [values: readonly number[], result?: number])[];
}

const plans: readonly Plan[] = [
  {
    name: "one operation",
    before: [1, 0, 0],
    run: (victim) => assert.equal(victim.try([0, -1]), 0),
    allowed: [[[1, 0, 0]], [[0, 0, 0]]],
  },
  {
    name: "several operations",
    before: [1, 2, 3],
    run: (victim) => assert.equal(victim.try([0, -1], [1, 2], [2, -3], [1, -1]), 0),
    allowed: [[[1, 2, 3]], [[0, 3, 0]]],
  },
  {
    name: "several operations of which one cannot be done",
    before: [1, 2, 3],
    run: (victim) => assert.equal(victim.try([0, -1], [1, 2], [2, -4, IPC_NOWAIT]), EAGAIN),
    allowed: [[[1, 2, 3]]],
  },
  {
    name: "operations with SEM_UNDO",
    before: [2, 0, 1],
    run: (victim) => {
      assert.equal(victim.try([0, -1, SEM_UNDO]), 0);
      assert.equal(victim.try([0, -1, SEM_UNDO], [1, 1, SEM_UNDO], [2, 0, IPC_NOWAIT]), EAGAIN);
      assert.equal(victim.try([0, -1, SEM_UNDO], [1, 1, SEM_UNDO]), 0);
    },
    allowed: [[[2, 0, 1]]],
  },
  {
    name: "an operation with SEM_UNDO and one without",
    before: [2, 0, 0],
    run: (victim) => assert.equal(victim.try([0, -1, SEM_UNDO], [1, 1]), 0),
    allowed: [[[2, 0, 0]], [[2, 1, 0]]],
  },
  {
    name: "a setting, which clears what would be undone",
    before: [2, 2, 0],
    run: (victim) => {
      assert.equal(victim.try([0, -1, SEM_UNDO], [1, -1, SEM_UNDO]), 0);
      assert.equal(victim.set.set(0, 7), 0);
    },
    allowed: [[[2, 2, 0]], [[7, 2, 0]]],
  },
  {
    name: "a setting of all",
    before: [2, 2, 0],
    run: (victim) => {
      assert.equal(victim.try([0, -1, SEM_UNDO], [1, -1, SEM_UNDO]), 0);
      assert.equal(
        victim.set.setAll((i) => 5 + i),
        0,
      );
    },
    allowed: [[[2, 2, 0]], [[5, 6, 7]]],
  },
  {
    name: "giving to one who waits",
    before: [0, 0, 0],
    awaited: [[0, -1]],
    run: (victim) => assert.equal(victim.try([0, 1]), 0),
    allowed: [
      [[0, 0, 0], UNDECIDED],
      [[0, 0, 0], 0],
    ],
  },
  {
    name: "giving to one who waits for several, with SEM_UNDO",
    before: [0, 1, 0],
    awaited: [
      [0, -1, SEM_UNDO],
      [1, -1],
      [2, 1, SEM_UNDO],
    ],
    run: (victim) => assert.equal(victim.try([0, 2], [2, 1]), 0),
    allowed: [
      [[0, 1, 0], UNDECIDED],
      [[1, 0, 2], 0],
    ],
  },
  {
    name: "becoming zero for one who waits",
    before: [1, 0, 0],
    awaited: [
      [0, 0],
      [1, 0],
    ],
    run: (victim) => assert.equal(victim.try([0, -1]), 0),
    allowed: [
      [[1, 0, 0], UNDECIDED],
      [[0, 0, 0], 0],
    ],
  },
];

class Run {
  readonly machine = new Machine();
  readonly survivor: User;
  readonly usage: ReturnType<System["usage"]>;
  readonly objectIndex: number;
  readonly #plan: Plan;

  constructor(plan: Plan) {
    this.#plan = plan;
    const system = this.machine.attach();
    this.usage = system.usage();
    const making = makingSemaphoreSet(system.words, COUNT, 0o600);
    this.objectIndex = system.create({ kind: kinds.SEMAPHORE_SET, key: 7 }, making);
    this.survivor = new User(system, this.objectIndex);
    assert.equal(
      this.survivor.set.setAll((i) => plan.before[i] as number),
      0,
    );
  }

  /** A living task waits for what the plan says. */
  enlist(): Node | undefined {
    return this.#plan.awaited && this.survivor.wait(...this.#plan.awaited);
  }

  /** A task runs something and dies after so many writes; returns whether it did. */
  mortal(writes: number, run: (user: User) => void): boolean {
    const words = new MortalWords(this.machine.buffer);
    const world = this.machine.world();
    const user = new User(this.machine.attach(words, world), this.objectIndex);
    words.writesLeft = writes;
    const died = dies(() => run(user));
    this.machine.kill(world);
    return died;
  }

  check(waiting: Node | undefined, where: string): void {
    const { survivor } = this;
    survivor.system.reap();
    const values = survivor.values();
    const result = waiting && survivor.resultOf(waiting);
    const found = this.#plan.allowed.some(([of, is]) => String(of) === String(values) && is === result);
    assert.ok(found, `the values are ${values}, the waiter's result ${result} ${where}`);
    if (waiting) assert.equal(survivor.isListed(waiting), result === UNDECIDED, `the waiter is in the list ${where}`);
    for (let i = 0; i < COUNT; i++) assert.ok([0, BLOCKED].includes(survivor.try([i, 1], [i, -1])), where);
    assert.deepEqual(survivor.values(), values, `an operation and its reverse ${where}`);
  }

  /** The set is removed: nothing is left of it. */
  end(waiting: Node | undefined, where: string): void {
    const { system } = this.survivor;
    let announce = (): void => {};
    const remove = (): number => {
      announce = system.sysv.removeSetLocked(this.objectIndex);
      return 0;
    };
    assert.equal(
      system.transaction(remove, () => announce()),
      0,
    );
    if (waiting) assert.notEqual(this.survivor.resultOf(waiting), UNDECIDED, where);
    system.sysv.forgetRemoved();
    assert.deepEqual(system.usage(), this.usage, `nothing leaked ${where}`);
  }
}

for (const plan of plans) {
  test(`a death after any write of ${plan.name} leaves it whole or undone`, () => {
    for (let writes = 0; ; writes++) {
      const where = `after ${writes} writes of ${plan.name}`;
      const run = new Run(plan);
      const waiting = run.enlist();
      const died = run.mortal(writes, plan.run);
      run.check(waiting, where);
      run.end(waiting, where);
      if (!died) break;
      assert.ok(writes < 1000);
    }
  });

  test(`a death in the repair after ${plan.name}, after any write, is repaired by a third`, () => {
    for (let writes = 0; ; writes += 2) {
      let firstDied = false;
      for (let second = 0; ; second++) {
        const where = `after ${writes} writes of ${plan.name} and ${second} of the repair`;
        const run = new Run(plan);
        const waiting = run.enlist();
        firstDied = run.mortal(writes, plan.run);
        const died = run.mortal(second, ({ system, set }) => {
          system.reap();
          set.values();
        });
        run.check(waiting, where);
        run.end(waiting, where);
        if (!died) break;
      }
      if (!firstDied) break;
    }
  });
}

test("a removal that is cut off after any write leaves the set, or nothing of it, and the waiter knows", () => {
  for (let writes = 0; ; writes++) {
    const where = `after ${writes} writes`;
    const run = new Run({ name: "", before: [0, 0, 0], awaited: [[0, -1, SEM_UNDO]], run: () => {}, allowed: [] });
    const waiting = run.enlist() as Node;
    const died = run.mortal(writes, ({ system }) => {
      let announce = (): void => {};
      system.transaction(
        () => {
          announce = system.sysv.removeSetLocked(run.objectIndex);
          return 0;
        },
        () => announce(),
      );
    });
    const { system, set } = run.survivor;
    system.reap();
    if (set.removed) {
      system.sysv.forgetRemoved();
      assert.deepEqual(system.usage(), run.usage, `nothing leaked ${where}`);
    } else {
      assert.equal(run.survivor.resultOf(waiting), UNDECIDED, where);
      run.end(waiting, where);
    }
    if (!died) break;
  }
});

test("a burial that is cut off after any write of undoing undoes once, and whoever waits for it gets it", () => {
  for (let writes = 0; ; writes++) {
    const where = `after ${writes} writes of the burial`;
    const run = new Run({
      name: "",
      before: [1, 1, 0],
      awaited: [[0, -1]],
      run: () => {},
      allowed: [[[1, 0, 0], 0]],
    });
    run.mortal(Number.POSITIVE_INFINITY, (user) => {
      assert.equal(user.try([0, -1, SEM_UNDO], [2, 1, SEM_UNDO]), 0);
      assert.equal(user.try([0, 1, SEM_UNDO], [0, -1], [1, -1]), 0);
      assert.equal(user.try([0, 0, SEM_UNDO]), 0);
      assert.equal(user.try([0, 2], [0, -2, SEM_UNDO]), 0);
    });
    const waiting = run.enlist() as Node;
    const died = run.mortal(writes, ({ system }) => void system.reap());
    run.check(waiting, where);
    run.end(waiting, where);
    if (!died) break;
  }
});

test("what was taken for a task that died before it heard of it is given back, whoever dies in giving it back", () => {
  for (let writes = 0; ; writes++) {
    const where = `after ${writes} writes of the burial`;
    const run = new Run({ name: "", before: [0, 0, 0], run: () => {}, allowed: [[[2, 3, 0]]] });
    run.mortal(Number.POSITIVE_INFINITY, (user) => {
      user.wait([0, -2], [1, -1, SEM_UNDO]);
    });
    assert.equal(run.survivor.try([0, 2], [1, 3]), 0);
    assert.deepEqual(run.survivor.values(), [0, 2, 0], "it was done for the dead");
    const died = run.mortal(writes, ({ system }) => void system.reap());
    run.check(undefined, where);
    run.end(undefined, where);
    if (!died) break;
  }
});

test("what was given for a task that died before it heard of it stands: others may have used it", () => {
  const run = new Run({ name: "", before: [0, 0, 0], run: () => {}, allowed: [[[0, 1, 0]]] });
  run.mortal(Number.POSITIVE_INFINITY, (user) => {
    user.wait([0, -1], [1, 1]);
  });
  assert.equal(run.survivor.try([0, 1]), 0);
  run.check(undefined, "");
  run.end(undefined, "");
});

test("a waiter's many operations lie in more nodes, which go with it, and whose loss makes it nobody", () => {
  const run = new Run({ name: "", before: [0, 0, 0], run: () => {}, allowed: [[[1, 0, 0]]] });
  let at = 0 as Node;
  const nodesTaken = (): number => {
    const { words, geometry } = run.survivor.system;
    let taken = 0;
    for (let i = 0; i < geometry.limits.waitersMax; i++) {
      if (words.load(field(geometry.nodes, i * node.WORDS + node.OWNER)) !== 0) taken++;
    }
    return taken;
  };
  run.mortal(Number.POSITIVE_INFINITY, (user) => {
    at = user.wait(...Array.from({ length: 14 }, (): Change => [0, -1]), [1, 0]);
  });
  assert.equal(nodesTaken(), 4, "one, and three with six operations each at most");
  const { words } = run.survivor.system;
  const more = words.get(field(at, operationsNode.MORE)) as Word;
  words.store(field(more, node.OWNER), 0);
  assert.equal(run.survivor.try([0, 15]), 0);
  assert.equal(run.survivor.resultOf(at), UNDECIDED, "nothing is done for what is half there");
  assert.equal(run.survivor.try([0, -14]), 0);
  run.survivor.system.reap();
  assert.equal(nodesTaken(), 0);
  assert.equal(words.load(field(at, node.STATE)), IDLE);
  run.check(undefined, "");
  run.end(undefined, "");
});

test("a set's words that make no sense lead nowhere outside it", () => {
  const run = new Run({ name: "", before: [0, 0, 0], run: () => {}, allowed: [] });
  const { system, set } = run.survivor;
  for (const name of [semaphoreSet.PENDING, semaphoreSet.UNDO, semaphoreSet.SET_INDEX]) {
    for (const value of [-1, 1, 2, 3, 0x7fffffff, -(2 ** 31), system.geometry.nodes + 1]) {
      system.words.store(set.word(name), value);
      run.mortal(1, ({ set: other }) => void other.values()); // dies with the lock
      assert.equal(set.values().length, COUNT);
    }
  }
  assert.equal(set.word(0) % LINE_WORDS, 0);
});
