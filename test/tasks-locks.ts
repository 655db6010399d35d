// A task for tests of locks, which does what it is told step by step.

import type { Kernel, LockGuard, LockToken } from "../src/index.ts";
import { codeOf } from "./expectations.ts";
import type { Peer } from "./task-runner.ts";

type Kinds = "semaphore" | "mutex" | "rwlock" | "condition" | "barrier";

/** A method of what a token leads to. Of a condition, `mutex` is what to wait with. "end" ends the task. */
export interface Step {
  readonly token: LockToken<Kinds>;
  readonly verb: string;
  readonly options?: object;
  readonly mutex?: LockToken<"mutex">;
}

/** Makes each step and reports what it gave: "locked", "owner died", "undefined", another value, or an error's code. */
export async function followSteps(kernel: Kernel, peer: Peer): Promise<void> {
  const open = new Map<number, { [verb: string]: (...args: unknown[]) => unknown }>();
  const handleOf = (token: LockToken<Kinds>): { [verb: string]: (...args: unknown[]) => unknown } => {
    let handle = open.get(token.objectIndex);
    if (!handle) {
      handle = kernel.openToken(token) as never;
      open.set(token.objectIndex, handle as never);
    }
    return handle as never;
  };
  for (;;) {
    const step = (await peer.hear()) as Step | "end";
    if (step === "end") return;
    let said: unknown;
    const code = await codeOf(async () => {
      const handle = handleOf(step.token);
      const first = step.mutex ? [handleOf(step.mutex)] : [];
      said = told(await handle[step.verb]?.(...first, step.options));
    });
    peer.report(code === "nothing" ? said : code);
  }
}

function told(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return String(value);
  return (value as LockGuard).ownerDied ? "owner died" : "locked";
}
