// What tests expect, in one word each.

import assert from "node:assert/strict";
import { type ErrnoName, IpcError } from "../src/index.ts";

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (data: Uint8Array): string => Buffer.from(data).toString("utf8");

/** For assert.throws and assert.rejects: an IpcError of this code, whose message names the call and what else is given. */
export function ipcError(code: ErrnoName, syscall: string, ...named: (string | RegExp)[]): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof IpcError, `an IpcError, not ${String(error)}`);
    assert.equal(error.code, code, error.message);
    assert.equal(error.syscall, syscall);
    assert.ok(error.errno < 0);
    assert.ok(error.message.startsWith(`${code}: `), error.message);
    for (const part of [syscall, ...named]) {
      const found = typeof part === "string" ? error.message.includes(part) : part.test(error.message);
      assert.ok(found, `"${error.message}" names ${String(part)}`);
    }
    return true;
  };
}

/** A programmer's mistake: a TypeError that names the call. */
export function typeError(...named: (string | RegExp)[]): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof TypeError, `a TypeError, not ${String(error)}`);
    for (const part of named) {
      const found = typeof part === "string" ? error.message.includes(part) : part.test(error.message);
      assert.ok(found, `"${error.message}" names ${String(part)}`);
    }
    return true;
  };
}

/** The code of what a call throws, for tasks to report. */
export async function codeOf(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    return error instanceof IpcError ? error.code : String(error);
  }
  return "nothing";
}

/** Bytes that differ from their neighbours at every distance up to 250: a byte out of place shows. */
export function pattern(length: number, start = 0): Uint8Array {
  const data = new Uint8Array(length);
  for (let i = 0; i < length; i++) data[i] = (start + i) % 251;
  return data;
}

/** The message that ends a receiver. */
export const LAST = "last";

/** A record: how long it is, who wrote it, which of his it is, and then bytes that all say who. */
export const RECORD_HEADER_BYTES = 8;

/** That two byte arrays hold the same; says where they part, instead of listing both. */
export function assertSameBytes(actual: unknown, expected: Uint8Array): void {
  assert.ok(actual instanceof Uint8Array, "bytes");
  assert.equal(actual.length, expected.length, "as many bytes");
  assert.equal(
    actual.findIndex((byte, i) => byte !== expected[i]),
    -1,
    "the first byte that differs",
  );
}
