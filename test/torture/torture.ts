// The torturer: keeps a few tasks alive, kills them, pauses them and lets them go on, and counts at the end.

import type { ChildProcess } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import { Kernel, type Task } from "../../src/index.ts";
import { Random } from "../random.ts";
import { decode, Ledger, LIVES_MAX, MESSAGE_BYTES, total } from "./ledger.ts";
import { limits, makeShared, openShared, SET_VALUE, type Shared, SIGNAL } from "./objects.ts";

const program = new URL("./worker.js", import.meta.url);
const TASKS = 4;
/** A task that is not killed for so long, and does nothing, is stuck. */
const STUCK_MS = 20_000;
const PAUSE_MS_MAX = 20;
const GETVAL = 12;

export interface Orders {
  readonly world: "threads" | "processes";
  readonly kills: number;
  readonly minutes: number;
  readonly seed: number;
}

export interface Outcome {
  readonly world: "threads" | "processes";
  readonly seed: number;
  readonly kills: number;
  readonly pauses: number;
  readonly messages: number;
  readonly signals: number;
  /** That tortured tasks have spawned. */
  readonly children: number;
  /** Tasks woken by a condition, and pairs that met at a barrier. */
  readonly told: number;
  readonly met: number;
  /** Mutexes whose owner had died when they were locked. */
  readonly repairs: number;
  readonly waitedMsMax: number;
  readonly inDoubt: number;
  readonly inHand: number;
  readonly lost: number;
  readonly twice: number;
  readonly wrong: number;
  readonly stuck: number;
  readonly leaked: string;
}

interface Victim {
  readonly life: number;
  readonly task: Task;
}

export class Torture {
  readonly #orders: Orders;
  readonly #random: Random;
  readonly #name: string;
  readonly #kernel: Kernel;
  readonly #ledger: Ledger;
  readonly #shared: Shared;
  readonly #victims: Victim[] = [];
  readonly #lastSignals = new Map<number, number>();
  #kills = 0;
  #pauses = 0;
  #signals = 0;
  #wrong = 0;
  #stuck = 0;

