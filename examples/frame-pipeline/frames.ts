// Frames in shared memory: a ring of slots, each with the picture as it came and as it goes. Nobody copies a picture: a task writes
// where the next one reads, and what goes through the queues is a slot's number, one byte.
//
//   words:    the slots' states (common/slots.ts) · the frames' numbers
//   pictures: for each slot the raw one, then the filtered one
//
// The filter leaves the raw picture as it is: one that was killed in the middle of a frame has spoilt nothing, and another one can
// begin it again.

import type { Kernel, SharedMemory } from "../../src/index.ts";
import { Slots } from "../common/slots.ts";

export const WIDTH = 320;
export const HEIGHT = 180;
/** Pictures that exist at one time. */
export const SLOTS = 6;
const PIXELS = WIDTH * HEIGHT;
export const PICTURE_BYTES = PIXELS * 4;
const WORDS_BYTES = 64;
const NAME = "frames";

export class Frames {
  readonly slots: Slots;
  readonly #numbers: Int32Array;
  readonly #raw: Uint32Array[] = [];
  readonly #filtered: Uint32Array[] = [];

  private constructor(segment: SharedMemory) {
    this.slots = new Slots(segment.view(Int32Array, 0, SLOTS));
    this.#numbers = segment.view(Int32Array, SLOTS * 4, SLOTS);
    for (let slot = 0; slot < SLOTS; slot++) {
      const at = WORDS_BYTES + slot * 2 * PICTURE_BYTES;
      this.#raw.push(segment.view(Uint32Array, at, PIXELS));
      this.#filtered.push(segment.view(Uint32Array, at + PICTURE_BYTES, PIXELS));
    }
  }

  static make(kernel: Kernel): Frames {
    const bytes = WORDS_BYTES + SLOTS * 2 * PICTURE_BYTES;
    return new Frames(kernel.sharedMemory({ name: NAME, create: true, exclusive: true, bytes }));
  }

  static open(kernel: Kernel): Frames {
    return new Frames(kernel.sharedMemory({ name: NAME }));
  }

  /** Frames go round the ring: the one that is `SLOTS` later takes the same slot. */
  static slotOf(frame: number): number {
    return frame % SLOTS;
  }

  frameIn(slot: number): number {
    return this.#numbers[slot];
  }

  /** The source: a picture into its slot, which is free. */
  record(frame: number): void {
    const slot = Frames.slotOf(frame);
    const picture = this.#raw[slot];
    for (let pixel = 0; pixel < PIXELS; pixel++) picture[pixel] = pixelOf(frame, pixel);
    this.#numbers[slot] = frame;
    this.slots.offer(slot);
  }

  /** The filter: each pixel with its neighbours. */
  filter(slot: number): void {
    const from = this.#raw[slot];
    const to = this.#filtered[slot];
    for (let pixel = 0; pixel < PIXELS; pixel++) to[pixel] = filteredAt(pixel, (at) => from[at]);
  }

  /** The sink: whether the pixels are what they must be, those of a sample. */
  isRight(slot: number): boolean {
    const frame = this.#numbers[slot];
    const picture = this.#filtered[slot];
    for (let pixel = 0; pixel < PIXELS; pixel += SAMPLED_EVERY) {
      if (picture[pixel] !== filteredAt(pixel, (at) => pixelOf(frame, at))) return false;
    }
    return true;
  }
}

const SAMPLED_EVERY = 97;
const NEIGHBOURS = [-WIDTH - 1, -WIDTH, -WIDTH + 1, -1, 0, 1, WIDTH - 1, WIDTH, WIDTH + 1];

/** The picture's edges are joined. */
function filteredAt(pixel: number, valueAt: (pixel: number) => number): number {
  let sum = 0;
  for (const neighbour of NEIGHBOURS) sum += valueAt((pixel + neighbour + PIXELS) % PIXELS);
  return sum >>> 0;
}

/** Different for each pixel of each frame. */
const pixelOf = (frame: number, pixel: number): number => Math.imul(frame * PIXELS + pixel + 1, 0x9e3779b1) >>> 0;
