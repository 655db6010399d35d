// Where the tortured tasks write down what they have done, in a kernel of its own that nobody is killed for: it survives them. Each
// record is one store, before or after the call that it is about.
//
//   a sender    ATTEMPTED := n + 1 · sends the message n · ACKNOWLEDGED := n + 1
//   a receiver  takes a message into its slot here · counts it in MARKS · clears the slot
//
// So a message that was acknowledged and is counted nowhere is lost, unless it lies in the slot of a receiver that was killed.
// Who takes a whole batch has no slot for it: it writes down how many it may be taking, and of a source that is received from in
// batches so many of those that are counted nowhere are in its hands.

import { Kernel, type SharedMemory } from "../../src/index.ts";

export const LIVES_MAX = 16_384;
export const STREAMS_MAX = 16_384;
export const STREAM_MESSAGES = 2048;
export const MESSAGE_BYTES = 32;
/** What a task takes messages from: each has a slot of its own. */
export const SOURCES = ["queue", "pipe", "urgent", "batch"] as const;
export type Source = (typeof SOURCES)[number];

const life = { ACTIONS: 0, KILLED_MS: 1, TAKING: 2, WORDS: 3 } as const;
const stream = { SOURCE: 0, ATTEMPTED: 1, ACKNOWLEDGED: 2, WORDS: 3 } as const;

const BATCH = SOURCES.indexOf("batch");

/** What is counted, and two pairs that locks keep equal. */
export const total = {
  STREAMS: 0,
  MESSAGES: 1,
  BAD: 2, // a checksum, an order, or a pair that was not right
  STUCK: 3,
  WAITED_MS_MAX: 4, // for a lock whose owner was dead
  HOLDER: 5, // of the mutex: a life and 1 more
  MUTEX_LEFT: 6,
  MUTEX_RIGHT: 7,
  RWLOCK_LEFT: 8,
  RWLOCK_RIGHT: 9,
  OWNERS_DIED: 10,
  LIVES: 11, // that have begun, or are about to
  CHILDREN: 12, // of these, that a tortured task has spawned
  COUNTER_HOLDER: 13, // of the mutex that guards the counter below: a life and 1 more
  COUNTER: 14, // what a condition tells of: put there by some, taken by others
  TOLD: 15, // how often somebody who waited for it was woken in time
  BARRIER_PASSES: 16,
  BARRIER_LEADERS: 17,
  WORDS: 24,
} as const;

const LIVES = total.WORDS;
const STREAMS = LIVES + LIVES_MAX * life.WORDS;
const WORDS = STREAMS + STREAMS_MAX * stream.WORDS;
const SLOTS = 4 * WORDS;
const MARKS = SLOTS + LIVES_MAX * SOURCES.length * MESSAGE_BYTES;
const BYTES = MARKS + STREAMS_MAX * STREAM_MESSAGES;

export interface Message {
  readonly stream: number;
  readonly number: number;
}

export class Ledger implements Disposable {
  readonly #kernel: Kernel;
  readonly #memory: SharedMemory;
  readonly #words: Int32Array;
  readonly #marks: Uint8Array;

  static create(name: string): Ledger {
    return new Ledger(Kernel.open(name, { create: true, exclusive: true, regionBytes: 2 * BYTES, tasksMax: 64 }), true);
  }

  static open(name: string): Ledger {
    return new Ledger(Kernel.open(name), false);
  }

  private constructor(kernel: Kernel, isNew: boolean) {
    this.#kernel = kernel;
    this.#memory = kernel.sharedMemory({ name: "ledger", create: isNew, bytes: BYTES });
    this.#words = this.#memory.view(Int32Array).subarray(0, WORDS);
    this.#marks = this.#memory.bytes.subarray(MARKS, BYTES);
  }

