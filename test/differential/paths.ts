// Where the operations that take a path have it, and which FIFO it leads to.

import { text } from "./family.ts";
import type { Input, Operation } from "./operation.ts";

/** Every path lies here in scratch memory. */
export const PATH = 4096;

export const pathInput = (path: string): Input => ({ at: PATH, value: text(path) });

/** The path that an operation brings. */
export function pathIn({ inputs = [] }: Operation): string {
  const value = inputs.find(({ at }) => at === PATH)?.value;
  return value instanceof Uint8Array ? Buffer.from(value).toString("latin1").replace(/\0$/, "") : "";
}

/** The name of the FIFO that a path could lead to; undefined for a path that leads to none. */
export function fifoIn(path: string): string | undefined {
  const parts = path.split("/").filter((part) => part !== "" && part !== "." && part !== "..");
  return parts.length === 1 && !path.endsWith("/") && !/\/\.\.?$/.test(path) ? parts[0] : undefined;
}

/** Whether a path leads to the directory itself. */
export const isDirectory = (path: string): boolean =>
  path !== "" && path.split("/").every((part) => part === "" || part === "." || part === "..");
