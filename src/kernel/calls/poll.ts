// Waiting for several files at once: poll (poll(2)).

import { EFAULT, EINVAL } from "../../abi/errno.ts";
import { POLLNVAL } from "../../abi/flags.ts";
import { NO_SIGNALS } from "../../abi/signals.ts";
import { blockUntilAny } from "../../sync/polling.ts";
import { type Condition, FOR_EVER } from "../../sync/waiting.ts";
import { conditionsOf, POLL_ALWAYS, readinessOf, signalsOf } from "../readiness.ts";
import { Structure } from "../structure.ts";
import { type Argument, type Caller, int, size, unsigned } from "./call.ts";

const POLLFD_BYTES = 8;
const EVENTS = 4;
const REVENTS = 6;
/** Longer waits are for ever: half the range of the world's clock. */
const TIMEOUT_MS_MAX = 2 ** 30 - 1;

export function poll(caller: Caller, ...[pointer, countArgument, timeoutArgument]: Argument[]): number {
  const { system } = caller;
  const count = unsigned(countArgument);
  const timeout = int(timeoutArgument);
  if (count > system.geometry.limits.descriptorsMax) return EINVAL;
  const items = count === 0 ? noItems : caller.memory.structure(size(pointer), count * POLLFD_BYTES, true);
  if (!items) return EFAULT;
  const look = (): number => lookAtAll(caller, items, count);
  const first = look();
  if (first > 0) return first;
  const timeoutMs = timeout < 0 || timeout > TIMEOUT_MS_MAX ? FOR_EVER : timeout;
  const conditions = conditionsOfAll(caller, items, count);
  const sleep = (): number => blockUntilAny(system, conditions, look, timeoutMs);
  const result = system.signals.awaiting(signalsOfAll(caller, items, count), sleep);
  // Where nothing is to be written, Linux finds out only now that it could not be.
  return count === 0 && caller.memory.isBeyond(size(pointer), 0) ? EFAULT : result;
}

const noItems = new Structure(new DataView(new ArrayBuffer(0)), 0);

/** Writes what each is ready for; returns how many are for something. */
function lookAtAll({ system }: Caller, items: Structure, count: number): number {
  let ready = 0;
  for (let i = 0; i < count; i++) {
    const at = i * POLLFD_BYTES;
    const descriptor = items.getInt32(at);
    const file = descriptor < 0 ? undefined : system.openFile(descriptor);
    const wanted = items.getUint16(at + EVENTS) | POLL_ALWAYS;
    const events = descriptor < 0 ? 0 : file ? readinessOf(system, file) & wanted : POLLNVAL;
    items.setUint16(at + REVENTS, events);
    if (events !== 0) ready++;
  }
  return ready;
}

function signalsOfAll({ system }: Caller, items: Structure, count: number): bigint {
  let signals = NO_SIGNALS;
  for (let i = 0; i < count; i++) signals |= signalsOf(system, system.openFile(items.getInt32(i * POLLFD_BYTES)));
  return signals;
}

function conditionsOfAll({ system }: Caller, items: Structure, count: number): Condition[] {
  const conditions: Condition[] = [];
  for (let i = 0; i < count; i++) {
    const file = system.openFile(items.getInt32(i * POLLFD_BYTES));
    if (file) conditions.push(...conditionsOf(system, file, items.getUint16(i * POLLFD_BYTES + EVENTS)));
  }
  return conditions;
}
