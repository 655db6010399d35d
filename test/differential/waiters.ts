// Who may wait for the same at once. POSIX does not say who of several gets it first, and both sides must come to the same: so
// one alone waits, or all let go of it at once (`…_pass`), and it does not matter.

import type { CallName } from "./calls.ts";
import { type Context, call, idleTasks, longs, type Sleeping } from "./family.ts";
import { passes } from "./library-calls.ts";
import type { Input, Operation } from "./operation.ts";
import type { Random } from "./random.ts";

/** Where a call finds the time until which it waits. */
export const TIME = 10_752;
const FAR_MS = 3_600_000;
const PASSED = longs(1, 0);

const isPass = ({ name }: Operation): boolean => name in passes;

/** Whether it does not matter who of them is first. */
export const inAnyOrder = (waiters: readonly Operation[]): boolean => waiters.length < 2 || waiters.every(isPass);

/** Whether a task may fall asleep: one stays awake, or none could be woken. */
export const mayOneSleep = ({ tasks }: Context, sleeping: Sleeping): boolean => idleTasks(tasks, sleeping).length > 1;

/** Out of a thousand operations: another task in the place of a dead one takes as long as hundreds of calls. */
const DEATHS_PER_MILLE = 4;

/** Now and then the death of a task, mostly of one that has something to leave behind. */
export function drawDeath(random: Random, { tasks }: Context, rich: readonly number[]): Operation | undefined {
  if (random.below(1000) >= DEATHS_PER_MILLE) return undefined;
  return call(rich.length > 0 && random.chance(80) ? random.pick(rich) : random.below(tasks), "die", []);
}

/** A time that lies far ahead, or has passed. */
const drawTime = (random: Random): Input => ({
  at: TIME,
  value: random.chance(50) ? PASSED : { inMilliseconds: FAR_MS },
});

/** Whether a call comes back at once where it does not get what it wants. */
export const isImpatient = ({ name, inputs = [] }: Operation): boolean =>
  name.includes("try") || (name.includes("timed") && !inputs.some(({ value }) => "inMilliseconds" in value));

/** The first argument, as the number that it is: of an object or a handle. */
export const objectOf = ({ args }: Operation): number => args[0] as number;

/** The inputs of a call, where it is a timed one. */
export const timeFor = (name: CallName, random: Random): Pick<Operation, "inputs"> =>
  name.includes("timed") ? { inputs: [drawTime(random)] } : {};
