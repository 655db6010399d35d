// The plots of docs/PERFORMANCE.md.

import type { ResultEntry, Results } from "../results.ts";
import { bytesText, caseText, entriesOf, inDigits, leastRatio, time, type Wanted } from "./figures.ts";
import { type Axis, type Bar, barChart, dotChart, lineChart, powers, type Series } from "./svg.ts";

/** An axis over powers of ten around the values. */
function decades(label: string, values: readonly number[], format?: Axis["format"]): Axis {
  const [least, most] = values.length === 0 ? [1, 10] : [Math.min(...values), Math.max(...values)];
  const ticks = powers(10, least, Math.max(most, least * 1.001));
  return { label, log: true, from: ticks[0], to: ticks[ticks.length - 1], ticks, ...(format ? { format } : {}) };
}

const isScale = ({ row }: ResultEntry): boolean => row.startsWith("scale-");

const labelOf = (entry: ResultEntry): string =>
  isScale(entry) ? `${entry.row}: ${entry.what}` : `${entry.row}, ${caseText(entry)} / ${entry.peer}`;

/** Of the calls in a full kernel, the one that comes off worst stands for all. */
function withoutBetterScales(entries: readonly ResultEntry[]): ResultEntry[] {
  const worst = (row: string): number => Math.min(...entries.filter((entry) => entry.row === row).map(leastRatio));
  return entries.filter((entry) => !isScale(entry) || leastRatio(entry) === worst(entry.row));
}

/** How many times faster than each peer that a budget speaks of, and the budget. */
function ratiosPlot(results: Results): string {
  const entries = withoutBetterScales(results.entries.filter(({ budget }) => budget !== undefined));
  const bars = entries.map((entry): Bar => {
    const ratio = leastRatio(entry);
    return {
      label: labelOf(entry),
      value: ratio,
      colour: ratio >= (entry.budget ?? 0) ? "a" : "b",
      mark: entry.budget,
      note: inDigits(ratio),
    };
  });
  const values = bars.flatMap(({ value, mark = value }) => [value, mark]);
  const axis = decades("times as fast as the peer: above 1 we are faster; the upright mark is the budget", [
    ...values,
    1,
  ]);
  return barChart("Beside the peers, and the budgets", axis, bars);
}

/** How many times the least that is possible. */
function limitsPlot(results: Results): string {
  const bars = results.entries
    .filter(({ limit }) => limit)
    .map((entry): Bar => {
      const times = entry.ours_ns / entry.peer_ns;
      return {
        label: labelOf(entry),
        value: times,
        colour: "a",
        note: `${inDigits(times)} (${time(entry.ours_ns)}, ${time(entry.peer_ns)})`,
      };
    });
  const axis = decades("times the least that this machine can take: 1 is the limit", [
    ...bars.map(({ value }) => value),
    1,
  ]);
  return barChart("Distance to the physical limit (ours, the limit)", axis, bars);
}

const KIB = 1024;
/** Streams are measured by the message, pipes by the KiB. */
const gigabytes = (ns: number, { row, bytes }: ResultEntry): number => (/^(pipe|segment)/.test(row) ? KIB : bytes) / ns;

function series(
  results: Results,
  name: string,
  colour: Series["colour"],
  wanted: readonly Wanted[],
  side: "ours" | "peer",
): Series {
  const points = wanted
    .flatMap((one) => entriesOf(results, one))
    .map((entry): [number, number] => [entry.bytes, gigabytes(side === "ours" ? entry.ours_ns : entry.peer_ns, entry)])
    .sort(([a], [b]) => a - b);
  return { name, colour, points };
}

const BYTES_MOST = 1024 * KIB;

/** Bytes a second, by the size of a message or of a pipe and its chunks. */
function bytesPlot(results: Results, placement: "one-cpu" | "two-cpus"): string {
  const of = (row: string, peer: string): Wanted => ({ row, placement, peer });
  const pipes = (peer: string): Wanted[] => [of("pipe-stream-4k", peer), of("pipe-stream", peer)];
  const lines = [
    series(results, "our queue", "a", [of("queue-stream", "sysv-msg")], "ours"),
    series(results, "our queue, in batches", "d", [of("queue-stream-batch", "sysv-msg")], "ours"),
    series(results, "SysV queue", "b", [of("queue-stream", "sysv-msg")], "peer"),
    series(results, "POSIX queue", "f", [of("queue-stream", "posix-mq")], "peer"),
    series(results, "C ring, spinning: limit", "e", [of("queue-stream", "c-ring")], "peer"),
    series(results, "our pipe", "c", pipes("pipe"), "ours"),
    series(results, "Linux's pipe", "g", pipes("pipe"), "peer"),
    series(results, "C memcpy: limit", "e", pipes("c-memcpy"), "peer"),
  ].filter(({ points }) => points.length > 0);
  const sizes = [64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, BYTES_MOST];
  const x: Axis = {
    label: "bytes of a message, or of a pipe and its chunks",
    log: true,
    from: 64,
    to: BYTES_MOST,
    ticks: sizes,
    format: bytesText,
  };
  const y = decades(
    "GB/s",
    lines.flatMap(({ points }) => points.map(([, value]) => value)),
  );
  const where = placement === "one-cpu" ? "on one CPU" : "between two CPUs";
  return lineChart(`Streams ${where}: bytes a second by size`, x, y, lines);
}

