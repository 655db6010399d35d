// What may stand in a place of a command line, for the shells' completion.

import { SIGNAL_MAX, signalName } from "../abi/signals.ts";
import type { InspectedObject } from "../api/inspected.ts";
import { Kernel } from "../api/kernel.ts";
import type { Command, Context } from "./command.ts";
import { lookAt } from "./looks.ts";
import { nameToType } from "./object-text.ts";
import type { Completion, Options } from "./option.ts";
import { optionsOf } from "./read-arguments.ts";
import { harmless, keyText } from "./table.ts";

/** In place of words: the shell's own completion of files, or of commands. */
export const FILES = ":files";
export const SHELL_COMMANDS = ":commands";

/** The words that may stand where the last of `words` does; they are what is behind "fanga" on the line, up to the cursor. */
export function candidates(context: Context, words: readonly string[]): string[] {
  const current = words.at(-1) ?? "";
  return candidatesAt(context, words.slice(0, -1), current).filter(
    (one) => one.startsWith(":") || one.startsWith(current),
  );
}

const namesOf = (commands: readonly Command[]): string[] =>
  commands.filter(({ hidden }) => !hidden).map(({ name }) => name);

function candidatesAt(context: Context, before: readonly string[], current: string): string[] {
  let commands = context.commands;
  for (let depth = 0; ; depth++) {
    const word = before[depth];
    if (word === undefined) return depth === 0 ? [...namesOf(commands), "--help", "--version"] : namesOf(commands);
    const command = commands.find(({ name }) => name === word);
    if (!command) return [];
    if (!command.subcommands) return inCommand(context, command, before.slice(depth + 1), current);
    commands = command.subcommands;
  }
}

function inCommand(context: Context, command: Command, before: readonly string[], current: string): string[] {
  const options = optionsOf(command);
  const end = before.indexOf("--");
  if (end >= 0 && command.rest) return [end === before.length - 1 ? SHELL_COMMANDS : FILES];
  const values = (completes: Completion | undefined): string[] => valuesOf(context, completes, current, before);
  const pending = end < 0 ? optionOf(options, before.at(-1)) : undefined;
  if (pending?.type === "string") return values(pending.completes);
  const [, name, value] = /^--([^=]+)=(.*)$/s.exec(current) ?? [];
  if (name !== undefined && value !== undefined) {
    return valuesOf(context, options[name]?.completes, value, before).map((one) => `--${name}=${one}`);
  }
  if (current.startsWith("-") && end < 0) return Object.keys(options).map((one) => `--${one}`);
  const parameters = command.parameters ?? [];
  const parameter =
    parameters[positionals(options, before)] ?? (parameters.at(-1)?.many ? parameters.at(-1) : undefined);
  const next = parameter ? values(parameter.completes) : command.rest ? ["--"] : [];
  return next;
}

/** The option that a word is, as it stands alone. */
function optionOf(options: Options, word: string | undefined): Options[string] | undefined {
  if (word === undefined || !word.startsWith("-") || word.includes("=")) return undefined;
  if (word.startsWith("--")) return options[word.slice(2)];
  return Object.values(options).find(({ short }) => short !== undefined && word.endsWith(short) && word.length > 1);
}

/** How many of the words are neither options nor their values. */
function positionals(options: Options, words: readonly string[]): number {
  let count = 0;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    if (!word.startsWith("-") || word === "-") count++;
    else if (optionOf(options, word)?.type === "string") i++;
  }
  return count;
}

function valuesOf(
  context: Context,
  completes: Completion | undefined,
  current: string,
  before: readonly string[],
): string[] {
  if (completes === undefined) return [];
  if (completes === "files") return [FILES];
  if (completes === "kernels") return Kernel.names();
  if (completes === "commands") return namesOf(context.commands);
  if (completes === "signals") return signalNames();
  if (completes === "tasks") return seen(context, before).flatMap(({ tasks }) => tasks.map(({ pid }) => String(pid)));
  if (!("objects" in completes)) return [...completes];
  const { objects: kinds } = completes;
  const objects = seen(context, before).flatMap(({ objects: all }) => all);
  return objectWords(
    objects.filter(({ kind }) => kinds === "all" || kinds.includes(kind)),
    current,
  );
}

/** The kernel that the line says, or the environment, or the only one; none where that cannot be told, or looked at. */
function seen({ environment }: Context, before: readonly string[]): ReturnType<typeof lookAt>[] {
  const at = before.findLastIndex((word) => word === "--kernel" || word === "-k");
  const joined = before.findLast((word) => word.startsWith("--kernel="))?.slice("--kernel=".length);
  const names = Kernel.names();
  const name =
    joined ??
    (at >= 0 ? before[at + 1] : undefined) ??
    environment.FANGA_KERNEL ??
    (names.length === 1 ? names[0] : "");
  try {
    return name ? [lookAt(name)] : [];
  } catch {
    return []; // a completion that fails says nothing
  }
}

/** Names alone where they suffice; with their kinds where somebody has typed one, or two objects have the same name. */
function objectWords(objects: readonly InspectedObject[], current: string): string[] {
  const isAlone = ({ name }: InspectedObject): boolean => objects.filter((one) => one.name === name).length === 1;
  const words = objects.map((object) => {
    if (object.name !== undefined && harmless(object.name) !== object.name) return `id:${object.id}`;
    if (current.includes(":") || object.name?.includes(":")) return nameToType(object);
    if (object.name !== undefined && isAlone(object)) return object.name;
    return nameToType(object);
  });
  const keys = objects.flatMap(({ key }) => (key === undefined ? [] : [`key:${keyText(key)}`]));
  const ids = objects.map(({ id }) => `id:${id}`);
  return [...words, ...(current.startsWith("key:") ? keys : []), ...(current.startsWith("id:") ? ids : [])];
}

function signalNames(): string[] {
  return Array.from({ length: SIGNAL_MAX }, (_, i) => signalName(i + 1).replace(/^SIG/, ""));
}
