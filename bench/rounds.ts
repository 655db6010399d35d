// One case of a row: ours and each peer in turn, several rounds, so that whatever else the machine does hits them alike.

import type { Ours } from "./ours.ts";
import type { Peers } from "./peers.ts";
import { type Cpus, placed } from "./placement.ts";
import type { Figure } from "./processes.ts";
import { type Case, type Peer, peersOf, type Row } from "./rows.ts";
import { clamp, median, medianRound, spread } from "./statistics.ts";

/** How long to measure. */
export interface Effort {
  /** Of a case that a budget speaks of. */
  rounds: number;
  /** Of one that none does. */
  roundsAside: number;
  /** The clock of one measurement, about. */
  measureMs: number;
  /** After this no further round of a case is begun. */
  caseMsMax: number;
  /** A single measurement that takes longer has failed. */
  deadlineMs: number;
}

export const FULL: Effort = { rounds: 7, roundsAside: 3, measureMs: 350, caseMsMax: 32_000, deadlineMs: 60_000 };
export const QUICK: Effort = { rounds: 3, roundsAside: 2, measureMs: 100, caseMsMax: 6_500, deadlineMs: 60_000 };

/** One line of the answer, as in the JSON. */
export interface Entry {
  row: string;
  placement: Case["placement"];
  bytes: number;
  ours_ns: number;
  peer: string;
  peer_ns: number;
  ratio: number;
  spread: number;
  /** The least ratio that the budget asks for. */
  budget?: number;
  /** What is called, or how many there are on each side, where the row has several. */
  what?: string;
  /** Of contenders for one lock. */
  ours_longest_wait_ns?: number;
  peer_longest_wait_ns?: number;
  ours_least_share?: number;
  peer_least_share?: number;
  /** The share of each contender, in the round in which one had the least; 1 would have been fair. */
  ours_shares?: readonly number[];
  peer_shares?: readonly number[];
  /** The peer is what nothing that does the work can be faster than on this machine. */
  limit?: true;
}

export interface Machine {
  ours: Ours;
  peers: Peers;
  cpus: Cpus;
}

/** Somebody whose time is taken: ours (at some depth, in some kernel), or a peer. */
interface Contender {
  readonly row: Row;
  readonly run: (counts: { warmup: number; operations: number }) => Promise<Figure>;
  readonly figures: Figure[];
  /** Compiled before it runs: it needs little of a warm-up. */
  readonly isNative: boolean;
  /** The last figure, the discarded first one included: it says how many operations fill the time. */
  latestNs: number;
  /** Why it does not run. */
  failure: string | undefined;
}

interface Comparison {
  readonly ours: Contender;
  readonly peer: Contender;
  readonly name: string;
  readonly ratioLeast: number | undefined;
  readonly isLimit?: boolean;
}

const OPERATIONS_MAX = 50_000_000;

/** One entry for each peer; and of those that do not run, why. */
export interface Measured {
  readonly entries: Entry[];
  readonly missing: { readonly peer: string; readonly reason: string }[];
}

export async function measureCase(row: Row, one: Case, machine: Machine, effort: Effort): Promise<Measured> {
  const contenders = new Map<string, Contender>();
  const compete: Compete = (key, run, isNative = false) => {
    const there = contenders.get(key);
    if (there) return there;
    const contender: Contender = { row, run, isNative, figures: [], latestNs: 0, failure: undefined };
    contenders.set(key, contender);
    return contender;
  };
  const comparisons = comparisonsOf(row, one, machine, effort, compete);
  await measureRounds([...contenders.values()], { ...effort, rounds: roundsOf(row, one, effort) });
  const whole = comparisons.filter(({ peer }) => peer.failure === undefined);
  const failed = comparisons.filter(({ peer }) => peer.failure !== undefined);
  const oursFailed = comparisons.find(({ ours }) => ours.failure !== undefined);
  if (oursFailed) throw new Error(oursFailed.ours.failure);
  return {
    entries: whole.map((comparison) => entry(row, one, comparison)),
    missing: failed.map(({ name, peer }) => ({ peer: name, reason: peer.failure ?? "" })),
  };
}

export const roundsOf = (row: Row, one: Case, { rounds, roundsAside }: Effort): number =>
  (one.ratioLeast === undefined ? roundsAside : rounds) * (row.roundsFactor ?? 1);

/** The contender of a key, made when it is first asked for. */
type Compete = (key: string, run: Contender["run"], isNative?: boolean) => Contender;

