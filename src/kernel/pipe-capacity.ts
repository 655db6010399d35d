// Changing what a pipe holds (F_SETPIPE_SZ of fcntl(2)).

import { EINVAL, ENOMEM, EPERM } from "../abi/errno.ts";
import { powerOfTwoFrom } from "../memory/layout.ts";
import type { System } from "./system.ts";

/** The least that a pipe is resized to: Linux's page. */
const CAPACITY_BYTES_MIN = 4096;
/** What others than user 0 may have: the default of /proc/sys/fs/pipe-max-size (pipe(7)). */
const UNPRIVILEGED_BYTES_MAX = 1024 * 1024;
/** Linux's bound of what is asked for. */
const REQUEST_BYTES_MAX = 2 ** 31;
/** Positions in a ring are 32-bit and run free: half their range is what can lie between. */
export const CAPACITY_BYTES_MAX = 2 ** 30;

/** Gives a pipe the power of two from `bytes` up: returns it. EINVAL, EPERM, EBUSY where the content does not fit, ENOMEM. */
export function setPipeCapacity(system: System, objectIndex: number, bytes: number): number {
  if (bytes > REQUEST_BYTES_MAX) return EINVAL;
  const capacity = powerOfTwoFrom(Math.max(bytes, CAPACITY_BYTES_MIN));
  const now = system.pipeOf(objectIndex).capacity;
  if (capacity > now && capacity > UNPRIVILEGED_BYTES_MAX && !system.credentials.isPrivileged) return EPERM;
  if (capacity > CAPACITY_BYTES_MAX) return ENOMEM;
  if (capacity === now) return capacity;
  const result = system.resizePipe(objectIndex, capacity);
  return result < 0 ? result : capacity;
}
