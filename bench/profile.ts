// Where our time goes: one more run of a row's first case, in Node's CPU profiler, apart from those that are timed.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { placed } from "./placement.ts";
import type { Entry, Machine } from "./rounds.ts";
import type { Case, Row } from "./rows.ts";
import { clamp } from "./statistics.ts";

/** The shares of the samples that hit each file, or part of the engine, largest first. */
export interface Profile {
  readonly row: string;
  readonly placement: Case["placement"];
  readonly bytes: number;
  readonly shares: readonly (readonly [where: string, share: number])[];
}

/** Shares below this are left out. */
const SHARE_LEAST = 0.02;
const PROFILED_NS = 1.2e9;
const OPERATIONS_MAX = 20_000_000;
const DEADLINE_MS = 60_000;

export async function profileCase(row: Row, one: Case, entry: Entry, { ours, cpus }: Machine): Promise<Profile> {
  const directory = mkdtempSync(join(tmpdir(), "fangaos-bench-profile-"));
  try {
    const { bytes, placement, call, parties } = one;
    const operations = clamp(Math.round(PROFILED_NS / entry.ours_ns), row.warmupOperations, OPERATIONS_MAX);
    const depth = row.peers[0]?.depth?.(bytes);
    const place = placed(cpus, placement);
    const order = {
      work: row.work,
      bytes,
      depth,
      warmup: row.warmupOperations,
      operations,
      cpus: place,
      call,
      parties,
    };
    await ours.measure({ ...order, profileTo: directory }, DEADLINE_MS);
    const [file] = readdirSync(directory);
    return {
      row: row.name,
      placement,
      bytes,
      shares: sharesOf(JSON.parse(readFileSync(join(directory, file), "utf8"))),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

function sharesOf({ nodes, samples, timeDeltas }: CpuProfile): [string, number][] {
  const where = placesOf(nodes);
  const times = new Map<string, number>();
  let sum = 0;
  for (const [i, id] of samples.entries()) {
    const place = where.get(id) ?? "";
    if (place === "") continue;
    times.set(place, (times.get(place) ?? 0) + timeDeltas[i]);
    sum += timeDeltas[i];
  }
  return [...times]
    .map(([place, took]): [string, number] => [place, Number((took / sum).toFixed(3))])
    .filter(([, share]) => share >= SHARE_LEAST)
    .sort(([, a], [, b]) => b - a);
}

/** Where each node's samples belong; nowhere for those of the process's start, under which there is nothing of ours. */
function placesOf(nodes: readonly ProfileNode[]): Map<number, string> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const places = new Map<number, string>();
  const visit = (node: ProfileNode, isOurs: boolean): void => {
    const place = whereOf(node.callFrame.url, node.callFrame.functionName);
    const isOursNow = isOurs || /\//.test(place) || place === LOOP;
    places.set(node.id, isOursNow || /^\(/.test(node.callFrame.functionName) ? place : "");
    for (const child of node.children ?? []) visit(byId.get(child) as ProfileNode, isOursNow);
  };
  visit(nodes[0], false);
  return places;
}

const LOOP = "the benchmark's loop, and what is inlined into it";

/** A file of ours by its path, the rest by what it is; nothing where the process has nothing to do. */
function whereOf(url: string, name: string): string {
  const own = /\/src\/(.+)\.[jt]s$/.exec(url)?.[1];
  if (own === "platforms/libc") return "calls of the host's, asleep in them too";
  if (own !== undefined) return own;
  if (url.startsWith("wasm:")) return "memory/machine-code";
  if (/\/bench\//.test(url)) return LOOP;
  if (/koffi/.test(url)) return "koffi";
  if (name === "(garbage collector)") return "garbage collection";
  if (name === "(program)") return "the host: calls, copies, the event loop";
  if (url.startsWith("node:")) return "Node's own code";
  return /^\((idle|root)\)$/.test(name) ? "" : "the engine's own functions";
}