  add(name: number, value = 1): number {
    return Atomics.add(this.#words, name, value);
  }

  get(name: number): number {
    return Atomics.load(this.#words, name);
  }

  set(name: number, value: number): void {
    Atomics.store(this.#words, name, value);
  }

  raise(name: number, value: number): void {
    for (let seen = this.get(name); seen < value; ) {
      const found = Atomics.compareExchange(this.#words, name, seen, value);
      if (found === seen) return;
      seen = found;
    }
  }

  /** How much a task has done in its life. */
  actionsOf(of: number): number {
    return this.get(LIVES + of * life.WORDS + life.ACTIONS);
  }

  act(of: number): void {
    this.add(LIVES + of * life.WORDS + life.ACTIONS);
  }

  noteKill(of: number): void {
    this.set(LIVES + of * life.WORDS + life.KILLED_MS, nowMs());
  }

  /** 0: it was not. */
  killedMs(of: number): number {
    return this.get(LIVES + of * life.WORDS + life.KILLED_MS);
  }

  /** A new stream of messages; undefined where there are no more. */
  newStream(source: Source): number | undefined {
    const index = this.add(total.STREAMS);
    if (index >= STREAMS_MAX) return undefined;
    this.set(STREAMS + index * stream.WORDS + stream.SOURCE, SOURCES.indexOf(source));
    return index;
  }

  noteAttempt({ stream: of, number }: Message): void {
    this.set(STREAMS + of * stream.WORDS + stream.ATTEMPTED, number + 1);
  }

  noteAcknowledged({ stream: of, number }: Message): void {
    this.set(STREAMS + of * stream.WORDS + stream.ACKNOWLEDGED, number + 1);
  }

  /** Where a task takes messages into. */
  slotOf(of: number, source: Source): Uint8Array {
    const at = SLOTS + (of * SOURCES.length + SOURCES.indexOf(source)) * MESSAGE_BYTES;
    return this.#memory.bytes.subarray(at, at + MESSAGE_BYTES);
  }

  /** How many messages of a batch a task is about to take, and has not counted; 0 afterwards. */
  noteTaking(of: number, count: number): void {
    this.set(LIVES + of * life.WORDS + life.TAKING, count);
  }

  mark({ stream: of, number }: Message): void {
    Atomics.add(this.#marks, of * STREAM_MESSAGES + number, 1);
  }

  /** After all tasks are gone and all messages taken: those that were acknowledged and are nowhere, and those that came twice. */
  audit(lives: number): { lost: number; twice: number; inDoubt: number; inHand: number } {
    const inHands = new Set<number>();
    let mayBeTaken = 0;
    for (let of = 0; of < lives; of++) {
      mayBeTaken += this.get(LIVES + of * life.WORDS + life.TAKING);
      for (const source of SOURCES) {
        const message = decode(this.slotOf(of, source));
        if (message) inHands.add(message.stream * STREAM_MESSAGES + message.number);
      }
    }
    const found = { lost: 0, twice: 0, inDoubt: 0, inHand: 0 };
    for (let of = 0; of < Math.min(this.get(total.STREAMS), STREAMS_MAX); of++) {
      const [attempted, acknowledged] = [stream.ATTEMPTED, stream.ACKNOWLEDGED].map((name) =>
        this.get(STREAMS + of * stream.WORDS + name),
      ) as [number, number];
      const source = this.get(STREAMS + of * stream.WORDS + stream.SOURCE);
      for (let number = 0; number < STREAM_MESSAGES; number++) {
        const index = of * STREAM_MESSAGES + number;
        const times = this.#marks[index] as number;
        if (times > 1 || (times > 0 && number >= attempted)) found.twice++;
        if (times > 0) continue;
        if (number < acknowledged) {
          const isInHand = inHands.has(index) || (source === BATCH && mayBeTaken-- > 0);
          isInHand ? found.inHand++ : found.lost++;
        }
        if (number >= acknowledged && number < attempted) found.inDoubt++;
      }
    }
    return found;
  }

  [Symbol.dispose](): void {
    this.#kernel.close();
  }
}

/** CLOCK_MONOTONIC, the same for all processes; never 0. */
export const nowMs = (): number => (Number(process.hrtime.bigint() / 1_000_000n) & 0x3fffffff) | 1;

const SEED = 0x9e3779b1;

const checksum = (of: number, number: number): number =>
  Math.imul(Math.imul(of + 1, SEED) ^ (number + 1), 0x85ebca6b) | 1;

export function encode(target: Uint8Array, { stream: of, number }: Message): void {
  const view = new DataView(target.buffer, target.byteOffset, MESSAGE_BYTES);
  for (let at = 12; at < MESSAGE_BYTES; at += 4) view.setInt32(at, number, true);
  [of, number, checksum(of, number)].forEach((value, i) => {
    view.setInt32(4 * i, value, true);
  });
}

/** The message in some bytes; undefined where it is not whole, or there is none. */
export function decode(bytes: Uint8Array): Message | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, MESSAGE_BYTES);
  const [of, number, sum] = [0, 4, 8].map((at) => view.getInt32(at, true)) as [number, number, number];
  for (let at = 12; at < MESSAGE_BYTES; at += 4) if (view.getInt32(at, true) !== number) return undefined;
  const isOne = of >= 0 && of < STREAMS_MAX && number >= 0 && number < STREAM_MESSAGES && sum === checksum(of, number);
  return isOne ? { stream: of, number } : undefined;
}
