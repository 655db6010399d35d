// fanga show OBJECT: all that is known of an object.

import type { InspectedKernel, InspectedObject, InspectedTask, InspectedWait } from "../../api/inspected.ts";
import { namesOf } from "../../api/signal-names.ts";
import type { Command } from "../command.ts";
import { EXIT_OK } from "../failure.ts";
import { findObject } from "../find-object.ts";
import { commandLine } from "../host-process.ts";
import { jsonOption, jsonText } from "../json.ts";
import { lookAtOne } from "../looks.ts";
import { fillOf, hostText, howText, sinceText, titleOf, waitText } from "../object-text.ts";
import { kernelOption } from "../option.ts";
import { bytesText, harmless, keyText, modeText, tableLines, timeText } from "../table.ts";
import { userName } from "../users.ts";
import { waitJson } from "./ps.ts";

export const show: Command = {
  name: "show",
  summary: "show all that is known of an object: state, holders, waiters, users",
  options: { ...kernelOption, ...jsonOption },
  parameters: [
    {
      name: "OBJECT",
      description: "NAME, KIND:NAME, key:0xKEY or id:ID, as fanga ls shows them",
      completes: { objects: "all" },
    },
  ],
  examples: [
    ["fanga show mutex:accounts", "who holds it, and who waits"],
    ["fanga show key:0x4d2", "an object of System V's"],
  ],
  run(context, given) {
    const kernel = lookAtOne(context, given);
    const object = findObject(given, kernel, given.word(0));
    context.stdout.write(given.has("json") ? jsonText(jsonOf(kernel, object)) : textOf(kernel, object));
    return EXIT_OK;
  },
};

type Line = readonly [label: string, value: string];

function textOf(kernel: InspectedKernel, object: InspectedObject): string {
  const lines: Line[] = [...identityLines(kernel, object), ...stateLines(object)];
  const width = Math.max(...lines.map(([label]) => label.length));
  const sections = [lines.map(([label, value]) => `${label.padEnd(width)}  ${value}`).join("\n")];
  const add = (title: string, rows: readonly (readonly string[])[], headings: readonly string[]): void => {
    if (rows.length === 0) return;
    const table = tableLines(
      headings.map((heading) => ({ heading })),
      rows,
    ).map((line) => `  ${line}`);
    sections.push(`${title}\n${table.join("\n")}`);
  };
  add(
    "held by",
    object.holders.map((pid) => taskCells(kernel, pid)),
    ["PID", "OS", "STATE", "COMMAND"],
  );
  add(
    "waiters, in order of arrival",
    object.waits.map((wait) => waiterCells(kernel, wait)),
    [...["PID", "OS", "SINCE", "WAITS FOR", "HOW", "COMMAND"]],
  );
  add(
    "open in",
    object.uses.map((use) => useCells(kernel, use)),
    ["PID", "OS", "FD", "ACCESS", "COMMAND"],
  );
  return `${sections.join("\n\n")}\n`;
}

function identityLines(kernel: InspectedKernel, object: InspectedObject): Line[] {
  const { kind, name, key, id, uid, gid, mode, creatorPid, changedSeconds, linked } = object;
  const gone = linked ? "" : name === undefined && key === undefined ? "" : " (removed: gone with its last user)";
  return [
    ["object", `${titleOf(object)}${gone}`],
    ["kernel", kernel.name],
    ["kind", kind],
    ...(name === undefined ? [] : [["name", harmless(name)] as const]),
    ...(key === undefined ? [] : [["key", keyText(key)] as const]),
    ["id", String(id)],
    ["owner", `${userName(uid)} (${uid}:${gid})`],
    ["mode", modeText(mode)],
    ["made by", `task ${creatorPid}`],
    ["changed", timeText(changedSeconds)],
  ];
}

/** How often something was done, and when and by which task last, where the queue notes that: one of System V's does. */
const countText = (count: number, seconds: number, pid: number): string =>
  seconds === 0 ? String(count) : `${count}, last ${timeText(seconds)} by task ${pid}`;

