// The layout of every structure in a region, as data: field names and their word index in the structure. A change of
// anything here changes LAYOUT_VERSION; a test pins both. Fields are grouped by guard, and what is hot for different
// tasks lies on different cache lines (LINE_WORDS words).

import type { KernelLimits } from "../abi/limits.ts";
import { LINE_BYTES, LINE_WORDS, type Offset, WORD_BYTES, type Word } from "./words.ts";

/** "FNGA", read as a little-endian word. */
export const MAGIC = 0x41474e46;
export const LAYOUT_VERSION = 12;

/** What one undo of the journal can hold: the largest transactions (making a pipe, moving one to a larger buffer) need 90. */
export const JOURNAL_ENTRIES_MAX = 240;

/** Supplementary groups of a task. */
export const GROUPS_MAX = 32;

/** The allocator's classes: a power of two of lines, each cut into 8. */
export const CLASS_ROWS = 27;
export const CLASS_COLUMNS = 8;

export const header = {
  // line 0 · immutable once MAGIC is stored, which `create` does last
  MAGIC: 0,
  VERSION: 1,
  REGION_BYTES: 2, // unsigned
  TASKS_MAX: 3,
  OBJECTS_MAX: 4,
  DESCRIPTORS_MAX: 5,
  DESCRIPTIONS_MAX: 6,
  WAITERS_MAX: 7,
  MESSAGE_BYTES_MAX: 8,
  PID_NAMESPACE: 9,
  REGION_ID: 10, // 64 bits
  BOOT_ID: 12, // 128 bits
  // line 1 · the kernel lock's word; the others guarded by it
  KERNEL_LOCK: 16,
  JOURNAL_COUNT: 17, // 0: no transaction is open
  OBJECT_FREE: 18, // head of the free objects, 0: none
  DESCRIPTION_FREE: 19, // head of the free descriptions, 0: none
  RESERVED_BYTES: 20, // unsigned; the region is backed by memory up to here
  CLASS_ROW_MAP: 21, // bit r: row r has a free block
  OBJECTS_USED: 22,
  RULES_GIVEN: 23, // how many numbers of rules have been given to queues; never taken back
  // line 2 · atomic
  SWEPT_MS: 32, // when somebody last looked at every task
  BURIED: 33, // tasks buried so far
  TAKEN_OVER: 34, // locks taken over from dead owners so far
  CPUS: 35, // the CPUs that any task so far may run on; c is bit c % 32
  // immutable
  TASK_OBJECTS_MAX: 36,
  TASK_HEAP_BYTES_MAX: 37, // unsigned
  TASK_HOLDS_MAX: 38,
  TASK_WAITERS_MAX: 39,
  TASK_CHILDREN_MAX: 40,
  // guarded by the kernel lock
  CLASS_COLUMN_MAPS: 48, // CLASS_ROWS words
  CLASS_HEADS: 80, // CLASS_ROWS * CLASS_COLUMNS words: first free block, as a line, 0: none
  JOURNAL: 80 + CLASS_ROWS * CLASS_COLUMNS, // JOURNAL_ENTRIES_MAX pairs of word index and old value
} as const;

const HEADER_WORDS = roundUp(header.JOURNAL + 2 * JOURNAL_ENTRIES_MAX, LINE_WORDS);

