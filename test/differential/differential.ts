// The differential test: sets the two sides up, and runs families against both.

import { readFileSync } from "node:fs";
import { release } from "node:os";
import type { KernelLimits } from "../../src/index.ts";
import { Random } from "../random.ts";
import { type Context, call, type Family } from "./family.ts";
import * as is from "./flags.ts";
import { KernelSide } from "./kernel-side.ts";
import { LinuxSide } from "./linux-side.ts";
import { Player } from "./player.ts";
import { type Report, Runner } from "./runner.ts";
import type { Sides } from "./sequence.ts";

const TASKS = 3;
const MISMATCHES_MAX = 10;
const CAP_SYS_RESOURCE = 24n;
/**
 * What user 0 may do by these, in this order, it may do with us: chown, reading and writing all files, acting as their owner,
 * keeping set-group-ID bits, kill, changing groups and users, all SysV objects, the root directory, and others' objects.
 */
const ROOT_CAPABILITIES = [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 15n, 18n, 21n];
const ENOSYS = -38;
const SHARED_KEYS = 0x46000000;
const NO_KEY = 15;

/** What of Linux's limits the test counts on: its defaults. */
const expectedLimits = {
  "/proc/sys/kernel/msgmax": "8192",
  "/proc/sys/kernel/msgmnb": "16384",
  "/proc/sys/fs/mqueue/msg_max": "10",
  "/proc/sys/fs/mqueue/msgsize_max": "8192",
  "/proc/sys/fs/mqueue/msg_default": "10",
  "/proc/sys/fs/mqueue/msgsize_default": "8192",
} as const;

/** Why nothing can be compared here. */
export class Unfit extends Error {}

/** What our kernel is compared with, or Linux with itself. */
export type Against = "ours" | "linux";

export interface Outcome {
  readonly family: string;
  readonly calls: number;
  readonly seed: number;
  readonly reports: readonly Report[];
}

export const summaryOf = ({ family, calls, seed, reports }: Outcome): string =>
  `${family}: ${calls} calls, ${reports.length} mismatches, seed ${seed}`;

export class Differential {
  readonly #sides: Sides;
  readonly #context: Context;
  readonly #runner: Runner;
  readonly #firstKey: number;

  /** Starts the tasks of both sides. */
  static async begin(against: Against, limits: Partial<KernelLimits> = {}): Promise<Differential> {
    if (isRoot() && !ROOT_CAPABILITIES.every(hasCapability)) throw new Unfit("user 0 lacks capabilities here");
    const linux = await LinuxSide.begin(TASKS, "Linux");
    const { isAlone } = linux;
    const wrong = isAlone ? undefined : against === "linux" ? "it needs namespaces (user 0)" : unexpectedLimit();
    if (wrong !== undefined) {
      await linux.end();
      throw new Unfit(wrong);
    }
    const other =
      against === "ours" ? await KernelSide.begin(TASKS, limits) : await LinuxSide.begin(TASKS, "Linux again");
    const sides: Sides = [linux, other];
    return new Differential(sides, isAlone);
  }

  private constructor(sides: Sides, isAlone: boolean) {
    this.#sides = sides;
    const firstKey = isAlone ? 1 : SHARED_KEYS + (process.pid % 1024) * 2 ** 14;
    this.#context = contextOf(sides, isAlone, firstKey);
    this.#firstKey = firstKey;
    this.#runner = new Runner(sides, this.#context, firstKey);
  }

  get context(): Context {
    return this.#context;
  }

  get runner(): Runner {
    return this.#runner;
  }

  /** A player for each side, for a sequence by hand. */
  players(): readonly [Player, Player] {
    const [linux, other] = this.#sides;
    return [new Player(linux, this.#firstKey), new Player(other, this.#firstKey)];
  }

  async end(): Promise<void> {
    for (const side of this.#sides) await side.end();
  }

  async run(family: Family, calls: number, seed: number, progress = (_done: number): void => {}): Promise<Outcome> {
    const random = new Random(seed);
    const reports: Report[] = [];
    let done = 0;
    while (done < calls && reports.length < MISMATCHES_MAX) {
      const { calls: made, report } = await this.#runner.drawn(family, random, calls - done);
      if (report) reports.push(report);
      done += made;
      progress(done);
      await new Promise((resolve) => setImmediate(resolve)); // so that a signal can end it
    }
    return { family: family.name, calls: done, seed, reports };
  }
}

function contextOf(sides: Sides, isAlone: boolean, firstKey: number): Context {
  const [linux] = sides;
  const ask = (...[name, args, task = 0]: [Parameters<typeof call>[1], Parameters<typeof call>[2], number?]): number =>
    Number(new Player(linux, firstKey).play(call(task, name, args))[0]?.result);
  return {
    tasks: TASKS,
    isRoot: isRoot(),
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    protectsFifos: readFileSync("/proc/sys/fs/protected_fifos", "latin1").trim() !== "0",
    testsLimits: !isRoot() || hasCapability(CAP_SYS_RESOURCE),
    mayInherit: ask("inherit", [0], 1) === 0,
    // Without the option it is ENOSYS, before the id is looked at.
    copiesMessages: ask("msgrcv", [{ key: NO_KEY }, { at: 4096 }, 1, 0, is.MSG_COPY | is.IPC_NOWAIT]) !== ENOSYS,
    efaultIsClean: isFrom(6, 14),
    prefix: isAlone ? "" : `differential-${process.pid}-`,
  };
}

const isRoot = (): boolean => process.getuid?.() === 0;

/** Whether Linux is of this version, or newer. */
function isFrom(major: number, minor: number): boolean {
  const [haveMajor = 0, haveMinor = 0] = release().split(".").map(Number);
  return haveMajor > major || (haveMajor === major && haveMinor >= minor);
}

/** Whether this process has a capability (capabilities(7)), by its number. */
function hasCapability(number: bigint): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1] ?? "0";
  return ((BigInt(`0x${effective}`) >> number) & 1n) === 1n;
}

function unexpectedLimit(): string | undefined {
  for (const [file, expected] of Object.entries(expectedLimits)) {
    const value = readFileSync(file, "latin1").trim();
    if (value !== expected)
      return `${file} is ${value}: without namespaces the test needs Linux's default, ${expected}`;
  }
  return undefined;
}
