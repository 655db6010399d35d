// A tortured task: does what comes to its mind with all that is shared, writes down what it has done, and is killed sooner or
// later, anywhere.

import { IpcError, Kernel } from "../../src/index.ts";
import { Random } from "../random.ts";
import { decode, encode, Ledger, MESSAGE_BYTES, nowMs, type Source, STREAM_MESSAGES, total } from "./ledger.ts";
import { openShared, type Shared, SIGNAL } from "./objects.ts";

const [, , ledgerName = "", lifeText = "0", seedText = "0"] = process.argv;
const life = Number(lifeText);
const ledger = Ledger.open(ledgerName);
const kernel = Kernel.attach();
const random = new Random(Number(seedText) + life);
const shared: Shared = openShared(kernel);
const outgoing = new Uint8Array(MESSAGE_BYTES);
/** Nobody waits so long, unless he is stuck. */
const STUCK = { timeout: 10_000 } as const;
/** For what may never come. */
const SHORT = { timeout: 20 } as const;
const SEM_UNDO = 0x1000;
const OPERATION = 1024;

const streams = new Map<Source, { stream: number; number: number }>();
/** The last number seen of each stream. */
const seen = new Map<string, number>();

function next(source: Source): { stream: number; number: number } | undefined {
  const known = streams.get(source);
  if (known && known.number + 1 < STREAM_MESSAGES) {
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
    else shared.writer.writeSync(outgoing, SHORT);
    return true;
  });
  if (sent) ledger.noteAcknowledged(message);
  else message.number--; // it was not sent
}

function receive(source: Source): void {
  const slot = ledger.slotOf(life, source);
  const length = unlessLate(() =>
    source === "queue" ? shared.queue.receiveIntoSync(slot, SHORT) : shared.reader.readSync(slot, SHORT),
  );
  if (length === undefined) return;
  const message = decode(slot);
  if (!message || length !== MESSAGE_BYTES) ledger.add(total.BAD);
  else {
    const key = `${source} ${message.stream}`;
    if ((seen.get(key) ?? -1) >= message.number) ledger.add(total.BAD); // out of order
    seen.set(key, message.number);
    ledger.mark(message);
    ledger.add(total.MESSAGES);
  }
  slot.fill(0);
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
];

for (;;) {
  random.weighted(actions)();
  ledger.act(life);
}
