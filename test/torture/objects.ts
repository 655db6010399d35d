// What the tortured tasks share, by name. Whoever comes first makes it: the torturer.

import type {
  Barrier,
  Condition,
  Kernel,
  KernelLimits,
  MessageQueue,
  Mutex,
  PipeReader,
  PipeWriter,
  ReadWriteLock,
} from "../../src/index.ts";
import { MESSAGE_BYTES } from "./ledger.ts";

export const limits: Partial<KernelLimits> = { regionBytes: 16 * 1024 * 1024, tasksMax: 64 };
export const SIGNAL = 40;
/** Of the SysV set, whose one semaphore's value all give back when they die. */
export const SET_KEY = 77;
export const SET_VALUE = 3;
const [QUEUE_DEPTH, PIPE_BYTES] = [16, 512];

export interface Shared {
  readonly queue: MessageQueue;
  readonly reader: PipeReader;
  readonly writer: PipeWriter;
  readonly mutex: Mutex;
  readonly rwlock: ReadWriteLock;
  readonly set: number;
  /** Of messages with priorities, each stream's the same. */
  readonly urgent: MessageQueue;
  /** Sent and received in batches. */
  readonly batch: MessageQueue;
  /** Guards a counter, of which the condition tells. */
  readonly counterMutex: Mutex;
  readonly condition: Condition;
  readonly barrier: Barrier;
}

export function makeShared(kernel: Kernel): void {
  kernel.mkfifo("pipe", { capacity: PIPE_BYTES });
  const set = kernel.sys.semget(SET_KEY, 1, 0o1600);
  kernel.sys.semctl(set, 0, 16, SET_VALUE);
}

export function openShared(kernel: Kernel): Shared {
  const create = { create: true } as const;
  const queue = kernel.queue({ name: "queue", depth: QUEUE_DEPTH, messageBytesMax: MESSAGE_BYTES, ...create });
  const reader = kernel.tryOpenFifo("pipe", "read");
  const writer = kernel.tryOpenFifo("pipe", "write");
  const mutex = kernel.mutex({ name: "mutex", ...create });
  const rwlock = kernel.rwlock({ name: "rwlock", ...create });
  const urgent = kernel.queue({ name: "urgent", depth: QUEUE_DEPTH, messageBytesMax: MESSAGE_BYTES, ...create });
  const batch = kernel.queue({ name: "batch", depth: QUEUE_DEPTH, messageBytesMax: MESSAGE_BYTES, ...create });
  const counterMutex = kernel.mutex({ name: "counter", ...create });
  const condition = kernel.condition({ name: "counter", ...create });
  const barrier = kernel.barrier({ name: "barrier", parties: 2, ...create });
  const set = kernel.sys.semget(SET_KEY, 1, 0o600);
  return { queue, reader, writer, mutex, rwlock, set, urgent, batch, counterMutex, condition, barrier };
}
