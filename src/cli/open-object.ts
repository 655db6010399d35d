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

/** What a word of the command line names, read before anything is opened. */
export interface Target {
  readonly given: Arguments;
  readonly text: string;
  /** It is of one of these kinds. */
  readonly kinds: readonly ObjectKind[];
  /** Undefined where its id was typed. */
  readonly address: Address | undefined;
}

/** System V's: they have keys, and no names. */
const KEYED: readonly ObjectKind[] = ["sysv-queue", "semaphore-set"];
const mayHaveKey = (kind: ObjectKind): boolean => KEYED.includes(kind) || kind === "shm";

/** @throws UsageError where no object of these kinds can be called that */
export function targetOf(given: Arguments, text: string, kinds: readonly ObjectKind[]): Target {
  const { name, key, kinds: typed = kinds } = parseObjectName(given, text, kinds);
  const [kind] = typed;
  if (name !== undefined && typed.every((one) => KEYED.includes(one))) {
    throw given.wrong(`a ${kind} has a key and no name: type key:0xKEY, not "${text}"`);
  }
  if (key !== undefined && !typed.some(mayHaveKey)) {
    throw given.wrong(`a ${kind} has a name and no key: type its name, not "${text}"`);
  }
  return { given, text, kinds, address: name !== undefined ? { name } : key !== undefined ? { key } : undefined };
}

/** Where an object is to be made. @throws UsageError */
export function addressOfNew(given: Arguments, text: string, kinds: readonly ObjectKind[]): Address {
  const { address } = targetOf(given, text, kinds);
  if (address) return address;
  throw given.wrong(
    `"${text}" is the id of one that is there: type a name${kinds.some(mayHaveKey) ? " or key:0xKEY" : ""}`,
  );
}

/** Its name, where it is of a kind that has names alone. */
export const nameIn = (address: Address): string => ("name" in address ? address.name : "");

export const labelOf = (address: Address): string =>
  "name" in address ? JSON.stringify(address.name) : `with key 0x${(address.key >>> 0).toString(16)}`;

/** The address of an object that is there; one whose id was typed is looked for. */
export function addressOf(kernel: Kernel, { given, text, kinds, address }: Target): Address {
  if (address) return address;
  const { name, key } = findObject(given, lookAt(nameOfKernel(kernel)), text, kinds);
  if (name !== undefined) return { name };
  if (key !== undefined) return { key };
  throw new Failure(`"${text}" has neither a name nor a key: only tasks that have it open lead to it`);
}

/**
 * Opens an object by its address; where it is not there, that is a Failure which says what there is, and that `maker` makes one.
 */
export async function openObject<T>(
  kernel: Kernel,
  target: Target,
  maker: string,
  open: (address: Address) => T | Promise<T>,
): Promise<T> {
  const address = addressOf(kernel, target);
  try {
    return await open(address);
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw whatThereIs(kernel, target, maker) ?? error; // or it has come meanwhile
  }
}

function whatThereIs(kernel: Kernel, { given, text, kinds }: Target, maker: string): Failure | undefined {
  try {
    findObject(given, lookAt(nameOfKernel(kernel)), text, kinds);
    return undefined;
  } catch (error) {
    if (error instanceof Failure) return new Failure(`${error.message}; ${maker} makes one`);
    throw error;
  }
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

const isMissing = (error: unknown): boolean => error instanceof IpcError && error.code === "ENOENT";

/** A command's kernel lives in a file, and so has a name. */
const nameOfKernel = ({ handle }: Kernel): string => ("name" in handle ? handle.name : "");
