// Everything that a second task can be told to do, by name.

import * as callTasks from "./tasks-calls.ts";
import * as historyTasks from "./tasks-history.ts";
import * as interruptionTasks from "./tasks-interruptions.ts";
import * as kernelTasks from "./tasks-kernel.ts";
import * as limitTasks from "./tasks-limits.ts";
import * as lockTasks from "./tasks-locks.ts";
import * as missionTasks from "./tasks-mission.ts";
import * as pipeTasks from "./tasks-pipe.ts";
import * as queueTasks from "./tasks-queue.ts";
import * as semTasks from "./tasks-sem.ts";
import * as signalTasks from "./tasks-signals.ts";
import * as totalsTasks from "./tasks-totals.ts";

export const tasks = {
  ...callTasks,
  ...historyTasks,
  ...interruptionTasks,
  ...kernelTasks,
  ...limitTasks,
  ...lockTasks,
  ...missionTasks,
  ...pipeTasks,
  ...queueTasks,
  ...signalTasks,
  ...semTasks,
  ...totalsTasks,
};
export type Tasks = typeof tasks;
