// The tasks of a kernel: slots in the region. A slot's states, by IDENTITY and PID:
//
//   0, 0          FREE
//   identity, 0   CLAIMED by a task that attaches or detaches, or a dead one that is being buried
//   identity, pid ALIVE, as long as the operating system says so of the identity
//
//   ZOMBIE, pid   ENDED, and its parent has not waited for it yet; that of a parent which is gone counts as dead
//
// Attaching claims by one compare-exchange, of 0 or of a dead task's identity, and PUBLISHES the pid by one store. What a
// death in between leaves behind is a claimed slot with a dead identity, which the next who needs a slot claims again.
//
// A parent that spawns a child claims its slot before the child runs: the identity is the parent's at first, and the child
// takes it over by one compare-exchange when it attaches. Until then the child lives as long as its parent does, or, once the
// host has said which process it is, as long as that.

import { EAGAIN, ENOSPC, ESRCH } from "../abi/errno.ts";
import { PID_BOUND } from "../abi/limits.ts";
import { bitOf, SIGPIPE } from "../abi/signals.ts";
import { child, type Geometry, task, ZOMBIE } from "../memory/layout.ts";
import { field, LINE_BYTES, type Word, type Words } from "../memory/words.ts";
import { taskSlot } from "../sync/bell.ts";
import type { Pid } from "../sync/robust-lock.ts";
import type { World } from "../sync/world.ts";
import { Credentials, type Identity } from "./credentials.ts";
import { DirectSignal } from "./direct-signal.ts";

/** A task of the kernel, as `kernel.tasks()` lists it. */
export interface TaskInfo {
  /** In the kernel. */
  readonly pid: number;
  /** The task that started this one, 0 where none did. */
  readonly parentPid: number;
  /** The process, for the operating system. */
  readonly osPid: number;
  /** The thread in it. */
  readonly osThreadId: number;
  /** A zombie has ended, and its parent has not waited for it yet. */
  readonly state: "alive" | "dead" | "zombie";
  /** How many of the objects that it made are still there: what `taskObjectsMax` bounds. */
  readonly objects: number;
  /** What these take of the heap, which `taskHeapBytesMax` bounds. */
  readonly heapBytes: number;
}

/** For so long a task that was alive counts as alive where that does no harm: a fraction of what a death may go unnoticed. */
const LATELY_MS = 50;

/** Of this module: the engine asks Node for the global one with each use. */
const clock = performance;

export class TaskTable {
  readonly #words: Words;
  readonly #geometry: Geometry;
  readonly #world: World;
  /** When tasks were seen alive, and which of them was asked for last. */
  readonly #aliveAtMs = new Map<Pid, number>();
  #last = { pid: 0, aliveAtMs: 0 };

  constructor(words: Words, geometry: Geometry, world: World) {
    this.#words = words;
    this.#geometry = geometry;
    this.#world = world;
  }

