// A region between processes: a sparse file /dev/shm/fangaos.<name>, mode 0600.
//
// Creating: the file has no name (O_TMPFILE) until the kernel in it is whole, and then gets one with linkat(2), which fails
// where the name is taken. A creator that dies leaves nothing; nobody sees a torn region. The tables are backed by memory
// before the name appears, the heap's blocks before they are handed out, so a full /dev/shm is ENOSPC and never a SIGBUS.
//
// Attaching: the file is checked, and its header read with read(2), before a byte of it is mapped.

import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readSync,
  unlinkSync,
} from "node:fs";
import { EACCES, EEXIST, EINVAL, EIO, ENAMETOOLONG, ENOENT, ENOSYS, type ErrnoName, errnos } from "../abi/errno.ts";
import type { KernelLimits } from "../abi/limits.ts";
import { geometryOf, tableBytes } from "../memory/layout.ts";
import { allocateMemory } from "../memory/machine-code.ts";
import { wordsOf } from "../memory/machine-words.ts";
import {
  formatRegion,
  isRefusal,
  LEAST_REGION_BYTES,
  type Refusal,
  type Region,
  readGeometry,
} from "../memory/region.ts";
import { type Offset, Words } from "../memory/words.ts";
import { type Libc, libc } from "./libc.ts";
import { linuxOrigin } from "./linux-identity.ts";

export const DIRECTORY = "/dev/shm";
const PREFIX = "fangaos.";
export const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;
const O_CLOEXEC = 0o2000000;
const NAME_BYTES_MAX = 255 - PREFIX.length;

/** A region that is mapped from a file. */
export interface MappedRegion extends Region {
  readonly address: number;
  /** Gives the memory back; the views stay, over zeros. */
  unmap(): void;
  /**
   * Maps pages of it once more: a buffer of their own, so that who gets it has not all of the region, and cannot write where
   * it may not. A negative errno where that fails.
   */
  mapPages(offset: Offset, bytes: number, writable: boolean): MappedPages | number;
}

export interface MappedPages {
  readonly buffer: ArrayBuffer;
  readonly byteOffset: number;
  release(): void;
}

export const regionPath = (name: string): string => `${DIRECTORY}/${PREFIX}${name}`;

/** The names that region files have now, in the order of the alphabet. */
export function regionNames(): string[] {
  const files = readdirSync(DIRECTORY).filter((file) => file.startsWith(PREFIX) && file.length > PREFIX.length);
  return files.map((file) => file.slice(PREFIX.length)).sort();
}

/** A name that stays in its directory, or what is wrong with it. */
export function checkRegionName(name: unknown): Refusal | undefined {
  if (typeof name !== "string" || name === "") return { errno: EINVAL, reason: "a kernel's name must not be empty" };
  if (name.length > NAME_BYTES_MAX) {
    return { errno: ENAMETOOLONG, reason: `a kernel's name has at most ${NAME_BYTES_MAX} bytes` };
  }
  if (!/^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name)) {
    return {
      errno: EINVAL,
      reason: "a kernel's name is made of letters, digits, '.', '_' and '-', not '.' or '-' first",
    };
  }
  return undefined;
}

