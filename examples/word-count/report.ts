// What is shown at the end: the tasks, the commonest words, and both counts side by side.

import type { Crew, Task } from "./crew.ts";
import { megabytes } from "./progress.ts";
import { readable, type WordTable } from "./word-table.ts";

/** What one way of counting has come to. */
export interface Count {
  readonly label: string;
  readonly table: WordTable;
  readonly files: number;
  /** Bytes of the files, without what separates them in the pipe. */
  readonly bytes: number;
  readonly milliseconds: number;
}

/** The main task's own line in the table of tasks. */
export interface MainTask {
  readonly pid: number;
  readonly jobs: number;
  readonly bytes: number;
  readonly milliseconds: number;
}

export function taskTable(main: MainTask, crew: Crew, threads: boolean): string {
  const osColumn = threads ? "thread" : "process";
  const osId = threads ? "0" : String(process.pid);
  const rows = [
    ["task", "pid", osColumn, "jobs", "MB", "MB/s", "state"],
    [
      "main",
      String(main.pid),
      osId,
      String(main.jobs),
      megabytes(main.bytes),
      rate(main.bytes, main.milliseconds),
      "done",
    ],
    ...crew.tasks.toSorted((a, b) => a.pid - b.pid).map(taskRow),
  ];
  return formatTable(rows, ["task", "state"]);
}

function taskRow(task: Task): string[] {
  const milliseconds = task.latestMs - task.beganMs;
  return [
    task.role,
    String(task.pid || "-"),
    String(task.osId),
    task.role === "worker" ? String(task.jobs) : "-",
    megabytes(task.bytes),
    rate(task.bytes, milliseconds),
    task.state,
  ];
}

export function commonestWords(table: WordTable, limit: number): string {
  const words = table.commonest(limit).map(({ word, count }) => [String(count), readable(word)]);
  return formatTable([["count", "word"], ...words], ["word"]);
}

export function totals(counts: readonly Count[]): string {
  const rows = counts.map(({ label, files, bytes, table, milliseconds }) => [
    label,
    String(files),
    String(bytes),
    String(table.words),
    String(table.distinct),
    (milliseconds / 1000).toFixed(2),
    rate(bytes, milliseconds),
  ]);
  return formatTable(
    [["counted by", "files", "bytes", "words", "distinct", "seconds", "MB/s"], ...rows],
    ["counted by"],
  );
}

/** What two counts do not agree in, in lines for people; none if they agree in every word. */
export function disagreements(shared: Count, plain: Count): string[] {
  const found: string[] = [];
  if (shared.bytes !== plain.bytes) found.push(`${shared.bytes} bytes by tasks, ${plain.bytes} by one process`);
  if (shared.table.words !== plain.table.words) {
    found.push(`${shared.table.words} words by tasks, ${plain.table.words} by one process`);
  }
  const words = shared.table.differences(plain.table);
  for (const { word, here, there } of words.slice(0, 5)) {
    found.push(`"${readable(word)}" ${here} times by tasks, ${there} times by one process`);
  }
  if (words.length > 5) found.push(`and ${words.length - 5} more words`);
  return found;
}

function rate(bytes: number, milliseconds: number): string {
  return bytes > 0 && milliseconds > 0 ? megabytes((bytes * 1000) / milliseconds) : "-";
}

/** Columns of numbers stand to the right; those named stand to the left. The first row names the columns. */
function formatTable(rows: readonly string[][], leftColumns: readonly string[]): string {
  const [head] = rows;
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map((row) =>
    row.map((cell, column) => {
      const left = leftColumns.includes(head[column]);
      return left ? cell.padEnd(widths[column]) : cell.padStart(widths[column]);
    }),
  );
  return lines.map((cells) => cells.join("  ").trimEnd()).join("\n");
}
