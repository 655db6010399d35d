// What has a limit, its default and its bound. Counts are counts; what is in bytes says so.

/** Writes of up to this many bytes into a pipe are atomic (pipe(7)). */
export const PIPE_BUF = 4096;

/** The mission: "Fixed-size circular buffer (4KB default)". */
export const PIPE_BYTES_DEFAULT = 4096;

/** The default of `msg_max` for POSIX queues (mq_overview(7)), and the mission's own example: `MessageQueue::new(10)`. */
export const QUEUE_DEPTH_DEFAULT = 10;

/** Bytes that a SysV queue holds: Linux's msgmnb (proc_sys_kernel(5)). */
export const QUEUE_BYTES_DEFAULT = 16_384;

/** Priorities of a POSIX queue are below this (mq_overview(7), MQ_PRIO_MAX). */
export const PRIORITY_BOUND = 32_768;

/** Semaphores of a set, operations of one semop, and the highest value of a semaphore: Linux's SEMMSL, SEMOPM, SEMVMX. */
export const SEMAPHORES_MAX = 32_000;
export const OPERATIONS_MAX = 500;
export const SEMAPHORE_VALUE_MAX = 32_767;

/** The longest name of an object, in bytes of UTF-8 (NAME_MAX). */
export const NAME_BYTES_MAX = 255;

/** How long a waiter sleeps before it looks again by itself. Two of them and a little are the 250 ms of a dead task. */
export const WAIT_SLICE_MS = 100;

/** Task ids are positive and below this: a lock's word holds one beside its flag bits. */
export const PID_BOUND = 1 << 28;

/** Set when a kernel is created, and fixed for its life. */
export interface KernelLimits {
  /** The region, in bytes. Sparse: what is not used costs nothing. */
  readonly regionBytes: number;
  /** Tasks attached at one time. */
  readonly tasksMax: number;
  /** Pipes, FIFOs, queues and later objects alive at one time. */
  readonly objectsMax: number;
  /** Descriptors of a task; 0, 1 and 2 among them are kept for the host's standard input, output and error. */
  readonly descriptorsMax: number;
  /** Open file descriptions in the whole kernel. */
  readonly descriptionsMax: number;
  /** Waits under way at one time, over all tasks. */
  readonly waitersMax: number;
  /** The longest message of any queue, in bytes. The mission: 256. */
  readonly messageBytesMax: number;
}

export const limitDefaults: KernelLimits = {
  regionBytes: 64 * 1024 * 1024,
  tasksMax: 128,
  objectsMax: 1024,
  descriptorsMax: 256,
  descriptionsMax: 4096,
  waitersMax: 4096,
  messageBytesMax: 256,
};

/** Inclusive bounds of each limit. A region's offsets are unsigned 32-bit. */
export const limitBounds: { readonly [name in keyof KernelLimits]: readonly [least: number, most: number] } = {
  regionBytes: [64 * 1024, 0xffff0000],
  tasksMax: [1, 65_536],
  objectsMax: [1, 1_048_576],
  descriptorsMax: [4, 65_536],
  descriptionsMax: [2, 4_194_304],
  waitersMax: [1, 1_048_576],
  messageBytesMax: [1, 256 * 1024 * 1024],
};
