// Who waits for whom: from the owners of locks and the wait nodes of those who wait for them (a wait-for graph; Coffman, Elphick
// and Shoshani 1971). Looked at without locks: what is found has held for a moment at least, and a cycle that is none any more
// can be found while its tasks go on. A task whose promise waits is not stopped by that: a cycle through it can still be undone by
// another of its functions.

import { type Geometry, kinds, mutex, node, rwlock, task } from "../memory/layout.ts";
import { field, LINE_WORDS, type Word, type Words } from "../memory/words.ts";
import { Mutex, type MutexUser } from "../objects/mutex.ts";
import { ReadWriteLock } from "../objects/rwlock.ts";
import { taskSlot } from "../sync/bell.ts";
import type { Pid } from "../sync/robust-lock.ts";
import { AWAITED, isListed, type Node, stateOf } from "../sync/wait-list.ts";
import type { Registry } from "./registry.ts";

/** A task of a cycle, the lock that it waits for, and the next task of the cycle, which holds that. */
export interface Waiting {
  /** The pid of the task that waits. */
  readonly pid: number;
  /** What it waits for. */
  readonly lock: "mutex" | "rwlock";
  /** The lock's name, undefined where it has none. */
  readonly name: string | undefined;
  /** The pid of the task that holds it. */
  readonly heldBy: number;
}

/** So many ways are followed from one task: with many readers that wait for each other there are more than anybody reads. */
const WAYS_MAX = 10_000;

interface Kernel extends MutexUser {
  readonly registry: Registry;
}

/** A task that waits for another. */
interface TaskEdge {
  readonly from: number;
  readonly to: number;
}

interface Edge extends TaskEdge {
  readonly objectIndex: number;
}

/** Every cycle of tasks that wait for each other's locks, so far as they are not too many; each begins with its lowest pid. */
export function deadlocks(kernel: Kernel): Waiting[][] {
  return cyclesOf(waits(kernel)).map((cycle) => cycle.map((edge) => describe(kernel, edge)));
}

/** Every cycle of edges from task to task; each begins with its lowest pid. */
export function cyclesOf<T extends TaskEdge>(edges: readonly T[]): T[][] {
  const found: T[][] = [];
  const starts = [...new Set(edges.map(({ from }) => from))].sort((one, other) => one - other);
  for (const start of starts) cyclesFrom(edges, start, found);
  return found;
}

/** Whether this task would wait for itself, by way of others, if it waited for a lock; and asleep, not by way of others too. */
export function closesCycle(kernel: Kernel, objectIndex: number, awaits: boolean): boolean {
  const edges = waits(kernel);
  const seen = new Set<number>();
  const reaches = (pid: number): boolean => {
    if (pid === kernel.pid) return true;
    if (seen.has(pid)) return false;
    seen.add(pid);
    return edges.some(({ from, to }) => from === pid && reaches(to));
  };
  return ownersOf(kernel, objectIndex).some((owner) => !(awaits && owner === kernel.pid) && reaches(owner));
}

/** The ways back to a task over those with higher pids, the shortest first: each cycle is found from its lowest pid only. */
function cyclesFrom<T extends TaskEdge>(edges: readonly T[], start: number, found: T[][]): void {
  const ways: T[][] = edges.filter(({ from }) => from === start).map((edge) => [edge]);
  for (let tried = 0; tried < ways.length && tried < WAYS_MAX; tried++) {
    const way = ways[tried] as T[];
    const { to } = way.at(-1) as T;
    if (to === start) found.push(way);
    else if (to > start && !way.some(({ from }) => from === to))
      for (const edge of edges) if (edge.from === to) ways.push([...way, edge]);
  }
}

function waits(kernel: Kernel): Edge[] {
  const { words, geometry } = kernel;
  const locks = locksByMonitor(kernel);
  const edges: Edge[] = [];
  if (locks.size === 0) return edges;
  for (let i = 0; i < geometry.limits.waitersMax; i++) {
    const at = field(geometry.nodes, i * node.WORDS) as Node;
    const from = words.load(field(at, node.OWNER));
    const state = words.load(stateOf(at));
    if (from === 0 || !isListed(state)) continue;
    const objectIndex = locks.get(words.load(field(at, node.LIST)));
    if (objectIndex === undefined) continue;
    // A promise that waits for another function of its own task is let on by that.
    for (const to of ownersOf(kernel, objectIndex))
      if (to !== from || state !== AWAITED) edges.push({ from, to, objectIndex });
  }
  return edges;
}

function locksByMonitor({ registry, geometry }: Kernel): Map<number, number> {
  const locks = new Map<number, number>();
  for (let index = 0; index < geometry.limits.objectsMax; index++) {
    const kind = registry.kindOf(index);
    const body = (registry.bodyLineOf(index) * LINE_WORDS) as Word;
    if (kind === kinds.MUTEX) locks.set(field(body, mutex.MONITOR), index);
    else if (kind === kinds.RWLOCK) locks.set(field(body, rwlock.MONITOR), index);
  }
  return locks;
}

function ownersOf(kernel: Kernel, objectIndex: number): number[] {
  const bodyLine = kernel.registry.bodyLineOf(objectIndex);
  if (kernel.registry.kindOf(objectIndex) === kinds.MUTEX) {
    const { owner } = new Mutex(kernel, bodyLine);
    return owner === 0 ? [] : [owner];
  }
  const lock = new ReadWriteLock(kernel, bodyLine);
  const readers = lock.readingSlots().map((slot) => pidOfSlot(kernel.words, kernel.geometry, slot));
  return [lock.writer, ...readers].filter((pid) => pid !== 0);
}

const pidOfSlot = (words: Words, geometry: Geometry, slot: number): number =>
  words.load(field(taskSlot(geometry, (slot + 1) as Pid), task.PID));

function describe({ registry }: Kernel, { from, to, objectIndex }: Edge): Waiting {
  const name = registry.nameOf(objectIndex);
  return {
    pid: from,
    lock: registry.kindOf(objectIndex) === kinds.MUTEX ? "mutex" : "rwlock",
    name: name.length === 0 ? undefined : new TextDecoder().decode(name),
    heldBy: to,
  };
}
