// What a dead task held of mutexes and read/write locks is given back by whoever buries it. Which those are says nobody: every
// lock is looked at, for a burial is rare, and a lock that had to be noted somewhere would be slower each time it is taken.

import { kinds } from "../memory/layout.ts";
import { Mutex, type MutexUser } from "../objects/mutex.ts";
import { ReadWriteLock } from "../objects/rwlock.ts";
import type { Registry } from "./registry.ts";

/** The kernel, as far as the locks need it. */
interface Undertaker extends MutexUser {
  readonly registry: Registry;
}

/** Gives back what the tasks of a slot held. May be interrupted, and run again. The caller holds the kernel lock. */
export function giveBackLocksLocked(kernel: Undertaker, slotIndex: number): void {
  const { tasksMax, objectsMax } = kernel.geometry.limits;
  const isOfSlot = (pid: number): boolean => (pid - 1) % tasksMax === slotIndex;
  for (let index = 0; index < objectsMax; index++) {
    const kind = kernel.registry.kindOf(index);
    if (kind === kinds.MUTEX) new Mutex(kernel, kernel.registry.bodyLineOf(index)).ownerDied(isOfSlot);
    else if (kind === kinds.RWLOCK) new ReadWriteLock(kernel, kernel.registry.bodyLineOf(index)).buried(slotIndex);
  }
}
