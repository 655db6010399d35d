// A tortured task: does what comes to its mind with all that is shared, writes down what it has done, and is killed sooner or
// later, anywhere.

import { IpcError, Kernel, type Task } from "../../src/index.ts";
import { Random } from "../random.ts";
import {
  decode,
  encode,
  Ledger,
  LIVES_MAX,
  MESSAGE_BYTES,
  type Message,
  nowMs,
  type Source,
  STREAM_MESSAGES,
  total,
} from "./ledger.ts";
import { openShared, type Shared, SIGNAL } from "./objects.ts";

const [, , ledgerName = "", lifeText = "0", seedText = "0", actionsText = ""] = process.argv;
const life = Number(lifeText);
const ledger = Ledger.open(ledgerName);
/** A child of a tortured task ends by itself after so many actions; whom the torturer has started goes on until it is killed. */
const actionsMax = actionsText === "" ? Number.POSITIVE_INFINITY : Number(actionsText);
const kernel = attachUnlessOrphaned();
const random = new Random(Number(seedText) + life);
const shared: Shared = openShared(kernel);
const outgoing = new Uint8Array(MESSAGE_BYTES);
/** Nobody waits so long, unless he is stuck. */
const STUCK = { timeout: 10_000 } as const;
/** For what may never come. */
const SHORT = { timeout: 20 } as const;
const SEM_UNDO = 0x1000;
const OPERATION = 1024;
const PRIORITIES = 8;
const BATCH_MAX = 6;
const CHILD_ACTIONS = 40;

/** A child whose parent was killed before it has attached has nobody to be the child of. */
function attachUnlessOrphaned(): Kernel {
  try {
    return Kernel.attach();
  } catch (error) {
    if (Number.isFinite(actionsMax) && error instanceof IpcError && error.code === "ESRCH") process.exit(0);
    throw error;
  }
}

const streams = new Map<Source, { stream: number; number: number }>();
/** The last number seen of each stream. */
const seen = new Map<string, number>();

/** The next message of a stream of this task's own, with as many after it as it will send at once. */
function next(source: Source, count = 1): { stream: number; number: number } | undefined {
  const known = streams.get(source);
  if (known && known.number + count < STREAM_MESSAGES) {
    known.number++;
    return known;
  }
  const stream = ledger.newStream(source);
  if (stream === undefined) return undefined;
  const message = { stream, number: 0 };
  streams.set(source, message);
  return message;
}

/** The value, or undefined where the time has passed. */
function unlessLate<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof IpcError && error.code === "ETIMEDOUT") return undefined;
    throw error;
  }
}

function send(source: Source): void {
  const message = next(source);
  if (!message) return;
  encode(outgoing, message);
  ledger.noteAttempt(message);
  const sent = unlessLate(() => {
    if (source === "queue") shared.queue.sendSync(outgoing, SHORT);
    else if (source === "urgent") shared.urgent.sendSync(outgoing, { priority: message.stream % PRIORITIES, ...SHORT });
    else shared.writer.writeSync(outgoing, SHORT);
    return true;
  });
  if (sent) ledger.noteAcknowledged(message);
  else message.number--; // it was not sent
}

function receive(source: Source): void {
  const slot = ledger.slotOf(life, source);
  const from: { readonly [source in Source]: (into: Uint8Array) => number } = {
    queue: (into) => shared.queue.receiveIntoSync(into, SHORT),
    urgent: (into) => shared.urgent.receiveIntoSync(into, SHORT),
    batch: (into) => shared.batch.receiveIntoSync(into, SHORT),
    pipe: (into) => shared.reader.readSync(into, SHORT),
  };
  const length = unlessLate(() => from[source](slot));
  if (length === undefined) return;
  account(source, slot, length);
  slot.fill(0);
}

