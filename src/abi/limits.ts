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
  /** Objects that one task made and that are still there: beyond it ENOSPC. By default seven eighths of `objectsMax`. */
  readonly taskObjectsMax: number;
  /** Bytes of the heap that the objects of one task take: beyond it ENOMEM. By default seven eighths of the heap. */
  readonly taskHeapBytesMax: number;
  /** Segments attached and SysV objects in use by one task: beyond it EMFILE. By default seven eighths of `descriptionsMax`. */
  readonly taskHoldsMax: number;
  /** Waits of one task under way at one time: beyond it ENOSPC. By default seven eighths of `waitersMax`. */
  readonly taskWaitersMax: number;
  /** Children of one task, zombies among them: beyond it EAGAIN (RLIMIT_NPROC). By default seven eighths of `tasksMax`. */
  readonly taskChildrenMax: number;
}

/** Of a limit for all, what one task may take by default: there is always some left for the others, save where there are few. */
export const shareOf = (all: number): number => all - Math.floor(all / 8);

export const limitDefaults: KernelLimits = {
  regionBytes: 64 * 1024 * 1024,
  tasksMax: 128,
  objectsMax: 1024,
  descriptorsMax: 256,
  descriptionsMax: 4096,
  waitersMax: 4096,
  messageBytesMax: 256,
  taskObjectsMax: shareOf(1024),
  taskHeapBytesMax: shareOf(64 * 1024 * 1024),
  taskHoldsMax: shareOf(4096),
  taskWaitersMax: shareOf(4096),
  taskChildrenMax: shareOf(128),
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
  taskObjectsMax: [1, 1_048_576],
  taskHeapBytesMax: [1, 0xffff0000],
  taskHoldsMax: [1, 4_194_304],
  taskWaitersMax: [1, 1_048_576],
  taskChildrenMax: [1, 65_536],
};
