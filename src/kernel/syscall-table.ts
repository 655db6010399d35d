// Which function a system call is. The rows themselves, with what is not there, are data in abi/syscalls.ts.

import { EINTR, ENOSYS } from "../abi/errno.ts";
import { type SyscallName, syscalls } from "../abi/syscalls.ts";
import type { Argument, Call, Caller } from "./calls/call.ts";
import { credentialCalls } from "./calls/credentials.ts";
import { fileCalls } from "./calls/files.ts";
import { mqCalls } from "./calls/mq.ts";
import { msgctl, msgget, msgrcv, msgsnd } from "./calls/msg.ts";
import { semCalls } from "./calls/sem.ts";
import { shmCalls } from "./calls/shm.ts";
import { signalCalls } from "./calls/signal.ts";
import { waitCalls } from "./calls/wait.ts";

const handlers: { readonly [name in SyscallName]?: Call } = {
  ...fileCalls,
  ...mqCalls,
  ...shmCalls,
  ...semCalls,
  ...credentialCalls,
  ...signalCalls,
  ...waitCalls,
  msgget,
  msgsnd,
  msgrcv,
  msgctl,
};

const byNumber = new Map<number, Call>();
for (const { number, name } of syscalls) {
  const handler = handlers[name];
  if (handler) byNumber.set(number, handler);
}

/** Makes a system call: a result from 0 up, or a negative errno. */
export function dispatch(caller: Caller, number: number, args: readonly Argument[]): number {
  const call = byNumber.get(number);
  return call ? make(caller, call, args) : ENOSYS;
}

/** What a handler with SA_RESTART interrupts and does not end (signal(7)). */
const restartable = new Set<Call | undefined>(
  (["read", "write", "open", "openat", "mq_timedsend", "mq_timedreceive", "wait4", "waitid"] as const).map(
    (name) => handlers[name],
  ),
);

/** Signals that have come meanwhile are delivered before it returns. */
function make(caller: Caller, call: Call, args: readonly Argument[]): number {
  for (;;) {
    const result = call(caller, ...args);
    const { ran, restart } = caller.system.signals.deliver();
    if (result !== EINTR || !ran || !restart || !restartable.has(call)) return result;
  }
}

/** Every call by its name; each returns a result from 0 up, or a negative errno. */
export type NamedCalls = { readonly [name in SyscallName]: (...args: Argument[]) => number };

export function namedCalls(caller: Caller): NamedCalls {
  const calls = syscalls.map(({ name }) => {
    const handler = handlers[name];
    return [name, (...args: Argument[]): number => (handler ? make(caller, handler, args) : ENOSYS)];
  });
  return Object.fromEntries(calls) as NamedCalls;
}
