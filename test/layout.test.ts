// The layout of a region is a promise between tasks that may run different builds: what is pinned here is what version 11
// means. A change of anything below changes LAYOUT_VERSION in src/memory/layout.ts, and is then pinned here anew.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { type KernelLimits, limitBounds, limitDefaults, PID_BOUND } from "../src/abi/limits.ts";
import { Kernel } from "../src/index.ts";
import { makingPipe, makingQueue, makingSegment, makingSemaphoreSet } from "../src/kernel/making.ts";
import type { Making } from "../src/kernel/opening.ts";
import * as layout from "../src/memory/layout.ts";
import { checkLimits } from "../src/memory/region.ts";
import { shapeCount, shapeLine, shapeOf } from "../src/memory/shape.ts";
import { LINE_BYTES, LINE_WORDS, WORD_BYTES, Words } from "../src/memory/words.ts";
import { slotsFor } from "../src/objects/message-ring.ts";
import { slotsBytes } from "../src/objects/message-slots.ts";
import { selections } from "../src/objects/selection.ts";
import { CONTESTED, REPAIR, SLEEPERS } from "../src/sync/robust-lock.ts";
import { AWAITED, IDLE, INTERRUPTED, POLLED, SLEEPING, WAITING, WOKEN } from "../src/sync/wait-list.ts";

type Structure = { readonly [field: string]: number };
type Layout = { readonly [structure: string]: Structure };

const PINNED_VERSION = 12;

