// System calls of a task that shares the test's thread, over a memory of its own.

import { namedCalls } from "../src/kernel/syscall-table.ts";
import type { System } from "../src/kernel/system.ts";
import { TaskMemory } from "../src/kernel/task-memory.ts";

const MEMORY_BYTES = 16_384;

export interface Calls {
  readonly sys: ReturnType<typeof namedCalls>;
  readonly memory: DataView;
}

export function callsOf(system: System): Calls {
  const bytes = new Uint8Array(MEMORY_BYTES);
  const caller = {
    system,
    world: system.world,
    memory: new TaskMemory(bytes),
    queues: new Map(),
    actions: new Map(),
    handlers: new Map(),
    sets: new Map(),
  };
  return { sys: namedCalls(caller), memory: new DataView(bytes.buffer) };
}
