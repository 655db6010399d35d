// Becoming another program (execve(2)), through koffi: node:child_process can start one, but not ready its process for it.

import { createRequire } from "node:module";

type Koffi = typeof import("koffi");

export interface Becoming {
  /** Has Linux send this process SIGKILL when the thread ends that started it, whatever program it is then (PR_SET_PDEATHSIG, prctl(2)). */
  dieWithParent(): void;
  /**
   * Puts a program in this one's place, found as execvp(3) does, with the standard streams and the environment as they are now, and
   * no signal ignored. Returns only where that cannot be done: a negative errno.
   */
  become(words: readonly string[]): number;
}

const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;
const F_SETFD = 2;
const SIG_DFL = 0;
/** Those that Node ignores from its start: a program would inherit that. */
const IGNORED_BY_NODE = [13, 25]; // SIGPIPE, SIGXFSZ
const STANDARD_STREAMS = [0, 1, 2];

/** Throws where koffi is not there. */
export function becoming(): Becoming {
  const koffi = createRequire(import.meta.url)("koffi") as Koffi;
  const library = koffi.load(null as unknown as string);
  const prctl = library.func("int prctl(int option, unsigned long argument)");
  const fcntl = library.func("int fcntl(int fd, int command, int argument)");
  const signal = library.func("intptr_t signal(int signal, intptr_t handler)");
  const execvp = library.func("int execvp(const char *file, const char **words)");
  return {
    dieWithParent: () => {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
    },
    become: (words) => {
      for (const number of IGNORED_BY_NODE) signal(number, SIG_DFL);
      for (const descriptor of STANDARD_STREAMS) fcntl(descriptor, F_SETFD, 0); // Node lets them close on exec
      execvp(words[0], [...words, null]);
      return -koffi.errno();
    },
  };
}