const pinned: Layout = {
  constants: {
    CLASS_COLUMNS: 8,
    CLASS_ROWS: 27,
    ENDED_GUESS: 0x20000,
    ENDED_MARK: 0x10000,
    GROUPS_MAX: 32,
    HEADER_BYTES: 3136,
    JOURNAL_ENTRIES_MAX: 240,
    MAGIC: 0x41474e46,
    MODE_REMOVED: 0o1000,
    OPERATIONS_ALTER: 0x10000,
    SELECT_OPERATIONS: 16,
    WORD_BYTES: 4,
    LINE_BYTES: 64,
    LINE_WORDS: 16,
    PID_BOUND: 2 ** 28,
  },
  header: {
    MAGIC: 0,
    VERSION: 1,
    REGION_BYTES: 2,
    TASKS_MAX: 3,
    OBJECTS_MAX: 4,
    DESCRIPTORS_MAX: 5,
    DESCRIPTIONS_MAX: 6,
    WAITERS_MAX: 7,
    MESSAGE_BYTES_MAX: 8,
    PID_NAMESPACE: 9,
    REGION_ID: 10,
    BOOT_ID: 12,
    KERNEL_LOCK: 16,
    JOURNAL_COUNT: 17,
    OBJECT_FREE: 18,
    DESCRIPTION_FREE: 19,
    RESERVED_BYTES: 20,
    CLASS_ROW_MAP: 21,
    OBJECTS_USED: 22,
    RULES_GIVEN: 23,
    SWEPT_MS: 32,
    BURIED: 33,
    TAKEN_OVER: 34,
    CPUS: 35,
    TASK_OBJECTS_MAX: 36,
    TASK_HEAP_BYTES_MAX: 37,
    TASK_HOLDS_MAX: 38,
    TASK_WAITERS_MAX: 39,
    TASK_CHILDREN_MAX: 40,
    CLASS_COLUMN_MAPS: 48,
    CLASS_HEADS: 80,
    JOURNAL: 296,
  },
  task: {
    IDENTITY: 0,
    PID: 2,
    LAST_PID: 3,
    PARENT_PID: 4,
    OS_PID: 5,
    OS_THREAD_ID: 6,
    BELL: 16,
    BELL_DESCRIPTOR: 17,
    BELL_INODE: 18,
    POLL: 19,
    POLL_SINCE: 20,
    REAL_UID: 32,
    EFFECTIVE_UID: 33,
    SAVED_UID: 34,
    REAL_GID: 35,
    EFFECTIVE_GID: 36,
    SAVED_GID: 37,
    UMASK: 38,
    GROUP_COUNT: 39,
    GROUPS: 48,
    SIGNALS_PENDING: 80,
    SIGNALS_DIRECT: 82,
    SIGNALS_BLOCKED: 84,
    SIGNALS_IGNORED: 86,
    SIGNALS_CAUGHT: 88,
    SIGNALS_AWAITED: 90,
    PROCESS_GROUP: 92,
    ENDED_BY: 93,
    HOST_THREAD: 94,
    CHILD: 95,
    ENDED: 96,
    STOPPED: 97,
    REPORT: 98,
    CHILDREN: 99,
    BORN: 100,
    OBJECTS: 101,
    HEAP_LINES: 102,
    HOLDS: 103,
    OWN_INFO: 112,
    SIGNALS_QUEUE: 125,
    SIGNALS_QUEUED: 126,
    OWN_INFO_USED: 127,
    STAGED: 128,
    WORDS: 176,
  },
  child: { AWAITED: 1, BEGUN: 2 },
  object: {
    KIND: 0,
    REFERENCES: 1,
    LINKED: 2,
    BODY: 3,
    GENERATION: 4,
    NEXT: 5,
    HASH: 6,
    KEY: 7,
    NAME_BYTES: 8,
    MODE: 9,
    UID: 10,
    GID: 11,
    CREATOR_UID: 12,
    CREATOR_GID: 13,
    CREATOR_PID: 14,
    CHANGED: 15,
    NAME: 16,
    WORDS: 80,
  },
  descriptor: {
    HOST: 2 ** 28,
    CLOSE_ON_EXEC: 2 ** 30,
  },
  description: {
    OBJECT: 0,
    ACCESS: 1,
    REFERENCES: 2,
    FLAGS: 3,
    NEXT: 4,
    OWNER: 5,
    POSITION: 6,
    WORDS: 8,
  },
  node: {
    OWNER: 0,
    STATE: 1,
    LIST: 2,
    NEXT: 3,
    PREVIOUS: 4,
    TICKET: 5,
    WANT: 6,
    SELECT: 8,
    SELECT_KIND: 10,
    SINCE: 15,
    WORDS: 16,
  },
  operationsNode: {
    RESULT: 7,
    MORE: 11,
    COUNT: 12,
    UNDO: 13,
    BLOCKING: 14,
  },
  operationsMore: {
    OWNER: 0,
    NEXT: 3,
    OPERATIONS: 4,
    WORDS: 16,
  },
  monitor: {
    LOCK: 0,
    POSITION: 1,
    LAST: 2,
    TICKET: 3,
    FIRST: 4,
    LOOKERS: 6,
    CACHED_OPPOSITE: 5,
    WORDS: 16,
  },
  pipe: {
    SHAPE: 0,
    READERS: 1,
    WRITERS: 2,
    READERS_OPENED: 3,
    WRITERS_OPENED: 4,
    OLD_SHAPE: 5,
    NEW_SHAPE: 6,
    PRODUCER: 16,
    CONSUMER: 32,
    WORDS: 48,
  },
  queue: {
    SHAPE: 0,
    RESERVED_ROOM: 1,
    MESSAGE_BYTES_MAX: 2,
    MIXED_AT: 3,
    DEPTH: 4,
    BYTES_MAX: 5,
    REMOVED: 6,
    RULES: 7,
    OLD_SHAPE: 8,
    NEW_SHAPE: 9,
    NOTIFY_PID: 10,
    NOTIFY_KIND: 11,
    NOTIFY_SIGNAL: 12,
    NOTIFY_TICKET: 13,
    MIXED: 14,
    RESERVED_MESSAGE: 15,
    PRODUCER: 16,
    LAST_PRIORITY: 24,
    SENT_BYTES: 25,
    SENT_SECONDS: 27,
    SENT_PID: 28,
    NOTIFY_FROM: 29,
    NOTIFY_VALUE: 30,
    CONSUMER: 32,
    MIXED_UNTIL: 39,
    HEAD: 40,
    MOVING: 41,
    MOVE_FROM: 42,
    MOVE_TO: 43,
    TAKEN_BYTES: 44,
    TAKEN_SECONDS: 46,
    TAKEN_PID: 47,
    WORDS: 48,
  },
  message: {
    LENGTH: 0,
    STATE: 1,
    TYPE: 2,
    SENDER: 4,
    PRIORITY: 5,
    SENT: 6,
    DATA: 8,
  },
  messageStates: { LIVE: 0, HOLE: 1 },
  segment: {
    BYTES: 0,
    BLOCK: 1,
    DATA: 2,
    ATTACHED: 3,
    ATTACHED_SECONDS: 4,
    DETACHED_SECONDS: 5,
    LAST_PID: 6,
    WORDS: 16,
  },
  signalFile: { SIGNALS: 0, WORDS: 16 },
  signalInfo: { NEXT: 0, SIGNAL: 1, CODE: 2, PID: 3, UID: 4, VALUE: 5, WORDS: 16 },
  semaphore: { MONITOR: 0, VALUE: 8, WORDS: 16 },
  mutex: { MONITOR: 0, STATE: 8, COUNT: 9, TYPE: 10, HANDED_MS: 11, WORDS: 16 },
  mutexTypes: { NORMAL: 0, ERROR_CHECKING: 1, RECURSIVE: 2 },
  rwlock: { MONITOR: 0, WRITER: 8, BLOCK: 9, WORDS: 16 },
  condition: { MONITOR: 0, WORDS: 16 },
  barrier: { MONITOR: 0, PARTIES: 8, GENERATION: 9, WORDS: 16 },
  semaphoreSet: {
    COUNT: 0,
    REMOVED: 1,
    RULES: 2,
    MONITOR: 16,
    PENDING: 23,
    UNDO: 24,
    CLEARINGS: 25,
    SET_INDEX: 26,
    OPERATED_SECONDS: 27,
    CHANGED_SECONDS: 28,
    SEMAPHORES: 32,
  },
  setMember: {
    VALUE: 0,
    PID: 1,
    CLEARED: 2,
    WORDS: 4,
  },
  adjustment: {
    VALUE: 0,
    CLEARED: 1,
    WORDS: 2,
  },
  block: {
    LINES: 0,
    USED: 1,
    BEFORE: 2,
    NEXT_FREE: 3,
    PREVIOUS_FREE: 4,
    PAYER: 5,
  },
  kinds: {
    PIPE: 1,
    FIFO: 2,
    QUEUE: 3,
    SYSV_QUEUE: 4,
    SEGMENT: 5,
    SEMAPHORE: 6,
    SEMAPHORE_SET: 7,
    MUTEX: 8,
    RWLOCK: 9,
    CONDITION: 10,
    BARRIER: 11,
    SIGNALS: 12,
  },
  access: {
    READ: 1,
    WRITE: 2,
    ATTACH: 4,
    USE: 8,
  },
  lockStates: {
    CONTESTED: 2 ** 28,
    SLEEPERS: 2 ** 29,
    REPAIR: 2 ** 30,
  },
  nodeStates: {
    IDLE: 0,
    WAITING: 1,
    SLEEPING: 2,
    AWAITED: 3,
    WOKEN: 4,
    INTERRUPTED: 5,
    POLLED: 6,
  },
  selections: {
    ANY: 0,
    TYPE: 1,
    EXCEPT: 2,
    LOWEST: 3,
  },
  // where geometryOf places the tables of the default limits: in words, the heap in lines
  defaultGeometry: {
    tasks: 784,
    descriptors: 23_312,
    objects: 56_080,
    buckets: 138_000,
    bucketCount: 1024,
    descriptions: 139_024,
    nodes: 171_792,
    heapLine: 14_833,
    heapEndLine: 1_048_576,
  },
  // bytes
  bodies: {
    pipeOf4096: 192,
    queueOf10By256: 192,
    queueOf1By1: 192,
    sysvQueueOf16384By256: 192,
    segmentOf1: 64,
    segmentOf4097: 64,
    semaphoreSetOf1: 144,
    semaphoreSetOf32000: 512_128,
  },
  blocks: {
    pipeOf4096: 4096,
    queueOf10By256: 5120,
    queueOf1By1: 64,
    sysvQueueOf16384By256: 5120,
    segmentOf1: 8192,
    segmentOf4097: 12_288,
    semaphoreSetOf1: 0,
    semaphoreSetOf32000: 0,
  },
  shapes: {
    line1Count1: 32,
    line5Count4096: 172,
  },
};

