// Strings for system calls.

import type { Kernel } from "../src/index.ts";

/** Writes text with a NUL behind it into a task's memory; returns the address behind. */
export function placeText(kernel: Kernel, address: number, text: string): number {
  const { written } = new TextEncoder().encodeInto(`${text}\0`, kernel.memory.subarray(address));
  return address + written;
}
