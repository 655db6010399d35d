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
  readonly steps: number;
  readonly findings: Finding[];
  /** Whether all schedules of the bound were tried: not, where a finding or the limit ended it. */
  readonly complete: boolean;
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
    walk(new Stepped({ ...scenario, programs }), Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, {
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

function walk<A, H>(stepped: Stepped<A, H>, bound: number, most: number, { costOf, visit }: Walk): boolean {
  const { tasks } = stepped;
  const open: { readonly schedule: Schedule; readonly cost: number }[] = [];
  for (let task = tasks - 1; task >= 0; task--) open.push({ schedule: [{ step: 0, task }], cost: 0 });
  for (let runs = 0; open.length > 0; runs++) {
    if (runs >= most) return false;
    const { schedule, cost } = open.pop() as { schedule: Schedule; cost: number };
    const outcome = stepped.run(schedule);
    const { trace } = stepped;
    if (visit(outcome, schedule, trace)) return false;
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
  return true;
}

/** Tries every schedule of up to `bound` preemptions. `most` schedules at most, and up to `findingsMax` findings. */
export function explore<A, H>(
  scenario: Scenario<A, H>,
  bound: number,
  { most = Number.POSITIVE_INFINITY, findingsMax = 1, allowed = serialOutcomes(scenario) } = {},
): Exploration {
  const stepped = new Stepped(scenario);
  const findings: Finding[] = [];
  const touched = new Touched();
  let schedules = 0;
  let steps = 0;
  const run = (within: number): boolean =>
    walk(stepped, within, most, {
      costOf: (trace, step) => (touched.conflicts(trace, step) ? 1 : undefined),
      visit: (outcome, schedule, trace) => {
        schedules++;
        steps += trace.runner.length;
        touched.add(trace);
        if (!allowed.has(outcome)) findings.push({ outcome, schedule });
        return findings.length >= findingsMax;
      },
    });
  // What tasks touch is found out on the way: where it has grown, all is tried again.
  run(0);
  for (let within = Math.min(1, bound); findings.length < findingsMax; ) {
    const known = touched.size;
    const complete = run(within);
    if (!complete) return { schedules, steps, findings, complete };
    if (touched.size > known) continue;
    if (within === bound) return { schedules, steps, findings, complete };
    within++;
  }
  return { schedules, steps, findings, complete: false };
}

/** Tries `count` schedules of up to `turnsMax` turns at random steps. */
export function exploreAtRandom<A, H>(
  scenario: Scenario<A, H>,
  count: number,
  random: Random,
  { turnsMax = 12, allowed = serialOutcomes(scenario) } = {},
): Exploration {
  const stepped = new Stepped(scenario);
  const tasks = scenario.programs.length;
  const findings: Finding[] = [];
  let steps = 0;
  let length = 1;
  let schedules = 0;
  for (; schedules < count && findings.length === 0; schedules++) {
    const turns = 1 + random.below(turnsMax);
    const at = Array.from({ length: turns }, () => random.below(length)).sort((a, b) => a - b);
    const schedule = [0, ...at].map((step) => ({ step, task: random.below(tasks) }));
    const outcome = stepped.run(schedule);
    length = Math.max(length, stepped.length);
    steps += stepped.length;
    if (!allowed.has(outcome)) findings.push({ outcome, schedule });
  }
  return { schedules, steps, findings, complete: findings.length === 0 };
}