export function createRegionFile(name: string, limits: KernelLimits): MappedRegion | Refusal {
  const library = libc();
  if (typeof library === "string") return { errno: ENOSYS, reason: library };
  let descriptor: number | undefined;
  try {
    descriptor = openSync(DIRECTORY, constants.O_RDWR | O_TMPFILE | O_CLOEXEC, 0o600);
    const made = formatFile(library, descriptor, limits);
    if (isRefusal(made)) return made;
    const named = library.nameFile(descriptor, regionPath(name));
    descriptor = undefined; // the region's, to keep or to close
    if (named < 0) {
      made.unmap();
      return { errno: named, reason: named === EEXIST ? "it is there already" : `${regionPath(name)} cannot be made` };
    }
    return made;
  } catch (error) {
    return refusalOf(error, `a region file cannot be made in ${DIRECTORY}`);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function formatFile(library: Libc, descriptor: number, limits: KernelLimits): MappedRegion | Refusal {
  fchmodSync(descriptor, 0o600);
  ftruncateSync(descriptor, limits.regionBytes);
  const reservedBytes = tableBytes(geometryOf(limits)) + 64; // and the first block's header
  const reserved = library.reserve(descriptor, 0, reservedBytes);
  if (reserved < 0) {
    return {
      errno: reserved,
      reason: `${DIRECTORY} has no room for ${reservedBytes} bytes: free some, or lower the limits`,
    };
  }
  const mapped = mapFile(library, descriptor, limits.regionBytes);
  if (isRefusal(mapped)) return mapped;
  const region = formatRegion(mapped.words, limits, linuxOrigin(), reservedBytes);
  return { ...mapped, geometry: region.geometry };
}

export function attachRegionFile(name: string): MappedRegion | Refusal {
  const library = libc();
  if (typeof library === "string") return { errno: ENOSYS, reason: library };
  let descriptor: number | undefined;
  try {
    descriptor = openSync(regionPath(name), constants.O_RDWR | constants.O_NOFOLLOW | O_CLOEXEC);
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) return { errno: EINVAL, reason: `${regionPath(name)} is not a regular file` };
    if (stat.uid !== process.geteuid?.()) {
      return { errno: EACCES, reason: `${regionPath(name)} belongs to user ${stat.uid}, not to us` };
    }
    const geometry = readHeader(descriptor, stat.size);
    if (isRefusal(geometry)) return geometry;
    const mapped = mapFile(library, descriptor, geometry.limits.regionBytes);
    if (isRefusal(mapped)) return mapped;
    descriptor = undefined; // the region keeps it
    return { ...mapped, geometry };
  } catch (error) {
    return refusalOf(error, `${regionPath(name)} cannot be opened`);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

export function unlinkRegionFile(name: string): Refusal | undefined {
  try {
    unlinkSync(regionPath(name));
    return undefined;
  } catch (error) {
    return refusalOf(error, `${regionPath(name)} cannot be removed`);
  }
}

function readHeader(descriptor: number, size: number): ReturnType<typeof readGeometry> {
  if (size < LEAST_REGION_BYTES) {
    return { errno: EIO, reason: `it is truncated: ${size} bytes, less than a region's header` };
  }
  const copy = new Uint8Array(LEAST_REGION_BYTES);
  readSync(descriptor, copy, 0, copy.length, 0);
  return readGeometry(new Words(copy.buffer), size, linuxOrigin());
}

function mapFile(library: Libc, descriptor: number, bytes: number): Omit<MappedRegion, "geometry"> | Refusal {
  // The file's pages take the place of a memory's own, which WebAssembly's atomics reach.
  const memory = allocateMemory(bytes);
  const address = memory ? library.mapOver(memory.buffer, descriptor, bytes) : library.mapShared(descriptor, bytes);
  if (address < 0) return { errno: address, reason: `a region of ${bytes} bytes cannot be mapped` };
  let open = true;
  return {
    // A plain ArrayBuffer over the same bytes: copies to and from a SharedArrayBuffer are slow.
    words: wordsOf(library.view(address, bytes), memory),
    address,
    reserve: (from: Offset, to: Offset) => library.reserve(descriptor, from, to - from),
    mapPages: (offset, length, writable) => {
      const pages = library.mapShared(descriptor, length, offset, writable);
      if (pages < 0) return pages;
      return {
        buffer: library.view(pages, length),
        byteOffset: 0,
        release: () => library.unmapToZeros(pages, length),
      };
    },
    unmap: () => {
      if (!open) return;
      open = false;
      library.unmapToZeros(address, bytes);
      closeSync(descriptor);
    },
  };
}

/** Why the host would not; what is no error of its is thrown on. */
export function refusalOf(error: unknown, what: string): Refusal {
  const code = (error as NodeJS.ErrnoException).code as ErrnoName | undefined;
  if (code === undefined || !(code in errnos)) throw error;
  const errno = -errnos[code].number;
  if (errno === ENOENT) return { errno, reason: `${what}: it is not there; { create: true } makes it` };
  return { errno, reason: `${what}: ${errnos[code].meaning}` };
}
