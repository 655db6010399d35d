// Three tasks at once, and deaths: what two cannot show. Each has the bound of preemptions that it is tried with.

import { lockFamily, signalFamily, waitFamily } from "../stepped/core-families.ts";
import { machineQueueFamily } from "../stepped/machine-families.ts";
import {
  barrierFamily,
  conditionFamily,
  type Family,
  type MutexHandles,
  mutexFamily,
  queueFamily,
  rwlockFamily,
  scenarioOf,
  semaphoreFamily,
  telling,
} from "../stepped/object-families.ts";
import type { Scenario } from "../stepped/stepped.ts";

export interface Triple {
  readonly name: string;
  readonly bound: number;
  readonly scenario: Scenario;
}

function triple<A, H>(family: Family<A, H>, state: string, bound: number, ...programs: string[]): Triple {
  const before = family.before[state];
  if (!before) throw new Error(`${family.name} has no state ${state}`);
  const name = `${family.name} ${state}: ${programs.join(" | ")}`;
  return { name, bound, scenario: scenarioOf(family, name, before, programs) as Scenario };
}

/** Locks a mutex, says whether its owner died, and unlocks it again. */
const lockAndTell = telling<MutexHandles>(({ mutex }, program) => {
  const held = mutex.lockSync();
  if (held.ownerDied) mutex.markConsistent();
  program.between();
  held.unlock();
  return held.ownerDied;
});

const lockAndKeep = ({ mutex }: MutexHandles): void => void mutex.lockSync();

/** A mutex whose owner has died: one buries it, the others want the mutex. */
export const orphanedMutex = {
  ...scenarioOf(mutexFamily, "mutex of a dead owner: burial | lock | lock", lockAndKeep, []),
  orphaned: true,
  alternatives: [],
  programs: [telling<MutexHandles>(({ system }) => system.reap()), lockAndTell, lockAndTell],
} as Scenario;

export const triples: readonly Triple[] = [
  triple(lockFamily, "free", 3, "lock", "lock"),
  triple(lockFamily, "free", 3, "lock", "lock", "lock"),
  triple(waitFamily, "at 0", 2, "take", "take", "addTwo"),
  triple(waitFamily, "at 0", 2, "take", "take", "add+add"),
  triple(waitFamily, "at 0", 2, "take", "tryTake", "add"),
  triple(waitFamily, "at 1", 3, "take", "take", "add"),
  triple(waitFamily, "at 0", 2, "interrupt", "take", "add"),
  triple(queueFamily, "empty", 3, "send", "receive"),
  triple(queueFamily, "full", 3, "send", "receive"),
  triple(queueFamily, "empty", 3, "send+send", "receive+receive"),
  triple(queueFamily, "empty", 2, "send", "send", "receive"),
  triple(queueFamily, "with one", 2, "send", "send", "receive"),
  triple(queueFamily, "full", 2, "send", "receive", "receive"),
  triple(queueFamily, "empty", 2, "send", "receive", "receive"),
  triple(queueFamily, "empty", 2, "sendTyped", "receive", "receiveTyped"),
  triple(queueFamily, "full", 2, "sendUrgent", "send", "tryReceiveMany"),
  triple(machineQueueFamily, "empty", 2, "send", "receiveAnswer", "receive"),
  triple(machineQueueFamily, "with one", 2, "send", "receiveAnswer", "receiveAnswer"),
  triple(machineQueueFamily, "empty", 3, "send+receiveAnswer", "receive+send"),
  triple(signalFamily, "quiet", 2, "kill", "killWithValue", "wait+wait"),
  triple(signalFamily, "quiet", 2, "kill", "kill", "wait+wait"),
  triple(semaphoreFamily, "at 0", 2, "wait", "wait", "post+post"),
  triple(semaphoreFamily, "at 1", 2, "wait+post", "wait+post", "wait+post"),
  triple(mutexFamily, "free", 3, "lockAndUnlock", "lockAndUnlock", "lockAndUnlock"),
  triple(mutexFamily, "free", 3, "lockAndUnlock", "tryLockAndUnlock", "lockAndUnlock"),
  triple(rwlockFamily, "free", 2, "read", "read", "write"),
  triple(rwlockFamily, "free", 2, "write", "write", "read"),
  triple(rwlockFamily, "free", 2, "tryRead", "tryWrite", "read"),
  triple(conditionFamily, "unset", 2, "take", "take", "signal+signal"),
  triple(conditionFamily, "unset", 2, "look", "look", "broadcast"),
  triple(conditionFamily, "unset", 2, "take", "look", "signalUnlocked"),
  triple(barrierFamily, "closed", 2, "wait", "wait", "wait"),
  triple(barrierFamily, "closed", 2, "wait+wait", "wait+wait"),
  { name: orphanedMutex.name, bound: 2, scenario: orphanedMutex },
];
