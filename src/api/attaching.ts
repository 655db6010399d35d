// The two doors of a kernel: opening or making its region, and attaching this thread to it.

import { EEXIST, ENOENT, EPERM, ESRCH } from "../abi/errno.ts";
import { type KernelLimits, limitDefaults, shareOf } from "../abi/limits.ts";
import { System } from "../kernel/system.ts";
import { geometryOf, roundUp } from "../memory/layout.ts";
import { checkLimits, isRefusal, type Refusal, type Region } from "../memory/region.ts";
import { LINE_BYTES } from "../memory/words.ts";
import { attachRegionFile, createRegionFile, type MappedRegion } from "../platforms/region-file.ts";
import type { World } from "../sync/world.ts";
import { failureOf, IpcError } from "./ipc-error.ts";
import type { KernelHandle } from "./kernel-handle.ts";
import type { AttachOptions, OpenOptions } from "./kernel-options.ts";

export const PAGE_BYTES = 4096;

/** And as which task, where it has been spawned. */
export type Attaching = AttachOptions & { readonly pid?: number | undefined };

export const spawnedAs = (handle: KernelHandle): Pick<Attaching, "pid"> =>
  "pid" in handle && typeof handle.pid === "number" ? { pid: handle.pid } : {};

/** What one task may take by default of what these limits give all; at least 1, so that `checkLimits` names what is really wrong. */
function sharesOf(limits: KernelLimits): Partial<KernelLimits> {
  const share = (all: number): number => (all >= 1 ? shareOf(all) : 1);
  const { heapLine, heapEndLine } = geometryOf(limits);
  return {
    taskObjectsMax: share(limits.objectsMax),
    taskHeapBytesMax: share((heapEndLine - heapLine) * LINE_BYTES),
    taskHoldsMax: share(limits.descriptionsMax),
    taskWaitersMax: share(limits.waitersMax),
    taskChildrenMax: share(limits.tasksMax),
  };
}

/** The limits asked for, the others by default; the region in whole pages. */
export function limitsOf(options: Partial<KernelLimits>, syscall: string): KernelLimits {
  const given = Object.fromEntries(
    (Object.keys(limitDefaults) as (keyof KernelLimits)[])
      .map((name) => [name, options[name]])
      .filter(([, value]) => value !== undefined),
  ) as Partial<KernelLimits>;
  const limits: KernelLimits = { ...limitDefaults, ...given };
  Object.assign(limits, sharesOf(limits), given);
  const wrong = checkLimits(limits);
  if (wrong) throw refused(syscall, "kernel", wrong);
  return { ...limits, regionBytes: roundUp(limits.regionBytes, PAGE_BYTES) };
}

/** Opens, or makes; between finding none and making one, somebody else may be quicker, and the other way round. */
export function openRegion(name: string, limits: KernelLimits, options: OpenOptions): MappedRegion | Refusal {
  for (;;) {
    if (!(options.create && options.exclusive)) {
      const found = attachRegionFile(name);
      if (!isRefusal(found) || found.errno !== ENOENT || !options.create) return found;
    }
    const made = createRegionFile(name, limits);
    if (!isRefusal(made) || made.errno !== EEXIST || options.exclusive) return made;
  }
}

export function attachTask(
  region: Region,
  world: World,
  parentPid: number,
  syscall: string,
  label: string,
  options: Attaching,
): System {
  const { credentials: identity, inherit, pid } = options;
  const system = System.attach(region, world, { parentPid, identity, inherit, pid });
  if (system === ESRCH && pid !== undefined)
    throw failureOf(ESRCH, syscall, label, `task ${pid}, which this thread was started for, is gone`);
  if (system === EPERM) throw failureOf(EPERM, syscall, label, "a task gives no credentials that it has not itself");
  if (system === ESRCH) throw failureOf(ESRCH, syscall, label, "the task to inherit from is gone");
  if (typeof system === "number") {
    const { tasksMax } = region.geometry.limits;
    throw new IpcError(system, syscall, label, `all ${tasksMax} tasks are alive; create it with a larger tasksMax`);
  }
  return system;
}

export function refused(syscall: string, label: string, refusal: Refusal): IpcError {
  return failureOf(refusal.errno, syscall, label, refusal.reason);
}
