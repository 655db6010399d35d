// Regions that somebody has damaged: a kernel with all kinds of objects in use is put back as it was, some of its words are changed,
// and two tasks work with it, one that was attached before and one that attaches now. Whatever they do ends: with a result, or with
// an error.

import { AssertionError } from "node:assert";
import { errnoName } from "../../src/abi/errno.ts";
import { IpcError } from "../../src/api/ipc-error.ts";
import { System } from "../../src/kernel/system.ts";
import { isRefusal, readGeometry } from "../../src/memory/region.ts";
import type { World } from "../../src/sync/world.ts";
import { callsFamily } from "../crash/calls-family.ts";
import { Machine } from "../crash-fixture.ts";
import { smallLimits } from "../memory-fixture.ts";
import { Random } from "../random.ts";
import { coreFamilies } from "../stepped/core-families.ts";
import { type Family, families } from "../stepped/object-families.ts";
import type { Program } from "../stepped/stepped-task.ts";
import { BoundedWords, Endless, Outside } from "./bounded-words.ts";

/** More accesses than any operation makes in a region of this size. */
const ACCESSES_MAX = 6_000_000;
const OPERATIONS = 24;
/** Sleeps after which a task is taken to sleep for ever: as it may, where nobody wakes it. */
const SLEEPS_MAX = 4;
const SLICE_MS = 200;

export interface Findings {
  regions: number;
  changes: number;
  operations: number;
  refused: number;
  /** How operations ended, by the name of the error; "result" and "asleep" too. */
  readonly ends: Map<string, number>;
  /** What must not be, by where it was seen: the message, how often, and the region that shows it. */
  readonly violations: Map<string, { count: number; region: number; what: string }>;
}

class Asleep extends Error {}

// biome-ignore lint/suspicious/noExplicitAny: each family has types of its own
type AnyFamily = Family<any, any>;
const all: readonly AnyFamily[] = [...families, ...coreFamilies, callsFamily];

const limits = {
  ...smallLimits,
  tasksMax: 8,
  objectsMax: 32,
  descriptionsMax: 128,
  descriptorsMax: 64,
  waitersMax: 32,
};

export class Hostile {
  readonly #machine = new Machine(limits);
  readonly #snapshot: Uint8Array;
  readonly #bytes: Uint8Array;
  readonly #arranged = new Map<AnyFamily, unknown>();
  /** Words that are in use, which are worth changing. */
  readonly #used: number[] = [];
  findings = nothing();

  constructor() {
    const maker = this.#machine.attach();
    for (const family of all) this.#arranged.set(family, family.make(maker));
    const resident = this.#whole();
    for (const family of all) {
      for (const before of Object.values(family.before)) resident.sleepless(() => before(resident.handles.get(family)));
    }
    this.#bytes = new Uint8Array(this.#machine.buffer);
    this.#snapshot = this.#bytes.slice();
    const words = new Int32Array(this.#snapshot.buffer);
    words.forEach((word, i) => {
      if (word !== 0) this.#used.push(i);
    });
  }

  /** What has been found since they were last taken. */
  takeFindings(): Findings {
    const { findings } = this;
    this.findings = nothing();
    return findings;
  }

  /** Damages one region in a way that the seed repeats, and works with it. */
  try(seed: number): void {
    const random = new Random(seed);
    this.#bytes.set(this.#snapshot);
    const veteran = this.#whole();
    this.#damage(random);
    this.findings.regions++;
    const newcomer = new Worker(this.#machine);
    this.#attempt(seed, newcomer, () => {
      const refusal = readGeometry(newcomer.words, this.#bytes.length, { bootId: [0, 0, 0, 0], pidNamespace: 0 });
      if (isRefusal(refusal)) throw new IpcError(refusal.errno, "attach", undefined, refusal.reason);
      if (newcomer.attach() < 0) throw new IpcError(newcomer.refused, "attach", undefined, "refused");
    });
    if (!newcomer.system) this.findings.refused++;
    for (let i = 0; i < OPERATIONS; i++) {
      const worker = newcomer.system && random.chance(50) ? newcomer : veteran;
      const family = random.pick(all);
      this.#attempt(seed, worker, () => {
        const system = worker.system as System;
        const handles = worker.handles.get(family) ?? family.open(system, this.#arranged.get(family));
        worker.handles.set(family, handles);
        const operation = family.operations[random.pick(Object.keys(family.operations))];
        operation?.(handles, programOf(system));
      });
    }
    this.#attempt(seed, veteran, () => void veteran.system?.reap());
    this.#attempt(seed, newcomer, () => newcomer.system?.detach());
    newcomer.end();
    veteran.end();
  }

