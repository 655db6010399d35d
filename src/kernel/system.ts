// One task's side of a kernel: attaching, transactions under the kernel lock, opening and closing, burying the dead.
// There is no other side: a system call is a function that runs here, in the caller, and works on the region.
//
// The order of locks: the kernel lock, then one monitor. Whoever holds a monitor takes no other lock.

import { EEXIST, ENOENT, type ENOSPC } from "../abi/errno.ts";
import { WAIT_SLICE_MS } from "../abi/limits.ts";
import { Allocator } from "../memory/allocator.ts";
import { Journal } from "../memory/journal.ts";
import { type Geometry, kinds, node } from "../memory/layout.ts";
import { headerWord, type Region } from "../memory/region.ts";
import { field, type Word, type Words } from "../memory/words.ts";
import { MessageRing } from "../objects/message-queue.ts";
import { Pipe } from "../objects/pipe.ts";
import { Awaits } from "../sync/awaits.ts";
import { Bell, taskSlot } from "../sync/bell.ts";
import { EVERYBODY, Monitor } from "../sync/monitor.ts";
import { NodePool, nodesOf } from "../sync/node-pool.ts";
import { type Pid, RobustLock } from "../sync/robust-lock.ts";
import { joinCpus, Spin } from "../sync/spin.ts";
import type { Waiter } from "../sync/waiting.ts";
import type { Parker, World } from "../sync/world.ts";
import { type Descriptor, Descriptors } from "../tasks/descriptors.ts";
import { TaskTable } from "../tasks/task-table.ts";
import { closeEndLocked, openEndLocked, wakeOtherEnd } from "./pipe-ends.ts";
import { type Address, Registry } from "./registry.ts";

/** What an open descriptor leads to. */
export interface Opened {
  readonly descriptor: Descriptor;
  readonly objectIndex: number;
  readonly bodyLine: number;
  readonly generation: number;
  /** For a FIFO's opener: how often the other end had been opened before. */
  readonly otherOpened: number;
}

/** Names an object to another task of the same kernel. */
export interface ObjectToken {
  readonly objectIndex: number;
  readonly generation: number;
}

export class System implements Waiter {
  readonly words: Words;
  readonly geometry: Geometry;
  readonly world: World;
  readonly pid: Pid;
  readonly parker: Parker;
  readonly bell: Bell;
  readonly nodes: NodePool;
  readonly awaits: Awaits;
  readonly tasks: TaskTable;
  readonly registry: Registry;

  readonly #lock: RobustLock;
  readonly #journal: Journal;
  readonly #allocator: Allocator;
  readonly #descriptors: Descriptors;
  readonly #slot: Word;
  #nextGlanceMs = 0;

  /** Attaches this thread as a task; ENOSPC where the kernel has no room for another. */
  static attach(region: Region, world: World, parentPid: number): System | typeof ENOSPC {
    const tasks = new TaskTable(region.words, region.geometry, world);
    const attached = tasks.attach(parentPid);
    if (typeof attached === "number") return attached;
    joinCpus(region.words, world);
    const system = new System(region, world, tasks, attached.pid);
    if (attached.inherited) system.#giveBackAll();
    return system;
  }

