// Names and keys as callers give them: checked, and as the registry wants them.

import { EACCES, EINVAL, ENAMETOOLONG } from "../abi/errno.ts";
import { NAME_BYTES_MAX } from "../abi/limits.ts";
import type { Address } from "../kernel/registry.ts";
import { kinds } from "../memory/layout.ts";
import { IpcError } from "./ipc-error.ts";
import type { QueueOptions } from "./kernel-options.ts";
import { checkCount } from "./options.ts";

const encoder = new TextEncoder();

export function addressOf(kind: number, name: unknown, syscall: string, what: string): Address {
  if (typeof name !== "string") throw new TypeError(`${syscall}: a ${what}'s name must be a string`);
  const label = `${what} ${JSON.stringify(name)}`;
  const bytes = encoder.encode(name);
  if (bytes.length === 0) throw new IpcError(EINVAL, syscall, label, "a name must not be empty");
  if (bytes.length > NAME_BYTES_MAX) {
    throw new IpcError(
      ENAMETOOLONG,
      syscall,
      label,
      `a name has at most ${NAME_BYTES_MAX} bytes, this one ${bytes.length}`,
    );
  }
  if (/[/\0]/.test(name)) throw new IpcError(EACCES, syscall, label, 'a name holds no "/" and no NUL');
  return { kind, name: bytes };
}

export function queueAddress(options: QueueOptions): { address: Address; label: string } {
  return objectAddress(options, "msgget", "queue", kinds.QUEUE, kinds.SYSV_QUEUE);
}

/** Where an object of a name, a key, or neither is, and what errors call it. */
export function objectAddress(
  { name, key }: { readonly name?: string | undefined; readonly key?: number | undefined },
  syscall: string,
  what: string,
  namedKind: number,
  keyedKind: number,
): { address: Address; label: string } {
  if (name !== undefined && key !== undefined)
    throw new TypeError(`${syscall}: a ${what} has a name or a key, not both`);
  if (name !== undefined) {
    return { address: addressOf(namedKind, name, syscall, what), label: `${what} ${JSON.stringify(name)}` };
  }
  if (key === undefined) return { address: { kind: namedKind }, label: what };
  checkCount(key, "key", 1, 0x7fffffff, syscall);
  return { address: { kind: keyedKind, key }, label: `${what} with key ${key}` };
}
