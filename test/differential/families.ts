// All families, in the order they run.

import type { Family } from "./family.ts";
import { barrier } from "./family-barrier.ts";
import { condition } from "./family-condition.ts";
import { descriptors, fifo, pipe } from "./family-files.ts";
import { mutex } from "./family-mutex.ts";
import { permissions } from "./family-permissions.ts";
import { posixMq } from "./family-posix-mq.ts";
import { posixSem } from "./family-posix-sem.ts";
import { rwlock } from "./family-rwlock.ts";
import { shm } from "./family-shm.ts";
import { signal } from "./family-signal.ts";
import { sysvMsg } from "./family-sysv-msg.ts";
import { sysvSem } from "./family-sysv-sem.ts";

export const families: readonly Family[] = [
  sysvMsg,
  sysvSem,
  posixMq,
  pipe,
  fifo,
  shm,
  descriptors,
  permissions,
  posixSem,
  mutex,
  rwlock,
  condition,
  barrier,
  signal,
];