function comparisonsOf(
  row: Row,
  one: Case,
  { ours, peers, cpus: all }: Machine,
  { deadlineMs }: Effort,
  compete: Compete,
): Comparison[] {
  const cpus = placed(all, one.placement);
  const { bytes, call, parties, beside } = one;
  const ourselves = { work: row.work, bytes, cpus, call, parties };
  if (beside !== undefined) {
    const inKernel = (isPopulated: boolean): Contender => {
      const kernel = { population: beside, isPopulated };
      return compete(String(isPopulated), (counts) =>
        ours.measure({ ...ourselves, ...counts, depth: undefined, kernel }, deadlineMs),
      );
    };
    const name = `the same without ${beside}`;
    return [{ ours: inKernel(true), peer: inKernel(false), name, ratioLeast: one.ratioLeast }];
  }
  return peersOf(row, one).map((peer: Peer) => {
    const depth = peer.depth?.(bytes);
    return {
      ours: compete(`ours ${depth}`, (counts) => ours.measure({ ...ourselves, ...counts, depth }, deadlineMs)),
      peer: compete(
        `peer ${peer.name}`,
        (counts) => peers.measure(peer.program, { bytes, cpus, parties, ...counts }, deadlineMs),
        "c" in peer.program,
      ),
      name: peer.name,
      ratioLeast: peer.aside ? undefined : one.ratioLeast,
      isLimit: peer.isLimit ?? false,
    };
  });
}

async function measureRounds(contenders: Contender[], effort: Effort): Promise<void> {
  for (const contender of contenders) {
    const operations = contender.row.fixedOperations ?? warmupOf(contender);
    try {
      contender.latestNs = (await contender.run({ warmup: operations >> 2, operations })).ns;
    } catch (error) {
      contender.failure = (error as Error).message.trim();
    }
  }
  const running = contenders.filter(({ failure }) => failure === undefined);
  const end = performance.now() + effort.caseMsMax; // making a kernel of a thousand tasks, in the first run, does not count
  for (let round = 0; round < effort.rounds; round++) {
    if (round > 0 && performance.now() > end) break;
    // Back and forth: nobody always runs right after the same other.
    for (const contender of round % 2 === 0 ? running : running.toReversed()) {
      const figure = await contender.run(countsFor(contender, effort));
      contender.latestNs = figure.ns;
      contender.figures.push(figure);
    }
  }
}

/** What is compiled while it runs has to run for a while first. */
const NATIVE_WARMUP_MAX = 5000;

const warmupOf = ({ row, isNative }: Contender): number =>
  isNative ? Math.min(row.warmupOperations, NATIVE_WARMUP_MAX) : row.warmupOperations;

function countsFor(contender: Contender, { measureMs }: Effort): { warmup: number; operations: number } {
  const { row, latestNs } = contender;
  if (row.fixedOperations !== undefined) return { warmup: 0, operations: row.fixedOperations };
  const warmup = warmupOf(contender);
  const fill = Math.round((measureMs * 1e6) / latestNs);
  const operations = clamp(fill, warmup >> 2, OPERATIONS_MAX);
  return { warmup: Math.max(warmup, operations >> 2), operations };
}

function entry(row: Row, one: Case, { ours, peer, name, ratioLeast, isLimit }: Comparison): Entry {
  const what = one.call ?? (one.parties === undefined ? undefined : String(one.parties));
  const oursNs = ours.figures.map(({ ns }) => ns);
  const peerNs = peer.figures.map(({ ns }) => ns);
  // The same call in two kernels differs by less than the machine's speed does between two rounds.
  const typical = one.beside ? medianRound(oursNs, peerNs) : { ours: median(oursNs), peer: median(peerNs) };
  return {
    row: row.name,
    placement: one.placement,
    bytes: one.bytes,
    ours_ns: rounded(typical.ours, 2),
    peer: name,
    peer_ns: rounded(typical.peer, 2),
    ratio: rounded(typical.peer / typical.ours, 3),
    spread: rounded(Math.max(spread(oursNs), spread(peerNs)), 3),
    ...(ratioLeast === undefined ? {} : { budget: rounded(ratioLeast, 3) }),
    ...(what === undefined ? {} : { what }),
    ...fairness("ours", ours.figures),
    ...fairness("peer", peer.figures),
    ...(isLimit ? { limit: true } : {}),
  };
}

/** The longest wait and the least share over all rounds. */
function fairness(side: "ours" | "peer", figures: readonly Figure[]): Partial<Entry> {
  const waits = figures.flatMap(({ longestWaitNs }) => longestWaitNs ?? []);
  const shares = figures.flatMap(({ leastShare }) => leastShare ?? []);
  if (waits.length === 0) return {};
  return {
    [`${side}_longest_wait_ns`]: Math.round(Math.max(...waits)),
    [`${side}_least_share`]: rounded(Math.min(...shares), 3),
    [`${side}_shares`]: figures.find(({ leastShare }) => leastShare === Math.min(...shares))?.shares ?? [],
  };
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
