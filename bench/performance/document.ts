// docs/PERFORMANCE.md and its plots: the template's text with the figures of bench/results.json. What stands in {{ }} in the template
// is a table, a plot or a figure.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { committedResultsPath, type ResultEntry, type Results, readResults } from "../results.ts";
import { accountsTable } from "./accounts.ts";
import { caseText, entriesOf, entryOf, inDigits, isMet, leastRatio, time, type Wanted } from "./figures.ts";
import { table } from "./markdown.ts";
import { memoryUses, tablesKib } from "./memory.ts";
import { plots } from "./plots.ts";

/** Beside this file's source; the compiled file is two directories further down, and beside the source by the same steps. */
function template(): string {
  const own = fileURLToPath(import.meta.url);
  const directory = own.endsWith(".ts") ? "./" : "../../../bench/performance/";
  return readFileSync(new URL(`${directory}performance.template.md`, import.meta.url), "utf8");
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;
const ratioText = (entry: ResultEntry): string => entry.ratios.map(inDigits).join(", ");

function machineList({ machine, runs }: Results): string {
  const { cpu, cpus, memoryGiB, system, node, virtual } = machine;
  const first = `${cpu}, ${cpus} CPUs${virtual ? " of a virtual machine" : ""}, ${memoryGiB} GiB; ${system}; Node ${node}`;
  const lines = runs.map(
    ({ date, effort, placement, load }) => `- ${date}: ${placement}; ${effort}; load ${load} when it began`,
  );
  return [`- ${first}`, ...new Set(lines)].join("\n");
}

function budgetsTable({ entries }: Results): string {
  return table(
    ["row", "case", "ours", "beside", "its", "ratio of each run", "at least", ""],
    [2, 4, 5, 6],
    entries
      .filter(({ budget }) => budget !== undefined)
      .map((entry) => [
        `\`${entry.row}\``,
        caseText(entry),
        time(entry.ours_ns),
        entry.peer,
        time(entry.peer_ns),
        ratioText(entry),
        inDigits(entry.budget ?? 0),
        isMet(entry) ? "met" : "**missed**",
      ]),
  );
}

function rowTable(results: Results, row: string): string {
  const figures = table(
    ["case", "ours", "beside", "its", "ratio", "spread"],
    [1, 3, 4, 5],
    entriesOf(results, { row }).map((entry) => [
      caseText(entry),
      time(entry.ours_ns),
      entry.limit ? `*${entry.peer}*` : entry.peer,
      time(entry.peer_ns),
      ratioText(entry),
      percent(entry.spread),
    ]),
  );
  return `**\`${row}\`**\n\n${figures}`;
}

/** Where a peer that does the same work is faster. */
function lossesTable({ entries }: Results): string {
  const lost = entries.filter((entry) => !entry.limit && !isPart(entry) && !isGrowth(entry) && leastRatio(entry) < 1);
  if (lost.length === 0) return "In no row of this run.";
  return table(
    ["row", "case", "ours", "beside", "its", "ours takes"],
    [2, 4, 5],
    lost.map((entry) => [
      `\`${entry.row}\``,
      caseText(entry),
      time(entry.ours_ns),
      entry.peer,
      time(entry.peer_ns),
      `${inDigits(1 / leastRatio(entry))} times`,
    ]),
  );
}

const isGrowth = ({ row }: ResultEntry): boolean => /^(scale-|objects-|tasks-)/.test(row);

function missingList({ missing }: Results): string {
  if (missing.length === 0) return "All peers ran.";
  return missing.map(({ peer, row, reason }) => `- ${peer}, in \`${row}\`: ${reason}`).join("\n");
}

function memoryTable(): string {
  return table(
    ["", "slot in a table", "heap", "sum"],
    [1, 2, 3],
    memoryUses().map(({ of, slotBytes, heapBytes }) => [
      of,
      `${slotBytes} B`,
      `${heapBytes} B`,
      `${slotBytes + heapBytes} B`,
    ]),
  );
}

function profilesTable({ profiles }: Results): string {
  return table(
    ["row", "where the measured side's time goes"],
    [],
    profiles.map(({ row, shares }) => [
      `\`${row}\``,
      shares.map(([where, share]) => `${where.includes("/") ? `\`${where}\`` : where} ${percent(share)}`).join(", "),
    ]),
  );
}

function fairnessTable(results: Results, row: string): string {
  const shares = (values: readonly number[] = []): string => values.map((value) => value.toFixed(2)).join(" ");
  return table(
    ["contenders", "shares, ours", "longest wait, ours", "beside", "its shares", "its longest wait"],
    [2, 5],
    entriesOf(results, { row }).map((entry) => [
      entry.what ?? "",
      shares(entry.ours_shares),
      time(entry.ours_longest_wait_ns ?? 0),
      entry.peer,
      shares(entry.peer_shares),
      time(entry.peer_longest_wait_ns ?? 0),
    ]),
  );
}

/** "row, placement, bytes, peer, what": what is left out may be anything. */
function wanted(argument: string): Wanted {
  const [row, placement, bytes, peer, what] = argument.split(",").map((part) => part.trim() || undefined);
  return { row: row ?? "", placement, bytes: bytes === undefined ? undefined : Number(bytes), peer, what };
}

const NOTHING = "–";

/** Peers that are there to explain, and no peers of ours: they do a part of the work. */
const isPart = ({ peer }: ResultEntry): boolean => peer.startsWith("bare ");

function figure(results: Results, argument: string, say: (entry: ResultEntry) => string): string {
  const entry = entryOf(results, wanted(argument));
  return entry === undefined ? NOTHING : say(entry);
}

const plot = (name: string): string => {
  if (!(name in plots)) throw new Error(`the template asks for a plot ${name} that there is not`);
  return `![${name.replaceAll("-", " ")}](performance/${name}.svg)`;
};

const fillers: { readonly [name: string]: (results: Results, argument: string) => string } = {
  machine: machineList,
  budgets: budgetsTable,
  row: rowTable,
  losses: lossesTable,
  missing: missingList,
  memory: memoryTable,
  tables: tablesKib,
  profiles: profilesTable,
  accounts: accountsTable,
  fairness: fairnessTable,
  plot: (_, name) => plot(name),
  ours: (results, argument) => figure(results, argument, ({ ours_ns }) => time(ours_ns)),
  peer: (results, argument) => figure(results, argument, ({ peer_ns }) => time(peer_ns)),
  ratio: (results, argument) => figure(results, argument, (entry) => inDigits(leastRatio(entry))),
  times: (results, argument) => figure(results, argument, ({ ours_ns, peer_ns }) => inDigits(ours_ns / peer_ns)),
  worst: (results, row) => {
    const times = entriesOf(results, { row }).map(({ ours_ns, peer_ns }) => ours_ns / peer_ns);
    return times.length === 0 ? NOTHING : inDigits(Math.max(...times));
  },
};

export function performanceDocument(results: Results): string {
  return template().replaceAll(/\{\{([a-z]+)(?: ([^}]+))?\}\}/g, (_, name: string, argument = "") => {
    const fill = fillers[name];
    if (!fill) throw new Error(`the template asks for ${name}, which nothing fills`);
    return fill(results, argument);
  });
}

/** The committed results. */
export function committedResults(): Results {
  const results = readResults(committedResultsPath());
  if (results === undefined)
    throw new Error("bench/results.json is missing: npm run bench -- --results bench/results.json");
  return results;
}

/** The document and its plots, by their paths in the repository. */
export const performanceDocuments: { readonly [path: string]: () => string } = {
  "docs/PERFORMANCE.md": () => performanceDocument(committedResults()),
  ...Object.fromEntries(
    Object.entries(plots).map(([name, draw]) => [`docs/performance/${name}.svg`, () => draw(committedResults())]),
  ),
};
