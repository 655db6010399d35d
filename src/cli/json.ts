// Output for programs.

import { namesOf } from "../api/signal-names.ts";

export const jsonOption = {
  json: { type: "boolean", description: "print JSON" },
} as const;

/** JSON on lines of its own; a set of signals becomes their names. */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value, (_, one) => (typeof one === "bigint" ? namesOf(one) : one), 2);
  return `${text}\n`;
}

/** A time as JSON has none: ISO 8601. */
export const isoTime = (ms: number | undefined): string | null =>
  ms === undefined ? null : new Date(ms).toISOString();
