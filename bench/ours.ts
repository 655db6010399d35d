// Our side of a measurement: kernels of this run's, and processes that attach to them by name.

import { type ChildProcess, spawn } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { Kernel, type KernelLimits } from "../src/index.ts";
import { type Cpus, onCpu } from "./placement.ts";
import { type Figure, measured, spawned } from "./processes.ts";
import type { OurWork, Population } from "./rows.ts";
import type { Role, SideOrder } from "./side.ts";

type File =
  | "queue-side"
  | "pipe-side"
  | "segment-side"
  | "lock-side"
  | "signal-side"
  | "await-side"
  | "caller-side"
  | "crowd-side";

/** The sides of a work; the measured one is started last. In a crowd there are as many of the others as parties say. */
const SIDES: Record<OurWork, { file: File | "starter-side"; partners?: readonly Role[]; measured: Role }> = {
  "queue-pair": { file: "queue-side", measured: "pair" },
  "queue-stream": { file: "queue-side", partners: ["sender"], measured: "receiver" },
  "queue-stream-batch": { file: "queue-side", partners: ["batch-sender"], measured: "batch-receiver" },
  "queue-roundtrip": { file: "queue-side", partners: ["echo"], measured: "client" },
  "queue-crowd": { file: "crowd-side", partners: ["crowd-sender", "crowd-receiver"], measured: "crowd-measured" },
  "semaphore-pair": { file: "lock-side", measured: "counter" },
  "mutex-pair": { file: "lock-side", measured: "locker" },
  "mutex-contended": { file: "lock-side", partners: ["rival"], measured: "contender" },
  "queue-fairness": {
    file: "crowd-side",
    partners: ["fair-sender", "fair-receiver"],
    measured: "fair-receiver-measured",
  },
  "mutex-fairness": { file: "crowd-side", partners: ["fair"], measured: "fair-measured" },
  "pipe-stream": { file: "pipe-side", partners: ["writer"], measured: "reader" },
  "segment-copy": { file: "segment-side", measured: "copier" },
  "signal-roundtrip": { file: "signal-side", partners: ["signalled"], measured: "signaller" },
  "await-roundtrip": { file: "await-side", partners: ["await-echo"], measured: "await-client" },
  "await-stream": { file: "await-side", partners: ["await-sender"], measured: "await-receiver" },
  call: { file: "caller-side", measured: "caller" },
  start: { file: "starter-side", measured: "caller" },
};

export interface OurMeasurement {
  work: OurWork;
  bytes: number;
  depth: number | undefined;
  warmup: number;
  operations: number;
  cpus: Cpus;
  call?: string | undefined;
  parties?: number | undefined;
  /** A directory into which Node writes a profile of the measured process. */
  profileTo?: string | undefined;
  /** Measured in a kernel with these limits, that holds this besides, or nothing else. */
  kernel?: { readonly population: Population; readonly isPopulated: boolean } | undefined;
}

/** Worker threads of one process. */
const TASKS_PER_PROCESS = 250;

/** What a kernel needs for a population. */
const limitsFor = (population: Population): Partial<KernelLimits> => ({
  ...(population.endsWith("objects") ? { objectsMax: 16_384 } : { tasksMax: 1100 }),
  regionBytes: 256 * 1024 * 1024,
});

export class Ours {
  readonly #name = `bench-${process.pid}`;
  readonly #kernels = new Map<string, Kernel>();
  readonly #crowds: ChildProcess[] = [];
  #measurements = 0;
  #removed = false;

  /** Every measurement has fresh objects and fresh processes. */
  async measure(measurement: OurMeasurement, deadlineMs: number): Promise<Figure> {
    const kernel = await this.#kernelFor(measurement.kernel);
    const object = `object-${this.#measurements++}`;
    const unlink = make(kernel, object, measurement);
    try {
      return await measured(commands(nameOf(kernel), object, measurement), deadlineMs);
    } finally {
      unlink();
      kernel.reap();
    }
  }

