// fanga __candidates -- WORD…: what may stand where the last word does, a line each. For the completion scripts.

import { candidates as candidatesFor } from "../candidates.ts";
import type { Command } from "../command.ts";
import { EXIT_OK } from "../failure.ts";
import { ASK } from "../shell-scripts.ts";

export const candidates: Command = {
  name: ASK,
  hidden: true,
  summary: "list what may stand in a place of a command line",
  rest: { name: "WORD…", description: "the words behind fanga, up to the cursor" },
  run(context, { rest = [] }) {
    for (const word of candidatesFor(context, rest)) context.stdout.write(`${word}\n`);
    return EXIT_OK;
  },
};
