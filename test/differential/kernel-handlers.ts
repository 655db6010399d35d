// The handlers as our kernel calls them, and their log.

import { signals } from "../../src/abi/signals.ts";
import type { Kernel, SignalName } from "../../src/index.ts";
import { ENTRIES_MAX, ENTRY_BYTES, entry, WITH_INFO, WITHOUT_INFO } from "./handlers.ts";

interface Told {
  readonly signal: number;
  readonly code: number;
  readonly pid: number;
  readonly value: bigint;
}

export class KernelHandlers {
  readonly #kernel: Kernel;
  readonly #log = new DataView(new ArrayBuffer(ENTRIES_MAX * ENTRY_BYTES));
  #count = 0;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    kernel.handlers.set(BigInt(WITH_INFO), (info) => this.#write(info));
    kernel.handlers.set(BigInt(WITHOUT_INFO), ({ signal }) => this.#write({ signal, code: 0, pid: 0, value: 0n }));
  }

  /** Lets handlers run that are due: they do at the return of any call. */
  deliver(): number {
    this.#kernel.sys.getpid();
    return 0;
  }

  /** Moves the log out; returns how many entries it had. */
  takeLog(target: Uint8Array): number {
    this.deliver();
    const bytes = new Uint8Array(this.#log.buffer, 0, Math.min(this.#count, ENTRIES_MAX) * ENTRY_BYTES);
    const count = this.#count;
    target.set(bytes);
    bytes.fill(0);
    this.#count = 0;
    return count;
  }

  #write({ signal, code, pid, value }: Told): void {
    const at = this.#count++ * ENTRY_BYTES;
    if (at >= this.#log.byteLength) return;
    this.#log.setInt32(at + entry.SIGNAL, signal, true);
    this.#log.setInt32(at + entry.CODE, code, true);
    this.#log.setBigUint64(at + entry.VALUE, value, true);
    this.#log.setInt32(at + entry.PID, pid, true);
    this.#log.setBigUint64(at + entry.MASK, maskOf(this.#kernel.signals.blocked), true);
  }
}

const numberOf = (name: string): number =>
  signals[name as SignalName]?.number ?? 32 + Number(name.replace(/^SIGRTMIN\+?/, "") || 0);

const maskOf = (names: readonly string[]): bigint =>
  names.reduce((mask, name) => mask | (1n << BigInt(numberOf(name) - 1)), 0n);
