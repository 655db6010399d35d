#!/usr/bin/env node
// The fanga command.

import { commands } from "./commands.ts";
import { runProcess } from "./run.ts";

await runProcess(commands);
