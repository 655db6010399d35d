// Bugs as others have had them, planted by the words of a task, by its sleep, or by what it does: each must be found, or the search
// would prove nothing.

import { EAGAIN } from "../../src/abi/errno.ts";
import type { ObjectToken } from "../../src/kernel/opening.ts";
import type { System } from "../../src/kernel/system.ts";
import { monitor as monitorLayout, queue as queueLayout } from "../../src/memory/layout.ts";
import { type Offset, WORD_BYTES, type Word } from "../../src/memory/words.ts";
import { CONTESTED, SLEEPERS } from "../../src/sync/robust-lock.ts";
import { blockUntil, FOR_EVER } from "../../src/sync/waiting.ts";
import { inMachineCode } from "../machine/interpreted-words.ts";
import { lockFamily, type Waiting, waitFamily } from "../stepped/core-families.ts";
import { machineQueueFamily } from "../stepped/machine-families.ts";
import {
  conditionFamily,
  mutexFamily,
  pipeFamily,
  queueFamily,
  rwlockFamily,
  scenarioOf,
  semaphoreFamily,
  telling,
} from "../stepped/object-families.ts";
import type { Scenario } from "../stepped/stepped.ts";
import { SteppedWords, type Stepper } from "../stepped/stepped-words.ts";
import { orphanedMutex } from "./triples.ts";

export interface Planted {
  readonly name: string;
  /** What is right, and what may come of it. */
  readonly right: Scenario;
  /** The same with the bug. */
  readonly wrong: Scenario;
  /** Preemptions that are enough to find it. */
  readonly bound: number;
}

type MakeWords = (buffer: SharedArrayBuffer, stepper: Stepper, task: number) => SteppedWords;

const wordsOf =
  (Class: new (buffer: SharedArrayBuffer, stepper: Stepper) => SteppedWords): MakeWords =>
  (buffer, stepper) =>
    new Class(buffer, stepper);

/** A scenario of a family, and the same with a bug. */
// biome-ignore lint/suspicious/noExplicitAny: each family has types of its own
const right = (family: any, state: string, ...programs: string[]): Scenario =>
  scenarioOf(family, `${family.name} ${state}: ${programs.join(" | ")}`, family.before[state], programs) as Scenario;

function byWords(name: string, scenario: Scenario, words: MakeWords, bound = 1): Planted {
  return { name, right: scenario, wrong: { ...scenario, words }, bound };
}

const PID_MOST = 8;
const ASKING = 1 << 30;

/** Of a monitor's unlock: the bit that says that somebody waits is lost. */
class ForgetsSleepers extends SteppedWords {
  override exchange(word: Word, value: number): number {
    return super.exchange(word, value & SLEEPERS ? value & ~SLEEPERS : value);
  }
}

/** Of a lock's unlock: the bit that says that somebody wants the lock is not looked at. */
class ForgetsContenders extends SteppedWords {
  override exchange(word: Word, value: number): number {
    return super.exchange(word, value) & ~CONTESTED;
  }
}

/** Of the count and unlock of machine code: that somebody waits, or wants the lock, is written over. */
class CountsAndForgets extends inMachineCode(SteppedWords) {
  override compareExchange64(word: Word, expected: bigint, value: bigint): bigint {
    this.store64(word, value);
    return expected;
  }
}

/** A compare, and then a store. */
class ComparesThenStores extends SteppedWords {
  override compareExchange(word: Word, expected: number, value: number): number {
    const seen = this.load(word);
    if (seen === expected) this.store(word, value);
    return seen;
  }
}

/** BZ#20985: the waiters' bit stays in a lock that is free, and whoever finds it there takes it for an owner's. */
class LeavesContenders extends SteppedWords {
  override exchange(word: Word, value: number): number {
    const before = super.exchange(word, value | CONTESTED);
    return before & ~CONTESTED;
  }

  override load(word: Word): number {
    const seen = super.load(word);
    return seen === CONTESTED ? CONTESTED | PID_MOST : seen;
  }
}

