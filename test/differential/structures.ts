// How what a call wrote is compared: bytes as they are, or structures of which some fields cannot be equal on two systems. What
// names something (ids, pids) is left out or named by the run; a time is only whether there is one.

export type View = "bytes" | "msqid" | "shmid" | "polls";

/** The numbers that mean something to one side alone. */
export interface Names {
  /** Which task of the run a pid is. */
  taskOf(pid: number): string;
  /** Which key of the run. */
  keyOf(key: number): string;
}

/** Bytes in hexadecimal, as far as the call wrote. */
function written(bytes: Uint8Array): string {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0xaa) end--;
  return `${end}:${Buffer.from(bytes.subarray(0, end)).toString("hex")}`;
}

type Reader = (view: DataView, names: Names, bytes: Uint8Array) => string;

const when = (view: DataView, at: number): string => (view.getBigInt64(at, true) === 0n ? "never" : "once");

function permissions(view: DataView, names: Names): string {
  const [uid, gid, cuid, cgid] = [4, 8, 12, 16].map((at) => view.getUint32(at, true));
  const mode = view.getUint32(20, true).toString(8);
  return `key ${names.keyOf(view.getInt32(0, true))} uid ${uid} gid ${gid} cuid ${cuid} cgid ${cgid} mode ${mode}`;
}

const readers: { readonly [view in View]: Reader } = {
  bytes: (_view, _names, bytes) => written(bytes),
  polls: (view) => {
    const found = Array.from({ length: view.byteLength / 8 }, (_, i) => view.getUint16(8 * i + 6, true).toString(16));
    return `events ${found}`;
  },
  msqid: (view, names, bytes) => {
    if (bytes.every((byte) => byte === 0xaa)) return "untouched";
    const numbers = [72, 80, 88].map((at) => view.getBigUint64(at, true));
    const pids = [96, 100].map((at) => names.taskOf(view.getInt32(at, true)));
    const times = [48, 56, 64].map((at) => when(view, at));
    return `${permissions(view, names)} bytes,messages,most ${numbers} pids ${pids} times ${times}`;
  },
  shmid: (view, names, bytes) => {
    if (bytes.every((byte) => byte === 0xaa)) return "untouched";
    const numbers = [48, 88].map((at) => view.getBigUint64(at, true));
    const pids = [80, 84].map((at) => names.taskOf(view.getInt32(at, true)));
    const times = [56, 64, 72].map((at) => when(view, at));
    return `${permissions(view, names)} bytes,attached ${numbers} pids ${pids} times ${times}`;
  },
};

export function read(view: View, bytes: Uint8Array, names: Names): string {
  return readers[view](new DataView(bytes.buffer, bytes.byteOffset, bytes.length), names, bytes);
}
