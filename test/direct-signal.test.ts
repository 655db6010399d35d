// A signal in two words: what is sent is what is taken, once, by the task that it was for.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ESRCH } from "../src/abi/errno.ts";
import { PID_BOUND } from "../src/abi/limits.ts";
import { SI_QUEUE, SI_USER } from "../src/abi/signals.ts";
import { task } from "../src/memory/layout.ts";
import { field, type Word, Words } from "../src/memory/words.ts";
import type { Pid } from "../src/sync/robust-lock.ts";
import { canComeDirectly, DirectSignal } from "../src/tasks/direct-signal.ts";
import type { SignalInfo } from "../src/tasks/signal-info.ts";
import { Machine } from "./crash-fixture.ts";
import { inMachineCode } from "./machine/interpreted-words.ts";
import { Random } from "./random.ts";

const seed = Number(process.env.SIGNAL_SEED ?? Date.now() % 1_000_000);
const SLOT = 256 as Word;
const OWNER = 7 as Pid;
const [SIGKILL, SIGUSR1, SIGUSR2, SIGCONT, SIGSTOP, SIGTSTP] = [9, 10, 12, 18, 19, 20];
const UID_MAX = 0x7fffffff;

const infoOf = (signal: number, pid = 3, uid = 1000): SignalInfo => ({ signal, code: SI_USER, pid, uid, value: 0n });

function begun(words = new Words(new SharedArrayBuffer(4096))): { words: Words; direct: DirectSignal } {
  DirectSignal.begin(words, SLOT, OWNER);
  return { words, direct: new DirectSignal(words, SLOT) };
}

for (const [how, Class] of [
  ["access by access", Words],
  ["in machine code", inMachineCode(Words)],
] as const) {
  test(`what is sent is what is taken, ${how} (SIGNAL_SEED=${seed})`, () => {
    const random = new Random(seed);
    const { direct } = begun(new Class(new SharedArrayBuffer(4096)));
    for (let i = 0; i < 2000; i++) {
      const pid = random.pick([1, PID_BOUND - 1, PID_BOUND / 2, 1 + random.below(PID_BOUND - 1)]);
      const uid = random.pick([0, 1000, UID_MAX, random.below(UID_MAX)]);
      const info = infoOf(random.pick([1, SIGUSR1, SIGUSR2, 15, 31]), pid, uid);
      assert.ok(canComeDirectly(info));
      assert.ok(direct.send(OWNER, info));
      assert.equal(direct.signal, info.signal);
      assert.equal(direct.bit, 1 << (info.signal - 1));
      assert.deepEqual(direct.take(OWNER), info);
      assert.equal(direct.take(OWNER), undefined);
      assert.equal(direct.bit, 0);
    }
  });
}

test("there is room for one", () => {
  const { direct } = begun();
  assert.ok(direct.send(OWNER, infoOf(SIGUSR1)));
  assert.ok(!direct.send(OWNER, infoOf(SIGUSR2)));
  assert.equal(direct.take(OWNER)?.signal, SIGUSR1);
  assert.ok(direct.send(OWNER, infoOf(SIGUSR2)));
});

test("nothing is sent to a task whose slot is another's by now", () => {
  const { words, direct } = begun();
  const next = (OWNER + 4) as Pid;
  assert.ok(direct.send(OWNER, infoOf(SIGUSR1)));
  DirectSignal.begin(words, SLOT, next);
  assert.equal(direct.signal, 0);
  assert.ok(!direct.send(OWNER, infoOf(SIGUSR1)));
  assert.ok(direct.send(next, infoOf(SIGUSR1)));
});

test("what comes while a slot becomes another's is not the new task's", () => {
  const next = (OWNER + 4) as Pid;
  for (const before of [0, 1]) {
    let left = before;
    class Interrupted extends Words {
      override set(word: Word, value: number): void {
        if (word >= field(SLOT, task.SIGNALS_DIRECT) && left-- === 0)
          new DirectSignal(this, SLOT).send(OWNER, infoOf(SIGUSR1));
        super.set(word, value);
      }
    }
    const words = new Interrupted(new SharedArrayBuffer(4096));
    words.int32[field(SLOT, task.SIGNALS_DIRECT + 1)] = OWNER;
    DirectSignal.begin(words, SLOT, next);
    assert.equal(new DirectSignal(words, SLOT).signal, 0, `sent before store ${before}`);
  }
});

test("it is taken back by its sender, unless the owner was quicker", () => {
  const { direct } = begun();
  const info = infoOf(SIGUSR1);
  assert.ok(direct.send(OWNER, info));
  assert.ok(!direct.takeBack(OWNER, infoOf(SIGUSR1, 4)), "it is another's");
  assert.ok(direct.takeBack(OWNER, info));
  assert.ok(direct.send(OWNER, infoOf(SIGUSR2)));
  assert.ok(!direct.takeBack(OWNER, info));
  assert.equal(direct.take(OWNER)?.signal, SIGUSR2);
});

