// What a send to a message queue, and a receive, do in shared memory besides copying the bytes: each in two steps, with the
// copy in between. There are two sets of them that do the same: plain-queue-steps.ts, access by access, for words that are no more than
// that; and machine-queue-steps.ts, each one function of WebAssembly, which takes half the time.
//
// `body` is the queue's, `first`, `mask` and `stride` say where its slots lie (objects/message-slots.ts). All are in words.

import type { Word } from "./words.ts";

/** The lock is held: there is something that these steps do not see to. */
export const LOCKED = -1;
/** The lock is not held: somebody else does. */
export const CONTENDED = -2;
/** The lock is not held: there was no message. */
export const EMPTY = -3;

/** The lock is held: the first message is longer than what it was asked to be. */
export const LONG = -4;
/** This less the message's length: it was taken, and the lock is still held, for others wait. */
export const TAKEN_LOCKED = -256;

export interface QueueSteps {
  /**
   * Locks the producer's lock, and describes a message in the slot behind the tail: its index, LOCKED or CONTENDED. `rules` is what
   * RULES said when `room` was true, the most messages there may be. Where there is no room as far as is known, it looks once; and
   * leaves it at that where the queue is still more than half full: a sender that is ahead does better to be slow.
   */
  claimSlot(
    body: Word,
    pid: number,
    rules: number,
    room: number,
    first: Word,
    mask: number,
    stride: number,
    length: number,
    typeLow: number,
    typeHigh: number,
    priority: number,
  ): number;
  /** Sends the message of a slot, counts it, and unlocks: 1. Or 0: it is sent, and still locked, for others wait. */
  publishSlot(body: Word, pid: number, slot: Word): number;
  /** Locks the consumer's lock: the index of the slot of the first message, LOCKED, CONTENDED or EMPTY. */
  claimMessage(body: Word, pid: number, rules: number, first: Word, mask: number, stride: number): number;
  /** Takes the first message, which has been copied, and unlocks: 1. Or 0: it is taken, and still locked. */
  releaseMessage(body: Word, pid: number): number;
  /**
   * Looks for a first message for so many turns, from 1, and locks when there is one: as `claimMessage`. CONTENDED, too, where the rules have
   * changed meanwhile.
   */
  awaitMessage(
    body: Word,
    pid: number,
    rules: number,
    first: Word,
    mask: number,
    stride: number,
    turns: number,
  ): number;
}

/** Where a message is staged, and what `claimMessage` wants to know. */
type StagedReceive = [
  staged: Word,
  body: Word,
  pid: number,
  rules: number,
  first: Word,
  mask: number,
  stride: number,
  most: number,
];

/**
 * The same of a message that is staged (memory/staging.ts) all in one: what the steps do, in their order, with the copy in between. Only
 * where it is one function of WebAssembly is that worth a second copy.
 */
export interface StagedSteps {
  /** `claimSlot`, a copy of the bytes, and `publishSlot`: what either answers, where the first is no index. */
  sendStaged(staged: Word, ...claim: Parameters<QueueSteps["claimSlot"]>): number;
  /**
   * `claimMessage`, a copy of the bytes and what there is about them, and `releaseMessage`: the message's length, LOCKED, CONTENDED or
   * EMPTY. LONG where it has more than `most` bytes; TAKEN_LOCKED less its length.
   */
  receiveStaged(...receive: StagedReceive): number;
  /**
   * The same for who looks for one for so many turns, as `awaitMessage`, the first time after `quiet` turns of an empty loop, and with `gap`
   * of them between two looks. How many looks were left when there was one is in the first word of what is staged.
   */
  awaitStaged(...receive: [...StagedReceive, quiet: number, gap: number, turns: number]): number;
  /**
   * The same for who receives here alone, as far as it knows, and need not lock once there is one: the lock is held from before the quiet
   * until there is one, or somebody else wants the lock, or all turns are over. CONTENDED, without a look, where it was not to be had.
   */
  expectStaged(...receive: [...StagedReceive, quiet: number, gap: number, turns: number]): number;
}

/** Where there are none: who asks finds that it is to be done otherwise. */
export const noStagedSteps: StagedSteps = {
  sendStaged: () => CONTENDED,
  receiveStaged: () => CONTENDED,
  awaitStaged: () => CONTENDED,
  expectStaged: () => CONTENDED,
};

/** What SENT of a slot says once the message of a position is sent: never 0, and another than for the positions it had before. */
export const sentAs = (position: number): number => (position << 1) | 1;
