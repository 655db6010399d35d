// Where processes run. Two tasks that share a CPU and two that do not are different worlds: they are never mixed.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

export type Placement = "one-task" | "one-cpu" | "two-cpus";

/** The CPUs of the measured process and of its partner. */
export interface Cpus {
  measured: number;
  partner: number;
}

/** Parses the kernel's notation for a set of CPUs: "0-2,5". */
export function parseCpuList(list: string): number[] {
  return list
    .trim()
    .split(",")
    .filter((part) => part !== "")
    .flatMap((part) => {
      const [first, last = first] = part.split("-").map(Number);
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
}

/** The CPUs that this process, and so its children, may use. */
export function allowedCpus(): number[] {
  const status = readFileSync("/proc/self/status", "utf8");
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status);
  if (!list) throw new Error("/proc/self/status has no Cpus_allowed_list");
  return parseCpuList(list[1]);
}

/** The CPUs that are hardware threads of the same core, this one among them. */
function threadsOfCore(cpu: number): number[] {
  try {
    return parseCpuList(readFileSync(`/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`, "utf8"));
  } catch {
    return [cpu];
  }
}

/**
 * The two CPUs to measure on: of two cores where there are two, else two threads of one core. With a single CPU both
 * are that one.
 */
export function chooseCpus(allowed: readonly number[]): Cpus & { sameCore: boolean } {
  const measured = allowed[0];
  const others = allowed.slice(1);
  const siblings = threadsOfCore(measured);
  const partner = others.find((cpu) => !siblings.includes(cpu)) ?? others[0] ?? measured;
  return { measured, partner, sameCore: siblings.includes(partner) };
}

/** The CPUs of the two sides under a placement. */
export function placed(cpus: Cpus, placement: Placement): Cpus {
  return placement === "two-cpus" ? cpus : { measured: cpus.measured, partner: cpus.measured };
}

export function assertTaskset(): void {
  const { error } = spawnSync("taskset", ["--version"], { stdio: "ignore" });
  if (error) throw new Error(`taskset does not run (${error.message}): it places the processes; it is in util-linux`);
}

/** The command line that runs `command` on one CPU. */
export function onCpu(cpu: number, command: readonly string[]): string[] {
  return ["taskset", "-c", String(cpu), ...command];
}

/** The same on several. */
export function onCpus(cpus: readonly number[], command: readonly string[]): string[] {
  return ["taskset", "-c", cpus.join(","), ...command];
}
