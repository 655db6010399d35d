// One region and the tasks of a scenario, run by a schedule: a list of the steps at which another task goes on. What there is in
// the region before is arranged once, and put back for each run.

import { System } from "../../src/kernel/system.ts";
import type { Region } from "../../src/memory/region.ts";
import type { Word } from "../../src/memory/words.ts";
import { Machine } from "../crash-fixture.ts";
import { smallLimits } from "../memory-fixture.ts";
import { type Program, type Sleepers, SteppedTask, states } from "./stepped-task.ts";
import { SteppedWords, type Stepper } from "./stepped-words.ts";

/** What is tried. `H` is what each task has in its hands: objects that it opens by itself. */
export interface Scenario<A = unknown, H = unknown> {
  readonly name: string;
  /** Makes what is there before, as a task of its own. */
  readonly arrange: (system: System) => A;
  /** Each task's own handles of it. */
  readonly open: (system: System, arranged: A) => H;
  readonly programs: readonly ((handles: H, program: Program) => void)[];
  /** What can be seen afterwards. */
  readonly observe: (handles: H) => string;
  /** Programs that are also right: what comes of these where whole operations take turns is allowed too. */
  readonly alternatives?: readonly (readonly ((handles: H, program: Program) => void)[])[];
  /** Who arranged it is dead when the tasks begin. */
  readonly orphaned?: boolean;
  /** How often the ends of slices may wake those that sleep, where nobody else can go on: once for each that dies. */
  readonly slices?: number;
  /** Other words for the tasks: a planted bug. */
  readonly words?: (buffer: SharedArrayBuffer, stepper: Stepper, task: number) => SteppedWords;
  /** A sleep that does not look first: a planted bug. */
  readonly blindSleep?: boolean;
}

/** At a step, which task goes on. */
export interface Turn {
  readonly step: number;
  readonly task: number;
}
export type Schedule = readonly Turn[];

/** What a run was, step by step. */
export interface Trace {
  readonly runner: number[];
  readonly first: number[];
  readonly last: number[];
  readonly writes: boolean[];
  /** The tasks that could have gone on, a bit each. */
  readonly ready: number[];
  /** Steps before which a task had to stop, and which others could go on then, a bit each. */
  readonly forced: Map<number, number>;
  /** Steps before which an operation of the runner began. */
  readonly boundaries: Set<number>;
}

/** More steps than any scenario takes: somebody goes round and round. */
const STEPS_MAX = 20_000;
const limits = { ...smallLimits, tasksMax: 8 };

class Endless extends Error {}

export class Stepped<A, H> implements Stepper, Sleepers {
  readonly #scenario: Scenario<A, H>;
  readonly #machine = new Machine(limits);
  readonly #maker: bigint;
  readonly #tasks: SteppedTask[] = [];
  readonly #observer: SteppedTask;
  readonly #snapshot: Uint8Array;
  readonly #bytes: Uint8Array;
  readonly blindSleep: boolean;
  #asleep: { readonly task: SteppedTask; readonly word: Word }[] = [];
  #dead = new Set<bigint>();
  #step = 0;
  #until = 0;
  #running = 0;
  #recording = false;
  trace!: Trace;

