// The figures in docs/guides/choosing-a-mechanism.md, between two marks there: of bench/results.json, as docs/PERFORMANCE.md is.

import { readFileSync } from "node:fs";
import { committedResults } from "../bench/performance/document.ts";
import { entryOf, inDigits, time, type Wanted } from "../bench/performance/figures.ts";
import { table } from "../bench/performance/markdown.ts";
import type { Results } from "../bench/results.ts";

export const GUIDE = "docs/guides/choosing-a-mechanism.md";

const MARKED = /(<!-- figures -->\n).*?(\n<!-- end of the figures -->)/s;

const lines: readonly (Wanted & { readonly mechanism: string; readonly does: string })[] = [
  { mechanism: "shared memory", does: "64 KiB copied in and out", row: "segment-copy", bytes: 65536 },
  { mechanism: "pipe", does: "1 KiB of a stream, 64 KiB at a time", row: "pipe-stream", bytes: 65536, peer: "pipe" },
  { mechanism: "pipe", does: "1 KiB of a stream, 4 KiB at a time", row: "pipe-stream-4k", bytes: 4096, peer: "pipe" },
  { mechanism: "queue", does: "one message of 256 B of a stream", row: "queue-stream", bytes: 256, peer: "sysv-msg" },
  { mechanism: "queue", does: "the same in batches", row: "queue-stream-batch", bytes: 256, peer: "sysv-msg" },
  { mechanism: "queue", does: "there and back, both blocking", row: "queue-roundtrip", bytes: 64, peer: "sysv-msg" },
  { mechanism: "queue", does: "there and back, both awaiting", row: "await-roundtrip", bytes: 64, peer: "MessagePort" },
  {
    mechanism: "queue",
    does: "there and back on one CPU, each asleep meanwhile",
    row: "queue-roundtrip-park",
    bytes: 64,
    peer: "pipe",
  },
  { mechanism: "signal", does: "there and back", row: "signal-roundtrip", peer: "signals" },
  { mechanism: "semaphore", does: "wait and post", row: "semaphore-pair", peer: "sysv-sem" },
  { mechanism: "mutex", does: "lock and unlock", row: "mutex-pair", peer: "pthread-mutex" },
];

function figures(results: Results): string {
  const rows = lines.flatMap(({ mechanism, does, ...wanted }) => {
    const entry = entryOf(results, wanted);
    if (entry === undefined) return [];
    return [[mechanism, does, time(entry.ours_ns), entry.peer, time(entry.peer_ns), inDigits(entry.ratio)]];
  });
  return table(["mechanism", "does", "takes", "beside", "which takes", "times as fast"], [2, 4, 5], rows);
}

/** Figures of a busy machine are no better than that, and say so. */
function loads({ runs }: Results): string {
  const all = runs.map(({ load }) => load);
  return `The machine's load average was ${Math.min(...all)} to ${Math.max(...all)} when these runs began; a quiet one has 0.`;
}

export const guideWithFigures = (): string =>
  readFileSync(GUIDE, "utf8").replace(MARKED, (_, begin: string, end: string) => {
    const results = committedResults();
    return `${begin}\n${figures(results)}\n\n${loads(results)}\n${end}`;
  });
