// The benchmark's own rules: its rows are those of the design's budgets, its figures have the shape that is promised, and what is made of
// them says what they say. What the figures are, no test asks: machines are noisy.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { compareWithBaseline } from "../bench/baseline.ts";
import { estimateMs, leftMs } from "../bench/estimate.ts";
import { committedResults, performanceDocument } from "../bench/performance/document.ts";
import { plots } from "../bench/performance/plots.ts";
import { type Run, withRun } from "../bench/results.ts";
import { type Entry, FULL, QUICK } from "../bench/rounds.ts";
import { type Case, peersOf, ROWS, type Row } from "../bench/rows.ts";
import { medianRound } from "../bench/statistics.ts";

const NODE_PEERS = ["MessagePort", "child_process json", "child_process advanced"];

/** The design's table of budgets: row, placement, bytes, peers, the least ratio. "At most 2 times its time" is a ratio of 1/2. */
const BUDGETS: readonly (readonly [
  row: string,
  placement: string,
  bytes: number,
  peers: readonly string[],
  least: number,
])[] = [
  ["queue-pair", "one-task", 64, ["sysv-msg"], 4],
  ["queue-pair", "one-task", 256, ["sysv-msg"], 4],
  ["queue-stream", "two-cpus", 256, ["sysv-msg", "posix-mq"], 3],
  ["queue-stream-batch", "two-cpus", 256, ["sysv-msg", "posix-mq"], 8],
  ["queue-roundtrip", "two-cpus", 64, ["sysv-msg", "posix-mq", "pipe"], 15],
  ["queue-roundtrip-spin", "two-cpus", 64, ["c-spin"], 1 / 2.5],
  ["queue-roundtrip-park", "one-cpu", 64, ["pipe"], 1 / 1.25],
  ["pipe-stream", "two-cpus", 65_536, ["pipe"], 1.5],
  ["pipe-stream-4k", "two-cpus", 4096, ["pipe"], 4],
  ["semaphore-pair", "one-task", 4, ["sysv-sem"], 5],
  ["mutex-pair", "one-task", 4, ["pthread-mutex"], 1 / 2],
  ["mutex-contended", "two-cpus", 4, ["pthread-mutex"], 1 / 2],
  ["signal-roundtrip", "two-cpus", 4, ["signals"], 10],
  ["await-roundtrip", "two-cpus", 64, NODE_PEERS, 5],
  ["await-roundtrip", "two-cpus", 256, NODE_PEERS, 5],
  ["await-roundtrip-park", "one-cpu", 64, ["MessagePort"], 1],
  ["await-stream", "two-cpus", 64, NODE_PEERS, 10],
];

/** Rows in which we are our own peer, in a kernel that holds little else. */
const GROWTH_BUDGETS = { "scale-objects": "10000 objects", "scale-tasks": "1000 tasks" } as const;
const GROWTH_LEAST = 1 / 1.1;

const allCases = (): { row: Row; one: Case }[] => ROWS.flatMap((row) => row.cases.map((one) => ({ row, one })));

test("every budget of the design is in the benchmark, and the benchmark asks for no less and of no other", () => {
  const asked = allCases()
    .filter(({ row, one }) => one.ratioLeast !== undefined && !(row.name in GROWTH_BUDGETS))
    .map(({ row, one }) => {
      const peers = peersOf(row, one).filter(({ aside }) => !aside);
      return [row.name, one.placement, one.bytes, peers.map(({ name }) => name), one.ratioLeast];
    });
  assert.deepEqual(asked, BUDGETS);
});

test("no call may take more than 1.1 times as long beside 10,000 objects or 1,000 tasks", () => {
  for (const [name, population] of Object.entries(GROWTH_BUDGETS)) {
    const cases = allCases().filter(({ row }) => row.name === name);
    assert.ok(cases.length >= 7, name);
    for (const { one } of cases) assert.deepEqual([one.beside, one.ratioLeast], [population, GROWTH_LEAST]);
  }
});

