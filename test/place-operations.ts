// Semaphore operations, as a test's task hands them to semop(2).

import type { Kernel } from "../src/index.ts";

export type Change = readonly [index: number, change: number, flags?: number];

/** Where they are placed in a task's memory. */
export const OPERATIONS = 4096;
const OPERATION_BYTES = 6;

/** Places them, and makes the call. */
export function semop(kernel: Kernel, id: number, ...changes: readonly Change[]): number {
  placeOperations(kernel, changes);
  return kernel.sys.semop(id, OPERATIONS, changes.length);
}

/** As struct sembufs. */
export function placeOperations(kernel: Kernel, changes: readonly Change[]): void {
  const view = new DataView(kernel.memory.buffer, kernel.memory.byteOffset);
  changes.forEach(([index, change, flags = 0], i) => {
    view.setUint16(OPERATIONS + OPERATION_BYTES * i, index, true);
    view.setInt16(OPERATIONS + OPERATION_BYTES * i + 2, change, true);
    view.setInt16(OPERATIONS + OPERATION_BYTES * i + 4, flags, true);
  });
}