/** A task's slot. A task with pid p lives in slot (p - 1) % tasksMax. */
export const task = {
  // line 0 · IDENTITY is claimed by compare-exchange from 0 and returned to 0 last; the rest is its owner's
  IDENTITY: 0, // 64 bits: thread id and start time in the operating system, 0: the slot is free
  PID: 2, // published last at attach, cleared at burial just before IDENTITY
  LAST_PID: 3, // the pid of the slot's last task; the next one's is tasksMax higher
  PARENT_PID: 4,
  OS_PID: 5,
  OS_THREAD_ID: 6,
  // line 1 · BELL atomic, see sync/bell.ts; the rest is written by the owner before it first arms the bell
  BELL: 16,
  BELL_DESCRIPTOR: 17,
  BELL_INODE: 18,
  POLL: 19, // atomic; what a task sleeps on that polls (sync/poll-word.ts)
  POLL_SINCE: 20, // when it began to, as a node's SINCE
  // line 2 · credentials(7), written by the owner only
  REAL_UID: 32,
  EFFECTIVE_UID: 33,
  SAVED_UID: 34,
  REAL_GID: 35,
  EFFECTIVE_GID: 36,
  SAVED_GID: 37,
  UMASK: 38,
  GROUP_COUNT: 39,
  GROUPS: 48, // GROUPS_MAX words
  // line 5 · signal(7): sets of 64 bits
  SIGNALS_PENDING: 80, // guarded by the kernel lock, and read by all
  SIGNALS_DIRECT: 82, // 64 bits, atomic: one more that is pending, and all that is known of it; else 0 and the task's pid (tasks/direct-signal.ts)
  // atomic; written by the owner
  SIGNALS_BLOCKED: 84,
  SIGNALS_IGNORED: 86,
  SIGNALS_CAUGHT: 88,
  SIGNALS_AWAITED: 90, // those that it waits for in sigwaitinfo(2)
  // atomic
  PROCESS_GROUP: 92,
  ENDED_BY: 93, // the signal that ends it
  HOST_THREAD: 94, // the host's number of its thread in its process; written by its parent, then by itself
  CHILD: 95, // a mask of `child`
  // line 6 · wait(2): what its parent is told. Guarded by the kernel lock
  ENDED: 96, // 0: it has not; else ENDED_MARK and its wait status, with ENDED_GUESS where the host may know better
  STOPPED: 97, // the signal that stopped it, 0: it runs; what a worker thread that is stopped sleeps on
  REPORT: 98, // what its parent has not been told yet: 0 nothing, else a wait status of one that stopped or goes on
  CHILDREN: 99, // atomic, written by the owner: SA_NOCLDSTOP and SA_NOCLDWAIT, as it asked with SIGCHLD's action
  BORN: 100, // which of its parent's children it is, as they were made: who is waited for first
  // what it has taken of what all share (memory/charges.ts). Guarded by the kernel lock
  OBJECTS: 101, // that it made, and that are still there
  HEAP_LINES: 102, // of the heap, that it pays for
  HOLDS: 103, // descriptions that it holds other than by descriptors
  // line 7 · a signalInfo of the task's own, as its queue may hold it, so that one signal at a time need no memory
  OWN_INFO: 112,
  SIGNALS_QUEUE: 125, // the first signalInfo of those that are pending, as a line, 0: none. Guarded by the kernel lock
  SIGNALS_QUEUED: 126, // the same
  OWN_INFO_USED: 127, // guarded by the kernel lock, as what is pending
  // line 8 · a message on its way between the caller's bytes and a queue's slot, as in a slot (memory/staging.ts): the owner's
  STAGED: 128, // `message.DATA` words and 128 bytes
  WORDS: 176,
} as const;

/** AWAITED: its parent is to wait for it, so it stays as a zombie. BEGUN: its thread has attached. */
export const child = { AWAITED: 1, BEGUN: 2 } as const;
export const ENDED_MARK = 0x10000;
export const ENDED_GUESS = 0x20000;

/** The identity of a zombie: no thread has it. */
export const ZOMBIE = -1n;

/** An object of any kind. */
export const object = {
  // guarded by the kernel lock
  KIND: 0, // 0 FREE, else a value of `kinds`
  REFERENCES: 1, // descriptions that refer to it
  LINKED: 2, // 1: a name or key leads to it
  BODY: 3, // its body's first line, in lines
  GENERATION: 4, // counts the objects that have lived in this slot
  NEXT: 5, // next in the bucket, or in the free list
  HASH: 6,
  KEY: 7, // SysV key, 0: none
  NAME_BYTES: 8, // 0: no name
  MODE: 9,
  UID: 10,
  GID: 11,
  CREATOR_UID: 12,
  CREATOR_GID: 13,
  CREATOR_PID: 14,
  CHANGED: 15, // when it was made, or its owner or mode last set: seconds since 1970
  NAME: 16, // up to 256 bytes
  WORDS: 80,
} as const;

