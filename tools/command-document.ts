// docs/command.md, of the table of commands.

import type { Command } from "../src/cli/command.ts";
import { commands } from "../src/cli/commands.ts";
import { optionRow, parameterRows } from "../src/cli/help.ts";
import { usageOf } from "../src/cli/read-arguments.ts";

const listed = (some: readonly Command[]): readonly Command[] => some.filter(({ hidden }) => !hidden);
const escaped = (text: string): string => text.replaceAll("|", "\\|");

export function commandDocument(): string {
  const rows = listed(commands).map(
    ({ name, summary }) => `| [\`fanga ${name}\`](#fanga-${name}) | ${escaped(summary)} |`,
  );
  return `# The fanga command

Made from the table of commands in \`src/cli/\` by \`npm run docs\`: change that, not this.

\`fanga\` comes with the package: \`npx fanga ls\`, or \`fanga ls\` where the package is installed globally. It looks at kernels
between processes, those in \`/dev/shm\`; a kernel of worker threads is its process's own.

| command | what it does |
|---|---|
${rows.join("\n")}

## What all commands share

- **Which kernel.** \`--kernel NAME\`, else the environment's \`FANGA_KERNEL\`, else the only one there is; where there are
  several, the error lists them. \`ls\`, \`ps\`, \`top\` and \`clean\` go through all of them where none is named.
- **Names of objects.** \`NAME\` where only one kind has it, \`KIND:NAME\` (\`queue:jobs\`), \`key:0x4d2\` by System V's key,
  \`id:17\` by the id that \`ls\` shows and \`msgget(2)\` returns (\`#17\` too, quoted).
- **Exit codes.** 0: done. 1: it failed, or found something unfit. 2: the command line is wrong. What was wrong stands in one
  line on standard error, with what to type instead.
- **Looking disturbs nobody.** \`ls\`, \`ps\`, \`show\` and \`top\` read the kernel's file and become no task of it: they take no
  lock and write nothing, and tell also of a kernel that hangs. What they tell has been so for a moment. The same is had in
  a program by \`KernelObserver\`.
- **For programs.** \`--json\`, where a command has it.

${listed(commands)
  .map((command) => section(command, command.name, 2))
  .join("\n\n")}
`;
}

function section(command: Command, name: string, depth: number): string {
  const parts = [
    `${"#".repeat(depth)} fanga ${name}`,
    `${capitalized(command.summary)}.`,
    fenced(usageOf(command, name), "text"),
  ];
  if (command.notes) parts.push(fenced(command.notes.trim(), "text"));
  const options = Object.entries(command.options ?? {}).map(optionRow);
  const rows = [...parameterRows(command), ...options.map(([left, right]) => [left.trim(), right] as const)];
  if (rows.length > 0) {
    parts.push(
      ["| | |", "|---|---|", ...rows.map(([left, right]) => `| \`${left}\` | ${escaped(right)} |`)].join("\n"),
    );
  }
  if (command.examples) {
    const lines = command.examples.map(([line, meaning]) => `${line}   # ${meaning}`);
    parts.push(fenced(lines.join("\n"), "sh not run: examples, which need the objects that they name"));
  }
  for (const one of listed(command.subcommands ?? [])) parts.push(section(one, `${name} ${one.name}`, depth + 1));
  return parts.join("\n\n");
}

const fenced = (text: string, language: string): string => `\`\`\`${language}\n${text}\n\`\`\``;
const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
