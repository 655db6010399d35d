// A command of `fanga`, as data: what the help says of it, what the completion knows of it, and what it does.

import type { Arguments } from "./arguments.ts";
import type { Completion, Options } from "./option.ts";

/** What a command is given of the world outside. */
export interface Context {
  /** All commands there are. */
  readonly commands: readonly Command[];
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly environment: NodeJS.ProcessEnv;
  /** Whether standard output is a terminal. */
  readonly isTTY: boolean;
  /**
   * Aborted by SIGINT, SIGTERM and SIGHUP. A command that never asks for it is ended by those signals, as any process is. One that
   * asks ends in its own way: what it throws after that ends the process by the signal, what it returns is its exit code.
   */
  readonly signal: AbortSignal;
}

/** A word that is no option, in its place. */
export interface Parameter {
  /** In capitals, such as "QUEUE". */
  readonly name: string;
  readonly description: string;
  readonly optional?: boolean;
  /** Of the last one: it takes all words that are left. */
  readonly many?: boolean;
  readonly completes?: Completion;
}

export interface Command {
  readonly name: string;
  /** Not listed: for scripts of ours. */
  readonly hidden?: boolean;
  /** A line of the list of commands, without a full stop. */
  readonly summary: string;
  /** The rest of its help, in whole sentences: lines of at most 80 columns. */
  readonly notes?: string;
  readonly options?: Options;
  readonly parameters?: readonly Parameter[];
  /** It takes what stands behind "--" as it is, such as a command to run. */
  readonly rest?: { readonly name: string; readonly description: string };
  /** Command lines and what each does. */
  readonly examples?: readonly (readonly [line: string, meaning: string])[];
  /** Commands of its own, such as `shm create`; it has no `run` then. */
  readonly subcommands?: readonly Command[];
  /** Rewrites its words before they are read, where custom has a spelling of its own (`kill -9`). */
  respell?(words: readonly string[]): readonly string[];
  /** Returns the exit code. */
  run?(context: Context, given: Arguments): Promise<number> | number;
}
