// The words of a region that lies in a WebAssembly.Memory: the same accesses, the atomic ones as machine instructions.

import { type MachineAtomics, type MachineCode, machineCodeOf, type SharedMemory } from "./machine-code.ts";
import { PlainQueueSteps } from "./plain-queue-steps.ts";
import { noStagedSteps, type QueueSteps, type StagedSteps } from "./queue-steps.ts";
import { type Word, Words } from "./words.ts";

/** For as long as somebody has a view of the bytes, the memory under them is not given back. */
const memories = new WeakMap<ArrayBufferLike, SharedMemory>();

export class MachineWords extends Words {
  readonly queueSteps: QueueSteps & StagedSteps;
  // Fields and not `this.#atomics.load`: one look-up less an access.
  readonly #load: MachineAtomics["load"];
  readonly #store: MachineAtomics["store"];
  readonly #exchange: MachineAtomics["exchange"];
  readonly #compareExchange: MachineAtomics["compareExchange"];
  readonly #moveAndUnlock: MachineAtomics["moveAndUnlock"];
  readonly #compareExchangePair: MachineAtomics["compareExchangePair"];

  constructor(buffer: ArrayBufferLike, { atomics, queueSteps }: MachineCode) {
    super(buffer);
    this.queueSteps = queueSteps;
    this.#load = atomics.load;
    this.#store = atomics.store;
    this.#exchange = atomics.exchange;
    this.#compareExchange = atomics.compareExchange;
    this.#moveAndUnlock = atomics.moveAndUnlock;
    this.#compareExchangePair = atomics.compareExchangePair;
  }

  override load(word: Word): number {
    return this.#load(word);
  }

  override store(word: Word, value: number): void {
    this.#store(word, value);
  }

  override exchange(word: Word, value: number): number {
    return this.#exchange(word, value);
  }

  override compareExchange(word: Word, expected: number, value: number): number {
    return this.#compareExchange(word, expected, value);
  }

  override moveAndUnlock(lock: Word, pid: number, before: number, after: number): boolean {
    return this.#moveAndUnlock(lock, pid, before, after) !== 0;
  }

  override compareExchangePair(word: Word, low: number, high: number, newLow: number, newHigh: number): boolean {
    return this.#compareExchangePair(word, low, high, newLow, newHigh) !== 0;
  }
}

/** Whether words bring steps of their own: these, and a harness's that runs the same machine code access by access. */
const haveSteps = (words: Words): words is Words & Pick<MachineWords, "queueSteps"> => "queueSteps" in words;

/** The steps of a queue in a region: at once where its words can, else access by access. */
export const queueStepsOf = (words: Words): QueueSteps =>
  haveSteps(words) ? words.queueSteps : new PlainQueueSteps(words);

/** The same of staged messages. */
export const stagedStepsOf = (words: Words): StagedSteps => (haveSteps(words) ? words.queueSteps : noStagedSteps);

/**
 * Whether a region of this thread has them. Only the first: the engine calls such a function directly where it always meets the same
 * one, and takes longer than for Atomics where it meets those of several memories (measured: 1.3 times).
 */
let taken = false;

/**
 * The words of a region whose bytes are `buffer`: the beginning of the memory, as the engine or somebody else shows it. Plain ones
 * where there is no such memory, and for all regions of a thread but the first.
 */
export function wordsOf(buffer: ArrayBufferLike, memory: SharedMemory | undefined): Words {
  const code = memory && !taken ? machineCodeOf(memory) : undefined;
  if (memory) memories.set(buffer, memory);
  if (!code) return new Words(buffer);
  taken = true;
  return new MachineWords(buffer, code);
}
