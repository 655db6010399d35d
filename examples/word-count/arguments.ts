// The command line of the word count.

import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";

export const WORKERS_MAX = 64;
const WORKERS_RANGE = `--workers takes a number from 1 to ${WORKERS_MAX}`;

export const HELP = `Usage: npm start -- [PATH…] [--workers N] [--threads]

Counts the words of all the text in the given files and directories with several tasks that talk through one kernel in
shared memory, counts the same text again in one process, and compares. The last line is "ok", and the exit status 0,
only if both counts agree.

  PATH           a file, or a directory with all that is below it; without one, the packages installed for this project
  --workers N    how many workers count, 1 to ${WORKERS_MAX}; without it, one for each CPU, 2 at least and 8 at most
  --threads      worker threads of this process instead of processes of their own
  --help         this text

One task, the reader, streams the files through a pipe. The main task cuts the stream into jobs and hands them out through a
message queue; workers send what they have counted back through another. A worker that dies (try kill -9 with
a process number from the first lines) costs time, never words: its unfinished jobs are done by another.

Counted are regular files with no NUL byte in their first 8 KiB; symbolic links are left out, unless given as PATH. A word
is a run of ASCII letters, digits, "_" and bytes from 0x80 up, in lower case; a run of more than 255 bytes is data.

Exit status: 0 the counts agree · 1 they do not, or the run failed · 2 wrong usage · 128 + n ended by signal n
`;

/** A mistake on the command line; the message is one line that says what to do. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export interface Arguments {
  /** As given, in order; none means the installed packages. */
  readonly paths: readonly string[];
  readonly workers: number;
  readonly threads: boolean;
  readonly help: boolean;
}

/** Reads the arguments after the program's name. Throws UsageError. */
export function parseArguments(words: readonly string[]): Arguments {
  const { values, positionals } = parse(words);
  const empty = positionals.find((path) => path === "");
  if (empty !== undefined) throw new UsageError("a PATH is empty");
  return {
    paths: positionals,
    workers: values.workers === undefined ? defaultWorkers() : parseWorkers(values.workers),
    threads: values.threads,
    help: values.help,
  };
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        workers: { type: "string" },
        threads: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    const { message } = error as Error;
    if (message.startsWith("Option '--workers")) throw new UsageError(WORKERS_RANGE);
    throw new UsageError(message.replace(/\.? To specify a positional.*$/s, ""));
  }
}

function parseWorkers(word: string): number {
  const workers = /^[0-9]{1,9}$/.test(word) ? Number(word) : 0;
  if (workers >= 1 && workers <= WORKERS_MAX) return workers;
  throw new UsageError(`${WORKERS_RANGE}, not "${word}"`);
}

function defaultWorkers(): number {
  return Math.min(Math.max(availableParallelism(), 2), 8);
}