const { limits: _, ...defaultGeometry } = layout.geometryOf(limitDefaults);

const isNumber = (value: unknown): value is number => typeof value === "number";
const isStructure = (value: unknown): value is Structure =>
  typeof value === "object" && value !== null && Object.values(value).every(isNumber);

/** Objects of each kind, by what they are made with. */
function sizesOf(size: (making: Making) => number): Structure {
  const words = new Words(new ArrayBuffer(0));
  const mode = 0o600;
  const makings: { readonly [name: string]: Making } = {
    pipeOf4096: makingPipe(words, 4096, mode),
    queueOf10By256: makingQueue(words, { depth: 10, bytesMax: 0, messageBytesMax: 256 }, mode),
    queueOf1By1: makingQueue(words, { depth: 1, bytesMax: 0, messageBytesMax: 1 }, mode),
    sysvQueueOf16384By256: makingQueue(words, { depth: 16_384, bytesMax: 16_384, messageBytesMax: 256 }, mode),
    segmentOf1: makingSegment(words, 1, mode),
    segmentOf4097: makingSegment(words, 4097, mode),
    semaphoreSetOf1: makingSemaphoreSet(words, 1, mode),
    semaphoreSetOf32000: makingSemaphoreSet(words, 32_000, mode),
  };
  return Object.fromEntries(Object.entries(makings).map(([name, making]) => [name, size(making)]));
}