/** QUEUE is POSIX's, with priorities; SYSV_QUEUE is found by key, and is selected from by type. */
export const kinds = {
  PIPE: 1,
  FIFO: 2,
  QUEUE: 3,
  SYSV_QUEUE: 4,
  SEGMENT: 5,
  SEMAPHORE: 6,
  SEMAPHORE_SET: 7,
  MUTEX: 8,
  RWLOCK: 9,
  CONDITION: 10,
  BARRIER: 11,
  SIGNALS: 12,
} as const;

/** Of an object's MODE, above the permissions: it is to be destroyed, and lives while it is in use. */
export const MODE_REMOVED = 0o1000;

/** A descriptor: 0 none, else a description's index + 1, or HOST and the number of a stream of the host's. */
export const descriptor = { HOST: 1 << 28, CLOSE_ON_EXEC: 1 << 30 } as const;

/** An open file description: shared by every descriptor made from it. Guarded by the kernel lock. */
export const description = {
  OBJECT: 0, // index of the object + 1, 0: free
  ACCESS: 1, // a mask of `access`
  REFERENCES: 2, // descriptors that refer to it
  FLAGS: 3, // O_NONBLOCK and the like (open(2))
  NEXT: 4, // in the free list
  OWNER: 5, // the pid of the task that holds it other than by a descriptor: an attachment, or the use of a SysV queue; else 0
  POSITION: 6, // of a POSIX queue: bytes read of its status text; of a FIFO's reader that did not wait for a writer: how many there had been; of a semaphore set: the first line of the holder's adjustments, 0: none
  WORDS: 8,
} as const;

/** How a description refers to its object. ATTACH and USE are held by a task, not by descriptors. */
export const access = { READ: 1, WRITE: 2, ATTACH: 4, USE: 8 } as const;

/** A wait node. */
export const node = {
  OWNER: 0, // pid; claimed by compare-exchange from 0
  STATE: 1, // atomic; the word its owner sleeps on, see sync/wait-list.ts
  LIST: 2, // the monitor whose list it is in, or was woken from; 0: none
  // guarded by that monitor's lock
  NEXT: 3,
  PREVIOUS: 4,
  TICKET: 5, // order of arrival: what the list is sorted by; 0: it has not arrived yet
  WANT: 6, // how much must be there for this waiter to go on; 0: it only looks, and uses nothing up
  SELECT: 8, // 64 bits: which messages it waits for, see objects/selection.ts
  SELECT_KIND: 10,
  // the owner's; for those who look at a region from outside
  SINCE: 15, // when it began to wait, in tenths of a second since 1970, 32 bits of it; 0: it has not said
  WORDS: 16,
} as const;

/** What a node's SELECT_KIND says of one that waits for a semaphore set: SELECT is its first operation. */
export const SELECT_OPERATIONS = 16;

/** The rest of a wait node whose SELECT_KIND is SELECT_OPERATIONS. Guarded by the lock of its set's monitor. */
export const operationsNode = {
  RESULT: 7, // what came of the operations: 1 nothing yet, 0 they are done, else a negative errno
  MORE: 11, // the node with the operations after the first, in no list, 0: none
  COUNT: 12, // operations; and OPERATIONS_ALTER where one changes a value
  UNDO: 13, // the first line of the owner's adjustments, 0: none
  BLOCKING: 14, // the semaphore that the first operation which cannot be done waits for; AWAITS_ZERO with it where it waits for zero
} as const;

export const OPERATIONS_ALTER = 1 << 16;

/** A node that holds more operations of the same owner, two words each. */
export const operationsMore = { OWNER: 0, NEXT: 3, OPERATIONS: 4, WORDS: 16 } as const;

