// What objects, descriptors and tasks are made with, and what opening them gives: the words that the parts of the kernel share.

import type { Identity } from "../tasks/credentials.ts";
import type { Description, Descriptor } from "../tasks/descriptors.ts";

/** What an open descriptor leads to. */
export interface Opened {
  readonly descriptor: Descriptor;
  readonly objectIndex: number;
  readonly bodyLine: number;
  readonly generation: number;
  /** For a FIFO's opener: how often the other end had been opened before. */
  readonly otherOpened: number;
}

/** What a descriptor of this task names. */
export interface OpenFile {
  /** Undefined for a stream of the host's. */
  readonly description: Description | undefined;
  /** The host's descriptor, or -1. */
  readonly hostStream: number;
  readonly objectIndex: number;
  /** A value of `kinds`; 0 for a stream of the host's. */
  readonly kind: number;
  /** A mask of `access`. */
  readonly access: number;
  /** O_NONBLOCK and the like. */
  readonly flags: number;
}

/**
 * Names an object to another task of the same kernel: plain data, to be posted, sent or written as JSON. It is good while somebody has
 * the object open.
 */
export interface ObjectToken {
  /** Where the object is in the kernel's table. */
  readonly objectIndex: number;
  /** Which of the objects that have been there. */
  readonly generation: number;
}

/** How an object is made: its body and one block of its own, and what is written there before anybody sees it. */
export interface Making {
  readonly bodyBytes: number;
  readonly blockBytes: number;
  readonly format: (bodyLine: number, blockLine: number) => void;
  readonly mode: number;
}

/** How an object is opened. */
export interface Opening {
  /** A mask of READ and WRITE. */
  readonly access: number;
  readonly flags?: number;
  readonly closeOnExec?: boolean;
  /** Make it where it is not there. */
  readonly create?: Making | undefined;
  /** With `create`: EEXIST where it is there. */
  readonly exclusive?: boolean;
  /** Looks at one that is there, and may refuse with a negative errno. */
  readonly admit?: (objectIndex: number) => number;
}

/** What a task is attached with. */
export interface Attachment {
  readonly parentPid: number;
  /** The parent's, or the host's, where absent. */
  readonly identity?: Partial<Identity> | undefined;
  /** Take over the parent's descriptors, save those that close on exec. */
  readonly inherit?: boolean | undefined;
  /** Of a task that its parent has made with `reserveChild`: then all else has been seen to. */
  readonly pid?: number | undefined;
}

/** What a child is made with. */
export interface ChildAttachment {
  /** The parent's where absent. */
  readonly identity?: Partial<Identity> | undefined;
  /**
   * Which of the parent's descriptors it gets, by its own numbers; where absent, the host's streams and all that do not close on
   * exec.
   */
  readonly descriptors?: ReadonlyMap<number, number> | undefined;
  /** Signals that it blocks, and that it ignores. */
  readonly blocked: bigint;
  readonly ignored: bigint;
  /** 0: a group of its own; where absent, the parent's. */
  readonly processGroup?: number | undefined;
}
