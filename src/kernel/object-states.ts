// What an object holds, read without its lock, for those who look: a moment's state, of a damaged object whatever its words say.
// Nothing here is written, and every index is bounded before it is used.

import { PID_BOUND, SEMAPHORES_MAX } from "../abi/limits.ts";
import {
  barrier,
  type Geometry,
  isBodyLine,
  kinds,
  monitor,
  mutex,
  mutexTypes,
  pipe,
  queue,
  rwlock,
  segment,
  semaphore,
  semaphoreSet,
  setMember,
  signalFile,
} from "../memory/layout.ts";
import { shapeCount } from "../memory/shape.ts";
import { field, LINE_WORDS, type Word, type Words } from "../memory/words.ts";
import { INCONSISTENT, LOST } from "../objects/mutex.ts";
import { used } from "../objects/positions.ts";

/** Of a pipe or FIFO. */
export interface PipeState {
  /** Written and not yet read. */
  readonly bytes: number;
  /** Bytes that it holds before writers wait. */
  readonly capacity: number;
  /** Bytes written so far, modulo 2^32. */
  readonly written: number;
  /** Bytes read so far, modulo 2^32. */
  readonly read: number;
  /** Read ends that are open. */
  readonly readers: number;
  /** Write ends that are open. */
  readonly writers: number;
}

/** Of a message queue, POSIX's or System V's. */
export interface QueueState {
  /** Sent and not yet received. */
  readonly messages: number;
  /** Messages that it holds before senders wait. */
  readonly depth: number;
  /** The longest message, in bytes. */
  readonly messageBytesMax: number;
  /** Of all messages together; undefined where the queue counts none. */
  readonly bytes?: number;
  /** Bytes of all messages together before senders wait; undefined where only `depth` counts. */
  readonly bytesMax?: number;
  /** How many have been sent so far, modulo 2^32. */
  readonly sent: number;
  /** How many have been received so far, modulo 2^32. */
  readonly received: number;
  /** When the last was sent, in seconds since 1970; 0: never, or not counted. */
  readonly sentSeconds: number;
  /** The task that sent it. */
  readonly sentBy: number;
  /** When the last was received, in seconds since 1970; 0: never, or not counted. */
  readonly receivedSeconds: number;
  /** The task that received it. */
  readonly receivedBy: number;
  /** The task that is told of a message (mq_notify(3)), 0: none. */
  readonly notifies: number;
}

/** Of a shared memory segment. */
export interface SegmentState {
  /** As it was asked for. */
  readonly bytes: number;
  /** How many attachments it has. */
  readonly attached: number;
  /** When it was last attached, in seconds since 1970; 0: never. */
  readonly attachedSeconds: number;
  /** When it was last detached, in seconds since 1970; 0: never. */
  readonly detachedSeconds: number;
  /** The task that attached or detached it last. */
  readonly lastPid: number;
}

/** Of a POSIX semaphore. */
export interface SemaphoreState {
  /** How many waits it lets through. */
  readonly value: number;
}

/** Of a System V semaphore set. */
export interface SemaphoreSetState {
  /** Of each semaphore. */
  readonly values: readonly number[];
  /** For each semaphore, the task that last operated on it or set it. */
  readonly lastPids: readonly number[];
  /** When semop(2) last changed it, in seconds since 1970; 0: never. */
  readonly operatedSeconds: number;
  /** When it was made, or semctl(2) last changed it, in seconds since 1970. */
  readonly changedSeconds: number;
}

/** Of a mutex. */
export interface MutexState {
  /** What it says to a task that locks it again. */
  readonly type: "normal" | "error-checking" | "recursive";
  /** The task that holds it, 0: none. */
  readonly owner: number;
  /** How often its owner has locked it: 0 where none has. */
  readonly locked: number;
  /** An owner has died while it held it, and nobody has said since that what it guards is whole (EOWNERDEAD). */
  readonly ownerDied: boolean;
  /** It is of no use any more (ENOTRECOVERABLE). */
  readonly lost: boolean;
}

