// Draws sets of signals, of the few that a sequence has.

import type { Random } from "../random.ts";
import { longs } from "./family.ts";
import { SIGUSR1 } from "./handlers.ts";
import { SCRATCH_BYTES } from "./mailbox.ts";
import type { Input, Operand } from "./operation.ts";
import { bitOf, NEW_SET } from "./signal-model.ts";

export const SET_BYTES = 8;
export const ALL_SIGNALS = 2n ** 64n - 1n;
/** What Linux's tasks never block: the harness interrupts by it. */
const NEVER = bitOf(SIGUSR1);
const [SIGKILL, SIGSTOP] = [9, 19];
export const BAD_POINTERS: readonly Operand[] = [-8, { at: SCRATCH_BYTES }, { at: SCRATCH_BYTES - 4 }];

export class SignalSets {
  readonly #signals: readonly number[];

  constructor(signals: readonly number[]) {
    this.#signals = signals;
  }

  draw(random: Random): bigint {
    const some = this.#signals.filter(() => random.chance(50)).reduce((set, signal) => set | bitOf(signal), 0n);
    return random.weighted([
      [60, some],
      [10, 0n],
      [15, ALL_SIGNALS & ~NEVER],
      [5, some | bitOf(SIGKILL) | bitOf(SIGSTOP)],
    ]);
  }

  /** As the argument of a call, with its size, which may be wrong. */
  drawArgument(random: Random): { pointer: Operand; bytes: number; inputs: Input[] } {
    return {
      pointer: random.chance(3) ? random.pick(BAD_POINTERS) : { at: NEW_SET },
      bytes: random.chance(2) ? random.pick([0, 4, 16]) : SET_BYTES,
      inputs: [{ at: NEW_SET, value: longs(this.draw(random)) }],
    };
  }
}