function stateLines(object: InspectedObject): Line[] {
  switch (object.kind) {
    case "pipe":
    case "fifo": {
      const { bytes, capacity, readers, writers } = object.state;
      return [
        ["holds", `${bytesText(bytes)} of ${bytesText(capacity)}`],
        ["ends", `${readers} to read, ${writers} to write`],
      ];
    }
    case "queue":
    case "sysv-queue":
      return queueLines(object.state);
    case "shm": {
      const { bytes, attached, attachedSeconds, detachedSeconds, lastPid } = object.state;
      const last = lastPid === 0 ? "" : `, last by task ${lastPid}`;
      return [
        ["bytes", `${bytes} (${bytesText(bytes)})`],
        ["attached", `${attached} times${last}`],
        ["attach", timeText(attachedSeconds)],
        ["detach", timeText(detachedSeconds)],
      ];
    }
    case "semaphore":
      return [["value", String(object.state.value)]];
    case "semaphore-set": {
      const { values, lastPids, operatedSeconds, changedSeconds } = object.state;
      return [
        ["values", values.join(" ")],
        ["last by", lastPids.join(" ")],
        ["operated", timeText(operatedSeconds)],
        ["set", timeText(changedSeconds)],
      ];
    }
    case "mutex": {
      const { type, locked } = object.state;
      return [
        ["type", type],
        ["state", `${fillOf(object)}${locked > 1 ? `, ${locked} times` : ""}`],
      ];
    }
    case "rwlock":
      return [["state", fillOf(object)]];
    case "condition":
      return [];
    case "barrier": {
      const { parties, opened } = object.state;
      return [
        ["arrived", `${object.waits.length} of ${parties}`],
        ["opened", `${opened} times`],
      ];
    }
    case "signals":
      return [["signals", namesOf(object.state.signals).join(" ")]];
  }
}

function queueLines(state: Extract<InspectedObject, { kind: "queue" }>["state"]): Line[] {
  const { messages, depth, messageBytesMax, bytes, bytesMax, notifies } = state;
  return [
    ["holds", `${messages} of ${depth} messages, of at most ${messageBytesMax} bytes`],
    ...(bytes === undefined ? [] : [["bytes", `${bytes} of ${bytesMax}`] as const]),
    ["sent", countText(state.sent, state.sentSeconds, state.sentBy)],
    ["received", countText(state.received, state.receivedSeconds, state.receivedBy)],
    ...(notifies === 0 ? [] : [["notifies", `task ${notifies}`] as const]),
  ];
}

function hostCells(
  kernel: InspectedKernel,
  pid: number,
): [os: string, command: string, task: InspectedTask | undefined] {
  const task = kernel.tasks.find((one) => one.pid === pid);
  return [task ? hostText(task) : "-", task ? commandLine(task.osPid) : "", task];
}

function taskCells(kernel: InspectedKernel, pid: number): string[] {
  const [os, command, task] = hostCells(kernel, pid);
  return [String(pid), os, task?.state ?? "gone", command];
}

function waiterCells(kernel: InspectedKernel, wait: InspectedWait): string[] {
  const [os, command] = hostCells(kernel, wait.pid);
  return [String(wait.pid), os, sinceText(wait), waitText(wait, kernel.objects), howText(wait) || "asleep", command];
}

function useCells(kernel: InspectedKernel, { pid, descriptor, access }: InspectedObject["uses"][number]): string[] {
  const [os, command] = hostCells(kernel, pid);
  return [String(pid), os, descriptor === undefined ? "-" : String(descriptor), access, command];
}

const jsonOf = (kernel: InspectedKernel, object: InspectedObject): object => ({
  kernel: kernel.name,
  ...object,
  name: object.name ?? null,
  key: object.key ?? null,
  waits: object.waits.map((wait) => ({ pid: wait.pid, ...waitJson(kernel, wait) })),
  uses: object.uses.map((use) => ({ ...use, descriptor: use.descriptor ?? null })),
});
