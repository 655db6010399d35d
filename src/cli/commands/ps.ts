// fanga ps: the tasks of kernels, and what they wait for.

import type { InspectedDeadlock, InspectedKernel, InspectedTask, InspectedWait } from "../../api/inspected.ts";
import type { Command } from "../command.ts";
import { commandLine } from "../host-process.ts";
import { isoTime, jsonOption, jsonText } from "../json.ts";
import { type Look, lookAtChosen, reportFailures } from "../looks.ts";
import { hostText, howText, sinceText, titleOf, waitText } from "../object-text.ts";
import { kernelOption } from "../option.ts";
import { counted, tableLines } from "../table.ts";

const COLUMNS = [
  { heading: "KERNEL" },
  { heading: "PID", right: true },
  { heading: "OS", right: true },
  { heading: "STATE" },
  { heading: "SINCE", right: true },
  { heading: "WAITS FOR" },
  { heading: "HOLDS" },
  { heading: "COMMAND" },
];

export const ps: Command = {
  name: "ps",
  summary: "list the tasks of the kernels, and what they wait for",
  notes: `PID is a task's number in its kernel, OS the host's process, with the thread of a
worker. SINCE is how long its longest wait has lasted: "-" where none is under way, or
where that is not recorded. STATE:
  running   anything but asleep in a call of a kernel's; its promises may wait
  waiting   asleep until what it waits for comes
  stopped   by a signal
  starting  made by its parent, and not there yet
  zombie    ended, and its parent has not waited for it
  dead      ended without leaving, and not buried yet (fanga clean)`,
  options: {
    ...kernelOption,
    deadlocks: { type: "boolean", description: "show who waits for each other's locks in a circle" },
    ...jsonOption,
  },
  examples: [
    ["fanga ps", "all tasks"],
    ["fanga ps --deadlocks", "why does it hang?"],
  ],
  run(context, given) {
    const looks = lookAtChosen(context, given);
    const kernels = looks.flatMap(({ kernel }) => (kernel ? [kernel] : []));
    const { stdout } = context;
    if (given.has("json")) stdout.write(jsonText(looks.map((look) => jsonOf(look, given.has("deadlocks")))));
    else if (given.has("deadlocks")) stdout.write(deadlocksText(kernels));
    else stdout.write(`${tableLines(COLUMNS, kernels.flatMap(rowsOf)).join("\n")}\n`);
    return reportFailures(context, looks);
  },
};

const rowsOf = (kernel: InspectedKernel): string[][] =>
  kernel.tasks.map((task) => [kernel.name, ...taskCells(kernel, task), commandLine(task.osPid)]);

/** PID to HOLDS. */
export function taskCells(kernel: InspectedKernel, task: InspectedTask): string[] {
  const { pid, state, waits, holds } = task;
  const held = holds.map((id) => kernel.objects.find((object) => object.id === id)).filter((one) => one !== undefined);
  return [
    String(pid),
    hostText(task),
    state,
    longest(waits),
    waits.map((wait) => withHow(wait, waitText(wait, kernel.objects))).join(", ") || "-",
    held.map(titleOf).join(", ") || "-",
  ];
}

const withHow = (wait: InspectedWait, text: string): string =>
  howText(wait) === "" ? text : `${text} [${howText(wait)}]`;

function longest(waits: readonly InspectedWait[]): string {
  const known = waits.filter(({ sinceMs }) => sinceMs !== undefined);
  const [first] = known.sort((one, other) => (one.sinceMs as number) - (other.sinceMs as number));
  return first ? sinceText(first) : "-";
}

function deadlocksText(kernels: readonly InspectedKernel[]): string {
  const texts = kernels.flatMap((kernel) => kernel.deadlocks.map((cycle) => deadlockText(kernel, cycle)));
  return texts.length > 0 ? texts.join("\n") : "no deadlocks\n";
}

function deadlockText(kernel: InspectedKernel, cycle: readonly InspectedDeadlock[]): string {
  const lines = cycle.map((wait) => {
    const task = kernel.tasks.find(({ pid }) => pid === wait.pid);
    const who = task ? ` (process ${hostText(task)}, ${commandLine(task.osPid)})` : "";
    const what = waitText(wait, kernel.objects);
    const how = wait.how === "promise" ? " by a promise" : "";
    const since = wait.sinceMs === undefined ? "waits" : `has waited ${sinceText(wait)}`;
    return `  task ${wait.pid}${who} ${since}${how} for ${what}, held by task ${wait.heldBy}\n`;
  });
  return `deadlock of ${counted(cycle.length, "task")} in kernel ${kernel.name}:\n${lines.join("")}`;
}

function jsonOf({ name, kernel, error }: Look, deadlocksOnly: boolean): object {
  if (error) return { name, error: { code: error.code, message: error.message } };
  const deadlocks = kernel.deadlocks.map((cycle) =>
    cycle.map((wait) => ({ ...waitJson(kernel, wait), pid: wait.pid, heldBy: wait.heldBy })),
  );
  if (deadlocksOnly) return { name, deadlocks };
  const tasks = kernel.tasks.map((task) => ({
    ...task,
    waitStatus: task.waitStatus ?? null,
    waits: task.waits.map((wait) => waitJson(kernel, wait)),
    command: commandLine(task.osPid),
  }));
  return { name, tasks, deadlocks };
}

export function waitJson(kernel: InspectedKernel, wait: InspectedWait): object {
  const object = kernel.objects.find(({ id }) => id === wait.objectId);
  return {
    event: wait.event,
    object: object ? titleOf(object) : null,
    objectId: wait.objectId ?? null,
    how: wait.how,
    selection: wait.selection ?? null,
    since: isoTime(wait.sinceMs),
  };
}