test("of rounds on a machine that is slow at times, the one with the median ratio tells how two compare", () => {
  assert.deepEqual(medianRound([10, 30, 10, 30, 10], [10, 31, 9, 90, 12]), { ours: 30, peer: 31 });
  assert.deepEqual(medianRound([10, 20], [30, 20]), { ours: 20, peer: 20 });
});

test("messages of 64 and 256 B, pipes and segments of 4 KiB to 1 MiB, crowds of 1, 2, 4 and 8 are measured", () => {
  const values = (name: RegExp, of: (one: Case) => number | undefined): number[] =>
    [...new Set(allCases().flatMap(({ row, one }) => (name.test(row.name) ? (of(one) ?? []) : [])))].sort(
      (a, b) => a - b,
    );
  const bytes = (one: Case): number => one.bytes;
  for (const row of ["queue-pair", "queue-stream", "queue-stream-batch", "queue-roundtrip", "queue-roundtrip-park"]) {
    assert.deepEqual(values(new RegExp(`^${row}$`), bytes), [64, 256], row);
  }
  for (const row of ["await-roundtrip", "await-roundtrip-park", "await-stream"]) {
    assert.deepEqual(values(new RegExp(`^${row}$`), bytes), [64, 256], row);
  }
  assert.deepEqual(values(/^pipe-stream/, bytes), [4096, 16_384, 65_536, 262_144, 1_048_576]);
  for (const row of [/^segment-in$/, /^segment-out$/]) assert.deepEqual(values(row, bytes), [4096, 65_536, 1_048_576]);
  assert.deepEqual(
    values(/^queue-crowd$/, ({ parties }) => parties),
    [1, 2, 4, 8],
  );
});

test("a whole run takes less than 25 minutes, and a quick one less than 10", () => {
  const minutes = (effort: typeof FULL): number =>
    leftMs(
      allCases().map(({ row, one }) => estimateMs(row, one, effort)),
      0,
      0,
    ) / 60_000;
  assert.ok(minutes(FULL) < 25, `${minutes(FULL)}`);
  assert.ok(minutes(QUICK) < 10, `${minutes(QUICK)}`);
});

const machine = { cpu: "a CPU", cpus: 2, memoryGiB: 1, system: "Linux", node: "v20", virtual: false };
const entry = (row: string, ratio: number): Entry => ({
  row,
  placement: "one-task",
  bytes: 64,
  ours_ns: 100,
  peer: "peer",
  peer_ns: 100 * ratio,
  ratio,
  spread: 0,
});
const runOf = (date: string, ...entries: Entry[]): Run => ({
  machine,
  run: { date, effort: "quick", placement: "CPU 0", load: 0 },
  entries,
  missing: [],
  profiles: [],
});

test("a run replaces the rows that it measured, and another one of the same adds its ratios", () => {
  const first = withRun(undefined, runOf("1", entry("a", 2), entry("b", 3)), false);
  const second = withRun(first, runOf("2", entry("b", 5)), false);
  assert.deepEqual(
    second.entries.map(({ row, ratios }) => [row, ratios]),
    [
      ["a", [2]],
      ["b", [5]],
    ],
  );
  const third = withRun(second, runOf("3", entry("a", 4), entry("b", 6)), true);
  assert.deepEqual(
    third.entries.map(({ row, ratio, ratios }) => [row, ratio, ratios]),
    [
      ["a", 4, [2, 4]],
      ["b", 6, [5, 6]],
    ],
  );
  assert.deepEqual(
    third.runs.map(({ date }) => date),
    ["1", "2", "3"],
  );
});

test("figures of another machine are not mixed with those that are there", () => {
  const first = withRun(undefined, runOf("1", entry("a", 2), entry("b", 3)), false);
  const elsewhere = withRun(first, { ...runOf("2", entry("b", 5)), machine: { ...machine, cpu: "another" } }, true);
  assert.deepEqual(
    elsewhere.entries.map(({ row, ratios }) => [row, ratios]),
    [["b", [5]]],
  );
});

