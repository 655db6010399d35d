// The documents that are made of data: what they say is what the code says.

import { performanceDocuments } from "../bench/performance/document.ts";
import { syscalls } from "../src/abi/syscalls.ts";
import { differencesTable } from "../test/differential/differences.ts";
import { commandDocument } from "./command-document.ts";
import { GUIDE, guideWithFigures } from "./guide-figures.ts";

const STATUS = { whole: "whole", partial: "in part", later: "later (ENOSYS)" } as const;

/** docs/syscalls.md */
function syscallsDocument(): string {
  const rows = syscalls.map(
    ({ number, name, family, status, mission, notes }) =>
      `| ${number} | \`${name}\` | ${family} | ${STATUS[status]} | ${mission ? "yes" : ""} | ${notes} |`,
  );
  return `# System calls

Made from \`src/abi/syscalls.ts\` by \`npm run docs\`: change that, not this.

\`kernel.syscall(number, …arguments)\` makes a call by its number, \`kernel.sys.name(…arguments)\` by its name. The numbers are the
mission's, and Linux x86-64's for the rest. A result is 0 or more, an error the negative errno; neither form throws. A call
blocks its thread as the call does on Linux. A number that is not listed gives -38 (ENOSYS).

Pointers are addresses in the calling task's memory, \`kernel.memory\`, of which address 0 is NULL; \`shmat\` returns an address
too, whose bytes \`kernel.memoryAt(address, length)\` gives. Every pointer is checked whole, with its length, before anything is
touched: EFAULT. Structures have Linux's layout for x86-64. Where a call differs from Linux on purpose, see
[differences](differences.md).

| number | name | family | status | in the mission | notes |
|---|---|---|---|---|---|
${rows.join("\n")}
`;
}

/** docs/differences.md */
function differencesDocument(): string {
  return `# Where we differ from Linux

Made from \`test/differential/differences.ts\` by \`npm run docs\`: change that, not this.

The same call gives the same result and errno as on Linux, save in these rows. \`npm run test:differential -- --calls N --seed S
--family F\` sends the same random calls to both and compares; it draws nothing that differs by these rows.

${differencesTable()}
`;
}

/** Each document's text, by its path in the repository. */
export const documents: { readonly [path: string]: () => string } = {
  "docs/syscalls.md": syscallsDocument,
  "docs/differences.md": differencesDocument,
  ...performanceDocuments,
  "docs/command.md": commandDocument,
  [GUIDE]: guideWithFigures,
};
