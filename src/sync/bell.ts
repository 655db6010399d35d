// A task's bell wakes its event loop, for waits that are promises. One word:
//
//   0 QUIET nobody need ring · 1 ARMED the event loop may sleep · 2 RUNG somebody has rung since
//
// A waker first makes the node WOKEN, then takes ARMED to RUNG, and only who managed that makes the call. The owner arms,
// then looks at its nodes once more, then lets its event loop go to sleep.

import { PID_BOUND } from "../abi/limits.ts";
import { type Geometry, task } from "../memory/layout.ts";
import { field, type Word, type Words } from "../memory/words.ts";
import type { Pid } from "./robust-lock.ts";
import type { World } from "./world.ts";

const QUIET = 0;
export const ARMED = 1;
const RUNG = 2;

export class Bell {
  readonly #words: Words;
  readonly #geometry: Geometry;
  readonly #world: World;
  readonly #pid: Pid;
  readonly #own: Word;
  /** Those who want to hear the next ring. */
  readonly #listeners = new Set<() => void>();
  #installed = false;

  constructor(words: Words, geometry: Geometry, world: World, pid: Pid) {
    this.#words = words;
    this.#geometry = geometry;
    this.#world = world;
    this.#pid = pid;
    this.#own = taskSlot(geometry, pid);
  }

  /** Arms the own bell. `onRing` is called from the event loop some time after each ring, until it is told `quiet`. */
  arm(onRing: () => void): void {
    this.#listeners.add(onRing);
    if (!this.#installed) this.#install();
    this.#words.store(field(this.#own, task.BELL), ARMED);
    this.#world.doorbell.listen(ARMED);
  }

  /** The bell is quiet once nobody listens. */
  quiet(onRing: () => void): void {
    this.#listeners.delete(onRing);
    if (this.#listeners.size === 0) this.#words.store(field(this.#own, task.BELL), QUIET);
  }

  /** Rings the bell of the task that owns a node just woken. */
  ring(pid: Pid): void {
    const slot = taskSlot(this.#geometry, pid);
    const words = this.#words;
    if (words.load(field(slot, task.PID)) !== pid) return;
    const bell = field(slot, task.BELL);
    if (words.compareExchange(bell, ARMED, RUNG) !== ARMED) return;
    if (pid === this.#pid) {
      queueMicrotask(this.#onRing);
      return;
    }
    this.#world.doorbell.ring(
      bell,
      words.load(field(slot, task.OS_PID)),
      words.load(field(slot, task.BELL_DESCRIPTOR)),
      words.load(field(slot, task.BELL_INODE)),
    );
  }

  /** Nobody listens any more; others can still be rung. */
  silence(): void {
    this.#listeners.clear();
    this.#words.store(field(this.#own, task.BELL), QUIET);
  }

  /** The last: others are rung no more either. */
  close(): void {
    this.#world.doorbell.close();
  }

  #install(): void {
    this.#installed = true;
    const own = this.#own;
    this.#world.doorbell.install(
      field(own, task.BELL),
      field(own, task.BELL_DESCRIPTOR),
      field(own, task.BELL_INODE),
      this.#onRing,
    );
  }

  /** Whoever listens arms the bell again, or is told no more. What one of them throws is not the others' loss. */
  readonly #onRing = (): void => {
    const errors: unknown[] = [];
    for (const listener of [...this.#listeners]) {
      try {
        listener();
      } catch (error) {
        errors.push(error);
      }
    }
    const [first, ...others] = errors;
    for (const error of others) {
      queueMicrotask(() => {
        throw error;
      });
    }
    if (errors.length > 0) throw first;
  };
}

/**
 * The slot that a pid's task lives in; some slot, for a number that is no pid. The remainder is of a small integer, as engines call it:
 * one that is not would make `field` compute in floating point wherever it is called from then on.
 */
export function taskSlot(geometry: Geometry, pid: Pid): Word {
  return field(geometry.tasks, (((pid - 1) & (PID_BOUND - 1)) % geometry.limits.tasksMax) * task.WORDS);
}