test("a ratio that has fallen further than is tolerated is a regression, a smaller fall and a new row are none", () => {
  const baseline = [entry("a", 10), entry("b", 10)];
  const now = [entry("a", 5.9), entry("b", 6.1), entry("c", 0.1)];
  assert.deepEqual(
    compareWithBaseline(now, baseline).map(({ title, least }) => [title, least]),
    [["a, one-task, 64 bytes, beside peer", 6]],
  );
});

test("the committed results have the promised shape, and name their machine", () => {
  const { entries, machine: described, runs } = committedResults();
  assert.ok(runs.length > 0 && described.cpu !== "" && described.node.startsWith("v"));
  for (const one of entries) {
    const numbers = [one.bytes, one.ours_ns, one.peer_ns, one.ratio, one.spread];
    assert.ok(
      numbers.every((value) => Number.isFinite(value)),
      JSON.stringify(one),
    );
    assert.match(one.placement, /^(one-task|one-cpu|two-cpus)$/);
    assert.ok(one.ratios.length > 0 && one.ratios.at(-1) === one.ratio, JSON.stringify(one));
  }
});

/** Quick figures, of some rows, are there while the benchmark is worked on. */
const quickOnly = committedResults().runs.every(({ effort }) => effort === "quick");
const skip =
  quickOnly && "the committed results are those of quick runs: npm run bench -- --results bench/results.json";

test("the committed results have every row that has a budget", { skip }, () => {
  const { entries } = committedResults();
  const known = (row: string, placement: string, bytes: number, peer?: string): boolean =>
    entries.some(
      (one) => one.row === row && one.placement === placement && one.bytes === bytes && (peer ?? one.peer) === one.peer,
    );
  for (const [row, placement, bytes, peers] of BUDGETS) {
    for (const peer of peers) assert.ok(known(row, placement, bytes, peer), `${row}, ${placement}, ${bytes}, ${peer}`);
  }
  for (const row of Object.keys(GROWTH_BUDGETS)) assert.ok(known(row, "one-task", 64), row);
});

test("the report has a table for every row of the benchmark", () => {
  const text = performanceDocument(committedResults());
  for (const { name } of ROWS) assert.ok(text.includes(`**\`${name}\`**`), name);
  assert.doesNotMatch(text, /\{\{|undefined|NaN|Infinity/);
});

test("no figure that the report's text speaks of is missing", { skip }, () => {
  assert.doesNotMatch(performanceDocument(committedResults()), /(^|[( ])–( |\)|$)(?!\|)/m);
});

for (const [name, draw] of Object.entries(plots)) {
  test(`the plot ${name} is well-formed, says its unit, and can be read on light and on dark pages`, () => {
    const svg = draw(committedResults());
    const open: string[] = [];
    for (const [, closing, tag, self] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
      if (closing) assert.equal(open.pop(), tag);
      else if (!self) open.push(tag);
    }
    assert.deepEqual(open, []);
    assert.match(svg, /prefers-color-scheme: dark/);
    assert.match(svg, /<desc>[^<]+<\/desc>/);
    assert.doesNotMatch(svg, /NaN|Infinity|undefined/);
    const [width, height] = (/viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? []).slice(1).map(Number);
    for (const [, x, y] of svg.matchAll(/<text x="([-\d.]+)" y="([-\d.]+)"/g)) {
      assert.ok(Number(x) >= 0 && Number(x) <= width && Number(y) >= 0 && Number(y) <= height, `${x}, ${y}`);
    }
  });
}

const program = fileURLToPath(new URL("../bench/run.js", import.meta.url));

test("a mistake on the command line ends with 2 and one line, and --help with 0", () => {
  const run = (...args: string[]) => spawnSync(process.execPath, [program, ...args], { encoding: "utf8" });
  for (const args of [["--row", "nothing"], ["--again"], ["--json", "/no/such/directory/file"], ["--nothing"]]) {
    const { status, stderr } = run(...args);
    assert.equal(status, 2, args.join(" "));
    assert.match(stderr, /^bench: [^\n]+\n$/);
  }
  const help = run("--help");
  assert.equal(help.status, 0);
  for (const { name } of ROWS) assert.ok(help.stdout.includes(name), name);
});
