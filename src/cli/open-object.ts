// Opening the objects that a command line names.

import { IpcError } from "../api/ipc-error.ts";
import type { Kernel } from "../api/kernel.ts";
import type { QueueOptions } from "../api/kernel-options.ts";
import type { MessageQueue } from "../api/message-queue.ts";
import type { Arguments } from "./arguments.ts";
import { Failure } from "./failure.ts";
import { type ObjectName, parseObjectName } from "./object-name.ts";

/** A name or a key, for the calls of the API. */
export type Address = { readonly name: string } | { readonly key: number };

/** Opens a queue; with options it is made where it is not there. */
export function openQueue(kernel: Kernel, address: Address, making?: QueueOptions): MessageQueue {
  const label = "name" in address ? `queue "${address.name}"` : `queue with key 0x${address.key.toString(16)}`;
  return opened(label, "fanga send --create makes one", () => kernel.queue({ ...making, ...address }));
}

/** Where the queue is that a word of a command line names. */
export function queueAddress(given: Arguments, text: string): Address {
  const name = parseObjectName(given, text, ["queue", "sysv-queue"]);
  const address = addressOf(given, name);
  if ("name" in address && name.kinds?.includes("queue") === false) {
    throw given.wrong(`a System V queue has a key, not a name: type key:0xKEY, not "${text}"`);
  }
  return address;
}

export function addressOf(given: Arguments, { name, key, text }: ObjectName): Address {
  if (name !== undefined) return { name };
  if (key !== undefined) return { key };
  throw given.wrong(`"${text}" is an id: type a name or a key`);
}

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
    if (error instanceof IpcError && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Opens something; where it is not there, that is a Failure which says how it comes to be. */
export function opened<T>(what: string, remedy: string, open: () => T): T {
  const found = ifThere(open);
  if (found === undefined) throw new Failure(`there is no ${what}: ${remedy}`);
  return found;
}
