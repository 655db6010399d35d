// A task that makes the system calls it is told.

import type { SyscallName } from "../src/abi/syscalls.ts";
import type { Kernel } from "../src/index.ts";
import { placeText } from "./place-text.ts";
import type { Peer } from "./task-runner.ts";

/** A call, as data. A string argument is placed in memory, and its address is passed. */
export interface CallToMake {
  readonly name: SyscallName;
  readonly args: readonly (number | string)[];
}

/** Where `runCalls` places strings: below is the test's to use. */
const STRINGS = 512 * 1024;

/** Makes the calls one after another and reports each one's result; holds what is open until told, where `hold` says so. */
export async function runCalls(
  kernel: Kernel,
  peer: Peer,
  args: { calls: readonly CallToMake[]; hold?: boolean; catches?: readonly number[] },
): Promise<number[]> {
  for (const signal of args.catches ?? []) kernel.signals.on(signal, () => {}, { restart: false });
  const results: number[] = [];
  for (const { name, args: values } of args.calls) {
    let next = STRINGS;
    const passed = values.map((value) => {
      if (typeof value === "number") return value;
      const address = next;
      next = placeText(kernel, address, value);
      return address;
    });
    const result = kernel.sys[name](...passed);
    results.push(result);
    peer.report(result);
  }
  if (args.hold) await peer.hear();
  return results;
}
