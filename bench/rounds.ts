// One case of a row: ours and each peer in turn, several rounds, so that whatever else the machine does hits them alike.

import type { Ours } from "./ours.ts";
import type { Peers } from "./peers.ts";
import { type Cpus, placed } from "./placement.ts";
import type { Case, Row } from "./rows.ts";
import { clamp, median, spread } from "./statistics.ts";

/** How long to measure. */
export interface Effort {
  rounds: number;
  /** The clock of one measurement, about. */
  measureMs: number;
  /** After this no further round of a case is begun. */
  caseMsMax: number;
  /** A single measurement that takes longer has failed. */
  deadlineMs: number;
}

export const FULL: Effort = { rounds: 7, measureMs: 350, caseMsMax: 28_000, deadlineMs: 20_000 };
export const QUICK: Effort = { rounds: 3, measureMs: 100, caseMsMax: 6_500, deadlineMs: 6_500 };

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
}

export interface Machine {
  ours: Ours;
  peers: Peers;
  cpus: Cpus;
}

/** Somebody whose time is taken: ours (at some depth), or a peer. */
interface Contender {
  row: Row;
  run: (counts: { warmup: number; operations: number }) => Promise<number>;
  figuresNs: number[];
  /** The last figure, the discarded first one included: it says how many operations fill the time. */
  latestNs: number;
}

const OPERATIONS_MAX = 50_000_000;

/** Measures one case; one entry for each peer. */
export async function measureCase(row: Row, one: Case, machine: Machine, effort: Effort): Promise<Entry[]> {
  const cpus = placed(machine.cpus, one.placement);
  const contenders = new Map<string, Contender>();
  const compete = (key: string, run: Contender["run"]): Contender => {
    const there = contenders.get(key);
    if (there) return there;
    const contender: Contender = { row, run, figuresNs: [], latestNs: 0 };
    contenders.set(key, contender);
    return contender;
  };
  const comparisons = row.peers.map((peer) => {
    const depth = peer.depth?.(one.bytes);
    const measurement = { work: row.work, bytes: one.bytes, depth, cpus };
    return {
      ours: compete(`ours ${depth}`, (counts) =>
        machine.ours.measure({ ...measurement, ...counts }, effort.deadlineMs),
      ),
      peer: compete(peer.work, (counts) =>
        machine.peers.measure(peer.work, one.bytes, counts, cpus, effort.deadlineMs),
      ),
      name: peer.name,
    };
  });

  await measureRounds([...contenders.values()], effort);

  return comparisons.map(({ ours, peer, name }) => entry(row, one, name, ours.figuresNs, peer.figuresNs));
}

async function measureRounds(contenders: Contender[], effort: Effort): Promise<void> {
  const end = performance.now() + effort.caseMsMax;
  for (const contender of contenders) {
    const operations = contender.row.warmupOperations;
    contender.latestNs = await contender.run({ warmup: operations >> 2, operations });
  }
  for (let round = 0; round < effort.rounds; round++) {
    if (round > 0 && performance.now() > end) break;
    // Back and forth: nobody always runs right after the same other.
    for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
      const { warmupOperations } = contender.row;
      const fill = Math.round((effort.measureMs * 1e6) / contender.latestNs);
      const operations = clamp(fill, warmupOperations >> 2, OPERATIONS_MAX);
      const warmup = Math.max(warmupOperations, operations >> 2);
      contender.latestNs = await contender.run({ warmup, operations });
      contender.figuresNs.push(contender.latestNs);
    }
  }
}

function entry(row: Row, one: Case, peer: string, ours: readonly number[], theirs: readonly number[]): Entry {
  return {
    row: row.name,
    placement: one.placement,
    bytes: one.bytes,
    ours_ns: rounded(median(ours), 2),
    peer,
    peer_ns: rounded(median(theirs), 2),
    ratio: rounded(median(theirs) / median(ours), 3),
    spread: rounded(Math.max(spread(ours), spread(theirs)), 3),
  };
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
