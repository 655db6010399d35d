// The rows of the benchmark, as data: what is measured, where, beside which peers, and what is asked of the ratio.

import { readFileSync } from "node:fs";
import type { Placement } from "./placement.ts";

/** What our side does; ours.ts knows the processes that each one takes. */
export type OurWork =
  | "queue-pair"
  | "queue-stream"
  | "queue-stream-batch"
  | "queue-roundtrip"
  | "queue-crowd"
  | "pipe-stream"
  | "segment-copy"
  | "semaphore-pair"
  | "mutex-pair"
  | "mutex-contended"
  | "queue-fairness"
  | "mutex-fairness"
  | "signal-roundtrip"
  | "await-roundtrip"
  | "await-stream"
  | "call"
  | "start";

export interface Peer {
  readonly name: string;
  /** A subcommand of bench/peers.c, or a program of bench/node-peers with its work and further arguments. */
  readonly program:
    | { readonly c: string }
    | { readonly node: string; readonly work?: string; readonly args?: string[] };
  /** Messages that our queue holds in this comparison; absent: the default. */
  readonly depth?: (bytes: number) => number;
  /** The budget does not speak of it: it is there to compare with. */
  readonly aside?: boolean;
  /** Nothing that does the work can be faster on this machine: how near we come is what the report tells. */
  readonly isLimit?: boolean;
  /** Beside these cases only. */
  readonly only?: (one: Case) => boolean;
}

export interface Case {
  readonly placement: Placement;
  readonly bytes: number;
  /** The least ratio (peer_ns / ours_ns) that the budget asks for; absent where it asks for none. */
  readonly ratioLeast?: number;
  /** What the work `call` calls, or how `start` starts. */
  readonly call?: string;
  /** Tasks of each side of a crowd. */
  readonly parties?: number;
  /** What else is in the kernel, and the peer is the same call where it is not. */
  readonly beside?: Population;
}

export type Population = `${number} objects` | `${number} tasks`;

export interface Row {
  readonly name: string;
  readonly work: OurWork;
  readonly cases: readonly Case[];
  readonly peers: readonly Peer[];
  /** What one run does at the least before its clock starts, in operations; also the length of the first, discarded run. */
  readonly warmupOperations: number;
  /** Operations of each run, where they are no count of what is done. */
  readonly fixedOperations?: number;
  /** How many times as many rounds: where two runs of the same code differ by more than what is asked. */
  readonly roundsFactor?: number;
}

/** A System V queue is full when its messages reach this many bytes, 16 KiB by default. */
function sysvQueueBytes(): number {
  return Number(readFileSync("/proc/sys/kernel/msgmnb", "utf8"));
}

/** A POSIX queue holds 10 messages unless its creator asks for more (/proc/sys/fs/mqueue/msg_default). */
const MQ_DEPTH = 10;

/** Messages that the ring of shared-memory-disruptor and of ringbuf.js hold here. */
const RING_DEPTH = 64;

/** Messages that our queue holds beside what has no bound, as a MessagePort and a child's channel have none. */
const UNBOUNDED_DEPTH = 256;

/** What a lock is. */
const WORD_BYTES = 4;

const KIB = 1024;

/** The budget for what must not grow: at most 1.1 times its time. */
const NO_GROWTH = 1 / 1.1;

const sysvDepth = (bytes: number): number => Math.floor(sysvQueueBytes() / bytes);

const sysv = (work: string): Peer => ({ name: "sysv-msg", program: { c: work }, depth: sysvDepth });
const mq = (work: string): Peer => ({ name: "posix-mq", program: { c: work }, depth: () => MQ_DEPTH });
const node = (name: string, program: string, work: string, ...args: string[]): Peer => ({
  name,
  program: { node: program, work, args },
});
const aside = (peer: Peer): Peer => ({ ...peer, aside: true });
const limit = (name: string, work: string, depth?: Peer["depth"]): Peer => ({
  name,
  program: { c: work },
  aside: true,
  isLimit: true,
  ...(depth === undefined ? {} : { depth }),
});
const unbounded = (peer: Peer): Peer => ({ ...peer, depth: () => UNBOUNDED_DEPTH });
const onTwoCpus = (peer: Peer): Peer => ({ ...peer, only: ({ placement }) => placement === "two-cpus" });

