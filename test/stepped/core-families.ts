// What all objects stand on: the lock, and the list of those who wait. And what lies beside them: System V sets, signals, descriptors
// and polling, by system calls.

import { EAGAIN, EIDRM, EINVAL } from "../../src/abi/errno.ts";
import { MessageQueue } from "../../src/api/message-queue.ts";
import { pollSync } from "../../src/api/poll.ts";
import { makingQueue, makingSegment, makingSemaphore } from "../../src/kernel/making.ts";
import type { ObjectToken } from "../../src/kernel/opening.ts";
import { System } from "../../src/kernel/system.ts";
import { access, kinds, semaphore } from "../../src/memory/layout.ts";
import { field, LINE_WORDS, WORD_BYTES, type Word } from "../../src/memory/words.ts";
import { Monitor } from "../../src/sync/monitor.ts";
import { type Pid, RobustLock } from "../../src/sync/robust-lock.ts";
import { noSpin } from "../../src/sync/spin.ts";
import { blockUntil, type Condition, FOR_EVER } from "../../src/sync/waiting.ts";
import type { Description } from "../../src/tasks/descriptors.ts";
import { type Calls, callsOf } from "../task-calls.ts";
import { type Family, insideOf, made, opened, type Witness, witnessOf } from "./object-families.ts";

const MODE = 0o600;

interface Core {
  readonly word: Word;
  readonly lockWord: Word;
}

function coreOf(system: System): Core {
  const token = made(system, kinds.SEGMENT, makingSegment(system.words, 64, MODE));
  const body = made(system, kinds.SEMAPHORE, makingSemaphore(system.words, 0, MODE));
  const line = system.registry.bodyLineOf(body.objectIndex);
  return {
    word: (system.segmentOf(token.objectIndex).offset / WORD_BYTES) as Word,
    lockWord: field((line * LINE_WORDS) as Word, semaphore.MONITOR),
  };
}

export const lockFamily: Family<Core, { lock: RobustLock; witness: Witness; system: System; lockWord: Word }> = {
  name: "lock",
  make: coreOf,
  open: (system, { word, lockWord }) => ({
    lock: new RobustLock(system, lockWord, system.newSpin()),
    witness: witnessOf(system, word),
    system,
    lockWord,
  }),
  before: { free: () => {} },
  operations: {
    lock: ({ lock, witness }, program) => {
      lock.acquire();
      program.between();
      const said = insideOf(witness.inside, program);
      lock.release();
      return said;
    },
  },
  observe: ({ lock, system, lockWord }) => {
    lock.acquire();
    lock.repairedLocked();
    lock.release();
    return `is ${system.words.load(lockWord)}`;
  },
};

export interface Waiting {
  readonly system: System;
  readonly monitor: Monitor;
  readonly condition: Condition;
  /** Takes one where there is one: 0, or EAGAIN. */
  readonly take: () => number;
  readonly word: Word;
}

/** A number that a monitor guards: some add to it, some wait for it and take from it. */
export const waitFamily: Family<Core, Waiting> = {
  name: "wait list",
  make: coreOf,
  open: (system, { word, lockWord }) => {
    const { words } = system;
    const monitor = new Monitor(system, lockWord, { repair: () => {} });
    const take = (): number => {
      monitor.enter();
      const value = words.get(word);
      if (value > 0) words.set(word, value - 1);
      monitor.leave(0);
      return value > 0 ? 0 : EAGAIN;
    };
    return {
      system,
      monitor,
      take,
      word,
      condition: { monitor, spin: noSpin, ready: () => words.load(word) > 0 },
    };
  },
  before: { "at 0": () => {}, "at 1": ({ system, word }) => system.words.store(word, 1) },
  operations: {
    add: ({ monitor, system, word }) => {
      monitor.enter();
      system.words.set(word, system.words.get(word) + 1);
      monitor.leave(1);
    },
    addTwo: ({ monitor, system, word }) => {
      monitor.enter();
      system.words.set(word, system.words.get(word) + 2);
      monitor.leave(2);
    },
    take: ({ take, condition, system }) => {
      const result = take();
      return result === EAGAIN ? blockUntil(system, condition, 1, take, FOR_EVER) : result;
    },
    tryTake: ({ take }) => take(),
    interrupt: ({ system }) => system.interrupt(otherOf(system)),
    rouse: ({ system }) => system.rouse(otherOf(system)),
  },
  observe: ({ system, word, monitor }) => {
    monitor.enter();
    const waiting = [...monitor.waitersLocked()].length;
    monitor.leave(0);
    return `is ${system.words.get(word)}, ${waiting} wait`;
  },
};

