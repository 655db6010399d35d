// Writes a WebAssembly module of functions that work on one shared memory, in the binary format of the WebAssembly core
// specification, 5, and of its threads proposal. Everything is an i32, but for the lanes that are copied; an expression is its code,
// operands first.

export type Code = readonly number[];

/** A local variable: the code that reads it. */
export type Variable = readonly [number, number];

/** An exported function. Its parameters are its first locals. */
export interface WasmFunction {
  readonly name: string;
  readonly parameters: number;
  /** Besides the parameters. */
  readonly locals: number;
  readonly results: 0 | 1;
  readonly body: Code;
}

/** A function whose parameters, and other variables, have names; `body` is given them. */
export function defined<Parameter extends string, Local extends string = never>(
  name: string,
  { parameters, locals = [], results }: Header<Parameter, Local>,
  body: (variables: Readonly<Record<Parameter | Local, Variable>>) => readonly Code[],
): WasmFunction {
  const named = [...parameters, ...locals].map((variable, i): [string, Variable] => [variable, [LOCAL_GET, i]]);
  const code = body(Object.fromEntries(named) as Record<Parameter | Local, Variable>).flat();
  return { name, parameters: parameters.length, locals: locals.length, results, body: code };
}

interface Header<Parameter, Local> {
  readonly parameters: readonly Parameter[];
  readonly locals?: readonly Local[];
  readonly results: 0 | 1;
}

/** What the module imports its memory as. */
export const MEMORY_IMPORT = ["region", "memory"] as const;

const LOCAL_GET = 0x20;
const I32 = 0x7f;
const NOTHING = 0x40;
const FUNCTION = 0x60;
const MEMORY = 2;
const SHARED_WITH_LIMITS = 3;
const EXPORTED_FUNCTION = 0;
const ATOMIC = 0xfe;
const END = 0x0b;
/** Of an access: aligned to 2^2 bytes. */
const ALIGNED = 2;
const LANE_ALIGNED = 3;
const PAGES_MAX = 65536;

export const set = ([, index]: Variable, value: Code): Code => [...value, 0x21, index];
export const number = (value: number): Code => [0x41, ...signed(value)];
export const load = (offset: number, at: Code): Code => [...at, 0x28, ALIGNED, ...unsigned(offset)];
export const store = (offset: number, at: Code, value: Code): Code => [
  ...at,
  ...value,
  0x36,
  ALIGNED,
  ...unsigned(offset),
];
/** Copies 64 bits. */
export const copyLane = (toOffset: number, to: Code, fromOffset: number, from: Code): Code => [
  ...to,
  ...from,
  ...[0x29, LANE_ALIGNED, ...unsigned(fromOffset)],
  ...[0x37, LANE_ALIGNED, ...unsigned(toOffset)],
];
export const add = (a: Code, b: Code): Code => [...a, ...b, 0x6a];
export const subtract = (a: Code, b: Code): Code => [...a, ...b, 0x6b];
export const multiply = (a: Code, b: Code): Code => [...a, ...b, 0x6c];
export const and = (a: Code, b: Code): Code => [...a, ...b, 0x71];
export const or = (a: Code, b: Code): Code => [...a, ...b, 0x72];
export const shiftLeft = (a: Code, bits: number): Code => [...a, ...number(bits), 0x74];
export const equal = (a: Code, b: Code): Code => [...a, ...b, 0x46];
export const differ = (a: Code, b: Code): Code => [...a, ...b, 0x47];
export const isLess = (a: Code, b: Code): Code => [...a, ...b, 0x48];
export const isAtLeast = (a: Code, b: Code): Code => [...a, ...b, 0x4e];
/** Of numbers without a sign. */
export const isAbove = (a: Code, b: Code): Code => [...a, ...b, 0x4b];
export const drop = (value: Code): Code => [...value, 0x1a];
export const returned = (value: Code): Code => [...value, 0x0f];
export const when = (condition: Code, ...then: readonly Code[]): Code => [
  ...condition,
  ...[0x04, NOTHING],
  ...then.flat(),
  END,
];
export const whenElse = (condition: Code, then: Code, otherwise: Code): Code => [
  ...condition,
  ...[0x04, NOTHING],
  ...then,
  0x05,
  ...otherwise,
  END,
];
/** Runs `body` again while the condition, which comes last, holds. */
export const repeatWhile = (condition: Code, ...body: readonly Code[]): Code => [
  ...[0x03, NOTHING],
  ...body.flat(),
  ...condition,
  ...[0x0d, 0],
  END,
];

const atomic = (instruction: number, offset: number): Code => [ATOMIC, instruction, ALIGNED, ...unsigned(offset)];
export const atomicLoad = (offset: number, at: Code): Code => [...at, ...atomic(0x10, offset)];
export const atomicStore = (offset: number, at: Code, value: Code): Code => [...at, ...value, ...atomic(0x17, offset)];
export const atomicExchange = (offset: number, at: Code, value: Code): Code => [
  ...at,
  ...value,
  ...atomic(0x41, offset),
];
/** 64 bits of two halves. */
export const joined = (low: Code, high: Code): Code => [...low, 0xad, ...high, 0xad, 0x42, 32, 0x86, 0x84];
/** Whether 64 bits are what they were expected to be, and then become others. */
export const atomicExchanged64 = (offset: number, at: Code, expected: Code, value: Code): Code => [
  ...[...at, ...expected, ...value],
  ...[ATOMIC, 0x49, LANE_ALIGNED, ...unsigned(offset)],
  ...[...expected, 0x51],
];
export const atomicCompareExchange = (offset: number, at: Code, expected: Code, value: Code): Code => [
  ...at,
  ...expected,
  ...value,
  ...atomic(0x48, offset),
];

/** LEB128. */
function unsigned(value: number): Code {
  const bytes: number[] = [];
  let left = value >>> 0;
  for (; left > 0x7f; left >>>= 7) bytes.push((left & 0x7f) | 0x80);
  return [...bytes, left];
}

function signed(value: number): Code {
  const bytes: number[] = [];
  let left = value | 0;
  for (; left < -0x40 || left > 0x3f; left >>= 7) bytes.push((left & 0x7f) | 0x80);
  return [...bytes, left & 0x7f];
}

const vector = (items: readonly Code[]): Code => [...unsigned(items.length), ...items.flat()];
const sized = (content: Code): Code => [...unsigned(content.length), ...content];
const text = (value: string): Code => sized([...new TextEncoder().encode(value)]);
const section = (id: number, content: Code): Code => [id, ...sized(content)];
const words = (count: number): Code => vector(new Array<Code>(count).fill([I32]));

export function moduleOf(functions: readonly WasmFunction[]): Uint8Array {
  const types = functions.map(({ parameters, results }) => [FUNCTION, ...words(parameters), ...words(results)]);
  const memory = [...MEMORY_IMPORT.flatMap(text), MEMORY, SHARED_WITH_LIMITS, 0, ...unsigned(PAGES_MAX)];
  const exported = functions.map(({ name }, i) => [...text(name), EXPORTED_FUNCTION, ...unsigned(i)]);
  const codes = functions.map(({ locals, body }) =>
    sized([...vector(locals > 0 ? [[...unsigned(locals), I32]] : []), ...body, END]),
  );
  return new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector(types)),
    ...section(2, vector([memory])),
    ...section(3, vector(functions.map((_, i) => unsigned(i)))),
    ...section(7, vector(exported)),
    ...section(10, vector(codes)),
  ]);
}
