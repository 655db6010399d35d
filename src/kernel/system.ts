// One task's side of a kernel: attaching, transactions under the kernel lock, opening and closing, burying the dead.
// There is no other side: a system call is a function that runs here, in the caller, and works on the region.
//
// The order of locks: the kernel lock, then an object's producer's monitor, then its consumer's. Whoever holds a monitor
// asks for the kernel lock never.

import { EBADF, EEXIST, EINVAL, ENOENT, EPERM, ESRCH } from "../abi/errno.ts";
import { O_NONBLOCK } from "../abi/flags.ts";
import { WAIT_SLICE_MS } from "../abi/limits.ts";
import { ALL_SIGNALS, SI_MESGQ } from "../abi/signals.ts";
import { exitedStatus, killedStatus } from "../abi/wait.ts";
import { Allocator } from "../memory/allocator.ts";
import { Journal } from "../memory/journal.ts";
import {
  access,
  type Geometry,
  kinds,
  node,
  pipe,
  queue,
  SELECT_OPERATIONS,
  semaphoreSet,
  task,
  ZOMBIE,
} from "../memory/layout.ts";
import { headerWord, type Region } from "../memory/region.ts";
import { type Shape, shapeCount, shapeLine } from "../memory/shape.ts";
import { field, LINE_WORDS, type Word, type Words } from "../memory/words.ts";
import { freshRules, MessageRing, type RingOwner } from "../objects/message-ring.ts";
import { slotsBytes } from "../objects/message-slots.ts";
import { Pipe } from "../objects/pipe.ts";
import { SemaphoreSet, undoBytes } from "../objects/semaphore-set.ts";
import { Segment } from "../objects/shared-memory.ts";
import { SignalFile } from "../objects/signal-file.ts";
import { Awaits } from "../sync/awaits.ts";
import { Bell, taskSlot } from "../sync/bell.ts";
import { EVERYBODY, Monitor } from "../sync/monitor.ts";
import { NodePool, nodesOf } from "../sync/node-pool.ts";
import { interruptPoll } from "../sync/poll-word.ts";
import { type Pid, RobustLock } from "../sync/robust-lock.ts";
import { joinCpus, Spin } from "../sync/spin.ts";
import { WOKEN } from "../sync/wait-list.ts";
import type { Waiter } from "../sync/waiting.ts";
import type { Parker, World } from "../sync/world.ts";
import { Credentials, type Identity } from "../tasks/credentials.ts";
import { type Description, type Descriptor, Descriptors, type Released } from "../tasks/descriptors.ts";
import { TaskSignals } from "../tasks/signals.ts";
import { TaskTable } from "../tasks/task-table.ts";
import { forgetWatcherLocked, tellArrival } from "./arrivals.ts";
import { BlockExchange } from "./block-exchange.ts";
import { blocksOf } from "./bodies.ts";
import { Children } from "./children.ts";
import { giveBackLocksLocked } from "./held-locks.ts";
import { closeEndLocked, openEndLocked, wakeOtherEnd } from "./pipe-ends.ts";
import { type Address, Registry, secondsNow } from "./registry.ts";
import { Signals } from "./signals.ts";

/** What an open descriptor leads to. */
export interface Opened {
  readonly descriptor: Descriptor;
  readonly objectIndex: number;
  readonly bodyLine: number;
  readonly generation: number;
  /** For a FIFO's opener: how often the other end had been opened before. */
  readonly otherOpened: number;
}

/** What a descriptor of this task names. */
export interface OpenFile {
  /** Undefined for a stream of the host's. */
  readonly description: Description | undefined;
  /** The host's descriptor, or -1. */
  readonly hostStream: number;
  readonly objectIndex: number;
  /** A value of `kinds`; 0 for a stream of the host's. */
  readonly kind: number;
  /** A mask of `access`. */
  readonly access: number;
  /** O_NONBLOCK and the like. */
  readonly flags: number;
}

/** Names an object to another task of the same kernel. */
export interface ObjectToken {
  readonly objectIndex: number;
  readonly generation: number;
}

/** How an object is made: its body and one block of its own, and what is written there before anybody sees it. */
export interface Making {
  readonly bodyBytes: number;
  readonly blockBytes: number;
  readonly format: (bodyLine: number, blockLine: number) => void;
  readonly mode: number;
}