interface Calling {
  readonly system: System;
  readonly sys: Calls["sys"];
  readonly memory: DataView;
}

function calling(system: System): Calling {
  const { sys, memory } = callsOf(system);
  return { system, sys, memory };
}

const AT = 1024;
const KEY = 5;
const SETVAL = 16;
const GETVAL = 12;
const GETALL = 13;
const IPC_RMID = 0;

/** A System V set of two semaphores. */
export const setFamily: Family<void, Calling & { readonly set: number }> = {
  name: "semaphore set",
  make: (system) => void calling(system).sys.semget(KEY, 2, 0o1600),
  open: (system) => {
    const made = calling(system);
    return { ...made, set: made.sys.semget(KEY, 2, 0) };
  },
  before: { "at 0 0": () => {}, "at 1 0": ({ sys, set }) => void sys.semctl(set, 0, SETVAL, 1) },
  operations: {
    down: (handles) => operate(handles, [0, -1]),
    up: (handles) => operate(handles, [0, 1]),
    awaitZero: (handles) => operate(handles, [0, 0]),
    move: (handles) => operate(handles, [0, -1], [1, 1]),
    takeBoth: (handles) => operate(handles, [0, -1], [1, -1]),
    set: ({ sys, set }) => removedOr(sys.semctl(set, 1, SETVAL, 1)),
    get: ({ sys, memory, set }) => removedOr(sys.semctl(set, 0, GETALL, AT)) || memory.getInt32(AT, true),
    "get twice": ({ sys, set }, program) => {
      const first = removedOr(sys.semctl(set, 0, GETVAL, 0));
      program.between();
      return [first, removedOr(sys.semctl(set, 1, GETVAL, 0))];
    },
    remove: ({ sys, set }) => sys.semctl(set, 0, IPC_RMID, 0),
  },
  observe: ({ sys, set }) => `is ${sys.semctl(set, 0, GETVAL, 0)} ${sys.semctl(set, 1, GETVAL, 0)}`,
};

function operate({ sys, memory, set }: Calling & { set: number }, ...operations: [number, number][]): number {
  operations.forEach(([index, value], i) => {
    [index, value, 0].forEach((half, j) => {
      memory.setInt16(AT + 6 * i + 2 * j, half, true);
    });
  });
  return removedOr(sys.semop(set, AT, operations.length));
}

/** Who comes late hears that the set is not there, who looked before that it was removed: Linux says both, too. */
const removedOr = (result: number): number => (result === EIDRM ? EINVAL : result);

const SIGUSR1 = 10;
const SIGUSR2 = 12;
const REAL_TIME = 40;
const SI_QUEUE = -1;
const setOf = (...signals: number[]): bigint => signals.reduce((set, one) => set | (1n << BigInt(one - 1)), 0n);