/** Every constant and every structure that layout.ts exports, so that a new one is pinned too, and what lies elsewhere. */
function layoutNow(): Layout {
  const exported: [string, unknown][] = Object.entries(layout);
  const { LAYOUT_VERSION: _, ...numbers } = Object.fromEntries(exported.filter(([, value]) => isNumber(value)));
  return {
    ...Object.fromEntries(exported.filter((entry): entry is [string, Structure] => isStructure(entry[1]))),
    constants: { ...(numbers as Structure), WORD_BYTES, LINE_BYTES, LINE_WORDS, PID_BOUND },
    lockStates: { CONTESTED, SLEEPERS, REPAIR },
    nodeStates: { IDLE, WAITING, SLEEPING, AWAITED, WOKEN, INTERRUPTED, POLLED },
    selections,
    defaultGeometry,
    bodies: sizesOf((making) => making.bodyBytes),
    blocks: sizesOf((making) => making.blockBytes),
    shapes: { line1Count1: shapeOf(1, 1), line5Count4096: shapeOf(5, 4096) },
  };
}

/** One line for each difference, such as "task.BELL was 16, is 17". */
function differences(before: Layout, now: Layout): string[] {
  const found: string[] = [];
  for (const structure of new Set([...Object.keys(before), ...Object.keys(now)])) {
    const [was, is] = [before[structure] ?? {}, now[structure] ?? {}];
    for (const name of new Set([...Object.keys(was), ...Object.keys(is)])) {
      const [old, current] = [was[name] ?? "not there", is[name] ?? "not there"];
      if (old !== current) found.push(`${structure}.${name} was ${old}, is ${current}`);
    }
  }
  return found;
}

function assertPinned(before: Layout, now: Layout, version: number): void {
  const changed = differences(before, now).join("\n  ");
  const remedy =
    version === PINNED_VERSION
      ? `raise LAYOUT_VERSION in src/memory/layout.ts above ${version}, and pin version and layout in test/layout.test.ts`
      : "pin the new version and layout in test/layout.test.ts";
  assert.equal(changed, "", `the layout of a region has changed:\n  ${changed}\n${remedy}`);
  assert.equal(
    version,
    PINNED_VERSION,
    `LAYOUT_VERSION is ${version}, but version ${PINNED_VERSION} is pinned: ${remedy}`,
  );
}

