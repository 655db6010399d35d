// Opening the objects that a command line names.

import { IpcError } from "../api/ipc-error.ts";
import type { Kernel } from "../api/kernel.ts";
import type { QueueOptions } from "../api/kernel-options.ts";
import type { MessageQueue } from "../api/message-queue.ts";
import type { ObjectKind } from "../api/object-kinds.ts";
import type { Arguments } from "./arguments.ts";
import { Failure } from "./failure.ts";
import { parseObjectName } from "./object-name.ts";

/** A name or a key, for the calls of the API. */
export type Address = { readonly name: string } | { readonly key: number };

/** Where an object is that a word of a command line names. */
export function addressOf(given: Arguments, text: string, kinds: readonly ObjectKind[]): Address {
  const { name, key } = parseObjectName(given, text, kinds);
  if (name !== undefined) return { name };
  if (key !== undefined) return { key };
  throw given.wrong(`"${text}" is an id: type a name or a key`);
}

/** The name of an object of a kind that has names alone. */
export function nameOf(given: Arguments, text: string, kind: ObjectKind): string {
  const { name } = parseObjectName(given, text, [kind]);
  if (name === undefined) throw given.wrong(`a ${kind} has a name, not a key or an id as "${text}" is: type that`);
  return name;
}

export function queueAddress(given: Arguments, text: string): Address {
  const address = addressOf(given, text, ["queue", "sysv-queue"]);
  const isSysv = parseObjectName(given, text, ["queue", "sysv-queue"]).kinds?.includes("queue") === false;
  if ("name" in address && isSysv) {
    throw given.wrong(`a System V queue has a key, not a name: type key:0xKEY, not "${text}"`);
  }
  return address;
}

/** Opens a queue; with options it is made where it is not there. */
export function openQueue(kernel: Kernel, address: Address, making?: QueueOptions): MessageQueue {
  const queue = ifThere(() => kernel.queue({ ...making, ...address }));
  return queue ?? missing(`queue ${labelOf(address)}`, "fanga send --create makes one");
}

export const labelOf = (address: Address): string =>
  "name" in address ? JSON.stringify(address.name) : `with key 0x${(address.key >>> 0).toString(16)}`;

/** Whether a queue's name or key still leads to it. */
export function isLinked(kernel: Kernel, queue: MessageQueue, address: Address): boolean {
  const found = ifThere(() => kernel.queue(address));
  if (!found) return false;
  using now = found;
  return now.token.objectIndex === queue.token.objectIndex && now.token.generation === queue.token.generation;
}

/** What was opened; undefined where there is none. */
export function ifThere<T>(open: () => T): T | undefined {
  try {
    return open();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

export const isMissing = (error: unknown): boolean => error instanceof IpcError && error.code === "ENOENT";

/** It is not there: how it comes to be. */
export function missing(what: string, remedy: string): never {
  throw new Failure(`there is no ${what}: ${remedy}`);
}
