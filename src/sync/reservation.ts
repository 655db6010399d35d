// One of what there is in an object, kept for a task that was woken for it. One word:
//
//   0 nobody · the pid of the task · bits 28 to 30: a number, so that the next one for the same task is another
//
// It is kept by whoever wakes that task, once in HANDING_MS at most; others, when they look how much there is, see one less. What they had
// seen before is older than what it was woken for. It ends when the task has tried to take it, whatever came of that.
//
// What a death leaves behind: one that nobody comes for. Whoever finds its task buried, or has seen it for GIVEN_MS_MAX, passes over it.
// That is time and no proof, and need be none: who comes later has lost its place, and waits on.

import { PID_BOUND } from "../abi/limits.ts";
import { type Geometry, task } from "../memory/layout.ts";
import { field, type Word, type Words } from "../memory/words.ts";
import { taskSlot } from "./bell.ts";
import { elapsedMs, GIVEN_MS_MAX, HANDING_MS } from "./handing.ts";
import type { Pid } from "./robust-lock.ts";
import type { World } from "./world.ts";

const OWNER = PID_BOUND - 1;
const NUMBERS = 8;

/** The task that looks. */
export interface ReservationUser {
  readonly words: Words;
  readonly geometry: Geometry;
  readonly pid: number;
  readonly world: Pick<World, "nowMs">;
}

export class Reservation {
  readonly #user: ReservationUser;
  readonly #word: Word;
  #number = 0;
  /** When this task last kept something for another. */
  #keptMs: number | undefined;
  /** What it last found kept for another, and since when. */
  #seen = 0;
  #seenMs = 0;

  constructor(user: ReservationUser, word: Word) {
    this.#user = user;
    this.#word = word;
  }

  /** Keeps one for a task that is about to be woken, if it is time to. */
  keepFor(pid: number): void {
    const { words, world } = this.#user;
    const now = world.nowMs();
    if (this.#keptMs !== undefined && elapsedMs(this.#keptMs, now) < HANDING_MS) return;
    this.#keptMs = now;
    this.#number = (this.#number + 1) % NUMBERS;
    words.compareExchange(this.#word, 0, pid | (this.#number * PID_BOUND));
  }

  /** Whether one is kept for another task. */
  isForAnother(): boolean {
    const { words, pid, world } = this.#user;
    const kept = words.load(this.#word);
    if (kept === 0 || (kept & OWNER) === pid) return false;
    if (this.#isAttached((kept & OWNER) as Pid) && !this.#isOld(kept, world.nowMs())) return true;
    words.compareExchange(this.#word, kept, 0);
    return false;
  }

  #isAttached(pid: Pid): boolean {
    const { words, geometry } = this.#user;
    return words.load(field(taskSlot(geometry, pid), task.PID)) === pid;
  }

  #isOld(kept: number, now: number): boolean {
    if (kept !== this.#seen) {
      this.#seen = kept;
      this.#seenMs = now;
    }
    return elapsedMs(this.#seenMs, now) > GIVEN_MS_MAX;
  }

  /** Nothing is kept for this task any more; returns whether something was. */
  end(): boolean {
    const { words, pid } = this.#user;
    const kept = words.load(this.#word);
    return (kept & OWNER) === pid && words.compareExchange(this.#word, kept, 0) === kept;
  }
}
