// A region: the block of shared memory that a kernel lives in. Two doors.
//
//   create   lays out zeroed memory and stores MAGIC last
//   attach   checks the whole header against what the memory's holder says of it, and writes nothing
//
// Where the memory comes from is the platforms' business.

import { EAGAIN, EINVAL, EIO, EOPNOTSUPP, ESTALE } from "../abi/errno.ts";
import { type KernelLimits, limitBounds } from "../abi/limits.ts";
import { Allocator, type Reserve } from "./allocator.ts";
import { Charges } from "./charges.ts";
import { Journal } from "./journal.ts";
import {
  description,
  type Geometry,
  geometryOf,
  HEADER_BYTES,
  header,
  LAYOUT_VERSION,
  MAGIC,
  object,
  tableBytes,
} from "./layout.ts";
import { field, LINE_BYTES, type Word, type Words } from "./words.ts";

/** What identifies the machine and the pid namespace that a region's tasks live in. */
export interface Origin {
  /** Four words of the operating system's boot id; zeros where there is none. */
  readonly bootId: readonly number[];
  /** The inode of the pid namespace; 0 where there is none. */
  readonly pidNamespace: number;
}

export interface Region {
  readonly words: Words;
  readonly geometry: Geometry;
  readonly reserve: Reserve;
}

/** Why a request was refused: a negative errno, and what is wrong and what to do, for the error's message. */
export interface Refusal {
  readonly errno: number;
  readonly reason: string;
}

export const isRefusal = (answer: object): answer is Refusal => "errno" in answer && "reason" in answer;

export const headerWord = (name: keyof typeof header): Word => header[name] as Word;

/** The header field of each limit, in one place for both doors. */
const limitFields: { readonly [name in keyof KernelLimits]: keyof typeof header } = {
  regionBytes: "REGION_BYTES",
  tasksMax: "TASKS_MAX",
  objectsMax: "OBJECTS_MAX",
  descriptorsMax: "DESCRIPTORS_MAX",
  descriptionsMax: "DESCRIPTIONS_MAX",
  waitersMax: "WAITERS_MAX",
  messageBytesMax: "MESSAGE_BYTES_MAX",
  taskObjectsMax: "TASK_OBJECTS_MAX",
  taskHeapBytesMax: "TASK_HEAP_BYTES_MAX",
  taskHoldsMax: "TASK_HOLDS_MAX",
  taskWaitersMax: "TASK_WAITERS_MAX",
  taskChildrenMax: "TASK_CHILDREN_MAX",
};
const limitNames = Object.keys(limitFields) as (keyof KernelLimits)[];

/** Checks limits one by one and together: the tables and a little heap must fit the region. */
export function checkLimits(limits: KernelLimits): Refusal | undefined {
  for (const name of limitNames) {
    const value = limits[name];
    const [least, most] = limitBounds[name];
    if (!Number.isInteger(value) || value < least || value > most) {
      return { errno: EINVAL, reason: `${name} must be a whole number from ${least} to ${most}, not ${String(value)}` };
    }
  }
  const geometry = geometryOf(limits);
  const heapLines = geometry.heapEndLine - geometry.heapLine;
  if (heapLines < 64) {
    const needed = tableBytes(geometry) + 64 * LINE_BYTES;
    return { errno: EINVAL, reason: `regionBytes must be at least ${needed} to hold the tables of these limits` };
  }
  return undefined;
}

/** Lays out a kernel in zeroed memory of `limits.regionBytes` bytes, backed as far as `reservedBytes`. */
export function formatRegion(words: Words, limits: KernelLimits, origin: Origin, reservedBytes: number): Region {
  const geometry = geometryOf(limits);
  for (const name of limitNames) words.set(headerWord(limitFields[name]), limits[name] | 0);
  words.set(headerWord("VERSION"), LAYOUT_VERSION);
  words.set(headerWord("PID_NAMESPACE"), origin.pidNamespace | 0);
  origin.bootId.forEach((part, i) => {
    words.set(field(headerWord("BOOT_ID"), i), part | 0);
  });
  const id = crypto.getRandomValues(new Int32Array(2));
  id.forEach((part, i) => {
    words.set(field(headerWord("REGION_ID"), i), part);
  });
  words.set(headerWord("RESERVED_BYTES"), reservedBytes | 0);
  chainFree(words, headerWord("OBJECT_FREE"), geometry.objects, object.WORDS, object.NEXT, limits.objectsMax);
  chainFree(
    words,
    headerWord("DESCRIPTION_FREE"),
    geometry.descriptions,
    description.WORDS,
    description.NEXT,
    limits.descriptionsMax,
  );
  const journal = new Journal(words);
  new Allocator(words, journal, new Charges(words, journal, geometry), geometry, () => 0).format();
  journal.commit();
  words.store(headerWord("MAGIC"), MAGIC); // PUBLISHES the region → observed in readGeometry()
  return { words, geometry, reserve: () => 0 };
}

/** Links a table's records into a free list: index + 1 of the next, 0 at the end. */
function chainFree(words: Words, head: Word, table: Word, recordWords: number, next: number, count: number): void {
  for (let i = 0; i < count; i++) {
    words.set(field(table, i * recordWords + next), i + 1 < count ? i + 2 : 0);
  }
  words.set(head, 1);
}

/** Reads and checks a region's header. `byteLength` is what the memory's holder says is there. */
export function readGeometry(words: Words, byteLength: number, origin: Origin): Geometry | Refusal {
  const magic = words.load(headerWord("MAGIC"));
  if (magic === 0) {
    return { errno: EAGAIN, reason: "it is still being created, or its creator died: try again, or unlink it" };
  }
  if (magic !== MAGIC) return { errno: EINVAL, reason: "it is not a FangaOS region (its magic number is another)" };
  const version = words.load(headerWord("VERSION"));
  if (version !== LAYOUT_VERSION) {
    return {
      errno: EOPNOTSUPP,
      reason: `its layout is version ${version}, this package reads version ${LAYOUT_VERSION}: use one version for all`,
    };
  }
  const limits = Object.fromEntries(
    limitNames.map((name) => [name, words.load(headerWord(limitFields[name])) >>> 0]),
  ) as unknown as KernelLimits;
  const wrong = checkLimits(limits);
  if (wrong) return { errno: EIO, reason: `its header is damaged: ${wrong.reason}` };
  if (byteLength !== limits.regionBytes) {
    return { errno: EIO, reason: `it is truncated: ${byteLength} bytes of ${limits.regionBytes}` };
  }
  if (origin.bootId.some((part, i) => words.load(field(headerWord("BOOT_ID"), i)) !== (part | 0))) {
    return { errno: ESTALE, reason: "it was made before this machine last started: unlink it" };
  }
  if (words.load(headerWord("PID_NAMESPACE")) !== (origin.pidNamespace | 0)) {
    return { errno: EOPNOTSUPP, reason: "its tasks live in another pid namespace (container), where pids mean others" };
  }
  return geometryOf(limits);
}

export const LEAST_REGION_BYTES = HEADER_BYTES;

/** A 64-bit identity of the region, the same for everybody who maps it. */
export const regionId = (words: Words): bigint => words.load64(headerWord("REGION_ID"));
