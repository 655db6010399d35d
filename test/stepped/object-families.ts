// The operations of each object, and the states that it is in before: every two of them are tried against each other, in every
// state. An operation says what it gave, as a caller hears it.

import assert from "node:assert/strict";
import { Barrier } from "../../src/api/barrier.ts";
import { Condition } from "../../src/api/condition.ts";
import { IpcError } from "../../src/api/ipc-error.ts";
import { MessageQueue } from "../../src/api/message-queue.ts";
import { Mutex } from "../../src/api/mutex.ts";
import { PipeReader } from "../../src/api/pipe-reader.ts";
import { PipeWriter } from "../../src/api/pipe-writer.ts";
import { ReadWriteLock } from "../../src/api/read-write-lock.ts";
import { Semaphore } from "../../src/api/semaphore.ts";
import {
  makingBarrier,
  makingCondition,
  makingMutex,
  makingPipe,
  makingQueue,
  makingRwlock,
  makingSegment,
  makingSemaphore,
} from "../../src/kernel/making.ts";
import type { Making, ObjectToken, Opened } from "../../src/kernel/opening.ts";
import type { System } from "../../src/kernel/system.ts";
import { access, kinds, mutexTypes } from "../../src/memory/layout.ts";
import { WORD_BYTES, type Word } from "../../src/memory/words.ts";
import type { Scenario } from "./stepped.ts";
import type { Program } from "./stepped-task.ts";
import { Stop } from "./stepped-words.ts";

const MODE = 0o600;
const BOTH = access.READ | access.WRITE;

export type Operation<H> = (handles: H, program: Program) => unknown;

export interface Family<A, H> {
  readonly name: string;
  readonly make: (system: System) => A;
  readonly open: (system: System, arranged: A) => H;
  /** What is done to it before, by the task that made it. */
  readonly before: Record<string, (handles: H) => void>;
  readonly operations: Record<string, Operation<H>>;
  /** What operations may do instead, as they promise no more. */
  readonly alternatives?: Record<string, Operation<H>>;
  readonly observe: (handles: H) => string;
  /** Other words for the tasks. */
  readonly words?: NonNullable<Scenario["words"]>;
}

/** Says what an operation gave: a result, or the code of its error. */
export function telling<H>(operation: Operation<H>): (handles: H, program: Program) => void {
  return (handles, program) => {
    try {
      const result = operation(handles, program);
      program.tell(result === undefined ? "done" : result);
    } catch (error) {
      if (error instanceof Stop || !(error instanceof IpcError)) throw error;
      program.tell(error.code);
    }
  };
}

export interface Pair {
  readonly family: string;
  readonly name: string;
  readonly scenario: Scenario;
}

/** Every two operations, in every state. */
export function pairsOf<A, H>(family: Family<A, H>): Pair[] {
  const names = Object.keys(family.operations);
  const pairs: Pair[] = [];
  for (const [state, before] of Object.entries(family.before)) {
    for (const [i, first] of names.entries()) {
      for (const second of names.slice(i)) {
        const name = `${family.name} ${state}: ${first} | ${second}`;
        pairs.push({
          family: family.name,
          name,
          scenario: scenarioOf(family, name, before, [first, second]) as Scenario,
        });
      }
    }
  }
  return pairs;
}

/** A scenario of some operations of a family, one each for as many tasks; several, with "+" between them, one after the other. */
export function scenarioOf<A, H>(
  family: Family<A, H>,
  name: string,
  before: (handles: H) => void,
  programs: readonly string[],
): Scenario<A, H> {
  return {
    name,
    arrange: (system) => {
      const arranged = family.make(system);
      before(family.open(system, arranged));
      return arranged;
    },
    open: family.open,
    observe: family.observe,
    programs: programs.map((text) => programOf(family.operations, text)),
    alternatives: alternativesOf(family, programs),
    ...(family.words ? { words: family.words } : {}),
  };
}

function programOf<H>(operations: Record<string, Operation<H>>, text: string): (handles: H, program: Program) => void {
  const chosen = text.split("+").map((one) => {
    const operation = operations[one];
    assert.ok(operation, `there is no operation ${one}`);
    return telling(operation);
  });
  return (handles: H, program: Program) => {
    chosen.forEach((operation, i) => {
      if (i > 0) program.between();
      operation(handles, program);
    });
  };
}

/** The programs with each choice of operations that may do something else instead. */
function alternativesOf<A, H>(
  { operations, alternatives = {} }: Family<A, H>,
  programs: readonly string[],
): ((handles: H, program: Program) => void)[][] {
  const ways = programs.map((text) => {
    const first = programOf(operations, text);
    const loose = text.split("+").some((one) => one in alternatives);
    return loose ? [first, programOf({ ...operations, ...alternatives }, text)] : [first];
  });
  return ways.reduce<((handles: H, program: Program) => void)[][]>(
    (all, some) => all.flatMap((before) => some.map((one) => [...before, one])),
    [[]],
  );
}

