// The command line of the benchmark.

import { accessSync, constants, statSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { TOLERATED } from "./baseline.ts";
import { ROWS } from "./rows.ts";

export interface Arguments {
  help: boolean;
  quick: boolean;
  /** Compare with the baseline. */
  check: boolean;
  json: string | undefined;
  /** A file of figures with the machine they were measured on. */
  results: string | undefined;
  /** Add this run's ratios to what the results have of the same rows. */
  again: boolean;
  /** Names of rows; empty means every row. */
  rows: string[];
}

/** A mistake on the command line. Its message is one line. */
export class UsageError extends Error {}

export const HELP = `usage: npm run bench -- [--row NAME]... [--quick] [--json FILE] [--results FILE [--again]] [--check]

Measures @fangaos/ipc beside Linux's own IPC called from C (bench/peers.c, compiled with cc when the run starts), beside what
Node has, and beside packages from npm (bench/npm-peers, installed by the first run).

  --row NAME      measure this row only; may be given more than once
  --quick         fewer and shorter rounds: some minutes instead of less than twenty-five
  --json FILE     write the figures to FILE, as an array of objects
  --results FILE  write them with the machine and the peers that do not run: what npm run docs makes docs/PERFORMANCE.md of,
                  from bench/results.json. Rows in FILE that are not measured stay, where the machine is the same
  --again         add the ratios to those that FILE has, so that the report shows those of every run
  --check         compare the ratios with bench/baseline.json: a ratio below ${TOLERATED * 100} % of the one there fails
  --help          this text

Rows: ${ROWS.map((row) => row.name).join(", ")}

In the figures ours_ns and peer_ns are medians over the rounds, in nanoseconds for one operation: a send and a receive
(queue-pair), a message (…-stream), a message there and one back (…-roundtrip), one KiB (pipe-stream). ratio is
peer_ns / ours_ns: above 1 we are faster. spread is (max - min) / median over the rounds, of ours or of the peer,
whichever is larger. In queue-stream our queue is as deep as the peer's beside which it is measured.

Placements: one-task is one process pinned to one CPU, one-cpu two processes pinned to the same CPU, two-cpus two
processes pinned to a CPU each.
`;

export function parseArguments(argv: string[]): Arguments {
  let values: {
    help: boolean;
    quick: boolean;
    check: boolean;
    again: boolean;
    json?: string;
    results?: string;
    row: string[];
  };
  try {
    ({ values } = parseArgs({
      args: argv,
      options: {
        help: { type: "boolean", default: false },
        quick: { type: "boolean", default: false },
        check: { type: "boolean", default: false },
        again: { type: "boolean", default: false },
        json: { type: "string" },
        results: { type: "string" },
        row: { type: "string", multiple: true, default: [] },
      },
    }));
  } catch (error) {
    throw new UsageError((error as Error).message.split("\n")[0]);
  }
  for (const name of values.row) {
    if (!ROWS.some((row) => row.name === name)) {
      throw new UsageError(`no row ${JSON.stringify(name)}; the rows are ${ROWS.map((row) => row.name).join(", ")}`);
    }
  }
  if (values.again && values.results === undefined)
    throw new UsageError("--again adds to a file: name it with --results");
  if (values.json !== undefined) assertWritable("--json", values.json);
  if (values.results !== undefined) assertWritable("--results", values.results);
  const { help, quick, check, again, json, results, row: rows } = values;
  return { help, quick, check, again, json, results, rows };
}

/** Better now than after minutes of measuring. */
function assertWritable(option: string, file: string): void {
  try {
    const there = statSync(file, { throwIfNoEntry: false });
    if (there?.isDirectory()) throw new Error(`${file} is a directory`);
    accessSync(there ? file : dirname(file), constants.W_OK);
  } catch (error) {
    throw new UsageError(`cannot write ${option}: ${(error as Error).message}`);
  }
}
