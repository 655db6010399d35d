// Waiting for the first of several things (poll(2)). The task puts a node into each one's list, all of them in state POLLED,
// and sleeps on its own POLL word, which who takes one of the nodes out changes.
//
// No wake-up is lost: the word says WAITING first, the nodes are in their lists before the look, and whoever changes something
// after the look finds a node and sets the word.

import { EINTR } from "../abi/errno.ts";
import type { Monitor } from "./monitor.ts";
import { beginningOfWait } from "./node-pool.ts";
import { beginPoll, continuePoll, endPoll, sleepInPoll } from "./poll-word.ts";
import { type Node, POLLED } from "./wait-list.ts";
import { type Condition, deadlineIn, remainingMs, type Waiter } from "./waiting.ts";

const LOOK_ONLY = 0;

/**
 * Sleeps until `look` finds something: returns what it said, from 1 up; 0 where the time passed; EINTR; ENOSPC without wait
 * nodes. The first look has been made already.
 */
export function blockUntilAny(
  waiter: Waiter,
  conditions: readonly Condition[],
  look: () => number,
  timeoutMs: number,
): number {
  if (timeoutMs === 0) return 0;
  const deadline = deadlineIn(waiter.world, timeoutMs);
  const since = beginningOfWait();
  beginPoll(waiter, since);
  for (;;) {
    const listed: { monitor: Monitor; at: Node }[] = [];
    let result = enlistAll(waiter, conditions, listed, since) || look();
    const signalled = waiter.isSignalled();
    if (result === 0 && !signalled) {
      const left = deadline === undefined ? Number.POSITIVE_INFINITY : remainingMs(waiter.world, deadline);
      if (left > 0) sleepInPoll(waiter, Math.min(left, waiter.sliceMs()));
      waiter.lookAround();
    }
    for (const { monitor, at } of listed) {
      monitor.delist(at);
      waiter.nodes.free(at);
    }
    let interrupted = continuePoll(waiter);
    result ||= look();
    interrupted ||= signalled && !waiter.stoodStill();
    const isOver = deadline !== undefined && remainingMs(waiter.world, deadline) <= 0;
    if (result === 0 && !interrupted && !isOver) continue;
    interrupted = endPoll(waiter) || interrupted;
    return result !== 0 || !interrupted ? result : EINTR;
  }
}

function enlistAll(
  waiter: Waiter,
  conditions: readonly Condition[],
  listed: { monitor: Monitor; at: Node }[],
  since: number,
): number {
  for (const { monitor } of conditions) {
    const at = waiter.nodes.claim(since);
    if (at < 0) return at;
    monitor.enlist(at as Node, POLLED, LOOK_ONLY, () => false);
    listed.push({ monitor, at: at as Node });
  }
  return 0;
}
