// What can be done with an open file now, as poll(2) says it, and what to wait for until it can. Linux's pipe_poll and
// mqueue_poll_file decide alike; a queue answers for both directions, however it was opened.

import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "../abi/flags.ts";
import { NO_SIGNALS } from "../abi/signals.ts";
import { access, kinds } from "../memory/layout.ts";
import type { Condition } from "../sync/waiting.ts";
import type { OpenFile } from "./opening.ts";
import type { System } from "./system.ts";

export const POLL_READ = POLLIN | POLLRDNORM;
export const POLL_WRITE = POLLOUT | POLLWRNORM;
/** Told whether they were asked for or not. */
export const POLL_ALWAYS = POLLERR | POLLHUP;

/** All the events that hold for a file now. Looks without a lock, and sleeps never. */
export function readinessOf(system: System, file: OpenFile): number {
  if (file.hostStream >= 0) return system.world.streams.ready(file.hostStream);
  if (isPipe(file)) return pipeReadiness(system, file);
  if (isQueue(file)) {
    const ring = system.ringOf(file.objectIndex);
    if (ring.removed) return POLLERR;
    return (ring.length > 0 ? POLL_READ : 0) | (ring.vacant.ready(1) ? POLL_WRITE : 0);
  }
  if (file.kind === kinds.SIGNALS) return system.signals.own.pending & signalsOf(system, file) ? POLLIN : 0;
  return POLLERR;
}

/**
 * What changes the events that are asked for: where one of these is notified, look again. None for a stream of the host's, and
 * none for a signal file, which has `signalsOf`.
 */
export function conditionsOf(system: System, file: OpenFile, events: number): Condition[] {
  if (isPipe(file)) {
    const pipe = system.pipeOf(file.objectIndex);
    const conditions: Condition[] = [];
    if (file.access & access.READ) conditions.push(pipe.readable);
    if (file.access & access.WRITE) conditions.push(pipe.writable);
    return conditions;
  }
  if (!isQueue(file)) return [];
  const ring = system.ringOf(file.objectIndex);
  const conditions: Condition[] = [];
  if (events & POLL_READ) conditions.push(ring.filled);
  if (events & POLL_WRITE) conditions.push(ring.vacant);
  return conditions;
}

/** The signals that make a file readable when they come to this task: none but for a signal file. */
export const signalsOf = (system: System, file: OpenFile | undefined): bigint =>
  file?.kind === kinds.SIGNALS ? system.signalFileOf(file.objectIndex).signals : NO_SIGNALS;

export const isPipe = ({ kind }: OpenFile): boolean => kind === kinds.PIPE || kind === kinds.FIFO;
const isQueue = ({ kind }: OpenFile): boolean => kind === kinds.QUEUE || kind === kinds.SYSV_QUEUE;

function pipeReadiness(system: System, file: OpenFile): number {
  const pipe = system.pipeOf(file.objectIndex);
  let events = 0;
  if (file.access & access.READ) {
    // In this order: a writer that opens is there before it counts as opened, and one that closes has written before.
    const hadWriters = pipe.writersOpened !== writersBefore(system, file);
    if (hadWriters && pipe.writers === 0) events |= POLLHUP;
    if (pipe.length > 0) events |= POLL_READ;
  }
  if (file.access & access.WRITE) {
    if (pipe.capacity - pipe.length >= pipe.atomicBytesMax) events |= POLL_WRITE;
    if (pipe.readers === 0) events |= POLLERR;
  }
  return events;
}

/** How many writers a FIFO had had when this reader opened it without waiting for one; else 0. */
const writersBefore = (system: System, { description }: OpenFile): number =>
  description === undefined ? 0 : system.descriptors.positionOf(description);
