// Everything that a second task can be told to do, by name.

import * as kernelTasks from "./tasks-kernel.ts";
import * as pipeTasks from "./tasks-pipe.ts";
import * as queueTasks from "./tasks-queue.ts";

export const tasks = { ...kernelTasks, ...pipeTasks, ...queueTasks };
export type Tasks = typeof tasks;