/** Of a read/write lock. */
export interface ReadWriteLockState {
  /** The task that writes, 0: none. */
  readonly writer: number;
  /** The tasks that read. */
  readonly readers: readonly number[];
}

/** Of a barrier. */
export interface BarrierState {
  /** How many it waits for. */
  readonly parties: number;
  /** How often it has opened. */
  readonly opened: number;
}

/** Of a signalfd. */
export interface SignalFileState {
  /** Signal s is bit s - 1. */
  readonly signals: bigint;
}

/** A condition variable is those who wait for it, and nothing else. */
export type ConditionState = { readonly [name: string]: never };

/** Which pids a lock's slots of readers are. */
type PidOfSlot = (slotIndex: number) => number;

/** Reads fields of one body. */
type Read = (name: number) => number;

const OWNER = PID_BOUND - 1;

const pipeState = (read: Read): PipeState => {
  const capacity = shapeCount(read(pipe.SHAPE));
  const head = read(pipe.CONSUMER + monitor.POSITION);
  const tail = read(pipe.PRODUCER + monitor.POSITION);
  return {
    bytes: bounded(used(head, tail), capacity),
    capacity,
    written: tail >>> 0,
    read: head >>> 0,
    readers: read(pipe.READERS),
    writers: read(pipe.WRITERS),
  };
};

const queueState = (read: Read): QueueState => {
  const depth = read(queue.DEPTH);
  const sent = read(queue.PRODUCER + monitor.POSITION);
  const received = read(queue.CONSUMER + monitor.POSITION);
  const bytesMax = read(queue.BYTES_MAX) >>> 0;
  const bytesNow = read(queue.SENT_BYTES + (sent & 1)) - read(queue.TAKEN_BYTES + (received & 1));
  return {
    messages: bounded(used(received, sent), shapeCount(read(queue.SHAPE))),
    depth,
    messageBytesMax: read(queue.MESSAGE_BYTES_MAX) >>> 0,
    ...(bytesMax > 0 && { bytes: Math.max(0, bytesNow | 0), bytesMax }),
    sent: sent >>> 0,
    received: received >>> 0,
    sentSeconds: read(queue.SENT_SECONDS) >>> 0,
    sentBy: read(queue.SENT_PID),
    receivedSeconds: read(queue.TAKEN_SECONDS) >>> 0,
    receivedBy: read(queue.TAKEN_PID),
    notifies: read(queue.NOTIFY_PID),
  };
};

const segmentState = (read: Read): SegmentState => ({
  bytes: read(segment.BYTES) >>> 0,
  attached: read(segment.ATTACHED),
  attachedSeconds: read(segment.ATTACHED_SECONDS) >>> 0,
  detachedSeconds: read(segment.DETACHED_SECONDS) >>> 0,
  lastPid: read(segment.LAST_PID),
});

const VALUE_MASK = 0xffff;

const setState = (read: Read, room: number): SemaphoreSetState => {
  const most = Math.min(SEMAPHORES_MAX, Math.floor((room - semaphoreSet.SEMAPHORES) / setMember.WORDS));
  const count = bounded(read(semaphoreSet.COUNT), most);
  const member = (i: number, name: number): number => read(semaphoreSet.SEMAPHORES + i * setMember.WORDS + name);
  return {
    values: Array.from({ length: count }, (_, i) => member(i, setMember.VALUE) & VALUE_MASK),
    lastPids: Array.from({ length: count }, (_, i) => member(i, setMember.PID)),
    operatedSeconds: read(semaphoreSet.OPERATED_SECONDS) >>> 0,
    changedSeconds: read(semaphoreSet.CHANGED_SECONDS) >>> 0,
  };
};

const typeNames = {
  [mutexTypes.NORMAL]: "normal",
  [mutexTypes.ERROR_CHECKING]: "error-checking",
  [mutexTypes.RECURSIVE]: "recursive",
} as const;

