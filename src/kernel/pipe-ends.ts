// What opening and closing an end of a pipe or FIFO changes in the object: the counts, and who must look again.

import type { Journal } from "../memory/journal.ts";
import { access } from "../memory/layout.ts";
import type { Pipe } from "../objects/pipe.ts";
import { EVERYBODY } from "../sync/monitor.ts";
import type { Condition } from "../sync/waiting.ts";

/**
 * Counts a new end; returns how often the other end had been opened while it was not open: one time less than it has been
 * where it is open already, for it may be closed again before this one looks. The caller holds the kernel lock.
 */
export function openEndLocked(pipe: Pipe, journal: Journal, mode: number): number {
  const counts = pipe.countWords();
  // A FIFO that nobody has open holds no data (fifo(7)): what was left in it is gone before the next one looks.
  if (pipe.readers === 0 && pipe.writers === 0) pipe.discard((word, value) => journal.write(word, value));
  const before =
    mode & access.READ
      ? pipe.writersOpened - (pipe.writers > 0 ? 1 : 0)
      : pipe.readersOpened - (pipe.readers > 0 ? 1 : 0);
  if (mode & access.READ) {
    journal.add(counts.readers, 1);
    journal.add(counts.readersOpened, 1);
  }
  if (mode & access.WRITE) {
    journal.add(counts.writers, 1);
    journal.add(counts.writersOpened, 1);
  }
  return before;
}

/** The caller holds the kernel lock. */
export function closeEndLocked(pipe: Pipe, journal: Journal, mode: number): void {
  const counts = pipe.countWords();
  if (mode & access.READ) journal.add(counts.readers, -1);
  if (mode & access.WRITE) journal.add(counts.writers, -1);
}

/** An end has come or gone: those who wait at the other look again. */
export function wakeOtherEnd(pipe: Pipe, mode: number): void {
  if (mode & access.READ) pipe.writable.monitor.notify(EVERYBODY);
  if (mode & access.WRITE) pipe.readable.monitor.notify(EVERYBODY);
}

/** What an opener of a FIFO waits for: the other end is open, or has been opened meanwhile. */
export function otherEndOpened(pipe: Pipe, mode: number, openedBefore: number): Condition {
  const { monitor, spin } = mode & access.READ ? pipe.readable : pipe.writable;
  const ready =
    mode & access.READ
      ? () => pipe.writers > 0 || pipe.writersOpened !== openedBefore
      : () => pipe.readers > 0 || pipe.readersOpened !== openedBefore;
  return { monitor, spin, ready };
}