/** Two tasks and their signals: SIGUSR1 and a real-time signal are blocked, SIGUSR2 is caught. Each sends to the other. */
export const signalFamily: Family<ObjectToken, Calling & { readonly queue: MessageQueue; readonly caught: number[] }> =
  {
    name: "signals",
    make: (system) =>
      made(system, kinds.QUEUE, makingQueue(system.words, { depth: 1, bytesMax: 0, messageBytesMax: 8 }, MODE)),
    open: (system, token) => {
      const handles = calling(system);
      const caught: number[] = [];
      handles.memory.setBigUint64(AT, setOf(SIGUSR1, REAL_TIME), true);
      handles.sys.rt_sigprocmask(0, AT, 0, 8);
      system.signals.catch(SIGUSR2, {
        run: ({ signal }) => void caught.push(signal),
        mask: 0n,
        restart: false,
        once: false,
        nodefer: false,
      });
      return {
        ...handles,
        caught,
        queue: new MessageQueue(system, opened(system, token, kinds.QUEUE), "it", () => {}),
      };
    },
    before: { quiet: () => {} },
    operations: {
      kill: ({ sys, system }) => sys.kill(otherOf(system), SIGUSR1),
      killRealTime: ({ sys, system }) => sys.kill(otherOf(system), REAL_TIME),
      killCaught: ({ sys, system }) => sys.kill(otherOf(system), SIGUSR2),
      killWithValue: ({ system }) => system.signals.kill(otherOf(system), SIGUSR1, SI_QUEUE, 5n),
      ignoreCaught: ({ system }) => {
        system.signals.ignore(SIGUSR2);
        return `${system.signals.own.pending & (1n << BigInt(SIGUSR2 - 1))} pending`;
      },
      wait: ({ sys, memory }) => {
        memory.setBigUint64(AT, setOf(SIGUSR1), true);
        return sys.rt_sigtimedwait(AT, 0, 0, 8);
      },
      waitRealTime: ({ sys, memory }) => {
        memory.setBigUint64(AT, setOf(REAL_TIME), true);
        return sys.rt_sigtimedwait(AT, 0, 0, 8);
      },
      receive: ({ queue, caught, system }) => {
        try {
          return `${queue.receiveSync().data.length} bytes`;
        } finally {
          system.signals.deliver();
          system.words.load(0 as Word); // a step, so that what was caught is told after it
          caught.length = 0;
        }
      },
      send: ({ queue }) => queue.sendSync(new Uint8Array(3)),
    },
    observe: ({ queue, system }) => `holds ${queue.length}, ${system.tasks.list().length} tasks`,
  };

/** Another task than this one: the one that was attached last. */
function otherOf(system: System): number {
  const last = Math.max(...system.tasks.list().map(({ pid }) => pid)) - 1; // the very last only looks, afterwards
  return last === system.pid ? last - 1 : last;
}

const address = (name: string) => ({ kind: kinds.QUEUE, name: new TextEncoder().encode(name) });
const shape = { depth: 2, bytesMax: 0, messageBytesMax: 8 };
const BOTH = access.READ | access.WRITE;

/** What the kernel lock guards: names, descriptors, tasks. Each task has a queue open by its name. */
export const kernelFamily: Family<void, Calling & { readonly descriptor: number }> = {
  name: "kernel",
  make: (system) => void create(system, "a", BOTH),
  open: (system) => ({ ...calling(system), descriptor: descriptorOf(create(system, "a", BOTH)) }),
  before: { "with a name": () => {} },
  operations: {
    create: ({ system }) => descriptorOf(create(system, "b", BOTH)),
    createExclusive: ({ system }) =>
      descriptorOf(
        system.open(address("b"), { access: BOTH, create: makingQueue(system.words, shape, MODE), exclusive: true }),
      ),
    find: ({ system }) => descriptorOf(system.open(address("a"), { access: access.READ })),
    unlink: ({ system }) => system.unlink(address("a")),
    close: ({ system, descriptor }) => system.close(descriptor),
    duplicate: ({ system, descriptor }) => system.duplicate(descriptor, 0, false),
    pipe: ({ sys }) => sys.pipe(AT),
    attach: ({ system }) => {
      const world = { ...system.world, identity: system.world.identity + (1n << 32n) };
      const region = { words: system.words, geometry: system.geometry, reserve: () => 0 };
      return typeof System.attach(region, world, { parentPid: system.pid });
    },
    detach: ({ system }) => system.detach(),
    reserveChild: ({ system }) => system.reserveChild({ blocked: 0n, ignored: 0n }) > 0,
    reserveWithDescriptors: ({ system, descriptor }) =>
      system.reserveChild({ blocked: 0n, ignored: 0n, descriptors: new Map([[5, descriptor]]) }) > 0,
    holdAndLetGo: ({ system, descriptor }) => {
      const held = system.hold(system.openFile(descriptor)?.objectIndex ?? -1);
      if (held > 0) system.letGo(held as Description);
      return held > 0;
    },
    reserveAndCancel: ({ system }) => system.cancelChild(system.reserveChild({ blocked: 1n, ignored: 0n }) as Pid),
  },
  observe: ({ system }) => {
    const { objects, freeLines, tasks } = system.usage();
    const names = ["a", "b"].filter((name) => system.open(address(name), { access: access.READ }) !== -2);
    return `has ${objects} objects, ${freeLines} lines free, ${tasks} tasks, [${names}]`;
  },
};

function create(system: System, name: string, mode: number) {
  return system.open(address(name), { access: mode, create: makingQueue(system.words, shape, MODE) });
}

