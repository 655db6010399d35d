// Sending signals to tasks, and delivering those that have come to this one (signal(7), kill(2)).
//
// A signal is made pending, most by one compare-exchange, others under the kernel lock; then its task is woken: out of a call that
// it sleeps in, and by its bell. No signal is lost on one that falls asleep: who sends looks for its waits after the signal is
// pending, and who waits looks at what is pending after it has enlisted (sync/waiting.ts).
//
// A task delivers to itself: at the end of a system call, of a wait that was interrupted, and on its event loop. What nobody
// catches ends, stops or continues the task: a process by the host, at once, whatever it does; a worker thread by itself.

import { type EBADF, EINVAL, EPERM, ESRCH } from "../abi/errno.ts";
import { WAIT_SLICE_MS } from "../abi/limits.ts";
import {
  bitOf,
  defaultAction,
  isIgnoredByDefault,
  isStop,
  NO_SIGNALS,
  SI_KERNEL,
  SI_USER,
  SIGALRM,
  SIGCHLD,
  SIGCONT,
  SIGKILL,
  SIGNAL_MAX,
  SIGSTOP,
  UNBLOCKABLE,
} from "../abi/signals.ts";
import type { Allocator } from "../memory/allocator.ts";
import type { Journal } from "../memory/journal.ts";
import { task } from "../memory/layout.ts";
import { field, type Word } from "../memory/words.ts";
import { taskSlot } from "../sync/bell.ts";
import type { MonitorUser } from "../sync/monitor.ts";
import { wakePoll } from "../sync/poll-word.ts";
import type { Pid } from "../sync/robust-lock.ts";
import type { Spinning } from "../sync/spin.ts";
import { spinFor } from "../sync/waiting.ts";
import type { World } from "../sync/world.ts";
import { Credentials } from "../tasks/credentials.ts";
import { canComeDirectly } from "../tasks/direct-signal.ts";
import type { SignalInfo } from "../tasks/signal-info.ts";
import { DROPPED, TaskSignals } from "../tasks/signals.ts";
import type { TaskTable } from "../tasks/task-table.ts";
import { type Children, NO_STOP, type Stop } from "./children.ts";
import { type Hearing, listenTo } from "./listening.ts";

/** The kernel, as far as signals need it. */
interface Kernel extends MonitorUser {
  readonly world: World;
  readonly journal: Journal;
  readonly allocator: Allocator;
  readonly tasks: TaskTable;
  readonly credentials: Credentials;
  readonly children: Pick<Children, "noteStop" | "stopLocked" | "noteContinue">;
  readonly hearing: Hearing;
  lookAround(): void;
  transaction(change: () => number, after?: (result: number) => void): number;
  interrupt(pid: number): boolean;
  rouse(pid: number): void;
}

/** What a task does when it catches a signal (sigaction(2)). */
export interface Handler {
  readonly run: (info: SignalInfo) => void;
  /** Blocked while it runs, beside the signal itself. */
  readonly mask: bigint;
  readonly restart: boolean;
  readonly once: boolean;
  readonly nodefer: boolean;
  /** Of SIGCHLD: SA_NOCLDSTOP and SA_NOCLDWAIT. */
  readonly children?: number | undefined;
}

/** What came of a delivery: whether handlers ran, and whether the first of them wants the call restarted that it interrupted. */
export interface Delivered {
  readonly ran: boolean;
  readonly restart: boolean;
}

/** The longest that a timer of the host's can be set to: 24.8 days. */
const TIMER_MS_MAX = 2 ** 31 - 1;

const nothingElse = (): void => {};

const NOTHING: Delivered = { ran: false, restart: true };

