// The children of a task: making one, and waiting until it has ended, stopped or gone on (wait(2), waitpid(3), waitid(2)).
//
// A child's slot is claimed before it runs (tasks/task-table.ts), so its pid is known and signals can be sent to it at once.
// When it has ended, by itself or buried by another, its wait status and its parent's SIGCHLD become visible in one
// transaction, and only then does it become a zombie. A death
//
//   before the transaction   leaves a dead task, which the next one buries
//   between it and ZOMBIE    leaves one that is dead and ENDED: the next burial finds nothing left to do but the last step
//   of the parent            leaves zombies of nobody, which count as dead, and children whose parent is 0
//   of the parent, waiting   after it cleared PID: a slot of a zombie of nobody

import { ECHILD, EINTR, ENOENT, ESRCH } from "../abi/errno.ts";
import { bitOf, NO_SIGNALS, SA_NOCLDSTOP, SA_NOCLDWAIT, SIGCHLD, SIGKILL } from "../abi/signals.ts";
import { CONTINUED_STATUS, childCode, killedStatus, stoppedStatus } from "../abi/wait.ts";
import type { Journal } from "../memory/journal.ts";
import { child, ENDED_GUESS, ENDED_MARK, task } from "../memory/layout.ts";
import { field, type Word } from "../memory/words.ts";
import { taskSlot } from "../sync/bell.ts";
import { wakePoll } from "../sync/poll-word.ts";
import { blockUntilAny } from "../sync/polling.ts";
import type { Pid } from "../sync/robust-lock.ts";
import { FOR_EVER, type Waiter } from "../sync/waiting.ts";
import { Credentials } from "../tasks/credentials.ts";
import type { TaskSignals } from "../tasks/signals.ts";
import type { TaskTable } from "../tasks/task-table.ts";

/** What children need of the kernel's signals. */
interface Senders {
  of(pid: Pid): TaskSignals;
  groupOf(pid: number): number;
  wake(pid: Pid, signal: number): void;
}

/** The kernel, as far as children need it. */
interface Kernel extends Waiter {
  readonly tasks: TaskTable;
  readonly journal: Journal;
  readonly signals: Senders;
  transaction(change: () => number, after?: (result: number) => void): number;
}

/** Which children, and which news of them. */
export interface Wanted {
  readonly which: Which;
  readonly ended: boolean;
  readonly stopped: boolean;
  readonly continued: boolean;
  /** Leave it to be waited for again (WNOWAIT). */
  readonly leave: boolean;
}

/** One child; those of a group, of this task's with 0; or any. */
export type Which = { readonly pid: number } | { readonly group: number } | "any";

/** The same as waitpid(3) says it: above 0 a child, -1 any, 0 and below -1 a group. */
export function childrenByPid(pid: number): Which {
  if (pid === -1) return "any";
  return pid > 0 ? { pid } : { group: Math.abs(pid) };
}

/** News of a child. */
export interface ChildStatus {
  readonly pid: Pid;
  /** Its real user. */
  readonly uid: number;
  /** A wait status, see abi/wait.ts. */
  readonly status: number;
}

/** What is left to do for one that has ended. */
export interface Ending {
  /** Its parent will wait for it. */
  readonly isKept: boolean;
  readonly signal: () => void;
  readonly announce: () => void;
}

/** Whether a task ran until a signal stopped it, and how to tell its parent. */
export interface Stop {
  readonly ran: boolean;
  readonly tell: () => void;
}

export const NO_STOP: Stop = { ran: false, tell: () => {} };

export const NOBODY_TOLD: Ending = { isKept: false, signal: () => {}, announce: () => {} };