/** A lock and the list of those who wait for what its holders do: one cache line, with room for what the lock guards. */
export const monitor = {
  LOCK: 0, // atomic, see sync/robust-lock.ts
  // of a ring, guarded by LOCK
  POSITION: 1, // the producer's tail, the consumer's head: free-running, published by one store, read by the other side. With LOCK 64 bits that change at once (Words.moveAndUnlock)
  // guarded by LOCK
  LAST: 2,
  TICKET: 3,
  FIRST: 4,
  LOOKERS: 6, // nodes in the list that only look
  // of a ring, guarded by LOCK
  CACHED_OPPOSITE: 5, // what was last seen of the other side's POSITION: never ahead of it
  WORDS: 16,
} as const;

/** A pipe or FIFO: one line of its own, two monitors. Its bytes are a block of their own, so that they can move. */
export const pipe = {
  /** Where the bytes are, and how many: line * 32 + log2(bytes). Changed by one store, under both monitors' locks. */
  SHAPE: 0,
  // guarded by the kernel lock, read by all
  READERS: 1,
  WRITERS: 2,
  READERS_OPENED: 3, // how many times the read end was opened; free-running
  WRITERS_OPENED: 4,
  // guarded by the kernel lock: while the bytes are moved, the shapes before and after; else 0
  OLD_SHAPE: 5,
  NEW_SHAPE: 6,
  PRODUCER: 16,
  CONSUMER: 32,
  WORDS: 48,
} as const;

/**
 * A message queue: a line of its own, two monitors with what their locks guard. Its slots are a block of their own, so that
 * they can become more. POSITION of the producer is the number of messages sent so far, of which those do not count yet that their
 * sender has still to count (SENT of their slots tells), of the consumer that of messages taken so far.
 */
export const queue = {
  /** Where the slots are, and how many: line * 32 + log2(slots). Changed by one store, under both monitors' locks. */
  SHAPE: 0,
  RESERVED_ROOM: 1, // atomic, see sync/reservation.ts: room for one message is kept for a sender
  MESSAGE_BYTES_MAX: 2, // immutable
  // guarded by the producer lock, read by all
  MIXED_AT: 3, // the position of the last message whose priority differs from its predecessor's
  // guarded by the kernel lock, read by all
  DEPTH: 4, // messages
  BYTES_MAX: 5, // of all messages together; 0: no bound but DEPTH's, and nothing is counted
  REMOVED: 6, // 1: whoever uses it is told EIDRM
  RULES: 7, // another number with each change of owner, mode, DEPTH, BYTES_MAX, REMOVED, SHAPE and NOTIFY_PID
  OLD_SHAPE: 8, // as a pipe's
  NEW_SHAPE: 9,
  // guarded by the kernel lock: who is told of a message that arrives in the empty queue (mq_notify(3))
  NOTIFY_PID: 10, // 0: nobody
  NOTIFY_KIND: 11,
  NOTIFY_SIGNAL: 12,
  NOTIFY_TICKET: 13, // counts registrations
  // set under either lock, never cleared
  MIXED: 14, // 1 once two messages in a row have had different priorities, or one was taken out of order
  RESERVED_MESSAGE: 15, // atomic: one is kept for a receiver
  PRODUCER: 16,
  // guarded by the producer lock
  LAST_PRIORITY: 16 + 8,
  SENT_BYTES: 16 + 9, // two words: of the first n messages, in the word n & 1
  SENT_SECONDS: 16 + 11, // when the last was sent, in seconds since 1970
  SENT_PID: 16 + 12,
  // guarded by the kernel lock
  NOTIFY_FROM: 16 + 13, // how many messages had been taken when the one who is to be told asked for it
  NOTIFY_VALUE: 16 + 14, // 64 bits
  CONSUMER: 32,
  // guarded by the consumer lock
  MIXED_UNTIL: 32 + 7, // as MIXED_AT, of messages that were moved: up to this position the first need not be the most urgent
  HEAD: 32 + 8, // position of the first message: as many less than were taken as there are holes behind it
  MOVING: 32 + 9, // 1 while a message moves from a slot into a hole
  MOVE_FROM: 32 + 10, // positions
  MOVE_TO: 32 + 11,
  TAKEN_BYTES: 32 + 12, // two words, as SENT_BYTES
  TAKEN_SECONDS: 32 + 14,
  TAKEN_PID: 32 + 15,
  WORDS: 48,
} as const;

