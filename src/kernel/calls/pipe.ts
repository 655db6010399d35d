// Making pipes: pipe, pipe2 (pipe(2)).

import { EFAULT, EINVAL, EMFILE } from "../../abi/errno.ts";
import { O_CLOEXEC, O_NONBLOCK } from "../../abi/flags.ts";
import { PIPE_BYTES_DEFAULT } from "../../abi/limits.ts";
import { access, kinds } from "../../memory/layout.ts";
import { makingPipe } from "../making.ts";
import type { Opened } from "../opening.ts";
import { type Argument, type Caller, int, size } from "./call.ts";
import { freeDescriptors } from "./descriptor.ts";

const PIPE_MODE = 0o600;
const PIPEFD_BYTES = 8;

export function pipe(caller: Caller, ...[pointer]: Argument[]): number {
  return pipe2(caller, pointer as Argument, 0);
}

export function pipe2(caller: Caller, ...[pointer, flagArgument]: Argument[]): number {
  const { system } = caller;
  const flags = int(flagArgument);
  if (flags & ~(O_CLOEXEC | O_NONBLOCK)) return EINVAL;
  const place = caller.memory.structure(size(pointer), PIPEFD_BYTES, true);
  if (!place) return freeDescriptors(system, 2) < 2 ? EMFILE : EFAULT;
  const opened = system.createAnonymous(
    kinds.PIPE,
    makingPipe(system.words, PIPE_BYTES_DEFAULT, PIPE_MODE),
    [access.READ, access.WRITE],
    flags & O_NONBLOCK,
    (flags & O_CLOEXEC) !== 0,
  );
  if (typeof opened === "number") return opened;
  const [reader, writer] = opened as [Opened, Opened];
  place.setInt32(0, reader.descriptor);
  place.setInt32(4, writer.descriptor);
  return 0;
}