  /** Claims a slot for this thread and publishes its pid; ENOSPC where `tasksMax` tasks are alive. */
  attach(parentPid: number, identity: Identity): { pid: Pid; inherited: boolean } | typeof ENOSPC {
    const { osThreadId, hostThread } = this.#world;
    const publish = (slot: Word): Pid => this.#publish(slot, { parentPid, identity, osThreadId, hostThread, born: 0 });
    for (const inherited of [false, true]) {
      for (const slot of this.slots()) if (this.#claim(slot, inherited)) return { pid: publish(slot), inherited };
    }
    return ENOSPC;
  }

  /**
   * Claims a free slot for a child that is about to be started, and publishes its pid; ENOSPC, EAGAIN where its parent has as many
   * as one task may.
   */
  reserve(parentPid: number, identity: Identity): Pid | typeof ENOSPC | typeof EAGAIN {
    const words = this.#words;
    let born = 1;
    let children = 0;
    for (const slot of this.slots()) {
      if (words.load(field(slot, task.PARENT_PID)) !== parentPid) continue;
      born = Math.max(born, words.load(field(slot, task.BORN)) + 1);
      if (this.pidAt(slot) !== 0 && words.load(field(slot, task.CHILD)) & child.AWAITED) children++;
    }
    if (children >= this.#geometry.limits.taskChildrenMax) return EAGAIN;
    for (const slot of this.slots()) {
      if (!this.#claim(slot, false)) continue;
      return this.#publish(slot, { parentPid, identity, osThreadId: 0, hostThread: NOBODY, born });
    }
    return ENOSPC;
  }

  /** Takes over the slot that a parent has claimed for this thread: ESRCH where it is not there, or another's. */
  begin(pid: Pid): Pid | typeof ESRCH {
    const words = this.#words;
    const slot = taskSlot(this.#geometry, pid);
    const flags = field(slot, task.CHILD);
    if (pid <= 0 || this.pidAt(slot) !== pid || words.load(flags) !== child.AWAITED) return ESRCH;
    const seen = this.identityAt(slot);
    const parent = taskSlot(this.#geometry, words.load(field(slot, task.PARENT_PID)) as Pid);
    const own = this.#world.identity;
    if (seen !== own && seen !== this.identityAt(parent)) return ESRCH;
    if (words.compareExchange64(field(slot, task.IDENTITY), seen, own) !== seen) return ESRCH;
    words.store(field(slot, task.HOST_THREAD), this.#world.hostThread);
    words.store(field(slot, task.OS_PID), this.#world.osPid);
    words.store(field(slot, task.OS_THREAD_ID), this.#world.osThreadId);
    words.store(flags, child.AWAITED | child.BEGUN); // PUBLISHES that it runs → observed in hasBegun()
    return pid;
  }

  /** The host has started a process for a child that has been reserved: from here on the child lives as long as that. */
  startedAs(pid: Pid, osPid: number): void {
    const slot = taskSlot(this.#geometry, pid);
    const identity = this.#world.tasks.identityOf(osPid);
    if (identity === undefined) return; // it has ended: the host's event will say how
    const own = this.#world.identity;
    if (this.#words.compareExchange64(field(slot, task.IDENTITY), own, identity) !== own) return; // it has begun
    this.#words.store(field(slot, task.OS_PID), osPid);
    this.#words.store(field(slot, task.OS_THREAD_ID), osPid);
  }

  /** The host has started a thread of this process for a child that has been reserved; returns its slot. */
  startedIn(pid: Pid, hostThread: number): Word {
    const slot = taskSlot(this.#geometry, pid);
    if (!this.hasBegun(slot)) this.#words.store(field(slot, task.HOST_THREAD), hostThread); // else it has done so itself
    return slot;
  }

  /** Whether a child that was spawned has attached. */
  hasBegun(slot: Word): boolean {
    return (this.#words.load(field(slot, task.CHILD)) & child.BEGUN) !== 0;
  }

  isAlive(pid: Pid): boolean {
    const slot = taskSlot(this.#geometry, pid);
    if (this.#words.load(field(slot, task.PID)) !== pid) return false;
    const identity = this.identityAt(slot);
    if (this.#words.load(field(slot, task.PID)) !== pid) return false; // the identity may be the next task's
    return identity === this.#world.identity || (identity !== ZOMBIE && this.#world.isAlive(identity));
  }

  /** Whether it was alive when this task asked last, a moment ago; else it asks. */
  wasAliveLately(pid: Pid): boolean {
    const now = clock.now();
    const since = this.#last.pid === pid ? this.#last.aliveAtMs : this.#aliveAtMs.get(pid);
    if (since !== undefined && now - since <= LATELY_MS) return this.hasSlot(pid);
    if (!this.isAlive(pid)) return false;
    if (this.#aliveAtMs.size >= this.#geometry.limits.tasksMax) this.#aliveAtMs.clear(); // of tasks that are gone by now
    this.#aliveAtMs.set(pid, now);
    this.#last = { pid, aliveAtMs: now };
    return true;
  }

  /** Whether a slot is the task's, which may have died; but it has not ended in good order, nor was it buried. */
  hasSlot(pid: Pid): boolean {
    const slot = taskSlot(this.#geometry, pid);
    const words = this.#words;
    if (words.load(field(slot, task.PID)) !== pid) return false;
    return (words.load(field(slot, task.IDENTITY)) & words.load(field(slot, task.IDENTITY + 1))) !== Number(ZOMBIE);
  }

  /** The pid of a task's parent; 0 where it had none in this kernel, or that is gone. */
  parentOf(slot: Word): Pid {
    const parent = this.#words.load(field(slot, task.PARENT_PID)) as Pid;
    return parent > 0 && this.isAlive(parent) ? parent : (0 as Pid);
  }

  /** Whether a task that ends is kept until its parent has waited for it. */
  isAwaited(slot: Word): boolean {
    return (this.#words.load(field(slot, task.CHILD)) & child.AWAITED) !== 0 && this.parentOf(slot) !== 0;
  }

  /** Whether a pid is that of a task that has ended, and whose parent has not waited for it yet. */
  isZombie(pid: Pid): boolean {
    const slot = taskSlot(this.#geometry, pid);
    return pid > 0 && this.pidAt(slot) === pid && this.identityAt(slot) === ZOMBIE;
  }

  /** The same, and those whose end nobody has seen yet. */
  isUnwaited(pid: Pid): boolean {
    const slot = taskSlot(this.#geometry, pid);
    const isUnburied = this.hasSlot(pid) && this.isAwaited(slot) && this.isDead(slot);
    return isUnburied || this.isZombie(pid); // asked last: it may have been buried meanwhile
  }

  /** What is left of a task that its parent will wait for. */
  bequeath(slot: Word, identity: bigint): void {
    this.#words.compareExchange64(field(slot, task.IDENTITY), identity, ZOMBIE);
  }

  *slots(): Generator<Word> {
    for (let i = 0; i < this.#geometry.limits.tasksMax; i++) yield field(this.#geometry.tasks, i * task.WORDS);
  }

  identityAt(slot: Word): bigint {
    return this.#words.load64(field(slot, task.IDENTITY));
  }

  pidAt(slot: Word): Pid {
    return this.#words.load(field(slot, task.PID)) as Pid;
  }

  /** Somebody's slot whose thread is gone, or a zombie that nobody will wait for. */
  isDead(slot: Word): boolean {
    const identity = this.identityAt(slot);
    if (identity === ZOMBIE) return !this.isAwaited(slot);
    return identity !== 0n && identity !== this.#world.identity && !this.#world.isAlive(identity);
  }

  /** The last of leaving or burying: the pid names nobody, the slot is free, unless another has claimed it meanwhile. */
  free(slot: Word, pid: Pid, identity: bigint): void {
    this.#words.store(field(slot, task.CHILD), 0); // the next one's parent is not this one's
    this.#words.compareExchange(field(slot, task.PID), pid, 0);
    this.#words.compareExchange64(field(slot, task.IDENTITY), identity, 0n);
  }

  /**
   * Frees the slot of what was this thread's task, and is a zombie that nobody will wait for; without the kernel lock, which a task
   * that has ended cannot hold. The slot may be another's by now, even its zombie: it is claimed before it is looked at again.
   */
  freeZombie(slot: Word, pid: Pid): void {
    const { identity } = this.#world;
    if (this.#words.compareExchange64(field(slot, task.IDENTITY), ZOMBIE, identity) !== ZOMBIE) return;
    if (this.pidAt(slot) === pid && !this.isAwaited(slot)) this.free(slot, pid, identity);
    else this.bequeath(slot, identity);
  }

  indexOf(slot: Word): number {
    return (slot - this.#geometry.tasks) / task.WORDS;
  }

  list(): TaskInfo[] {
    const found: TaskInfo[] = [];
    for (const slot of this.slots()) {
      const pid = this.pidAt(slot);
      if (pid === 0) continue;
      found.push({
        pid,
        parentPid: this.parentOf(slot),
        osPid: this.#words.load(field(slot, task.OS_PID)),
        osThreadId: this.#words.load(field(slot, task.OS_THREAD_ID)),
        objects: this.#words.load(field(slot, task.OBJECTS)),
        heapBytes: this.#words.load(field(slot, task.HEAP_LINES)) * LINE_BYTES,
        state: this.isZombie(pid) ? "zombie" : this.isAlive(pid) ? "alive" : "dead",
      });
    }
    return found;
  }

  #claim(slot: Word, fromTheDead: boolean): boolean {
    const seen = this.identityAt(slot);
    if (fromTheDead ? !this.isDead(slot) || this.isAwaited(slot) : seen !== 0n) return false;
    const claimed = this.#words.compareExchange64(field(slot, task.IDENTITY), seen, this.#world.identity) === seen;
    if (claimed) this.#words.store(field(slot, task.PID), 0); // a dead task's pid must not look alive for our sake
    return claimed;
  }

  #publish(slot: Word, { parentPid, identity, osThreadId, hostThread, born }: NewTask): Pid {
    const words = this.#words;
    const { tasksMax } = this.#geometry.limits;
    const first = (slot - this.#geometry.tasks) / task.WORDS + 1;
    const last = words.get(field(slot, task.LAST_PID));
    const next = last === 0 ? first : last + tasksMax;
    const pid = (next < PID_BOUND ? next : first) as Pid;
    words.set(field(slot, task.LAST_PID), pid);
    words.set(field(slot, task.PARENT_PID), parentPid);
    words.set(field(slot, task.OS_PID), this.#world.osPid);
    words.set(field(slot, task.OS_THREAD_ID), osThreadId);
    Credentials.write(words, slot, identity);
    DirectSignal.begin(words, slot, pid);
    for (let i = task.SIGNALS_PENDING; i < task.SIGNALS_DIRECT; i++) words.set(field(slot, i), 0);
    for (let i = task.SIGNALS_BLOCKED; i < task.PROCESS_GROUP; i++) words.set(field(slot, i), 0);
    for (const name of [task.SIGNALS_QUEUE, task.SIGNALS_QUEUED]) words.set(field(slot, name), 0);
    words.set(field(slot, task.SIGNALS_IGNORED), Number(bitOf(SIGPIPE))); // as Node does
    const group = words.load(field(taskSlot(this.#geometry, parentPid as Pid), task.PROCESS_GROUP));
    words.set(field(slot, task.PROCESS_GROUP), parentPid > 0 && group > 0 ? group : pid);
    words.set(field(slot, task.ENDED_BY), 0);
    words.set(field(slot, task.HOST_THREAD), hostThread);
    words.set(field(slot, task.CHILD), born > 0 ? child.AWAITED : 0);
    words.set(field(slot, task.BORN), born);
    for (let i = task.ENDED; i <= task.CHILDREN; i++) words.set(field(slot, i), 0);
    words.set(field(slot, task.OWN_INFO_USED), 0);
    words.store(field(slot, task.BELL), 0);
    words.store(field(slot, task.PID), pid); // PUBLISHES the task → observed in isAlive()
    return pid;
  }
}

/** What a slot is published with. */
interface NewTask {
  readonly parentPid: number;
  readonly identity: Identity;
  /** Of a child that has not begun: 0. */
  readonly osThreadId: number;
  readonly hostThread: number;
  /** Which of its parent's children it is, from 1; of one that was not spawned: 0. */
  readonly born: number;
}

/** No thread of the host's has this number. */
const NOBODY = -1;
