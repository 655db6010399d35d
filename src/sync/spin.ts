// Whether to look for a while before sleeping: learned. A wake-up across CPUs costs 30 to 70 µs, a look that succeeds costs one.
//
// What is learned is whether to try: a miss keeps the next waits from spinning, twice as many with each miss in a row, and a
// hit forgets all misses. Hits that took longer than a spin goes on are misses: whoever was waited for had no CPU of its own,
// and ran once the host had taken this one away. Where all tasks share one CPU nobody spins.
//
// Who does not spin may give way (sched_yield(2)): on a shared CPU the other then runs at once, and nobody has to be woken, which
// saves one of two system calls. That is learned in the same way.

import { headerWord } from "../memory/region.ts";
import type { Words } from "../memory/words.ts";
import type { World } from "./world.ts";

/**
 * How long a spin goes on: longer than a wake-up takes, so that of two tasks that answer each other, one spinning is enough for
 * both to find out that spinning pays.
 */
const SPIN_MS = 0.1;
/** About as many turns; corrected when a miss has been timed. */
const TURNS_FIRST = 10_000;
const TURNS_LEAST = 1000;
const TURNS_MOST = 50_000;
/** A hit after this came too late: longer than a spin goes on that nothing interrupts. */
const LATE_MS = 0.13;
/** So many in a row; one is the host's doing, which may take a CPU away at any time. */
const LATE_IN_A_ROW = 4;
/** After so many timely hits in a row, only one in so many is timed: a look at the clock costs as much as several turns. */
const TIMED_ONE_IN = 64;
/** After n misses in a row, 2^n - 1 waits go to sleep at once, up to this n. */
const MISSES_MAX = 9;
/** Times that a wait gives way before it goes to sleep. */
const WAYS_GIVEN = 3;

const CPUS = headerWord("CPUS");

export interface Spinning {
  begin(): number;
  hit(): void;
  miss(): void;
  relax(): void;
  /** How many times this wait, which has not spun or in vain, may give way. */
  beginGivingWay(): number;
  giveWay(): void;
  /** It is over: what was waited for came, or did not. */
  endGivingWay(came: boolean): void;
}

/** For those whose look without the lock says nothing. */
export const noSpin: Spinning = {
  begin: () => 0,
  hit: () => {},
  miss: () => {},
  relax: () => {},
  beginGivingWay: () => 0,
  giveWay: () => {},
  endGivingWay: () => {},
};

/** Tries that are left out for a while after those that were in vain. */
class Trials {
  #misses = 0;
  #skip = 0;

  /** Whether to try now. */
  next(): boolean {
    if (this.#skip === 0) return true;
    this.#skip--;
    return false;
  }

  succeeded(): void {
    this.#misses = 0;
  }

  failed(): void {
    if (this.#misses < MISSES_MAX) this.#misses++;
    this.#skip = (1 << this.#misses) - 1;
  }
}

export class Spin implements Spinning {
  readonly #words: Words;
  readonly #world: World;
  readonly #spins = new Trials();
  readonly #ways = new Trials();
  #turns = TURNS_FIRST;
  #timelyHits = 0;
  #lateHits = 0;
  /** When this spin began, where it is timed; else 0. */
  #begunMs = 0;
  /** The last was no miss, and nobody has counted it yet: what can be done while the next one waits anyway is done then. */
  #isUncounted = false;

  constructor(words: Words, world: World) {
    this.#words = words;
    this.#world = world;
  }

  /** How many turns this wait may spin. */
  begin(): number {
    if (this.#isUncounted) this.#countHit();
    const cpus = this.#words.load(CPUS);
    if ((cpus & (cpus - 1)) === 0 || !this.#spins.next()) return 0;
    const isTimed = this.#timelyHits < TIMED_ONE_IN || this.#timelyHits % TIMED_ONE_IN === 0;
    this.#begunMs = isTimed ? performance.now() : 0;
    return this.#turns;
  }

  /** What was waited for came while spinning. */
  hit(): void {
    if (this.#begunMs === 0 || performance.now() - this.#begunMs <= LATE_MS) this.#isUncounted = true;
    else this.#countLateHit();
  }

  #countHit(): void {
    this.#isUncounted = false;
    this.#lateHits = 0;
    this.#timelyHits = (this.#timelyHits + 1) & 0xffff;
    this.#spins.succeeded();
  }

  #countLateHit(): void {
    this.#timelyHits = 0;
    if (++this.#lateHits >= LATE_IN_A_ROW) this.#spins.failed();
  }

  /** It did not: the next waits need not try. */
  miss(): void {
    this.#timelyHits = 0;
    this.#spins.failed();
    if (this.#begunMs === 0) return;
    const turns = (this.#turns * SPIN_MS) / (performance.now() - this.#begunMs);
    this.#turns = Math.round(Math.min(Math.max(turns, TURNS_LEAST), TURNS_MOST)); // engines count whole numbers faster
  }

  relax(): void {
    this.#world.relax();
  }

  beginGivingWay(): number {
    return this.#world.giveWay !== undefined && this.#ways.next() ? WAYS_GIVEN : 0;
  }

  giveWay(): void {
    this.#world.giveWay?.();
  }

  endGivingWay(came: boolean): void {
    if (came) this.#ways.succeeded();
    else this.#ways.failed();
  }
}

/** Counts the CPUs that a task may run on among those of the kernel's tasks. */
export function joinCpus(words: Words, world: World): void {
  for (;;) {
    const cpus = words.load(CPUS);
    if (words.compareExchange(CPUS, cpus, cpus | world.cpuMask) === cpus) return;
  }
}
