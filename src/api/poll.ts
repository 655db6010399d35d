// Waiting for the first of several pipe ends, queues and signal readers: poll(2), as a promise and asleep.

import { EBADF, EINTR, ETIMEDOUT } from "../abi/errno.ts";
import { POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT } from "../abi/flags.ts";
import { WAIT_SLICE_MS } from "../abi/limits.ts";
import { NO_SIGNALS } from "../abi/signals.ts";
import type { OpenFile } from "../kernel/opening.ts";
import { conditionsOf, POLL_ALWAYS, readinessOf, signalsOf } from "../kernel/readiness.ts";
import type { System } from "../kernel/system.ts";
import { blockUntilAny } from "../sync/polling.ts";
import { type Condition, FOR_EVER } from "../sync/waiting.ts";
import type { Description } from "../tasks/descriptors.ts";
import { deliverAtEnd } from "./delivering.ts";
import type { Handle } from "./handle.ts";
import { failureOf } from "./ipc-error.ts";
import { MessageQueue } from "./message-queue.ts";
import { type SyncWaitOptions, signalOf, timeoutOf, type WaitOptions } from "./options.ts";
import { PipeReader } from "./pipe-reader.ts";
import { PipeWriter } from "./pipe-writer.ts";
import { SignalReader } from "./signal-reader.ts";
import { TypedQueue } from "./typed-queue.ts";

/** Something to wait for. */
export interface PollItem {
  /** A handle of this task, or a descriptor of its table. */
  readonly handle: PipeReader | PipeWriter | MessageQueue | TypedQueue<unknown> | SignalReader | number;
  /** Wait until a read or receive would not wait. With neither `read` nor `write`: true, but for a PipeWriter. */
  readonly read?: boolean | undefined;
  /** Wait until a write of PIPE_BUF bytes, or a send, would not wait. With neither `read` nor `write`: true for a PipeWriter. */
  readonly write?: boolean | undefined;
}

/** What an item is ready for. */
export interface PollReady<T extends PollItem = PollItem> {
  /** The item, as it was passed. */
  readonly item: T;
  /** A read or receive would not wait. */
  readonly readable: boolean;
  /** A write of PIPE_BUF bytes, or a send, would not wait. */
  readonly writable: boolean;
  /** Of a read end: no writer is left. What was written can still be read. */
  readonly hungUp: boolean;
  /** Of a write end: no reader is left. Of any: it was closed, or is not open. */
  readonly error: boolean;
}

/** An item that is being waited for. */
interface Watched<T extends PollItem> {
  readonly item: T;
  readonly descriptor: number;
  readonly events: number;
  readonly file: OpenFile | undefined;
}

const OBJECT = "items";
const handleClasses = [PipeReader, PipeWriter, MessageQueue, SignalReader];

export async function poll<T extends PollItem>(
  system: System,
  items: readonly T[],
  options: WaitOptions | undefined,
  isClosed: () => boolean,
): Promise<PollReady<T>[]> {
  const watched = watch(system, items);
  const timeoutMs = timeoutOf(options, "poll", OBJECT);
  const signal = signalOf(options, "poll", OBJECT);
  signal?.throwIfAborted();
  if (countReady(system, watched) > 0 || timeoutMs === 0) return answer(system, watched);
  const held = holdAll(system, watched);
  try {
    const result = await untilReady(system, watched, isClosed, timeoutMs, signal);
    if (isClosed()) throw failureOf(EBADF, "poll", OBJECT);
    if (result < 0 && result !== ETIMEDOUT) throw failureOf(result, "poll", OBJECT);
    return answer(system, watched);
  } finally {
    if (!isClosed()) for (const description of held) system.letGo(description); // else they went with all the rest
  }
}

/** Whichever comes first: a condition that holds, a signal, or the time. */
async function untilReady(
  system: System,
  watched: readonly Watched<PollItem>[],
  isClosed: () => boolean,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const look = (): number => (isClosed() ? EBADF : countReady(system, watched));
  const conditions = conditionsOfAll(system, watched);
  const signals = signalsOfAll(system, watched);
  if (conditions.length > 0 && signals === NO_SIGNALS)
    return system.awaits.untilAny({}, conditions, look, timeoutMs, signal);
  const others = new AbortController();
  // Not AbortSignal.any: what it gives is kept for as long as the caller's signal is.
  const forward = (): void => others.abort(signal?.reason);
  signal?.addEventListener("abort", forward, { once: true });
  const waits = [lookAgainAndAgain(system, signals, look, timeoutMs, others.signal)];
  if (conditions.length > 0) waits.push(system.awaits.untilAny({}, conditions, look, timeoutMs, others.signal));
  for (const wait of waits) wait.catch(() => {}); // the one that is called off
  try {
    return await Promise.race(waits);
  } finally {
    signal?.removeEventListener("abort", forward);
    others.abort();
  }
}

