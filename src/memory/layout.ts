// The layout of every structure in a region, as data: field names and their word index in the structure. A change of
// anything here changes LAYOUT_VERSION; a test pins both. Fields are grouped by guard, and what is hot for different
// tasks lies on different cache lines (LINE_WORDS words).

import type { KernelLimits } from "../abi/limits.ts";
import { LINE_BYTES, LINE_WORDS, type Offset, WORD_BYTES, type Word } from "./words.ts";

/** "FNGA", read as a little-endian word. */
export const MAGIC = 0x41474e46;
export const LAYOUT_VERSION = 1;

/** What one undo of the journal can hold: the largest transaction (making a pipe and opening both ends) needs 54. */
export const JOURNAL_ENTRIES_MAX = 120;

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
  // line 2 · atomic
  SWEPT_MS: 32, // when somebody last looked at every task
  BURIED: 33, // tasks buried so far
  TAKEN_OVER: 34, // locks taken over from dead owners so far
  CPUS: 35, // the CPUs that any task so far may run on; c is bit c % 32
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
  UID: 7,
  GID: 8,
  // line 1 · BELL atomic, see sync/bell.ts; the rest is written by the owner before it first arms the bell
  BELL: 16,
  BELL_DESCRIPTOR: 17,
  BELL_INODE: 18,
  WORDS: 32,
} as const;

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
  NAME: 16, // up to 256 bytes
  WORDS: 80,
} as const;

export const kinds = { PIPE: 1, FIFO: 2, QUEUE: 3 } as const;

/** An open file description: shared by every descriptor made from it. Guarded by the kernel lock. */
export const description = {
  OBJECT: 0, // index of the object + 1, 0: free
  ACCESS: 1, // a mask of `access`
  REFERENCES: 2, // descriptors that refer to it
  FLAGS: 3,
  NEXT: 4, // in the free list
  WORDS: 8,
} as const;

export const access = { READ: 1, WRITE: 2 } as const;

/** A wait node. */
export const node = {
  OWNER: 0, // pid; claimed by compare-exchange from 0
  STATE: 1, // atomic; the word its owner sleeps on, see sync/wait-list.ts
  LIST: 2, // the monitor whose list it is in, or was woken from; 0: none
  // guarded by that monitor's lock
  NEXT: 3,
  PREVIOUS: 4,
  TICKET: 5, // order of arrival: what a repair sorts by
  WANT: 6, // how much must be there for this waiter to go on
  WORDS: 16,
} as const;

/** A lock and the list of those who wait for what its holders do: one cache line, with room for what the lock guards. */
export const monitor = {
  LOCK: 0, // atomic, see sync/robust-lock.ts
  // guarded by LOCK
  FIRST: 1,
  LAST: 2,
  TICKET: 3,
  // of a ring, guarded by LOCK
  POSITION: 4, // the producer's tail, the consumer's head: free-running, published by one store, read by the other side
  CACHED_OPPOSITE: 5, // what was last seen of the other side's POSITION: never ahead of it
  WORDS: 16,
} as const;

/** A pipe or FIFO: one line of its own, two monitors, the bytes. */
export const pipe = {
  CAPACITY: 0, // immutable; bytes, a power of two
  // guarded by the kernel lock, read by all
  READERS: 1,
  WRITERS: 2,
  READERS_OPENED: 3, // how many times the read end was opened; free-running
  WRITERS_OPENED: 4,
  PRODUCER: 16,
  CONSUMER: 32,
  DATA: 48,
} as const;

/** A message queue: one line of its own, two monitors, the slots. */
export const queue = {
  // immutable
  DEPTH: 0, // messages
  SLOTS: 1, // a power of two, at least DEPTH
  SLOT_WORDS: 2,
  MESSAGE_BYTES_MAX: 3,
  PRODUCER: 16,
  CONSUMER: 32,
  SLOT: 48,
} as const;

/** A message's slot. STATE and PRIORITY are kept for selection by type and priority: until then 0. */
export const message = {
  // guarded by the producer lock until published, by the consumer lock after
  LENGTH: 0, // bytes
  SENDER: 1, // pid
  TYPE: 2, // 64 bits
  PRIORITY: 4,
  STATE: 5,
  DATA: 8, // 8-byte aligned
} as const;

/** The allocator's block: one line ahead of what it holds. Guarded by the kernel lock. */
export const block = {
  LINES: 0, // with this header
  USED: 1,
  BEFORE: 2, // the block that ends where this begins, as a line; 0: none
  NEXT_FREE: 3,
  PREVIOUS_FREE: 4,
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
