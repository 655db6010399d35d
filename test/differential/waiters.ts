// Who may wait for the same at once. POSIX does not say who of several gets it first, and both sides must come to the same: so
// one alone waits, or all let go of it at once (`…_pass`), and it does not matter.

import type { Random } from "../random.ts";
import type { CallName } from "./calls.ts";
import { type Context, call, drawInterrupt, idleTasks, longs, type Sleeping } from "./family.ts";
import { passes } from "./library-calls.ts";
import type { Operation } from "./operation.ts";

/** Where a call finds the time until which it waits. */
export const TIME = 10_752;
const FAR_MS = 3_600_000;
const SOON_MS = 3;

const isPass = ({ name }: Operation): boolean => name in passes;

/** Whether it does not matter who of them is first. */
export const inAnyOrder = (waiters: readonly Operation[]): boolean => waiters.length < 2 || waiters.every(isPass);

/** Whether a task may fall asleep: one stays awake, or none could be woken. */
export const mayOneSleep = ({ tasks }: Context, sleeping: Sleeping): boolean => idleTasks(tasks, sleeping).length > 1;

/** Of a thousand operations. To start another task in the place of a dead one takes as long as hundreds of calls. */
const DEATHS_PER_MILLE = 6;

/** Now and then the death of a task, mostly of one that has something to leave behind. */
export function drawDeath(random: Random, { tasks }: Context, rich: readonly number[]): Operation | undefined {
  if (random.below(1000) >= DEATHS_PER_MILLE) return undefined;
  return call(rich.length > 0 && random.chance(80) ? random.pick(rich) : random.below(tasks), "die", []);
}

/** Now and then an interrupt of one of those who sleep, in calls that sleep on. */
export const drawVainInterrupt = (random: Random, sleeping: Sleeping): Operation | undefined =>
  sleeping.size > 0 && random.chance(3) ? drawInterrupt(random, sleeping) : undefined;

/** A time that a call is given: it has passed (a call may still be seen asleep before it finds out), passes soon, or lies far ahead. */
type Timing = Pick<Operation, "inputs" | "returns">;
export const PASSED: Timing = { inputs: [{ at: TIME, value: longs(1, 0) }], returns: true };
const SOON: Timing = { inputs: [{ at: TIME, value: { inMilliseconds: SOON_MS } }], returns: true };
const FAR: Timing = { inputs: [{ at: TIME, value: { inMilliseconds: FAR_MS } }] };

/** A call on objects, or one of the task's handles; where it is a timed one, with a time. */
export function callInTime(random: Random, task: number, name: CallName, ...objects: number[]): Operation {
  if (!name.includes("timed")) return call(task, name, objects);
  const timing = random.weighted([
    [45, PASSED],
    [10, SOON],
    [45, FAR],
  ]);
  return call(task, name, [...objects, { at: TIME }], timing);
}

/** Whether a call comes back by itself where it does not get what it wants. */
export const isImpatient = ({ name, returns }: Operation): boolean =>
  name.includes("try") || (name.includes("timed") && returns === true);

/** The first argument, as the number that it is: of an object or a handle. */
export const objectOf = ({ args }: Operation): number => args[0] as number;
