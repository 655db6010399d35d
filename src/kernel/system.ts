// One task's side of a kernel: attaching, transactions under the kernel lock, opening and closing, burying the dead.
// There is no other side: a system call is a function that runs here, in the caller, and works on the region.
//
// The order of locks: the kernel lock, then an object's producer's monitor, then its consumer's. Whoever holds a monitor
// asks for the kernel lock never.

import { EBADF, EEXIST, EINVAL, EIO, ENOENT, EPERM, ESRCH } from "../abi/errno.ts";
import { O_NONBLOCK } from "../abi/flags.ts";
import { WAIT_SLICE_MS } from "../abi/limits.ts";
import { SI_MESGQ } from "../abi/signals.ts";
import { exitedStatus, killedStatus } from "../abi/wait.ts";
import { Allocator } from "../memory/allocator.ts";
import { Charges } from "../memory/charges.ts";
import { DamagedRegion, Journal } from "../memory/journal.ts";
import { access, type Geometry, kinds, node, pipe, queue, task } from "../memory/layout.ts";
import { headerWord, type Region } from "../memory/region.ts";
import { type Shape, shapeCount } from "../memory/shape.ts";
import { Staging } from "../memory/staging.ts";
import { field, type Word, type Words } from "../memory/words.ts";
import { MessageRing, type RingOwner } from "../objects/message-ring.ts";
import { slotsBytes } from "../objects/message-slots.ts";
import { Pipe } from "../objects/pipe.ts";
import type { QueuePath } from "../objects/queue-path.ts";
import { SemaphoreSet } from "../objects/semaphore-set.ts";
import { Segment } from "../objects/shared-memory.ts";
import { SignalFile } from "../objects/signal-file.ts";
import { Awaits } from "../sync/awaits.ts";
import { Bell, taskSlot } from "../sync/bell.ts";
import { Monitor } from "../sync/monitor.ts";
import { NodePool, nodesOf } from "../sync/node-pool.ts";
import { interruptPoll, wakePoll } from "../sync/poll-word.ts";
import { type Pid, RobustLock } from "../sync/robust-lock.ts";
import { joinCpus, Spin } from "../sync/spin.ts";
import { INTERRUPTED, listOf, WOKEN } from "../sync/wait-list.ts";
import type { Waiter } from "../sync/waiting.ts";
import type { Parker, World } from "../sync/world.ts";
import { Credentials, type Identity } from "../tasks/credentials.ts";
import { type Description, type Descriptor, Descriptors } from "../tasks/descriptors.ts";
import { TaskTable } from "../tasks/task-table.ts";
import { tellArrival } from "./arrivals.ts";
import { BlockExchange } from "./block-exchange.ts";
import { blocksOf } from "./bodies.ts";
import { Children, NOBODY_TOLD } from "./children.ts";
import { Holdings, isPipe } from "./holdings.ts";
import { Hearing } from "./listening.ts";
import type { Attachment, ChildAttachment, Making, ObjectToken, Opened, OpenFile, Opening } from "./opening.ts";
import { openEndLocked, wakeOtherEnd } from "./pipe-ends.ts";
import { Reaper } from "./reaper.ts";
import { type Address, Registry, secondsNow } from "./registry.ts";
import { Signals } from "./signals.ts";
import { SysvUse } from "./sysv-use.ts";

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
  readonly lent = new Set<Word>();
  lastSentTo: QueuePath | undefined;
  readonly staging: Staging;
  readonly bell: Bell;
  readonly nodes: NodePool;
  readonly awaits: Awaits;
  readonly tasks: TaskTable;
  readonly registry: Registry;
  readonly credentials: Credentials;
  readonly descriptors: Descriptors;
  readonly journal: Journal;
  readonly charges: Charges;
  readonly allocator: Allocator;
  readonly hearing = new Hearing();
  readonly signals: Signals;
  /** Where the set of the signals is that are pending for this task: a field, for the end of every call looks there. */
  readonly pendingSignals: Word;
  readonly children: Children;
  readonly holdings: Holdings;
  readonly reaper: Reaper;
  readonly sysv: SysvUse;

  readonly #lock: RobustLock;
  readonly #exchange: BlockExchange;
  readonly #slot: Word;
  readonly #pipes = new Map<number, Kept<Pipe>>();
  readonly #rings = new Map<number, Kept<MessageRing>>();
  readonly #sets = new Map<number, Kept<SemaphoreSet>>();

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
      system.charges.beginLocked(system.#slot);
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
    this.staging = new Staging(words, this.#slot);
    this.#lock = new RobustLock(this, headerWord("KERNEL_LOCK"), this.newSpin());
    this.journal = new Journal(words);
    this.charges = new Charges(words, this.journal, geometry);
    this.allocator = new Allocator(words, this.journal, this.charges, geometry, region.reserve);
    this.#exchange = new BlockExchange(this, this.allocator);
    this.signals = new Signals(this);
    this.pendingSignals = this.signals.own.pendingWord;
    this.children = new Children(this);
    this.holdings = new Holdings(this);
    this.reaper = new Reaper(this);
    this.sysv = new SysvUse(this, this.#exchange);
    this.credentials = new Credentials(words, this.#slot);
    this.descriptors = new Descriptors(words, this.journal, this.charges, geometry);
    this.registry = new Registry(this, (kind, bodyLine) => blocksOf(words, kind, bodyLine));
  }

  isAlive(pid: Pid): boolean {
    return this.tasks.isAlive(pid);
  }

  letStoppedRun(pid: Pid, isDone: () => boolean): void {
    this.signals.letStoppedRun(pid, isDone);
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
    } catch (error) {
      if (error instanceof DamagedRegion) return EIO;
      throw error;
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
        announce = this.holdings.closeLocked(this.#slot, descriptor);
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
        if (this.descriptors.lookUp(this.#slot, to)) announce = this.holdings.closeLocked(this.#slot, to);
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
    if (objectIndex < 0) return undefined;
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
      this.holdings.dropLocked(this.descriptors.dropLocked(description));
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
    return this.#callOut(pid as Pid, INTERRUPTED) || interruptPoll(this, pid as Pid);
  }

  /** Makes a task that sleeps in a call look around, and then wait on. */
  rouse(pid: number): void {
    this.#callOut(pid as Pid, WOKEN);
    wakePoll(this, pid as Pid);
  }

  #callOut(pid: Pid, as: typeof INTERRUPTED | typeof WOKEN): boolean {
    let interrupted = false;
    const index = this.tasks.indexOf(taskSlot(this.geometry, pid));
    // Under the kernel lock, for the object whose list a node is in must not go meanwhile.
    this.transaction(() => {
      for (const at of nodesOf(this.words, this.geometry, index)) {
        if (this.words.load(field(at, node.OWNER)) !== pid) continue;
        const list = listOf(this.words, this.geometry, at);
        // One wait and no more: the task may be in its next one already.
        if (list !== 0 && !interrupted) interrupted = new Monitor(this, list).interrupt(at, as);
      }
      return 0;
    });
    return interrupted;
  }

  isSignalled(): boolean {
    return this.signals.own.isDue();
  }

  stoodStill(): boolean {
    return this.signals.stoodStill();
  }

  sliceMs(): number {
    return Math.min(WAIT_SLICE_MS, this.signals.alarmMs());
  }

  lookAround(): void {
    this.reaper.lookAround();
  }

  /** Looks at every task now; returns how many were buried. */
  reap(): number {
    return this.reaper.reap();
  }

  /** Leaves the kernel: closes what is open, and frees the slot, or leaves a zombie to its parent (abi/wait.ts). */
  detach(status = exitedStatus(0)): void {
    this.awaits.cancelAll();
    this.hearing.cancelAll();
    this.signals.close();
    this.bell.silence();
    const signal = this.words.load(field(this.#slot, task.ENDED_BY));
    let end = NOBODY_TOLD;
    this.transaction(() => {
      this.holdings.releaseAllLocked(this.#slot);
      this.children.freeOrphansLocked(this.pid);
      end = this.children.endLocked(this.#slot, signal === 0 ? status : killedStatus(signal));
      return 0;
    });
    end.signal();
    // Only now: a lock held under a pid that names nobody would be taken over.
    if (end.isKept) this.tasks.bequeath(this.#slot, this.world.identity);
    else this.tasks.free(this.#slot, this.pid, this.world.identity);
    end.announce();
    // Its parent may have gone meanwhile, and with it those who were zombies by then.
    if (end.isKept && !this.tasks.isAwaited(this.#slot)) this.tasks.freeZombie(this.#slot, this.pid);
    this.bell.close();
  }

  /** Makes a task for a child that is about to be started: its pid. EAGAIN, ENOSPC, EPERM, EBADF for a descriptor that is not open. */
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
      this.charges.beginLocked(slot);
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
      this.holdings.releaseAllLocked(slot);
      this.tasks.free(slot, pid, this.world.identity);
      return 0;
    });
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
      this.holdings.dropLocked(this.descriptors.dropLocked(description));
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
    const block = making.blockBytes > 0 ? this.allocator.allocateLocked(making.blockBytes, this.pid) : 0;
    if (block < 0) return block;
    making.format(this.registry.bodyLineOf(index), block);
    return index;
  }

  openLocked(index: number, access: number, flags = 0, closeOnExec = false): Opened | number {
    if (!this.registry.isWhole(index)) return EIO;
    const descriptor = this.descriptors.openLocked(this.#slot, index, access, flags, closeOnExec);
    if (descriptor < 0) return descriptor;
    this.registry.retainLocked(index);
    const bodyLine = this.registry.bodyLineOf(index);
    const otherOpened = isPipe(this.registry.kindOf(index))
      ? openEndLocked(this.pipeAt(bodyLine), this.journal, access)
      : 0;
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
    if (isPipe(this.registry.kindOf(opened.objectIndex))) wakeOtherEnd(this.pipeAt(opened.bodyLine), access);
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
      this.holdings.releaseAllLocked(this.#slot);
      return 0;
    });
  }
}

/** Whether a task may give another these credentials: the privileged any, others none that they have not themselves. */
function mayGive(of: Identity, wanted: Identity): boolean {
  if (of.uid === 0) return true;
  return (
    wanted.uid === of.uid && [wanted.gid, ...wanted.groups].every((gid) => gid === of.gid || of.groups.includes(gid))
  );
}