test("the layout is that of its version: a change raises LAYOUT_VERSION", () => {
  assertPinned(pinned, layoutNow(), layout.LAYOUT_VERSION);
});

test("a moved, a new and a missing field are told by name, with the advice to raise the version", () => {
  const { LINES: _, ...shorter } = layoutNow().block as Structure;
  const moved = { ...layoutNow(), task: { ...layout.task, BELL: 20, RINGS: 21 }, block: shorter };
  const told = ["task.BELL was 16, is 20", "task.RINGS was not there, is 21", "block.LINES was 0, is not there"];
  assert.deepEqual(differences(pinned, moved).sort(), told.sort());
  assert.throws(
    () => assertPinned(pinned, moved, PINNED_VERSION),
    /task\.BELL was 16, is 20[\s\S]*raise LAYOUT_VERSION/,
  );
  assert.throws(() => assertPinned(pinned, moved, PINNED_VERSION + 1), /task\.BELL[\s\S]*pin the new version/);
  assert.throws(
    () => assertPinned(pinned, layoutNow(), PINNED_VERSION + 1),
    new RegExp(`but version ${PINNED_VERSION} is pinned`),
  );
});

test("the first bytes of a region are FNGA and the layout's version", () => {
  using kernel = Kernel.create();
  const { handle } = kernel;
  assert.ok("buffer" in handle);
  const bytes = Buffer.from(handle.buffer);
  assert.equal(bytes.toString("latin1", 0, 4), "FNGA");
  assert.equal(bytes.readUInt32LE(4 * layout.header.VERSION), PINNED_VERSION);
});

/** A queue's monitors, of which each holds fields of the queue's own behind those of every ring. */
const RING_WORDS = 1 + Math.max(...Object.values(layout.monitor).filter((at) => at !== layout.monitor.WORDS));
const monitorsOfQueue = { PRODUCER: RING_WORDS, CONSUMER: RING_WORDS };

/** Fields of more than one word, in words. */
const widths: { readonly [structure: string]: Structure } = {
  header: {
    REGION_ID: 2,
    BOOT_ID: 4,
    CLASS_COLUMN_MAPS: layout.CLASS_ROWS,
    CLASS_HEADS: layout.CLASS_ROWS * layout.CLASS_COLUMNS,
    JOURNAL: 2 * layout.JOURNAL_ENTRIES_MAX,
  },
  task: { IDENTITY: 2, GROUPS: layout.GROUPS_MAX },
  object: { NAME: 64 },
  description: {},
  node: { SELECT: 2 },
  monitor: {},
  pipe: { PRODUCER: layout.monitor.WORDS, CONSUMER: layout.monitor.WORDS },
  queue: { NOTIFY_VALUE: 2, SENT_BYTES: 2, TAKEN_BYTES: 2, ...monitorsOfQueue },
  message: { TYPE: 2 },
  segment: {},
  operationsNode: {},
  operationsMore: { OPERATIONS: 12 },
  semaphoreSet: { MONITOR: RING_WORDS },
  semaphore: {},
  adjustment: {},
  block: {},
};

const headerOfWords: Structure = { ...layout.header, WORDS: layout.HEADER_BYTES / WORD_BYTES };
const structures: Layout = { ...layoutNow(), header: headerOfWords };
const structureOf = (name: string): Structure => structures[name] as Structure;

/** What is wrong with a structure: fields that share a word, or lie outside. */
function collisions(structure: Structure, wide: Structure): string[] {
  const { WORDS: size = Number.POSITIVE_INFINITY, ...fields } = structure;
  const found: string[] = [];
  let end = 0;
  let last = "the beginning";
  for (const [name, at] of Object.entries(fields).sort(([, a], [, b]) => a - b)) {
    if (at < end) found.push(`${name} lies on ${last}`);
    end = at + (wide[name] ?? 1);
    last = name;
    if (end > size) found.push(`${name} ends behind the structure`);
  }
  return found;
}

