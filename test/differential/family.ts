// A family of calls: draws plausible operations one by one, knowing what came of those before.

import type { Random } from "../random.ts";
import type { CallName, ObjectKind } from "./calls.ts";
import type { Observation, Operand, Operation } from "./operation.ts";

/** What is the same for all sequences of a run. */
export interface Context {
  readonly tasks: number;
  /** Whether the tasks may take on other users and groups, and begin as user 0. */
  readonly isRoot: boolean;
  readonly uid: number;
  readonly gid: number;
  /** Whether O_CREAT of another user's FIFO may be refused (protected_fifos of proc_sys_fs(5)). */
  readonly protectsFifos: boolean;
  /**
   * Whether limits for unprivileged users may be tested: where user 0 is above them, as it is with us (CAP_SYS_RESOURCE), or
   * the tasks are of another user.
   */
  readonly testsLimits: boolean;
  /** Whether a task may take over another's descriptors (pidfd_getfd(2)). */
  readonly mayInherit: boolean;
  /** Whether Linux was built with MSG_COPY. */
  readonly copiesMessages: boolean;
  /** Whether a write that finds no bytes at its pointer leaves Linux's pipe as it was (from 6.14 on). */
  readonly efaultIsClean: boolean;
  /** What the names of POSIX queues begin with, where others could have the same. */
  readonly prefix: string;
}

/** Operations whose calls sleep, by task. */
export type Sleeping = ReadonlyMap<number, Operation>;

/** What may be left: names of FIFOs, POSIX queues and semaphores, and objects that all tasks share. */
export interface Leftovers {
  readonly fifos?: readonly string[];
  readonly queues?: readonly string[];
  readonly semaphores?: readonly string[];
  readonly objects?: readonly ObjectKind[];
}

/** One sequence's worth of drawing. Remembers what the tasks have, from what is observed. */
export interface Drawing {
  /** The next operation; undefined where this draw came to nothing. */
  draw(random: Random, sleeping: Sleeping): Operation | undefined;
  /**
   * Whether what an operation does now is determined, and by intention the same on both sides. It is asked before each,
   * whether drawn, or left over in a sequence that was made shorter.
   */
  admits(operation: Operation, sleeping: Sleeping): boolean;
  observe(observation: Observation): void;
  /** At the end: what wakes one of those who sleep in calls that nothing interrupts. */
  rouse?(sleeping: Sleeping): Operation | undefined;
  readonly leftovers: Leftovers;
}

export interface Family {
  readonly name: string;
  begin(context: Context): Drawing;
}

export const call = (
  task: number,
  name: CallName,
  args: readonly Operand[],
  rest: Partial<Operation> = {},
): Operation => ({ task, name, args, ...rest });

/** An interrupt of one of those who sleep. */
export const drawInterrupt = (random: Random, sleeping: Sleeping): Operation =>
  call(0, "interrupt", [random.pick([...sleeping.keys()])]);

export const allTasks = (count: number): number[] => Array.from({ length: count }, (_, task) => task);

export const idleTasks = (count: number, sleeping: Sleeping): number[] =>
  allTasks(count).filter((task) => !sleeping.has(task));

/** The symbol of an operand, if it is one. */
export const symbolOf = (operand: Operand | undefined): string | undefined =>
  typeof operand === "object" && "symbol" in operand ? operand.symbol : undefined;

export const text = (value: string): Uint8Array => Buffer.from(`${value}\0`, "latin1");

/** Numbers of 64 bits, little-endian. */
export function longs(...values: (bigint | number)[]): Uint8Array {
  const bytes = new Uint8Array(8 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    view.setBigInt64(8 * i, BigInt.asIntN(64, BigInt(value)), true);
  });
  return bytes;
}

/** Numbers of 32 bits. */
export function ints(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    view.setInt32(4 * i, value | 0, true);
  });
  return bytes;
}
