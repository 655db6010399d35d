// All commands, in the order in which the help lists them. A command is a file in commands/, and a line here.

import type { Command } from "./command.ts";
import { cat } from "./commands/cat.ts";
import { help } from "./commands/help.ts";
import { kill } from "./commands/kill.ts";
import { lock } from "./commands/lock.ts";
import { mkfifo } from "./commands/mkfifo.ts";
import { recv } from "./commands/recv.ts";
import { sem } from "./commands/sem.ts";
import { send } from "./commands/send.ts";
import { shm } from "./commands/shm.ts";

export const commands: readonly Command[] = [send, recv, mkfifo, cat, shm, lock, sem, kill, help];