for (const [name, wide] of Object.entries(widths)) {
  test(`no two fields of a ${name} share a word, and none lies outside it`, () => {
    assert.deepEqual(collisions(structureOf(name), wide), []);
    for (const field of Object.keys(wide)) assert.ok(field in structureOf(name), `${name} has a field ${field}`);
  });
}

test("two fields on one word, and one outside its structure, are found", () => {
  assert.deepEqual(collisions({ A: 0, B: 1, C: 3, WORDS: 4 }, { B: 2 }), []);
  assert.deepEqual(collisions({ A: 0, B: 1, C: 2, WORDS: 4 }, { B: 2 }), ["C lies on B"]);
  assert.deepEqual(collisions({ A: 0, B: 3, WORDS: 4 }, { B: 2 }), ["B ends behind the structure"]);
  assert.deepEqual(collisions({ A: -1 }, {}), ["A lies on the beginning"]);
});

const lineOf = (word: number): number => Math.floor(word / LINE_WORDS);

/** The names of the fields on one cache line of a structure. */
const onLine = (structure: Structure, line: number): string[] =>
  Object.keys(structure).filter((name) => name !== "WORDS" && lineOf(structure[name] as number) === line);

test("a task's bell has a cache line that only what belongs to the bell shares", () => {
  const shared = onLine(layout.task, lineOf(layout.task.BELL));
  assert.deepEqual(shared, ["BELL", "BELL_DESCRIPTOR", "BELL_INODE", "POLL", "POLL_SINCE"]);
  assert.equal(layout.task.WORDS % LINE_WORDS, 0, "the next task begins on a line of its own");
});

const rings = {
  pipe: { structure: layout.pipe, guarded: { PRODUCER: [], CONSUMER: [] } },
  queue: {
    structure: layout.queue,
    guarded: {
      PRODUCER: ["LAST_PRIORITY", "SENT_BYTES", "SENT_SECONDS", "SENT_PID", "NOTIFY_FROM", "NOTIFY_VALUE"],
      CONSUMER: [
        ...["MIXED_UNTIL", "HEAD", "MOVING", "MOVE_FROM", "MOVE_TO"],
        ...["TAKEN_BYTES", "TAKEN_SECONDS", "TAKEN_PID"],
      ],
    },
  },
};

for (const [name, { structure, guarded }] of Object.entries(rings)) {
  test(`the producer and the consumer of a ${name} have cache lines of their own, shared with what their locks guard`, () => {
    assert.equal(layout.monitor.WORDS, LINE_WORDS, "a monitor is one line");
    for (const side of ["PRODUCER", "CONSUMER"] as const) {
      const at = structure[side];
      assert.equal(at % LINE_WORDS, 0, `${side} begins a line`);
      assert.deepEqual(onLine(structure, lineOf(at)), [side, ...guarded[side]]);
    }
    assert.equal(structure.WORDS % LINE_WORDS, 0, "the payload begins a line");
  });
}

test("a semaphore set's monitor shares its cache line only with what its lock guards, and its first semaphore begins one", () => {
  const { semaphoreSet } = layout;
  assert.equal(semaphoreSet.MONITOR % LINE_WORDS, 0);
  assert.equal(semaphoreSet.SEMAPHORES % LINE_WORDS, 0);
  assert.deepEqual(onLine(semaphoreSet, lineOf(semaphoreSet.MONITOR)), [
    ...["MONITOR", "PENDING", "UNDO", "CLEARINGS", "SET_INDEX", "OPERATED_SECONDS", "CHANGED_SECONDS"],
  ]);
});

test("what a waiter for semaphores needs of its node lies beside what every waiter needs", () => {
  assert.deepEqual(collisions({ ...layout.node, ...layout.operationsNode }, { SELECT: 2 }), []);
});

test("a wait node is a cache line: nobody sleeps on another's", () => {
  assert.equal(layout.node.WORDS, LINE_WORDS);
});

