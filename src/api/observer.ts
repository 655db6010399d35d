// Looking at a kernel from outside: what it holds and who waits for what, without becoming one of its tasks. Nothing is locked and
// nothing is written, so whoever looks disturbs nobody, and sees also what hangs. What is seen has been so for a moment, each
// part at its own.

import { PID_BOUND } from "../abi/limits.ts";
import { cyclesOf } from "../kernel/deadlocks.ts";
import { Registry } from "../kernel/registry.ts";
import { Allocator } from "../memory/allocator.ts";
import { Charges } from "../memory/charges.ts";
import { Journal } from "../memory/journal.ts";
import { headerWord, isRefusal } from "../memory/region.ts";
import { checkRegionName } from "../platforms/region-file.ts";
import { lookAtRegionFile, type RegionLook } from "../platforms/region-look.ts";
import { Descriptors } from "../tasks/descriptors.ts";
import { refused } from "./attaching.ts";
import { inspectObjects } from "./inspect-objects.ts";
import { inspectTasks, tasksSoFar } from "./inspect-tasks.ts";
import { inspectWaits } from "./inspect-waits.ts";
import type { InspectedDeadlock, InspectedKernel, InspectedObject, InspectedWait } from "./inspected.ts";

/** A kernel in /dev/shm that is looked at, as ipcs(1) and ps(1) do: nobody in it is disturbed, and no task is added to it. */
export class KernelObserver implements Disposable {
  /** The name that it was opened by. */
  readonly name: string;
  readonly #look: RegionLook;
  readonly #registry: Registry;
  readonly #descriptors: Descriptors;

  private constructor(name: string, look: RegionLook) {
    this.name = name;
    this.#look = look;
    const { words, geometry } = look;
    // They read; what would write throws, for these words cannot be written.
    const journal = new Journal(words);
    const charges = new Charges(words, journal, geometry);
    const allocator = new Allocator(words, journal, charges, geometry, () => 0);
    this.#registry = new Registry({ words, journal, geometry, allocator, charges }, () => []);
    this.#descriptors = new Descriptors(words, journal, charges, geometry);
  }

  /**
   * Opens a kernel's file to look at it. It works without koffi.
   * @throws IpcError as `Kernel.open`, save that a user who may read the file may look
   */
  static open(name: string): KernelObserver {
    const look = checkRegionName(name) ?? lookAtRegionFile(name);
    if (isRefusal(look)) throw refused("open", `kernel ${JSON.stringify(name)}`, look);
    return new KernelObserver(name, look);
  }

  /** Whether the kernel's name leads to another by now, or to none. */
  get unlinked(): boolean {
    return this.#look.isUnlinked();
  }

  /** What the kernel holds now. */
  look(): InspectedKernel {
    this.#look.refresh();
    const { words, geometry, uid } = this.#look;
    const seen = { words, geometry, registry: this.#registry, descriptors: this.#descriptors };
    const count = (name: "BURIED" | "TAKEN_OVER"): number => words.load(headerWord(name)) >>> 0;
    const waits = inspectWaits(seen);
    const objects = inspectObjects(seen, waits.all);
    return {
      name: this.name,
      limits: geometry.limits,
      uid,
      memoryBytes: this.#look.memoryBytes(),
      changedMs: this.#look.changedMs(),
      tasksSoFar: tasksSoFar(seen),
      waiters: waits.nodesInUse,
      buried: count("BURIED"),
      takenOver: count("TAKEN_OVER"),
      lockedBy: words.load(headerWord("KERNEL_LOCK")) & (PID_BOUND - 1),
      tasks: inspectTasks(seen, waits.all, objects),
      objects,
      deadlocks: deadlocksAmong(waits.all, objects),
    };
  }

  /** Gives back what looking takes. Closing again does nothing. */
  close(): void {
    this.#look.close();
  }

  /** As `close`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** As kernel/deadlocks.ts finds them, from what was seen. */
function deadlocksAmong(
  waits: readonly InspectedWait[],
  objects: readonly InspectedObject[],
): (readonly InspectedDeadlock[])[] {
  const holders = new Map(objects.map((object) => [object.id, object.holders]));
  const edges = waits.flatMap((wait) =>
    (holders.get(wait.objectId ?? -1) ?? []).map((heldBy) => ({ ...wait, heldBy, from: wait.pid, to: heldBy })),
  );
  return cyclesOf(edges).map((cycle) => cycle.map(({ from: _, to: __, ...wait }) => wait));
}
