// All commands, in the order in which the help lists them. A command is a file in commands/, and a line here.

import type { Command } from "./command.ts";
import { clean } from "./commands/clean.ts";
import { doctor } from "./commands/doctor.ts";
import { help } from "./commands/help.ts";
import { ls } from "./commands/ls.ts";
import { ps } from "./commands/ps.ts";
import { show } from "./commands/show.ts";

export const commands: readonly Command[] = [ls, ps, show, doctor, clean, help];