  constructor(orders: Orders) {
    this.#orders = orders;
    this.#random = new Random(orders.seed);
    this.#name = `torture-${process.pid}-${orders.world}`;
    this.#ledger = Ledger.create(`${this.#name}-ledger`);
    this.#kernel =
      orders.world === "threads" ? Kernel.create(limits) : Kernel.open(this.#name, { create: true, ...limits });
    makeShared(this.#kernel);
    this.#shared = openShared(this.#kernel);
    this.#kernel.signals.on(SIGNAL, ({ value }) => this.#hear(Number(value)));
  }

  async run(progress: (kills: number) => void): Promise<Outcome> {
    const before = this.#kernel.usage();
    const endMs = performance.now() + this.#orders.minutes * 60_000;
    while (
      this.#kills < this.#orders.kills &&
      performance.now() < endMs &&
      this.#ledger.get(total.LIVES) + TASKS < LIVES_MAX &&
      this.#stuck === 0
    ) {
      while (this.#victims.length < TASKS) this.#spawn();
      await this.#torment(this.#random.pick(this.#victims));
      progress(this.#kills);
    }
    for (const victim of [...this.#victims]) await this.#kill(victim);
    await this.#awaitOrphans(before.tasks);
    return this.#count(before);
  }

  end(): void {
    for (const { task } of this.#victims) killChild(task.child);
    this.#kernel.close();
    this.#ledger[Symbol.dispose]();
    Kernel.unlink(`${this.#name}-ledger`);
    if (this.#orders.world === "processes") Kernel.unlink(this.#name);
  }

  #spawn(): void {
    const life = this.#ledger.add(total.LIVES);
    const argv = [`${this.#name}-ledger`, String(life), String(this.#orders.seed)];
    // Nothing is inherited: what a task has, it has opened itself.
    const task = this.#kernel.spawn(program, { argv, execArgv: [], descriptors: { 0: 0, 1: 1, 2: 2 } });
    this.#victims.push({ life, task });
  }

  async #torment(victim: Victim): Promise<void> {
    if (!(await this.#works(victim))) return;
    await pause(this.#random.below(PAUSE_MS_MAX));
    if (this.#orders.world === "processes" && this.#random.chance(25)) await this.#pause(victim);
    else await this.#kill(victim);
  }

  /** A task is let be until it has begun to work; one that stops working is stuck. */
  async #works({ life }: Victim): Promise<boolean> {
    const before = this.#ledger.actionsOf(life);
    const end = performance.now() + STUCK_MS;
    while (this.#ledger.actionsOf(life) === before) {
      if (performance.now() > end) {
        this.#stuck++;
        return false;
      }
      await pause(1);
    }
    return true;
  }

  async #pause({ task }: Victim): Promise<void> {
    this.#pauses++;
    const child = task.child as ChildProcess;
    child.kill("SIGSTOP");
    await pause(this.#random.below(150));
    child.kill("SIGCONT");
  }

  async #kill(victim: Victim): Promise<void> {
    this.#victims.splice(this.#victims.indexOf(victim), 1);
    this.#ledger.noteKill(victim.life);
    this.#kills++;
    if (this.#random.chance(20)) this.#kernel.kill(victim.task.pid, "SIGKILL");
    else killChild(victim.task.child);
    const { signal } = await victim.task.wait({ timeout: STUCK_MS });
    // Of a thread that had not attached yet nobody can tell that it was terminated.
    if (signal !== "SIGKILL" && this.#ledger.actionsOf(victim.life) > 0) this.#wrong++;
  }

  /** Children of those that were killed end by themselves, soon: one that does not is stuck. */
  async #awaitOrphans(tasks: number): Promise<void> {
    const end = performance.now() + STUCK_MS;
    const left = (): number => {
      this.#kernel.reap();
      return this.#kernel.tasks().length - tasks;
    };
    for (let others = left(); others > 0; others = left()) {
      if (performance.now() > end) {
        this.#stuck += others;
        return;
      }
      this.#drain(); // so that they find room
      await pause(10);
    }
  }

  #hear(value: number): void {
    const [life, number] = [Math.floor(value / 2 ** 20), value % 2 ** 20];
    if ((this.#lastSignals.get(life) ?? 0) >= number) this.#wrong++; // twice, or out of order
    this.#lastSignals.set(life, number);
    this.#signals++;
  }

  #count(before: { objects: number; freeLines: number; tasks: number }): Outcome {
    const ledger = this.#ledger;
    this.#kernel.reap();
    this.#drain();
    const leaks: string[] = [];
    const after = this.#kernel.usage();
    for (const name of ["objects", "freeLines", "tasks"] as const)
      if (after[name] !== before[name]) leaks.push(`${name}: ${before[name]} before, ${after[name]} after`);
    const value = this.#kernel.sys.semctl(this.#shared.set, 0, GETVAL, 0);
    if (value !== SET_VALUE) leaks.push(`the semaphore is ${value}, not ${SET_VALUE}`);
    const { lost, twice, inDoubt, inHand } = ledger.audit(Math.min(ledger.get(total.LIVES), LIVES_MAX));
    const [passes, leaders] = [ledger.get(total.BARRIER_PASSES), ledger.get(total.BARRIER_LEADERS)];
    // Of each pair one leads; who was killed in between has counted neither, or only that it passed.
    const ended = this.#kills + ledger.get(total.CHILDREN);
    if (Math.abs(passes - 2 * leaders) > 2 * ended) this.#wrong++;
    return {
      world: this.#orders.world,
      seed: this.#orders.seed,
      kills: this.#kills,
      pauses: this.#pauses,
      messages: ledger.get(total.MESSAGES),
      signals: this.#signals,
      children: ledger.get(total.CHILDREN),
      told: ledger.get(total.TOLD),
      met: leaders,
      repairs: ledger.get(total.OWNERS_DIED),
      waitedMsMax: ledger.get(total.WAITED_MS_MAX),
      inDoubt,
      inHand,
      lost,
      twice,
      wrong: this.#wrong + ledger.get(total.BAD),
      stuck: this.#stuck + ledger.get(total.STUCK),
      leaked: leaks.join(", ") || "0",
    };
  }

  /** What the dead left in queue and pipe. */
  #drain(): void {
    const into = new Uint8Array(MESSAGE_BYTES);
    const take = (): void => {
      const message = decode(into);
      if (message) this.#ledger.mark(message);
      else this.#wrong++;
    };
    for (const queue of [this.#shared.queue, this.#shared.urgent, this.#shared.batch]) {
      while (queue.tryReceiveInto(into) === MESSAGE_BYTES) take();
    }
    while (this.#shared.reader.tryRead(into) === MESSAGE_BYTES) take();
  }
}

function killChild(child: Worker | ChildProcess): void {
  if ("terminate" in child) void child.terminate();
  else child.kill("SIGKILL");
}

export const isSound = ({ lost, twice, wrong, stuck, leaked }: Outcome): boolean =>
  lost + twice + wrong + stuck === 0 && leaked === "0";

export function summary(outcome: Outcome): string {
  return Object.entries(outcome)
    .map(([name, value]) => `${name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)} ${value}`)
    .join(" · ");
}
