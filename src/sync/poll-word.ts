// The word of a task that polls: it sleeps on it while its wait nodes stand in the lists of what it polls (sync/polling.ts).
//
//   0 IDLE · 1 WAITING the owner polls · 2 WOKEN one of its nodes was taken out · 3 INTERRUPTED it is to give up
//
// Only the owner leaves IDLE or comes back to it, and only WAITING can be changed by others: who came first is kept. Between two
// sleeps of one poll the owner goes back to WAITING, not to IDLE: whoever interrupts it then does so all the same.

import { type Geometry, task } from "../memory/layout.ts";
import { field, type Word } from "../memory/words.ts";
import { taskSlot } from "./bell.ts";
import type { LockUser, Pid } from "./robust-lock.ts";

const IDLE = 0;
export const WAITING = 1;
const WOKEN = 2;
const INTERRUPTED = 3;

/** A task, or one that looks after others. */
export interface PollUser extends LockUser {
  readonly geometry: Geometry;
}

/** `since` is when it began to wait, by `beginningOfWait`. */
export function beginPoll(user: PollUser, since: number): void {
  user.words.set(field(taskSlot(user.geometry, user.pid), task.POLL_SINCE), since);
  user.words.store(pollWord(user, user.pid), WAITING);
}

/** Sleeps until it is woken or interrupted, for `timeoutMs` at most. */
export function sleepInPoll(user: PollUser, timeoutMs: number): void {
  user.parker.park(pollWord(user, user.pid), WAITING, timeoutMs);
}

/** It looks again, and then goes on: who interrupts it between two of its sleeps does so. Returns whether it was interrupted. */
export function continuePoll(user: PollUser): boolean {
  return user.words.exchange(pollWord(user, user.pid), WAITING) === INTERRUPTED;
}

/** Returns whether the poll was interrupted. */
export function endPoll(user: PollUser): boolean {
  return user.words.exchange(pollWord(user, user.pid), IDLE) === INTERRUPTED;
}

/** For a task one of whose nodes was taken out. */
export function wakePoll(user: PollUser, pid: Pid): void {
  change(user, pid, WOKEN);
}

/** Returns whether the task polled. */
export function interruptPoll(user: PollUser, pid: Pid): boolean {
  return change(user, pid, INTERRUPTED);
}

function change(user: PollUser, pid: Pid, to: number): boolean {
  if (user.words.load(field(taskSlot(user.geometry, pid), task.PID)) !== pid) return false;
  const word = pollWord(user, pid);
  if (user.words.compareExchange(word, WAITING, to) !== WAITING) return false; // PUBLISHES → observed in endPoll()
  user.parker.unpark(word, 1);
  return true;
}

const pollWord = (user: PollUser, pid: Pid): Word => field(taskSlot(user.geometry, pid), task.POLL);
