// What a call of one task's is made of: atomic accesses, counted by test/hot-paths.test.ts, at what one costs in C; copies, at what
// typed arrays take for them; and what is left.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Results } from "../results.ts";
import { entryOf, inDigits } from "./figures.ts";
import { table } from "./markdown.ts";

interface Account {
  readonly row: string;
  readonly bytes: number;
  /** The path's name in the table of docs/ARCHITECTURE.md. */
  readonly path: string;
  readonly copies: boolean;
}

const ACCOUNTS: readonly Account[] = [
  {
    row: "queue-pair",
    bytes: 64,
    path: "queue: trySend and tryReceiveInto of 64 bytes, in machine code",
    copies: true,
  },
  {
    row: "queue-pair",
    bytes: 256,
    path: "queue: trySend and tryReceiveInto of 256 bytes, in machine code",
    copies: true,
  },
  { row: "semaphore-pair", bytes: 4, path: "semaphore: tryWait and post", copies: false },
  { row: "mutex-pair", bytes: 4, path: "mutex: lockSync and unlock", copies: false },
];

/** Stores that all see in one order are exchanges to the processor; loads are plain ones. */
interface Counted {
  readonly loads: number;
  readonly exchanges: number;
}

function countedOf(path: string): Counted {
  const own = fileURLToPath(import.meta.url);
  const root = new URL(own.endsWith(".ts") ? "../../" : "../../../", import.meta.url);
  const line = readFileSync(new URL("docs/ARCHITECTURE.md", root), "utf8")
    .split("\n")
    .find((one) => one.startsWith(`| ${path} |`));
  if (line === undefined) throw new Error(`docs/ARCHITECTURE.md has no counts of "${path}"`);
  const [loads, stores, exchanges] = line.split("|").slice(2).map(Number);
  return { loads, exchanges: stores + exchanges };
}

/** What one atomic exchange takes: half of a pair of them in C. */
function exchangeNs(results: Results): number | undefined {
  const pair = entryOf(results, { row: "mutex-pair", peer: "c-atomics" });
  return pair === undefined ? undefined : pair.peer_ns / 2;
}

export function accountsTable(results: Results): string {
  const each = exchangeNs(results);
  const rows = ACCOUNTS.flatMap(({ row, bytes, path, copies }) => {
    const entry = entryOf(results, { row, bytes });
    if (entry === undefined || each === undefined) return [];
    const { loads, exchanges } = countedOf(path);
    const copied = copies ? (entryOf(results, { row, bytes, peer: "bare copies" })?.peer_ns ?? 0) : 0;
    const atomics = exchanges * each;
    const rest = entry.ours_ns - atomics - copied;
    return [
      [
        `\`${row}\`${copies ? `, ${bytes} B` : ""}`,
        `${inDigits(entry.ours_ns)} ns`,
        `${inDigits(atomics)} ns (${exchanges} stores and exchanges; ${loads} loads beside)`,
        copies ? `${inDigits(copied)} ns` : "–",
        `${inDigits(rest)} ns`,
      ],
    ];
  });
  return table(["row", "ours", "atomics, as C does them", "copies, as typed arrays do them", "the rest"], [1, 4], rows);
}
