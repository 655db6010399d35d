// The command line of the small examples: --help, a switch or two, and what is wrong said in one line.

import { parseArgs } from "node:util";

/** Reads the switches; prints the help, or what is wrong, and ends the program where it is asked to. */
export function switchesOf<Name extends string>(help: string, ...names: Name[]): Record<Name, boolean> {
  const options: Record<string, { type: "boolean" }> = { help: { type: "boolean" } };
  for (const name of names) options[name] = { type: "boolean" };
  try {
    const { values } = parseArgs({ options });
    if (values.help) {
      process.stdout.write(help);
      process.exit(0);
    }
    return Object.fromEntries(names.map((name) => [name, values[name] === true])) as Record<Name, boolean>;
  } catch (error) {
    process.stderr.write(`${(error as Error).message} (--help tells more)\n`);
    process.exit(2);
  }
}
