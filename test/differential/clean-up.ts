// What a sequence may have left, found from its operations alone.

import { call } from "./family.ts";
import type { Operation } from "./operation.ts";

/** Removes or closes everything that got a symbol. */
export function cleanUpOf(operations: readonly Operation[]): Operation[] {
  const found: Operation[] = [];
  for (const { task, name, result, made } of operations) {
    const symbol = typeof result === "object" ? result.symbol : undefined;
    if (name === "msgget" && symbol) found.push(call(0, "msgctl", [{ symbol }, 0, 0]));
    else if (name === "shmget" && symbol) found.push(call(0, "shmctl", [{ symbol }, 0, 0]));
    else if (name === "shmat" && symbol) found.push(call(task, "shmdt", [{ symbol }]));
    else if (symbol) found.push(call(task, "close", [{ symbol }]));
    for (const one of made ?? []) found.push(call(task, "close", [{ symbol: one.symbol }]));
  }
  return found;
}
