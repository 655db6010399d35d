// What is seen of a kernel from outside: plain data.

import type { KernelLimits } from "../abi/limits.ts";
import type { ObjectStates } from "../kernel/object-states.ts";
import type { ObjectKind, objectKinds } from "./object-kinds.ts";

/** What a task waits for. */
export type AwaitedEvent =
  | "bytes" // of a pipe or FIFO
  | "room" // in a pipe, FIFO or queue
  | "reader" // of a FIFO that is being opened
  | "writer"
  | "message"
  | "post" // of a semaphore
  | "value" // of a semaphore set: more, or zero
  | "zero"
  | "lock" // a mutex
  | "read-lock"
  | "write-lock"
  | "notification" // of a condition variable
  | "others" // at a barrier
  | "signal"
  | "event"; // a signal, a child's end, or a time-out: which of them is not recorded

/** A wait that is under way. */
export interface InspectedWait {
  /** The task that waits. */
  readonly pid: number;
  /** What it waits for. */
  readonly event: AwaitedEvent;
  /** The id of the object that it is for; undefined where it is for none, or that is gone. */
  readonly objectId: number | undefined;
  /** A task that is asleep or polls does nothing else; one of whose promises waits may. */
  readonly how: "asleep" | "polls" | "promise";
  /** When it began, in milliseconds since 1970; undefined where that is not recorded. */
  readonly sinceMs: number | undefined;
  /** Which messages or signals, or which semaphore of a set, where not any. */
  readonly selection: string | undefined;
}

/** Who has an object open, or uses it. */
export interface InspectedUse {
  /** The task that does. */
  readonly pid: number;
  /** The descriptor in that task; undefined for an attachment, or the use of a System V object. */
  readonly descriptor: number | undefined;
  /** What it may do. */
  readonly access: "read" | "write" | "read-write" | "attached" | "used";
}

/** What is seen of an object of any kind. */
export interface InspectedBase {
  /** As msgget(2) returns it; of every kind. */
  readonly id: number;
  /** The name that leads to it; undefined where none does. */
  readonly name: string | undefined;
  /** Its System V key. */
  readonly key: number | undefined;
  /** Permissions. */
  readonly mode: number;
  /** The user who owns it. */
  readonly uid: number;
  /** The group that owns it. */
  readonly gid: number;
  /** The task that made it. */
  readonly creatorPid: number;
  /** When it was made, or its owner or mode last set, in seconds since 1970. */
  readonly changedSeconds: number;
  /** Whether it stays when nobody has it open: a name, a key or an id leads to it. */
  readonly linked: boolean;
  /** Who has it open, or uses it. */
  readonly uses: readonly InspectedUse[];
  /** Who waits at it. */
  readonly waits: readonly InspectedWait[];
  /** The tasks that hold a lock; a mutex has one owner, a read/write lock may have several readers. */
  readonly holders: readonly number[];
}

/** An object of a kernel; `state` is what its kind has. */
export type InspectedObject = {
  [K in ObjectKind]: InspectedBase & { readonly kind: K; readonly state: ObjectStates[(typeof objectKinds)[K]] };
}[ObjectKind];

/** What is seen of a task. */
export interface InspectedTask {
  /** In the kernel. */
  readonly pid: number;
  /** 0 where it had no parent in this kernel. */
  readonly parentPid: number;
  /** The group that kill(2) may mean. */
  readonly processGroup: number;
  /** The process, for the operating system. */
  readonly osPid: number;
  /** The thread in it. */
  readonly osThreadId: number;
  /** Its effective user. */
  readonly uid: number;
  /** Its effective group. */
  readonly gid: number;
  /**
   * `waiting`: asleep in a call of ours. `running`: anything else that a living thread does, also asleep in its event loop while
   * promises wait. `stopped`: by a signal of the kernel's or of the host's. `starting`: made by its parent, and not there yet.
   * `zombie`: ended, and its parent has not waited for it. `dead`: ended, and not buried yet.
   */
  readonly state: "running" | "waiting" | "stopped" | "starting" | "zombie" | "dead";
  /** Of a zombie: a wait status, see wait(2). */
  readonly waitStatus: number | undefined;
  /** What it waits for. */
  readonly waits: readonly InspectedWait[];
  /** The ids of the mutexes and read/write locks that it holds. */
  readonly holds: readonly number[];
  /** How many it has open. */
  readonly descriptors: number;
  /** Its signals, by their names. */
  readonly signals: {
    /** That have come, and are not delivered yet. */
    readonly pending: readonly string[];
    /** That it blocks. */
    readonly blocked: readonly string[];
    /** That it has handlers for. */
    readonly caught: readonly string[];
    /** That it ignores. */
    readonly ignored: readonly string[];
  };
}

/** A task of a circle, the lock that it waits for, and the task that holds that: the next of the circle. */
export interface InspectedDeadlock extends InspectedWait {
  /** The task that holds what this one waits for. */
  readonly heldBy: number;
}

/** What is seen of a kernel. */
export interface InspectedKernel {
  /** The name that it was opened by. */
  readonly name: string;
  /** What it was made with. */
  readonly limits: KernelLimits;
  /** The owner of its file. */
  readonly uid: number;
  /** Bytes of memory that it takes now. */
  readonly memoryBytes: number;
  /** When its file was named, or more of its memory was reserved, in milliseconds since 1970. */
  readonly changedMs: number;
  /** How many tasks have attached so far. */
  readonly tasksSoFar: number;
  /** Wait nodes that are in use. */
  readonly waiters: number;
  /** Dead tasks buried so far. */
  readonly buried: number;
  /** Locks taken over from dead owners so far. */
  readonly takenOver: number;
  /** The task that holds the lock of the kernel's tables at this moment, 0: none. */
  readonly lockedBy: number;
  /** Its tasks. */
  readonly tasks: readonly InspectedTask[];
  /** Its objects. */
  readonly objects: readonly InspectedObject[];
  /** The circles of tasks that wait for each other's locks, each from its lowest pid on. */
  readonly deadlocks: readonly (readonly InspectedDeadlock[])[];
}
