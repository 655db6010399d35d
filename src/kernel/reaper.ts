// Who looks whether tasks have died, and buries the dead: whoever waits, once in a slice for the whole kernel; whoever never
// waits, now and then; and a parent whose child's end the host has told it.

import { WAIT_SLICE_MS } from "../abi/limits.ts";
import { headerWord } from "../memory/region.ts";
import type { Word, Words } from "../memory/words.ts";
import { taskSlot } from "../sync/bell.ts";
import type { Pid } from "../sync/robust-lock.ts";
import type { Waiter } from "../sync/waiting.ts";
import type { TaskTable } from "../tasks/task-table.ts";
import { type Children, NOBODY_TOLD } from "./children.ts";
import type { Holdings } from "./holdings.ts";
import type { Signals } from "./signals.ts";

/** The kernel, as far as burials need it. */
interface Kernel extends Waiter {
  readonly words: Words;
  readonly tasks: TaskTable;
  readonly children: Children;
  readonly signals: Signals;
  readonly holdings: Holdings;
  transaction(change: () => number): number;
}

export class Reaper {
  readonly #kernel: Kernel;
  #nextGlanceMs = 0;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Looks at every task and buries the dead, unless another task did within the last slice. */
  lookAround(): void {
    this.#kernel.signals.lookAtAlarm();
    this.#kernel.signals.lookAtChildren();
    const word = headerWord("SWEPT_MS");
    const now = this.#kernel.world.nowMs();
    const last = this.#kernel.words.load(word);
    const since = (now - last) & 0x7fffffff;
    if (last !== 0 && since < WAIT_SLICE_MS * 0.9) return;
    if (this.#kernel.words.compareExchange(word, last, now | 0) !== last) return;
    this.reap();
  }

  /** Looks at every task now; returns how many were buried. */
  reap(): number {
    let buried = 0;
    for (const slot of this.#kernel.tasks.slots()) {
      if (this.#kernel.tasks.isDead(slot) && this.#bury(slot)) buried++;
    }
    return buried;
  }

  /**
   * A look around for those who never wait, such as a writer that always finds room: cheap enough for every call, real
   * only once in a slice.
   */
  glance(): void {
    const now = performance.now();
    if (now < this.#nextGlanceMs) return;
    this.#nextGlanceMs = now + WAIT_SLICE_MS;
    this.lookAround();
  }

  /** The host has told how a child has ended. */
  hostEnded(pid: Pid, status: number): void {
    const slot = taskSlot(this.#kernel.geometry, pid);
    if (this.#kernel.tasks.pidAt(slot) !== pid) return;
    if (this.#kernel.tasks.isZombie(pid)) {
      this.#kernel.children.correct(pid, status);
      return;
    }
    this.#bury(slot, status, !this.#kernel.tasks.hasBegun(slot));
  }

  /**
   * Buries one dead task. The kernel lock is held throughout, so two cannot bury one task at a time; a death in the middle
   * leaves a slot that is still dead, and what is left of its holdings is given back by the next.
   */
  #bury(slot: Word, hostStatus?: number, isStillborn = false): boolean {
    const identity = this.#kernel.tasks.identityAt(slot);
    const pid = this.#kernel.tasks.pidAt(slot);
    let end = NOBODY_TOLD;
    const buried = this.#kernel.transaction(() => {
      if (this.#kernel.tasks.identityAt(slot) !== identity || !(isStillborn || this.#kernel.tasks.isDead(slot)))
        return 0;
      this.#kernel.holdings.releaseAllLocked(slot);
      this.#kernel.children.freeOrphansLocked(pid);
      const host = hostStatus ?? this.#kernel.world.tasks.statusOf(identity);
      end = this.#kernel.children.endLocked(slot, this.#kernel.children.statusOfDead(slot, host));
      if (end.isKept) this.#kernel.tasks.bequeath(slot, identity);
      else this.#kernel.tasks.free(slot, pid, identity);
      const counter = headerWord("BURIED");
      this.#kernel.words.store(counter, this.#kernel.words.load(counter) + 1);
      return 1;
    });
    end.signal();
    end.announce();
    return buried === 1;
  }
}
