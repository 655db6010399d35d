// The table of all operations that write: what the victim does, on what, and who waits meanwhile.

import { kinds } from "../../src/memory/layout.ts";
import { coreFamilies } from "../stepped/core-families.ts";
import { machineFamilies } from "../stepped/machine-families.ts";
import { type Family, families, type MutexHandles, mutexFamily, scenarioOf } from "../stepped/object-families.ts";
import { promiseFamily } from "../stepped/promise-family.ts";
import type { Scenario } from "../stepped/stepped.ts";
import type { Program } from "../stepped/stepped-task.ts";
import { callsFamily, destroy } from "./calls-family.ts";

/** One operation to die in. */
export interface Row {
  readonly name: string;
  readonly family: string;
  readonly operation: string;
  /** Task 0 is the victim, task 1 buries it; task 2, where there is one, waits from before. */
  readonly scenario: Scenario;
  readonly hasWaiter: boolean;
  /** Why what is seen may be neither what was before nor what is afterwards; then only leaks and stuck tasks are looked for. */
  readonly partly: string | undefined;
}

const PROGRAMS_OWN = "the program's own: it sets the flag, and only then signals";

/** Operations of several steps, each of which stands by itself. */
const partly: Record<string, string> = {
  "condition signal": PROGRAMS_OWN,
  "condition signalUnlocked": PROGRAMS_OWN,
  "condition broadcast": PROGRAMS_OWN,
  "system call msgsnd until it grows": "seventeen messages, one after the other",
  "system call msgsnd, and msgrcv by type": "three messages, and one is received",
  "system call msgctl IPC_RMID": "a message, and then the removal",
  "system call mq_timedsend and mq_timedreceive": "a message, which is then received",
};

/** Those who wait from before: which operations fall asleep in which state. */
const waiters: Record<string, Record<string, readonly string[]>> = {
  queue: { empty: ["receive", "receiveTyped"], full: ["send", "sendUrgent"] },
  "queue in machine code": { empty: ["receive", "receiveAnswer"], full: ["send"] },
  pipe: { empty: ["read"], full: ["write"] },
  "pipe in machine code": { empty: ["read"], full: ["write"] },
  semaphore: { "at 0": ["wait"] },
  "wait list": { "at 0": ["take"] },
  "semaphore set": { "at 0 0": ["down", "takeBoth"], "at 1 0": ["awaitZero"] },
  poll: { empty: ["pollIn"], full: ["pollOut"] },
  signals: { quiet: ["wait", "receive"] },
  condition: { unset: ["look"] },
  promise: { empty: ["awaitReceive"], full: ["awaitSend"] },
};

// biome-ignore lint/suspicious/noExplicitAny: each family has types of its own
type AnyFamily = Family<any, any>;

function rowOf(family: AnyFamily, state: string, operation: string, waiter?: string): Row {
  const beside = waiter === undefined ? "" : ` while another waits to ${waiter}`;
  const name = `${family.name} ${state}: ${operation}${beside}`;
  const programs = waiter === undefined ? [operation] : [operation, waiter];
  const scenario = scenarioOf(family, name, family.before[state] as () => void, programs) as Scenario;
  const [victim, ...others] = scenario.programs;
  const bury: Scenario["programs"][number] = (_handles, { system }) => void system.reap();
  return {
    name,
    family: family.name,
    operation,
    hasWaiter: waiter !== undefined,
    partly: partly[`${family.name} ${operation}`],
    scenario: {
      ...scenario,
      mortal: true,
      slices: 8,
      destroy: (system) => {
        destroy(system);
        for (const named of ["a", "b"]) system.unlink({ kind: kinds.QUEUE, name: new TextEncoder().encode(named) });
      },
      programs: [victim as Scenario["programs"][number], bury, ...others],
    },
  };
}

const all: readonly AnyFamily[] = [...families, ...machineFamilies, ...coreFamilies, promiseFamily, callsFamily];

/** A mutex whose owner is dead from the beginning: the victim buries it, gets the mutex with the news, and mends what it guards. */
const mutexOfTheDead = {
  ...mutexFamily,
  name: "mutex of a dead owner",
  before: { held: ({ mutex }: MutexHandles): void => void mutex.lockSync() },
  operations: {
    "bury, lock, mend and unlock": ({ mutex }: MutexHandles, { system }: Program): void => {
      system.reap();
      const held = mutex.lockSync();
      if (held.ownerDied) mutex.markConsistent();
      held.unlock();
    },
  },
  observe: ({ mutex }: MutexHandles): string => {
    const held = mutex.lockSync();
    if (held.ownerDied) mutex.markConsistent();
    held.unlock();
    return `is held by ${mutex.owner}`;
  },
};

const orphaned = rowOf(mutexOfTheDead, "held", "bury, lock, mend and unlock");

const tried: readonly Row[] = all.flatMap((family) =>
  Object.keys(family.before).flatMap((state) =>
    Object.keys(family.operations).flatMap((operation) => [
      rowOf(family, state, operation),
      ...(waiters[family.name]?.[state] ?? []).map((waiter) => rowOf(family, state, operation, waiter)),
    ]),
  ),
);

export const rows: readonly Row[] = [...tried, { ...orphaned, scenario: { ...orphaned.scenario, orphaned: true } }];
