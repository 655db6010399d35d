// Runs a command line: finds the command, reads its words, and turns what goes wrong into a line and an exit code.

import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { IpcError } from "../api/ipc-error.ts";
import type { Command, Context } from "./command.ts";
import { EXIT_FAILURE, EXIT_OK, EXIT_SIGNALLED, EXIT_SIGPIPE, EXIT_USAGE, Failure, UsageError } from "./failure.ts";
import { findCommand } from "./find-command.ts";
import { helpOf, helpOfAll } from "./help.ts";
import { hint } from "./nearest.ts";
import { readArguments } from "./read-arguments.ts";

/** Runs the command that the words name: the exit code. */
export async function runCommandLine(context: Context, words: readonly string[]): Promise<number> {
  try {
    return await runWords(context, words);
  } catch (error) {
    if (error instanceof UsageError) return fail(context, error.message, EXIT_USAGE);
    if (error instanceof Failure || error instanceof IpcError) return fail(context, error.message, EXIT_FAILURE);
    throw error;
  }
}

function fail({ stderr }: Context, message: string, code: number): number {
  stderr.write(`fanga: ${message.replaceAll(/\s*\n\s*/g, " ")}\n`);
  return code;
}

async function runWords(context: Context, words: readonly string[]): Promise<number> {
  const { commands, stdout } = context;
  const [first] = words;
  if (first === "--help" || first === "-h") return print(stdout, helpOfAll(commands));
  if (first === "--version") return print(stdout, `fanga ${version()}\n`);
  if (first === undefined) throw new UsageError('no command was given: see "fanga --help"');
  if (first.startsWith("-")) {
    const remedy = hint(first, ["--help", "--version"]) || ": options stand behind the command, as in fanga ls --json";
    throw new UsageError(`there is no option "${first}" before a command${remedy}`);
  }
  const { command, name, words: behind } = findCommand(commands, words);
  const given = readArguments(command, name, behind);
  if (given.has("help")) return print(stdout, helpOf(command, name));
  if (!command.run) throw new UsageError(`${name}: a command is missing: type one of ${namesOf(command)}`);
  return command.run(context, given);
}

function print(stdout: NodeJS.WritableStream, text: string): number {
  stdout.write(text);
  return EXIT_OK;
}

const namesOf = ({ name, subcommands = [] }: Command): string =>
  subcommands.map((one) => `fanga ${name} ${one.name}`).join(", ");

/** This package's version. */
export function version(): string {
  const file = new URL("../../../package.json", import.meta.url); // from dist/src/cli
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

const ENDING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The process around a command line: its streams, its signals, its end. */
export async function runProcess(commands: readonly Command[]): Promise<void> {
  const { stdin, stdout, stderr, env: environment } = process;
  const ending = new EndingSignals();
  // Who reads our output has gone, as head does: the rest is for nobody.
  for (const stream of [stdout, stderr]) stream.on("error", endOfPipe);
  const context: Context = {
    commands,
    stdin,
    stdout,
    stderr,
    environment,
    isTTY: stdout.isTTY === true,
    get signal() {
      return ending.signal();
    },
  };
  let code: number;
  try {
    code = await runCommandLine(context, process.argv.slice(2));
  } catch (error) {
    if (ending.received === undefined) throw error;
    return endBy(ending.received);
  }
  await new Promise<void>((resolve) => stdout.write("", () => resolve()));
  process.exit(code);
}

function endOfPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
  process.exit(EXIT_SIGPIPE);
}

/** As the shell expects of a process that a signal has ended: by that signal. */
function endBy(signal: NodeJS.Signals): void {
  for (const one of ENDING) process.removeAllListeners(one);
  process.exitCode = EXIT_SIGNALLED + constants.signals[signal];
  process.kill(process.pid, signal);
}

/** The signals that end a process, made an AbortSignal for commands that ask for it. The second one ends at once. */
class EndingSignals {
  received: NodeJS.Signals | undefined;
  #controller: AbortController | undefined;

  signal(): AbortSignal {
    if (this.#controller) return this.#controller.signal;
    const controller = new AbortController();
    this.#controller = controller;
    for (const name of ENDING) {
      process.once(name, () => {
        this.received = name;
        controller.abort();
      });
    }
    return controller.signal;
  }
}
