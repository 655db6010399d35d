// A region's memory for tests that need no second task: a plain buffer, and words that stop a task after its n-th write.

import { type KernelLimits, limitDefaults } from "../src/abi/limits.ts";
import { formatRegion, type Region } from "../src/memory/region.ts";
import { type Word, Words } from "../src/memory/words.ts";
import type { HostStreams } from "../src/sync/world.ts";

export const smallLimits: KernelLimits = {
  ...limitDefaults,
  regionBytes: 256 * 1024,
  tasksMax: 4,
  objectsMax: 16,
  descriptorsMax: 16,
  descriptionsMax: 32,
  waitersMax: 16,
};

/** A host whose standard input has ended, and whose output nobody sees. */
export const silentStreams: HostStreams = {
  read: () => 0,
  write: (_stream, source) => source.length,
  ready: () => 0,
};

/** Thrown at the write that a task does not live to make. */
export class Death extends Error {}

/** Runs something until it ends or its task dies; returns whether it died. */
export function dies(run: () => void): boolean {
  try {
    run();
    return false;
  } catch (error) {
    if (error instanceof Death) return true;
    throw error;
  }
}

/** Words of a task that dies: its writes count down, and after the last one it can do nothing any more. */
export class MortalWords extends Words {
  writesLeft = Number.POSITIVE_INFINITY;
  writes = 0;

  #write(): void {
    if (this.writesLeft <= 0) throw new Death();
    this.writesLeft--;
    this.writes++;
  }

  override store(word: Word, value: number): void {
    this.#write();
    super.store(word, value);
  }

  override exchange(word: Word, value: number): number {
    this.#write();
    return super.exchange(word, value);
  }

  override compareExchange(word: Word, expected: number, value: number): number {
    this.#write();
    return super.compareExchange(word, expected, value);
  }

  override set(word: Word, value: number): void {
    this.#write();
    super.set(word, value);
  }

  override setSix(word: Word, ...values: [number, number, number, number, number, number]): void {
    values.forEach((value, i) => {
      this.set((word + i) as Word, value);
    });
  }

  override store64(word: Word, value: bigint): void {
    this.#write();
    super.store64(word, value);
  }

  override compareExchange64(word: Word, expected: bigint, value: bigint): bigint {
    this.#write();
    return super.compareExchange64(word, expected, value);
  }

  override copyIn(...args: Parameters<Words["copyIn"]>): void {
    this.#write();
    super.copyIn(...args);
  }

  override copyAllIn(...args: Parameters<Words["copyAllIn"]>): void {
    this.#write();
    super.copyAllIn(...args);
  }

  override zero(...args: Parameters<Words["zero"]>): void {
    this.#write();
    super.zero(...args);
  }
}

export function formattedBuffer(limits: KernelLimits = smallLimits): { buffer: SharedArrayBuffer; region: Region } {
  const buffer = new SharedArrayBuffer(limits.regionBytes);
  const origin = { bootId: [0, 0, 0, 0], pidNamespace: 0 };
  return { buffer, region: formatRegion(new Words(buffer), limits, origin, limits.regionBytes) };
}
