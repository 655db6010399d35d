// A task of the real code that goes as far as it is told to: to its n-th access, to a sleep, or to its end. What it sleeps on, what
// it says and whether it lives are its own; its sleeps are the scheduler's.

import { WAIT_SLICE_MS } from "../../src/abi/limits.ts";
import type { System } from "../../src/kernel/system.ts";
import type { Word } from "../../src/memory/words.ts";
import { ARMED } from "../../src/sync/bell.ts";
import type { World } from "../../src/sync/world.ts";
import { type Entry, type SteppedWords, Stop } from "./stepped-words.ts";

export const states = { READY: 0, ASLEEP: 1, YIELDED: 2, DONE: 3, DEAD: 4 } as const;

/** Why a task stopped, and the state that it is in then. */
const ASLEEP = new Stop("asleep", states.ASLEEP);
const YIELDED = new Stop("yielded", states.YIELDED);
const DEAD = new Stop("dead", states.DEAD);
const PAUSED = new Stop("paused", states.READY);

/** What a program may do beside calling the code that is tried. */
export interface Program {
  readonly pid: number;
  readonly system: System;
  /** Says something that others, or a check at the end, compare. */
  tell(what: unknown): void;
  /** Between two operations: where tasks that go one after the other may take turns. */
  between(): void;
  /** Dies here. */
  die(): never;
  /** Turns the task's event loop until what it waits for has come. */
  turnUntil(isDone: () => boolean): void;
}

/** Those who sleep, in their order. */
export interface Sleepers {
  sleep(task: SteppedTask, word: Word, milliseconds: number): void;
  wake(word: Word, count: number): void;
  isAlive(identity: bigint): boolean;
  /** Whether who is about to sleep does not look at the word again: a planted bug. */
  readonly blindSleep: boolean;
  /** A boundary between two operations, before the task goes on. */
  boundary(task: SteppedTask): void;
}

export class SteppedTask implements Program {
  state: number = states.READY;
  readonly told: string[] = [];
  readonly words: SteppedWords;
  readonly world: World;
  /** The word it sleeps on, and whether only for a time. */
  sleepsOn = 0;
  readonly #sleepers: Sleepers;
  readonly #body: (task: SteppedTask) => void;
  #system: System | undefined;
  #start: Entry[] = [];
  /** The bell that its event loop sleeps on, and what it calls: at a ring, and at the end of a slice. */
  #bell: { readonly word: Word; readonly onRing: () => void } | undefined;
  #onTick: (() => void) | undefined;
  #seen = { log: this.#start, length: 0, text: "" };

  constructor(words: SteppedWords, world: World, sleepers: Sleepers, body: (task: SteppedTask) => void) {
    this.words = words;
    this.#sleepers = sleepers;
    this.#body = body;
    this.world = {
      ...world,
      parker: {
        park: (word, expected, milliseconds) => this.#park(word, expected, milliseconds),
        unpark: (word, count) => this.#unpark(word, count),
      },
      doorbell: {
        install: (word, _descriptor, _inode, onRing) => {
          this.#bell = { word, onRing };
        },
        listen: () => {}, // the loop looks at the word before it sleeps
        ring: (word) => this.#unpark(word, 1),
        close: () => {},
      },
      isAlive: (identity) => {
        if (words.isRepeating) return words.repeated() as boolean;
        words.check();
        return words.note(sleepers.isAlive(identity));
      },
      relax: () => this.#relax(),
    };
  }

  get system(): System {
    if (!this.#system) throw new Error("not attached yet");
    return this.#system;
  }

  set system(system: System) {
    this.#system = system;
  }

  get pid(): number {
    return this.system.pid;
  }

  /** All that it has seen of the memory so far, which is what it goes on with. */
  get seen(): string {
    const { log } = this.words;
    const { length } = log;
    if (this.#seen.log !== log || this.#seen.length !== length) this.#seen = { log, length, text: log.join() };
    return this.#seen.text;
  }

  /** Keeps the log so far as the one that each run begins with. */
  keepStart(): void {
    this.#start = this.words.log;
  }

  /** As it was after `keepStart`. */
  reset(): void {
    this.words.log = this.#start.slice();
    this.state = states.READY;
  }

  /** Runs from the beginning, through what it has done already, as far as it may. Afterwards `state` says why it stopped. */
  go(): void {
    this.told.length = 0;
    this.words.restart();
    this.#bell = undefined;
    this.#onTick = undefined;
    const { setInterval, clearInterval } = globalThis;
    try {
      globalThis.setInterval = ((onTick: () => void) => {
        this.#onTick = onTick;
      }) as unknown as typeof setInterval;
      globalThis.clearInterval = () => {
        this.#onTick = undefined;
      };
      this.#body(this);
    } catch (error) {
      if (!this.words.stopped) this.tell(error instanceof Error ? `${error.name}: ${error.message}` : error);
    } finally {
      Object.assign(globalThis, { setInterval, clearInterval });
    }
    const { stopped } = this.words;
    this.state = stopped ? stopped.state : states.DONE;
  }

  /** It may not make its next access yet. */
  pause(): never {
    return this.#stop(PAUSED);
  }

  /** It was woken, or may go on. */
  resume(): void {
    this.words.log.push(undefined);
    this.state = states.READY;
  }

  tell(what: unknown): void {
    this.told.push(String(what));
  }

  between(): void {
    const { words } = this;
    if (words.isRepeating) return void words.repeated();
    words.check();
    this.#sleepers.boundary(this);
    words.note(undefined);
  }

  die(): never {
    return this.#stop(DEAD);
  }

  turnUntil(isDone: () => boolean): void {
    while (!isDone()) {
      this.words.check();
      if (!this.#bell) throw new Error("its event loop has nothing to wait for");
      const { word, onRing } = this.#bell;
      this.#park(word, ARMED, WAIT_SLICE_MS);
      if (this.words.load(word) === ARMED) this.#onTick?.();
      else onRing();
    }
  }

  #park(word: Word, expected: number, milliseconds: number): void {
    const { words } = this;
    if (words.isRepeating) return void words.repeated();
    words.before(word, word, false);
    if (words.int32[word] !== expected && !this.#sleepers.blindSleep) return void words.note(undefined);
    this.sleepsOn = word;
    this.#sleepers.sleep(this, word, milliseconds);
    this.#stop(ASLEEP);
  }

  #unpark(word: Word, count: number): void {
    const { words } = this;
    if (words.isRepeating) return void words.repeated();
    words.before(word, word, true);
    this.#sleepers.wake(word, count);
    words.note(undefined);
  }

  /** One that spins lets the others go on: else it would spin for ever. */
  #relax(): void {
    if (this.words.isRepeating) return void this.words.repeated();
    this.words.check();
    this.#stop(YIELDED);
  }

  #stop(why: Stop): never {
    this.words.stopped = why;
    throw why;
  }
}
