// Which files are counted, and how they are read. The list and the sizes are decided once, so that every count of them
// is a count of the same bytes: of a file that grows afterwards, nobody reads the new part.

import {
  closeSync,
  type Dirent,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { UsageError } from "./arguments.ts";

const SNIFF_BYTES = 8 * 1024;

export interface TextFile {
  readonly path: string;
  /** Bytes that are counted, from the beginning of the file. */
  size: number;
  /** Last modification when the list was made. */
  readonly modifiedMs: number;
}

export interface TextFiles {
  readonly files: TextFile[];
  readonly binary: number;
  readonly unreadable: number;
}

/** All readable text in the files and directories given, each file once. A path that is not there is a UsageError. */
export function listTextFiles(paths: readonly string[]): TextFiles {
  const list = { files: [] as TextFile[], binary: 0, unreadable: 0 };
  const seen = new Set<string>();
  for (const path of filesBelow(paths, () => list.unreadable++)) {
    if (seen.has(path)) continue;
    seen.add(path);
    const found = inspect(path);
    if (typeof found === "object") list.files.push(found);
    else if (found !== "empty") list[found]++;
  }
  return list;
}

function* filesBelow(paths: readonly string[], onUnreadable: () => void): Generator<string> {
  for (const given of paths) {
    const path = resolveGiven(given);
    const entry = statSync(path);
    if (entry.isDirectory()) yield* walk(path, onUnreadable);
    else if (entry.isFile()) yield path;
    else throw new UsageError(`${given} is neither a file nor a directory`);
  }
}

function resolveGiven(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(code === "ENOENT" ? `there is no ${path}` : `${path} cannot be reached (${code})`);
  }
}

function* walk(directory: string, onUnreadable: () => void): Generator<string> {
  for (const entry of entriesOf(directory, onUnreadable)) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* walk(path, onUnreadable);
    else if (entry.isFile()) yield path;
  }
}

/** In the order of their names, so that two runs over the same files do the same. */
function entriesOf(directory: string, onUnreadable: () => void): Dirent[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    onUnreadable();
    return [];
  }
}

function inspect(path: string): TextFile | "empty" | "binary" | "unreadable" {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch {
    return "unreadable";
  }
  try {
    const { size, mtimeMs } = fstatSync(descriptor);
    if (size === 0) return "empty";
    const length = readSync(descriptor, sniffed, 0, SNIFF_BYTES, 0);
    return sniffed.subarray(0, length).includes(0) ? "binary" : { path, size, modifiedMs: mtimeMs };
  } catch {
    return "unreadable";
  } finally {
    closeSync(descriptor);
  }
}

const sniffed = new Uint8Array(SNIFF_BYTES);

/**
 * Reads the first `size` bytes of a file, or all there are if it has become shorter, and yields the length of each part.
 * `room` is asked before each where to put it. Throws what the file system does.
 */
export function* readInto(path: string, size: number, room: () => Uint8Array): Generator<number> {
  const descriptor = openSync(path, "r");
  try {
    for (let position = 0; position < size; ) {
      const buffer = room();
      const length = readSync(descriptor, buffer, 0, Math.min(buffer.length, size - position), position);
      if (length === 0) return;
      yield length;
      position += length;
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Those that are not what they were when the list was made. */
export function changedSince(files: readonly TextFile[]): TextFile[] {
  return files.filter((file) => {
    const now = lstatSync(file.path, { throwIfNoEntry: false });
    return now === undefined || now.mtimeMs !== file.modifiedMs || now.size < file.size;
  });
}
