// Linux itself, seen by the controller. Its tasks share a namespace of their own for SysV objects and POSIX queues, with Linux's
// default limits, where the user may have one; and a directory for FIFOs, which is sticky.

import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { numbers } from "./calls.ts";
import { F_GETFD } from "./flags.ts";
import { IN_CALL, SCRATCH_BYTES, type Slot } from "./mailbox.ts";
import { enterIpc, interruptThread, unshareIpc } from "./native.ts";
import { Side } from "./side.ts";
import { FIRST_DESCRIPTOR_OF_LINUX, type TaskStart } from "./task-start.ts";

/** That have not ended, of a task. */
const CHILDREN_MAX = 256;
/** Where in scratch memory a list of descriptors is handed over: at its end. */
const LIST = SCRATCH_BYTES - 4096;

export class LinuxSide extends Side {
  readonly name: string;
  readonly firstDescriptor = FIRST_DESCRIPTOR_OF_LINUX;
  readonly #directory = mkdtempSync(join(tmpdir(), "differential-"));
  /** Also where the controller ends in the middle: the tasks then end by themselves. */
  readonly #remove = (): void => rmSync(this.#directory, { recursive: true, force: true });
  /** Those that have not ended, by their pids. */
  readonly #children = new Map<number, { readonly slot: Slot; readonly index: number }>();
  #childrenMade = 0;
  /** Of a namespace of the tasks' own, which lives as long as this is open. */
  #namespace: number | undefined;

  static async begin(count: number, name: string): Promise<LinuxSide> {
    const side = new LinuxSide(count, name);
    await side.start();
    return side;
  }

  private constructor(count: number, name: string) {
    super(count);
    this.name = name;
    chmodSync(this.#directory, 0o1777);
    const semaphores = join(this.#directory, "dev", "shm"); // where the C library has them, under the tasks' root
    mkdirSync(semaphores, { recursive: true });
    chmodSync(semaphores, 0o1777);
    process.once("exit", this.#remove);
    const outer = openSync("/proc/thread-self/ns/ipc", "r");
    if (unshareIpc() === 0) {
      this.#namespace = openSync("/proc/thread-self/ns/ipc", "r");
      enterIpc(outer);
    }
    closeSync(outer);
  }

  /** Whether nobody else sees the tasks' SysV objects and POSIX queues. */
  get isAlone(): boolean {
    return this.#namespace !== undefined;
  }

  override async end(): Promise<void> {
    await super.end();
    if (this.#namespace !== undefined) closeSync(this.#namespace);
    this.#remove();
    process.off("exit", this.#remove);
  }

  /** A task's namespace is that of the thread which forks it. */
  override async replace(task: number): Promise<void> {
    await this.#inside(() => super.replace(task));
  }

  override async start(): Promise<void> {
    await this.#inside(() => super.start());
  }

  async #inside(action: () => Promise<void>): Promise<void> {
    if (this.#namespace === undefined) return action();
    const outer = openSync("/proc/thread-self/ns/ipc", "r");
    enterIpc(this.#namespace);
    try {
      await action();
    } finally {
      enterIpc(outer);
      closeSync(outer);
    }
  }

  interrupt(task: number): void {
    const { pid, thread } = this.slot(task);
    interruptThread(pid, thread);
  }

  pidOf(task: number): number {
    return this.slot(task).pid;
  }

  baseOf(task: number): number {
    return this.slot(task).base;
  }

  /** /proc says which descriptors the other has, and which of them close on exec. */
  inheritance(task: number, from: number): bigint[] {
    const { pid } = this.slot(from);
    const { view } = this.slot(task);
    let count = 0;
    const all = readdirSync(`/proc/${pid}/fdinfo`).map(Number);
    for (const descriptor of all.sort((a, b) => a - b)) {
      if (descriptor < FIRST_DESCRIPTOR_OF_LINUX) continue;
      if (this.#closesOnExec(from, descriptor)) continue;
      view.setInt32(LIST + 4 * count++, descriptor, true);
    }
    return [pid, LIST, count].map(BigInt);
  }

  /** What fdinfo says is of no use: of a queue opened with O_CLOEXEC it says so of every descriptor. */
  #closesOnExec(task: number, descriptor: number): boolean {
    this.begin(task, numbers.fcntl, [descriptor, F_GETFD, 0].map(BigInt));
    this.settle(task, true);
    return this.slot(task).result !== 0;
  }

  spawn(task: number): number {
    const slot = this.slot(task);
    const index = this.#childrenMade++ % CHILDREN_MAX;
    slot.endChild(index, 0);
    this.begin(task, numbers.spawn, [BigInt(index)]);
    this.settle(task, true);
    if (slot.result > 0) this.#children.set(slot.result, { slot, index });
    return slot.result;
  }

  endChild(pid: number, code: number): void {
    const child = this.#children.get(pid);
    child?.slot.endChild(child.index, code + 1);
  }

  killChildren(): void {
    for (const pid of this.#children.keys()) process.kill(pid, "SIGKILL");
    this.settleChildren();
  }

  protected *childrenNow(): Iterable<{ pid: number; osPid: number }> {
    for (const pid of this.#children.keys()) yield { pid, osPid: pid };
  }

  protected childIsGone(pid: number): void {
    this.#children.delete(pid);
  }

  protected startOf(): Partial<TaskStart> {
    return { directory: this.#directory };
  }

  /** Between IN_CALL and DONE a thread executes nothing but the call: if it sleeps, it sleeps there. */
  protected sleeps(task: number): boolean {
    const slot = this.slot(task);
    return slot.state === IN_CALL && this.threadRests(task) && slot.state === IN_CALL;
  }

  protected bury(): void {}
}
