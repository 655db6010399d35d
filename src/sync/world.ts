// What the floors need of the world they run in: threads of one process, processes of one machine, later a browser.
// Implemented in platforms/, chosen once when a region is opened.

import type { Word } from "../memory/words.ts";

/** The only thing that sleeps. */
export interface Parker {
  /**
   * Sleeps while the word holds `expected`, for at most `milliseconds`. Returns at once where it holds something else.
   * May return for no reason: callers look at the word again.
   */
  park(word: Word, expected: number, milliseconds: number): void;
  /** Wakes at most `count` of those who sleep on the word. */
  unpark(word: Word, count: number): void;
}

/** Wakes a task's event loop from another task; see sync/bell.ts for when. */
export interface Doorbell {
  /** Begins to listen for this task's own bell. The two words are the task's, for what others need to ring it. */
  install(bell: Word, descriptor: Word, inode: Word, onRing: () => void): void;
  /** Makes sure that a ring after the bell was armed is heard. `armed` is the value that the bell's word has then. */
  listen(armed: number): void;
  /** Rings the bell of a task. */
  ring(bell: Word, osPid: number, descriptor: number, inode: number): void;
  /** Stops listening, for good. */
  close(): void;
}

/** The host's standard input, output and error: descriptors 0, 1 and 2 of a new task. */
export interface HostStreams {
  /** read(2) of the host's: bytes, 0 at the end, or a negative errno. May block. */
  read(stream: number, target: Uint8Array): number;
  /** write(2) of the host's: bytes, or a negative errno. */
  write(stream: number, source: Uint8Array): number;
  /** What poll(2) says of it now: POLLIN, POLLOUT, POLLHUP and POLLERR. */
  ready(stream: number): number;
}

/** What the host does to tasks. */
export interface HostTasks {
  /** Sends a process of the host's SIGKILL, SIGSTOP or SIGCONT. */
  signalProcess(osPid: number, signal: number): void;
  /** Ends this thread, and with a main thread its process, as a signal does. */
  endSelf(signal: number): void;
  /** Ends it with an exit code. */
  exit(code: number): void;
  /** Who a process's main thread is; undefined where there is no such process. */
  identityOf(osPid: number): bigint | undefined;
  /** The wait status of a process that has ended, while the host still knows it; else undefined. */
  statusOf(identity: bigint): number | undefined;
}

export interface World {
  readonly tasks: HostTasks;
  readonly parker: Parker;
  readonly streams: HostStreams;
  readonly doorbell: Doorbell;
  /** This thread, as the operating system knows it: thread id and start time; never 0. */
  readonly identity: bigint;
  readonly osPid: number;
  readonly osThreadId: number;
  /** The host's number of this thread in its process: a Worker's threadId. */
  readonly hostThread: number;
  readonly uid: number;
  readonly gid: number;
  /** The CPUs that this thread may run on; CPU c is bit c % 32. */
  readonly cpuMask: number;
  /** Whether the thread that `identity` names still lives. Exact: a zombie is dead, a paused thread is alive. */
  isAlive(identity: bigint): boolean;
  /** Milliseconds of a monotonic clock that all tasks of the region share; positive, 31 bits, wraps. */
  nowMs(): number;
  /** Calls back after the event loop has had a turn. */
  afterTurn(callback: () => void): void;
  /** Tells the CPU that this is a spin, where the engine can. */
  relax(): void;
  /** Lets another thread run that waits for this CPU (sched_yield(2)); absent where that cannot be had. */
  readonly giveWay?: (() => void) | undefined;
}
