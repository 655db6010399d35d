// What turns values into the bytes of messages and back, for queues that are typed. A queue itself knows nothing of it.

import { deserialize, serialize } from "node:v8";

/**
 * Turns values into a message's bytes, and back. One's own is two functions:
 * `{ encode: (job) => …, decode: (bytes) => … }`.
 */
export interface Codec<T> {
  /**
   * The bytes of a value: an array that is not changed afterwards, as a send that waits reads it later. What it throws makes the
   * send fail with a TypeError.
   */
  encode(value: T): Uint8Array;
  /**
   * The value of a message's bytes. They may be a part of a larger buffer that holds other messages, as a Buffer's may: mind
   * `byteOffset`, and copy what is to be kept. What it throws makes the receive fail with a DecodeError.
   */
  decode(bytes: Uint8Array): T;
}

/** A message of a typed queue, received and decoded. */
export interface TypedMessage<T> {
  /** What was sent, or what the codec makes of it. */
  readonly data: T;
  /** The pid, in the kernel, of the task that sent it. */
  readonly sender: number;
  /** The type it was sent with, 1 where the sender named none (msgop(2)). */
  readonly type: number;
  /** The priority it was sent with, 0 where the sender named none (mq_overview(7)). */
  readonly priority: number;
}

/** Says whether a value that was decoded is one that was meant: returns it, or throws. A schema's `parse` will do. */
export type Check<T> = (value: unknown) => T;

/**
 * JSON (RFC 8259) in UTF-8. A value that JSON has no text for, such as a function, undefined, a bigint or a ring of objects, is a
 * TypeError; what JSON.stringify leaves out or changes is left out or changed: undefined in an object, NaN, a Map.
 * @param check what makes sure of the type of what comes; without it none is looked at
 */
export function json<T = unknown>(check?: Check<T>): Codec<T> {
  const verify = checkOf(check);
  return {
    encode: (value) => {
      const written = JSON.stringify(value) as string | undefined;
      if (written === undefined) throw new TypeError(`JSON has no text for ${typeof value}`);
      return Buffer.from(written, "utf8");
    },
    decode: (bytes) => verify(JSON.parse(decoder.decode(bytes))),
  };
}

/**
 * The structured clone of the engine (node:v8, `serialize`): what `postMessage` can send without transferring, among it Map, Set,
 * Date, bigint, RegExp, Error, typed arrays, undefined and rings of objects. A function, a symbol or a SharedArrayBuffer is a
 * TypeError. Of a typed array its own bytes are sent, and those of a Buffer come as a Buffer. A newer Node reads what an older one
 * has written; the other way round is not promised by the engine.
 * @param check what makes sure of the type of what comes; without it none is looked at
 */
export function structured<T = unknown>(check?: Check<T>): Codec<T> {
  const verify = checkOf(check);
  return { encode: serialize, decode: (bytes) => verify(deserialize(ownBytes(bytes))) };
}

/**
 * Strings, in UTF-8. One that holds half of a surrogate pair alone is a TypeError, and bytes that are no UTF-8 a DecodeError:
 * nothing is replaced.
 */
export function text(): Codec<string> {
  return {
    encode: (value) => {
      if (typeof value !== "string") throw new TypeError(`it must be a string, not ${typeof value}`);
      if (!value.isWellFormed()) throw new TypeError("UTF-8 has no bytes for half of a surrogate pair");
      return Buffer.from(value, "utf8");
    },
    decode: (bytes) => decoder.decode(bytes),
  };
}

/** A byte order mark is a character like others: what was sent is what comes. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Arrays in what is deserialized are views of what it was deserialized from, and so must not be of a pool. */
const ownBytes = (bytes: Uint8Array): Uint8Array =>
  bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();

function checkOf<T>(check: Check<T> | undefined): Check<T> {
  if (check === undefined) return (value) => value as T;
  if (typeof check !== "function") throw new TypeError("codec: the check must be a function");
  return check;
}

/** A codec, or a TypeError. */
export function checkCodec(codec: unknown): asserts codec is Codec<unknown> {
  const { encode, decode } = (codec ?? {}) as Partial<Codec<unknown>>;
  if (typeof encode !== "function" || typeof decode !== "function")
    throw new TypeError("msgget: the codec must be { encode, decode }, such as json()");
}
