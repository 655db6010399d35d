// One region and the tasks of a scenario, run by a schedule: a list of the steps at which another task goes on. What there is in
// the region before is arranged once, and put back for each run.

import { System } from "../../src/kernel/system.ts";
import { description, node } from "../../src/memory/layout.ts";
import type { Region } from "../../src/memory/region.ts";
import { field, type Word, Words } from "../../src/memory/words.ts";
import { Machine } from "../crash-fixture.ts";
import { smallLimits } from "../memory-fixture.ts";
import { miscounted } from "../recount.ts";
import { StateKey } from "./state-key.ts";
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
  /** The first task dies when it has done, or falls asleep; the others when what there is has been observed. */
  readonly mortal?: boolean;
  /** What was made and outlives its tasks is removed. */
  readonly destroy?: (system: System) => void;
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

/** A task may attach others, whose identity has another upper half: they die with it. */
const IDENTITY = (1n << 32n) - 1n;

class Endless extends Error {}

/** What is seen where a task makes more steps than any scenario takes, and where who looks afterwards never comes back. */
export const ENDLESS = "somebody goes on for ever";
export const STUCK = "who looks at it is stuck";

export class Stepped<A, H> implements Stepper, Sleepers {
  readonly #scenario: Scenario<A, H>;
  readonly #machine = new Machine(limits);
  readonly #maker: bigint;
  readonly #tasks: SteppedTask[] = [];
  readonly #observer: SteppedTask;
  readonly #snapshot: Uint8Array;
  readonly #bytes: Uint8Array;
  readonly blindSleep: boolean;
  /** What there was before anything was arranged, as `leftover` says it. */
  readonly atFirst: string;
  #asleep: { readonly task: SteppedTask; readonly word: Word }[] = [];
  #dead = new Set<bigint>();
  #lives: readonly number[] = [];
  #writes: number[] = [];
  readonly #early = new Set<number>();
  #step = 0;
  #until = 0;
  #running = 0;
  #slicesLeft = 0;
  #recording = false;
  #key: StateKey | undefined;
  #onWrite: ((task: number) => void) | undefined;
  trace!: Trace;
  /** What each task said in the last run, and what was seen afterwards. */
  told: readonly string[] = [];
  seen = "";