test("the kernel lock shares its cache line only with what it guards, and with nothing that others write", () => {
  const { header } = layout;
  const guarded = ["KERNEL_LOCK", "JOURNAL_COUNT", "OBJECT_FREE", "DESCRIPTION_FREE", "RESERVED_BYTES"];
  assert.deepEqual(onLine(header, lineOf(header.KERNEL_LOCK)), [
    ...guarded,
    "CLASS_ROW_MAP",
    "OBJECTS_USED",
    "RULES_GIVEN",
  ]);
  const readAtAttach = [
    "TASK_OBJECTS_MAX",
    "TASK_HEAP_BYTES_MAX",
    "TASK_HOLDS_MAX",
    "TASK_WAITERS_MAX",
    "TASK_CHILDREN_MAX",
  ];
  assert.deepEqual(onLine(header, lineOf(header.SWEPT_MS)), [
    ...["SWEPT_MS", "BURIED", "TAKEN_OVER", "CPUS"],
    ...readAtAttach,
  ]);
  assert.ok(
    lineOf(header.BOOT_ID + 3) < lineOf(header.KERNEL_LOCK),
    "what never changes lies on a line that never does",
  );
});

test("fields of 64 bits are 8-byte aligned", () => {
  const wide = { "header.REGION_ID": layout.header.REGION_ID, "header.BOOT_ID": layout.header.BOOT_ID };
  const others = { "task.IDENTITY": layout.task.IDENTITY, "message.TYPE": layout.message.TYPE };
  const those = { "node.SELECT": layout.node.SELECT, "queue.NOTIFY_VALUE": layout.queue.NOTIFY_VALUE };
  for (const [name, word] of Object.entries({ ...wide, ...others, ...those })) assert.equal(word % 2, 0, name);
  for (const [name, { WORDS }] of Object.entries({ tasks: layout.task, nodes: layout.node, queues: layout.queue })) {
    assert.equal(WORDS % 2, 0, `${name} keep the alignment of the one before`);
  }
});

const strideOf = (messageBytesMax: number): number => slotsBytes(2, messageBytesMax) - slotsBytes(1, messageBytesMax);

test("payloads start 8-byte aligned, whatever the longest message", () => {
  assert.equal(LINE_BYTES % 8, 0, "a block begins a line");
  assert.equal((layout.message.DATA * WORD_BYTES) % 8, 0);
  const [least, most] = limitBounds.messageBytesMax;
  fc.assert(
    fc.property(fc.oneof(fc.integer({ min: least, max: 600 }), fc.integer({ min: least, max: most })), (bytes) => {
      assert.equal(strideOf(bytes) % 8, 0);
      assert.ok(strideOf(bytes) >= layout.message.DATA * WORD_BYTES + bytes, "a slot holds its message");
    }),
  );
});

test("a queue has a slot for each message that it may hold, and as many again where the bytes are counted", () => {
  for (const depth of [1, 2, 3, 10, 16, 17, 1000]) {
    const slots = slotsFor({ depth, bytesMax: 0, messageBytesMax: 8 });
    assert.ok(layout.isPowerOfTwo(slots) && slots >= depth && slots < 2 * depth, `${slots} for ${depth}`);
  }
  assert.equal(slotsFor({ depth: 16_384, bytesMax: 16_384, messageBytesMax: 8 }), 16, "more come as it fills");
});

test("a shape holds any line of any region, and any power of two", () => {
  const lines = fc.integer({ min: 0, max: Math.floor(limitBounds.regionBytes[1] / LINE_BYTES) });
  fc.assert(
    fc.property(lines, fc.integer({ min: 0, max: 31 }), (line, power) => {
      const shape = shapeOf(line, 2 ** power);
      assert.equal(shape | 0, shape, "it is a word");
      assert.deepEqual([shapeLine(shape), shapeCount(shape)], [line, 2 ** power]);
    }),
  );
});

/** Mostly small, as limits are, and now and then anything within the bounds. */
const limits: fc.Arbitrary<KernelLimits> = fc.record(
  Object.fromEntries(
    Object.entries(limitBounds).map(([name, [least, most]]) => [
      name,
      fc.oneof(
        { weight: 4, arbitrary: fc.integer({ min: least, max: Math.min(most, least + 5000) }) },
        { weight: 1, arbitrary: fc.integer({ min: least, max: most }) },
      ),
    ]),
  ),
) as fc.Arbitrary<KernelLimits>;