test("a damaged word that names no signal is none", () => {
  const { words, direct } = begun();
  words.set(field(SLOT, task.SIGNALS_DIRECT), 32);
  assert.equal(direct.bit, 0);
  assert.equal(direct.take(OWNER), undefined);
});

test("what does not fit, or does more than to be pending, does not come directly", () => {
  for (const signal of [SIGKILL, SIGCONT, SIGSTOP, SIGTSTP, 0, 32, 33, 42, 64, -1])
    assert.ok(!canComeDirectly(infoOf(signal)), `signal ${signal}`);
  assert.ok(!canComeDirectly({ ...infoOf(SIGUSR1), code: SI_QUEUE }));
  assert.ok(!canComeDirectly({ ...infoOf(SIGUSR1), value: 1n }));
  assert.ok(!canComeDirectly(infoOf(SIGUSR1, 3, UID_MAX + 1)));
});

/** Two tasks, the second of which blocks SIGUSR1 and SIGUSR2. */
function pair() {
  const machine = new Machine();
  const [sender, owner] = [machine.attach(), machine.attach()];
  owner.signals.own.blocked = setOf(SIGUSR1, SIGUSR2);
  return { machine, sender, owner };
}

const setOf = (...signals: number[]): bigint => signals.reduce((set, one) => set | (1n << BigInt(one - 1)), 0n);
const BOTH = setOf(SIGUSR1, SIGUSR2);

test("a signal that is pending is not pending twice, whichever way it came, and keeps what is known of it", () => {
  for (const first of [SI_USER, SI_QUEUE]) {
    const { sender, owner } = pair();
    assert.equal(sender.signals.kill(owner.pid, SIGUSR1, first), 0);
    assert.equal(sender.signals.kill(owner.pid, SIGUSR1, first === SI_USER ? SI_QUEUE : SI_USER), 0);
    assert.equal(owner.signals.own.pending, setOf(SIGUSR1));
    assert.equal(owner.signals.take(BOTH)?.code, first);
    assert.equal(owner.signals.take(BOTH), undefined);
  }
});

test("two of a kind that were sent at one time, one directly, are taken once", () => {
  const { sender, owner } = pair();
  sender.signals.kill(owner.pid, SIGUSR1, SI_QUEUE, 5n);
  assert.ok(new DirectSignal(owner.words, slotOf(owner)).send(owner.pid, infoOf(SIGUSR1))); // as by one who has looked before
  assert.equal(owner.signals.take(BOTH)?.value, 5n);
  assert.equal(owner.signals.own.pending, 0n);
  assert.equal(owner.signals.take(BOTH), undefined);
});

test("a task that is dead gets none, and its sender is told so", () => {
  const { machine, sender, owner } = pair();
  machine.kill(owner.world);
  assert.equal(sender.signals.kill(owner.pid, SIGUSR1), ESRCH);
  assert.equal(owner.signals.own.pending, 0n);
});

test("the lowest is taken first, whichever way it came", () => {
  for (const [first, second] of [
    [SIGUSR1, SIGUSR2],
    [SIGUSR2, SIGUSR1],
  ] as const) {
    const { sender, owner } = pair();
    for (const signal of [first, second]) assert.equal(sender.signals.kill(owner.pid, signal), 0);
    assert.deepEqual([owner.signals.take(BOTH)?.signal, owner.signals.take(BOTH)?.signal], [SIGUSR1, SIGUSR2]);
  }
});

test("one that was sent directly is forgotten by who ignores it", () => {
  const { sender, owner } = pair();
  sender.signals.kill(owner.pid, SIGUSR1);
  owner.signals.ignore(SIGUSR1);
  assert.equal(owner.signals.own.pending, 0n);
});

test("one that is sent while it comes to be ignored is nobody's", () => {
  const { sender, owner } = pair();
  owner.signals.own.blocked = 0n;
  owner.signals.catch(SIGUSR1, { run: () => {}, mask: 0n, restart: false, once: false, nodefer: false });
  const target = sender.signals.of(owner.pid);
  let seen = -1n;
  const pairwise = sender.words.compareExchangePair.bind(sender.words);
  let looks = 0;
  Object.assign(sender.words, {
    compareExchangePair: (...args: Parameters<typeof pairwise>): boolean => {
      if (looks++ === 0) owner.signals.ignore(SIGUSR1); // it was caught when its sender looked
      const done = pairwise(...args);
      if (looks === 1) seen = owner.signals.own.pending;
      return done;
    },
  });
  assert.equal(target.postDirect(owner.pid, infoOf(SIGUSR1)), 1);
  assert.equal(seen, 0n, "nor is it seen to be pending for a moment");
  assert.equal(owner.signals.own.pending, 0n);
  assert.equal(owner.signals.take(setOf(SIGUSR1)), undefined);
});

const slotOf = (system: ReturnType<Machine["attach"]>): Word =>
  field(system.geometry.tasks, (system.pid - 1) * task.WORDS);
