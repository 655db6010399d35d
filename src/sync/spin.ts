// Whether to look for a while before sleeping: learned. A wake-up across CPUs costs 30 to 70 µs, a look that succeeds costs one.
//
// What is learned is whether to try: a miss keeps the next waits from spinning, twice as many with each miss in a row, and a
// hit forgets all misses.
// Where all tasks share one CPU nobody spins: whoever is waited for could not run meanwhile.

import { headerWord } from "../memory/region.ts";
import type { Words } from "../memory/words.ts";
import type { World } from "./world.ts";

/**
 * About 100 µs: longer than a wake-up takes, so that of two tasks that answer each other, one spinning is enough for both to
 * find out that spinning pays.
 */
const TURNS_MAX = 5000;
/** After n misses in a row, 2^n - 1 waits go to sleep at once, up to this n. */
const MISSES_MAX = 9;

const CPUS = headerWord("CPUS");

export interface Spinning {
  begin(): number;
  hit(): void;
  miss(): void;
  relax(): void;
}

/** For those whose look without the lock says nothing. */
export const noSpin: Spinning = { begin: () => 0, hit: () => {}, miss: () => {}, relax: () => {} };

export class Spin implements Spinning {
  readonly #words: Words;
  readonly #world: World;
  #misses = 0;
  #skip = 0;

  constructor(words: Words, world: World) {
    this.#words = words;
    this.#world = world;
  }

  /** How many turns this wait may spin. */
  begin(): number {
    const cpus = this.#words.load(CPUS);
    if ((cpus & (cpus - 1)) === 0) return 0;
    if (this.#skip === 0) return TURNS_MAX;
    this.#skip--;
    return 0;
  }

  /** What was waited for came while spinning. */
  hit(): void {
    this.#misses = 0;
  }

  /** It did not: the next waits need not try. */
  miss(): void {
    if (this.#misses < MISSES_MAX) this.#misses++;
    this.#skip = (1 << this.#misses) - 1;
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