export class Children {
  readonly #kernel: Kernel;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Looks for news once: ECHILD where there is no such child, ENOENT where there is no news. */
  look(wanted: Wanted): ChildStatus | number {
    let found: ChildStatus | undefined;
    const result = this.#kernel.transaction(() => {
      let waitsFor = 0;
      for (const slot of this.#slotsOf(wanted.which)) {
        const status = this.#newsLocked(slot, wanted);
        if (status !== undefined) {
          found = this.#toldLocked(slot, status, wanted.leave);
          return 0;
        }
        // Of one that has ended there will be no other news.
        if (!this.#hasEnded(slot)) waitsFor++;
      }
      return waitsFor === 0 ? ECHILD : ENOENT;
    });
    return found ?? result;
  }

  /** Waits asleep until there is news: ECHILD, EINTR; ENOENT where the time has passed. */
  wait(wanted: Wanted, timeoutMs = FOR_EVER): ChildStatus | number {
    let found = this.look(wanted);
    const look = (): number => {
      if (found === ENOENT) found = this.look(wanted);
      return found === ENOENT ? 0 : 1;
    };
    if (found !== ENOENT) return found;
    const result = blockUntilAny(this.#kernel, [], look, timeoutMs);
    return found === ENOENT && result < 0 ? EINTR : found;
  }

  /**
   * A task has ended, with a wait status; its holdings have been given back. Tells its parent, once; says whether it is kept for
   * it as a zombie, and how to wake it: `signal` needs the kernel lock, `announce` comes when the slot is a zombie's, or free.
   */
  endLocked(slot: Word, status: number): Ending {
    const { journal, tasks, signals, bell } = this.#kernel;
    if (!tasks.isAwaited(slot)) return NOBODY_TOLD;
    const parent = tasks.parentOf(slot);
    const isKept = this.#wantsToKnow(parent);
    // Where it has been told already, whoever did may have died before anybody was woken.
    let isPosted = (signals.of(parent).pending & bitOf(SIGCHLD)) !== NO_SIGNALS;
    if (!this.#hasEnded(slot)) {
      if (isKept) journal.write(field(slot, task.ENDED), ENDED_MARK | status);
      isPosted = this.#postLocked(slot, parent, status & ~ENDED_GUESS);
      journal.commit(); // PUBLISHES that it has ended → observed in look()
    }
    return {
      isKept,
      signal: () => {
        if (isPosted) signals.wake(parent, SIGCHLD);
      },
      announce: () => {
        wakePoll(this.#kernel, parent); // it may wait for its children
        bell.ring(parent);
      },
    };
  }

  /** Whether a parent waits for its children, as against one that said it would not (sigaction(2), SA_NOCLDWAIT). */
  #wantsToKnow(parent: Pid): boolean {
    const { words, geometry, signals } = this.#kernel;
    const asked = words.load(field(taskSlot(geometry, parent), task.CHILDREN));
    return !(asked & SA_NOCLDWAIT) && (signals.of(parent).ignored & bitOf(SIGCHLD)) === NO_SIGNALS;
  }

  /**
   * How a dead task has ended, as far as can be told: as the host says, or by a signal of ours, for which the host has killed it. Another
   * end of a process came before that signal.
   */
  statusOfDead(slot: Word, host: number | undefined): number {
    const { words } = this.#kernel;
    const signal = words.load(field(slot, task.ENDED_BY));
    const byHost = killedStatus(SIGKILL);
    if (signal === 0) return host ?? byHost | ENDED_GUESS;
    const isThread = words.load(field(slot, task.OS_PID)) !== words.load(field(slot, task.OS_THREAD_ID));
    if (isThread || host === byHost) return killedStatus(signal);
    return host ?? killedStatus(signal) | ENDED_GUESS;
  }

  /** The host has told how a child has ended: better than what was guessed. ESRCH where there is nothing to correct. */
  correct(pid: Pid, status: number): number {
    const { words, tasks, journal } = this.#kernel;
    return this.#kernel.transaction(() => {
      const slot = taskSlot(this.#kernel.geometry, pid);
      const ended = field(slot, task.ENDED);
      if (tasks.pidAt(slot) !== pid || !(words.load(ended) & ENDED_GUESS)) return ESRCH;
      journal.write(ended, ENDED_MARK | this.statusOfDead(slot, status));
      return 0;
    });
  }

  /** A task is stopped by a signal: it runs no more until SIGCONT comes. Returns whether it ran until now. */
  noteStop(slot: Word, signal: number): boolean {
    let stop: Stop = NO_STOP;
    this.#kernel.transaction(() => {
      stop = this.stopLocked(slot, signal);
      return 0;
    });
    stop.tell();
    return stop.ran;
  }

  /** The same, for who holds the kernel lock, and tells the parent later. */
  stopLocked(slot: Word, signal: number): Stop {
    const { words, journal } = this.#kernel;
    const stopped = field(slot, task.STOPPED);
    if (words.load(stopped) !== 0) return NO_STOP;
    journal.write(stopped, signal);
    const isPosted = this.#reportLocked(slot, stoppedStatus(signal));
    return { ran: true, tell: () => this.#tellParent(slot, isPosted) };
  }

  /** A task that was stopped goes on. */
  noteContinue(slot: Word): void {
    const { words, journal, parker } = this.#kernel;
    const stopped = field(slot, task.STOPPED);
    if (words.load(stopped) === 0) return;
    this.#change(slot, () => {
      if (words.load(stopped) === 0) return false;
      journal.write(stopped, 0);
      return this.#reportLocked(slot, CONTINUED_STATUS);
    });
    parker.unpark(stopped, 1);
  }

  /** Frees the zombies that a task has not waited for, which leaves: nobody will any more. */
  freeOrphansLocked(parent: Pid): void {
    const { tasks, words } = this.#kernel;
    for (const slot of tasks.slots()) {
      const isChild = words.load(field(slot, task.PARENT_PID)) === parent;
      if (isChild && tasks.isZombie(tasks.pidAt(slot))) this.#freeLocked(slot);
    }
  }

  /** `change` says whether it sent the parent SIGCHLD. */
  #change(slot: Word, change: () => boolean): void {
    let isPosted = false;
    this.#kernel.transaction(() => {
      isPosted = change();
      return 0;
    });
    this.#tellParent(slot, isPosted);
  }

  #tellParent(slot: Word, isPosted: boolean): void {
    const parent = this.#kernel.tasks.parentOf(slot);
    if (parent === 0) return;
    wakePoll(this.#kernel, parent);
    if (isPosted) this.#kernel.signals.wake(parent, SIGCHLD);
    this.#kernel.bell.ring(parent);
  }

  #reportLocked(slot: Word, status: number): boolean {
    const { words, journal, tasks, geometry } = this.#kernel;
    if (!tasks.isAwaited(slot)) return false;
    journal.write(field(slot, task.REPORT), status);
    const parent = tasks.parentOf(slot);
    const asked = words.load(field(taskSlot(geometry, parent), task.CHILDREN));
    return !(asked & SA_NOCLDSTOP) && this.#postLocked(slot, parent, status);
  }

  /** Sends a parent SIGCHLD; returns whether it cares. */
  #postLocked(slot: Word, parent: Pid, waitStatus: number): boolean {
    const { signals, words, tasks } = this.#kernel;
    const { code, status } = childCode(waitStatus);
    const uid = new Credentials(words, slot).ids("user")[0];
    const info = { signal: SIGCHLD, code, pid: tasks.pidAt(slot), uid, value: BigInt(status) };
    return signals.of(parent).postLocked(info) === 0;
  }

  /** The oldest first. */
  #slotsOf(which: Which): Word[] {
    const { tasks, words, pid: own } = this.#kernel;
    const found: Word[] = [];
    for (const slot of tasks.slots()) {
      const pid = tasks.pidAt(slot);
      if (pid === 0 || words.load(field(slot, task.PARENT_PID)) !== own) continue;
      if (words.load(field(slot, task.CHILD)) & child.AWAITED && this.#isOneOf(pid, which)) found.push(slot);
    }
    const born = (slot: Word): number => words.load(field(slot, task.BORN));
    return found.sort((one, other) => born(one) - born(other));
  }

  #isOneOf(pid: Pid, which: Which): boolean {
    if (which === "any") return true;
    if ("pid" in which) return pid === which.pid;
    const { signals, pid: own } = this.#kernel;
    return signals.groupOf(pid) === (which.group === 0 ? signals.groupOf(own) : which.group);
  }

  #hasEnded(slot: Word): boolean {
    return this.#kernel.words.load(field(slot, task.ENDED)) !== 0;
  }

  #newsLocked(slot: Word, { ended, stopped, continued }: Wanted): number | undefined {
    const { words } = this.#kernel;
    const end = words.load(field(slot, task.ENDED));
    if (end !== 0) return ended ? end & ~(ENDED_MARK | ENDED_GUESS) : undefined;
    const report = words.load(field(slot, task.REPORT));
    const isWanted = report === CONTINUED_STATUS ? continued : stopped;
    return report !== 0 && isWanted ? report : undefined;
  }

  #toldLocked(slot: Word, status: number, leave: boolean): ChildStatus {
    const { words, journal, tasks } = this.#kernel;
    const told = { pid: tasks.pidAt(slot), uid: new Credentials(words, slot).ids("user")[0], status };
    if (leave) return told;
    if (this.#hasEnded(slot)) this.#freeLocked(slot);
    else journal.write(field(slot, task.REPORT), 0);
    return told;
  }

  #freeLocked(slot: Word): void {
    const { tasks } = this.#kernel;
    tasks.free(slot, tasks.pidAt(slot), tasks.identityAt(slot));
  }
}
