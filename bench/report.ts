// The figures as a table for the terminal.

import type { Entry } from "./rounds.ts";

/** Whether the budget asks for more. */
export const isBelow = ({ ratio, budget }: Entry): boolean => budget !== undefined && ratio < budget;

const HEADINGS = ["row", "placement", "bytes", "what", "ours ns", "peer", "peer ns", "ratio", "at least", "spread", ""];
/** Text to the left, numbers to the right. */
const LEFT = new Set([0, 1, 3, 5, 10]);

export function table(entries: readonly Entry[]): string {
  const cells = [HEADINGS, ...entries.map(cellsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  return cells
    .map((row) =>
      row
        .map((cell, column) => (LEFT.has(column) ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
        .join("  ")
        .trimEnd(),
    )
    .map((row) => `${row}\n`)
    .join("");
}

function cellsOf(entry: Entry): string[] {
  const { row, placement, bytes, what, ours_ns, peer, peer_ns, ratio, spread, budget } = entry;
  return [
    row,
    placement,
    String(bytes),
    what ?? "",
    ours_ns.toFixed(1),
    peer,
    peer_ns.toFixed(1),
    ratio.toFixed(2),
    budget?.toFixed(2) ?? "",
    `${(spread * 100).toFixed(0)} %`,
    isBelow(entry) ? "below the budget" : "",
  ];
}