interface Table {
  readonly name: string;
  readonly start: number;
  readonly words: number;
}

/** The tables of a region in the order that the layout promises, in words. */
function tablesOf(geometry: layout.Geometry): Table[] {
  const { tasksMax, descriptorsMax, objectsMax, descriptionsMax, waitersMax } = geometry.limits;
  const heapLines = Math.max(geometry.heapEndLine - geometry.heapLine, 0);
  return [
    { name: "header", start: 0, words: layout.HEADER_BYTES / WORD_BYTES },
    { name: "tasks", start: geometry.tasks, words: tasksMax * layout.task.WORDS },
    { name: "descriptors", start: geometry.descriptors, words: tasksMax * descriptorsMax },
    { name: "objects", start: geometry.objects, words: objectsMax * layout.object.WORDS },
    { name: "buckets", start: geometry.buckets, words: geometry.bucketCount },
    { name: "descriptions", start: geometry.descriptions, words: descriptionsMax * layout.description.WORDS },
    { name: "nodes", start: geometry.nodes, words: waitersMax * layout.node.WORDS },
    { name: "heap", start: geometry.heapLine * LINE_WORDS, words: heapLines * LINE_WORDS },
  ];
}

test("the tables of a region follow each other without overlap, each from a cache line on, for any limits", () => {
  fc.assert(
    fc.property(limits, (some) => {
      const geometry = layout.geometryOf(some);
      let end = 0;
      for (const { name, start, words } of tablesOf(geometry)) {
        assert.equal(start % LINE_WORDS, 0, `${name} begins a line`);
        assert.ok(
          start >= end && start < end + LINE_WORDS,
          `${name} begins at ${start}, the table before ends at ${end}`,
        );
        end = start + words;
      }
    }),
    { numRuns: 500 },
  );
});

test("limits are accepted from the byte on at which their region holds the tables and 64 lines of heap", () => {
  const [least, most] = limitBounds.regionBytes;
  fc.assert(
    fc.property(limits, fc.integer({ min: -2 * LINE_BYTES, max: 2 * LINE_BYTES }), (some, difference) => {
      const needed = (layout.geometryOf(some).heapLine + 64) * LINE_BYTES;
      fc.pre(needed >= least + 2 * LINE_BYTES && needed <= most - 2 * LINE_BYTES);
      const near = { ...some, regionBytes: needed + difference };
      assert.equal(checkLimits(near) === undefined, difference >= 0);
      if (difference < 0) return;
      const heap = tablesOf(layout.geometryOf(near)).at(-1) as Table;
      assert.ok(heap.words >= 64 * LINE_WORDS, "there is some heap");
      assert.ok((heap.start + heap.words) * WORD_BYTES <= near.regionBytes, "the heap ends in the region");
    }),
    { numRuns: 500 },
  );
});

test("there are as many buckets as objects, rounded up to a power of two", () => {
  fc.assert(
    fc.property(limits, (some) => {
      const { bucketCount } = layout.geometryOf(some);
      assert.ok(
        layout.isPowerOfTwo(bucketCount) && bucketCount >= some.objectsMax && bucketCount < 2 * some.objectsMax,
      );
    }),
  );
});

test("the map in docs/ARCHITECTURE.md shows the tables where they are", () => {
  const text = readFileSync(new URL("../../docs/ARCHITECTURE.md", import.meta.url), "utf8");
  const rows = [...text.matchAll(/^ *([\d,]+) +([\d,]+|…) +[┌├]─/gm)];
  const drawn = rows.map(([, ...cells]) => cells.map((cell) => Number((cell as string).replaceAll(",", ""))));
  const tables = tablesOf(layout.geometryOf(limitDefaults));
  const expected = tables.map(({ name, start, words }) => [
    start * WORD_BYTES,
    name === "heap" ? Number.NaN : words * WORD_BYTES,
  ]);
  assert.deepEqual(drawn, expected);
});
