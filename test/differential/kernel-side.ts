// Our kernel, seen by the controller: it creates it, and looks into the region to see who sleeps.

import { Kernel, type KernelLimits } from "../../src/index.ts";
import { type Geometry, geometryOf, node, task as taskFields } from "../../src/memory/layout.ts";
import { isRefusal } from "../../src/memory/region.ts";
import { field, offsetOf, type Word } from "../../src/memory/words.ts";
import { attachRegionFile, type MappedRegion } from "../../src/platforms/region-file.ts";
import { taskSlot } from "../../src/sync/bell.ts";
import { WAITING as POLLING } from "../../src/sync/poll-word.ts";
import type { Pid } from "../../src/sync/robust-lock.ts";
import { POLLED, SLEEPING } from "../../src/sync/wait-list.ts";
import { KernelChildren } from "./kernel-children.ts";
import { DESCRIPTORS, Side } from "./side.ts";
import { FIRST_DESCRIPTOR_OF_OURS, type TaskStart } from "./task-start.ts";

const SYS_FUTEX = "202";
const PAGE_BYTES = 4096;

/** What of Linux's limits the kernel is created with; a table of wait nodes that is not large is looked through quickly. */
const limits: Partial<KernelLimits> = {
  regionBytes: 32 * 1024 * 1024,
  messageBytesMax: 8192,
  descriptorsMax: FIRST_DESCRIPTOR_OF_OURS + DESCRIPTORS,
  tasksMax: 64,
  objectsMax: 256,
  descriptionsMax: 1024,
  waitersMax: 512,
};

export class KernelSide extends Side {
  readonly name = "ours";
  readonly firstDescriptor = FIRST_DESCRIPTOR_OF_OURS;
  readonly #name: string;
  readonly #kernel: Kernel;
  readonly #region: MappedRegion;
  readonly #geometry: Geometry;
  readonly #children: KernelChildren;
  /** Also where the controller ends in the middle: the tasks then end by themselves. */
  readonly #remove = (): void => Kernel.unlink(this.#name);

  /** Limits may be set otherwise, to see that it is noticed. */
  static async begin(count: number, others: Partial<KernelLimits>): Promise<KernelSide> {
    const side = new KernelSide(count, `differential-${process.pid}`, others);
    await side.start();
    return side;
  }

  private constructor(count: number, name: string, others: Partial<KernelLimits>) {
    super(count);
    this.#name = name;
    this.#kernel = Kernel.open(name, { create: true, exclusive: true, ...limits, ...others });
    process.once("exit", this.#remove);
    const region = attachRegionFile(name);
    if (isRefusal(region)) throw new Error(region.reason);
    this.#region = region;
    this.#geometry = geometryOf(this.#kernel.limits);
    this.#children = new KernelChildren(region);
  }

  override async end(): Promise<void> {
    await super.end();
    this.#kernel.close();
    this.#region.unmap();
    this.#remove();
    process.off("exit", this.#remove);
  }

  /** Pipes, FIFOs, queues and segments alive, and free lines of the heap. */
  usage(): { objects: number; freeLines: number } {
    return this.#kernel.usage();
  }

  interrupt(task: number): void {
    this.#kernel.interrupt(this.slot(task).kernelPid);
  }

  pidOf(task: number): number {
    return this.slot(task).kernelPid;
  }

  /** A task that leaves and comes back has another: the next that its slot gives. */
  override isPidOf(task: number, pid: number): boolean {
    const { tasksMax } = this.#geometry.limits;
    return pid % tasksMax === this.pidOf(task) % tasksMax;
  }

  /** Pointers are offsets in scratch memory. */
  baseOf(): number {
    return 0;
  }

  inheritance(_task: number, from: number): bigint[] {
    return [BigInt(this.pidOf(from))];
  }

  spawn(task: number): number {
    return this.#children.spawn(this.pidOf(task) as Pid);
  }

  endChild(pid: number, code: number): void {
    this.#children.end(pid as Pid, code);
  }

  killChildren(): void {
    this.#children.killAll();
    this.settleChildren();
  }

  protected childrenNow(): Iterable<{ pid: number; osPid: number }> {
    return this.#children.now();
  }

  protected childIsGone(pid: number): void {
    this.#children.forget(pid as Pid);
    this.#kernel.reap();
  }

  protected startOf(): Partial<TaskStart> {
    return { kernelName: this.#name };
  }

  protected bury(): void {
    this.#kernel.reap();
  }

  /**
   * Asleep on a node that nobody has taken out of its list: whoever wakes it takes it out first. Its thread sleeps too: one whose
   * time has passed stands in the list for a moment, however long it is kept from going on. A task that polls sleeps on a word
   * of its own instead, in a futex call that /proc shows; whoever wakes it has changed the word by then.
   */
  protected sleeps(task: number): boolean {
    if (!this.threadSleeps(task)) return false; // it may have died meanwhile, or have been stopped
    const states = this.#waitStates(task);
    if (states.includes(SLEEPING)) return this.threadSleeps(task);
    if (states.some((state) => state !== POLLED)) return false;
    const word = field(taskSlot(this.#geometry, this.pidOf(task) as Pid), taskFields.POLL);
    const call = this.callOf(task);
    if (call?.[0] !== SYS_FUTEX || this.#region.words.load(word) !== POLLING) return false;
    return Number(call[1]) % PAGE_BYTES === offsetOf(word) % PAGE_BYTES;
  }

  #waitStates(task: number): number[] {
    const { words } = this.#region;
    const { nodes, limits: of } = this.#geometry;
    const owner = this.pidOf(task);
    const states: number[] = [];
    for (let i = 0; i < of.waitersMax; i++) {
      const at = field(nodes as Word, i * node.WORDS);
      if (words.load(field(at, node.OWNER)) === owner) states.push(words.load(field(at, node.STATE)));
    }
    return states;
  }
}