/** A message's slot. */
export const message = {
  // guarded by the producer lock until published, by the consumer lock after
  LENGTH: 0, // bytes
  STATE: 1, // a value of `messageStates`
  TYPE: 2, // 64 bits
  SENDER: 4, // pid
  PRIORITY: 5,
  SENT: 6, // atomic: says of which position's message it is that was sent last, see queue-steps.ts; 0: of none
  DATA: 8, // 8-byte aligned
} as const;

export const messageStates = { LIVE: 0, HOLE: 1 } as const; // a hole's message was taken out of order

/** A shared memory segment: one line of its own. Its bytes begin on a page, in a block of their own. Guarded by the kernel lock. */
export const segment = {
  BYTES: 0, // unsigned; as it was asked for
  BLOCK: 1, // the block's first line
  DATA: 2, // the bytes' first line
  ATTACHED: 3, // how many attachments there are
  ATTACHED_SECONDS: 4, // when last, in seconds since 1970
  DETACHED_SECONDS: 5,
  LAST_PID: 6, // of the last attach or detach
  WORDS: 16,
} as const;

/** A semaphore: one line, a monitor with what it counts. */
export const semaphore = {
  MONITOR: 0, // waiters
  VALUE: 8, // atomic
  WORDS: 16,
} as const;

/** A mutex: one line, a monitor with the word that says who holds it. */
export const mutex = {
  MONITOR: 0, // waiters
  STATE: 8, // atomic, see objects/mutex.ts
  COUNT: 9, // its owner's: how many times more it has locked it
  TYPE: 10, // immutable: a value of `mutexTypes`
  HANDED_MS: 11, // when it was last handed to a waiter, on the world's clock; written under the monitor's lock, read by all
  WORDS: 16,
} as const;

export const mutexTypes = { NORMAL: 0, ERROR_CHECKING: 1, RECURSIVE: 2 } as const;

/** A read/write lock: one line, and in a block of its own a word for each slot of a task. */
export const rwlock = {
  MONITOR: 0, // waiters: readers and writers in one line
  WRITER: 8, // atomic, see objects/rwlock.ts
  BLOCK: 9, // immutable: the block's first line
  WORDS: 16,
} as const;

/** A condition variable: those who wait for it. */
export const condition = {
  MONITOR: 0,
  WORDS: 16,
} as const;

/** A barrier. Who has arrived stands in the monitor's list. */
export const barrier = {
  MONITOR: 0,
  PARTIES: 8, // immutable
  GENERATION: 9, // guarded by the lock, read by all: how often it has opened
  WORDS: 16,
} as const;

/** A signal file (signalfd(2)). Guarded by the kernel lock, read by all. */
export const signalFile = {
  SIGNALS: 0, // 64 bits: signal s is bit s - 1
  WORDS: 16,
} as const;

/** A signal that is pending, beside its bit. Guarded by the kernel lock. */
export const signalInfo = {
  NEXT: 0, // as a line, 0: none
  SIGNAL: 1,
  CODE: 2, // si_code
  PID: 3,
  UID: 4,
  VALUE: 5, // 64 bits
  WORDS: 16,
} as const;

/**
 * A System V semaphore set: a line of its own, a monitor with what its lock guards, and the semaphores. A value is kept twice in
 * its word, as it is (bits 0 to 15) and as it is to be (bits 16 to 31): see objects/semaphore-set.ts.
 */
