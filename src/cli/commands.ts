// All commands, in the order in which the help lists them. A command is a file in commands/, and a line here.

import type { Command } from "./command.ts";
import { candidates } from "./commands/candidates.ts";
import { clean } from "./commands/clean.ts";
import { completion } from "./commands/completion.ts";
import { doctor } from "./commands/doctor.ts";
import { help } from "./commands/help.ts";
import { ls } from "./commands/ls.ts";
import { ps } from "./commands/ps.ts";
import { show } from "./commands/show.ts";
import { top } from "./commands/top.ts";

export const commands: readonly Command[] = [ls, ps, show, top, doctor, clean, completion, help, candidates];
