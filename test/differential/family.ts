// A family of calls: draws plausible operations, and says how to leave nothing behind.

import type { CallName, Operand, Operation } from "./operation.ts";
import type { Random } from "./random.ts";
import type { Observation, Sequence } from "./sequence.ts";

/** One sequence's worth of drawing. */
export interface Drawing {
  /** The next operation; undefined where nothing can be drawn now. */
  draw(random: Random, sequence: Sequence): Operation | undefined;
  /** Learns what came of it. */
  observe(observation: Observation): void;
  /** Operations that give back what may be left, of which any may fail. */
  cleanUp(): Operation[];
}

export interface Family {
  readonly name: string;
  /** Whether its calls need a directory for FIFOs. */
  begin(context: Context): Drawing;
}

/** What is the same for all sequences of a run. */
export interface Context {
  readonly tasks: number;
  /** Linux's directory for FIFOs, with a "/" at its end. */
  readonly directory: string;
  /** A number of this run, for names that nobody else has. */
  readonly run: number;
  /** Whether user 0 is above Linux's limits here, as it is with us: CAP_SYS_RESOURCE. */
  readonly maySpendMore: boolean;
}

export const call = (
  task: number,
  name: CallName,
  args: readonly Operand[],
  rest: Partial<Operation> = {},
): Operation => ({ task, name, args, ...rest });

/** Tasks whose call does not sleep. */
export function idleTasks(sequence: Sequence, tasks: number): number[] {
  return Array.from({ length: tasks }, (_, task) => task).filter((task) => !sequence.sleeping.has(task));
}

export const text = (value: string): Uint8Array => Buffer.from(`${value}\0`, "latin1");

/** A 64-bit little-endian number. */
export function long(value: bigint | number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, BigInt(value), true);
  return bytes;
}

export function longs(...values: (bigint | number)[]): Uint8Array {
  return Buffer.concat(values.map(long));
}

export function ints(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    view.setInt32(4 * i, value | 0, true);
  });
  return bytes;
}
