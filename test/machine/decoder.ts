// Reads a WebAssembly module as memory/wasm-module.ts writes them, back into functions: the sections that it has, and the instructions
// that it uses. What it does not know it refuses. Source: the WebAssembly core specification, 5, and its threads proposal.

export interface Instruction {
  /** The opcode; of those with a prefix, the prefix in the upper byte. */
  readonly code: number;
  /** A constant, the index of a local, or the offset of an access. */
  readonly operand: number | bigint;
  /** Where it goes on, where that is not behind it. */
  jump: number;
}

export interface MachineFunction {
  readonly name: string;
  readonly parameters: number;
  /** Besides the parameters. */
  readonly locals: number;
  readonly hasResult: boolean;
  readonly instructions: readonly Instruction[];
}

export const codes = {
  LOOP: 0x03,
  IF: 0x04,
  ELSE: 0x05,
  END: 0x0b,
  BRANCH_IF: 0x0d,
  RETURN: 0x0f,
  DROP: 0x1a,
  LOCAL_GET: 0x20,
  LOCAL_SET: 0x21,
  LOAD: 0x28,
  LOAD_64: 0x29,
  STORE: 0x36,
  STORE_64: 0x37,
  CONSTANT: 0x41,
  CONSTANT_64: 0x42,
  EQUAL: 0x46,
  DIFFER: 0x47,
  LESS: 0x48,
  ABOVE: 0x4b,
  AT_LEAST: 0x4e,
  EQUAL_64: 0x51,
  ADD: 0x6a,
  SUBTRACT: 0x6b,
  MULTIPLY: 0x6c,
  AND: 0x71,
  OR: 0x72,
  SHIFT_LEFT: 0x74,
  OR_64: 0x84,
  SHIFT_LEFT_64: 0x86,
  EXTEND: 0xad,
  ATOMIC_LOAD: 0xfe10,
  ATOMIC_STORE: 0xfe17,
  ATOMIC_EXCHANGE: 0xfe41,
  ATOMIC_COMPARE_EXCHANGE: 0xfe48,
  ATOMIC_COMPARE_EXCHANGE_64: 0xfe49,
} as const;

const NOTHING = 0x40;
const sections = { TYPES: 1, FUNCTIONS: 3, EXPORTS: 7, CODES: 10 } as const;
const HEADER_BYTES = 8;

/** The bytes of what an access reaches, as a power of two. */
const alignments: Record<number, number> = {
  [codes.LOAD]: 2,
  [codes.LOAD_64]: 3,
  [codes.STORE]: 2,
  [codes.STORE_64]: 3,
  [codes.ATOMIC_LOAD]: 2,
  [codes.ATOMIC_STORE]: 2,
  [codes.ATOMIC_EXCHANGE]: 2,
  [codes.ATOMIC_COMPARE_EXCHANGE]: 2,
  [codes.ATOMIC_COMPARE_EXCHANGE_64]: 3,
};

class Reader {
  readonly #bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.at >= this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.at++];
    if (byte === undefined) throw new Error("the module ends too early");
    return byte;
  }

  /** LEB128. */
  unsigned(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  }

  signed(): bigint {
    let value = 0n;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << BigInt(shift);
      if (byte < 0x80) return BigInt.asIntN(shift + 7, value);
    }
  }

  bytes(): Uint8Array {
    const length = this.unsigned();
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }

  vector<T>(item: () => T): T[] {
    return Array.from({ length: this.unsigned() }, item);
  }
}

/** The functions of a module, by the names that it exports them by. */
export function functionsOf(module: Uint8Array): Map<string, MachineFunction> {
  const parts = sectionsOf(module);
  const part = (id: number): Reader => parts.get(id) ?? new Reader(new Uint8Array([0]));
  const types = readTypes(part(sections.TYPES));
  const signatures = readIndices(part(sections.FUNCTIONS));
  const bodies = readBodies(part(sections.CODES));
  return new Map(
    readExports(part(sections.EXPORTS)).map(([name, index]) => {
      const type = types[signatures[index] as number];
      const body = bodies[index];
      if (!type || !body) throw new Error(`${name} has no body`);
      return [name, { name, ...type, ...body }];
    }),
  );
}

