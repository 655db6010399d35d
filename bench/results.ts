// The figures of a run with the machine it ran on: what --results writes, and docs/PERFORMANCE.md is made of.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { MachineDescription, RunDescription } from "./machine.ts";
import { sameMachine } from "./machine.ts";
import type { Profile } from "./profile.ts";
import type { Entry } from "./rounds.ts";
import { ROWS } from "./rows.ts";

/** A peer that does not run, and why. */
export interface Missing {
  readonly row: string;
  readonly peer: string;
  readonly reason: string;
}

/** An entry with its ratio in each of the runs that were made with --again; the figures are those of the last. */
export type ResultEntry = Entry & { readonly ratios: readonly number[] };

export interface Results {
  readonly machine: MachineDescription;
  readonly runs: readonly RunDescription[];
  readonly entries: readonly ResultEntry[];
  readonly missing: readonly Missing[];
  readonly profiles: readonly Profile[];
}

/** What one run measured. */
export interface Run {
  readonly machine: MachineDescription;
  readonly run: RunDescription;
  readonly entries: readonly Entry[];
  readonly missing: readonly Missing[];
  readonly profiles: readonly Profile[];
}

export const titleOf = ({ row, placement, bytes, what, peer }: Entry): string =>
  [row, placement, `${bytes} bytes`, ...(what === undefined ? [] : [what]), `beside ${peer}`].join(", ");

/**
 * The results with those of a run. Rows that it measured replace what was known of them; with `again` their ratios are added to what
 * was known. Other rows stay, where they were measured on the same machine.
 */
export function withRun(before: Results | undefined, run: Run, again: boolean): Results {
  const known = before !== undefined && sameMachine(before.machine, run.machine) ? before : undefined;
  const ratiosOf = new Map(known?.entries.map((entry) => [titleOf(entry), entry.ratios]));
  const measured = run.entries.map((entry) => ({
    ...entry,
    ratios: [...(again ? (ratiosOf.get(titleOf(entry)) ?? []) : []), entry.ratio],
  }));
  const rows = new Set([...run.entries, ...run.missing].map(({ row }) => row));
  const unmeasured = <T extends { readonly row: string }>(list: readonly T[] = []): T[] =>
    list.filter(({ row }) => !rows.has(row));
  const others = unmeasured(known?.entries);
  return {
    machine: run.machine,
    runs: others.length > 0 || again ? [...(known?.runs ?? []), run.run] : [run.run],
    entries: inOrder([...others, ...measured]),
    missing: [...unmeasured(known?.missing), ...run.missing],
    profiles: inOrder([...unmeasured(known?.profiles), ...run.profiles]),
  };
}

/** As the rows of the benchmark are; what it has no longer goes last. */
function inOrder<T extends { readonly row: string }>(list: readonly T[]): T[] {
  const names = ROWS.map(({ name }) => name);
  const place = ({ row }: T): number => (names.includes(row) ? names.indexOf(row) : names.length);
  return [...list].sort((a, b) => place(a) - place(b));
}

export const readResults = (file: string): Results | undefined =>
  existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Results) : undefined;

/** A line for each run, entry and peer: what changed is easy to see. */
export function writeResults(file: string, { machine, runs, entries, missing, profiles }: Results): void {
  const lines = (values: readonly unknown[]): string =>
    values.map((value) => `    ${JSON.stringify(value)}`).join(",\n");
  const list = (name: string, values: readonly unknown[]): string =>
    values.length === 0 ? `  "${name}": []` : `  "${name}": [\n${lines(values)}\n  ]`;
  const parts = [
    `  "machine": ${JSON.stringify(machine)}`,
    list("runs", runs),
    list("entries", entries),
    list("missing", missing),
    list("profiles", profiles),
  ];
  writeFileSync(file, `{\n${parts.join(",\n")}\n}\n`);
}

/** Beside this file's source; the compiled file is two directories further down. */
export function committedResultsPath(): string {
  const own = fileURLToPath(import.meta.url);
  return fileURLToPath(new URL(own.endsWith(".ts") ? "results.json" : "../../bench/results.json", import.meta.url));
}
