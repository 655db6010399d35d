// The rows of the benchmark, as data: what is measured, where, beside which peer, and what is asked of the ratio.

import { readFileSync } from "node:fs";
import type { Placement } from "./placement.ts";

/** What our side does; queue-side.ts, pipe-side.ts and lock-side.ts know the roles that each one takes. */
export type OurWork =
  | "queue-pair"
  | "queue-stream"
  | "queue-roundtrip"
  | "pipe-stream"
  | "semaphore-pair"
  | "mutex-pair"
  | "mutex-contended";

export interface Peer {
  name: "sysv-msg" | "posix-mq" | "pipe" | "sysv-sem" | "pthread-mutex";
  /** The subcommand of bench/peers.c. */
  work: string;
  /** Messages that our queue holds in this comparison; absent: the default. */
  depth?: (bytes: number) => number;
}

export interface Case {
  placement: Placement;
  bytes: number;
  /** The least ratio (peer_ns / ours_ns) that the budget asks for; absent where it asks for none. */
  ratioLeast?: number;
}

export interface Row {
  name: string;
  work: OurWork;
  cases: Case[];
  peers: Peer[];
  /** What one run does at the least before its clock starts, in operations; also the length of the first, discarded run. */
  warmupOperations: number;
}

/** A System V queue is full when its messages reach this many bytes, 16 KiB by default. */
function sysvQueueBytes(): number {
  return Number(readFileSync("/proc/sys/kernel/msgmnb", "utf8"));
}

/** A POSIX queue holds 10 messages unless its creator asks for more (/proc/sys/fs/mqueue/msg_default). */
const MQ_DEPTH = 10;

/** What a lock is. */
const WORD_BYTES = 4;

export const ROWS: readonly Row[] = [
  {
    name: "queue-pair",
    work: "queue-pair",
    cases: [
      { placement: "one-task", bytes: 64, ratioLeast: 4 },
      { placement: "one-task", bytes: 256, ratioLeast: 4 },
    ],
    peers: [{ name: "sysv-msg", work: "sysv-pair" }],
    warmupOperations: 50_000,
  },
  {
    name: "queue-stream",
    work: "queue-stream",
    cases: [
      { placement: "two-cpus", bytes: 256, ratioLeast: 3 },
      { placement: "one-cpu", bytes: 256 },
    ],
    peers: [
      { name: "sysv-msg", work: "sysv-stream", depth: (bytes) => Math.floor(sysvQueueBytes() / bytes) },
      { name: "posix-mq", work: "mq-stream", depth: () => MQ_DEPTH },
    ],
    warmupOperations: 50_000,
  },
  {
    name: "queue-roundtrip",
    work: "queue-roundtrip",
    cases: [{ placement: "two-cpus", bytes: 64, ratioLeast: 15 }],
    peers: [
      { name: "sysv-msg", work: "sysv-roundtrip" },
      { name: "posix-mq", work: "mq-roundtrip" },
      { name: "pipe", work: "pipe-roundtrip" },
    ],
    warmupOperations: 3_000,
  },
  {
    name: "queue-roundtrip-park",
    work: "queue-roundtrip",
    cases: [{ placement: "one-cpu", bytes: 64, ratioLeast: 1 / 1.25 }],
    peers: [{ name: "pipe", work: "pipe-roundtrip" }],
    warmupOperations: 20_000,
  },
  {
    name: "pipe-stream",
    work: "pipe-stream",
    cases: [
      { placement: "two-cpus", bytes: 65_536, ratioLeast: 1.5 },
      { placement: "one-cpu", bytes: 65_536, ratioLeast: 1.5 },
    ],
    peers: [{ name: "pipe", work: "pipe-stream" }],
    warmupOperations: 131_072,
  },
  {
    name: "semaphore-pair",
    work: "semaphore-pair",
    cases: [{ placement: "one-task", bytes: WORD_BYTES, ratioLeast: 5 }],
    peers: [{ name: "sysv-sem", work: "sysv-sem-pair" }],
    warmupOperations: 100_000,
  },
  {
    name: "mutex-pair",
    work: "mutex-pair",
    cases: [{ placement: "one-task", bytes: WORD_BYTES, ratioLeast: 1 / 2 }],
    peers: [{ name: "pthread-mutex", work: "mutex-pair" }],
    warmupOperations: 100_000,
  },
  {
    name: "mutex-contended",
    work: "mutex-contended",
    cases: [{ placement: "two-cpus", bytes: WORD_BYTES, ratioLeast: 1 / 2 }],
    peers: [{ name: "pthread-mutex", work: "mutex-contended" }],
    warmupOperations: 100_000,
  },
];