function sectionsOf(module: Uint8Array): Map<number, Reader> {
  const reader = new Reader(module);
  reader.at = HEADER_BYTES;
  const found = new Map<number, Reader>();
  while (!reader.isAtEnd) found.set(reader.byte(), new Reader(reader.bytes()));
  return found;
}

const readTypes = (reader: Reader): Pick<MachineFunction, "parameters" | "hasResult">[] =>
  reader.vector(() => {
    reader.byte(); // that it is of a function
    return { parameters: reader.bytes().length, hasResult: reader.bytes().length > 0 };
  });

const readIndices = (reader: Reader): number[] => reader.vector(() => reader.unsigned());

const readExports = (reader: Reader): [string, number][] =>
  reader.vector(() => {
    const name = new TextDecoder().decode(reader.bytes());
    reader.byte(); // that it is a function
    return [name, reader.unsigned()];
  });

const readBodies = (reader: Reader): Pick<MachineFunction, "locals" | "instructions">[] =>
  reader.vector(() => {
    const body = new Reader(reader.bytes());
    const locals = body.vector(() => {
      const count = body.unsigned();
      body.byte(); // of what type
      return count;
    });
    return { locals: locals.reduce((sum, count) => sum + count, 0), instructions: instructionsOf(body) };
  });

function instructionsOf(reader: Reader): Instruction[] {
  const found: Instruction[] = [];
  const open: Instruction[] = [];
  while (!reader.isAtEnd) {
    const instruction = decoded(reader, open);
    found.push(instruction);
    if (instruction.code === codes.LOOP || instruction.code === codes.IF) open.push(instruction);
    if (instruction.code === codes.LOOP) instruction.jump = found.length;
    if (instruction.code === codes.ELSE) {
      leadTo(open.pop(), found.length);
      open.push(instruction);
    }
    if (instruction.code === codes.END && open.length > 0) leadTo(open.pop(), found.length);
  }
  return found;
}

/** What is skipped ends here; a loop begins where it begins. */
function leadTo(beginning: Instruction | undefined, at: number): void {
  if (beginning && beginning.code !== codes.LOOP) beginning.jump = at;
}

function decoded(reader: Reader, open: readonly Instruction[]): Instruction {
  const first = reader.byte();
  const code = first === 0xfe ? (first << 8) | reader.byte() : first;
  const alignment = alignments[code];
  if (alignment !== undefined) {
    if (reader.unsigned() !== alignment) throw new Error(`access ${code.toString(16)} is not aligned`);
    return { code, operand: reader.unsigned(), jump: -1 };
  }
  switch (code) {
    case codes.LOCAL_GET:
    case codes.LOCAL_SET:
      return { code, operand: reader.unsigned(), jump: -1 };
    case codes.CONSTANT:
      return { code, operand: Number(reader.signed()), jump: -1 };
    case codes.CONSTANT_64:
      return { code, operand: reader.signed(), jump: -1 };
    case codes.LOOP:
    case codes.IF:
      if (reader.byte() !== NOTHING) throw new Error("a block has a result");
      return { code, operand: 0, jump: -1 };
    case codes.BRANCH_IF: {
      const loop = open.at(-1);
      if (reader.unsigned() !== 0 || loop?.code !== codes.LOOP)
        throw new Error("a branch leads to no loop's beginning");
      return { code, operand: 0, jump: loop.jump };
    }
    default:
      if (!known.has(code)) throw new Error(`no instruction ${code.toString(16)} is known`);
      return { code, operand: 0, jump: -1 };
  }
}

const known: ReadonlySet<number> = new Set(Object.values(codes));
