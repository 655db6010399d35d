// Kills a task after each of its writes, and then who buries it after each of its own: what is seen afterwards must be what was
// there before the operation, or what is there after it; nothing may be left over, and nobody stuck.

import { ENDLESS, type Schedule, STUCK, Stepped } from "../stepped/stepped.ts";
import type { Row } from "./rows.ts";

export interface Tally {
  /** Deaths after a write of the victim. */
  points: number;
  /** The same, with a death after a write of who buries it. */
  doublePoints: number;
  violations: string[];
}

const VICTIM = 0;
const UNDERTAKER = 1;
const WAITER = 2;

/** Who waits falls asleep first; then the victim works and dies, and is buried. */
function scheduleOf({ hasWaiter }: Row): Schedule {
  return [{ step: 0, task: hasWaiter ? WAITER : VICTIM }];
}

/**
 * Tries a row: every death of the victim, and of its undertaker every one after each `stride`-th of those. With a stride of 0 only
 * the victim's.
 */
export function tryDeaths(row: Row, stride: number): Tally {
  const tally: Tally = { points: 0, doublePoints: 0, violations: [] };
  const stepped = new Stepped(row.scenario);
  const schedule = scheduleOf(row);
  const run = (...lives: number[]): string => {
    stepped.run(schedule, lives);
    return row.hasWaiter ? `${stepped.told[WAITER]}; ${stepped.seen}` : stepped.seen;
  };
  const allowed = [run(0), run(Number.POSITIVE_INFINITY)];
  const check = (seen: string, where: string): void => {
    const { violations } = tally;
    const say = (what: string): void => void violations.push(`${row.name}, ${where}: ${what}`);
    if (stepped.seen === STUCK || stepped.seen === ENDLESS) say(stepped.seen);
    else if (!row.partly && !allowed.includes(seen)) say(`${seen}; allowed: ${allowed.join(" / ")}`);
    const left = stepped.leftover();
    if (left !== stepped.atFirst) say(`there is left: ${left}; at first there was: ${stepped.atFirst}`);
  };
  for (let writes = 0; ; writes++) {
    const seen = run(writes);
    const died = stepped.diedEarly(VICTIM);
    check(seen, `dead after ${writes} writes`);
    if (died) tally.points++;
    if (stride > 0 && (writes % stride === 0 || !died)) {
      for (let second = 0; ; second++) {
        const seenThen = run(writes, second);
        check(seenThen, `dead after ${writes} writes, and the undertaker after ${second}`);
        if (!stepped.diedEarly(UNDERTAKER)) break;
        tally.doublePoints++;
      }
    }
    if (!died) return tally;
  }
}

/** How many writes a row's operation makes. */
export function writesOf(row: Row): number {
  const stepped = new Stepped(row.scenario);
  stepped.run(scheduleOf(row));
  return stepped.writesOf(VICTIM);
}

/** Runs a row's operation to its end, and once to a death in its middle, both with a burial. */
export function tryOnce(row: Row): void {
  const stepped = new Stepped(row.scenario);
  const schedule = scheduleOf(row);
  stepped.run(schedule);
  stepped.leftover();
  stepped.run(schedule, [Math.ceil(stepped.writesOf(VICTIM) / 2)]);
  stepped.leftover();
}
