// Objects, waits and tasks in words.

import type { AwaitedEvent, InspectedObject, InspectedTask, InspectedWait } from "../api/inspected.ts";
import { namesOf } from "../api/signal-names.ts";
import { bytesText, counted, durationText, harmless, keyText } from "./table.ts";

/** What to type to name it: "queue:jobs", "sysv-queue:key:0x000004d2", or "id:17" of one without either. */
export function nameToType({ kind, name, key, id }: InspectedObject): string {
  if (name !== undefined) return `${kind}:${harmless(name)}`;
  return key === undefined ? `id:${id}` : `${kind}:key:${keyText(key)}`;
}

/** The same with its kind in any case. */
export const titleOf = (object: InspectedObject): string =>
  object.name === undefined && object.key === undefined ? `${object.kind} id:${object.id}` : nameToType(object);

/** How full it is, or what it holds: a column of fanga ls. */
export function fillOf(object: InspectedObject): string {
  switch (object.kind) {
    case "pipe":
    case "fifo":
      return `${object.state.bytes}/${object.state.capacity} B`;
    case "queue":
    case "sysv-queue":
      return `${object.state.messages}/${counted(object.state.depth, "message")}`;
    case "shm":
      return bytesText(object.state.bytes);
    case "semaphore":
      return `value ${object.state.value}`;
    case "semaphore-set":
      return `values ${listText(object.state.values.map(String))}`;
    case "mutex":
      return mutexText(object.state);
    case "rwlock":
      return rwlockText(object.state);
    case "condition":
      return "";
    case "barrier":
      return `${object.waits.length}/${counted(object.state.parties, "party", "parties")}`;
    case "signals":
      return listText(namesOf(object.state.signals));
  }
}

const LISTED_MAX = 4;
const listText = (parts: readonly string[]): string =>
  parts.length <= LISTED_MAX ? parts.join(" ") : `${parts.slice(0, LISTED_MAX).join(" ")} … (${parts.length})`;

function mutexText({ owner, ownerDied, lost }: Extract<InspectedObject, { kind: "mutex" }>["state"]): string {
  if (lost) return "lost";
  const held = owner === 0 ? "free" : `held by ${owner}`;
  return ownerDied ? `${held}, an owner died` : held;
}

function rwlockText({ writer, readers }: Extract<InspectedObject, { kind: "rwlock" }>["state"]): string {
  if (writer !== 0) return `written by ${writer}`;
  return readers.length === 0 ? "free" : `read by ${listText(readers.map(String))}`;
}

const EVENTS: { readonly [event in AwaitedEvent]: string } = {
  bytes: "bytes in",
  room: "room in",
  reader: "a reader of",
  writer: "a writer of",
  message: "a message in",
  post: "a post of",
  value: "a value of",
  zero: "zero in",
  lock: "",
  "read-lock": "reading",
  "write-lock": "writing",
  notification: "a signal of",
  others: "others at",
  signal: "signal",
  event: "a signal, a child or a time",
};

/** "a message in queue:jobs (type 7)", "mutex:accounts", "signal SIGTERM" */
export function waitText({ event, objectId, selection }: InspectedWait, objects: readonly InspectedObject[]): string {
  const object = objects.find(({ id }) => id === objectId);
  if (event === "signal") return `signal ${selection ?? ""}`.trimEnd();
  const where = object ? titleOf(object) : objectId === undefined ? "" : "an object that is gone";
  const text = `${EVENTS[event]} ${where}`.trim();
  return selection === undefined ? text : `${text} (${selection})`;
}

/** How a wait waits, where it does not just sleep. */
export const howText = ({ how }: InspectedWait): string =>
  how === "asleep" ? "" : how === "polls" ? "polls" : "promise";

/** How long a wait has lasted; "-" where that is not known. */
export function sinceText({ sinceMs }: InspectedWait, now = Date.now()): string {
  return sinceMs === undefined ? "-" : durationText(now - sinceMs);
}

/** "4711", or "4711/4713" for a thread that is not its process's first. */
export const hostText = ({ osPid, osThreadId }: InspectedTask): string =>
  osThreadId === 0 || osThreadId === osPid ? String(osPid) : `${osPid}/${osThreadId}`;
