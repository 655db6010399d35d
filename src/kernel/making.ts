// How each kind of object is made: sizes, and what is written into its memory before anybody sees it.

import type { Words } from "../memory/words.ts";
import { MessageRing, QUEUE_BODY_BYTES, type QueueShape, slotsFor } from "../objects/message-ring.ts";
import { slotsBytes } from "../objects/message-slots.ts";
import { PIPE_BODY_BYTES, Pipe } from "../objects/pipe.ts";
import { SemaphoreSet, setBodyBytes } from "../objects/semaphore-set.ts";
import { SEGMENT_BODY_BYTES, Segment, segmentBlockBytes } from "../objects/shared-memory.ts";
import type { Making } from "./system.ts";

/** `capacity` in bytes, a power of two. */
export function makingPipe(words: Words, capacity: number, mode: number): Making {
  return {
    bodyBytes: PIPE_BODY_BYTES,
    blockBytes: capacity,
    format: (bodyLine, blockLine) => Pipe.format(words, bodyLine, blockLine, capacity),
    mode,
  };
}

export function makingQueue(words: Words, shape: QueueShape, mode: number): Making {
  return {
    bodyBytes: QUEUE_BODY_BYTES,
    blockBytes: slotsBytes(slotsFor(shape), shape.messageBytesMax),
    format: (bodyLine, blockLine) => MessageRing.format(words, bodyLine, blockLine, shape),
    mode,
  };
}

export function makingSegment(words: Words, bytes: number, mode: number): Making {
  return {
    bodyBytes: SEGMENT_BODY_BYTES,
    blockBytes: segmentBlockBytes(bytes),
    format: (bodyLine, blockLine) => Segment.format(words, bodyLine, blockLine, bytes),
    mode,
  };
}

/** `count` in semaphores. */
export function makingSemaphoreSet(words: Words, count: number, mode: number): Making {
  return {
    bodyBytes: setBodyBytes(count),
    blockBytes: 0,
    format: (bodyLine) => SemaphoreSet.format(words, bodyLine, count),
    mode,
  };
}
