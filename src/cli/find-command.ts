// Which command a command line names.

import type { Command } from "./command.ts";
import { UsageError } from "./failure.ts";
import { hint } from "./nearest.ts";

export interface Found {
  readonly command: Command;
  /** Its full name, such as "shm create". */
  readonly name: string;
  /** The words behind it. */
  readonly words: readonly string[];
}

/** The command that the first word, or words, name; a UsageError with what to type instead. */
export function findCommand(commands: readonly Command[], words: readonly string[], parent = ""): Found {
  const [word = "", ...behind] = words;
  const command = commands.find(({ name }) => name === word);
  const prefix = parent === "" ? "" : `${parent} `;
  if (!command) {
    const names = commands.filter(({ hidden }) => !hidden).map((one) => one.name);
    const remedy = hint(word, names, (found) => `"fanga ${prefix}${found}"`) || `: type one of ${names.join(", ")}`;
    throw new UsageError(`there is no command "${prefix}${word}"${remedy}`);
  }
  const name = prefix + command.name;
  const next = behind[0];
  if (!command.subcommands || next === undefined || next.startsWith("-")) return { command, name, words: behind };
  return findCommand(command.subcommands, behind, name);
}
