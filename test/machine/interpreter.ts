// Runs machine code instruction by instruction, and makes each of its accesses by Words: so words that count, stop or schedule the
// accesses of a task see those of its compiled functions, too. A lane of 64 bits is two accesses, as of two halves: others may come in
// between, and so may a death.

import { WORD_BYTES, type Word, type Words } from "../../src/memory/words.ts";
import { codes, type Instruction, type MachineFunction } from "./decoder.ts";

/** Words that are the task's own, from the first to before the last: what it does there is nobody else's, and no access that counts. */
export interface Own {
  readonly first: number;
  readonly end: number;
}

type Value = number | bigint;

const LANE_BITS = 64;
const HALF_BITS = 32n;

const binary: Record<number, (a: number, b: number) => number> = {
  [codes.ADD]: (a, b) => (a + b) | 0,
  [codes.SUBTRACT]: (a, b) => (a - b) | 0,
  [codes.MULTIPLY]: Math.imul,
  [codes.AND]: (a, b) => a & b,
  [codes.OR]: (a, b) => a | b,
  [codes.SHIFT_LEFT]: (a, b) => a << b,
  [codes.EQUAL]: (a, b) => +(a === b),
  [codes.DIFFER]: (a, b) => +(a !== b),
  [codes.LESS]: (a, b) => +(a < b),
  [codes.AT_LEAST]: (a, b) => +(a >= b),
  [codes.ABOVE]: (a, b) => +(a >>> 0 > b >>> 0),
};

const binary64: Record<number, (a: bigint, b: bigint) => Value> = {
  [codes.OR_64]: (a, b) => a | b,
  [codes.SHIFT_LEFT_64]: (a, b) => BigInt.asIntN(LANE_BITS, a << b),
  [codes.EQUAL_64]: (a, b) => +(a === b),
};

/** Calls a function as the engine would: its result, or 0. */
export function interpreted(words: Words, called: MachineFunction, given: readonly number[], own?: Own): number {
  return new Frame(words, called, given, own).run();
}

class Frame {
  readonly #words: Words;
  readonly #function: MachineFunction;
  readonly #own: Own;
  readonly #locals: Value[];
  readonly #stack: Value[] = [];

  constructor(words: Words, called: MachineFunction, given: readonly number[], own: Own = { first: 0, end: 0 }) {
    if (given.length !== called.parameters) throw new Error(`${called.name} has ${called.parameters} parameters`);
    this.#words = words;
    this.#function = called;
    this.#own = own;
    this.#locals = [...given.map((value) => value | 0), ...new Array<number>(called.locals).fill(0)];
  }

  run(): number {
    const { instructions, hasResult } = this.#function;
    for (let at = 0; at < instructions.length; ) {
      const instruction = instructions[at] as Instruction;
      if (instruction.code === codes.RETURN) break;
      at = this.#isJump(instruction) ? instruction.jump : at + 1;
    }
    return hasResult ? this.#number() : 0;
  }

  /** Runs an instruction; whether it goes on somewhere else than behind it. */
  #isJump(instruction: Instruction): boolean {
    switch (instruction.code) {
      case codes.IF:
        return this.#number() === 0;
      case codes.ELSE:
        return true; // what comes before it has run
      case codes.BRANCH_IF:
        return this.#number() !== 0;
      case codes.LOOP:
      case codes.END:
        return false;
      default:
        this.#compute(instruction);
        return false;
    }
  }

  #compute(instruction: Instruction): void {
    const { code, operand } = instruction;
    const of = binary[code];
    const of64 = binary64[code];
    if (of) {
      const b = this.#number();
      this.#stack.push(of(this.#number(), b));
    } else if (of64) {
      const b = this.#lane();
      this.#stack.push(of64(this.#lane(), b));
    } else if (code === codes.LOCAL_GET) this.#stack.push(this.#locals[operand as number] as Value);
    else if (code === codes.LOCAL_SET) this.#locals[operand as number] = this.#pop();
    else if (code === codes.CONSTANT || code === codes.CONSTANT_64) this.#stack.push(operand);
    else if (code === codes.EXTEND) this.#stack.push(BigInt(this.#number() >>> 0));
    else if (code === codes.DROP) this.#pop();
    else this.#access(code, operand as number);
  }

  #access(code: number, offset: number): void {
    if (code === codes.STORE || code === codes.ATOMIC_STORE) {
      const value = this.#number();
      const word = this.#wordAt(offset);
      if (code === codes.STORE) this.#set(word, value);
      else this.#words.store(word, value);
    } else if (code === codes.STORE_64) {
      const lane = this.#lane();
      this.#setLane(this.#wordAt(offset, 2), lane);
    } else this.#stack.push(this.#read(code, offset));
  }

  /** What an access gives. */
  #read(code: number, offset: number): Value {
    const words = this.#words;
    switch (code) {
      case codes.LOAD:
        return this.#get(this.#wordAt(offset));
      case codes.LOAD_64:
        return this.#getLane(this.#wordAt(offset, 2));
      case codes.ATOMIC_LOAD:
        return words.load(this.#wordAt(offset));
      case codes.ATOMIC_EXCHANGE: {
        const value = this.#number();
        return words.exchange(this.#wordAt(offset), value);
      }
      case codes.ATOMIC_COMPARE_EXCHANGE: {
        const value = this.#number();
        const expected = this.#number();
        return words.compareExchange(this.#wordAt(offset), expected, value);
      }
      default: {
        const lane = this.#lane();
        const expected = this.#lane();
        return words.compareExchange64(this.#wordAt(offset, 2), expected, lane);
      }
    }
  }

  #get(word: Word): number {
    return this.#isOwn(word) ? (this.#words.int32[word] as number) : this.#words.get(word);
  }

  #set(word: Word, value: number): void {
    if (this.#isOwn(word)) this.#words.int32[word] = value;
    else this.#words.set(word, value);
  }

  #getLane(word: Word): bigint {
    const low = BigInt.asUintN(32, BigInt(this.#get(word)));
    return BigInt.asIntN(LANE_BITS, low | (BigInt(this.#get((word + 1) as Word)) << HALF_BITS));
  }

  #setLane(word: Word, lane: bigint): void {
    this.#set(word, Number(BigInt.asIntN(32, lane)));
    this.#set((word + 1) as Word, Number(BigInt.asIntN(32, lane >> HALF_BITS)));
  }

  #isOwn(word: Word): boolean {
    return word >= this.#own.first && word < this.#own.end;
  }

  /** The word at an address on the stack, of as many as an access reaches. */
  #wordAt(offset: number, words = 1): Word {
    const address = (this.#number() >>> 0) + offset;
    if (address % (words * WORD_BYTES) !== 0) throw new RangeError("operation does not support unaligned accesses");
    const word = (address / WORD_BYTES) as Word;
    if (word + words > this.#words.int32.length) throw new RangeError("memory access out of bounds");
    return word;
  }

  #pop(): Value {
    const value = this.#stack.pop();
    if (value === undefined) throw new Error(`${this.#function.name} takes more from the stack than there is`);
    return value;
  }

  #number(): number {
    const value = this.#pop();
    if (typeof value !== "number") throw new Error(`${this.#function.name} takes a lane for a number`);
    return value;
  }

  #lane(): bigint {
    const value = this.#pop();
    if (typeof value !== "bigint") throw new Error(`${this.#function.name} takes a number for a lane`);
    return value;
  }
}
