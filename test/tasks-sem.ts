// Tasks for tests of semaphore sets.

import { SEM_UNDO } from "../src/abi/flags.ts";
import type { Kernel } from "../src/index.ts";
import { type Change, semop } from "./place-operations.ts";
import type { Peer } from "./task-runner.ts";

const REPORTED_ROUND = 50;

/** Makes one semop, and returns its result. */
export function operate(
  kernel: Kernel,
  _peer: Peer,
  { id, changes }: { id: number; changes: readonly Change[] },
): number {
  return semop(kernel, id, ...changes);
}

/** Makes one semop, reports its result, and lives until it is told to end. */
export async function operateAndHold(
  kernel: Kernel,
  peer: Peer,
  { id, changes }: { id: number; changes: readonly Change[] },
): Promise<void> {
  peer.report(semop(kernel, id, ...changes));
  await peer.hear();
}

/** Takes one of a semaphore, or two, and gives it back, in changing orders, with SEM_UNDO; reports after some rounds. */
export function takeAndGive(
  kernel: Kernel,
  peer: Peer,
  { id, rounds, seed }: { id: number; rounds: number; seed: number },
): number {
  for (let round = 0; round < rounds; round++) {
    if (round === REPORTED_ROUND) peer.report(round);
    const index = (round + seed) % 2;
    const both = round % 3 === 0;
    const change = (sign: 1 | -1): Change[] => [
      [index, sign, SEM_UNDO],
      ...(both ? [[1 - index, sign, SEM_UNDO] as const] : []),
      [2, -sign, SEM_UNDO],
    ];
    const taken = semop(kernel, id, ...change(-1));
    const given = taken === 0 ? semop(kernel, id, ...change(1)) : taken;
    if (given !== 0) return given;
  }
  return rounds;
}
