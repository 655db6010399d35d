// All commands, in the order in which the help lists them. A command is a file in commands/, and a line here.

import type { Command } from "./command.ts";
import { candidates } from "./commands/candidates.ts";
import { cat } from "./commands/cat.ts";
import { clean } from "./commands/clean.ts";
import { completion } from "./commands/completion.ts";
import { doctor } from "./commands/doctor.ts";
import { help } from "./commands/help.ts";
import { kill } from "./commands/kill.ts";
import { lock } from "./commands/lock.ts";
import { ls } from "./commands/ls.ts";
import { mkfifo } from "./commands/mkfifo.ts";
import { ps } from "./commands/ps.ts";
import { recv } from "./commands/recv.ts";
import { rm } from "./commands/rm.ts";
import { sem } from "./commands/sem.ts";
import { send } from "./commands/send.ts";
import { shm } from "./commands/shm.ts";
import { show } from "./commands/show.ts";
import { top } from "./commands/top.ts";

const looking: readonly Command[] = [ls, ps, show, top];
const acting: readonly Command[] = [send, recv, mkfifo, cat, shm, lock, sem, kill, rm];
const tending: readonly Command[] = [doctor, clean, completion, help, candidates];

export const commands: readonly Command[] = [...looking, ...acting, ...tending];