export function made(system: System, kind: number, making: Making, accesses = [BOTH]): ObjectToken {
  const opened = system.createAnonymous(kind, making, accesses);
  assert.ok(typeof opened !== "number");
  const [{ objectIndex, generation }] = opened as [Opened];
  return { objectIndex, generation };
}

export function opened(system: System, token: ObjectToken, kind: number, mode = BOTH): Opened {
  const one = system.openToken(token, [kind], mode);
  assert.ok(typeof one !== "number");
  return one;
}

const text = (data: Uint8Array): string => new TextDecoder().decode(data);
const bytes = (of: string): Uint8Array => new TextEncoder().encode(of);
/** What a task sends: its own letter, so that one can tell whose it was. */
const letter = ({ pid }: Program): string => String.fromCharCode(96 + pid);
const closed = (): void => {};

const QUEUE_DEPTH = 2;

/** Two messages deep, so that it is soon full. */
export const queueFamily: Family<ObjectToken, MessageQueue> = {
  name: "queue",
  make: (system) =>
    made(system, kinds.QUEUE, makingQueue(system.words, { depth: QUEUE_DEPTH, bytesMax: 0, messageBytesMax: 8 }, MODE)),
  open: (system, token) => new MessageQueue(system, opened(system, token, kinds.QUEUE), "it", closed),
  before: {
    empty: () => {},
    "with one": (queue) => void queue.trySend(bytes("1")),
    full: (queue) => {
      queue.trySend(bytes("1"));
      queue.trySend(bytes("2"));
    },
  },
  operations: {
    send: (queue, program) => queue.sendSync(bytes(letter(program))),
    trySend: (queue, program) => queue.trySend(bytes(letter(program))),
    sendUrgent: (queue, program) => queue.sendSync(bytes(letter(program).toUpperCase()), { priority: 5 }),
    sendTyped: (queue, program) => queue.sendSync(bytes(letter(program)), { type: 7 }),
    trySendMany: (queue, program) => queue.trySendMany([bytes(`${letter(program)}1`), bytes(`${letter(program)}2`)]),
    receive: (queue) => text(queue.receiveSync().data),
    tryReceiveInto: (queue) => queue.tryReceiveInto(new Uint8Array(8)),
    tryReceive: (queue) => {
      const message = queue.tryReceive();
      return message ? text(message.data) : "nothing";
    },
    trySendInPlace: (queue, program) => queue.trySendInPlace(1, (room) => room.set(bytes(letter(program)))),
    receiveInPlace: (queue) => {
      let found = "";
      queue.receiveInPlaceSync((lent) => {
        found = text(lent);
      });
      return found;
    },
    tryReceiveManyInto: (queue) => {
      const into = new Uint8Array(8);
      const lengths = new Int32Array(2);
      const count = queue.tryReceiveManyInto(into, lengths);
      return `${count}: ${text(into.subarray(0, lengths[0] + lengths[1]))}`;
    },
    receiveTyped: (queue) => text(queue.receiveSync({ type: 7 }).data),
    tryReceiveMany: (queue) => queue.tryReceiveMany(2).map(({ data }) => text(data)),
  },
  // "Up to so many": a batch may take, or send, fewer than it could by now.
  alternatives: {
    trySendMany: (queue, program) => queue.trySendMany([bytes(`${letter(program)}1`)]),
    tryReceiveMany: (queue) => queue.tryReceiveMany(1).map(({ data }) => text(data)),
    tryReceiveManyInto: (queue) => {
      const into = new Uint8Array(8);
      const lengths = new Int32Array(1);
      const count = queue.tryReceiveManyInto(into, lengths);
      return `${count}: ${text(into.subarray(0, lengths[0]))}`;
    },
  },
  observe: (queue) => {
    const found: string[] = [];
    for (let message = queue.tryReceive(); message; message = queue.tryReceive()) found.push(text(message.data));
    let room = 0;
    while (queue.trySend(bytes("x"))) room++;
    return `holds [${found}], has room for ${room}`;
  },
};

const PIPE_BYTES = 4;

interface PipeHandles {
  readonly system: System;
  readonly reader: PipeReader;
  readonly writer: PipeWriter;
  readonly readDescriptor: number;
  readonly writeDescriptor: number;
}

