// All commands, in the order in which the help lists them. A command is a file in commands/, and a line here.

import type { Command } from "./command.ts";
import { help } from "./commands/help.ts";
import { lock } from "./commands/lock.ts";
import { recv } from "./commands/recv.ts";
import { send } from "./commands/send.ts";

export const commands: readonly Command[] = [send, recv, lock, help];
