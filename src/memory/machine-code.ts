// Accesses to shared memory as machine instructions. V8 calls a builtin for each operation of Atomics (about 10 ns); a function of
// WebAssembly that does one is called without leaving compiled code (about 3 ns), and one that does several costs hardly more. Such a
// function reaches one memory, which it is bound to: so a region that is to be fast lies in a WebAssembly.Memory, and has its own
// functions.

import { queueFunctions } from "./machine-queue-steps.ts";
import type { QueueSteps, StagedSteps } from "./queue-steps.ts";
import {
  atomicCompareExchange,
  atomicExchange,
  atomicExchanged64,
  atomicLoad,
  atomicStore,
  defined,
  joined,
  MEMORY_IMPORT,
  moduleOf,
  number,
  returned,
  set,
  shiftLeft,
  type WasmFunction,
  when,
} from "./wasm-module.ts";
import { WORD_BYTES } from "./words.ts";

/** A WebAssembly.Memory that threads share. */
export interface SharedMemory {
  readonly buffer: SharedArrayBuffer;
}

/** What 32-bit atomics do to the word of an index; as those of Atomics. */
export interface MachineAtomics {
  load(word: number): number;
  store(word: number, value: number): void;
  exchange(word: number, value: number): number;
  compareExchange(word: number, expected: number, value: number): number;
  /** Words.moveAndUnlock in one access of 64 bits, where nobody else wants the lock: 1; else 0. */
  moveAndUnlock(lock: number, pid: number, before: number, after: number): number;
  /** Words.compareExchangePair in one access: 1 where the words were as expected; else 0. */
  compareExchangePair(word: number, low: number, high: number, newLow: number, newHigh: number): number;
}

/** Of the global WebAssembly, as far as it is used here. */
interface WebAssemblyApi {
  readonly Memory: new (descriptor: { initial: number; maximum: number; shared: boolean }) => SharedMemory;
  readonly Module: new (binary: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
}

const engine = (globalThis as { readonly WebAssembly?: WebAssemblyApi }).WebAssembly;

/** A memory is whole pages of this many bytes. */
export const MEMORY_PAGE_BYTES = 65536;
const PAGES_MAX = 65536;

/** A memory of that many bytes or somewhat more, all zero; undefined where the engine has none to give. */
export function allocateMemory(bytes: number): SharedMemory | undefined {
  const pages = Math.ceil(bytes / MEMORY_PAGE_BYTES);
  if (!engine || pages > PAGES_MAX) return undefined;
  try {
    return new engine.Memory({ initial: pages, maximum: pages, shared: true });
  } catch {
    return undefined; // not enough address space
  }
}

export const isMemory = (value: unknown): value is SharedMemory =>
  engine !== undefined && value instanceof engine.Memory;

const accesses: readonly WasmFunction[] = [
  defined("load", { parameters: ["word"], results: 1 }, ({ word }) => [atomicLoad(0, shiftLeft(word, 2))]),
  defined("store", { parameters: ["word", "value"], results: 0 }, ({ word, value }) => [
    atomicStore(0, shiftLeft(word, 2), value),
  ]),
  defined("exchange", { parameters: ["word", "value"], results: 1 }, ({ word, value }) => [
    atomicExchange(0, shiftLeft(word, 2), value),
  ]),
  defined("compareExchange", { parameters: ["word", "expected", "value"], results: 1 }, ({ word, expected, value }) => [
    atomicCompareExchange(0, shiftLeft(word, 2), expected, value),
  ]),
  defined("moveAndUnlock", { parameters: ["lock", "pid", "before", "after"], results: 1 }, (variables) => {
    const { lock, pid, before, after } = variables;
    return [
      set(lock, shiftLeft(lock, 2)),
      when(atomicExchanged64(0, lock, joined(pid, before), joined(number(0), after)), returned(number(1))),
      atomicStore(WORD_BYTES, lock, after),
      number(0),
    ];
  }),
  defined(
    "compareExchangePair",
    { parameters: ["word", "low", "high", "newLow", "newHigh"], results: 1 },
    (variables) => {
      const { word, low, high, newLow, newHigh } = variables;
      return [atomicExchanged64(0, shiftLeft(word, 2), joined(low, high), joined(newLow, newHigh))];
    },
  ),
];

/** What reaches a memory in compiled code. */
export interface MachineCode {
  readonly atomics: MachineAtomics;
  readonly queueSteps: QueueSteps & StagedSteps;
}

/** The module that all of them are in. */
export const machineModule = (): Uint8Array => moduleOf([...accesses, ...queueFunctions]);

let compiled: object | undefined;

/** The functions that reach a memory; undefined where the engine has no WebAssembly. */
export function machineCodeOf(memory: SharedMemory): MachineCode | undefined {
  if (!engine) return undefined;
  compiled ??= new engine.Module(machineModule());
  const [space, name] = MEMORY_IMPORT;
  const { exports } = new engine.Instance(compiled, { [space]: { [name]: memory } });
  return { atomics: exports as MachineAtomics, queueSteps: exports as QueueSteps & StagedSteps };
}