const mutexState = (read: Read): MutexState => {
  const state = read(mutex.STATE);
  const type = read(mutex.TYPE) as keyof typeof typeNames;
  const owner = state & OWNER;
  const again = type === mutexTypes.RECURSIVE ? Math.max(0, read(mutex.COUNT)) : 0;
  return {
    type: typeNames[type] ?? "normal",
    owner,
    locked: owner === 0 ? 0 : again + 1,
    ownerDied: (state & INCONSISTENT) !== 0,
    lost: (state & LOST) !== 0,
  };
};

function rwlockState(words: Words, geometry: Geometry, read: Read, pidOfSlot: PidOfSlot): ReadWriteLockState {
  const readers: number[] = [];
  const block = read(rwlock.BLOCK);
  if (isBodyLine(geometry, block)) {
    const first = (block * LINE_WORDS) as Word;
    const room = Math.min(geometry.limits.tasksMax, words.int32.length - first);
    for (let i = 0; i < room; i++) if (words.load(field(first, i)) !== 0) readers.push(pidOfSlot(i));
  }
  return { writer: read(rwlock.WRITER) & OWNER, readers: readers.filter((pid) => pid !== 0) };
}

const signalFileState = (read: Read): SignalFileState => ({
  signals: (BigInt(read(signalFile.SIGNALS + 1) >>> 0) << 32n) | BigInt(read(signalFile.SIGNALS) >>> 0),
});

const bounded = (value: number, most: number): number => Math.max(0, Math.min(value, most));

/** The state of each kind of object. */
export interface ObjectStates {
  /** A pipe. */
  readonly [kinds.PIPE]: PipeState;
  /** A FIFO. */
  readonly [kinds.FIFO]: PipeState;
  /** A message queue of POSIX's. */
  readonly [kinds.QUEUE]: QueueState;
  /** A message queue of System V's. */
  readonly [kinds.SYSV_QUEUE]: QueueState;
  /** A shared memory segment. */
  readonly [kinds.SEGMENT]: SegmentState;
  /** A semaphore of POSIX's. */
  readonly [kinds.SEMAPHORE]: SemaphoreState;
  /** A semaphore set of System V's. */
  readonly [kinds.SEMAPHORE_SET]: SemaphoreSetState;
  /** A mutex. */
  readonly [kinds.MUTEX]: MutexState;
  /** A read/write lock. */
  readonly [kinds.RWLOCK]: ReadWriteLockState;
  /** A condition variable. */
  readonly [kinds.CONDITION]: ConditionState;
  /** A barrier. */
  readonly [kinds.BARRIER]: BarrierState;
  /** A signalfd. */
  readonly [kinds.SIGNALS]: SignalFileState;
}

export type ObjectState = ObjectStates[keyof ObjectStates];

/** Reads the state of an object of a kind, whose body is at a line inside the region; undefined for no kind there is. */
export function objectState(
  words: Words,
  geometry: Geometry,
  kind: number,
  bodyLine: number,
  pidOfSlot: PidOfSlot,
): ObjectState | undefined {
  const body = (bodyLine * LINE_WORDS) as Word;
  const read: Read = (name) => words.load(field(body, name));
  switch (kind) {
    case kinds.PIPE:
    case kinds.FIFO:
      return pipeState(read);
    case kinds.QUEUE:
    case kinds.SYSV_QUEUE:
      return queueState(read);
    case kinds.SEGMENT:
      return segmentState(read);
    case kinds.SEMAPHORE:
      return { value: read(semaphore.VALUE) };
    case kinds.SEMAPHORE_SET:
      return setState(read, words.int32.length - body);
    case kinds.MUTEX:
      return mutexState(read);
    case kinds.RWLOCK:
      return rwlockState(words, geometry, read, pidOfSlot);
    case kinds.CONDITION:
      return {};
    case kinds.BARRIER:
      return { parties: read(barrier.PARTIES), opened: read(barrier.GENERATION) >>> 0 };
    case kinds.SIGNALS:
      return signalFileState(read);
    default:
      return undefined;
  }
}
