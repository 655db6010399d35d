// The options of commands that wait, and what is said when the time has passed.

import { IpcError } from "../api/ipc-error.ts";
import type { Arguments } from "./arguments.ts";
import { Failure } from "./failure.ts";
import type { Options } from "./option.ts";

export const waitingOptions: Options = {
  timeout: {
    type: "string",
    short: "w",
    value: "SECONDS",
    description: "wait so long at most, such as 0.5; then fail",
  },
  nonblock: { type: "boolean", short: "n", description: "do not wait at all" },
};

/** How long a command may wait, for the calls of the API: 0 not at all; nothing for ever. */
export interface Patience {
  readonly timeout?: number;
}

export function patienceOf(given: Arguments): Patience {
  const seconds = given.number("timeout", { whole: false });
  if (given.has("nonblock")) {
    if (seconds !== undefined) throw given.wrong("--timeout and --nonblock exclude each other: type one of them");
    return { timeout: 0 };
  }
  return seconds === undefined ? {} : { timeout: seconds * 1000 };
}

/** Waits; where the time passes first, that is a Failure: what was in the way, and for how long. */
export async function patiently<T>(wait: Promise<T>, { timeout }: Patience, inTheWay: () => string): Promise<T> {
  try {
    return await wait;
  } catch (error) {
    if (!(error instanceof IpcError && error.code === "ETIMEDOUT")) throw error;
    throw new Failure(timeout ? `${inTheWay()} after ${timeout / 1000} s` : inTheWay());
  }
}
