// fanga help [COMMAND…]

import type { Command } from "../command.ts";
import { EXIT_OK } from "../failure.ts";
import { findCommand } from "../find-command.ts";
import { helpOf, helpOfAll } from "../help.ts";

export const help: Command = {
  name: "help",
  summary: "show what a command does and takes",
  parameters: [
    {
      name: "COMMAND",
      description: "a command, such as ls or shm create",
      optional: true,
      many: true,
      completes: "commands",
    },
  ],
  run({ stdout, commands }, { words }) {
    if (words.length === 0) stdout.write(helpOfAll(commands));
    else {
      const { command, name } = findCommand(commands, words);
      stdout.write(helpOf(command, name));
    }
    return EXIT_OK;
  },
};