/** Four bytes of room. Each task has both ends open. */
export const pipeFamily: Family<ObjectToken, PipeHandles> = {
  name: "pipe",
  make: (system) => made(system, kinds.PIPE, makingPipe(system.words, PIPE_BYTES, MODE), [access.READ, access.WRITE]),
  open: (system, token) => {
    const read = opened(system, token, kinds.PIPE, access.READ);
    const write = opened(system, token, kinds.PIPE, access.WRITE);
    return {
      system,
      reader: new PipeReader(system, read, "its reader", closed),
      writer: new PipeWriter(system, write, "its writer", closed),
      readDescriptor: read.descriptor,
      writeDescriptor: write.descriptor,
    };
  },
  before: {
    empty: () => {},
    full: ({ writer }) => void writer.tryWrite(bytes("1234")),
  },
  operations: {
    write: ({ writer }, program) => writer.writeSync(bytes(letter(program).repeat(3))),
    tryWrite: ({ writer }, program) => writer.tryWrite(bytes(letter(program).repeat(2))),
    read: ({ reader }) => {
      const into = new Uint8Array(3);
      return text(into.subarray(0, reader.readSync(into)));
    },
    tryRead: ({ reader }) => {
      const into = new Uint8Array(3);
      return text(into.subarray(0, Math.max(0, reader.tryRead(into))));
    },
    tryWriteInPlace: ({ writer }, program) =>
      writer.tryWriteInPlace(2, (room) => {
        room.set(bytes(letter(program).repeat(room.length)));
        return room.length;
      }),
    tryReadInPlace: ({ reader }) => {
      let found = "";
      reader.tryReadInPlace((lent) => {
        found = text(lent.subarray(0, 1));
        return 1;
      });
      return found;
    },
    resize: ({ reader }) => reader.resize(8),
  },
  observe: ({ reader }) => {
    const into = new Uint8Array(64);
    return `holds "${text(into.subarray(0, Math.max(0, reader.tryRead(into))))}" of ${reader.capacity}`;
  },
};

export const semaphoreFamily: Family<ObjectToken, Semaphore> = {
  name: "semaphore",
  make: (system) => made(system, kinds.SEMAPHORE, makingSemaphore(system.words, 0, MODE)),
  open: (system, token) => new Semaphore(system, opened(system, token, kinds.SEMAPHORE), "it", closed),
  before: { "at 0": () => {}, "at 1": (semaphore) => semaphore.post() },
  operations: {
    wait: (semaphore) => semaphore.waitSync(),
    tryWait: (semaphore) => semaphore.tryWait(),
    post: (semaphore) => semaphore.post(),
  },
  observe: (semaphore) => `is ${semaphore.value}`,
};

/** Something that only one task may touch at a time: it says so where another is there too. */
export interface Witness {
  inside(): string;
  /** Several readers may be inside, and no writer. */
  reading(): string;
}

export function witnessOf(system: System, word: Word): Witness {
  const { words } = system;
  const READER = 1 << 16;
  return {
    inside: () => {
      const before = words.load(word);
      words.store(word, before + 1);
      const after = words.load(word);
      words.store(word, after - 1);
      return before === 0 && after === 1 ? "alone" : "NOT ALONE";
    },
    reading: () => {
      const before = addTo(words, word, READER);
      const after = addTo(words, word, -READER);
      return (before | after) & (READER - 1) ? "NOT WITHOUT A WRITER" : "read";
    },
  };
}

/** What a witness says, between two operations: locking and unlocking. */
export function insideOf(witness: () => string, program: Program): string {
  const said = witness();
  program.between();
  return said;
}

function addTo(words: System["words"], word: Word, by: number): number {
  for (;;) {
    const before = words.load(word);
    if (words.compareExchange(word, before, before + by) === before) return before;
  }
}

interface Guarded {
  readonly lock: ObjectToken;
  readonly word: Word;
}

function guarded(system: System, lock: ObjectToken): Guarded {
  const token = made(system, kinds.SEGMENT, makingSegment(system.words, 64, MODE));
  return { lock, word: (system.segmentOf(token.objectIndex).offset / WORD_BYTES) as Word };
}

export interface MutexHandles {
  readonly system: System;
  readonly mutex: Mutex;
  readonly witness: Witness;
}

export const mutexFamily: Family<Guarded, MutexHandles> = {
  name: "mutex",
  make: (system) => guarded(system, made(system, kinds.MUTEX, makingMutex(system.words, mutexTypes.NORMAL, MODE))),
  open: (system, { lock, word }) => ({
    system,
    mutex: new Mutex(system, opened(system, lock, kinds.MUTEX), "it", closed),
    witness: witnessOf(system, word),
  }),
  before: { free: () => {} },
  operations: {
    lock: ({ mutex }) => mutex.lockSync().ownerDied,
    tryLock: ({ mutex }) => mutex.tryLock() !== undefined,
    unlock: ({ mutex }) => mutex.unlock(),
    lockAndUnlock: ({ mutex, witness }, program) => {
      using _held = mutex.lockSync();
      program.between();
      return insideOf(witness.inside, program);
    },
    tryLockAndUnlock: ({ mutex, witness }, program) => {
      using held = mutex.tryLock();
      program.between();
      return held ? insideOf(witness.inside, program) : "busy";
    },
  },
  observe: ({ mutex }) => `is held by ${mutex.owner}`,
};

