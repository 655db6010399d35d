// Real tasks that work in one region while a rogue thread writes random words into it. Each operation of the others ends: with a
// result or with an error of the API.

import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import type { KernelHandle } from "../../src/index.ts";
import { IpcError, Kernel } from "../../src/index.ts";
import { Random } from "../random.ts";
import { jobOf, say, type Watched, watch } from "./watched.ts";

const module = fileURLToPath(import.meta.url);
const WORKERS = 2;
const OPERATIONS = 400;
const SCRIBBLES = 400;
const TIMEOUT = 2;
const SMALL = {
  regionBytes: 512 * 1024,
  tasksMax: 8,
  objectsMax: 64,
  descriptorsMax: 64,
  descriptionsMax: 128,
  waitersMax: 32,
};

export interface RogueFindings extends Watched {
  operations: number;
  errors: number;
}

interface Task {
  readonly role: "worker" | "rogue";
  readonly handle: KernelHandle;
  readonly seed: number;
}

interface Report {
  readonly operations: number;
  readonly errors: number;
  readonly violations: readonly string[];
}

/** Each round is a process of its own, which is watched. */
export async function tryRogue(rounds: number, seed: number): Promise<RogueFindings> {
  const found: RogueFindings = { operations: 0, errors: 0, hangs: 0, crashes: 0, violations: [] };
  for (let round = 0; round < rounds; round++) {
    const roundSeed = seed + round * 10;
    let left = WORKERS + 1;
    await watch<Report>(module, { seed: roundSeed }, found, {
      where: () => `beside a rogue, seed ${roundSeed}`,
      heard: ({ operations, errors, violations }) => {
        found.operations += operations;
        found.errors += errors;
        found.violations.push(...violations);
        return --left === 0;
      },
    });
  }
  return found;
}

/** This thread touches no region that is going to be damaged. */
function createAndLeave(): KernelHandle {
  const kernel = Kernel.create(SMALL);
  kernel.close();
  return kernel.handle;
}

/** The threads of one round. One that ends with an error ends the process, which is how who watches sees it. */
function startRound(seed: number): void {
  const handle = createAndLeave();
  for (let i = 0; i <= WORKERS; i++) {
    const task: Task = { role: i < WORKERS ? "worker" : "rogue", handle, seed: seed + i };
    new Worker(module, { workerData: { rogue: task } }).on("message", (report: Report) => say(report));
  }
}

/** Writes random words into the region, as no task of a kernel may. */
function scribble(handle: KernelHandle, random: Random): Report {
  const words = new Int32Array((handle as unknown as { buffer: SharedArrayBuffer }).buffer);
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let i = 0; i < SCRIBBLES; i++) {
    const at = random.below(words.length);
    const value = random.pick([-1, 0, 1, 0x7fffffff, -0x80000000, at, words[random.below(words.length)] as number]);
    Atomics.store(words, at, value);
    Atomics.wait(pause, 0, 0, 1); // so that the others get on
  }
  return { operations: SCRIBBLES, errors: 0, violations: [] };
}

function work(handle: KernelHandle, random: Random): Report {
  const violations: string[] = [];
  let errors = 0;
  const attempt = <T>(run: () => T): T | undefined => {
    try {
      return run();
    } catch (error) {
      if (error instanceof IpcError) errors++;
      else violations.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
      return undefined;
    }
  };
  const timeout = TIMEOUT;
  const kernel = attempt(() => Kernel.attach(handle));
  if (!kernel) return { operations: 1, errors, violations };
  const data = new Uint8Array(32);
  const operations = [
    () => kernel.queue({ name: "q", create: true }).sendSync(data, { timeout }),
    () => kernel.queue({ name: "q", create: true }).receiveSync({ timeout }),
    () => kernel.queue({ name: "q", create: true }).tryReceiveMany(4),
    () => kernel.semaphore({ name: "s", create: true }).post(),
    () => kernel.semaphore({ name: "s", create: true }).waitSync({ timeout }),
    () => kernel.mutex({ name: "m", create: true }).lockSync({ timeout }).unlock(),
    () => kernel.rwlock({ name: "r", create: true }).readLockSync({ timeout }).unlock(),
    () => kernel.rwlock({ name: "r", create: true }).writeLockSync({ timeout }).unlock(),
    () => kernel.barrier({ name: "b", create: true, parties: 2 }).waitSync({ timeout }),
    () => {
      const { reader, writer } = kernel.pipe();
      writer.tryWrite(data);
      reader.tryRead(data);
      reader.close();
      writer.close();
    },
    () => kernel.sharedMemory({ name: "m", create: true, bytes: 4096 }).close(),
    () => kernel.tasks(),
    () => kernel.usage(),
    () => kernel.deadlocks(),
    () => kernel.reap(),
    () => kernel.sys.msgget(5, 0o1600),
    () => kernel.sys.semget(5, 2, 0o1600),
    () => kernel.kill(kernel.pid, 0),
  ];
  for (let i = 0; i < OPERATIONS; i++) attempt(random.pick(operations));
  attempt(() => kernel.close());
  return { operations: OPERATIONS, errors, violations };
}

const task = (workerData as { rogue?: Task } | null)?.rogue;
if (!isMainThread && task) {
  const random = new Random(task.seed);
  parentPort?.postMessage(task.role === "rogue" ? scribble(task.handle, random) : work(task.handle, random));
}

const round = isMainThread ? jobOf<{ readonly seed: number }>(module) : undefined;
if (round) startRound(round.seed);
