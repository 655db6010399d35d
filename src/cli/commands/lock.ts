// fanga lock NAME -- COMMAND…: flock(1), on a mutex or a read/write lock of a kernel.

import { IpcError } from "../../api/ipc-error.ts";
import type { Kernel } from "../../api/kernel.ts";
import type { LockGuard } from "../../api/lock-guard.ts";
import type { Mutex } from "../../api/mutex.ts";
import type { ReadWriteLock } from "../../api/read-write-lock.ts";
import type { Arguments } from "../arguments.ts";
import type { Command } from "../command.ts";
import { EXIT_FAILURE, Failure } from "../failure.ts";
import { GuardedCommand } from "../guarded-command.ts";
import { openKernel } from "../kernels.ts";
import { parseObjectName } from "../object-name.ts";
import { ifThere } from "../open-object.ts";
import { kernelOption } from "../option.ts";
import { type Patience, patienceOf, waitingOptions } from "../waiting.ts";

const EXIT_MOST = 255;

export const lock: Command = {
  name: "lock",
  summary: "run a command while holding a lock that a crash gives back",
  notes: `
The lock is the mutex or the read/write lock of that name; where there is neither, a
mutex is made, with --shared a read/write lock. Programs share it by kernel.mutex or
kernel.rwlock. It is held until COMMAND ends, and given back however that is.

When fanga itself is killed, also by kill -9, Linux kills COMMAND in the same moment,
and the next holder gets the lock within 250 ms: two commands never believe that they
have it. That reaches COMMAND alone, not processes that it has started, nor a COMMAND
that changes its user, such as sudo. If the holder of a mutex died in the middle, the
next COMMAND finds FANGA_OWNER_DIED=1 in its environment.

SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGALRM, SIGUSR1 and SIGUSR2 are passed on. The exit
code is COMMAND's, or 128 and the number of the signal that ended it; 127 where there is
no such command, 126 where it cannot be run; 1, or that of -E, where the lock could not
be had in time.`,
  options: {
    ...kernelOption,
    shared: { type: "boolean", short: "s", description: "hold it together with others that do: a read lock" },
    exclusive: { type: "boolean", short: "x", description: "hold it alone, the default: a write lock" },
    ...waitingOptions,
    "conflict-exit-code": {
      type: "string",
      short: "E",
      value: "CODE",
      description: "the exit code where the lock could not be had in time; default 1",
    },
    verbose: { type: "boolean", description: "say how long it took to get the lock" },
  },
  parameters: [{ name: "NAME", description: "the lock", completes: { objects: ["mutex", "rwlock"] } }],
  rest: { name: "COMMAND…", description: "what to run, with its arguments" },
  examples: [
    ["fanga lock backup -- ./backup.sh", "one backup at a time"],
    ["fanga lock -n -E 75 backup -- ./backup.sh", "or none: exit code 75 where one runs"],
    ["fanga lock --shared data -- ./report.sh", "with other readers, without a writer"],
  ],

  async run(context, given) {
    const patience = patienceOf(given);
    const conflictCode = given.number("conflict-exit-code", { most: EXIT_MOST }) ?? EXIT_FAILURE;
    const wanted = wantedOf(given);
    const command = new GuardedCommand(given.rest as readonly string[]);
    try {
      using kernel = openKernel(context, given, { create: true });
      const one = openLock(kernel, wanted);
      const began = performance.now();
      const guard = await acquire(one, wanted.shared, patience);
      if (!guard) {
        context.stderr.write(`fanga: lock: ${inTheWay(kernel, one)}${afterAll(patience)}\n`);
        command.cancel();
        return conflictCode;
      }
      const seconds = ((performance.now() - began) / 1000).toFixed(6);
      if (given.has("verbose")) context.stderr.write(`fanga: lock: ${one.label} was had after ${seconds} s\n`);
      if (guard.ownerDied && one.kind === "mutex") one.lock.markConsistent();
      const code = await command.run(guard.ownerDied);
      guard.unlock();
      return code;
    } catch (error) {
      command.cancel();
      throw error;
    }
  },
};

interface Wanted {
  readonly name: string;
  readonly shared: boolean;
  /** The kinds that were typed, as in mutex:NAME. */
  readonly mutex: boolean;
  readonly rwlock: boolean;
}

type Lock = { readonly label: string } & (
  | { readonly kind: "mutex"; readonly lock: Mutex }
  | { readonly kind: "rwlock"; readonly lock: ReadWriteLock }
);

function wantedOf(given: Arguments): Wanted {
  const { name, kinds = ["mutex", "rwlock"], text } = parseObjectName(given, given.word(0), ["mutex", "rwlock"]);
  if (name === undefined) throw given.wrong(`a lock has a name, not a key or an id as "${text}" is: type that`);
  const shared = given.has("shared");
  if (shared && given.has("exclusive"))
    throw given.wrong("--shared and --exclusive exclude each other: type one of them");
  if (shared && !kinds.includes("rwlock")) {
    throw given.wrong(`one task at a time holds a mutex: type rwlock:${name} for one that can be shared`);
  }
  return { name, shared, mutex: kinds.includes("mutex"), rwlock: kinds.includes("rwlock") };
}

/** The lock of a name, of whichever kind that is there; a new one of the kind that will do. */
function openLock(kernel: Kernel, { name, shared, mutex, rwlock }: Wanted): Lock {
  const there = () => ({
    mutexThere: mutex ? ifThere(() => kernel.mutex({ name })) : undefined,
    rwlockThere: rwlock ? ifThere(() => kernel.rwlock({ name })) : undefined,
  });
  let { mutexThere, rwlockThere } = there();
  if (!mutexThere && !rwlockThere) {
    if (shared || !mutex) kernel.rwlock({ name, create: true }).close();
    else kernel.mutex({ name, create: true }).close();
    ({ mutexThere, rwlockThere } = there()); // another fanga may have made the other kind at the same time
  }
  if (mutexThere && rwlockThere) {
    throw new Failure(`lock: there are a mutex and a read/write lock "${name}": type mutex:${name} or rwlock:${name}`);
  }
  if (rwlockThere) return { kind: "rwlock", lock: rwlockThere, label: `read/write lock "${name}"` };
  if (!mutexThere) throw new Failure(`lock: "${name}" was removed as soon as it was made: type the command again`);
  if (!shared) return { kind: "mutex", lock: mutexThere, label: `mutex "${name}"` };
  throw new Failure(`lock: "${name}" is a mutex, which one task at a time holds: type rwlock:${name} to share another`);
}

/** Undefined where it could not be had in time. */
async function acquire({ kind, lock: one }: Lock, shared: boolean, patience: Patience): Promise<LockGuard | undefined> {
  try {
    if (kind === "mutex") return await one.lock(patience);
    return await (shared ? one.readLock(patience) : one.writeLock(patience));
  } catch (error) {
    if (error instanceof IpcError && error.code === "ETIMEDOUT") return undefined;
    throw error;
  }
}

const afterAll = ({ timeout }: Patience): string => (timeout ? ` after ${timeout / 1000} s` : "");

function inTheWay(kernel: Kernel, { kind, lock: one, label }: Lock): string {
  const owner = kind === "mutex" ? one.owner : one.writer;
  const task = kernel.tasks().find(({ pid }) => pid === owner);
  if (task) return `${label} is held by task ${task.pid}, process ${task.osPid}`;
  return kind === "rwlock" && one.readers > 0 ? `${label} is held for reading` : `${label} is held`;
}