export class Signals {
  readonly own: TaskSignals;
  readonly #kernel: Kernel;
  /** What the call that waited for signals last has looked for. */
  #soon: { readonly of: bigint; readonly spin: Spinning; readonly ready: () => boolean };
  /** By their slots. */
  readonly #others = new Map<Word, TaskSignals>();
  /** Those of the task that was asked for last, which is often the next one, too. */
  #last: { readonly pid: number; readonly signals: TaskSignals };
  readonly #handlers = new Map<number, Handler>();
  /** Between the look and the arming, a sender found the bell quiet: so there is a second look. */
  readonly #onRing = (): void => {
    try {
      this.deliver();
      if (!this.#listens()) return;
      this.#kernel.bell.arm(this.#onRing);
      this.deliver();
    } catch (error) {
      queueMicrotask(this.#onRing); // a handler's error is its task's to survive: other signals are not lost by it
      throw error;
    }
  };
  readonly #children = new Map<number, () => void>();
  readonly #onChildRing = (): void => {
    this.lookAtChildren();
    if (this.#children.size === 0) return;
    this.#kernel.bell.arm(this.#onChildRing);
    this.lookAtChildren();
  };
  /** What each wait of this task waits for. */
  readonly #waits = new Set<{ readonly of: bigint }>();
  #alarm: { timer: ReturnType<typeof setTimeout>; endMs: number } | undefined;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.own = this.#inSlotOf(kernel.pid);
    this.#last = { pid: kernel.pid, signals: this.own };
    this.#soon = { of: NO_SIGNALS, spin: kernel.newSpin(), ready: () => false };
  }

  /** A worker thread has to hear of a signal that stops it; what else nobody catches the host or its parent does. */
  hearStops(): void {
    if (this.#listens()) this.#kernel.bell.arm(this.#onRing);
  }

  #listens(): boolean {
    const { osPid, osThreadId } = this.#kernel.world;
    return this.#handlers.size > 0 || osPid !== osThreadId;
  }