/** A reader looks whether somebody writes before it says that it asks. */
class DoesNotAsk extends SteppedWords {
  override store(word: Word, value: number): void {
    if (value & ASKING) return;
    super.store(word, value);
  }
}

/** Whoever has something to tell never sees that somebody waits: BZ#20973, where the owner has died. */
class SeesNobody extends SteppedWords {
  readonly #word: () => Word;

  constructor(buffer: SharedArrayBuffer, stepper: Stepper, word: () => Word) {
    super(buffer, stepper);
    this.#word = word;
  }

  override load(word: Word): number {
    const seen = super.load(word);
    return word === this.#word() ? 0 : seen;
  }
}

/** Once looked at, never again. */
class Remembers extends SteppedWords {
  readonly #word: () => Word;
  #seen: number | undefined;

  constructor(buffer: SharedArrayBuffer, stepper: Stepper, word: () => Word) {
    super(buffer, stepper);
    this.#word = word;
  }

  override restart(): void {
    super.restart();
    this.#seen = undefined;
  }

  override load(word: Word): number {
    if (word !== this.#word()) return super.load(word);
    this.#seen ??= super.load(word);
    return this.#seen;
  }
}

/** What is copied in becomes visible after the store that publishes it. */
class PublishesFirst extends SteppedWords {
  readonly #published: () => Word;
  #late: (() => void)[] = [];

  constructor(buffer: SharedArrayBuffer, stepper: Stepper, published: () => Word) {
    super(buffer, stepper);
    this.#published = published;
  }

  override restart(): void {
    super.restart();
    this.#late = [];
  }

  override copyAllIn(offset: Offset, source: Uint8Array): void {
    this.#late.push(() => super.copyAllIn(offset, source));
  }

  override copyIn(offset: Offset, source: Uint8Array, start: number, length: number): void {
    this.#late.push(() => super.copyIn(offset, source, start, length));
  }