export const semaphoreSet = {
  COUNT: 0, // immutable
  // guarded by the kernel lock, read by all
  REMOVED: 1, // 1: whoever uses it is told EIDRM
  RULES: 2, // another number with each change of owner, mode and REMOVED
  MONITOR: 16,
  // guarded by the monitor's lock
  PENDING: 16 + 7, // what makes the values as they are to be: 0 nothing, 1 a task's own operations, 2 a setting, else the node of whom it is done for
  UNDO: 16 + 8, // the first line of the adjustments that are changed with the values, 0: none
  CLEARINGS: 16 + 9, // how often adjustments were cleared
  SET_INDEX: 16 + 10, // the semaphore that is being set, -1: all
  OPERATED_SECONDS: 16 + 11, // when operations were last done, in seconds since 1970
  CHANGED_SECONDS: 16 + 12, // when a value was last set
  SEMAPHORES: 32,
} as const;

/** One of a set's semaphores. Guarded by the lock of the set's monitor. */
export const setMember = {
  VALUE: 0, // published by one store, read by all
  PID: 1, // of the last operation or setting
  CLEARED: 2, // the number of the clearing that last cleared its adjustments
  WORDS: 4,
} as const;

/** What SEM_UNDO adds to a semaphore's value when its task dies: a task has a block of them for each set. */
export const adjustment = {
  VALUE: 0, // twice, as a semaphore's
  CLEARED: 1, // it is 0 where this is not the semaphore's
  WORDS: 2,
} as const;

/** The allocator's block: one line ahead of what it holds. Guarded by the kernel lock. */
export const block = {
  LINES: 0, // with this header
  USED: 1,
  BEFORE: 2, // the block that ends where this begins, as a line; 0: none
  NEXT_FREE: 3,
  PREVIOUS_FREE: 4,
  PAYER: 5, // of one in use: the pid of the task whose share of the heap it is, 0: nobody's
} as const;

/** Where each table begins, in words, and where the heap does, in lines. */
export interface Geometry {
  readonly limits: KernelLimits;
  readonly tasks: Word;
  readonly descriptors: Word;
  readonly objects: Word;
  readonly buckets: Word;
  readonly bucketCount: number;
  readonly descriptions: Word;
  readonly nodes: Word;
  readonly heapLine: number;
  readonly heapEndLine: number;
}

/** The tables in order: header, tasks, descriptors, objects, buckets, descriptions, wait nodes, heap. */
export function geometryOf(limits: KernelLimits): Geometry {
  let next = HEADER_WORDS;
  const place = (words: number): Word => {
    const at = next as Word;
    next = roundUp(next + words, LINE_WORDS);
    return at;
  };
  const bucketCount = powerOfTwoFrom(limits.objectsMax);
  const tasks = place(limits.tasksMax * task.WORDS);
  const descriptors = place(limits.tasksMax * limits.descriptorsMax);
  const objects = place(limits.objectsMax * object.WORDS);
  const buckets = place(bucketCount);
  const descriptions = place(limits.descriptionsMax * description.WORDS);
  const nodes = place(limits.waitersMax * node.WORDS);
  const heapLine = next / LINE_WORDS;
  const heapEndLine = Math.floor(limits.regionBytes / LINE_BYTES);
  return { limits, tasks, descriptors, objects, buckets, bucketCount, descriptions, nodes, heapLine, heapEndLine };
}

/** No body of an object is longer, but a System V set's, which looks to its own length. */
const BODY_LINES_MAX = 16;

/** Whether an object's body can begin at a line. What is read from the region may say anything. */
export const isBodyLine = ({ heapLine, heapEndLine }: Geometry, line: number): boolean =>
  line > heapLine && line <= heapEndLine - BODY_LINES_MAX;

/** The bytes that the tables take before the heap begins. */
export const tableBytes = (geometry: Geometry): Offset => (geometry.heapLine * LINE_BYTES) as Offset;

export const HEADER_BYTES = HEADER_WORDS * WORD_BYTES;

export function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

/** The least power of two that is at least `value`. */
export function powerOfTwoFrom(value: number): number {
  let power = 1;
  while (power < value) power *= 2;
  return power;
}

export function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(value) && value > 0 && powerOfTwoFrom(value) === value;
}