  /** Idempotent. */
  remove(): void {
    if (this.#removed) return;
    this.#removed = true;
    for (const crowd of this.#crowds) crowd.kill("SIGKILL");
    for (const [name, kernel] of this.#kernels) {
      try {
        kernel.close();
      } finally {
        Kernel.unlink(name);
      }
    }
  }

  async #kernelFor(wanted: OurMeasurement["kernel"]): Promise<Kernel> {
    const suffix = wanted ? `-${wanted.population.replace(" ", "-")}${wanted.isPopulated ? "" : "-alone"}` : "";
    const name = `${this.#name}${suffix}`;
    const there = this.#kernels.get(name);
    if (there) return there;
    const limits = wanted ? limitsFor(wanted.population) : {};
    const kernel = Kernel.open(name, { create: true, exclusive: true, ...limits });
    this.#kernels.set(name, kernel);
    if (wanted?.isPopulated) await this.#populate(kernel, wanted.population);
    return kernel;
  }

  async #populate(kernel: Kernel, population: Population): Promise<void> {
    if (population.endsWith("objects")) {
      makeObjects(kernel, Number.parseInt(population, 10));
      return;
    }
    const own = fileURLToPath(import.meta.url);
    const program = fileURLToPath(new URL(`./crowd${extname(own)}`, import.meta.url));
    for (let left = Number.parseInt(population, 10); left > 0; left -= TASKS_PER_PROCESS) {
      const count = Math.min(left, TASKS_PER_PROCESS);
      const crowd = spawn(process.execPath, [program, nameOf(kernel), String(count)], {
        stdio: ["pipe", "pipe", "inherit"],
      });
      this.#crowds.push(crowd);
      await spawned(crowd);
    }
  }
}

const nameOf = (kernel: Kernel): string => (kernel.handle as { name: string }).name;

function makeObjects(kernel: Kernel, count: number): void {
  const kinds = [
    (name: string) => kernel.queue({ name, create: true }),
    (name: string) => kernel.semaphore({ name, create: true }),
    (name: string) => kernel.mutex({ name, create: true }),
    (name: string) => kernel.rwlock({ name, create: true }),
  ];
  for (let i = 0; i < count; i++) kinds[i % kinds.length](`other-${i}`).close();
}

/** Makes what the sides will open by name; returns how to be rid of it. */
function make(kernel: Kernel, name: string, { work, bytes, depth, parties = 1 }: OurMeasurement): () => void {
  const undo: (() => void)[] = [];
  const queue = (queueName: string): void => {
    kernel.queue({ name: queueName, create: true, exclusive: true, ...(depth === undefined ? {} : { depth }) }).close();
    undo.push(() => kernel.unlinkQueue(queueName));
  };
  if (work === "pipe-stream") {
    kernel.mkfifo(name, { capacity: bytes });
    undo.push(() => kernel.unlinkFifo(name));
  }
  if (work === "segment-copy") {
    kernel.sharedMemory({ name, create: true, exclusive: true, bytes }).close();
    undo.push(() => kernel.unlinkSharedMemory(name));
  }
  if (work === "semaphore-pair" || work === "mutex-contended") {
    // The one counts from 1, the other tells a rival to stop.
    kernel.semaphore({ name, create: true, value: work === "semaphore-pair" ? 1 : 0 }).close();
    undo.push(() => kernel.unlinkSemaphore(name));
  }
  if (work.startsWith("mutex")) {
    kernel.mutex({ name, create: true }).close();
    undo.push(() => kernel.unlinkMutex(name));
  }
  if (work.endsWith("roundtrip")) for (const way of ["there", "back"]) queue(`${name}-${way}`);
  if (/^queue-(pair|stream|crowd|fairness)|^await-stream/.test(work)) queue(name);
  if (work.endsWith("fairness")) queue(`${name}-shares`);
  if (work === "queue-crowd" || work.endsWith("fairness")) {
    const others = { "queue-crowd": parties, "queue-fairness": 1 }[work as string] ?? 0;
    kernel.barrier({ name, create: true, parties: parties + others }).close();
    undo.push(() => kernel.unlinkBarrier(name));
  }
  return () => {
    for (const one of undo) one();
  };
}

function commands(kernel: string, object: string, measurement: OurMeasurement): string[][] {
  const { work, bytes, warmup, operations, cpus, call, parties, profileTo } = measurement;
  const { file, partners = [], measured: measuring } = SIDES[work];
  const own = fileURLToPath(import.meta.url);
  const program = fileURLToPath(new URL(`./${file}${extname(own)}`, import.meta.url));
  const command = (role: Role, cpu: number, flags: string[] = []): string[] => {
    const order: SideOrder = { role, kernel, object, bytes, warmup, operations, call, parties };
    return onCpu(cpu, [process.execPath, ...flags, program, JSON.stringify(order)]);
  };
  const profiling = profileTo === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileTo}`];
  const others =
    parties === undefined
      ? partners.map((role) => command(role, cpus.partner))
      : crowd(partners, parties).map((role, i) => command(role, i % 2 === 0 ? cpus.partner : cpus.measured));
  return [...others, command(measuring, cpus.measured, profiling)];
}

/** So many of each role, but one sender that is fair to all, and one less of the last, which the measured one is too. */
function crowd(roles: readonly Role[], parties: number): Role[] {
  const count = (role: Role, i: number): number => {
    if (role === "fair-sender") return 1;
    return i === roles.length - 1 ? parties - 1 : parties;
  };
  return roles.flatMap((role, i) => new Array<Role>(count(role, i)).fill(role));
}
