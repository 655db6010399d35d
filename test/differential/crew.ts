// The tasks of a run, seen by the controller: real processes, each a task of Linux and of our kernel. Says of each whether its
// call has come back, or certainly sleeps; nothing here waits for luck.

import { type ChildProcess, fork } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Kernel } from "../../src/index.ts";
import { geometryOf, node } from "../../src/memory/layout.ts";
import { isRefusal } from "../../src/memory/region.ts";
import { field } from "../../src/memory/words.ts";
import { attachRegionFile, type MappedRegion, regionPath } from "../../src/platforms/region-file.ts";
import { POLLED, SLEEPING } from "../../src/sync/wait-list.ts";
import { DONE, IDLE, LINUX, OURS, openMailbox, type SideIndex, type Slot } from "./mailbox.ts";

const script = fileURLToPath(new URL("./task.js", import.meta.url));
const HUNG_MS = 10_000;

/** Our kernel's limits, and what of Linux is set alike: messages of up to 8192 bytes. */
export const limits = {
  regionBytes: 256 * 1024 * 1024,
  messageBytesMax: 8192,
  descriptorsMax: 512,
  tasksMax: 16,
  objectsMax: 1024,
  waitersMax: 256,
} as const;

/** A call that neither returns nor sleeps, or whose task is gone. */
export class Hang extends Error {}

export class Crew {
  readonly count: number;
  readonly kernel: Kernel;
  readonly #slots: readonly Slot[];
  readonly #children: ChildProcess[] = [];
  readonly #name: string;
  readonly #path: string;
  readonly #region: MappedRegion;

  static async start(count: number): Promise<Crew> {
    const crew = new Crew(count);
    try {
      for (let task = 0; task < count; task++) for (const side of sides) await crew.#spawn(task, side);
      return crew;
    } catch (error) {
      crew.end();
      throw error;
    }
  }

  private constructor(count: number) {
    this.count = count;
    this.#name = `differential-${process.pid}-${Date.now() % 100_000}`;
    this.#path = `/dev/shm/fangaos-mailbox.${this.#name}`;
    this.kernel = Kernel.open(this.#name, { create: true, exclusive: true, ...limits });
    const region = attachRegionFile(this.#name);
    if (isRefusal(region)) throw new Error(region.reason);
    this.#region = region;
    const { slots } = openMailbox(this.#path, sides.length * count, true);
    this.#slots = slots;
  }

  /** Ends all tasks and removes what they shared. */
  end(): void {
    for (const child of this.#children) {
      child.kill("SIGKILL");
      child.unref();
      if (child.connected) child.disconnect();
    }
    this.kernel.close();
    rmSync(regionPath(this.#name), { force: true });
    this.#region.unmap();
    rmSync(this.#path, { force: true });
  }

  /** Kills a task on both sides and starts another in its place. */
  async replace(task: number): Promise<void> {
    for (const side of sides) {
      const child = this.#children[this.#index(task, side)] as ChildProcess;
      if (child.exitCode === null && child.signalCode === null) {
        const gone = new Promise((resolve) => child.once("exit", resolve));
        child.kill("SIGKILL");
        await gone;
      }
      this.kernel.reap();
      this.slot(task, side).state = IDLE;
      await this.#spawn(task, side);
    }
  }

  slot(task: number, side: SideIndex): Slot {
    return this.#slots[this.#index(task, side)] as Slot;
  }

  #index(task: number, side: SideIndex): number {
    return sides.length * task + side;
  }

  /** Waits until a task's call has come back or sleeps: true where it has come back. */
  settles(task: number, side: SideIndex): boolean {
    const slot = this.slot(task, side);
    for (let turn = 0; turn < 3000; turn++) if (slot.state === DONE) return true;
    const end = performance.now() + HUNG_MS;
    for (;;) {
      if (slot.state === DONE) return true;
      if (side === LINUX ? this.#sleepsInCall(slot) : this.#sleepsInKernel(slot)) return slot.state === DONE;
      if (performance.now() > end)
        throw new Hang(
          `task ${task} neither returns nor sleeps in call ${slot.number} ${side === LINUX ? "of Linux" : "of ours"}`,
        );
    }
  }

  async #spawn(task: number, side: SideIndex): Promise<void> {
    const index = this.#index(task, side);
    const numbers = [sides.length * this.count, index, side].map(String);
    const args = [this.#path, ...numbers, this.#name, String(process.pid)];
    const child = fork(script, args, { execArgv: [], stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.#children[index] = child;
    await new Promise<void>((resolve, reject) => {
      child.once("message", () => resolve());
      child.once("exit", (code) => reject(new Error(`a task of the differential test ended with ${code}`)));
    });
    child.removeAllListeners("exit");
  }

  #stat(slot: Slot): string {
    const text = readFileSync(`/proc/${slot.pid}/task/${slot.thread}/stat`, "latin1");
    return text.slice(text.lastIndexOf(")") + 2);
  }

  /**
   * Asleep in the call itself: /proc says which call a sleeping thread is in. Where that may not be read (the task has
   * changed its user), asleep in two looks without a switch between them, a while apart.
   */
  #sleepsInCall(slot: Slot): boolean {
    if (!this.#stat(slot).startsWith("S")) {
      if (this.#stat(slot).startsWith("Z")) throw new Hang("a task died");
      return false;
    }
    try {
      const inCall = readFileSync(`/proc/${slot.pid}/task/${slot.thread}/syscall`, "latin1").split(" ")[0];
      return inCall === String(slot.number);
    } catch {
      const before = this.#switches(slot);
      const end = performance.now() + 3;
      while (performance.now() < end) if (slot.state === DONE) return false;
      return this.#stat(slot).startsWith("S") && this.#switches(slot) === before;
    }
  }

  #switches(slot: Slot): string | undefined {
    const status = readFileSync(`/proc/${slot.pid}/task/${slot.thread}/status`, "latin1");
    return /^voluntary_ctxt_switches:\s*(\d+)/m.exec(status)?.[1];
  }

  /** Asleep on a node that nobody has taken out of its list: whoever wakes it takes it out first. */
  #sleepsInKernel(slot: Slot): boolean {
    const states = this.#waitStates(slot);
    if (this.#stat(slot).startsWith("Z")) throw new Hang("a task of ours died");
    if (states.includes(SLEEPING)) return true;
    if (states.length === 0 || states.some((state) => state !== POLLED)) return false;
    return this.#stat(slot).startsWith("S") && this.#waitStates(slot).every((state) => state === POLLED);
  }

  #waitStates(slot: Slot): number[] {
    const { words } = this.#region;
    const { nodes, limits: of } = geometryOf(this.kernel.limits);
    const states: number[] = [];
    for (let i = 0; i < of.waitersMax; i++) {
      const at = field(nodes, i * node.WORDS);
      if (words.load(field(at, node.OWNER)) === slot.kernelPid) states.push(words.load(field(at, node.STATE)));
    }
    return states;
  }
}

export const sides: readonly SideIndex[] = [LINUX, OURS];
