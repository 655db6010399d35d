// Making and removing FIFOs: mknod, unlink (mknod(2), unlink(2)).

import { EEXIST, EINVAL, EISDIR, ENOENT, EPERM } from "../../abi/errno.ts";
import { S_IFIFO, S_IFMT } from "../../abi/flags.ts";
import { PIPE_BYTES_DEFAULT } from "../../abi/limits.ts";
import { makingPipe } from "../making.ts";
import { controlsFile } from "../permissions.ts";
import { type Argument, type Caller, int, size } from "./call.ts";
import { fifoAddress, fifoName, findFifo, pathAt, tooLong } from "./path.ts";

const S_IFDIR = 0o040000;
/** No type, FIFO, character device, block device, regular file, socket. */
const KNOWN_TYPES: readonly number[] = [0, S_IFIFO, 0o020000, 0o060000, 0o100000, 0o140000];
const PERMISSIONS = 0o7777;

export function mknod(caller: Caller, ...[pointer, modeArgument]: Argument[]): number {
  const { system } = caller;
  const mode = int(modeArgument) & 0xffff;
  const type = mode & S_IFMT;
  if (type === S_IFDIR) return EPERM;
  if (!KNOWN_TYPES.includes(type)) return EINVAL;
  const path = pathAt(caller, size(pointer));
  if (typeof path === "number") return path;
  if (!path.name) return EEXIST;
  const long = tooLong(path.name);
  if (long) return long;
  if (findFifo(system, path.name) >= 0) return EEXIST;
  if (path.slashed) return ENOENT;
  if (type !== S_IFIFO) return EPERM;
  const permissions = mode & PERMISSIONS & ~system.credentials.umask;
  const making = makingPipe(system.words, PIPE_BYTES_DEFAULT, permissions);
  return Math.min(0, system.create(fifoAddress(path.name), making));
}

export function unlink(caller: Caller, ...[pointer]: Argument[]): number {
  const { system } = caller;
  const path = pathAt(caller, size(pointer));
  if (typeof path === "number") return path;
  const name = fifoName(system, path, EISDIR);
  if (typeof name === "number") return name;
  const admit = (index: number): number =>
    controlsFile(system.credentials, system.registry.ownershipOf(index)) ? 0 : EPERM;
  return system.unlink(fifoAddress(name), admit);
}
