// fanga completion bash|zsh: the scripts that complete fanga's command lines.

import type { Command } from "../command.ts";
import { EXIT_OK } from "../failure.ts";
import { hint } from "../nearest.ts";
import { bashScript, zshScript } from "../shell-scripts.ts";

const scripts = { bash: bashScript, zsh: zshScript } as const;
const shells = Object.keys(scripts);

export const completion: Command = {
  name: "completion",
  summary: "print a script that completes fanga's command lines in a shell",
  parameters: [{ name: "SHELL", description: "bash or zsh", completes: shells }],
  examples: [
    ["source <(fanga completion bash)", "for this shell; in ~/.bashrc for all"],
    ["fanga completion zsh > ~/.zfunc/_fanga", "for all, where ~/.zfunc is in fpath before compinit"],
  ],
  run({ stdout, commands }, given) {
    const shell = given.word(0);
    if (!Object.hasOwn(scripts, shell)) {
      const remedy = hint(shell, shells) || `: type fanga completion ${shells.join(" or fanga completion ")}`;
      throw given.wrong(`there is no script for "${shell}"${remedy}`);
    }
    stdout.write(scripts[shell as keyof typeof scripts](commands));
    return EXIT_OK;
  },
};