/** Messages a second, by the number of senders and receivers. */
function crowdPlot(results: Results): string {
  const entries = entriesOf(results, { row: "queue-crowd" });
  const line = (name: string, colour: Series["colour"], ns: (entry: ResultEntry) => number): Series => ({
    name,
    colour,
    points: entries.map((entry) => [Number(entry.what), 1000 / ns(entry)]),
  });
  const lines = [line("ours", "a", ({ ours_ns }) => ours_ns), line("SysV queue in C", "b", ({ peer_ns }) => peer_ns)];
  const x: Axis = {
    label: "senders, and as many receivers, on two CPUs",
    log: true,
    from: 1,
    to: 8,
    ticks: [1, 2, 4, 8],
  };
  const y = decades(
    "million messages/s",
    lines.flatMap(({ points }) => points.map(([, value]) => value)),
  );
  return lineChart("One queue, many processes (256 B)", x, y, lines);
}

const POPULATION_MOST = 10_000;

/** What a call takes, as a multiple of what it takes where there is nothing else. */
function populationsPlot(results: Results): string {
  const calls = ["send and receive", "open and close by name"];
  const lines = (["objects", "tasks"] as const).flatMap((kind, i) =>
    calls.map((call, j): Series => {
      const points = [`${kind}-curve`, `scale-${kind}`]
        .flatMap((row) => entriesOf(results, { row, what: call }))
        .map((entry): [number, number] => [Number(/\d+/.exec(entry.peer)?.[0]), entry.ours_ns / entry.peer_ns])
        .sort(([a], [b]) => a - b);
      return {
        name: `${call}, ${kind}`,
        colour: (["a", "c", "b", "d"] as const)[2 * i + j],
        points: [[1, 1], ...points],
      };
    }),
  );
  const x: Axis = {
    label: "objects, or tasks, alive in the kernel",
    log: true,
    from: 1,
    to: POPULATION_MOST,
    ticks: powers(10, 1, POPULATION_MOST),
  };
  const y: Axis = { label: "times as long", log: false, from: 0.8, to: 1.4, ticks: [0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.4] };
  return lineChart("What a call takes beside what else is alive in the kernel", x, y, lines, {
    value: 1.1,
    label: "budget: 1.1",
  });
}

const sides = (entry: ResultEntry) =>
  [
    { name: "ours", colour: "a", shares: entry.ours_shares ?? [], longest: entry.ours_longest_wait_ns ?? 0 },
    { name: entry.peer, colour: "b", shares: entry.peer_shares ?? [], longest: entry.peer_longest_wait_ns ?? 0 },
  ] as const;

const contested = (results: Results): ResultEntry[] =>
  ["mutex-fairness", "queue-fairness"].flatMap((row) => entriesOf(results, { row }));

const contendersOf = ({ row, what }: ResultEntry, name: string): string =>
  `${row === "mutex-fairness" ? "mutex" : "queue"}, ${what} contenders: ${name}`;

/** The share of each contender for one mutex, or for the messages of one queue. */
function sharesPlot(results: Results): string {
  const rows = contested(results).flatMap((entry) =>
    sides(entry).map(({ name, colour, shares }) => ({
      label: contendersOf(entry, name),
      colour,
      values: shares,
    })),
  );
  const most = Math.max(2, Math.ceil(Math.max(...rows.flatMap(({ values }) => values))));
  const ticks = Array.from({ length: most + 1 }, (_, i) => i);
  const axis: Axis = {
    label: "share of each contender: 1 is what would be fair, 0 is starved",
    log: false,
    from: 0,
    to: most,
    ticks,
  };
  return dotChart("One mutex, or one queue, on two CPUs: who gets it", axis, rows, 1);
}

/** The longest that one of them waited. */
function waitsPlot(results: Results): string {
  const bars = contested(results).flatMap((entry) =>
    sides(entry).map(
      ({ name, colour, longest }): Bar => ({
        label: contendersOf(entry, name),
        value: longest / 1e6,
        colour,
        note: time(longest),
      }),
    ),
  );
  const axis = decades(
    "the longest that one waited in all rounds, milliseconds",
    bars.map(({ value }) => value),
  );
  return barChart("One mutex, or one queue, on two CPUs: the longest wait", axis, bars);
}

/** Each plot, by the name of its file in docs/performance. */
export const plots: { readonly [name: string]: (results: Results) => string } = {
  ratios: ratiosPlot,
  limits: limitsPlot,
  "bytes-two-cpus": (results) => bytesPlot(results, "two-cpus"),
  "bytes-one-cpu": (results) => bytesPlot(results, "one-cpu"),
  crowd: crowdPlot,
  populations: populationsPlot,
  "fairness-shares": sharesPlot,
  "fairness-waits": waitsPlot,
};
