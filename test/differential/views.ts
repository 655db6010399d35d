// How what a call wrote is compared: as bytes, or as a structure of which some fields cannot be equal on two systems. Ids and
// pids are named, a time is only whether there is one.

import { ENTRY_BYTES, entry } from "./handlers.ts";

export type View =
  | "bytes"
  | "msqid"
  | "shmid"
  | "semid"
  | "seminfo"
  | "halves"
  | "descriptors"
  | "poll"
  | "queue-status"
  | "set"
  | "action"
  | "info"
  | "file-infos"
  | "handled"
  | "handled-somehow";

/** The numbers that mean something to one side alone. */
export interface Names {
  /** Which task of the run a pid is. */
  taskOf(pid: number): string;
  /** Which key of the run. */
  keyOf(key: number): string;
  /** A descriptor, counted from the first that a task can get. */
  descriptorOf(descriptor: number): number;
}

/** What scratch memory holds before a call. */
export const UNTOUCHED = 0xaa;

export function read(view: View, bytes: Uint8Array, names: Names): string {
  if (view !== "poll" && bytes.every((byte) => byte === UNTOUCHED)) return "untouched";
  return readers[view](new DataView(bytes.buffer, bytes.byteOffset, bytes.length), names, bytes);
}

type Reader = (view: DataView, names: Names, bytes: Uint8Array) => string;

const readers: { readonly [view in View]: Reader } = {
  bytes: (_view, _names, bytes) => written(bytes),
  descriptors: (view, names) => [0, 4].map((at) => names.descriptorOf(view.getInt32(at, true))).join(" "),
  poll: (view) => events(view),
  "queue-status": (_view, names, bytes) => statusText(bytes, names),
  msqid: (view, names) => {
    const numbers = [72, 80, 88].map((at) => view.getBigUint64(at, true));
    const pids = [96, 100].map((at) => names.taskOf(view.getInt32(at, true)));
    const times = [48, 56, 64].map((at) => when(view, at));
    return `${permissions(view, names)} bytes,messages,most ${numbers} pids ${pids} times ${times}`;
  },
  halves: (_view, _names, bytes) => halves(bytes),
  semid: (view, names) => {
    const times = [48, 64].map((at) => when(view, at));
    return `${permissions(view, names)} semaphores ${view.getBigUint64(80, true)} times ${times}`;
  },
  // how many sets there may be (4) is another limit on each side
  seminfo: (view) => [0, 8, 12, 16, 20, 24, 28, 32, 36].map((at) => view.getInt32(at, true)).join(" "),
  set: (view) => setText(view, 0),
  action: (view) => {
    const [handler, flags, restorer] = [0, 8, 16].map((at) => view.getBigUint64(at, true).toString(16));
    return `handler ${handler} flags ${flags} restorer ${restorer} mask ${setText(view, 24)}`;
  },
  info: (view, names) => {
    const numbers = [0, 4, 8].map((at) => view.getInt32(at, true));
    const rest = new Uint8Array(view.buffer, view.byteOffset + 32, 96).every((byte) => byte === 0) ? "" : " and more";
    return `signal,errno,code ${numbers} of ${sender(view, 16, names)} uid ${view.getUint32(20, true)} value ${view.getBigUint64(24, true)}${rest}`;
  },
  "file-infos": (view, names) => fileInfos(view, names),
  handled: (view, names) => handled(view, names).join(", "),
  // the order of handlers that do not block each other is another on each side
  "handled-somehow": (view, names) => {
    const all = handled(view, names);
    return all.length < 2
      ? all.join()
      : all
          .map((one) => one.replace(/ blocked .*/, ""))
          .sort()
          .join(", ");
  },
  shmid: (view, names) => {
    const numbers = [48, 88].map((at) => view.getBigUint64(at, true));
    const pids = [80, 84].map((at) => names.taskOf(view.getInt32(at, true)));
    const times = [56, 64, 72].map((at) => when(view, at));
    return `${permissions(view, names)} bytes,attached ${numbers} pids ${pids} times ${times}`;
  },
};

const setText = (view: DataView, at: number): string => view.getBigUint64(at, true).toString(16);

/** A pid, if it is one of the run; else what the sender made up. */
function sender(view: DataView, at: number, names: Names): string {
  const pid = view.getInt32(at, true);
  return names.taskOf(pid) === "a stranger" ? String(pid) : names.taskOf(pid);
}

/** Entries of the handlers' log. */
function handled(view: DataView, names: Names): string[] {
  const all: string[] = [];
  for (let at = 0; at < view.byteLength && view.getUint8(at) !== UNTOUCHED; at += ENTRY_BYTES) {
    const [signal, code] = [entry.SIGNAL, entry.CODE].map((part) => view.getInt32(at + part, true));
    const value = view.getBigUint64(at + entry.VALUE, true);
    all.push(
      `${signal} code ${code} value ${value} of ${sender(view, at + entry.PID, names)} blocked ${setText(view, at + entry.MASK)}`,
    );
  }
  return all;
}

const FILE_INFO_BYTES = 128;

/** What a signalfd gives. */
function fileInfos(view: DataView, names: Names): string {
  const all: string[] = [];
  for (let at = 0; at + FILE_INFO_BYTES <= view.byteLength && view.getUint8(at) !== UNTOUCHED; at += FILE_INFO_BYTES) {
    const head = [0, 4, 8].map((part) => view.getInt32(at + part, true));
    const rest = Array.from({ length: 28 }, (_, i) => view.getUint32(at + 16 + 4 * i, true));
    all.push(`${head} of ${sender(view, at + 12, names)} ${rest.join(" ").replace(/( 0)+$/, "")}`);
  }
  return all.join(", ");
}

/** Numbers of 16 bits. */
const halves = (bytes: Uint8Array): string =>
  Array.from(
    { length: bytes.length / 2 },
    (_, i) => (bytes[2 * i] as number) | ((bytes[2 * i + 1] as number) << 8),
  ).join(" ");

/** As far as the call wrote. */
function written(bytes: Uint8Array): string {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === UNTOUCHED) end--;
  const shown = Buffer.from(bytes.buffer, bytes.byteOffset, end);
  const isText = end > 0 && shown.every((byte) => byte >= 32 && byte < 127);
  return `${end}:${shown.toString(isText ? "latin1" : "hex")}`;
}

function events(view: DataView): string {
  const found: string[] = [];
  for (let at = 0; at < view.byteLength; at += 8) found.push(view.getUint16(at + 6, true).toString(16));
  return `events ${found.join(" ")}`;
}

/** The text of a POSIX queue's file (mq_overview(7)), which has a pid in it. */
function statusText(bytes: Uint8Array, names: Names): string {
  const text = Buffer.from(bytes).toString("latin1").replaceAll(String.fromCharCode(UNTOUCHED), "");
  const pid = /NOTIFY_PID:(\d+)/.exec(text)?.[1];
  return pid === undefined ? text : text.replace(/NOTIFY_PID:\d+ *\n?/, `NOTIFY_PID:${names.taskOf(Number(pid))}`);
}

const when = (view: DataView, at: number): string => (view.getBigInt64(at, true) === 0n ? "never" : "once");

function permissions(view: DataView, names: Names): string {
  const [uid, gid, cuid, cgid] = [4, 8, 12, 16].map((at) => view.getUint32(at, true));
  const mode = view.getUint32(20, true).toString(8);
  return `key ${names.keyOf(view.getInt32(0, true))} uid ${uid} gid ${gid} cuid ${cuid} cgid ${cgid} mode ${mode}`;
}