const descriptorOf = (result: ReturnType<System["open"]>): number =>
  typeof result === "number" ? result : result.descriptor;

/** Polling a queue. */
export const pollFamily: Family<ObjectToken, { system: System; queue: MessageQueue }> = {
  name: "poll",
  make: (system) => made(system, kinds.QUEUE, makingQueue(system.words, shape, MODE)),
  open: (system, token) => ({
    system,
    queue: new MessageQueue(system, opened(system, token, kinds.QUEUE), "it", () => {}),
  }),
  before: {
    empty: () => {},
    full: ({ queue }) => {
      while (queue.trySend(new Uint8Array(1)));
    },
  },
  operations: {
    pollIn: ({ system, queue }) => pollSync(system, [{ handle: queue, read: true }], {}).length,
    pollOut: ({ system, queue }) => pollSync(system, [{ handle: queue, write: true }], {}).length,
    send: ({ queue }) => queue.sendSync(new Uint8Array(2)),
    receive: ({ queue }) => queue.receiveSync().data.length,
    interrupt: ({ system }) => system.interrupt(otherOf(system)),
    rouse: ({ system }) => system.rouse(otherOf(system)),
  },
  observe: ({ queue }) => `holds ${queue.length}`,
};

const PATH = 512;
const S_IFIFO = 0o10000;
const [O_RDONLY, O_WRONLY, O_RDWR] = [0, 1, 2];

/** A named pipe, which each opens and closes for itself: who waits for the other end, and for end-of-file. */
export const fifoFamily: Family<void, Calling> = {
  name: "fifo",
  make: (system) => {
    const { sys, memory } = calling(system);
    new TextEncoder().encodeInto("/here\0", new Uint8Array(memory.buffer, PATH));
    sys.mknod(PATH, S_IFIFO | 0o600, 0);
  },
  open: (system) => {
    const handles = calling(system);
    new TextEncoder().encodeInto("/here\0", new Uint8Array(handles.memory.buffer, PATH));
    return handles;
  },
  before: { "that nobody has open": () => {} },
  operations: {
    readAll: ({ sys }) => {
      const end = sys.open(PATH, O_RDONLY, 0);
      let bytes = 0;
      for (let count = sys.read(end, AT, 8); count > 0; count = sys.read(end, AT, 8)) bytes += count;
      sys.close(end);
      return bytes;
    },
    write: ({ sys }) => {
      const end = sys.open(PATH, O_WRONLY, 0);
      const count = sys.write(end, AT, 3);
      sys.close(end);
      return count;
    },
    openAndClose: ({ sys }, program) => {
      const both = sys.open(PATH, O_RDWR, 0);
      program.between();
      return sys.close(both);
    },
    unlink: ({ sys }) => sys.unlink(PATH),
  },
  observe: ({ sys, system }) => `is ${sys.open(PATH, O_RDWR, 0) >= 0}, ${system.usage().objects} objects`,
};

/** A System V segment, which is there as long as somebody has it attached. */
export const segmentFamily: Family<void, Calling & { readonly segment: number }> = {
  name: "segment",
  make: (system) => void calling(system).sys.shmget(KEY, 4096, 0o1600),
  open: (system) => {
    const handles = calling(system);
    return { ...handles, segment: handles.sys.shmget(KEY, 0, 0) };
  },
  before: { "that nobody has attached": () => {} },
  operations: {
    attach: ({ sys, segment }) => Math.sign(sys.shmat(segment, 0, 0)),
    attachAndDetach: ({ sys, segment }, program) => {
      const address = sys.shmat(segment, 0, 0);
      program.between();
      return address < 0 ? "gone" : sys.shmdt(address);
    },
    remove: ({ sys, segment }) => sys.shmctl(segment, IPC_RMID, 0),
    find: ({ sys }) => Math.sign(sys.shmget(KEY, 0, 0)),
  },
  observe: ({ system }) => `has ${system.usage().objects} objects, ${system.usage().freeLines} lines free`,
};

// biome-ignore lint/suspicious/noExplicitAny: each family has types of its own
export const coreFamilies: readonly Family<any, any>[] = [
  lockFamily,
  waitFamily,
  setFamily,
  signalFamily,
  kernelFamily,
  pollFamily,
  fifoFamily,
  segmentFamily,
];
