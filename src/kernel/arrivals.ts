// Who is told that a message has come into an empty POSIX queue: one task at a time, and once (mq_notify(3)). Guarded by the
// kernel lock.

import { EBUSY } from "../abi/errno.ts";
import { SIGEV_NONE, SIGEV_SIGNAL } from "../abi/flags.ts";
import type { Journal } from "../memory/journal.ts";
import { type Geometry, queue } from "../memory/layout.ts";
import { field, LINE_WORDS, type Word, type Words } from "../memory/words.ts";
import { freshRules, type MessageRing } from "../objects/message-ring.ts";
import { taskSlot } from "../sync/bell.ts";
import type { Pid } from "../sync/robust-lock.ts";

const TICKET_MASK = 0x7fffffff;

/** The kernel, as far as arrivals need it. */
interface Teller {
  readonly words: Words;
  readonly journal: Journal;
  readonly geometry: Geometry;
  readonly pid: Pid;
  transaction(change: () => number): number;
}

/** What a struct sigevent asks for. */
interface Registration {
  readonly how: number;
  readonly signal: number;
  /** The halves of sigev_value. */
  readonly value: readonly [low: number, high: number];
}

const TO_A_PROMISE: Registration = { how: SIGEV_NONE, signal: 0, value: [0, 0] };

/** EBUSY where somebody is to be told already. */
export function registerLocked(kernel: Teller, ring: MessageRing, { how, signal, value }: Registration): number {
  if (kernel.words.load(ring.word(queue.NOTIFY_PID)) !== 0) return EBUSY;
  const write = (name: number, word: number): void => kernel.journal.write(ring.word(name), word);
  write(queue.NOTIFY_KIND, how);
  write(queue.NOTIFY_SIGNAL, signal);
  write(queue.NOTIFY_VALUE, value[0]);
  write(queue.NOTIFY_VALUE + 1, value[1]);
  write(queue.NOTIFY_FROM, ring.takenCount);
  setWatcherLocked(kernel, ring.bodyLine, kernel.pid);
  return 0;
}

/** Ends this task's own registration, if it is one. */
export function unregisterLocked(kernel: Teller, ring: MessageRing): number {
  if (kernel.words.load(ring.word(queue.NOTIFY_PID)) === kernel.pid) setWatcherLocked(kernel, ring.bodyLine, 0);
  return 0;
}

/** Ends the registration of the task in a slot, which has closed a descriptor of the queue. */
export function forgetWatcherLocked(kernel: Teller, bodyLine: number, slot: Word): void {
  const watcher = field((bodyLine * LINE_WORDS) as Word, queue.NOTIFY_PID);
  const pid = kernel.words.load(watcher);
  if (pid !== 0 && taskSlot(kernel.geometry, pid as Pid) === slot) setWatcherLocked(kernel, bodyLine, 0);
}

/** A message came into an empty queue that somebody watches: tells a promise, or returns the signal to send. */
export function tellArrival(kernel: Teller, ring: MessageRing): (Registration & { readonly to: number }) | undefined {
  const read = (name: number): number => kernel.words.load(ring.word(name));
  let signal: (Registration & { readonly to: number }) | undefined;
  const told = kernel.transaction(() => {
    const to = read(queue.NOTIFY_PID);
    if (to === 0) return 0;
    const how = read(queue.NOTIFY_KIND);
    const value = [read(queue.NOTIFY_VALUE), read(queue.NOTIFY_VALUE + 1)] as const;
    if (how === SIGEV_SIGNAL) signal = { to, how, signal: read(queue.NOTIFY_SIGNAL), value };
    setWatcherLocked(kernel, ring.bodyLine, 0);
    kernel.journal.add(ring.word(queue.NOTIFY_TICKET), 1);
    return 1;
  });
  if (told === 1) ring.filled.monitor.notify(1);
  return signal;
}

/** Registers this task to be told of the next arrival: the registration's number, or EBUSY. */
export function watchArrivals(kernel: Teller, ring: MessageRing): number {
  return kernel.transaction(() => registerLocked(kernel, ring, TO_A_PROMISE) || ticket(kernel, ring));
}

/** Whether an arrival has been told since a registration. */
export const wasTold = (kernel: Teller, ring: MessageRing, watch: number): boolean => ticket(kernel, ring) !== watch;

export function unwatchArrivals(kernel: Teller, ring: MessageRing, watch: number): void {
  kernel.transaction(() => (wasTold(kernel, ring, watch) ? 0 : unregisterLocked(kernel, ring)));
}

/** Senders remember whether somebody watches, until RULES says otherwise. */
function setWatcherLocked({ words, journal }: Teller, bodyLine: number, pid: number): void {
  const body = (bodyLine * LINE_WORDS) as Word;
  journal.write(field(body, queue.NOTIFY_PID), pid);
  journal.write(field(body, queue.RULES), freshRules(words));
}

const ticket = (kernel: Teller, ring: MessageRing): number =>
  kernel.words.load(ring.word(queue.NOTIFY_TICKET)) & TICKET_MASK;
