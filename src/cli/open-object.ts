// Opening the objects that a command line names, and saying what else there is where they are not there.

import { IpcError } from "../api/ipc-error.ts";
import type { Kernel } from "../api/kernel.ts";
import type { ObjectKind } from "../api/object-kinds.ts";
import type { Arguments } from "./arguments.ts";
import { Failure } from "./failure.ts";
import { findObject } from "./find-object.ts";
import { lookAt } from "./looks.ts";
import { parseObjectName } from "./object-name.ts";

/** A name or a key, for the calls of the API. */
export type Address = { readonly name: string } | { readonly key: number };

/** Where an object is to be made that a word names. */
export function addressOfNew(given: Arguments, text: string, kinds: readonly ObjectKind[]): Address {
  return typedAddress(given, text, kinds) ?? refuseId(given, text);
}

/** The same, of a kind that has names alone. */
export function nameOfNew(given: Arguments, text: string, kind: ObjectKind): string {
  const address = addressOfNew(given, text, [kind]);
  if ("name" in address) return address.name;
  throw given.wrong(`a ${kind} has a name, not a key as "${text}" is: type that`);
}

/** The address of the object that a word names; one of an id is looked for. */
export function addressOf(kernel: Kernel, given: Arguments, text: string, kinds: readonly ObjectKind[]): Address {
  const typed = typedAddress(given, text, kinds);
  if (typed) return typed;
  const found = addressIn(findObject(given, lookAt(nameOfKernel(kernel)), text, kinds));
  return found ?? fail(`"${text}" has neither a name nor a key: only tasks that have it open lead to it`);
}

/** Opens the object that a word names by its address; where it is not there, that is a Failure that says what there is. */
export async function openObject<T>(
  kernel: Kernel,
  given: Arguments,
  text: string,
  kinds: readonly ObjectKind[],
  open: (address: Address) => T | Promise<T>,
): Promise<T> {
  try {
    return await open(addressOf(kernel, given, text, kinds));
  } catch (error) {
    if (!isMissing(error)) throw error;
    findObject(given, lookAt(nameOfKernel(kernel)), text, kinds);
    throw error; // it has come meanwhile
  }
}

/** The same, of a kind that has names alone. */
export function openNamed<T>(
  kernel: Kernel,
  given: Arguments,
  text: string,
  kind: ObjectKind,
  open: (name: string) => T | Promise<T>,
): Promise<T> {
  return openObject(kernel, given, text, [kind], (address) =>
    open("name" in address ? address.name : nameOfNew(given, text, kind)),
  );
}

export const labelOf = (address: Address): string =>
  "name" in address ? JSON.stringify(address.name) : `with key 0x${(address.key >>> 0).toString(16)}`;

/** What was opened; undefined where there is none. */
export function ifThere<T>(open: () => T): T | undefined {
  try {
    return open();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

const isMissing = (error: unknown): boolean => error instanceof IpcError && error.code === "ENOENT";

/** System V's: they have keys, and no names. */
const KEYED: readonly ObjectKind[] = ["sysv-queue", "semaphore-set"];

function typedAddress(given: Arguments, text: string, kinds: readonly ObjectKind[]): Address | undefined {
  const typed = parseObjectName(given, text, kinds);
  if (typed.name !== undefined && typed.kinds?.every((kind) => KEYED.includes(kind))) {
    throw given.wrong(`a ${typed.kinds[0]} has a key and no name: type key:0xKEY, not "${text}"`);
  }
  return addressIn(typed);
}

function addressIn({ name, key }: { readonly name?: string | undefined; readonly key?: number | undefined }) {
  if (name !== undefined) return { name };
  return key === undefined ? undefined : { key };
}

/** A command's kernel lives in a file, and so has a name. */
const nameOfKernel = ({ handle }: Kernel): string => ("name" in handle ? handle.name : "");

function refuseId(given: Arguments, text: string): never {
  throw given.wrong(`"${text}" is the id of one that is there: type a name or a key`);
}

function fail(message: string): never {
  throw new Failure(message);
}
