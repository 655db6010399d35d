// What a task of the differential test is told when it begins.

export interface TaskStart {
  /** How many parts the mailbox has, and which is this task's. */
  readonly slots: number;
  readonly index: number;
  readonly parentPid: number;
  /** How many descriptors a test may have open. */
  readonly descriptors: number;
  /** A key that no object has. */
  readonly freeKey: number;
  /** Of a task of our kernel. */
  readonly kernelName?: string;
  /** Of a task of Linux: its root, if it may have one, and its working directory. */
  readonly directory?: string;
}

/** Makes the call that the mailbox asks for, and marks what it does. */
export interface Maker {
  make(): void;
}

/** A task's first descriptor that is not the host's. Linux's tasks have all below theirs taken. */
export const FIRST_DESCRIPTOR_OF_OURS = 3;
export const FIRST_DESCRIPTOR_OF_LINUX = 64;

/** The result of a call that threw, which none may. */
export const THREW = -9999;

/** The descriptor that a task finds the mailbox at: behind the standard streams and the channel to its parent. */
export const MAILBOX_DESCRIPTOR = 4;
