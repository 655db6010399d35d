// Bytes that a caller uses again and again, seen as lanes of 64 bits: copying short ones lane by lane takes a third of the time of
// TypedArray.prototype.set, which is a call whatever the length (measured: 64 bytes in and out 5 to 10 ns, by `set` 34).

/** Longer ones are copied as fast by `set`. */
export const LANES_BYTES_MAX = 128;
/** Shorter ones are as fast byte by byte. */
const LANES_BYTES_MIN = 25;
export const LANE_BYTES = 8;
/** What is remembered keeps its buffer alive: not a large one, where it is known. */
const BUFFER_BYTES_MAX = 65_536;

const none: BigInt64Array = new BigInt64Array(0);
/** What is remembered where nothing is: nobody else has it. */
const nothing: Uint8Array = new Uint8Array(0);

/**
 * Remembers the bytes that it was asked about last, and the lanes of those that it was asked about twice in a row. Of bytes that are used
 * once, which is what most are, it notes nothing but which they were: to ask for the buffer of a short array makes the engine make one.
 */
export class Lanes {
  #bytes: Uint8Array = nothing;
  #lanes = none;

  /** Whether it remembers these: then they are a Uint8Array, whatever the caller's types say. */
  knows(bytes: Uint8Array): boolean {
    return bytes === this.#bytes;
  }

  /** The whole lanes of these bytes; undefined where it is better to do without. */
  of(bytes: Uint8Array): BigInt64Array | undefined {
    if (bytes !== this.#bytes) return this.#remember(bytes);
    const lanes = this.#lanes;
    // Their buffer may have been transferred since, or resized.
    return lanes.length > 0 && lanes.length === bytes.length >>> 3 ? lanes : this.#look(bytes);
  }

  #remember(bytes: Uint8Array): undefined {
    const { length } = bytes;
    this.#bytes = length >= LANES_BYTES_MIN && length <= LANES_BYTES_MAX ? bytes : nothing;
    this.#lanes = none;
  }

  #look(bytes: Uint8Array): BigInt64Array | undefined {
    this.#remember(bytes);
    if (this.#bytes === nothing) return undefined;
    const { buffer, byteOffset, length } = bytes;
    if (byteOffset % LANE_BYTES === 0 && buffer.byteLength <= BUFFER_BYTES_MAX) {
      this.#lanes = new BigInt64Array(buffer, byteOffset, Math.floor(length / LANE_BYTES));
      return this.#lanes;
    }
    this.#bytes = nothing;
    return undefined;
  }
}

const UNROLLED = 8;

/** Copies `count` lanes. Engines check each access, but do nothing else for one that they know will be a lane again. */
export function copyLanes(to: BigInt64Array, toAt: number, from: BigInt64Array, fromAt: number, count: number): void {
  let i = 0;
  for (; i + UNROLLED <= count; i += UNROLLED) {
    const source = fromAt + i;
    const target = toAt + i;
    to[target] = from[source] as bigint;
    to[target + 1] = from[source + 1] as bigint;
    to[target + 2] = from[source + 2] as bigint;
    to[target + 3] = from[source + 3] as bigint;
    to[target + 4] = from[source + 4] as bigint;
    to[target + 5] = from[source + 5] as bigint;
    to[target + 6] = from[source + 6] as bigint;
    to[target + 7] = from[source + 7] as bigint;
  }
  for (; i < count; i++) to[toAt + i] = from[fromAt + i] as bigint;
}
