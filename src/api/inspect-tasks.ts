// Every task of a kernel, with what it waits for and which locks it holds.

import { child, ENDED_MARK, task, ZOMBIE } from "../memory/layout.ts";
import { field, type Word } from "../memory/words.ts";
import { threadStateOf } from "../platforms/linux-identity.ts";
import { taskSlot } from "../sync/bell.ts";
import type { Pid } from "../sync/robust-lock.ts";
import { DirectSignal } from "../tasks/direct-signal.ts";
import type { InspectedObject, InspectedTask, InspectedWait } from "./inspected.ts";
import { type Seen, taskSlots } from "./seen.ts";
import { namesOf } from "./signal-names.ts";

export function inspectTasks(
  seen: Seen,
  waits: readonly InspectedWait[],
  objects: readonly InspectedObject[],
): InspectedTask[] {
  const tasks: InspectedTask[] = [];
  for (const slot of taskSlots(seen)) {
    const pid = seen.words.load(field(slot, task.PID));
    if (pid > 0) tasks.push(inspectTask(seen, slot, pid, waits, objects));
  }
  return tasks.sort((one, other) => one.pid - other.pid);
}

/** A slot's last pid says how many tasks it has had: each one's is tasksMax higher than the one's before. */
export function tasksSoFar(seen: Seen): number {
  const { tasksMax } = seen.geometry.limits;
  let count = 0;
  for (const slot of taskSlots(seen))
    count += Math.ceil(Math.max(0, seen.words.load(field(slot, task.LAST_PID))) / tasksMax);
  return count;
}

function inspectTask(
  seen: Seen,
  slot: Word,
  pid: number,
  allWaits: readonly InspectedWait[],
  objects: readonly InspectedObject[],
): InspectedTask {
  const { words, descriptors } = seen;
  const read = (name: number): number => words.load(field(slot, name));
  const set = (name: number): string[] => namesOf(words.load64(field(slot, name)));
  const waits = allWaits.filter((wait) => wait.pid === pid);
  const state = stateOf(seen, slot, waits);
  const ended = read(task.ENDED);
  return {
    pid,
    parentPid: read(task.PARENT_PID),
    processGroup: read(task.PROCESS_GROUP),
    osPid: read(task.OS_PID),
    osThreadId: read(task.OS_THREAD_ID),
    uid: read(task.EFFECTIVE_UID) >>> 0,
    gid: read(task.EFFECTIVE_GID) >>> 0,
    state,
    waitStatus: state === "zombie" && ended & ENDED_MARK ? ended & (ENDED_MARK - 1) : undefined,
    waits,
    holds: objects.filter(({ holders }) => holders.includes(pid)).map(({ id }) => id),
    descriptors: descriptors.openOf(slot).length,
    signals: {
      pending: namesOf(words.load64(field(slot, task.SIGNALS_PENDING)) | BigInt(new DirectSignal(words, slot).bit)),
      blocked: set(task.SIGNALS_BLOCKED),
      caught: set(task.SIGNALS_CAUGHT),
      ignored: set(task.SIGNALS_IGNORED),
    },
  };
}

function stateOf(seen: Seen, slot: Word, waits: readonly InspectedWait[]): InspectedTask["state"] {
  const { words } = seen;
  const identity = words.load64(field(slot, task.IDENTITY));
  if (identity === ZOMBIE) return hasParent(seen, slot) ? "zombie" : "dead";
  const host = hostState(identity);
  if (host === undefined) return "dead";
  const flags = words.load(field(slot, task.CHILD));
  if ((flags & child.AWAITED) !== 0 && (flags & child.BEGUN) === 0) return "starting";
  if (host === "T" || words.load(field(slot, task.STOPPED)) !== 0) return "stopped";
  return waits.some(({ how }) => how !== "promise") ? "waiting" : "running";
}

/** Whether there is somebody who will wait for it. */
function hasParent({ words, geometry }: Seen, slot: Word): boolean {
  const pid = words.load(field(slot, task.PARENT_PID)) as Pid;
  const parent = taskSlot(geometry, pid);
  const identity = words.load64(field(parent, task.IDENTITY));
  return pid > 0 && words.load(field(parent, task.PID)) === pid && hostState(identity) !== undefined;
}

/** A letter of proc_pid_stat(5); undefined where the thread is dead. Of whom that cannot be found out counts as alive. */
function hostState(identity: bigint): string | undefined {
  try {
    return threadStateOf(identity);
  } catch {
    return "?";
  }
}