  private constructor(region: Region, world: World, tasks: TaskTable, pid: Pid) {
    const { words, geometry } = region;
    this.words = words;
    this.geometry = geometry;
    this.world = world;
    this.tasks = tasks;
    this.pid = pid;
    this.parker = world.parker;
    this.bell = new Bell(words, geometry, world, pid);
    this.nodes = new NodePool(words, geometry, pid);
    this.awaits = new Awaits(this);
    this.#slot = taskSlot(geometry, pid);
    this.#lock = new RobustLock(this, headerWord("KERNEL_LOCK"), this.newSpin());
    this.#journal = new Journal(words);
    this.#allocator = new Allocator(words, this.#journal, geometry, region.reserve);
    this.#descriptors = new Descriptors(words, this.#journal, geometry);
    this.registry = new Registry(words, this.#journal, geometry, this.#allocator, world);
  }

  isAlive(pid: Pid): boolean {
    return this.tasks.isAlive(pid);
  }

  newSpin(): Spin {
    return new Spin(this.words, this.world);
  }

  /**
   * Runs `change` under the kernel lock, all or nothing: a negative result or a throw undoes what it wrote. `after` runs
   * once the change stands, before the lock is given up.
   */
  transaction(change: () => number, after?: (result: number) => void): number {
    if (this.#lock.acquire()) this.#journal.rollback();
    try {
      const result = change();
      if (result >= 0) {
        this.#journal.commit();
        after?.(result);
      }
      return result;
    } finally {
      this.#journal.rollback(); // nothing to undo after a commit
      this.#lock.release();
    }
  }

  /**
   * Finds the object at an address and opens it, or makes it where `create` says how. `admit` looks at the object first, and
   * may refuse with a negative errno.
   */
  open(
    address: Address,
    access: number,
    create?: { bodyBytes: number; format: (bodyLine: number) => void; exclusive: boolean },
    admit?: (bodyLine: number) => number,
  ): Opened | number {
    let opened: Opened | number = ENOENT;
    const result = this.transaction(
      () => {
        let index = this.registry.findLocked(address);
        if (index < 0) {
          if (!create) return ENOENT;
          index = this.#createLocked(address, create.bodyBytes, create.format);
          if (index < 0) return index;
        } else if (create?.exclusive) {
          return EEXIST;
        }
        const admitted = admit?.(this.registry.bodyLineOf(index)) ?? 0;
        if (admitted < 0) return admitted;
        opened = this.#openLocked(index, access);
        return typeof opened === "number" ? opened : 0;
      },
      () => this.#announceOpened(opened as Opened, access),
    );
    return result < 0 ? result : opened;
  }

  /** Makes an object and opens it once for each access, for pipes and other objects without a name. */
  createAnonymous(
    kind: number,
    bodyBytes: number,
    format: (bodyLine: number) => void,
    accesses: number[],
  ): Opened[] | number {
    let opened: Opened[] = [];
    const result = this.transaction(() => {
      const index = this.#createLocked({ kind }, bodyBytes, format);
      if (index < 0) return index;
      opened = [];
      for (const access of accesses) {
        const one = this.#openLocked(index, access);
        if (typeof one === "number") return one;
        opened.push(one);
      }
      return 0;
    });
    return result < 0 ? result : opened;
  }

  /** Makes an object that is only reached by its name. */
  create(address: Address, bodyBytes: number, format: (bodyLine: number) => void): number {
    return this.transaction(() => this.#createLocked(address, bodyBytes, format));
  }

  /** Opens an object that another task holds open. ENOENT where it is gone. */
  openToken(token: ObjectToken, ofKinds: readonly number[], access: number): Opened | number {
    let opened: Opened | number = ENOENT;
    const result = this.transaction(
      () => {
        const { objectIndex, generation } = token;
        if (!this.registry.isIndex(objectIndex)) return ENOENT;
        if (this.registry.generationOf(objectIndex) !== generation) return ENOENT;
        if (!ofKinds.includes(this.registry.kindOf(objectIndex))) return ENOENT;
        opened = this.#openLocked(objectIndex, access);
        return typeof opened === "number" ? opened : 0;
      },
      () => this.#announceOpened(opened as Opened, access),
    );
    return result < 0 ? result : opened;
  }

  unlink(address: Address): number {
    return this.transaction(() => {
      const index = this.registry.findLocked(address);
      if (index < 0) return ENOENT;
      this.registry.unlinkLocked(index);
      return 0;
    });
  }

  close(descriptor: Descriptor): void {
    let announce = (): void => {};
    this.transaction(
      () => {
        announce = this.#closeLocked(this.#slot, descriptor);
        return 0;
      },
      () => announce(),
    );
  }

  /** Looks at every task and buries the dead, unless another task did within the last slice. */
  lookAround(): void {
    const word = headerWord("SWEPT_MS");
    const now = this.world.nowMs();
    const last = this.words.load(word);
    const since = (now - last) & 0x7fffffff;
    if (last !== 0 && since < WAIT_SLICE_MS * 0.9) return;
    if (this.words.compareExchange(word, last, now | 0) !== last) return;
    this.reap();
  }

  /** Looks at every task now; returns how many were buried. */
  reap(): number {
    let buried = 0;
    for (const slot of this.tasks.slots()) {
      if (this.tasks.isDead(slot) && this.#bury(slot)) buried++;
    }
    return buried;
  }

  /**
   * A look around for those who never wait, such as a writer that always finds room: cheap enough for every call, real
   * only once in a slice.
   */
  glance(): void {
    const now = performance.now();
    if (now < this.#nextGlanceMs) return;
    this.#nextGlanceMs = now + WAIT_SLICE_MS;
    this.lookAround();
  }

  /** Leaves the kernel: closes what is open, and frees the slot. */
  detach(): void {
    this.awaits.cancelAll();
    this.bell.close();
    this.#giveBackAll();
    // Only now: a lock held under a pid that names nobody would be taken over.
    this.tasks.free(this.#slot, this.pid, this.world.identity);
  }

  /** Objects alive, and lines of the heap that are free: what a leak would show in. */
  usage(): { objects: number; freeLines: number; tasks: number } {
    let freeLines = 0;
    this.transaction(() => {
      freeLines = this.#allocator.freeLinesLocked();
      return 0;
    });
    return { objects: this.words.load(headerWord("OBJECTS_USED")), freeLines, tasks: this.tasks.list().length };
  }

  /** A pipe's or FIFO's object. */
  pipeAt(bodyLine: number): Pipe {
    return new Pipe(this, bodyLine);
  }

  messageRingAt(bodyLine: number): MessageRing {
    return new MessageRing(this, bodyLine);
  }

  #giveBackAll(): void {
    this.transaction(() => {
      this.#releaseAllLocked(this.#slot);
      return 0;
    });
  }

  #createLocked(address: Address, bodyBytes: number, format: (bodyLine: number) => void): number {
    const index = this.registry.createLocked(address, bodyBytes, this.pid);
    if (index >= 0) format(this.registry.bodyLineOf(index));
    return index;
  }

  #openLocked(index: number, access: number): Opened | number {
    const descriptor = this.#descriptors.openLocked(this.#slot, index, access);
    if (descriptor < 0) return descriptor;
    this.registry.retainLocked(index);
    const bodyLine = this.registry.bodyLineOf(index);
    const otherOpened = this.#isPipe(index) ? openEndLocked(this.pipeAt(bodyLine), this.#journal, access) : 0;
    return {
      descriptor: descriptor as Descriptor,
      objectIndex: index,
      bodyLine,
      generation: this.registry.generationOf(index),
      otherOpened,
    };
  }

  #announceOpened(opened: Opened, access: number): void {
    if (this.#isPipe(opened.objectIndex)) wakeOtherEnd(this.pipeAt(opened.bodyLine), access);
  }

  /** Closes one descriptor, as a part of the open transaction; returns who is to look again once it stands. */
  #closeLocked(slot: Word, descriptor: Descriptor): () => void {
    const last = this.#descriptors.closeLocked(slot, descriptor);
    if (!last || !this.registry.isIndex(last.objectIndex)) return () => {};
    const isPipe = this.#isPipe(last.objectIndex);
    const pipe = isPipe ? this.pipeAt(this.registry.bodyLineOf(last.objectIndex)) : undefined;
    if (pipe) closeEndLocked(pipe, this.#journal, last.access);
    this.registry.releaseLocked(last.objectIndex);
    // The object's memory may be free from here on, but nobody can be given it before the kernel lock is released.
    return () => {
      if (pipe) wakeOtherEnd(pipe, last.access);
    };
  }

  #isPipe(index: number): boolean {
    const kind = this.registry.kindOf(index);
    return kind === kinds.PIPE || kind === kinds.FIFO;
  }

  /**
   * Buries one dead task. The kernel lock is held throughout, so two cannot bury one task at a time; a death in the middle
   * leaves a slot that is still dead, and what is left of its holdings is given back by the next.
   */
  #bury(slot: Word): boolean {
    const identity = this.tasks.identityAt(slot);
    const pid = this.tasks.pidAt(slot);
    const buried = this.transaction(() => {
      if (this.tasks.identityAt(slot) !== identity || !this.tasks.isDead(slot)) return 0;
      this.#releaseAllLocked(slot);
      this.tasks.free(slot, pid, identity);
      const counter = headerWord("BURIED");
      this.words.store(counter, this.words.load(counter) + 1);
      return 1;
    });
    return buried === 1;
  }

  /** Gives back what a slot's task holds: first its waits, while what it waits on is still there, then its descriptors. */
  #releaseAllLocked(slot: Word): void {
    for (const at of nodesOf(this.words, this.geometry, this.tasks.indexOf(slot))) {
      const list = this.words.load(field(at, node.LIST)) as Word;
      if (list !== 0) {
        const monitor = new Monitor(this, list);
        if (monitor.delist(at)) monitor.notify(EVERYBODY); // woken, but it died before it could look
      }
      this.words.store(field(at, node.OWNER), 0);
    }
    for (const descriptor of this.#descriptors.openOf(slot)) {
      const announce = this.#closeLocked(slot, descriptor);
      this.#journal.commit();
      announce();
    }
  }
}