  constructor(scenario: Scenario<A, H>) {
    this.#scenario = scenario;
    this.blindSleep = scenario.blindSleep ?? false;
    const maker = this.#machine.attach();
    this.#maker = maker.world.identity;
    const arranged = scenario.arrange(maker);
    for (const [i, program] of scenario.programs.entries()) {
      const words = scenario.words?.(this.#machine.buffer, this, i) ?? new SteppedWords(this.#machine.buffer, this);
      this.#tasks.push(this.#attach(words, arranged, (handles, task) => program(handles, task)));
    }
    const words = new SteppedWords(this.#machine.buffer, this);
    this.#observer = this.#attach(words, arranged, (handles, task) => task.tell(scenario.observe(handles)));
    this.#bytes = new Uint8Array(this.#machine.buffer);
    this.#snapshot = this.#bytes.slice();
  }

  get tasks(): number {
    return this.#tasks.length;
  }

  /** Steps of the last run. */
  get length(): number {
    return this.#step;
  }

  /** Runs by a schedule; returns what came of it: what each task said, or that it waits, and what is seen afterwards. */
  run(schedule: Schedule): string {
    this.#reset();
    const slices = this.#scenario.slices ?? 0;
    let left = slices;
    let turn = 0;
    try {
      for (;;) {
        let ready = this.#readyMask();
        if (ready === 0 && left > 0 && this.#asleep.length > 0) {
          left--;
          for (const { task } of this.#asleep.splice(0)) task.resume();
          ready = this.#readyMask();
        }
        if (ready === 0) break;
        // Who spins goes on only where nobody else can, or after somebody did.
        const yielded = this.#tasks[this.#running]?.state === states.YIELDED ? 1 << this.#running : 0;
        const others = ready & ~yielded || ready;
        const next = schedule[turn];
        let to = -1;
        if (next && next.step <= this.#step) {
          turn++;
          to = next.task;
        } else this.trace.forced.set(this.#step, others);
        if (to < 0 || (others & (1 << to)) === 0) to = lowest(others);
        this.#running = to;
        this.#until = schedule[turn]?.step ?? Number.POSITIVE_INFINITY;
        const task = this.#tasks[to] as SteppedTask;
        if (task.state === states.YIELDED) task.resume();
        task.go();
        if (task.state === states.DEAD) this.#dead.add(task.world.identity);
      }
    } catch (error) {
      if (!(error instanceof Endless)) throw error;
      return "goes on for ever";
    }
    return this.#outcome();
  }

  before(first: number, last: number, writes: boolean): void {
    if (!this.#recording) return;
    const { trace } = this;
    const task = this.#tasks[this.#running] as SteppedTask;
    task.check();
    if (this.#step >= this.#until) task.pause();
    trace.runner.push(this.#running);
    trace.first.push(first);
    trace.last.push(last);
    trace.writes.push(writes);
    trace.ready.push(this.#readyMask());
    if (++this.#step > STEPS_MAX) throw new Endless();
  }

  boundary(task: SteppedTask): void {
    if (!this.#recording) return;
    task.check();
    if (this.#step >= this.#until) task.pause();
    this.trace.boundaries.add(this.#step);
  }

  sleep(task: SteppedTask, word: Word): void {
    this.#asleep.push({ task, word });
  }

  wake(word: Word, count: number): void {
    let left = count;
    this.#asleep = this.#asleep.filter((one) => {
      if (one.word !== word || left === 0) return true;
      left--;
      one.task.resume();
      return false;
    });
  }

  isAlive(identity: bigint): boolean {
    return !this.#dead.has(identity);
  }

  #attach(words: SteppedWords, arranged: A, run: (handles: H, task: SteppedTask) => void): SteppedTask {
    const machine = this.#machine;
    let attached = false;
    const task: SteppedTask = new SteppedTask(words, machine.world(), this, (self) => {
      const region: Region = { words: self.words, geometry: machine.geometry, reserve: () => 0 };
      const system = System.attach(region, self.world, { parentPid: 0 });
      if (typeof system === "number") throw new Error(`attach: ${system}`);
      self.system = system;
      const handles = this.#scenario.open(system, arranged);
      if (attached) run(handles, self);
    });
    task.go();
    if (task.state !== states.DONE || task.told.length > 0) throw new Error(`${this.#scenario.name}: ${task.told}`);
    task.keepStart();
    attached = true;
    return task;
  }

  #reset(): void {
    this.#bytes.set(this.#snapshot);
    for (const task of this.#tasks) task.reset();
    this.#observer.reset();
    this.#asleep = [];
    this.#dead = new Set(this.#scenario.orphaned ? [this.#maker] : []);
    this.#step = 0;
    this.#running = -1;
    this.#recording = true;
    this.trace = {
      runner: [],
      first: [],
      last: [],
      writes: [],
      ready: [],
      forced: new Map(),
      boundaries: new Set(),
    };
  }

  #readyMask(): number {
    let mask = 0;
    this.#tasks.forEach((task, i) => {
      if (task.state === states.READY || task.state === states.YIELDED) mask |= 1 << i;
    });
    return mask;
  }

  #outcome(): string {
    this.#recording = false;
    const told = this.#tasks.map((task, i) => {
      const words = task.told.join(" ");
      const state = task.state === states.ASLEEP ? " waits" : task.state === states.DEAD ? " dies" : "";
      return `${nameOf(i)}: ${words}${state}`;
    });
    this.#observer.go();
    const seen = this.#observer.state === states.DONE ? this.#observer.told.join(" ") : "is stuck";
    return `${told.join("; ")}; then ${seen}`;
  }
}

export const nameOf = (task: number): string => String.fromCharCode(65 + task);
const lowest = (mask: number): number => 31 - Math.clz32(mask & -mask);

/** A schedule as it is printed and read again: "A, at 12 B, at 19 A". */
export const written = (schedule: Schedule): string =>
  schedule.map(({ step, task }) => `${step}${nameOf(task)}`).join(" ");

export function read(text: string): Schedule {
  return text
    .trim()
    .split(/\s+/)
    .map((turn) => {
      const match = /^(\d+)([A-H])$/.exec(turn);
      if (!match) throw new Error(`not a turn: ${turn}; it is a step and a task, as 12B`);
      return { step: Number(match[1]), task: (match[2] as string).charCodeAt(0) - 65 };
    });
}
