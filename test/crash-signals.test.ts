// Signals, stopped after the n-th write, for every n: a sender that dies while it sends, a receiver that dies while it takes or
// clears, and who buries it too. The pending set and what is known of each signal agree, and nothing of either is lost.

import assert from "node:assert/strict";
import { test } from "node:test";
import { EAGAIN, EINTR } from "../src/abi/errno.ts";
import { ALL_SIGNALS, bitOf, SI_QUEUE, SI_USER, SIGCONT, SIGNAL_MAX } from "../src/abi/signals.ts";
import { changeSignals, makeSignalFile } from "../src/kernel/calls/signal-file.ts";
import { makingSemaphoreSet } from "../src/kernel/making.ts";
import type { Opened } from "../src/kernel/opening.ts";
import type { System } from "../src/kernel/system.ts";
import { kinds, signalInfo, task } from "../src/memory/layout.ts";
import { field, LINE_WORDS, type Word } from "../src/memory/words.ts";
import { Operations } from "../src/objects/semaphore-operations.ts";
import type { SemaphoreSet } from "../src/objects/semaphore-set.ts";
import { taskSlot } from "../src/sync/bell.ts";
import { blockUntilAny } from "../src/sync/polling.ts";
import { blockUntil, FOR_EVER } from "../src/sync/waiting.ts";
import { Machine, makePipe, undertakerDies } from "./crash-fixture.ts";
import { dies, MortalWords } from "./memory-fixture.ts";

const [SIGHUP, SIGUSR1, SIGTSTP, SIGTTIN, SIGTTOU, SIGSTOP, REAL_TIME] = [1, 10, 20, 21, 22, 19, 40] as const;

/** What is known of the signals of a task, in order: "signal:value". */
function known({ words, geometry }: System, of: System): string[] {
  const slot = taskSlot(geometry, of.pid);
  const all: string[] = [];
  let line = words.load(field(slot, task.SIGNALS_QUEUE));
  for (; line !== 0; ) {
    const at = (line * LINE_WORDS) as Word;
    all.push(`${words.load(field(at, signalInfo.SIGNAL))}:${words.load(field(at, signalInfo.VALUE))}`);
    line = words.load(field(at, signalInfo.NEXT));
  }
  assert.equal(words.load(field(slot, task.SIGNALS_QUEUED)), all.length, "they are counted");
  return all;
}

/** What a receiver that blocks everything has pending, seen by another: the set and what is known of each agree. */
function pendingOf(looker: System, of: System): string[] {
  const all = known(looker, of);
  const set = looker.signals.of(of.pid).pending;
  for (let signal = 1; signal <= SIGNAL_MAX; signal++) {
    const isKnown = all.some((one) => one.startsWith(`${signal}:`));
    assert.equal((set & bitOf(signal)) !== 0n, isKnown, `signal ${signal} is pending and known, or neither`);
  }
  return all;
}

function send(from: System, to: System, signal: number, value = 0): number {
  const code = signal >= REAL_TIME ? SI_QUEUE : SI_USER;
  return from.signals.send(to.pid, { signal, code, pid: from.pid, uid: 0, value: BigInt(value) });
}

/** Sends each signal with its place among them as its value. */
function sendAll(from: System, to: System, signals: readonly number[]): void {
  signals.forEach((signal, i) => {
    assert.equal(send(from, to, signal, i + 1), 0);
  });
}

/** Runs `scenario` with a death after 0, 1, 2… writes, until the victim lives. */
function atEveryWrite(scenario: (words: MortalWords, machine: Machine) => (where: string) => boolean): void {
  for (let writes = 0; ; writes++) {
    const machine = new Machine();
    const words = new MortalWords(machine.buffer);
    const run = scenario(words, machine);
    words.writesLeft = writes;
    if (!run(`after ${writes} writes`)) return;
  }
}

const sendings = [
  { name: "a standard signal", before: [SIGHUP], sent: SIGUSR1, after: [`${SIGUSR1}:9`] },
  { name: "one that is pending already", before: [SIGUSR1], sent: SIGUSR1, after: [] },
  { name: "a real-time signal behind others", before: [REAL_TIME, SIGHUP], sent: REAL_TIME, after: [`${REAL_TIME}:9`] },
  {
    name: "SIGCONT, which takes all stop signals away",
    before: [SIGTSTP, SIGHUP, SIGTTIN, SIGTTOU, REAL_TIME],
    sent: SIGCONT,
    after: [`${SIGCONT}:9`],
  },
  {
    name: "a stop signal, which takes SIGCONT away",
    before: [SIGCONT, SIGHUP],
    sent: SIGTSTP,
    after: [`${SIGTSTP}:9`],
  },
] as const;

