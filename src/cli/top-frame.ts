// A frame of fanga top, of what was seen now and the time before.

import type { InspectedKernel, InspectedObject, InspectedTask } from "../api/inspected.ts";
import { taskCells } from "./commands/ps.ts";
import { commandLine } from "./host-process.ts";
import { fillOf } from "./object-text.ts";
import { bytesText, counted, harmless, keyText, tableLines } from "./table.ts";

export interface Frame {
  /** On a clock that only goes on. */
  readonly atMs: number;
  readonly clock: Date;
  readonly kernels: readonly InspectedKernel[];
  /** Kernels that could not be looked at. */
  readonly unreadable: number;
}

const OBJECT_COLUMNS = [
  { heading: "KERNEL" },
  { heading: "KIND" },
  { heading: "NAME" },
  { heading: "FILL" },
  { heading: "IN/s", right: true },
  { heading: "OUT/s", right: true },
  { heading: "WAITERS", right: true },
];

const TASK_COLUMNS = [
  { heading: "KERNEL" },
  { heading: "PID", right: true },
  { heading: "OS", right: true },
  { heading: "STATE" },
  { heading: "SINCE", right: true },
  { heading: "WAITS FOR" },
  { heading: "HOLDS" },
  { heading: "COMMAND" },
];

/** How much went in and out of an object since the frame before, a second; undefined where that is not known. */
interface Rate {
  readonly unit: "messages" | "bytes";
  readonly in: number;
  readonly out: number;
}

/** The lines of a frame. With `rows`, as many as a screen has: objects and tasks share it, and what does not fit is counted. */
export function frameLines(frame: Frame, before: Frame | undefined, rows = Number.POSITIVE_INFINITY): string[] {
  const objects = frame.kernels
    .flatMap((kernel) =>
      kernel.objects.map((object) => ({ kernel, object, rate: rateOf(kernel, object, frame, before) })),
    )
    .sort((one, other) => activity(other) - activity(one));
  const tasks = frame.kernels
    .flatMap((kernel) => kernel.tasks.map((task) => ({ kernel, task })))
    .sort((one, other) => waitsSince(one.task) - waitsSince(other.task));
  const summary = summaryLines(frame);
  const objectLines = tableLines(OBJECT_COLUMNS, objects.map(objectCells));
  const taskLines = tableLines(
    TASK_COLUMNS,
    tasks.map(({ kernel, task }) => [kernel.name, ...taskCells(kernel, task), commandLine(task.osPid)]),
  );
  const room = rows - summary.length - 2;
  const half = Math.floor(room / 2);
  const forObjects = Math.max(half, room - taskLines.length);
  const shownObjects = fitted(objectLines, forObjects);
  return [...summary, "", ...shownObjects, "", ...fitted(taskLines, room - shownObjects.length)];
}

const fitted = (lines: readonly string[], room: number): readonly string[] =>
  lines.length <= room ? lines : [...lines.slice(0, Math.max(0, room - 1)), `… ${lines.length - room + 1} more`];

function summaryLines({ clock, kernels, unreadable }: Frame): string[] {
  const sum = (of: (kernel: InspectedKernel) => number): number => kernels.reduce((all, one) => all + of(one), 0);
  const parts = [
    counted(kernels.length, "kernel"),
    ...(unreadable > 0 ? [`${unreadable} more cannot be read (fanga ls says why)`] : []),
    counted(
      sum(({ tasks }) => tasks.length),
      "task",
    ),
    counted(
      sum(({ objects }) => objects.length),
      "object",
    ),
    counted(
      sum(({ waiters }) => waiters),
      "waiter",
    ),
    bytesText(sum(({ memoryBytes }) => memoryBytes)),
  ];
  const deadlocks = sum((kernel) => kernel.deadlocks.length);
  const warning = deadlocks === 0 ? [] : [`${counted(deadlocks, "deadlock")}: fanga ps --deadlocks`];
  return [`${clock.toTimeString().slice(0, 8)}  ${parts.join(", ")}`, ...warning];
}

interface Row {
  readonly kernel: InspectedKernel;
  readonly object: InspectedObject;
  readonly rate: Rate | undefined;
}

const activity = ({ object, rate }: Row): number => (rate ? rate.in + rate.out : 0) + object.waits.length / 2 ** 20;

function objectCells({ kernel, object, rate }: Row): string[] {
  const { kind, name, key, id, waits } = object;
  const called = name !== undefined ? harmless(name) : key !== undefined ? keyText(key) : `id:${id}`;
  const text = (value: number | undefined): string =>
    value === undefined ? "-" : rate?.unit === "bytes" ? bytesText(Math.round(value)) : String(Math.round(value));
  return [kernel.name, kind, called, fillOf(object), text(rate?.in), text(rate?.out), String(waits.length)];
}

function rateOf(
  kernel: InspectedKernel,
  now: InspectedObject,
  frame: Frame,
  before: Frame | undefined,
): Rate | undefined {
  const objects = before?.kernels.find(({ name }) => name === kernel.name)?.objects;
  const then = objects?.find(({ id }) => id === now.id); // an id names one object, and none that comes after it
  if (!before || !then) return undefined;
  const seconds = Math.max(0.001, (frame.atMs - before.atMs) / 1000);
  const each = (one: number, other: number): number => ((one - other) >>> 0) / seconds; // the counts run free
  if ("sent" in now.state && "sent" in then.state) {
    return {
      unit: "messages",
      in: each(now.state.sent, then.state.sent),
      out: each(now.state.received, then.state.received),
    };
  }
  if (!("written" in now.state && "written" in then.state)) return undefined;
  return { unit: "bytes", in: each(now.state.written, then.state.written), out: each(now.state.read, then.state.read) };
}

/** When a task's longest wait began: the longest first, who does not wait last. */
function waitsSince({ waits }: InspectedTask): number {
  return Math.min(...waits.map(({ sinceMs }) => sinceMs ?? Number.MAX_SAFE_INTEGER), Number.MAX_VALUE);
}