export const rwlockFamily: Family<Guarded, { lock: ReadWriteLock; witness: Witness }> = {
  name: "rwlock",
  make: (system) =>
    guarded(system, made(system, kinds.RWLOCK, makingRwlock(system.words, system.geometry.limits.tasksMax, MODE))),
  open: (system, { lock, word }) => ({
    lock: new ReadWriteLock(system, opened(system, lock, kinds.RWLOCK), "it", closed),
    witness: witnessOf(system, word),
  }),
  before: { free: () => {} },
  operations: {
    read: ({ lock, witness }, program) => {
      using _held = lock.readLockSync();
      program.between();
      return insideOf(witness.reading, program);
    },
    write: ({ lock, witness }, program) => {
      using _held = lock.writeLockSync();
      program.between();
      return insideOf(witness.inside, program);
    },
    tryRead: ({ lock, witness }, program) => {
      using held = lock.tryReadLock();
      program.between();
      return held ? insideOf(witness.reading, program) : "busy";
    },
    tryWrite: ({ lock, witness }, program) => {
      using held = lock.tryWriteLock();
      program.between();
      return held ? insideOf(witness.inside, program) : "busy";
    },
    keepReading: ({ lock }) => lock.readLockSync().ownerDied,
    keepWriting: ({ lock }) => lock.writeLockSync().ownerDied,
  },
  observe: ({ lock }) => `is written by ${lock.writer}, read by [${lock.readers}]`,
};

interface ConditionHandles {
  readonly mutex: Mutex;
  readonly condition: Condition;
  readonly system: System;
  readonly word: Word;
}

/** A flag that a mutex guards: who waits for it takes it away again. */
export const conditionFamily: Family<Guarded & { condition: ObjectToken }, ConditionHandles> = {
  name: "condition",
  make: (system) => ({
    ...guarded(system, made(system, kinds.MUTEX, makingMutex(system.words, mutexTypes.NORMAL, MODE))),
    condition: made(system, kinds.CONDITION, makingCondition(MODE)),
  }),
  open: (system, { lock, condition, word }) => ({
    mutex: new Mutex(system, opened(system, lock, kinds.MUTEX), "its mutex", closed),
    condition: new Condition(system, opened(system, condition, kinds.CONDITION), "it", closed),
    system,
    word,
  }),
  before: { unset: () => {}, set: ({ system, word }) => system.words.store(word, 1) },
  operations: {
    take: ({ mutex, condition, system, word }) => {
      mutex.lockSync();
      while (system.words.get(word) === 0) condition.waitSync(mutex);
      system.words.set(word, system.words.get(word) - 1);
      mutex.unlock();
    },
    look: ({ mutex, condition, system, word }) => {
      mutex.lockSync();
      while (system.words.get(word) === 0) condition.waitSync(mutex);
      mutex.unlock();
    },
    signal: ({ mutex, condition, system, word }) => {
      mutex.lockSync();
      system.words.set(word, system.words.get(word) + 1);
      condition.signal();
      mutex.unlock();
    },
    signalUnlocked: ({ mutex, condition, system, word }) => {
      mutex.lockSync();
      system.words.set(word, system.words.get(word) + 1);
      mutex.unlock();
      condition.signal();
    },
    broadcast: ({ mutex, condition, system, word }) => {
      mutex.lockSync();
      system.words.set(word, system.words.get(word) + 1);
      condition.broadcast();
      mutex.unlock();
    },
  },
  observe: ({ mutex, system, word }) => `is ${system.words.get(word)}, held by ${mutex.owner}`,
};

export const barrierFamily: Family<ObjectToken, Barrier> = {
  name: "barrier",
  make: (system) => made(system, kinds.BARRIER, makingBarrier(system.words, 2, MODE)),
  open: (system, token) => new Barrier(system, opened(system, token, kinds.BARRIER), "it", closed),
  before: { closed: () => {} },
  operations: {
    wait: (barrier) => (barrier.waitSync() ? "leads" : "follows"),
  },
  observe: (barrier) => `${barrier.waiting} wait`,
};

// biome-ignore lint/suspicious/noExplicitAny: each family has types of its own
export const families: readonly Family<any, any>[] = [
  queueFamily,
  pipeFamily,
  semaphoreFamily,
  mutexFamily,
  rwlockFamily,
  conditionFamily,
  barrierFamily,
];
