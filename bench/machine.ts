// What a run was measured on: figures without it mean little.

import { readFileSync } from "node:fs";
import { arch, cpus, loadavg, release, totalmem, type } from "node:os";

export interface MachineDescription {
  readonly cpu: string;
  readonly cpus: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  /** A virtual machine, as far as the processor says so. */
  readonly virtual: boolean;
}

/** When and how it was measured. */
export interface RunDescription {
  readonly date: string;
  readonly effort: "full" | "quick";
  /** The CPUs of the measured process and of its partner, and how they are related. */
  readonly placement: string;
  /** Processes that wanted to run on average, over the last minute before the run. */
  readonly load: number;
}

export function describeMachine(): MachineDescription {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cpus: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()} ${arch()}`,
    node: process.version,
    virtual: /^flags\s*:.*\bhypervisor\b/m.test(readFileSync("/proc/cpuinfo", "utf8")),
  };
}

export const load = (): number => Number((loadavg()[0] ?? 0).toFixed(2));

export const sameMachine = (a: MachineDescription, b: MachineDescription): boolean =>
  JSON.stringify(a) === JSON.stringify(b);
