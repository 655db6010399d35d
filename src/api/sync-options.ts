// What the handles of semaphores, locks, condition variables and barriers have in common: how they are opened, and their tokens.

import type { ObjectToken } from "../kernel/opening.ts";

/** How a semaphore, lock, condition variable or barrier is opened or made. */
export interface LockOptions {
  /** A name, up to 255 bytes without "/"; each kind of object has its own names. Without one only a token leads to it. */
  readonly name?: string | undefined;
  /** Make it where there is none; one without a name is always made. */
  readonly create?: boolean | undefined;
  /** With `create`: fail with EEXIST where there is one. */
  readonly exclusive?: boolean | undefined;
  /** Who may open a new one, less the umask; default 0o600. */
  readonly mode?: number | undefined;
}

/** Opens the same object in another task of the kernel, by `kernel.openToken`, while somebody has it open. */
export interface LockToken<Kind extends string> extends ObjectToken {
  /** What kind of object it leads to. */
  readonly end: Kind;
}