function account(source: Source, bytes: Uint8Array, length: number): void {
  const message = length === MESSAGE_BYTES ? decode(bytes) : undefined;
  if (!message) {
    ledger.add(total.BAD);
    return;
  }
  const key = `${source} ${message.stream}`;
  if ((seen.get(key) ?? -1) >= message.number) ledger.add(total.BAD); // out of order
  seen.set(key, message.number);
  ledger.mark(message);
  ledger.add(total.MESSAGES);
}

/** Those that do not fit were not sent, and are the first of the next batch. */
function sendBatch(): void {
  const count = 1 + random.below(BATCH_MAX);
  const first = next("batch", count);
  if (!first) return;
  const batch = Array.from({ length: count }, (_, i): Message => ({ ...first, number: first.number + i }));
  ledger.noteAttempt(batch[count - 1] as Message);
  const sent = shared.batch.trySendMany(
    batch.map((message) => {
      const bytes = new Uint8Array(MESSAGE_BYTES);
      encode(bytes, message);
      return bytes;
    }),
  );
  first.number += sent - 1;
  if (sent > 0) ledger.noteAcknowledged(first);
}

function receiveBatch(): void {
  ledger.noteTaking(life, BATCH_MAX);
  const taken = unlessLate(() => shared.batch.receiveManySync(BATCH_MAX, SHORT)) ?? [];
  for (const { data } of taken) account("batch", data, data.length);
  ledger.noteTaking(life, 0);
}

/** Runs with the mutex of the counter, alone. Who died with it left the counter whole: it is one word. */
function withCounter(run: () => void): void {
  const guard = unlessLate(() => shared.counterMutex.lockSync(STUCK));
  if (!guard) {
    ledger.add(total.STUCK);
    return;
  }
  enterCounter(guard.ownerDied);
  try {
    run();
  } finally {
    ledger.set(total.COUNTER_HOLDER, 0);
    guard.unlock();
  }
}

function enterCounter(ownerDied: boolean): void {
  if (ownerDied) {
    ledger.add(total.OWNERS_DIED);
    shared.counterMutex.markConsistent();
  } else if (ledger.get(total.COUNTER_HOLDER) !== 0) ledger.add(total.BAD); // somebody else is in here
  ledger.set(total.COUNTER_HOLDER, life + 1);
}

function putAndTell(): void {
  withCounter(() => {
    ledger.add(total.COUNTER);
    if (random.chance(20)) shared.condition.broadcast();
    else shared.condition.signal();
  });
}

function waitToBeTold(): void {
  withCounter(() => {
    const end = nowMs() + SHORT.timeout;
    while (ledger.get(total.COUNTER) === 0 && nowMs() < end) {
      ledger.set(total.COUNTER_HOLDER, 0);
      const again = unlessLate(() => shared.condition.waitSync(shared.counterMutex, SHORT));
      enterCounter(again?.ownerDied ?? false);
      if (again && ledger.get(total.COUNTER) > 0) ledger.add(total.TOLD);
    }
    if (ledger.get(total.COUNTER) > 0) ledger.add(total.COUNTER, -1);
  });
}

/** Nobody comes alone: but the other may be killed before it has written that it passed. */
function meet(): void {
  const leads = unlessLate(() => shared.barrier.waitSync(SHORT));
  if (leads === undefined) return;
  ledger.add(total.BARRIER_PASSES);
  if (leads) ledger.add(total.BARRIER_LEADERS);
}

/** A child that does as this task does for a while, and ends by itself, whether it has a parent then or not. */
let youngest: Task | undefined;
function spawn(): void {
  if (Number.isFinite(actionsMax) || (youngest && youngest.tryWait() === undefined)) return;
  if (ledger.get(total.LIVES) >= LIVES_MAX) return;
  const argv = [ledgerName, String(ledger.add(total.LIVES)), seedText, String(CHILD_ACTIONS)];
  ledger.add(total.CHILDREN);
  youngest = kernel.spawn(new URL(import.meta.url), { argv, execArgv: [], descriptors: { 0: 0, 1: 1, 2: 2 } });
}