/** How an object is opened. */
export interface Opening {
  /** A mask of READ and WRITE. */
  readonly access: number;
  readonly flags?: number;
  readonly closeOnExec?: boolean;
  /** Make it where it is not there. */
  readonly create?: Making | undefined;
  /** With `create`: EEXIST where it is there. */
  readonly exclusive?: boolean;
  /** Looks at one that is there, and may refuse with a negative errno. */
  readonly admit?: (objectIndex: number) => number;
}

/** What a task is attached with. */
export interface Attachment {
  readonly parentPid: number;
  /** The parent's, or the host's, where absent. */
  readonly identity?: Partial<Identity> | undefined;
  /** Take over the parent's descriptors, save those that close on exec. */
  readonly inherit?: boolean | undefined;
  /** Of a task that its parent has made with `reserveChild`: then all else has been seen to. */
  readonly pid?: number | undefined;
}

/** What a child is made with. */
export interface ChildAttachment {
  /** The parent's where absent. */
  readonly identity?: Partial<Identity> | undefined;
  /**
   * Which of the parent's descriptors it gets, by its own numbers; where absent, the host's streams and all that do not close on
   * exec.
   */
  readonly descriptors?: ReadonlyMap<number, number> | undefined;
  /** Signals that it blocks, and that it ignores. */
  readonly blocked: bigint;
  readonly ignored: bigint;
  /** 0: a group of its own; where absent, the parent's. */
  readonly processGroup?: number | undefined;
}

const UMASK_DEFAULT = 0o022;

/** A view of an object that is kept for the next call, while the object's slot is still that object's. */
interface Kept<T> {
  readonly generation: number;
  readonly object: T;
}

export class System implements Waiter, RingOwner {
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
  readonly credentials: Credentials;
  readonly descriptors: Descriptors;
  readonly journal: Journal;
  readonly allocator: Allocator;
  readonly signals: Signals;
  readonly children: Children;

  readonly #lock: RobustLock;
  readonly #exchange: BlockExchange;
  readonly #slot: Word;
  readonly #pipes = new Map<number, Kept<Pipe>>();
  readonly #rings = new Map<number, Kept<MessageRing>>();
  readonly #sets = new Map<number, Kept<SemaphoreSet>>();
  /** SysV queues and semaphore sets that this task uses: the description that holds each, by the object's index. */
  readonly #used = new Map<number, Description>();
  #nextGlanceMs = 0;
  /** How many SysV queues and semaphore sets this task has let go of. */
  queuesLetGo = 0;

