// What an idle object, task and waiter take of a kernel's memory: their slots by the layout, the rest as kernel.usage() shows it.

import { limitDefaults } from "../../src/abi/limits.ts";
import { Kernel } from "../../src/index.ts";
import { description, geometryOf, node, object, tableBytes, task } from "../../src/memory/layout.ts";
import { LINE_BYTES, WORD_BYTES } from "../../src/memory/words.ts";
import { inDigits } from "./figures.ts";

interface MemoryUse {
  readonly of: string;
  /** In the kernel's tables, whose size is fixed when it is created. */
  readonly slotBytes: number;
  /** In its heap, while the thing is there. */
  readonly heapBytes: number;
}

const KINDS: readonly (readonly [of: string, make: (kernel: Kernel) => unknown])[] = [
  ["a mutex", (kernel) => kernel.mutex()],
  ["a semaphore", (kernel) => kernel.semaphore()],
  ["a condition variable", (kernel) => kernel.condition()],
  ["a barrier", (kernel) => kernel.barrier({ parties: 2 })],
  [`a read/write lock, for ${limitDefaults.tasksMax} tasks`, (kernel) => kernel.rwlock()],
  ["a queue of 10 messages of 256 B", (kernel) => kernel.queue({ depth: 10 })],
  ["a queue of 64 messages of 256 B", (kernel) => kernel.queue({ depth: 64 })],
  ["a pipe of 4 KiB", (kernel) => kernel.pipe()],
  ["a pipe of 64 KiB", (kernel) => kernel.pipe({ capacity: 64 * 1024 })],
  ["a segment of 4 KiB", (kernel) => kernel.sharedMemory({ bytes: 4096 })],
];

const OBJECT_BYTES = (object.WORDS + description.WORDS) * WORD_BYTES;

/** What the heap gives out for one, while it is open. */
function heapBytes(make: (kernel: Kernel) => unknown): number {
  const kernel = Kernel.create();
  try {
    const before = kernel.usage().freeLines;
    make(kernel);
    return (before - kernel.usage().freeLines) * LINE_BYTES;
  } finally {
    kernel.close();
  }
}

/** What a kernel has given out that holds nothing but the task that made it. */
function taskHeapBytes(): number {
  const { heapLine, heapEndLine } = geometryOf(limitDefaults);
  const kernel = Kernel.create();
  try {
    return (heapEndLine - heapLine - kernel.usage().freeLines) * LINE_BYTES;
  } finally {
    kernel.close();
  }
}

export function memoryUses(): MemoryUse[] {
  const { descriptorsMax } = limitDefaults;
  return [
    { of: "a waiter", slotBytes: node.WORDS * WORD_BYTES, heapBytes: 0 },
    {
      of: `a task, with ${descriptorsMax} descriptors`,
      slotBytes: (task.WORDS + descriptorsMax) * WORD_BYTES,
      heapBytes: taskHeapBytes(),
    },
    ...KINDS.map(([of, make]) => ({ of, slotBytes: OBJECT_BYTES, heapBytes: heapBytes(make) })),
  ];
}

/** The tables of a kernel with default limits, in KiB. */
export const tablesKib = (): string => inDigits(tableBytes(geometryOf(limitDefaults)) / 1024);