export function pollSync<T extends PollItem>(
  system: System,
  items: readonly T[],
  options: SyncWaitOptions | undefined,
): PollReady<T>[] {
  const watched = watch(system, items);
  const timeoutMs = timeoutOf(options, "poll", OBJECT);
  const look = (): number => countReady(system, watched);
  if (look() === 0) {
    const sleep = (): number => blockUntilAny(system, conditionsOfAll(system, watched), look, timeoutMs);
    const result = system.signals.awaiting(signalsOfAll(system, watched), sleep);
    if (result === EINTR) system.signals.deliver(); // a poll never goes on after a handler (signal(7))
    if (result < 0)
      throw failureOf(result, "poll", OBJECT, result === EINTR ? "a signal or another task interrupted it" : undefined);
  }
  deliverAtEnd(system);
  return answer(system, watched);
}

function watch<T extends PollItem>(system: System, items: readonly T[]): Watched<T>[] {
  if (!Array.isArray(items)) throw new TypeError("poll: the items must be an array");
  return items.map((item: T) => {
    const given: unknown = item?.handle;
    const handle = given instanceof TypedQueue ? given.bytes : given;
    const isHandle = handleClasses.some((one) => handle instanceof one);
    if (!isHandle && !Number.isInteger(handle)) {
      throw new TypeError(
        "poll: an item's handle must be a PipeReader, PipeWriter, MessageQueue, SignalReader or a descriptor",
      );
    }
    if (isHandle && (handle as Handle).closed) throw new TypeError("poll: a handle is closed; open it again");
    const descriptor = isHandle ? (handle as Handle).descriptor : (handle as number);
    return { item, descriptor, events: eventsOf(item), file: system.openFile(descriptor) };
  });
}

function eventsOf({ handle, read, write }: PollItem): number {
  if (read === undefined && write === undefined) return handle instanceof PipeWriter ? POLLOUT : POLLIN;
  return (read ? POLLIN : 0) | (write ? POLLOUT : 0);
}

/** The events of one item: POLLNVAL once its descriptor names nothing, or another file than at first. */
function eventsNow(system: System, { descriptor, events, file }: Watched<PollItem>): number {
  const now = system.openFile(descriptor);
  if (!file || !now || now.description !== file.description || now.objectIndex !== file.objectIndex) return POLLNVAL;
  return readinessOf(system, now) & (events | POLL_ALWAYS);
}

const countReady = (system: System, watched: readonly Watched<PollItem>[]): number =>
  watched.reduce((count, one) => count + (eventsNow(system, one) !== 0 ? 1 : 0), 0);

function answer<T extends PollItem>(system: System, watched: readonly Watched<T>[]): PollReady<T>[] {
  const ready: PollReady<T>[] = [];
  for (const one of watched) {
    const events = eventsNow(system, one);
    if (events === 0) continue;
    ready.push({
      item: one.item,
      readable: (events & POLLIN) !== 0,
      writable: (events & POLLOUT) !== 0,
      hungUp: (events & POLLHUP) !== 0,
      error: (events & (POLLERR | POLLNVAL)) !== 0,
    });
  }
  return ready;
}

const conditionsOfAll = (system: System, watched: readonly Watched<PollItem>[]): Condition[] =>
  watched.flatMap(({ file, events }) => (file ? conditionsOf(system, file, events) : []));

const signalsOfAll = (system: System, watched: readonly Watched<PollItem>[]): bigint =>
  watched.reduce((all, { file }) => all | signalsOf(system, file), NO_SIGNALS);

/** While a promise waits in an object's list, the object stays, though its descriptor may be closed meanwhile. */
function holdAll(system: System, watched: readonly Watched<PollItem>[]): Description[] {
  const held: Description[] = [];
  for (const index of new Set(watched.map(({ file }) => file?.objectIndex ?? -1))) {
    if (index < 0) continue;
    const description = system.hold(index);
    if (description < 0) {
      for (const one of held) system.letGo(one);
      throw failureOf(description, "poll", OBJECT);
    }
    held.push(description as Description);
  }
  return held;
}

/** Where nobody wakes but signals: the time passes, and streams of the host's become ready. */
function lookAgainAndAgain(
  system: System,
  signals: bigint,
  look: () => number,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const end = timeoutMs === FOR_EVER ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
  return new Promise((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const onAbort = (): void => {
      clearTimeout(timer);
      stop();
      reject(signal?.reason);
    };
    const turn = (): void => {
      clearTimeout(timer);
      const found = look();
      const left = end - performance.now();
      if (found === 0 && left > 0) {
        timer = setTimeout(turn, Math.min(left, WAIT_SLICE_MS));
        return;
      }
      signal?.removeEventListener("abort", onAbort);
      stop();
      resolve(found || ETIMEDOUT);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    const stop = signals === NO_SIGNALS ? () => {} : system.signals.listen(signals, () => turn());
    turn();
  });
}
