// Who waits for what, from the wait nodes and from the tasks that wait without one.

import { PID_BOUND } from "../abi/limits.ts";
import {
  barrier,
  condition,
  kinds,
  mutex,
  node,
  operationsNode,
  pipe,
  queue,
  rwlock,
  semaphore,
  semaphoreSet,
  task,
} from "../memory/layout.ts";
import { field, LINE_WORDS, type Word, type Words } from "../memory/words.ts";
import { WRITER } from "../objects/rwlock.ts";
import { selections } from "../objects/selection.ts";
import { AWAITS_ZERO } from "../objects/semaphore-set.ts";
import { beginningOf } from "../sync/node-pool.ts";
import { WAITING as POLLING } from "../sync/poll-word.ts";
import { AWAITED, isListed, type Node, POLLED, stateOf } from "../sync/wait-list.ts";
import type { AwaitedEvent, InspectedWait } from "./inspected.ts";
import { idOf, objectIndexes, type Seen, taskSlots } from "./seen.ts";
import { namesOf } from "./signal-names.ts";

/** A list in which tasks wait: whose it is, and what is waited for in it. */
interface List {
  readonly objectIndex: number;
  readonly event: (at: Node) => AwaitedEvent;
}

export function inspectWaits(seen: Seen): { readonly all: InspectedWait[]; readonly nodesInUse: number } {
  const { words, geometry } = seen;
  const lists = listsOf(seen);
  const listed: { readonly wait: InspectedWait; readonly list: number; readonly ticket: number }[] = [];
  let nodesInUse = 0;
  for (let i = 0; i < geometry.limits.waitersMax; i++) {
    const at = field(geometry.nodes, i * node.WORDS) as Node;
    const pid = words.load(field(at, node.OWNER));
    if (pid <= 0 || pid >= PID_BOUND) continue;
    nodesInUse++;
    const state = words.load(stateOf(at));
    if (!isListed(state)) continue;
    const [list, ticket] = [node.LIST, node.TICKET].map((name) => words.load(field(at, name))) as [number, number];
    listed.push({ wait: waitOn(seen, lists, at, pid, state), list, ticket });
  }
  // In order of arrival; tickets run free.
  listed.sort((one, other) => one.list - other.list || (one.ticket - other.ticket) | 0);
  const all = listed.map(({ wait }) => wait);
  return { all: [...all, ...waitsWithoutNodes(seen, new Set(all.map(({ pid }) => pid)))], nodesInUse };
}

function waitOn(seen: Seen, lists: ReadonlyMap<number, List>, at: Node, pid: number, state: number): InspectedWait {
  const { words } = seen;
  const list = lists.get(words.load(field(at, node.LIST)));
  return {
    pid,
    event: list?.event(at) ?? "event",
    objectId: list && idOf(seen, list.objectIndex),
    how: state === POLLED ? "polls" : state === AWAITED ? "promise" : "asleep",
    sinceMs: beginningOf(words.load(field(at, node.SINCE))),
    selection: list && selectionOf(seen, list.objectIndex, at),
  };
}

/** Every list, by the monitor that it belongs to. */
function listsOf(seen: Seen): Map<number, List> {
  const lists = new Map<number, List>();
  for (const objectIndex of objectIndexes(seen)) {
    const body = (seen.registry.bodyLineOf(objectIndex) * LINE_WORDS) as Word;
    for (const [base, event] of eventsOf(seen, seen.registry.kindOf(objectIndex), body)) {
      lists.set(field(body, base), { objectIndex, event });
    }
  }
  return lists;
}

/** Where in a body its lists are, and what is waited for in each. */
function eventsOf({ words }: Seen, kind: number, body: Word): [base: number, event: List["event"]][] {
  const has = (name: number): boolean => words.load(field(body, name)) > 0;
  switch (kind) {
    case kinds.PIPE:
    case kinds.FIFO:
      // Who opens a FIFO waits in the same list as who reads, or writes: only then is the other end not open.
      return [
        [pipe.PRODUCER, () => (has(pipe.WRITERS) ? "bytes" : "writer")],
        [pipe.CONSUMER, () => (has(pipe.READERS) ? "room" : "reader")],
      ];
    case kinds.QUEUE:
    case kinds.SYSV_QUEUE:
      return [
        [queue.PRODUCER, () => "message"],
        [queue.CONSUMER, () => "room"],
      ];
    case kinds.SEMAPHORE:
      return [[semaphore.MONITOR, () => "post"]];
    case kinds.SEMAPHORE_SET:
      return [[semaphoreSet.MONITOR, (at) => (blockingOf(words, at) & AWAITS_ZERO ? "zero" : "value")]];
    case kinds.MUTEX:
      return [[mutex.MONITOR, () => "lock"]];
    case kinds.RWLOCK:
      return [
        [
          rwlock.MONITOR,
          (at) => (words.load(field(at, node.SELECT_KIND)) === WRITER.kind ? "write-lock" : "read-lock"),
        ],
      ];
    case kinds.CONDITION:
      return [[condition.MONITOR, () => "notification"]];
    case kinds.BARRIER:
      return [[barrier.MONITOR, () => "others"]];
    default:
      return [];
  }
}

/** The semaphore that a waiter of a set waits for, with AWAITS_ZERO where it waits for zero. */
const blockingOf = (words: Words, at: Node): number => words.load(field(at, operationsNode.BLOCKING));

/** What a waiter is particular about. */
function selectionOf({ words, registry }: Seen, objectIndex: number, at: Node): string | undefined {
  const kind = registry.kindOf(objectIndex);
  if (kind === kinds.SEMAPHORE_SET) return `semaphore ${blockingOf(words, at) & (AWAITS_ZERO - 1)}`;
  if (kind !== kinds.QUEUE && kind !== kinds.SYSV_QUEUE) return undefined;
  const type = words.load64(field(at, node.SELECT));
  switch (words.load(field(at, node.SELECT_KIND))) {
    case selections.TYPE:
      return `type ${type}`;
    case selections.EXCEPT:
      return `any type but ${type}`;
    case selections.LOWEST:
      return `the lowest type up to ${type}`;
    default:
      return undefined;
  }
}

/** Tasks that wait for signals, or for what no list is of: their slots say so. `known` wait on nodes. */
function waitsWithoutNodes(seen: Seen, known: ReadonlySet<number>): InspectedWait[] {
  const { words } = seen;
  const found: InspectedWait[] = [];
  for (const slot of taskSlots(seen)) {
    const pid = words.load(field(slot, task.PID));
    if (pid <= 0) continue;
    const awaited = words.load64(field(slot, task.SIGNALS_AWAITED));
    const polls = words.load(field(slot, task.POLL)) === POLLING;
    if (awaited === 0n && (!polls || known.has(pid))) continue;
    found.push({
      pid,
      event: awaited === 0n ? "event" : "signal",
      objectId: undefined,
      how: polls ? "asleep" : "promise",
      sinceMs: polls ? beginningOf(words.load(field(slot, task.POLL_SINCE))) : undefined,
      selection: awaited === 0n ? undefined : namesOf(awaited).join(" "),
    });
  }
  return found;
}