  /**
   * Attaches this thread as a task. ENOSPC where the kernel has no room for another, EPERM for credentials that are not the
   * caller's to give, ESRCH where the parent to inherit from is gone.
   */
  static attach(region: Region, world: World, attachment: Attachment): System | number {
    const tasks = new TaskTable(region.words, region.geometry, world);
    if (attachment.pid !== undefined) {
      const pid = tasks.begin(attachment.pid as Pid);
      if (pid < 0) return pid;
      joinCpus(region.words, world);
      const child = new System(region, world, tasks, pid as Pid);
      child.signals.hearStops();
      child.signals.deliver(); // what came before it ran
      return child;
    }
    const parent = tasks.isAlive(attachment.parentPid as Pid)
      ? new Credentials(region.words, taskSlot(region.geometry, attachment.parentPid as Pid)).identity()
      : undefined;
    if (attachment.inherit && !parent) return ESRCH;
    const host: Identity = { uid: world.uid, gid: world.gid, groups: [], umask: UMASK_DEFAULT };
    const own = parent ?? host;
    const identity: Identity = { ...own, ...attachment.identity };
    if (world.uid !== 0 && !mayGive(own, identity)) return EPERM;
    const attached = tasks.attach(attachment.parentPid, identity);
    if (typeof attached === "number") return attached;
    joinCpus(region.words, world);
    const system = new System(region, world, tasks, attached.pid);
    if (attached.inherited) system.#giveBackAll();
    system.transaction(() => {
      if (attachment.inherit) {
        system.descriptors.inheritLocked(taskSlot(region.geometry, attachment.parentPid as Pid), system.#slot);
      } else {
        system.descriptors.openHostStreamsLocked(system.#slot);
      }
      return 0;
    });
    system.signals.hearStops();
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
    this.journal = new Journal(words);
    this.allocator = new Allocator(words, this.journal, geometry, region.reserve);
    this.#exchange = new BlockExchange(this, this.allocator);
    this.signals = new Signals(this);
    this.children = new Children(this);
    this.credentials = new Credentials(words, this.#slot);
    this.descriptors = new Descriptors(words, this.journal, geometry);
    this.registry = new Registry(words, this.journal, geometry, this.allocator, (kind, bodyLine) =>
      blocksOf(words, kind, bodyLine),
    );
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
    if (this.#lock.acquire()) {
      this.journal.rollback();
      this.#lock.repairedLocked();
    }
    try {
      const result = change();
      if (result >= 0) {
        this.journal.commit();
        after?.(result);
      }
      return result;
    } finally {
      this.journal.rollback(); // nothing to undo after a commit
      this.#lock.release();
    }
  }

  /** Finds the object at an address and opens it, or makes it. */
  open(address: Address, opening: Opening): Opened | number {
    let opened: Opened | number = ENOENT;
    const result = this.transaction(
      () => {
        let index = this.registry.findLocked(address);
        if (index < 0) {
          if (!opening.create) return ENOENT;
          index = this.createLocked(address, opening.create);
          if (index < 0) return index;
        } else {
          if (opening.create && opening.exclusive) return EEXIST;
          const admitted = opening.admit?.(index) ?? 0;
          if (admitted < 0) return admitted;
        }
        opened = this.openLocked(index, opening.access, opening.flags, opening.closeOnExec);
        return typeof opened === "number" ? opened : 0;
      },
      () => this.announceOpened(opened as Opened, opening.access),
    );
    return result < 0 ? result : opened;
  }

  /** Makes an object and opens it once for each access, for pipes and other objects without a name. */
  createAnonymous(
    kind: number,
    making: Making,
    accesses: readonly number[],
    flags = 0,
    closeOnExec = false,
  ): Opened[] | number {
    let opened: Opened[] = [];
    const result = this.transaction(() => {
      const index = this.createLocked({ kind }, making);
      if (index < 0) return index;
      opened = [];
      for (const access of accesses) {
        const one = this.openLocked(index, access, flags, closeOnExec);
        if (typeof one === "number") return one;
        opened.push(one);
      }
      return 0;
    });
    return result < 0 ? result : opened;
  }

  /** Makes an object that is only reached by its name, key or id; returns its index. */
  create(address: Address, making: Making): number {
    return this.transaction(() => this.createLocked(address, making));
  }

  /** Opens an object that another task holds open. ENOENT where it is gone. */
  openToken(token: ObjectToken, ofKinds: readonly number[], access: number): Opened | number {
    let opened: Opened | number = ENOENT;
    const result = this.transaction(
      () => {
        if (!this.isToken(token) || !ofKinds.includes(this.registry.kindOf(token.objectIndex))) return ENOENT;
        opened = this.openLocked(token.objectIndex, access);
        return typeof opened === "number" ? opened : 0;
      },
      () => this.announceOpened(opened as Opened, access),
    );
    return result < 0 ? result : opened;
  }

  /** Whether the object that a token names is still that one. */
  isToken({ objectIndex, generation }: ObjectToken): boolean {
    if (!this.registry.isIndex(objectIndex) || this.registry.kindOf(objectIndex) === 0) return false;
    return this.registry.generationOf(objectIndex) === generation;
  }

  /** Takes a name or key away. `admit` may refuse with a negative errno. */
  unlink(address: Address, admit?: (objectIndex: number) => number): number {
    return this.transaction(() => {
      const index = this.registry.findLocked(address);
      if (index < 0) return ENOENT;
      const admitted = admit?.(index) ?? 0;
      if (admitted < 0) return admitted;
      this.registry.unlinkLocked(index);
      return 0;
    });
  }

  /** Frees a descriptor of this task: 0, or EBADF. */
  close(descriptor: number): number {
    let announce = (): void => {};
    return this.transaction(
      () => {
        if (!this.descriptors.lookUp(this.#slot, descriptor)) return EBADF;
        announce = this.#closeLocked(this.#slot, descriptor);
        return 0;
      },
      () => announce(),
    );
  }

  /** The lowest free descriptor from `least` up for what another names (dup(2), F_DUPFD). EBADF, EMFILE, EINVAL. */
  duplicate(descriptor: number, least: number, closeOnExec: boolean): number {
    return this.transaction(() => {
      if (!this.descriptors.lookUp(this.#slot, descriptor)) return EBADF;
      if (least < 0 || least >= this.geometry.limits.descriptorsMax) return EINVAL;
      return this.descriptors.duplicateLocked(this.#slot, descriptor, least, closeOnExec);
    });
  }

  /** Makes `to` name what `from` names, closing first what it named (dup2(2)); they differ. EBADF. */
  duplicateTo(from: number, to: number, closeOnExec: boolean): number {
    let announce = (): void => {};
    return this.transaction(
      () => {
        if (to < 0 || to >= this.geometry.limits.descriptorsMax) return EBADF;
        if (!this.descriptors.lookUp(this.#slot, from)) return EBADF;
        if (this.descriptors.lookUp(this.#slot, to)) announce = this.#closeLocked(this.#slot, to);
        this.descriptors.placeLocked(this.#slot, from, to, closeOnExec);
        return to;
      },
      () => announce(),
    );
  }

  /** What a descriptor of this task names, or undefined. */
  openFile(descriptor: number): OpenFile | undefined {
    const entry = this.descriptors.lookUp(this.#slot, descriptor);
    if (!entry) return undefined;
    const { description, hostStream } = entry;
    if (description === undefined) {
      const direction = hostStream === 0 ? access.READ : access.WRITE;
      return { description, hostStream, objectIndex: -1, kind: 0, access: direction, flags: 0 };
    }
    const objectIndex = this.descriptors.objectOf(description);
    return {
      description,
      hostStream,
      objectIndex,
      kind: this.registry.kindOf(objectIndex),
      access: this.descriptors.accessOf(description),
      flags: this.descriptors.flagsOf(description),
    };
  }

  closesOnExec(descriptor: number): boolean {
    return this.descriptors.lookUp(this.#slot, descriptor)?.closeOnExec ?? false;
  }

  setCloseOnExec(descriptor: number, closeOnExec: boolean): void {
    this.transaction(() => {
      this.descriptors.setCloseOnExecLocked(this.#slot, descriptor, closeOnExec);
      return 0;
    });
  }

  setPosition(description: Description, position: number): void {
    this.transaction(() => {
      this.descriptors.setPositionLocked(description, position);
      return 0;
    });
  }

  /** Keeps an object's memory while this task looks at it without a descriptor of its own. ENFILE. */
  hold(objectIndex: number): Description | number {
    return this.transaction(() => {
      const description = this.descriptors.holdLocked(this.pid, objectIndex, access.USE, 0);
      if (description >= 0) this.registry.retainLocked(objectIndex);
      return description;
    });
  }

  /** Ends what `hold` began. */
  letGo(description: Description): void {
    this.transaction(() => {
      this.#dropLocked(this.descriptors.dropLocked(description));
      return 0;
    });
  }

  setFlags(description: Description, flags: number): void {
    this.transaction(() => {
      this.descriptors.setFlagsLocked(description, flags);
      return 0;
    });
  }

  /** Changes owner and mode: `change` says what to, or refuses with a negative errno. */
  changeOwnership(
    objectIndex: number,
    change: () => { mode: number; uid: number; gid: number } | number,
    after?: () => void,
  ): number {
    return this.transaction(() => {
      const wanted = change();
      if (typeof wanted === "number") return wanted;
      this.registry.setOwnershipLocked(objectIndex, wanted);
      return 0;
    }, after);
  }

  /** Makes a task that sleeps in a call return EINTR from it; promises wait on. Returns whether any did. */
  interrupt(pid: number): boolean {
    let interrupted = false;
    const index = this.tasks.indexOf(taskSlot(this.geometry, pid as Pid));
    // Under the kernel lock, for the object whose list a node is in must not go meanwhile.
    this.transaction(() => {
      for (const at of nodesOf(this.words, this.geometry, index)) {
        if (this.words.load(field(at, node.OWNER)) !== pid) continue;
        const list = this.words.load(field(at, node.LIST)) as Word;
        // One wait and no more: the task may be in its next one already.
        if (list !== 0 && !interrupted) interrupted = new Monitor(this, list).interrupt(at);
      }
      return 0;
    });
    return interrupted || interruptPoll(this, pid as Pid);
  }

  isSignalled(): boolean {
    return this.signals.own.isDue();
  }

  sliceMs(): number {
    return Math.min(WAIT_SLICE_MS, this.signals.alarmMs());
  }

  /** Looks at every task and buries the dead, unless another task did within the last slice. */
  lookAround(): void {
    this.signals.lookAtAlarm();
    this.signals.lookAtChildren();
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

  /** Leaves the kernel: closes what is open, and frees the slot, or leaves a zombie to its parent (abi/wait.ts). */
  detach(status = exitedStatus(0)): void {
    this.awaits.cancelAll();
    this.signals.close();
    this.bell.close();
    const signal = this.words.load(field(this.#slot, task.ENDED_BY));
    let end = { isKept: false, announce: (): void => {} };
    this.transaction(() => {
      this.#releaseAllLocked(this.#slot);
      this.children.freeOrphansLocked(this.pid);
      end = this.children.endLocked(this.#slot, signal === 0 ? status : killedStatus(signal));
      return 0;
    });
    // Only now: a lock held under a pid that names nobody would be taken over.
    if (end.isKept) this.tasks.bequeath(this.#slot, this.world.identity);
    end.announce();
    // Its parent may have gone meanwhile, and with it those who were zombies by then.
    if (end.isKept && !this.tasks.isAwaited(this.#slot)) this.tasks.free(this.#slot, this.pid, ZOMBIE);
    if (!end.isKept) this.tasks.free(this.#slot, this.pid, this.world.identity);
  }

  /** Makes a task for a child that is about to be started: its pid. ENOSPC, EPERM, EBADF for a descriptor that is not open. */
  reserveChild({ identity: given, descriptors, blocked, ignored, processGroup }: ChildAttachment): Pid | number {
    const own = this.credentials.identity();
    const identity: Identity = { ...own, ...given };
    if (!mayGive(own, identity)) return EPERM;
    for (const from of descriptors?.values() ?? []) if (!this.descriptors.lookUp(this.#slot, from)) return EBADF;
    const pid = this.tasks.reserve(this.pid, identity);
    if (pid < 0) return pid;
    const slot = taskSlot(this.geometry, pid as Pid);
    const signals = this.signals.of(pid as Pid);
    signals.blocked = blocked;
    signals.ignored = ignored;
    if (processGroup !== undefined) this.words.store(field(slot, task.PROCESS_GROUP), processGroup || pid);
    this.transaction(() => {
      if (descriptors) this.descriptors.giveLocked(this.#slot, slot, descriptors);
      else this.descriptors.inheritLocked(this.#slot, slot);
      return 0;
    });
    return pid;
  }

  /** Takes back what `reserveChild` made: the host could not start it. */
  cancelChild(pid: Pid): void {
    const slot = taskSlot(this.geometry, pid);
    this.transaction(() => {
      this.#releaseAllLocked(slot);
      this.tasks.free(slot, pid, this.world.identity);
      return 0;
    });
  }

  /** The host has told how a child has ended. */
  hostEnded(pid: Pid, status: number): void {
    const slot = taskSlot(this.geometry, pid);
    if (this.tasks.pidAt(slot) !== pid) return;
    if (this.tasks.isZombie(pid)) {
      this.children.correct(pid, status);
      return;
    }
    this.#bury(slot, status, !this.tasks.hasBegun(slot));
  }

  /** Objects alive, and lines of the heap that are free: what a leak would show in. */
  usage(): { objects: number; freeLines: number; tasks: number } {
    let freeLines = 0;
    this.transaction(() => {
      freeLines = this.allocator.freeLinesLocked();
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

  /** The same, by the object's index, kept for the next call: only while this task holds the object. */
  pipeOf(objectIndex: number): Pipe {
    return this.#kept(this.#pipes, objectIndex, (line) => new Pipe(this, line));
  }

  ringOf(objectIndex: number): MessageRing {
    return this.#kept(this.#rings, objectIndex, (line) => new MessageRing(this, line));
  }

  setOf(objectIndex: number): SemaphoreSet {
    return this.#kept(this.#sets, objectIndex, (line) => new SemaphoreSet(this, line));
  }

  signalFileOf(objectIndex: number): SignalFile {
    return new SignalFile(this.words, this.registry.bodyLineOf(objectIndex));
  }

  segmentOf(objectIndex: number): Segment {
    return new Segment(this.words, this.registry.bodyLineOf(objectIndex));
  }

  /** Moves a pipe's bytes to a block of another capacity, a power of two. EBUSY where they do not fit, ENOMEM. */
  resizePipe(objectIndex: number, capacity: number): number {
    return this.#exchange.run({
      bodyLine: this.registry.bodyLineOf(objectIndex),
      names: pipe,
      bytes: capacity,
      count: capacity,
      move: (shape) => this.pipeOf(objectIndex).moveTo(shape),
    });
  }

  /** Twice as many slots for a queue, unless somebody has seen to it since. */
  grow(ring: MessageRing, seen: Shape): number {
    const slots = 2 * shapeCount(seen);
    return this.#exchange.run({
      bodyLine: ring.bodyLine,
      names: queue,
      bytes: slotsBytes(slots, ring.messageBytesMax),
      count: slots,
      move: (shape) => {
        ring.moveTo(shape);
        return 0;
      },
      wanted: () => ring.shape === seen,
    });
  }

  arrived(ring: MessageRing): void {
    const asked = tellArrival(this, ring);
    if (!asked || asked.signal === 0) return;
    const [low, high] = asked.value;
    const value = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
    const [uid] = this.credentials.ids("user");
    this.signals.post(asked.to, { signal: asked.signal, code: SI_MESGQ, pid: this.pid, uid, value });
  }

  /** Holds a SysV queue for this task, so that its memory stays while the task may look at it. ENFILE. */
  useSysvQueue(objectIndex: number): number {
    return Math.min(this.#use(objectIndex), 0);
  }

  /** The same for a semaphore set: the description that holds it, or ENFILE. */
  useSemaphoreSet(objectIndex: number): Description | number {
    return this.#use(objectIndex);
  }

  /** The first line of this task's adjustments of a set that it uses (SEM_UNDO), made with the first. ENOMEM. */
  adjustmentsOf(used: Description, set: SemaphoreSet): number {
    const line = this.descriptors.positionOf(used);
    if (line !== 0) return line;
    return this.transaction(() => {
      const made = this.allocator.allocateLocked(undoBytes(set.count));
      if (made >= 0) this.descriptors.setPositionLocked(used, made);
      return made;
    });
  }

  #use(objectIndex: number): number {
    const used = this.#used.get(objectIndex);
    if (used !== undefined) return used;
    this.forgetRemoved();
    const held = this.transaction(() => {
      const description = this.descriptors.holdLocked(this.pid, objectIndex, access.USE, 0);
      if (description >= 0) this.registry.retainLocked(objectIndex);
      return description;
    });
    if (held >= 0) this.#used.set(objectIndex, held as Description);
    return held;
  }

  /** Lets go of the SysV queues and semaphore sets that have been removed meanwhile. */
  forgetRemoved(): void {
    for (const [objectIndex, description] of this.#used) {
      if (!this.#isRemoved(objectIndex)) continue;
      this.#used.delete(objectIndex);
      this.queuesLetGo++;
      this.transaction(() => {
        this.#dropLocked(this.descriptors.dropLocked(description));
        return 0;
      });
    }
  }

  #isRemoved(objectIndex: number): boolean {
    const isSet = this.registry.kindOf(objectIndex) === kinds.SEMAPHORE_SET;
    return (isSet ? this.setOf(objectIndex) : this.ringOf(objectIndex)).removed;
  }

  /** Removes a semaphore set at once: whoever waits or comes is told EIDRM. */
  removeSemaphoreSetLocked(objectIndex: number): () => void {
    const set = this.setOf(objectIndex);
    this.journal.write(set.word(semaphoreSet.REMOVED), 1);
    this.journal.write(set.word(semaphoreSet.RULES), freshRules(this.words));
    const isUsed = this.registry.referencesTo(objectIndex) > 0; // else it goes now
    this.registry.unlinkLocked(objectIndex);
    return () => {
      if (isUsed) set.notifyRemoved();
    };
  }

  /** Removes a SysV queue at once: its messages are gone, and whoever waits or comes is told EIDRM. */
  removeSysvQueueLocked(objectIndex: number): () => void {
    const bodyLine = this.registry.bodyLineOf(objectIndex);
    const ring = new MessageRing(this, bodyLine);
    const body = (bodyLine * LINE_WORDS) as Word;
    this.journal.write(field(body, queue.REMOVED), 1);
    this.journal.write(field(body, queue.RULES), freshRules(this.words));
    const isUsed = this.registry.referencesTo(objectIndex) > 0; // else it goes now
    this.registry.unlinkLocked(objectIndex);
    if (!isUsed) return () => {};
    return () => {
      ring.notifyAll(); // and from here on nobody looks into its slots any more
      this.#exchange.freeSpareLocked(body, queue);
      const shape = this.words.load(field(body, queue.SHAPE));
      this.journal.write(field(body, queue.SHAPE), 0);
      this.allocator.freeLocked(shapeLine(shape));
      this.journal.commit(); // a death before it leaves the slots to whoever lets go of the queue last
    };
  }

  /** Attaches a segment: the description that holds it, or ENFILE. */
  attachSegmentLocked(objectIndex: number, flags: number): number {
    const description = this.descriptors.holdLocked(this.pid, objectIndex, access.ATTACH, flags);
    if (description < 0) return description;
    this.registry.retainLocked(objectIndex);
    this.segmentOf(objectIndex).countLocked(this.journal, 1, this.pid, secondsNow());
    return description;
  }

  detachSegment(description: Description): void {
    this.transaction(() => {
      this.#dropLocked(this.descriptors.dropLocked(description));
      return 0;
    });
  }

  /** The pids of those who have a segment attached, one for each time they have. */
  attachedTo(objectIndex: number): Pid[] {
    return this.descriptors.holdersOf(objectIndex, access.ATTACH);
  }

  createLocked(address: Address, making: Making): number {
    const { effectiveUid: uid, effectiveGid: gid } = this.credentials;
    const creator = { pid: this.pid, uid, gid, mode: making.mode };
    const index = this.registry.createLocked(address, making.bodyBytes, creator);
    if (index < 0) return index;
    const block = making.blockBytes > 0 ? this.allocator.allocateLocked(making.blockBytes) : 0;
    if (block < 0) return block;
    making.format(this.registry.bodyLineOf(index), block);
    return index;
  }

  openLocked(index: number, access: number, flags = 0, closeOnExec = false): Opened | number {
    const descriptor = this.descriptors.openLocked(this.#slot, index, access, flags, closeOnExec);
    if (descriptor < 0) return descriptor;
    this.registry.retainLocked(index);
    const bodyLine = this.registry.bodyLineOf(index);
    const otherOpened = this.#isPipe(index) ? openEndLocked(this.pipeAt(bodyLine), this.journal, access) : 0;
    if (flags & O_NONBLOCK) this.#noteWritersLocked(index, descriptor, access, otherOpened);
    return {
      descriptor: descriptor as Descriptor,
      objectIndex: index,
      bodyLine,
      generation: this.registry.generationOf(index),
      otherOpened,
    };
  }

  announceOpened(opened: Opened, access: number): void {
    if (this.#isPipe(opened.objectIndex)) wakeOtherEnd(this.pipeAt(opened.bodyLine), access);
  }

  /** A FIFO's reader that did not wait is at no end-of-file before there was a writer: POLLHUP tells by this (poll(2)). */
  #noteWritersLocked(index: number, descriptor: number, mode: number, opened: number): void {
    if (mode !== access.READ || this.registry.kindOf(index) !== kinds.FIFO) return;
    const description = this.descriptors.lookUp(this.#slot, descriptor)?.description;
    if (description === undefined || this.pipeOf(index).writers > 0) return;
    this.descriptors.setPositionLocked(description, opened);
  }

  #kept<T>(known: Map<number, Kept<T>>, objectIndex: number, make: (bodyLine: number) => T): T {
    const generation = this.registry.generationOf(objectIndex);
    let kept = known.get(objectIndex);
    if (kept?.generation !== generation) {
      kept = { generation, object: make(this.registry.bodyLineOf(objectIndex)) };
      known.set(objectIndex, kept);
    }
    return kept.object;
  }

  /** Those of whoever had the slot before. */
  #giveBackAll(): void {
    this.transaction(() => {
      this.#releaseAllLocked(this.#slot);
      return 0;
    });
  }

  /** Closes one descriptor, as a part of the open transaction; returns who is to look again once it stands. */
  #closeLocked(slot: Word, descriptor: number): () => void {
    this.#stopWatchingLocked(slot, descriptor);
    const released = this.descriptors.closeLocked(slot, descriptor);
    return released ? this.#dropLocked(released) : () => {};
  }

  /** A task that closes a descriptor of a queue is told of its messages no more (mq_close(3)). */
  #stopWatchingLocked(slot: Word, descriptor: number): void {
    const description = this.descriptors.lookUp(slot, descriptor)?.description;
    if (description === undefined) return;
    const objectIndex = this.descriptors.objectOf(description);
    if (!this.registry.isIndex(objectIndex) || this.registry.kindOf(objectIndex) !== kinds.QUEUE) return;
    forgetWatcherLocked(this, this.registry.bodyLineOf(objectIndex), slot);
  }

  /** Gives back what a description held. */
  #dropLocked({ objectIndex, access: mode, owner, position }: Released): () => void {
    if (!this.registry.isIndex(objectIndex)) return () => {};
    if (position !== 0 && this.registry.kindOf(objectIndex) === kinds.SEMAPHORE_SET) {
      this.setOf(objectIndex).undo(position, owner);
      this.allocator.freeLocked(position);
    }
    const isPipe = this.#isPipe(objectIndex);
    const pipe = isPipe ? this.pipeAt(this.registry.bodyLineOf(objectIndex)) : undefined;
    if (pipe) closeEndLocked(pipe, this.journal, mode);
    // A dead task's detach is its own, whoever buries it.
    if (mode === access.ATTACH) this.segmentOf(objectIndex).countLocked(this.journal, -1, owner, secondsNow());
    this.registry.releaseLocked(objectIndex);
    // The object's memory may be free from here on, but nobody can be given it before the kernel lock is released.
    return () => {
      if (pipe) wakeOtherEnd(pipe, mode);
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
  #bury(slot: Word, hostStatus?: number, isStillborn = false): boolean {
    const identity = this.tasks.identityAt(slot);
    const pid = this.tasks.pidAt(slot);
    let announce = (): void => {};
    const buried = this.transaction(() => {
      if (this.tasks.identityAt(slot) !== identity || !(isStillborn || this.tasks.isDead(slot))) return 0;
      this.#releaseAllLocked(slot);
      this.children.freeOrphansLocked(pid);
      const signal = this.words.load(field(slot, task.ENDED_BY));
      const status = signal === 0 ? hostStatus : killedStatus(signal);
      const end = this.children.endLocked(slot, status ?? this.children.statusOfDead(slot, identity));
      announce = end.announce;
      if (end.isKept) this.tasks.bequeath(slot, identity);
      else this.tasks.free(slot, pid, identity);
      const counter = headerWord("BURIED");
      this.words.store(counter, this.words.load(counter) + 1);
      return 1;
    });
    announce();
    return buried === 1;
  }

  /** Gives back what a slot's task holds: first its waits, while what it waits on is still there, then its descriptors. */
  #releaseAllLocked(slot: Word): void {
    this.#abandonOperationsLocked(slot);
    for (const at of nodesOf(this.words, this.geometry, this.tasks.indexOf(slot))) {
      const list = this.words.load(field(at, node.LIST)) as Word;
      if (list !== 0) {
        const monitor = new Monitor(this, list);
        if (monitor.delist(at) === WOKEN) monitor.notify(EVERYBODY); // woken, but it died before it could look
      }
      this.words.store(field(at, node.OWNER), 0);
    }
    new TaskSignals(this, slot).clearLocked(ALL_SIGNALS);
    giveBackLocksLocked(this, this.tasks.indexOf(slot));
    for (const description of this.descriptors.heldBySlot(this.tasks.indexOf(slot))) {
      this.#dropLocked(this.descriptors.dropLocked(description));
      this.journal.commit();
    }
    for (const descriptor of this.descriptors.openOf(slot)) {
      const announce = this.#closeLocked(slot, descriptor);
      this.journal.commit();
      announce();
    }
  }

  /** Of a task that waited for semaphores, before any node with its operations is freed. */
  #abandonOperationsLocked(slot: Word): void {
    for (const at of nodesOf(this.words, this.geometry, this.tasks.indexOf(slot))) {
      const list = this.words.load(field(at, node.LIST)) as Word;
      if (list === 0 || this.words.load(field(at, node.SELECT_KIND)) !== SELECT_OPERATIONS) continue;
      new SemaphoreSet(this, SemaphoreSet.lineOfList(list)).abandon(at);
    }
  }
}

/** Whether a task may give another these credentials: the privileged any, others none that they have not themselves. */
function mayGive(of: Identity, wanted: Identity): boolean {
  if (of.uid === 0) return true;
  return (
    wanted.uid === of.uid && [wanted.gid, ...wanted.groups].every((gid) => gid === of.gid || of.groups.includes(gid))
  );
}
