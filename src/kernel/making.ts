// How each kind of object is made: sizes, and what is written into its memory before anybody sees it.

import type { Words } from "../memory/words.ts";
import { BARRIER_BODY_BYTES, Barrier } from "../objects/barrier.ts";
import { CONDITION_BODY_BYTES } from "../objects/condition.ts";
import { MessageRing, QUEUE_BODY_BYTES, type QueueShape, slotsFor } from "../objects/message-ring.ts";
import { slotsBytes } from "../objects/message-slots.ts";
import { MUTEX_BODY_BYTES, Mutex } from "../objects/mutex.ts";
import { PIPE_BODY_BYTES, Pipe } from "../objects/pipe.ts";
import { ReadWriteLock, RWLOCK_BODY_BYTES, readersBytes } from "../objects/rwlock.ts";
import { SEMAPHORE_BODY_BYTES, Semaphore } from "../objects/semaphore.ts";
import { SemaphoreSet, setBodyBytes } from "../objects/semaphore-set.ts";
import { SEGMENT_BODY_BYTES, Segment, segmentBlockBytes } from "../objects/shared-memory.ts";
import { SIGNAL_FILE_BODY_BYTES, SignalFile } from "../objects/signal-file.ts";
import type { Making } from "./opening.ts";

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

export function makingSemaphore(words: Words, value: number, mode: number): Making {
  return ofOneLine(SEMAPHORE_BODY_BYTES, mode, (bodyLine) => Semaphore.format(words, bodyLine, value));
}

/** `type` is one of `mutexTypes`. */
export function makingMutex(words: Words, type: number, mode: number): Making {
  return ofOneLine(MUTEX_BODY_BYTES, mode, (bodyLine) => Mutex.format(words, bodyLine, type));
}

export function makingCondition(mode: number): Making {
  return ofOneLine(CONDITION_BODY_BYTES, mode, () => {});
}

export function makingBarrier(words: Words, parties: number, mode: number): Making {
  return ofOneLine(BARRIER_BODY_BYTES, mode, (bodyLine) => Barrier.format(words, bodyLine, parties));
}

export function makingSignalFile(words: Words, signals: bigint, mode: number): Making {
  return ofOneLine(SIGNAL_FILE_BODY_BYTES, mode, (bodyLine) => SignalFile.format(words, bodyLine, signals));
}

export function makingRwlock(words: Words, tasksMax: number, mode: number): Making {
  return {
    bodyBytes: RWLOCK_BODY_BYTES,
    blockBytes: readersBytes(tasksMax),
    format: (bodyLine, blockLine) => ReadWriteLock.format(words, bodyLine, blockLine),
    mode,
  };
}

const ofOneLine = (bodyBytes: number, mode: number, format: (bodyLine: number) => void): Making => ({
  bodyBytes,
  blockBytes: 0,
  format,
  mode,
});

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
