// Schedules, all of them up to a bound of preemptions (Musuvathi and Qadeer, "Iterative context bounding", 2007), and at random
// beyond it. A preemption is tried before each access to a word that another task touches too, and that one of them writes: before
// others it would change nothing. What may come of a scenario is what comes of it where whole operations take turns.

import type { Random } from "../random.ts";
import { type Scenario, type Schedule, Stepped, type Trace } from "../stepped/stepped.ts";

export interface Finding {
  readonly outcome: string;
  readonly schedule: Schedule;
}

export interface Exploration {
  readonly schedules: number;
  /** The first that is not allowed: it ends the search. */
  readonly finding: Finding | undefined;
}

/** Which tasks touch a word, and which write it, a bit each. */
class Touched {
  readonly #readers = new Map<number, number>();
  readonly #writers = new Map<number, number>();
  size = 0;

  add(trace: Trace): void {
    for (let i = 0; i < trace.runner.length; i++) {
      const bit = 1 << (trace.runner[i] as number);
      const table = trace.writes[i] ? this.#writers : this.#readers;
      for (let word = trace.first[i] as number; word <= (trace.last[i] as number); word++) {
        const before = table.get(word) ?? 0;
        if (before & bit) continue;
        table.set(word, before | bit);
        this.size++;
      }
    }
  }

  /** Whether what a task does at a step can be told from what another does before it. */
  conflicts(trace: Trace, step: number): boolean {
    const others = ~(1 << (trace.runner[step] as number));
    const writes = trace.writes[step];
    for (let word = trace.first[step] as number; word <= (trace.last[step] as number); word++) {
      if ((this.#writers.get(word) ?? 0) & others) return true;
      if (writes && (this.#readers.get(word) ?? 0) & others) return true;
    }
    return false;
  }
}

/** What comes of a scenario where whole operations take turns, in every order. */
export function serialOutcomes<A, H>(scenario: Scenario<A, H>): Set<string> {
  const outcomes = new Set<string>();
  for (const programs of [scenario.programs, ...(scenario.alternatives ?? [])]) {
    walk(new Stepped({ ...scenario, programs }), Number.POSITIVE_INFINITY, {
      costOf: ({ boundaries }, step) => (boundaries.has(step) ? 0 : undefined),
      visit: (outcome) => {
        outcomes.add(outcome);
        return false;
      },
    });
  }
  return outcomes;
}

interface Walk {
  /** What a preemption before a step costs; undefined: none is tried there. */
  readonly costOf: (trace: Trace, step: number) => number | undefined;
  /** Sees each run; true ends the walk. */
  readonly visit: (outcome: string, schedule: Schedule, trace: Trace) => boolean;
}

/** Goes through the schedules of up to `bound` preemptions. */
function walk<A, H>(stepped: Stepped<A, H>, bound: number, { costOf, visit }: Walk): void {
  const { tasks } = stepped;
  const open: { readonly schedule: Schedule; readonly cost: number }[] = [];
  for (let task = tasks - 1; task >= 0; task--) open.push({ schedule: [{ step: 0, task }], cost: 0 });
  while (open.length > 0) {
    const { schedule, cost } = open.pop() as { schedule: Schedule; cost: number };
    const outcome = stepped.run(schedule);
    const { trace } = stepped;
    if (visit(outcome, schedule, trace)) return;
    const from = (schedule.at(-1) as { step: number }).step + 1;
    for (let step = from; step <= trace.runner.length; step++) {
      const forced = trace.forced.get(step) ?? 0;
      const price = forced ? 0 : step < trace.runner.length ? costOf(trace, step) : undefined;
      if (price === undefined || cost + price > bound) continue;
      const runner = trace.runner[step] as number;
      const able = forced || (trace.ready[step] as number);
      for (let task = 0; task < tasks; task++) {
        if (task !== runner && able & (1 << task))
          open.push({ schedule: [...schedule, { step, task }], cost: cost + price });
      }
    }
  }
}

/** Tries every schedule of up to `bound` preemptions. */
export function explore<A, H>(
  scenario: Scenario<A, H>,
  bound: number,
  allowed = serialOutcomes(scenario),
): Exploration {
  const stepped = new Stepped(scenario);
  const touched = new Touched();
  let finding: Finding | undefined;
  let schedules = 0;
  const run = (within: number): void =>
    walk(stepped, within, {
      costOf: (trace, step) => (touched.conflicts(trace, step) ? 1 : undefined),
      visit: (outcome, schedule, trace) => {
        schedules++;
        touched.add(trace);
        if (!allowed.has(outcome)) finding = { outcome, schedule };
        return finding !== undefined;
      },
    });
  run(0);
  for (let within = Math.min(1, bound); within <= bound && !finding; ) {
    const known = touched.size;
    run(within);
    // What tasks touch is found out on the way: where it has grown, all is tried again.
    if (touched.size === known) within++;
  }
  return { schedules, finding };
}

/** Tries `count` schedules of up to `TURNS_MAX` turns at random steps. */
export function exploreAtRandom<A, H>(
  scenario: Scenario<A, H>,
  count: number,
  random: Random,
  allowed = serialOutcomes(scenario),
): Exploration {
  const stepped = new Stepped(scenario);
  let finding: Finding | undefined;
  let length = 1;
  let schedules = 0;
  for (; schedules < count && !finding; schedules++) {
    const at = Array.from({ length: 1 + random.below(TURNS_MAX) }, () => random.below(length)).sort((a, b) => a - b);
    const schedule = [0, ...at].map((step) => ({ step, task: random.below(stepped.tasks) }));
    const outcome = stepped.run(schedule);
    length = Math.max(length, stepped.length);
    if (!allowed.has(outcome)) finding = { outcome, schedule };
  }
  return { schedules, finding };
}

const TURNS_MAX = 12;
