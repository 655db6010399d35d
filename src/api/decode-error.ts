// The error of a typed queue whose message is no value of its codec.

import { EBADMSG } from "../abi/errno.ts";
import type { TypedMessage } from "./codecs.ts";
import { IpcError, nameErrors } from "./ipc-error.ts";
import type { Message } from "./message-queue.ts";

/**
 * A message was received whose bytes the queue's codec cannot decode: EBADMSG (errno(3)), with what the codec threw as its `cause`. The message
 * is taken from the queue, so that the next receive gets the next; its bytes are here.
 */
export class DecodeError extends IpcError {
  /** What was received and could not be decoded, as it was sent: at least one message. */
  readonly undecoded: readonly [Message, ...Message[]];
  /** What else the same batch has received, decoded, in its order. Empty where it was no batch. */
  readonly decoded: readonly TypedMessage<unknown>[];

  static {
    nameErrors(DecodeError, "DecodeError");
  }

  /** Made by TypedQueue. @internal */
  constructor(
    object: string,
    undecoded: readonly [Message, ...Message[]],
    decoded: readonly TypedMessage<unknown>[],
    cause: unknown,
  ) {
    const [{ data, sender }] = undecoded;
    const why = cause instanceof Error ? cause.message : String(cause);
    const remedy = `the codec cannot decode the ${data.length} bytes that task ${sender} sent (${why}); they are taken, and in error.undecoded`;
    super(EBADMSG, "msgrcv", object, remedy, { cause });
    this.undecoded = undecoded;
    this.decoded = decoded;
  }
}