  override store(word: Word, value: number): void {
    super.store(word, value);
    if (word === this.#published()) for (const copy of this.#late.splice(0)) copy();
  }
}

/** Words with a bug about one word of an object, which is known once that is open. */
function about(
  scenario: Scenario,
  wordIn: (system: System, arranged: unknown) => Word,
  make: (buffer: SharedArrayBuffer, stepper: Stepper, word: () => Word, task: number) => SteppedWords,
): Scenario {
  let known = -1 as Word;
  return {
    ...scenario,
    open: (system, arranged) => {
      const handles = scenario.open(system, arranged);
      known = wordIn(system, arranged);
      return handles;
    },
    words: (buffer, stepper, task) => make(buffer, stepper, () => known, task),
  };
}

const ringWord =
  (name: number) =>
  (system: System, token: unknown): Word =>
    system.ringOf((token as ObjectToken).objectIndex).word(name);

const TAIL = queueLayout.PRODUCER + monitorLayout.POSITION;
const TAKEN = queueLayout.CONSUMER + monitorLayout.POSITION;

/** Replaces what a task does. */
function byProgram<H>(
  name: string,
  scenario: Scenario,
  task: number,
  program: (handles: H) => unknown,
  bound = 1,
): Planted {
  const programs = scenario.programs.map((one, i) =>
    i === task ? telling(program as (handles: unknown) => unknown) : one,
  );
  return { name, right: scenario, wrong: { ...scenario, programs }, bound };
}

const sendAndReceive = right(queueFamily, "empty", "send", "receive");
const takeAndAdd = right(waitFamily, "at 0", "take", "add");
const roomAfterAll = right(queueFamily, "full", "send", "receive");

export const planted: readonly Planted[] = [
  byProgram<Waiting>("a wake before the store", takeAndAdd, 1, ({ monitor, system, word }) => {
    if (!monitor.isQuiet()) monitor.notify(1);
    system.words.set(word, system.words.get(word) + 1);
  }),
  byProgram<Waiting>("no second look, under the lock, before falling asleep", takeAndAdd, 0, (handles) => {
    const { system, condition, take } = handles;
    const blind = { ...condition, ready: () => false };
    return take() === EAGAIN ? blockUntil(system, blind, 1, take, FOR_EVER) : 0;
  }),
  {
    name: "a sleep that does not compare the word again",
    right: sendAndReceive,
    wrong: { ...sendAndReceive, blindSleep: true },
    bound: 1,
  },
  byWords("an unlock that forgets the waiters' bit", sendAndReceive, wordsOf(ForgetsSleepers)),
  byWords(
    "a count and unlock, in machine code, that forgets who waits",
    right(machineQueueFamily, "full", "receive", "send"),
    wordsOf(CountsAndForgets),
  ),
  byWords("an unlock that wakes no contender", right(lockFamily, "free", "lock", "lock"), wordsOf(ForgetsContenders)),
  byWords(
    "a lock that compares, and then stores",
    right(mutexFamily, "free", "lockAndUnlock", "lockAndUnlock"),
    wordsOf(ComparesThenStores),
    2,
  ),
  byWords(
    "a semaphore that compares, and then stores",
    right(semaphoreFamily, "at 0", "post", "post"),
    wordsOf(ComparesThenStores),
  ),
  {
    name: "a stale cached head",
    right: roomAfterAll,
    wrong: about(roomAfterAll, ringWord(TAKEN), (buffer, stepper, word) => new Remembers(buffer, stepper, word)),
    bound: 1,
  },
  {
    name: "a tail that is stored before the message",
    right: right(queueFamily, "empty", "send", "tryReceive"),
    wrong: about(
      right(queueFamily, "empty", "send", "tryReceive"),
      ringWord(TAIL),
      (buffer, stepper, word) => new PublishesFirst(buffer, stepper, word),
    ),
    bound: 1,
  },
  byProgram<Parameters<(typeof conditionFamily)["observe"]>[0]>(
    "one that is woken and does not look again",
    right(conditionFamily, "unset", "take", "take", "signal"),
    0,
    ({ mutex, condition, system, word }) => {
      mutex.lockSync();
      if (system.words.get(word) === 0) condition.waitSync(mutex);
      system.words.set(word, system.words.get(word) - 1);
      mutex.unlock();
    },
  ),
  byProgram<Parameters<(typeof conditionFamily)["observe"]>[0]>(
    "a condition's wait that looks without the mutex",
    right(conditionFamily, "unset", "look", "signal"),
    0,
    ({ mutex, condition, system, word }) => {
      while (system.words.get(word) === 0) {
        mutex.lockSync();
        condition.waitSync(mutex);
        mutex.unlock();
      }
    },
  ),
  byWords(
    "a reader that does not say that it asks",
    right(rwlockFamily, "free", "read", "write"),
    wordsOf(DoesNotAsk),
    2,
  ),
  byWords(
    "glibc BZ#20985: the waiters' bit left in a free lock",
    right(lockFamily, "free", "lock", "lock", "lock"),
    wordsOf(LeavesContenders),
  ),
  {
    name: "glibc BZ#20973: a wake-up lost after an owner's death",
    right: orphanedMutex,
    wrong: about(
      orphanedMutex,
      (system, arranged) => mutexLockWord(system, arranged),
      (buffer, stepper, word, task) =>
        task === 0 ? new SeesNobody(buffer, stepper, word) : new SteppedWords(buffer, stepper),
    ),
    bound: 1,
  },
  byProgram<Parameters<(typeof pipeFamily)["observe"]>[0]>(
    "bytes that are written in two parts",
    right(pipeFamily, "empty", "tryWrite", "tryWrite"),
    0,
    ({ writer }) => {
      const half = new Uint8Array([98]);
      return writer.tryWrite(half) + writer.tryWrite(half);
    },
  ),
];

/** The word of a mutex's monitor, which says whether somebody waits. */
function mutexLockWord(system: System, arranged: unknown): Word {
  const { lock } = arranged as { lock: ObjectToken };
  return (system.registry.bodyLineOf(lock.objectIndex) * (64 / WORD_BYTES)) as Word;
}