function addUnderMutex(): void {
  const began = nowMs();
  const guard = unlessLate(() => shared.mutex.lockSync(STUCK));
  if (!guard) {
    ledger.add(total.STUCK);
    return;
  }
  const before = ledger.get(total.HOLDER);
  if (guard.ownerDied) {
    if (before > 0) noteWait(before - 1, began);
    ledger.add(total.OWNERS_DIED);
    ledger.set(total.MUTEX_RIGHT, ledger.get(total.MUTEX_LEFT));
    shared.mutex.markConsistent();
  } else if (before !== 0) ledger.add(total.BAD); // somebody else is in here
  ledger.set(total.HOLDER, life + 1);
  if (ledger.get(total.MUTEX_LEFT) !== ledger.get(total.MUTEX_RIGHT)) ledger.add(total.BAD);
  ledger.add(total.MUTEX_LEFT);
  for (let i = random.below(200); i > 0; i--) ledger.get(total.HOLDER);
  ledger.add(total.MUTEX_RIGHT);
  ledger.set(total.HOLDER, 0);
  guard.unlock();
}

function noteWait(dead: number, beganMs: number): void {
  const killed = ledger.killedMs(dead);
  if (killed !== 0) ledger.raise(total.WAITED_MS_MAX, nowMs() - Math.max(killed, beganMs));
}

/** A writer that dies leaves its pair unequal by one; the next writer puts that right. */
function useRwlock(): void {
  const writes = random.chance(30);
  const guard = unlessLate(() => (writes ? shared.rwlock.writeLockSync(STUCK) : shared.rwlock.readLockSync(STUCK)));
  if (!guard) {
    ledger.add(total.STUCK);
    return;
  }
  const [left, right] = [ledger.get(total.RWLOCK_LEFT), ledger.get(total.RWLOCK_RIGHT)];
  if (left !== right && left !== right + 1) ledger.add(total.BAD);
  if (writes) {
    ledger.set(total.RWLOCK_LEFT, left + 1);
    ledger.set(total.RWLOCK_RIGHT, left + 1);
  } else if (ledger.get(total.RWLOCK_LEFT) !== left) ledger.add(total.BAD); // somebody writes
  guard.unlock();
}

function useSet(): void {
  const view = new DataView(kernel.memory.buffer);
  const operate = (value: number): number => {
    [0, value, SEM_UNDO].forEach((half, i) => {
      view.setInt16(OPERATION + 2 * i, half, true);
    });
    return kernel.sys.semop(shared.set, OPERATION, 1);
  };
  if (operate(-1) !== 0 || operate(1) !== 0) ledger.add(total.BAD);
}

/** Numbers of its own that only rise. */
let signals = 0;
function signal(): void {
  if (Number.isFinite(actionsMax)) return; // a child's parent does not listen
  try {
    kernel.kill(kernel.parentPid, SIGNAL, life * 2 ** 20 + ++signals);
  } catch (error) {
    if (!(error instanceof IpcError && error.code === "EAGAIN")) throw error;
  }
}

const actions: readonly (readonly [number, () => void])[] = [
  [30, () => send("queue")],
  [30, () => receive("queue")],
  [20, () => send("pipe")],
  [20, () => receive("pipe")],
  [20, addUnderMutex],
  [20, useRwlock],
  [10, useSet],
  [2, signal],
  [20, () => send("urgent")],
  [20, () => receive("urgent")],
  [10, sendBatch],
  [10, receiveBatch],
  [5, () => receive("batch")],
  [10, putAndTell],
  [10, waitToBeTold],
  [10, meet],
  [1, spawn],
];

for (let done = 0; done < actionsMax; done++) {
  random.weighted(actions)();
  ledger.act(life);
}
kernel.close();
ledger[Symbol.dispose]();
process.exit(0);