  /** A task that has all there is open, in a region that is whole. */
  #whole(): Worker {
    const worker = new Worker(this.#machine);
    worker.words.left = Number.POSITIVE_INFINITY;
    worker.attach();
    for (const family of all) {
      worker.handles.set(family, family.open(worker.system as System, this.#arranged.get(family)));
    }
    return worker;
  }

  #damage(random: Random): void {
    const words = new Int32Array(this.#machine.buffer);
    const count = 1 + random.below(6);
    for (let i = 0; i < count; i++) {
      const at = random.chance(80) ? random.pick(this.#used) : random.below(words.length);
      words[at] = this.#hostile(random, words, words[at] as number);
      this.findings.changes++;
    }
  }

  #hostile(random: Random, words: Int32Array, before: number): number {
    switch (random.below(6)) {
      case 0:
        return before ^ (1 << random.below(32));
      case 1:
        return random.pick([-1, 0, 1, 0x7fffffff, -0x80000000, 0x10000000, words.length - 1, words.length]);
      case 2:
        return words[random.pick(this.#used)] as number;
      case 3:
        return random.pick(this.#used);
      case 4:
        return before + random.pick([-16, -1, 1, 16]);
      default:
        return random.below(2 ** 31) | 0;
    }
  }

  #attempt(seed: number, worker: Worker, run: () => void): void {
    const { findings } = this;
    findings.operations++;
    worker.words.left = ACCESSES_MAX;
    let end = "result";
    try {
      worker.sleepless(run);
    } catch (error) {
      if (error instanceof Asleep) end = "asleep";
      else if (error instanceof AssertionError)
        end = "refused"; // by a family, whose objects it could not open
      else if (error instanceof IpcError) end = errnoName(error.errno);
      else end = this.#violation(seed, error as Error);
    }
    findings.ends.set(end, (findings.ends.get(end) ?? 0) + 1);
  }

  #violation(seed: number, error: Error): string {
    const where = /at (\S+ \(.*\/src\/[^)]*\)|.*\/src\/\S+)/.exec(error.stack ?? "")?.[1] ?? "";
    const kind = error instanceof Outside ? "outside" : error instanceof Endless ? "endless" : error.name;
    const key = `${kind} in ${where.replace(/\(.*\/src\//, "(src/")}`;
    const known = this.findings.violations.get(key);
    if (known) known.count++;
    else this.findings.violations.set(key, { count: 1, region: seed, what: error.message });
    return kind;
  }
}

const nothing = (): Findings => ({
  regions: 0,
  changes: 0,
  operations: 0,
  refused: 0,
  ends: new Map(),
  violations: new Map(),
});

const programOf = (system: System): Program => ({
  system,
  pid: system.pid,
  tell: () => {},
  between: () => {},
  die: () => {
    throw new Asleep();
  },
  turnUntil: () => {
    throw new Asleep();
  },
});

/** A task that works with a damaged region. */
class Worker {
  readonly words: BoundedWords;
  readonly handles = new Map<AnyFamily, unknown>();
  system: System | undefined;
  refused = 0;
  readonly #machine: Machine;
  readonly #world: World;
  #sleeps = 0;
  #nowMs = 1;

  constructor(machine: Machine) {
    this.#machine = machine;
    this.words = new BoundedWords(machine.buffer);
    const world = machine.world();
    this.#world = {
      ...world,
      nowMs: () => this.#nowMs,
      parker: {
        park: () => {
          this.#nowMs += SLICE_MS;
          if (++this.#sleeps > SLEEPS_MAX) throw new Asleep();
        },
        unpark: () => {},
      },
    };
  }

  attach(): number {
    const region = { words: this.words, geometry: this.#machine.geometry, reserve: () => 0 };
    const system = System.attach(region, this.#world, { parentPid: 0 });
    if (typeof system === "number") this.refused = system;
    else this.system = system;
    return this.refused;
  }

  sleepless(run: () => void): void {
    this.#sleeps = 0;
    run();
  }

  end(): void {
    this.#machine.kill(this.#world);
  }
}
