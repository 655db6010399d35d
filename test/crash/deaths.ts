// Kills a task after each of its writes, and then who buries it after each of its own: what is seen afterwards must be what was
// there before the operation, or what is there after it; nothing may be left over, and nobody stuck.

import { ENDLESS, type Schedule, STUCK, Stepped } from "../stepped/stepped.ts";
import type { Row } from "./rows.ts";

export interface Tally {
  /** Deaths after a write of the victim. */
  points: number;
  /** The same, with a death after a write of who buries it. */
  doublePoints: number;
  /** How many of these left a state behind that others of the same row had left: they were tried once. */
  repeated: number;
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
 * Tries a row: every death of the victim, and of its undertaker every one after each `every`-th of those. With 0 only the victim's.
 * What follows a death is decided by the state that it leaves: of several double deaths with the same one, one is run. `tell` is called
 * after each death of the victim and all that follow it.
 */
export function tryDeaths(row: Row, every: number, tell = (): void => {}): Tally {
  const tally: Tally = { points: 0, doublePoints: 0, repeated: 0, violations: [] };
  const stepped = new Stepped(row.scenario);
  const schedule = scheduleOf(row);
  const seen = (): string => (row.hasWaiter ? `${stepped.told[WAITER]}; ${stepped.seen}` : stepped.seen);
  const run = (...lives: number[]): string => {
    stepped.run(schedule, lives);
    return seen();
  };
  const allowed = [run(0), run(Number.POSITIVE_INFINITY)];
  const check = (where: string): void => {
    const { violations } = tally;
    const say = (what: string): void => void violations.push(`${row.name}, ${where}: ${what}`);
    if (stepped.seen === STUCK || stepped.seen === ENDLESS) say(stepped.seen);
    else if (!row.partly && !allowed.includes(seen())) say(`${seen()}; allowed: ${allowed.join(" / ")}`);
    const wrong = stepped.miscounted();
    if (wrong !== "") say(wrong);
    const left = stepped.leftover();
    if (left !== stepped.atFirst) say(`there is left: ${left}; at first there was: ${stepped.atFirst}`);
  };
  const known = new Set<string>();
  for (let writes = 0; ; writes++) {
    /** Before each write of the undertaker, the state that its death would leave. */
    const states: string[] = [];
    stepped.runWatched(schedule, [writes], (task) => {
      if (task === UNDERTAKER) states.push(stepped.state);
    });
    const died = stepped.diedEarly(VICTIM);
    check(`dead after ${writes} writes`);
    if (died) tally.points++;
    if (every > 0 && (writes % every === 0 || !died)) {
      for (const [second, state] of states.entries()) {
        tally.doublePoints++;
        if (known.has(state)) {
          tally.repeated++;
          continue;
        }
        known.add(state);
        run(writes, second);
        check(`dead after ${writes} writes, and the undertaker after ${second}`);
      }
    }
    tell();
    if (!died) return tally;
  }
}

/**
 * Double deaths of a row that left the same state behind, and what came of them was not the same: there must be none, or `tryDeaths`
 * could not leave out all but one. Returns how many were compared, too.
 */
export function differingFutures(row: Row): { compared: number; differing: string[] } {
  const stepped = new Stepped(row.scenario);
  const schedule = scheduleOf(row);
  const futures = new Map<string, string>();
  const found = { compared: 0, differing: [] as string[] };
  for (let writes = 0; ; writes++) {
    const states: string[] = [];
    stepped.runWatched(schedule, [writes], (task) => {
      if (task === UNDERTAKER) states.push(stepped.state);
    });
    const died = stepped.diedEarly(VICTIM);
    for (const [second, state] of states.entries()) {
      stepped.run(schedule, [writes, second]);
      const future = `${stepped.told.slice(WAITER)} ${stepped.seen} ${stepped.leftover()}`;
      const known = futures.get(state);
      if (known === undefined) futures.set(state, future);
      else found.compared++;
      if ((known ?? future) !== future) found.differing.push(`${writes} and ${second}: ${known} / ${future}`);
    }
    if (!died) return found;
  }
}

/** How many writes a row's operation makes. */
export function writesOf(row: Row): number {
  const stepped = new Stepped(row.scenario);
  stepped.run(scheduleOf(row));
  return stepped.writesOf(VICTIM);
}

/** Runs a row's operation to its end, and to deaths after parts of it, each with a burial. */
export function tryOnce(row: Row): void {
  const stepped = new Stepped(row.scenario);
  const schedule = scheduleOf(row);
  stepped.run(schedule);
  stepped.leftover();
  const writes = stepped.writesOf(VICTIM);
  for (const part of [1 / 2, 1 / 4, 3 / 4]) {
    stepped.run(schedule, [Math.ceil(writes * part)]);
    stepped.leftover();
  }
}
