// What --help and `fanga help` print, made of the table of commands.

import type { Command } from "./command.ts";
import type { Option } from "./option.ts";
import { optionsOf, usageOf } from "./read-arguments.ts";

/** Two columns, the first as wide as its widest entry. */
export function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd()).join("\n");
}

export function helpOfAll(commands: readonly Command[]): string {
  const rows = commands.filter(({ hidden }) => !hidden).map(({ name, summary }) => [name, summary] as const);
  return `usage: fanga COMMAND [OPTION…]

Looks at and works with the kernels of @fangaos/ipc: message queues, pipes, shared
memory, locks and tasks in /dev/shm.

commands:
${columns(rows)}

options:
${columns([
  ["-h, --help", "show this help; fanga COMMAND --help that of a command"],
  ["--version", "show the version"],
])}

Objects are named NAME, KIND:NAME, key:0xKEY (of System V's) or id:ID, as fanga ls shows them.
With several kernels, --kernel NAME or FANGA_KERNEL says which. Exit codes: 0 done, 1 failed, 2 wrong usage.
`;
}

export function helpOf(command: Command, name: string): string {
  const sections = [`usage: ${usageOf(command, name)}`, `${capitalized(command.summary)}.`];
  if (command.notes) sections.push(command.notes.trim());
  const parts = parameterRows(command);
  if (parts.length > 0) sections.push(columns(parts));
  if (command.subcommands) {
    sections.push(`commands:\n${columns(command.subcommands.map((one) => [one.name, one.summary] as const))}`);
  }
  sections.push(`options:\n${columns(Object.entries(optionsOf(command)).map(optionRow))}`);
  if (command.examples) {
    sections.push(`examples:\n${command.examples.map(([line, meaning]) => `  ${line}\n      ${meaning}`).join("\n")}`);
  }
  return `${sections.join("\n\n")}\n`;
}

export function parameterRows(command: Command): (readonly [string, string])[] {
  const rows = (command.parameters ?? []).map(({ name, description }) => [name, description] as const);
  return command.rest ? [...rows, [command.rest.name, command.rest.description]] : rows;
}

export function optionRow([name, { short, type, value, description }]: readonly [string, Option]): readonly [
  string,
  string,
] {
  const long = type === "string" ? `--${name} ${value ?? "VALUE"}` : `--${name}`;
  return [short ? `-${short}, ${long}` : `    ${long}`, description];
}

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
