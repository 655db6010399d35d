// Atomic accesses as machine instructions. V8 calls a builtin for each operation of Atomics (about 10 ns); a function of WebAssembly
// that does one is called without leaving compiled code (about 3 ns). Such a function reaches one memory, which it is bound to: so a
// region that is to be fast lies in a WebAssembly.Memory, and has its own functions.

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

let compiled: object | undefined;

/** The functions that reach a memory; undefined where the engine has no WebAssembly. */
export function atomicsOf(memory: SharedMemory): MachineAtomics | undefined {
  if (!engine) return undefined;
  compiled ??= new engine.Module(binary());
  return new engine.Instance(compiled, { region: { memory } }).exports as MachineAtomics;
}

// The module, in the binary format of the WebAssembly core specification, 5, and of its threads proposal.

const I32 = 0x7f;
const FUNCTION = 0x60;
const MEMORY = 2;
const SHARED_WITH_LIMITS = 3;
const EXPORTED_FUNCTION = 0;
const LOCAL_GET = 0x20;
const I32_CONST = 0x41;
const I32_SHL = 0x74;
const ATOMIC = 0xfe;
const END = 0x0b;
/** An access to four bytes, aligned to 2^2, at offset 0. */
const ALIGNED = [2, 0];

const vector = (items: readonly (readonly number[])[]): number[] => [items.length, ...items.flat()];
const name = (text: string): number[] => [text.length, ...new TextEncoder().encode(text)];
const section = (id: number, content: readonly number[]): number[] => [id, content.length, ...content];
const local = (index: number): number[] => [LOCAL_GET, index];

/** An export whose parameters are the word's index and the operands of one instruction. */
const access = (exported: string, instruction: number, operands: number, results: number) => ({
  exported: name(exported),
  type: [FUNCTION, ...vector(new Array(1 + operands).fill([I32])), ...vector(new Array(results).fill([I32]))],
  code: [
    ...[...local(0), I32_CONST, 2, I32_SHL],
    ...Array.from({ length: operands }, (_, i) => local(1 + i)).flat(),
    ...[ATOMIC, instruction, ...ALIGNED, END],
  ],
});

function binary(): Uint8Array {
  const functions = [
    access("load", 0x10, 0, 1),
    access("store", 0x17, 1, 0),
    access("exchange", 0x41, 1, 1),
    access("compareExchange", 0x48, 2, 1),
  ];
  const pagesMax = [0x80, 0x80, 0x04]; // PAGES_MAX as LEB128
  return new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector(functions.map(({ type }) => type))),
    ...section(2, vector([[...name("region"), ...name("memory"), MEMORY, SHARED_WITH_LIMITS, 0, ...pagesMax]])),
    ...section(3, vector(functions.map((_, i) => [i]))),
    ...section(7, vector(functions.map(({ exported }, i) => [...exported, EXPORTED_FUNCTION, i]))),
    ...section(10, vector(functions.map(({ code }) => [code.length + 1, 0, ...code]))),
  ]);
}