/** The peers beside which a case of a row is measured. */
export const peersOf = ({ peers }: Row, one: Case): Peer[] => peers.filter(({ only }) => only?.(one) ?? true);

/** Calls whose cost must not depend on what else there is; bench/caller-side.ts makes them. */
const CALLS = [
  "send and receive",
  "lock and unlock",
  "open and close by name",
  "make and close a pipe",
  "msgget by key",
  "kill with signal 0",
  "poll",
];

const scaleCases = (beside: Population): Case[] =>
  CALLS.map((call) => ({ placement: "one-task", bytes: 64, ratioLeast: NO_GROWTH, call, beside }));

/** Two of them, one that looks nothing up and one that does, on the way there. */
const curveCases = (populations: readonly Population[]): Case[] =>
  populations.flatMap((beside) =>
    [CALLS[0], CALLS[2]].map((call): Case => ({ placement: "one-task", bytes: 64, call, beside })),
  );

export const ROWS: readonly Row[] = [
  {
    name: "queue-pair",
    work: "queue-pair",
    cases: [
      { placement: "one-task", bytes: 64, ratioLeast: 4 },
      { placement: "one-task", bytes: 256, ratioLeast: 4 },
    ],
    peers: [
      { name: "sysv-msg", program: { c: "sysv-pair" } },
      limit("c-memcpy", "memcpy-pair"),
      aside(node("bare copies", "bare", "queue-pair")),
    ],
    warmupOperations: 50_000,
  },
  {
    name: "queue-stream",
    work: "queue-stream",
    cases: [
      { placement: "two-cpus", bytes: 256, ratioLeast: 3 },
      { placement: "two-cpus", bytes: 64 },
      { placement: "one-cpu", bytes: 256 },
      { placement: "one-cpu", bytes: 64 },
    ],
    peers: [sysv("sysv-stream"), mq("mq-stream"), onTwoCpus(limit("c-ring", "ring-stream", () => RING_DEPTH))],
    warmupOperations: 50_000,
  },
  {
    name: "queue-stream-batch",
    work: "queue-stream-batch",
    cases: [
      { placement: "two-cpus", bytes: 256, ratioLeast: 8 },
      { placement: "two-cpus", bytes: 64 },
      { placement: "one-cpu", bytes: 256 },
    ],
    peers: [
      { ...sysv("sysv-stream"), depth: () => 4 * RING_DEPTH },
      { ...mq("mq-stream"), depth: () => 4 * RING_DEPTH },
      onTwoCpus(limit("c-ring", "ring-stream", () => 4 * RING_DEPTH)),
    ],
    warmupOperations: 50_000,
  },
  {
    name: "queue-stream-spinning",
    work: "queue-stream",
    cases: [
      { placement: "two-cpus", bytes: 64 },
      { placement: "two-cpus", bytes: 256 },
    ],
    peers: [
      { ...node("shared-memory-disruptor", "disruptor", "stream"), depth: () => RING_DEPTH },
      { ...node("ringbuf.js", "ringbuf", "stream"), depth: () => RING_DEPTH },
    ],
    warmupOperations: 50_000,
  },
  {
    name: "queue-roundtrip",
    work: "queue-roundtrip",
    cases: [
      { placement: "two-cpus", bytes: 64, ratioLeast: 15 },
      { placement: "two-cpus", bytes: 256 },
    ],
    peers: [
      { name: "sysv-msg", program: { c: "sysv-roundtrip" } },
      { name: "posix-mq", program: { c: "mq-roundtrip" } },
      { name: "pipe", program: { c: "pipe-roundtrip" } },
    ],
    warmupOperations: 100_000,
  },
  {
    name: "queue-roundtrip-spin",
    work: "queue-roundtrip",
    cases: [{ placement: "two-cpus", bytes: 64, ratioLeast: 1 / 2.5 }],
    peers: [
      { name: "c-spin", program: { c: "spin-roundtrip" }, isLimit: true },
      aside(node("shared-memory-disruptor", "disruptor", "roundtrip")),
      aside(node("ringbuf.js", "ringbuf", "roundtrip")),
    ],
    warmupOperations: 100_000,
  },
  {
    name: "queue-roundtrip-park",
    work: "queue-roundtrip",
    cases: [
      { placement: "one-cpu", bytes: 64, ratioLeast: 1 / 1.25 },
      { placement: "one-cpu", bytes: 256 },
    ],
    peers: [
      { name: "pipe", program: { c: "pipe-roundtrip" } },
      aside({ name: "sysv-msg", program: { c: "sysv-roundtrip" } }),
      aside({ name: "posix-mq", program: { c: "mq-roundtrip" } }),
      limit("c-futex", "futex-roundtrip"),
    ],
    warmupOperations: 20_000,
  },
  {
    name: "pipe-stream",
    work: "pipe-stream",
    cases: [
      { placement: "two-cpus", bytes: 64 * KIB, ratioLeast: 1.5 },
      { placement: "two-cpus", bytes: 16 * KIB },
      { placement: "two-cpus", bytes: 256 * KIB },
      { placement: "two-cpus", bytes: 1024 * KIB },
      { placement: "one-cpu", bytes: 16 * KIB },
      { placement: "one-cpu", bytes: 64 * KIB },
      { placement: "one-cpu", bytes: 256 * KIB },
      { placement: "one-cpu", bytes: 1024 * KIB },
    ],
    peers: [{ name: "pipe", program: { c: "pipe-stream" } }, limit("c-memcpy", "memcpy")],
    warmupOperations: 131_072,
  },
  {
    name: "pipe-stream-4k",
    work: "pipe-stream",
    cases: [
      { placement: "two-cpus", bytes: 4 * KIB, ratioLeast: 4 },
      { placement: "one-cpu", bytes: 4 * KIB },
    ],
    peers: [{ name: "pipe", program: { c: "pipe-stream" } }, limit("c-memcpy", "memcpy")],
    warmupOperations: 131_072,
  },
  ...(["in", "out"] as const).map(
    (call): Row => ({
      name: `segment-${call}`,
      work: "segment-copy",
      cases: [4, 64, 1024].map((kibs) => ({ placement: "one-task", bytes: kibs * KIB, call })),
      peers: [limit("c-memcpy", `segment-${call}`)],
      warmupOperations: 131_072,
    }),
  ),
  {
    name: "semaphore-pair",
    work: "semaphore-pair",
    cases: [{ placement: "one-task", bytes: WORD_BYTES, ratioLeast: 5 }],
    peers: [{ name: "sysv-sem", program: { c: "sysv-sem-pair" } }, limit("c-atomics", "atomics-pair")],
    warmupOperations: 100_000,
  },
  {
    name: "mutex-pair",
    work: "mutex-pair",
    cases: [{ placement: "one-task", bytes: WORD_BYTES, ratioLeast: 1 / 2 }],
    peers: [
      { name: "pthread-mutex", program: { c: "mutex-pair" } },
      limit("c-atomics", "atomics-pair"),
      aside(node("bare Atomics", "bare", "mutex-pair")),
      aside(node("multithreading", "multithreading", "mutex-pair")),
    ],
    warmupOperations: 100_000,
  },
  {
    name: "mutex-contended",
    work: "mutex-contended",
    cases: [
      { placement: "two-cpus", bytes: WORD_BYTES, ratioLeast: 1 / 2 },
      { placement: "one-cpu", bytes: WORD_BYTES },
    ],
    peers: [
      { name: "pthread-mutex", program: { c: "mutex-contended" } },
      onTwoCpus(limit("c-atomics", "atomics-contended")),
    ],
    warmupOperations: 100_000,
  },
  {
    name: "mutex-fairness",
    work: "mutex-fairness",
    cases: [2, 4, 8].map((parties) => ({ placement: "two-cpus", bytes: WORD_BYTES, parties })),
    peers: [{ name: "pthread-mutex", program: { c: "mutex-fairness" } }],
    warmupOperations: 1,
    fixedOperations: 500_000, // microseconds
  },
  {
    name: "queue-fairness",
    work: "queue-fairness",
    cases: [2, 4, 8].map((parties) => ({ placement: "two-cpus", bytes: 256, parties })),
    peers: [sysv("sysv-fairness")],
    warmupOperations: 1,
    fixedOperations: 500_000, // microseconds
  },
  {
    name: "signal-roundtrip",
    work: "signal-roundtrip",
    cases: [
      { placement: "two-cpus", bytes: WORD_BYTES, ratioLeast: 10 },
      { placement: "one-cpu", bytes: WORD_BYTES },
    ],
    peers: [{ name: "signals", program: { c: "signal-roundtrip" } }, onTwoCpus(limit("c-spin", "spin-roundtrip"))],
    warmupOperations: 10_000,
  },
  {
    name: "await-roundtrip",
    work: "await-roundtrip",
    cases: [
      { placement: "two-cpus", bytes: 64, ratioLeast: 5 },
      { placement: "two-cpus", bytes: 256, ratioLeast: 5 },
    ],
    peers: [
      node("MessagePort", "message-port", "roundtrip"),
      node("child_process json", "child-process", "roundtrip", "json"),
      node("child_process advanced", "child-process", "roundtrip", "advanced"),
      aside(node("BroadcastChannel", "broadcast-channel", "roundtrip")),
      aside(node("zeromq", "zeromq", "roundtrip")),
      limit("c-spin", "spin-roundtrip"),
    ],
    warmupOperations: 10_000,
  },
  {
    name: "await-roundtrip-park",
    work: "await-roundtrip",
    cases: [
      { placement: "one-cpu", bytes: 64, ratioLeast: 1 },
      { placement: "one-cpu", bytes: 256 },
    ],
    peers: [
      node("MessagePort", "message-port", "roundtrip"),
      aside(node("child_process json", "child-process", "roundtrip", "json")),
      aside(node("child_process advanced", "child-process", "roundtrip", "advanced")),
      limit("c-futex", "futex-roundtrip"),
    ],
    warmupOperations: 10_000,
  },
  {
    name: "await-stream",
    work: "await-stream",
    cases: [
      { placement: "two-cpus", bytes: 64, ratioLeast: 10 },
      { placement: "two-cpus", bytes: 256 },
      { placement: "one-cpu", bytes: 64 },
    ],
    peers: [
      unbounded(node("MessagePort", "message-port", "stream")),
      unbounded(node("child_process json", "child-process", "stream", "json")),
      unbounded(node("child_process advanced", "child-process", "stream", "advanced")),
      unbounded(aside(node("BroadcastChannel", "broadcast-channel", "stream"))),
      unbounded(aside(node("zeromq", "zeromq", "stream"))),
      onTwoCpus(unbounded(limit("c-ring", "ring-stream"))),
      unbounded(aside(node("bare promises", "bare", "await-stream"))),
    ],
    warmupOperations: 20_000,
  },
  {
    name: "queue-crowd",
    work: "queue-crowd",
    cases: [1, 2, 4, 8].map((parties) => ({ placement: "two-cpus", bytes: 256, parties })),
    peers: [sysv("sysv-crowd")],
    warmupOperations: 20_000,
  },
  {
    name: "scale-objects",
    work: "call",
    cases: scaleCases("10000 objects"),
    peers: [],
    warmupOperations: 20_000,
    roundsFactor: 3,
  },
  {
    name: "scale-tasks",
    work: "call",
    cases: scaleCases("1000 tasks"),
    peers: [],
    warmupOperations: 20_000,
    roundsFactor: 3,
  },
  {
    name: "objects-curve",
    work: "call",
    cases: curveCases(["10 objects", "100 objects", "1000 objects"]),
    peers: [],
    warmupOperations: 20_000,
  },
  {
    name: "tasks-curve",
    work: "call",
    cases: curveCases(["10 tasks", "100 tasks"]),
    peers: [],
    warmupOperations: 20_000,
  },
  {
    name: "start",
    work: "start",
    cases: ["create", "attach"].map((call) => ({ placement: "one-task", bytes: WORD_BYTES, call })),
    peers: [{ name: "node's own start", program: { node: "nothing" } }],
    warmupOperations: 1,
    fixedOperations: 1,
  },
];
