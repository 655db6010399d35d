// How long to look before sleeping: learned. A wake-up across CPUs costs 30 to 70 µs, a look that succeeds costs one.
//
// The budget is in turns of a loop around one or two atomic loads (about 15 ns). A success brings it towards a multiple of
// what it took, a failure halves it; at the bottom, a full spin is tried now and then, so that it can be learned anew.
// Where all tasks share one CPU nobody spins: whoever is waited for could not run meanwhile.

import { headerWord } from "../memory/region.ts";
import type { Words } from "../memory/words.ts";
import type { World } from "./world.ts";

/** About 50 µs: what sleeping would cost (two-competitive: at worst a wait costs twice the better choice). */
const TURNS_MAX = 3000;
const TURNS_MIN = 8;
/** A full spin is tried again after so many waits that did not. */
const PROBE_EVERY = 64;

const CPUS = headerWord("CPUS");

export class Spin {
  readonly #words: Words;
  readonly #world: World;
  #budget = TURNS_MAX;
  #sinceProbe = 0;

  constructor(words: Words, world: World) {
    this.#words = words;
    this.#world = world;
  }

  /** How many turns this wait may spin. */
  begin(): number {
    const cpus = this.#words.load(CPUS);
    if ((cpus & (cpus - 1)) === 0) return 0;
    if (this.#budget > TURNS_MIN) return this.#budget;
    if (++this.#sinceProbe < PROBE_EVERY) return TURNS_MIN;
    this.#sinceProbe = 0;
    return TURNS_MAX;
  }

  succeeded(turns: number): void {
    const wanted = Math.min(TURNS_MAX, 4 * turns + TURNS_MIN);
    if (wanted > this.#budget) this.#budget = wanted;
    else this.#budget -= (this.#budget - wanted) >> 4;
  }

  failed(): void {
    this.#budget >>= 1;
  }

  relax(): void {
    this.#world.relax();
  }
}

/** Counts the CPUs that a task may run on among those of the kernel's tasks. */
export function joinCpus(words: Words, world: World): void {
  for (;;) {
    const cpus = words.load(CPUS);
    if (words.compareExchange(CPUS, cpus, cpus | world.cpuMask) === cpus) return;
  }
}
