// Runs a family: sequence after sequence until enough calls were made, and for a mismatch the shortest sequence that shows it.

import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cleanUpOf } from "./clean-up.ts";
import { Crew, Hang } from "./crew.ts";
import { type Context, call, type Family } from "./family.ts";
import { type Operation, printed } from "./operation.ts";
import { Random } from "./random.ts";
import { type Mismatch, mismatchText, Sequence } from "./sequence.ts";
import { shortest } from "./shrink.ts";

const TASKS = 3;
const SEQUENCE_CALLS_MAX = 120;
const SEQUENCE_CALLS_MIN = 20;
const MISMATCHES_MAX = 10;
const NO_KEY = 99;
const CAP_SYS_RESOURCE = 24n;

export interface Outcome {
  readonly family: string;
  readonly calls: number;
  readonly mismatches: number;
  readonly seed: number;
  /** For each mismatch the lines of the shortest sequence. */
  readonly reports: readonly string[];
}

export const summary = ({ family, calls, mismatches, seed }: Outcome): string =>
  `${family}: ${calls} calls, ${mismatches} mismatches, seed ${seed}`;

export async function runFamily(
  family: Family,
  calls: number,
  seed: number,
  progress: (done: number) => void = () => {},
): Promise<Outcome> {
  const directory = mkdtempSync(join(tmpdir(), "differential-"));
  chmodSync(directory, 0o1777);
  const crew = await Crew.start(TASKS);
  const runner = new Runner(
    crew,
    family,
    {
      tasks: TASKS,
      directory: `${directory}/`,
      run: process.pid,
      maySpendMore: hasCapability(CAP_SYS_RESOURCE),
    },
    seed,
  );
  try {
    const random = new Random(seed);
    const reports: string[] = [];
    let done = 0;
    while (done < calls && reports.length < MISMATCHES_MAX) {
      const length = SEQUENCE_CALLS_MIN + random.below(SEQUENCE_CALLS_MAX - SEQUENCE_CALLS_MIN);
      const { operations, mismatch, hang } = await runner.drawn(random, Math.min(length, calls - done));
      if (hang) reports.push(hang);
      done += operations.length;
      if (mismatch) reports.push(await runner.report(operations, mismatch));
      progress(done);
    }
    return { family: family.name, calls: done, mismatches: reports.length, seed, reports };
  } finally {
    crew.end();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Whether this process has a capability (capabilities(7)), by its number. */
function hasCapability(number: bigint): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1] ?? "0";
  return ((BigInt(`0x${effective}`) >> number) & 1n) === 1n;
}

class Runner {
  readonly #crew: Crew;
  readonly #family: Family;
  readonly #context: Context;
  /** Keys that nobody else on this machine is likely to use. */
  #keyBase: number;

  constructor(crew: Crew, family: Family, context: Context, seed: number) {
    this.#crew = crew;
    this.#family = family;
    this.#context = context;
    this.#keyBase = 0x46000000 + (process.pid % 4096) * 4096 + (seed % 16) * 256;
  }

  /** A new sequence, as long as nothing differs. */
  async drawn(
    random: Random,
    length: number,
  ): Promise<{ operations: Operation[]; mismatch?: Mismatch | undefined; hang?: string }> {
    const drawing = this.#family.begin(this.#context);
    const sequence = new Sequence(this.#crew, this.#keyBase, this.#context.directory);
    const operations: Operation[] = [];
    let mismatch: Mismatch | undefined;
    try {
      while (operations.length < length && !mismatch) {
        const operation = drawing.draw(random, sequence);
        if (!operation) continue;
        operations.push(operation);
        const ran = sequence.run(operation);
        for (const seen of ran.observations) drawing.observe(seen);
        mismatch = ran.mismatch;
      }
      await this.#cleanUp(sequence, drawing.cleanUp());
      return { operations, mismatch };
    } catch (error) {
      if (!(error instanceof Hang)) throw error;
      for (let task = 0; task < TASKS; task++) await this.#crew.replace(task);
      sequence.forgetSleepers();
      await this.#cleanUp(sequence, drawing.cleanUp());
      return { operations, hang: [...operations.map(printed), error.message].join("\n") };
    }
  }

  /** The mismatch, and the shortest sequence that shows one. */
  async report(operations: readonly Operation[], first: Mismatch): Promise<string> {
    let last = first;
    const kept = await shortest(operations, async (candidate) => {
      const found = await this.#replay(candidate);
      if (found) last = found;
      return found !== undefined;
    });
    const final = (await this.#replay(kept)) ?? last;
    return [...kept.slice(0, -1).map((operation) => printed(operation)), mismatchText(final)].join("\n");
  }

  async #replay(operations: readonly Operation[]): Promise<Mismatch | undefined> {
    const sequence = new Sequence(this.#crew, this.#keyBase, this.#context.directory);
    let mismatch: Mismatch | undefined;
    for (const operation of operations) {
      mismatch = sequence.run(operation).mismatch;
      if (mismatch) break;
    }
    const drawing = this.#family.begin(this.#context);
    for (const operation of operations) drawing.observe({ operation, result: 0 });
    await this.#cleanUp(sequence, [...cleanUpOf(operations), ...drawing.cleanUp()]);
    return mismatch;
  }

  /** Leaves both sides as they were found; where a task cannot be freed, another takes its place. */
  async #cleanUp(sequence: Sequence, operations: readonly Operation[]): Promise<void> {
    for (const task of sequence.interruptAll()) await this.#crew.replace(task);
    for (const operation of operations) sequence.run(operation);
    // A task lets go of queues that are gone when it next looks for one.
    for (let task = 0; task < TASKS; task++) sequence.run(call(task, "msgget", [{ key: NO_KEY }, 0]));
    for (const task of sequence.interruptAll()) await this.#crew.replace(task);
    const { objects } = this.#crew.kernel.usage();
    if (objects > 0) {
      for (let task = 0; task < TASKS; task++) await this.#crew.replace(task);
    }
    this.#keyBase += 16;
  }
}