for (const { name, before, sent, after } of sendings) {
  test(`a task dies at any write while it sends ${name}: it was sent or not`, () => {
    const gone = (one: string): boolean => {
      const signal = Number(one.split(":")[0]);
      if (sent === SIGCONT) return signal >= SIGSTOP && signal <= SIGTTOU;
      return sent === SIGTSTP && signal === SIGCONT;
    };
    const old = before.map((signal, i) => `${signal}:${i + 1}`);
    const wholly = [...old.filter((one) => !gone(one)), ...after];
    const seen = new Set<string>();
    atEveryWrite((words, machine) => {
      const receiver = machine.attach();
      const usage = receiver.usage();
      receiver.signals.own.blocked = ALL_SIGNALS;
      sendAll(receiver, receiver, before);
      const victim = machine.attach(words);
      return (where) => {
        const died = dies(() => assert.equal(send(victim, receiver, sent, 9), 0));
        machine.kill(victim.world);
        receiver.reap();
        const now = pendingOf(receiver, receiver);
        const expected = died ? [old, wholly] : [wholly];
        assert.ok(
          expected.some((one) => one.join() === now.join()),
          `${now} ${where}`,
        );
        seen.add(now.join());
        const taken: string[] = [];
        for (let info = receiver.signals.take(ALL_SIGNALS); info; info = receiver.signals.take(ALL_SIGNALS))
          taken.push(`${info.signal}:${info.value}`);
        const bySignal = (a: string, b: string): number => Number.parseInt(a, 10) - Number.parseInt(b, 10);
        assert.deepEqual(taken, [...now].sort(bySignal), `all can be taken ${where}`);
        assert.deepEqual(receiver.usage(), usage, `nothing leaked ${where}`);
        return died;
      };
    });
    assert.deepEqual([...seen].sort(), [...new Set([old.join(), wholly.join()])].sort(), "both happened");
  });
}

const many = Array.from({ length: 11 }, () => REAL_TIME);
const receivings: readonly { name: string; before: readonly number[]; run: (victim: System) => void }[] = [
  { name: "takes a standard signal", before: [SIGHUP, SIGUSR1], run: ({ signals }) => void signals.take(ALL_SIGNALS) },
  {
    name: "takes the first of several real-time signals",
    before: [REAL_TIME, REAL_TIME, SIGHUP],
    run: ({ signals }) => void signals.take(bitOf(REAL_TIME)),
  },
  {
    name: "clears more than one transaction holds",
    before: [SIGHUP, ...many],
    run: ({ signals }) => signals.clear(bitOf(REAL_TIME)),
  },
  {
    name: "ignores a signal that is pending",
    before: [SIGHUP, SIGUSR1],
    run: ({ signals }) => void signals.ignore(SIGUSR1),
  },
  {
    name: "unblocks, and ignores what comes of it",
    before: [SIGHUP, REAL_TIME],
    run: ({ signals }) => {
      for (const signal of [SIGHUP, REAL_TIME]) signals.own.ignored |= bitOf(signal);
      signals.own.blocked = 0n;
      signals.deliver();
    },
  },
  { name: "leaves", before: [SIGHUP, ...many], run: (victim) => victim.detach() },
];

for (const { name, before, run } of receivings) {
  test(`a task dies at any write while it ${name}: nothing is left of it`, () => {
    atEveryWrite((words, machine) => {
      const survivor = machine.attach();
      const usage = survivor.usage();
      const victim = machine.attach(words);
      victim.signals.own.blocked = ALL_SIGNALS;
      sendAll(survivor, victim, before);
      return (where) => {
        const died = dies(() => run(victim));
        machine.kill(victim.world);
        survivor.reap();
        assert.deepEqual(survivor.usage(), usage, `nothing leaked ${where}`);
        const next = machine.attach();
        assert.deepEqual(pendingOf(survivor, next), [], `whoever comes next has no signals ${where}`);
        return died;
      };
    });
  });
}