  of(pid: Pid): TaskSignals {
    if (pid !== this.#last.pid) this.#last = { pid, signals: this.#inSlotOf(pid) };
    return this.#last.signals;
  }

  #inSlotOf(pid: Pid): TaskSignals {
    const slot = taskSlot(this.#kernel.geometry, pid);
    let signals = this.#others.get(slot);
    if (signals === undefined) {
      signals = new TaskSignals(this.#kernel, slot);
      this.#others.set(slot, signals);
    }
    return signals;
  }

  /** kill(2): 0, ESRCH, EINVAL, EPERM, EAGAIN. */
  kill(pid: number, signal: number, code = SI_USER, value = 0n): number {
    const { credentials } = this.#kernel;
    const info: SignalInfo = { signal, code, pid: this.#kernel.pid, uid: credentials.realUid, value };
    if (pid > 0) return this.send(pid, info);
    const group = pid === 0 ? this.groupOf(this.#kernel.pid) : -pid;
    let result = ESRCH;
    for (const slot of this.#kernel.tasks.slots()) {
      const member = this.#kernel.tasks.pidAt(slot);
      if (member === 0 || !(this.#kernel.tasks.isAlive(member) || this.#kernel.tasks.isUnwaited(member))) continue;
      const isMeant = pid === -1 ? member !== this.#kernel.pid : this.groupOf(member) === group;
      if (!isMeant) continue;
      const sent = this.send(member, info);
      // To all others: those that may not be sent it are left out, and nobody is told (kill(2)).
      if (result !== 0 && sent !== ESRCH) result = pid === -1 && sent === EPERM ? 0 : sent;
    }
    return result;
  }

  /**
   * Sends a signal to one task; signal 0 only looks whether it could be: ESRCH, EINVAL, EPERM, EAGAIN. One that has ended and was not
   * waited for takes it, and nothing comes of it. Who asks with 0 is told exactly; else a task that was alive a moment ago will do,
   * for asking the host costs as much as a hundred signals: had it died since, it would have done so before the signal was delivered.
   */
  send(pid: number, info: SignalInfo): number {
    if (pid <= 0) return ESRCH;
    return this.#sendDirect(pid as Pid, info) ?? this.#sendOtherwise(pid, info);
  }

  /**
   * Sends what can come directly, and only then asks whether its task is alive, for who waits for it need not wait for the clock, too;
   * undefined where it is to be sent otherwise.
   */
  #sendDirect(pid: Pid, info: SignalInfo): number | undefined {
    const { tasks } = this.#kernel;
    if (!canComeDirectly(info) || !tasks.hasSlot(pid) || !this.#mayKill(pid, info.signal)) return undefined;
    const target = this.of(pid);
    const posted = target.postDirect(pid, info);
    if (posted === undefined) return undefined;
    if (tasks.wasAliveLately(pid)) {
      if (posted !== DROPPED) this.wake(pid, info.signal);
      return 0;
    }
    target.takeBackDirect(pid, info);
    return tasks.isUnwaited(pid) ? 0 : ESRCH;
  }

  #sendOtherwise(pid: number, info: SignalInfo): number {
    const { tasks } = this.#kernel;
    const { signal } = info;
    const isAlive = signal === 0 ? tasks.isAlive(pid as Pid) : tasks.wasAliveLately(pid as Pid);
    if (!isAlive && !tasks.isUnwaited(pid as Pid)) return ESRCH;
    if (signal < 0 || signal > SIGNAL_MAX) return EINVAL;
    if (!this.#mayKill(pid, signal)) return EPERM;
    if (signal === 0 || !isAlive) return 0;
    const sent = this.post(pid, info);
    return sent === ESRCH && tasks.isUnwaited(pid as Pid) ? 0 : sent; // it has ended meanwhile
  }

  /** Sends a signal to this task itself. */
  raise(signal: number): void {
    const [uid] = this.#kernel.credentials.ids("user");
    this.post(this.#kernel.pid, { signal, code: SI_USER, pid: this.#kernel.pid, uid, value: 0n });
  }

  /** Sends a signal to one task, whoever's it is: for what the kernel has to tell. ESRCH, EAGAIN. */
  post(pid: number, info: SignalInfo): number {
    const kernel = this.#kernel;
    const { signal } = info;
    const target = this.of(pid as Pid);
    const result = target.postDirect(pid as Pid, info) ?? this.#postOtherwise(pid as Pid, target, info);
    if (result < 0) return result;
    if (signal === SIGCONT) this.#continue(taskSlot(kernel.geometry, pid as Pid)); // also where it is blocked, ignored or caught
    if (result !== DROPPED) this.wake(pid as Pid, signal);
    return 0;
  }

  #postOtherwise(pid: Pid, target: TaskSignals, info: SignalInfo): number {
    const kernel = this.#kernel;
    return kernel.transaction(() => (kernel.tasks.hasSlot(pid) ? target.postLocked(info) : ESRCH));
  }

  /** Whatever becomes of SIGCONT itself, a task that is stopped goes on; and what came meanwhile may end it. */
  #continue(slot: Word): void {
    const { words, world, children, tasks } = this.#kernel;
    const osPid = words.load(field(slot, task.OS_PID));
    children.noteContinue(slot);
    if (osPid !== words.load(field(slot, task.OS_THREAD_ID))) return;
    world.tasks.signalProcess(osPid, SIGCONT);
    const pid = tasks.pidAt(slot);
    const { pending, blocked, caught, awaited, ignored } = this.of(pid);
    const due = pending & ~(blocked | caught | awaited | ignored);
    for (let signal = 1; due !== NO_SIGNALS && signal <= SIGNAL_MAX; signal++) {
      if (due & bitOf(signal) && ends(signal)) return void (this.#isOver(pid, signal) || this.#doAtOnce(slot, signal));
    }
  }

  /**
   * A process that was stopped in the middle of a call is let run until `isDone`, or its death, and stopped again, unless it was told
   * to go on meanwhile. `isDone` may sleep for a slice. A worker thread stops itself, between its calls.
   */
  letStoppedRun(pid: Pid, isDone: () => boolean): void {
    const { words, world, geometry, tasks } = this.#kernel;
    const slot = taskSlot(geometry, pid);
    const isStopped = (): boolean => words.load(field(slot, task.STOPPED)) !== 0;
    const osPid = words.load(field(slot, task.OS_PID));
    if (!isStopped() || osPid === world.osPid || osPid !== words.load(field(slot, task.OS_THREAD_ID))) return;
    do
      world.tasks.signalProcess(osPid, SIGCONT); // again, for another waiter may have stopped it again
    while (!isDone() && isStopped() && tasks.isAlive(pid));
    if (!isStopped() || !tasks.isAlive(pid)) return;
    world.tasks.signalProcess(osPid, SIGSTOP);
    if (!isStopped()) world.tasks.signalProcess(osPid, SIGCONT); // it was told to go on just before
  }

  groupOf(pid: number): number {
    return this.#kernel.words.load(field(taskSlot(this.#kernel.geometry, pid as Pid), task.PROCESS_GROUP));
  }

  /**
   * Lets handlers run, or what else is due: one after the other, the lowest number first. What a handler throws ends that, unless
   * `onThrown` takes it.
   */
  deliver(onThrown?: (error: unknown) => void): Delivered {
    if (!this.#kernel.words.isAnySet(this.own.pendingWord) || !this.own.isDue()) return NOTHING;
    let delivered = NOTHING;
    for (let info = this.#takeToCatch(); info; info = this.#takeToCatch()) {
      const handler = this.#handlers.get(info.signal) as Handler;
      if (!delivered.ran) delivered = { ran: true, restart: handler.restart };
      this.#run(handler, info, onThrown);
    }
    return delivered;
  }

  /** Stops where that is due, until it is continued; returns whether nothing but stops is due, which may have come since (signal(7)). */
  stoodStill(): boolean {
    const stops = STOPS & ~(this.own.blocked | this.own.caught | this.own.ignored);
    for (let due = this.#takeDue(stops); due; due = this.#takeDue(stops)) this.#doDefault(due.info.signal, due.stop);
    return !this.own.isPendingAmong(~(this.own.blocked | stops));
  }

  /**
   * The same as `deliver` until a handler has run, and then those that it does not block: what rt_sigsuspend(2) delivers before
   * the old mask is back. Returns whether one ran.
   */
  deliverOnce(): boolean {
    const info = this.#takeToCatch();
    if (!info) return false;
    const handler = this.#handlers.get(info.signal) as Handler;
    this.#run(handler, info);
    this.own.blocked |= masksOf(handler, info.signal);
    this.deliver();
    return true;
  }

  /** Takes what is due until one is caught, which it returns: the others do what they do by default, or nothing. */
  #takeToCatch(): SignalInfo | undefined {
    for (let due = this.#takeDue(~this.own.blocked); due; due = this.#takeDue(~this.own.blocked)) {
      const { signal } = due.info;
      if (this.own.ignored & bitOf(signal)) continue; // it came while it was blocked
      if (this.#handlers.has(signal)) return due.info;
      this.#doDefault(signal, due.stop);
    }
    return undefined;
  }

  /** Takes the lowest of a set for delivery. One that stops this task does so at once, so that SIGCONT finds the one or the other. */
  #takeDue(of: bigint): { info: SignalInfo; stop: Stop } | undefined {
    const slot = taskSlot(this.#kernel.geometry, this.#kernel.pid);
    let stop = NO_STOP;
    const info = this.#takeAnd(of, ({ signal }) => {
      const isDefault = !((this.own.caught | this.own.ignored) & bitOf(signal));
      if (isStop(signal) && isDefault) stop = this.#kernel.children.stopLocked(slot, signal);
    });
    return info && { info, stop };
  }

  /** Takes the lowest pending signal of a set. */
  take(of: bigint): SignalInfo | undefined {
    return this.#takeAnd(of, nothingElse);
  }

  /** The same, and looks for one for as long as that has been worth it. */
  takeSoon(of: bigint): SignalInfo | undefined {
    const taken = this.take(of);
    if (taken) return taken;
    if (this.#soon.of !== of) this.#soon = { of, spin: this.#soon.spin, ready: this.own.pendingAmong(of) };
    return spinFor(this.#soon, 1) ? this.take(of) : undefined;
  }

  /** `andLocked` is called of what was posted under the kernel lock: none that stops comes otherwise. */
  #takeAnd(of: bigint, andLocked: (info: SignalInfo) => void): SignalInfo | undefined {
    const { own } = this;
    for (;;) {
      const direct = own.takeDirect(this.#kernel.pid, of);
      if (direct) return direct;
      if (!own.isPendingAmong(of)) return undefined;
      const posted = this.#takePosted(of, andLocked);
      if (posted) return posted; // else what was pending was taken back, or one that goes before it has come directly
    }
  }

  #takePosted(of: bigint, andLocked: (info: SignalInfo) => void): SignalInfo | undefined {
    let taken: SignalInfo | undefined;
    const result = this.#kernel.transaction(() => {
      taken = this.own.takeLocked(of);
      if (taken) andLocked(taken);
      return 0;
    });
    if (result < 0) this.#forgetPending(of);
    if (taken) this.own.clearDirect(this.#kernel.pid, bitOf(taken.signal)); // the same, sent by another at the same time
    return taken;
  }

  /** What is known of them is damaged: they are pending no more, or whoever they interrupt would begin again for ever. */
  #forgetPending(of: bigint): void {
    this.own.clearDirect(this.#kernel.pid, of);
    this.#kernel.transaction(() => {
      this.own.forgetLocked(of);
      return 0;
    });
  }

  /** Runs `wait` with its sleeps ended by the signals of a set too that are blocked. */
  awaiting(of: bigint, wait: () => number): number {
    if (of === NO_SIGNALS) return wait();
    const end = this.beginWait(of);
    try {
      return wait();
    } finally {
      end();
    }
  }

  /** From now on signals of a set wake this task, also those that are blocked; until the function is called that is returned. */
  beginWait(of: bigint): () => void {
    const wait = { of };
    const note = (): void => {
      this.own.awaited = [...this.#waits].reduce((all, one) => all | one.of, NO_SIGNALS);
    };
    this.#waits.add(wait);
    note();
    return () => {
      this.#waits.delete(wait);
      note();
    };
  }

  /** Calls `look` whenever a signal of a set may have come, on the event loop, until the function is called that is returned. */
  listen(of: bigint, look: () => void): () => void {
    const endWait = this.beginWait(of);
    const stop = listenTo(this.#kernel.bell, look);
    return () => {
      stop();
      endWait();
    };
  }

  /** Forgets pending signals. */
  clear(of: bigint): void {
    this.own.clearDirect(this.#kernel.pid, of);
    this.#kernel.transaction(() => {
      this.own.clearLocked(of);
      return 0;
    });
  }

  /**
   * Resolves with a signal of a set once one has come, with undefined where the time passes first, or with EBADF where `owner` is
   * closed.
   */
  arrival(
    owner: object,
    of: bigint,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<SignalInfo | undefined | typeof EBADF> {
    const listen = (look: () => void): (() => void) => this.listen(of, look);
    return this.#kernel.hearing.until(owner, listen, () => this.take(of), timeoutMs, signal);
  }

  /** A worker thread of this process, by the host's number of it, that this task can end. */
  adopt(hostThread: number, end: () => void): void {
    this.#children.set(hostThread, end);
    this.#kernel.bell.arm(this.#onChildRing);
  }

  /** One that has exited. */
  disown(hostThread: number): void {
    if (!this.#children.delete(hostThread)) return; // perhaps this task has left the kernel, and its bell is another's
    if (this.#children.size === 0) this.#kernel.bell.quiet(this.#onChildRing);
  }

  /** Ends those children of this task that a signal ends: also for a task that sleeps, and whose event loop does not run. */
  lookAtChildren(): void {
    if (this.#children.size === 0) return;
    const { words, world, tasks } = this.#kernel;
    for (const slot of tasks.slots()) {
      if (words.load(field(slot, task.ENDED_BY)) === 0 || words.load(field(slot, task.OS_PID)) !== world.osPid)
        continue;
      const thread = words.load(field(slot, task.HOST_THREAD));
      const end = this.#children.get(thread);
      if (!end) continue;
      this.#children.set(thread, () => {}); // it is asked once, and may be at its end for a while
      end();
    }
  }

  /** One of the threads of its process has started it: that can end it. */
  #askProcessToEnd(slot: Word, signal: number): void {
    const { words, bell, tasks, pid } = this.#kernel;
    words.store(field(slot, task.ENDED_BY), signal); // PUBLISHES the wish → observed in lookAtChildren()
    const osPid = words.load(field(slot, task.OS_PID));
    for (const other of tasks.slots()) {
      if (other === slot || words.load(field(other, task.OS_PID)) !== osPid) continue;
      const sibling = tasks.pidAt(other);
      if (sibling === pid) this.lookAtChildren();
      else if (sibling !== 0) bell.ring(sibling);
    }
  }

  handlerOf(signal: number): Handler | undefined {
    return this.#handlers.get(signal);
  }

  /** Catches a signal from now on. EINVAL for SIGKILL and SIGSTOP, and a number that no signal has. */
  catch(signal: number, handler: Handler): number {
    if (!isChangeable(signal)) return EINVAL;
    const bit = bitOf(signal);
    this.#handlers.set(signal, handler);
    this.own.caught |= bit;
    this.own.ignored &= ~bit;
    if (signal === SIGCHLD) this.#askOfChildren(handler.children ?? 0);
    this.#kernel.bell.arm(this.#onRing);
    return 0;
  }

  /** Ignores a signal from now on, and forgets one that is pending. */
  ignore(signal: number): number {
    if (!isChangeable(signal)) return EINVAL;
    const bit = bitOf(signal);
    this.own.ignored |= bit;
    this.#forget(signal);
    this.clear(bit);
    return 0;
  }

  /** Back to what the signal does where nobody says otherwise. */
  reset(signal: number, children = 0): number {
    if (!isChangeable(signal)) return EINVAL;
    this.own.ignored &= ~bitOf(signal);
    if (signal === SIGCHLD) this.#askOfChildren(children);
    this.#forget(signal);
    if (isIgnoredByDefault(signal)) this.clear(bitOf(signal));
    return 0;
  }

  /** What this task wants to know of its children (sigaction(2), SA_NOCLDSTOP and SA_NOCLDWAIT). */
  #askOfChildren(flags: number): void {
    const { words, geometry, pid } = this.#kernel;
    words.store(field(taskSlot(geometry, pid), task.CHILDREN), flags);
  }

  /** alarm(2): seconds left of the one before, 0 where there was none. */
  alarm(seconds: number): number {
    // To the nearest second, and never to none.
    const left = this.#alarm ? Math.max(1, Math.round((this.#alarm.endMs - performance.now()) / 1000)) : 0;
    clearTimeout(this.#alarm?.timer);
    this.#alarm = undefined;
    if (seconds > 0) this.#setAlarm(performance.now() + seconds * 1000);
    return left;
  }

  #setAlarm(endMs: number): void {
    const onTime = (): void => {
      this.lookAtAlarm();
      if (this.#alarm) this.#setAlarm(endMs); // it is farther away than a timer can be set to
    };
    const timer = setTimeout(onTime, Math.min(endMs - performance.now(), TIMER_MS_MAX));
    timer.unref?.();
    this.#alarm = { timer, endMs };
  }

  /** Milliseconds until the alarm is due, rounded up; Infinity where none is set. */
  alarmMs(): number {
    return this.#alarm ? Math.max(0, Math.ceil(this.#alarm.endMs - performance.now())) : Number.POSITIVE_INFINITY;
  }

  /** For a task that sleeps, whose timers do not run: rings the alarm whose time has come. */
  lookAtAlarm(): void {
    if (this.#alarm && performance.now() >= this.#alarm.endMs) this.#ringAlarm();
  }

  /** Leaves the kernel: nobody is told any more. */
  close(): void {
    clearTimeout(this.#alarm?.timer);
    this.#alarm = undefined;
    this.#handlers.clear();
    this.#children.clear();
    this.#kernel.bell.quiet(this.#onRing);
    this.#kernel.bell.quiet(this.#onChildRing);
  }

  #ringAlarm(): void {
    clearTimeout(this.#alarm?.timer);
    this.#alarm = undefined;
    this.send(this.#kernel.pid, { signal: SIGALRM, code: SI_KERNEL, pid: 0, uid: 0, value: 0n });
  }

  #forget(signal: number): void {
    this.#handlers.delete(signal);
    this.own.caught &= ~bitOf(signal);
    if (!this.#listens()) this.#kernel.bell.quiet(this.#onRing);
  }

  #run(handler: Handler, info: SignalInfo, onThrown?: (error: unknown) => void): void {
    const before = this.own.blocked;
    if (handler.once) this.#forget(info.signal);
    this.own.blocked = before | masksOf(handler, info.signal);
    try {
      handler.run(info);
    } catch (error) {
      if (!onThrown) throw error;
      onThrown(error);
    } finally {
      this.own.blocked = before;
    }
  }

  #doDefault(signal: number, stop: Stop): void {
    const action = defaultAction(signal);
    const { words, world, geometry, pid } = this.#kernel;
    const slot = taskSlot(geometry, pid);
    if (ends(signal)) {
      words.store(field(slot, task.ENDED_BY), signal);
      world.tasks.endSelf(signal);
    } else if (action === "stop") {
      stop.tell();
      if (world.osPid !== world.osThreadId) this.#sleepUntilContinued(slot);
      else if (stop.ran && words.load(field(slot, task.STOPPED)) !== 0) world.tasks.signalProcess(world.osPid, SIGSTOP); // else who sent it has seen to that
    }
  }

  /** A worker thread cannot be stopped by the host without its process: it stops itself. */
  #sleepUntilContinued(slot: Word): void {
    const { words, parker } = this.#kernel;
    const stopped = field(slot, task.STOPPED);
    for (;;) {
      const signal = words.load(stopped);
      if (signal === 0 || words.load(field(slot, task.ENDED_BY)) !== 0) return;
      parker.park(stopped, signal, WAIT_SLICE_MS);
      this.#kernel.lookAround();
    }
  }

  /** Whose real or effective user is the task's real or saved one; SIGCONT anybody of the session may send, and all are of one. */
  #mayKill(pid: number, signal: number): boolean {
    const { credentials, words, geometry } = this.#kernel;
    if (credentials.isPrivileged || pid === this.#kernel.pid || signal === SIGCONT) return true;
    const other = new Credentials(words, taskSlot(geometry, pid as Pid));
    const mine = [credentials.ids("user")[0], credentials.effectiveUid];
    return mine.includes(other.ids("user")[0]) || mine.includes(other.ids("user")[2]);
  }

  /** Wakes a task for a signal that is pending for it. */
  wake(pid: Pid, signal: number): void {
    const target = this.of(pid);
    const isBlocked = target.blocks(signal);
    const isAwaited = target.awaits(signal);
    if (isBlocked && !isAwaited) return;
    const slot = taskSlot(this.#kernel.geometry, pid);
    const isCaught = isAwaited || target.catches(signal);
    if (!isCaught && (this.#isOver(pid, signal) || this.#doAtOnce(slot, signal))) return;
    if (pid === this.#kernel.pid) queueMicrotask(this.#onRing);
    if (isBlocked)
      wakePoll(this.#kernel, pid); // it is waited for, and interrupts nothing
    else if (isStop(signal) && !isCaught)
      this.#kernel.rouse(pid); // it stops where it sleeps, and sleeps on
    else this.#kernel.interrupt(pid);
    this.#kernel.bell.ring(pid);
  }

  /** Whether the task that a signal would end or stop has ended before, which may have been just now: then not by it. */
  #isOver(pid: Pid, signal: number): boolean {
    return (ends(signal) || isStop(signal)) && !this.#kernel.tasks.isAlive(pid);
  }

  /** What the host does for us to a process, and a parent to a worker thread, whatever it is at. */
  #doAtOnce(slot: Word, signal: number): boolean {
    const { words, world, children, parker } = this.#kernel;
    const osPid = words.load(field(slot, task.OS_PID));
    const action = defaultAction(signal);
    if (osPid !== words.load(field(slot, task.OS_THREAD_ID))) {
      if (ends(signal)) this.#askProcessToEnd(slot, signal);
      parker.unpark(field(slot, task.STOPPED), 1);
      return false; // it may be quicker itself
    }
    if (ends(signal)) {
      if (signal !== SIGKILL && words.load(field(slot, task.STOPPED)) !== 0) return true; // once it goes on
      words.store(field(slot, task.ENDED_BY), signal);
      world.tasks.signalProcess(osPid, SIGKILL);
      return true;
    }
    if (action !== "stop") return false;
    children.noteStop(slot, signal);
    world.tasks.signalProcess(osPid, SIGSTOP);
    return true;
  }
}

/** The signals that stop a task which does not catch them. */
const STOPS = Array.from({ length: SIGNAL_MAX }, (_, i) => i + 1)
  .filter(isStop)
  .reduce((set, signal) => set | bitOf(signal), NO_SIGNALS);

/** What is blocked while a handler runs. */
const masksOf = (handler: Handler, signal: number): bigint =>
  handler.mask | (handler.nodefer ? NO_SIGNALS : bitOf(signal));

/** Whether a signal that nobody catches ends a task. */
const ends = (signal: number): boolean => ["terminate", "core"].includes(defaultAction(signal));

const isChangeable = (signal: number): boolean =>
  signal >= 1 && signal <= SIGNAL_MAX && (bitOf(signal) & UNBLOCKABLE) === NO_SIGNALS;