  constructor(scenario: Scenario<A, H>) {
    this.#scenario = scenario;
    this.blindSleep = scenario.blindSleep ?? false;
    const maker = this.#machine.attach();
    this.atFirst = holdings(maker);
    this.#maker = maker.world.identity;
    const arranged = scenario.arrange(maker);
    for (const [i, program] of scenario.programs.entries()) {
      const words = scenario.words?.(this.#machine.buffer, this, i) ?? new SteppedWords(this.#machine.buffer, this);
      this.#tasks.push(this.#attach(words, arranged, (handles, task) => program(handles, task)));
    }
    const words = new SteppedWords(this.#machine.buffer, this);
    this.#observer = this.#attach(words, arranged, (handles, task) => {
      if (scenario.mortal) task.system.reap();
      task.tell(scenario.observe(handles));
    });
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

  /** Writes that a task made in the last run, and whether it died before it had made all. */
  writesOf(task: number): number {
    return this.#writes[task] as number;
  }

  diedEarly(task: number): boolean {
    return this.#early.has(task);
  }

  /**
   * Runs by a schedule; `lives` says how many writes each task lives to make. Returns what came of it: what each task said, or that
   * it waits, and what is seen afterwards.
   */
  run(schedule: Schedule, lives: readonly number[] = []): string {
    this.#reset(lives);
    this.#slicesLeft = this.#scenario.slices ?? 0;
    let turn = 0;
    try {
      for (;;) {
        let ready = this.#readyMask();
        if (ready === 0 && this.#slicesLeft > 0 && this.#asleep.length > 0) {
          this.#slicesLeft--;
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
        this.#noteDeath(task, to);
      }
    } catch (error) {
      if (!(error instanceof Endless)) throw error;
      this.told = [];
      this.seen = ENDLESS;
      return ENDLESS;
    }
    return this.#outcome();
  }

  /**
   * The same, and tells `onWrite` before each write which task is to make it: it may ask for `state`, the state that a death there
   * would leave.
   */
  runWatched(schedule: Schedule, lives: readonly number[], onWrite: (task: number) => void): string {
    this.#key ??= new StateKey(this.#machine.buffer, this.#snapshot);
    this.#key.reset();
    this.#onWrite = onWrite;
    try {
      return this.run(schedule, lives);
    } finally {
      this.#onWrite = undefined;
    }
  }

  /** What decides all that follows where the running task dies now: the region, and what the others have seen, and wait for. */
  get state(): string {
    const others = this.#tasks.map((task, i) =>
      i === this.#running || task.state === states.DEAD ? "-" : `${task.state} ${task.seen}`,
    );
    const sleepers = this.#asleep.map(({ task, word }) => `${this.#tasks.indexOf(task)} at ${word}`);
    return `${this.#key?.value()} ${this.#slicesLeft} ${sleepers} ${others}`;
  }

  before(first: number, last: number, writes: boolean): void {
    if (!this.#recording) return;
    const { trace } = this;
    const task = this.#tasks[this.#running] as SteppedTask;
    if (this.#step >= this.#until) task.pause();
    if (writes) this.#countWrite(task);
    if (writes && this.#onWrite) this.#key?.expect(first, last);
    trace.runner.push(this.#running);
    trace.first.push(first);
    trace.last.push(last);
    trace.writes.push(writes);
    trace.ready.push(this.#readyMask());
    if (++this.#step > STEPS_MAX) throw new Endless();
  }

  boundary(task: SteppedTask): void {
    if (!this.#recording) return;
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
    return !this.#dead.has(identity & IDENTITY);
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

  #countWrite(task: SteppedTask): void {
    const made = this.#writes[this.#running] as number;
    if (made >= (this.#lives[this.#running] ?? Number.POSITIVE_INFINITY)) {
      this.#early.add(this.#running);
      task.die();
    }
    this.#onWrite?.(this.#running);
    this.#writes[this.#running] = made + 1;
  }

  #noteDeath(task: SteppedTask, index: number): void {
    if (this.#scenario.mortal && index === 0 && (task.state === states.ASLEEP || task.state === states.DONE)) {
      this.#asleep = this.#asleep.filter((one) => one.task !== task);
      task.state = states.DEAD;
    }
    if (task.state === states.DEAD) this.#dead.add(task.world.identity);
  }

  /** What tasks are charged for and should not be, or the other way round. */
  miscounted(): string {
    return miscounted(new Words(this.#machine.buffer), this.#machine.geometry);
  }

  /** What is still there when all tasks have died and been buried, and what outlives them was removed. */
  leftover(): string {
    const machine = this.#machine;
    const world = machine.world();
    machine.kill(world);
    const system = machine.attach(undefined, { ...world, isAlive: (identity) => identity === world.identity });
    system.reap();
    this.#scenario.destroy?.(system);
    return holdings(system);
  }

  #reset(lives: readonly number[]): void {
    this.#lives = lives;
    this.#writes = this.#tasks.map(() => 0);
    this.#early.clear();
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
    if (this.#scenario.mortal) {
      for (const task of this.#tasks) this.#dead.add(task.world.identity);
    }
    const told = this.#tasks.map((task, i) => {
      const words = task.told.join(" ");
      const state = task.state === states.ASLEEP ? " waits" : task.state === states.DEAD ? " dies" : "";
      return `${nameOf(i)}: ${words}${state}`;
    });
    this.#observer.go();
    // Where a dead task holds a lock, its observer finds out at the end of a slice.
    for (let left = this.#scenario.slices ?? 0; left > 0 && this.#observer.state === states.ASLEEP; left--) {
      this.#asleep = this.#asleep.filter(({ task }) => task !== this.#observer);
      this.#observer.resume();
      this.#observer.go();
    }
    const seen = this.#observer.state === states.DONE ? this.#observer.told.join(" ") : STUCK;
    this.told = told;
    this.seen = seen;
    return `${told.join("; ")}; then ${seen}`;
  }
}

/** What is in use in a kernel. */
function holdings(system: System): string {
  const { words, geometry } = system;
  const { objects, freeLines, tasks } = system.usage();
  const count = (table: Word, size: number, each: number, at: number): number => {
    let used = 0;
    for (let i = 0; i < size; i++) if (words.load(field(table, i * each + at)) !== 0) used++;
    return used;
  };
  const { limits, nodes, descriptions } = geometry;
  const waits = count(nodes, limits.waitersMax, node.WORDS, node.OWNER);
  const open = count(descriptions, limits.descriptionsMax, description.WORDS, description.REFERENCES);
  return `${objects} objects, ${freeLines} lines free, ${tasks} tasks, ${waits} waits, ${open} descriptions`;
}

export const nameOf = (task: number): string => String.fromCharCode(65 + task);
const lowest = (mask: number): number => 31 - Math.clz32(mask & -mask);

/** A schedule as it is printed and read again: "0A 12B 19A". */
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
