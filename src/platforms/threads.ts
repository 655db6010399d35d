// The world of worker threads: a SharedArrayBuffer, Atomics.wait and Atomics.waitAsync. Needs nothing but Node.

import { EINVAL, ENOMEM } from "../abi/errno.ts";
import type { KernelLimits } from "../abi/limits.ts";
import { allocateMemory, isMemory, MEMORY_PAGE_BYTES, type SharedMemory } from "../memory/machine-code.ts";
import { wordsOf } from "../memory/machine-words.ts";
import {
  formatRegion,
  isRefusal,
  LEAST_REGION_BYTES,
  type Refusal,
  type Region,
  readGeometry,
} from "../memory/region.ts";
import type { Word, Words } from "../memory/words.ts";
import type { Doorbell, Parker, World } from "../sync/world.ts";
import { hostFacts } from "./host.ts";
import { noOrigin } from "./linux-identity.ts";

/** A region that threads share, and what another thread attaches to it with. */
export interface SharedRegion {
  readonly buffer: SharedArrayBuffer;
  /** What the buffer is the whole of, for WebAssembly's atomics; absent where the engine has none. */
  readonly memory?: SharedMemory;
}

export function createSharedRegion(limits: KernelLimits): { shared: SharedRegion; region: Region } | Refusal {
  const shared = allocateShared(limits.regionBytes);
  if (!shared) return { errno: ENOMEM, reason: `no memory for a region of ${limits.regionBytes} bytes` };
  const words = wordsOf(shared.buffer, shared.memory);
  return { shared, region: formatRegion(words, limits, noOrigin, limits.regionBytes) };
}

function allocateShared(bytes: number): SharedRegion | undefined {
  const memory = bytes % MEMORY_PAGE_BYTES === 0 ? allocateMemory(bytes) : undefined;
  if (memory) return { buffer: memory.buffer, memory };
  try {
    return { buffer: new SharedArrayBuffer(bytes) };
  } catch {
    return undefined;
  }
}

export function attachSharedRegion({ buffer, memory }: SharedRegion): Region | Refusal {
  if (buffer.byteLength < LEAST_REGION_BYTES || buffer.byteLength % 64 !== 0) {
    return { errno: EINVAL, reason: "it is not a FangaOS region (a SharedArrayBuffer of another size)" };
  }
  const words = wordsOf(
    buffer,
    isMemory(memory) && memory.buffer.byteLength === buffer.byteLength ? memory : undefined,
  );
  const geometry = readGeometry(words, buffer.byteLength, noOrigin);
  return isRefusal(geometry) ? geometry : { words, geometry, reserve: () => 0 };
}

export function threadWorld(words: Words): World {
  return { ...hostFacts(), parker: new AtomicsParker(words), doorbell: new WaitAsyncDoorbell(words) };
}

class AtomicsParker implements Parker {
  readonly #int32: Int32Array;

  constructor(words: Words) {
    this.#int32 = words.int32;
  }

  park(word: Word, expected: number, milliseconds: number): void {
    Atomics.wait(this.#int32, word, expected, milliseconds);
  }

  unpark(word: Word, count: number): void {
    Atomics.notify(this.#int32, word, count);
  }
}

/** Waits on the bell's word itself. One such wait is under way at most; it cannot be taken back, only woken. */
class WaitAsyncDoorbell implements Doorbell {
  readonly #int32: Int32Array;
  #bell: Word | undefined;
  #onRing: () => void = () => {};
  #listening = false;
  #closed = false;

  constructor(words: Words) {
    this.#int32 = words.int32;
  }

  install(bell: Word, _descriptor: Word, _inode: Word, onRing: () => void): void {
    this.#bell = bell;
    this.#onRing = onRing;
  }

  listen(armed: number): void {
    if (this.#listening || this.#bell === undefined) return;
    const wait = Atomics.waitAsync(this.#int32, this.#bell, armed);
    if (!wait.async) {
      queueMicrotask(this.#onRing); // rung already
      return;
    }
    this.#listening = true;
    wait.value.then(() => {
      this.#listening = false;
      if (!this.#closed) this.#onRing();
    });
  }

  ring(bell: Word): void {
    Atomics.notify(this.#int32, bell, 1);
  }

  close(): void {
    this.#closed = true;
    if (this.#listening && this.#bell !== undefined) Atomics.notify(this.#int32, this.#bell, 1);
  }
}
