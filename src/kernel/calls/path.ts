// Paths of the one flat directory, "/": owned by user 0, writable by all, and sticky. It is every task's working directory, and
// its own parent (path_resolution(7)).

import { EFAULT, ENAMETOOLONG, ENOENT, ENOTDIR } from "../../abi/errno.ts";
import { NAME_BYTES_MAX } from "../../abi/limits.ts";
import { kinds } from "../../memory/layout.ts";
import type { System } from "../system.ts";
import type { Caller } from "./call.ts";

/** PATH_MAX, with its NUL. */
const PATH_BYTES_MAX = 4096;
const SLASH = 0x2f;
const DOT = 0x2e;

/** Where a path leads. */
export interface Path {
  /** The last component; undefined where that is the directory itself. */
  readonly name: Uint8Array | undefined;
  /** A "/" behind the name asks for a directory. */
  readonly slashed: boolean;
}

/** The bytes of a path argument: EFAULT, ENAMETOOLONG, ENOENT for an empty one. */
export function readPath(caller: Caller, pointer: number): Uint8Array | number {
  const text = caller.memory.string(pointer, PATH_BYTES_MAX);
  if (!text) return EFAULT;
  if (!text.terminated) return ENAMETOOLONG;
  return text.bytes.length === 0 ? ENOENT : text.bytes;
}

export const isAbsolute = (path: Uint8Array): boolean => path[0] === SLASH;

/** Walks to the last component, which need not be there. ENOTDIR behind a FIFO, ENOENT behind nothing, ENAMETOOLONG. */
export function walk(system: System, path: Uint8Array): Path | number {
  let from = 0;
  for (;;) {
    while (path[from] === SLASH) from++;
    if (from === path.length) return { name: undefined, slashed: true };
    const slash = path.indexOf(SLASH, from);
    const name = path.subarray(from, slash < 0 ? path.length : slash);
    let next = from + name.length;
    while (path[next] === SLASH) next++;
    if (next === path.length) {
      return isDots(name) ? { name: undefined, slashed: true } : { name, slashed: slash >= 0 };
    }
    if (!isDots(name)) return findFifo(system, name) >= 0 ? ENOTDIR : tooLong(name) || ENOENT;
    from = next;
  }
}

/** Both at once. */
export function pathAt(caller: Caller, pointer: number): Path | number {
  const path = readPath(caller, pointer);
  return typeof path === "number" ? path : walk(caller.system, path);
}

/** ENAMETOOLONG for a name above NAME_MAX, else 0. */
export const tooLong = (name: Uint8Array): number => (name.length > NAME_BYTES_MAX ? ENAMETOOLONG : 0);

export const fifoAddress = (name: Uint8Array): { kind: number; name: Uint8Array } => ({ kind: kinds.FIFO, name });

/**
 * The name of a path that should lead to a FIFO: its errors in the order of a look-up. `ofDirectory` is for the directory
 * itself.
 */
export function fifoName(system: System, path: Path, ofDirectory: number): Uint8Array | number {
  const { name, slashed } = path;
  if (!name) return ofDirectory;
  if (tooLong(name)) return ENAMETOOLONG;
  return slashed ? (findFifo(system, name) >= 0 ? ENOTDIR : ENOENT) : name;
}

/** A FIFO's index, or -1. */
export function findFifo(system: System, name: Uint8Array): number {
  if (tooLong(name)) return -1;
  let found = -1;
  system.transaction(() => {
    found = system.registry.findLocked(fifoAddress(name));
    return 0;
  });
  return found;
}

const isDots = (name: Uint8Array): boolean => name.length <= 2 && name.every((byte) => byte === DOT);
