// The words behind a command's name, read by what the command says of itself.

import { parseArgs } from "node:util";
import { Arguments, type Read } from "./arguments.ts";
import type { Command } from "./command.ts";
import { UsageError } from "./failure.ts";
import { hint } from "./nearest.ts";
import { commonOptions, type Option, type Options } from "./option.ts";

export const optionsOf = (command: Command): Options => ({ ...command.options, ...commonOptions });

/** Reads a command's words, or throws a UsageError that says what to type instead. `name` is its full name. */
export function readArguments(command: Command, name: string, given: readonly string[]): Arguments {
  const options = optionsOf(command);
  const words = command.respell?.(given) ?? given;
  const parsed = parseArgs({
    args: [...words],
    options: parseable(options),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  for (const token of parsed.tokens) if (token.kind === "option") checkOption(name, options, token);
  const end = parsed.tokens.find(({ kind }) => kind === "option-terminator")?.index;
  const takesRest = command.rest !== undefined && end !== undefined;
  const positionals = parsed.tokens.flatMap((token) =>
    token.kind === "positional" && !(takesRest && token.index > end) ? [token.value] : [],
  );
  const rest = takesRest ? words.slice(end + 1) : undefined;
  const read = new Arguments(name, options, { words: positionals, rest, values: parsed.values as Read["values"] });
  if (!read.has("help")) checkCount(command, name, read);
  return read;
}

/** The part of the options that parseArgs knows. */
const parseable = (
  options: Options,
): { [name: string]: { type: Option["type"]; short?: string; multiple?: boolean } } =>
  Object.fromEntries(
    Object.entries(options).map(([name, { type, short, multiple }]) => [
      name,
      { type, ...(short !== undefined && { short }), ...(multiple !== undefined && { multiple }) },
    ]),
  );

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
}

function checkOption(command: string, options: Options, { name, rawName, value }: OptionToken): void {
  const option = Object.hasOwn(options, name) ? options[name] : undefined;
  if (!option) {
    const names = Object.keys(options).map((known) => `--${known}`);
    const remedy = hint(rawName, names) || `: see "fanga ${command} --help"`;
    throw new UsageError(`${command}: there is no option "${rawName}"${remedy}`);
  }
  if (option.type === "boolean" && value !== undefined) {
    throw new UsageError(`${command}: ${rawName} takes no value: type ${rawName} alone`);
  }
  if (option.type === "string" && value === undefined) {
    throw new UsageError(`${command}: ${rawName} needs a value: type ${rawName} ${option.value ?? "VALUE"}`);
  }
}

function checkCount(command: Command, name: string, { words, rest }: Arguments): void {
  const parameters = command.parameters ?? [];
  const missing = parameters.find(({ optional }, index) => !optional && index >= words.length);
  if (missing) throw new UsageError(`${name}: ${missing.name} is missing: type ${usageOf(command, name)}`);
  const surplus = parameters.at(-1)?.many ? undefined : words[parameters.length];
  if (surplus !== undefined) {
    throw new UsageError(`${name}: there is no place for "${surplus}": type ${usageOf(command, name)}`);
  }
  if (command.rest && (rest === undefined || rest.length === 0)) {
    throw new UsageError(`${name}: -- ${command.rest.name} is missing: type ${usageOf(command, name)}`);
  }
}

/** "fanga send [OPTION…] QUEUE [MESSAGE…]" */
export function usageOf(command: Command, name: string): string {
  const parameters = (command.parameters ?? []).map(({ name: word, optional, many }) => {
    const shown = many ? `${word}…` : word;
    return optional ? `[${shown}]` : shown;
  });
  const rest = command.rest ? ["--", command.rest.name] : [];
  const options = command.subcommands ? ["COMMAND"] : command.options ? ["[OPTION…]"] : [];
  return ["fanga", name, ...options, ...parameters, ...rest].filter((part) => part !== "").join(" ");
}