test("who buries a task with signals dies at any write, and the next goes on", () => {
  for (let writes = 0; ; writes++) {
    const machine = new Machine();
    const survivor = machine.attach();
    const usage = survivor.usage();
    const victim = machine.attach();
    victim.signals.own.blocked = ALL_SIGNALS;
    sendAll(survivor, victim, [SIGHUP, SIGUSR1, ...many]);
    const died = undertakerDies({ machine, victim }, writes);
    survivor.reap();
    assert.deepEqual(survivor.usage(), usage, `after ${writes} writes`);
    if (!died) return;
  }
});

test("a task dies at any write while it makes a signal file, or gives it other signals: it has the old or the new ones", () => {
  atEveryWrite((words, machine) => {
    const survivor = machine.attach();
    const usage = survivor.usage();
    const victim = machine.attach(words);
    return (where) => {
      const died = dies(() => {
        const made = makeSignalFile(victim, ALL_SIGNALS, 0, false) as Opened;
        victim.close(made.descriptor);
      });
      machine.kill(victim.world);
      survivor.reap();
      assert.deepEqual(survivor.usage(), usage, `nothing leaked ${where}`);
      return died;
    };
  });
  const [before, after] = [bitOf(SIGHUP) | bitOf(REAL_TIME), bitOf(SIGUSR1) | bitOf(SIGNAL_MAX)];
  atEveryWrite((words, machine) => {
    const survivor = machine.attach();
    const { descriptor, objectIndex } = makeSignalFile(survivor, before, 0, false) as Opened;
    const victim = machine.attach(words, machine.world(), { parentPid: survivor.pid, inherit: true });
    return (where) => {
      const died = dies(() => changeSignals(victim, descriptor, after));
      machine.kill(victim.world);
      survivor.reap();
      const now = survivor.signalFileOf(objectIndex).signals;
      assert.ok(now === after || (died && now === before), `${now} ${where}`);
      return died;
    };
  });
});

/** One operation that waits for the set's first semaphore. */
function down(): Operations {
  const operations = new Operations();
  operations.decode(Uint8Array.of(0, 0, 0xff, 0xff, 0, 0), 0, 1);
  return operations;
}

function makeSet(system: System): SemaphoreSet {
  const making = makingSemaphoreSet(system.words, 1, 0o600);
  return system.setOf(system.create({ kind: kinds.SEMAPHORE_SET, key: 1 }, making));
}

function catchSignal({ signals }: System, signal: number): void {
  signals.catch(signal, { run: () => {}, mask: 0n, restart: true, once: false, nodefer: false });
}

const sleeps: readonly { name: string; sleep: (system: System) => number }[] = [
  {
    name: "a read",
    sleep: (system) => {
      const [end] = makePipe(system) as [Opened, Opened];
      return blockUntil(system, system.pipeOf(end.objectIndex).readable, 1, () => EAGAIN, FOR_EVER);
    },
  },
  { name: "semop", sleep: (system) => makeSet(system).operate(down(), 0, FOR_EVER) },
  { name: "poll", sleep: (system) => blockUntilAny(system, [], () => 0, FOR_EVER) },
];

for (const { name, sleep } of sleeps) {
  test(`a sender that dies before it wakes a task that sleeps in ${name} leaves it not asleep for ever`, () => {
    atEveryWrite((words, machine) => {
      const survivor = machine.attach();
      const victim = machine.attach(words);
      let died = false;
      const send1 = (): void => {
        died = dies(() => void send(victim, receiver, SIGUSR1));
        machine.kill(victim.world);
        survivor.reap();
        if (receiver.signals.own.pending === 0n) send(survivor, receiver, SIGUSR1);
      };
      let parks = 0;
      const park = (): void => {
        assert.ok(parks < 3, "it sleeps no more");
        if (parks++ === 0) send1();
      };
      const receiver = machine.attach(undefined, { ...machine.world(), parker: { park, unpark: () => {} } });
      catchSignal(receiver, SIGUSR1);
      return (where) => {
        assert.equal(sleep(receiver), EINTR, where);
        return died;
      };
    });
  });
}

test("a signal that has come before a task begins to wait for semaphores interrupts it", () => {
  const system = new Machine().attach();
  catchSignal(system, SIGUSR1);
  assert.equal(send(system, system, SIGUSR1), 0);
  assert.equal(makeSet(system).operate(down(), 0, FOR_EVER), EINTR);
});
