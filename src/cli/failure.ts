// What goes wrong for a user: a line on standard error and an exit code, never a stack trace.

/** The command line is wrong: exit code 2. The message says what was wrong, and what to type instead. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What was asked for could not be done: exit code 1. */
export class Failure extends Error {
  override readonly name = "Failure";
}

export const EXIT_OK = 0;
export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;
/** A shell's code of a command that a signal has ended: this and the signal's number. */
export const EXIT_SIGNALLED = 128;
/** Nobody reads the output any more: what SIGPIPE, which Node ignores, would end others with. */
export const EXIT_SIGPIPE = EXIT_SIGNALLED + 13;
