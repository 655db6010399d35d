// What a system call is: a function of its caller and its arguments, which returns a result from 0 up or a negative errno.
// Decode may fail and changes nothing; then act.

import { FOR_EVER, TIMEOUT_MS_MAX } from "../../sync/waiting.ts";
import type { World } from "../../sync/world.ts";
import type { SignalInfo } from "../../tasks/signal-info.ts";
import type { Structure } from "../structure.ts";
import type { System } from "../system.ts";
import type { TaskMemory } from "../task-memory.ts";
import type { KnownQueue } from "./known-queue.ts";
import type { KnownSet } from "./known-set.ts";

/** The task that calls. */
export interface Caller {
  readonly system: System;
  readonly world: World;
  readonly memory: TaskMemory;
  /** SysV queues that were used before, by their id. */
  readonly queues: Map<number, KnownQueue>;
  /** What rt_sigaction was told last of each signal. */
  readonly actions: Map<number, SignalAction>;
  /** Functions for the handlers that rt_sigaction is told by their numbers. */
  readonly handlers: Map<bigint, (info: SignalInfo) => void>;
  /** Semaphore sets likewise. */
  readonly sets: Map<number, KnownSet>;
}

/** The members of a struct sigaction. */
export interface SignalAction {
  readonly handler: bigint;
  readonly flags: bigint;
  readonly restorer: bigint;
  readonly mask: bigint;
}

/** As it is passed: a number, or a bigint for what needs 64 bits. */
/** An argument of a system call: what C has as an integer or a pointer. Of a bigint the low 64 bits count. */
export type Argument = number | bigint;
export type Call = (caller: Caller, ...args: Argument[]) => number;

/** An `int`: the low 32 bits, signed. */
export const int = (value: Argument | undefined): number =>
  typeof value === "bigint" ? Number(BigInt.asIntN(32, value)) : (value ?? 0) | 0;

/** An `unsigned int`. */
export const unsigned = (value: Argument | undefined): number => int(value) >>> 0;

/** A `size_t` or pointer: -1 is the largest. */
export function size(value: Argument | undefined): number {
  const number = Number(value ?? 0);
  return number < 0 ? number + 2 ** 64 : number;
}

/** A `long`, as a bigint. */
export const long = (value: Argument | undefined): bigint =>
  typeof value === "bigint" ? BigInt.asIntN(64, value) : BigInt(Math.trunc(value ?? 0));

const MS_PER_S = 1000;
const NS_PER_MS = 1e6;
const NS_PER_S = 1_000_000_000;

/** Milliseconds until a `struct timespec` on the clock of 1970, 0 where it has passed; undefined where it is no valid time. */
export function untilTimespec(view: Structure): number | undefined {
  return millisecondsOf(view, Date.now());
}

/** Milliseconds that a `struct timespec` says; undefined where it is no valid time. */
export const forTimespec = (view: Structure): number | undefined => millisecondsOf(view, 0);

function millisecondsOf(view: Structure, since: number): number | undefined {
  const seconds = view.getBigInt64(0);
  const nanoseconds = view.getBigInt64(8);
  if (seconds < 0n || nanoseconds < 0n || nanoseconds >= BigInt(NS_PER_S)) return undefined;
  const left = Number(seconds) * MS_PER_S + Number(nanoseconds) / NS_PER_MS - since;
  return left > TIMEOUT_MS_MAX ? FOR_EVER : Math.max(0, Math.ceil(left));
}
