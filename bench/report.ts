// The figures as a table for the terminal.

import type { Entry } from "./rounds.ts";

export interface Line {
  entry: Entry;
  /** The least ratio that the budget asks for; absent where it asks for none. */
  ratioLeast: number | undefined;
}

const HEADINGS = ["row", "placement", "bytes", "ours ns", "peer", "peer ns", "ratio", "at least", "spread", ""];
/** Text to the left, numbers to the right. */
const LEFT = new Set([0, 1, 4, 9]);

export function table(lines: readonly Line[]): string {
  const cells = [HEADINGS, ...lines.map(cellsOf)];
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

function cellsOf({ entry, ratioLeast }: Line): string[] {
  const { row, placement, bytes, ours_ns, peer, peer_ns, ratio, spread } = entry;
  return [
    row,
    placement,
    String(bytes),
    ours_ns.toFixed(1),
    peer,
    peer_ns.toFixed(1),
    ratio.toFixed(2),
    ratioLeast?.toFixed(2) ?? "",
    `${(spread * 100).toFixed(0)} %`,
    ratioLeast !== undefined && ratio < ratioLeast ? "below the budget" : "",
  ];
}
