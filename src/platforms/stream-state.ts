// Whether anybody still reads what is written to a stream of the host's: poll(2), through koffi, as node:fs cannot ask.

import { createRequire } from "node:module";
import { POLLERR, POLLHUP } from "../abi/flags.ts";

type Koffi = typeof import("koffi");

/** A struct pollfd: the descriptor, and in the two halves of the next word the events asked for and told. */
const POLLFD_WORDS = 2;
const TOLD_SHIFT = 16;

/** A look at a descriptor: false once the other end of a pipe or socket is closed. Throws where koffi is not there. */
export function watchReaders(descriptor: number): () => boolean {
  const koffi = createRequire(import.meta.url)("koffi") as Koffi;
  const poll = koffi
    .load(null as unknown as string)
    .func("int poll(_Inout_ int *descriptors, unsigned long count, int timeout)");
  return () => {
    const pollfd = new Int32Array(POLLFD_WORDS);
    pollfd[0] = descriptor;
    poll(pollfd, 1, 0);
    return (((pollfd[1] as number) >> TOLD_SHIFT) & (POLLERR | POLLHUP)) === 0;
  };
}
