// Tasks for tests of the mission's sentences.

import type { Kernel, SharedMemoryToken } from "../src/index.ts";
import { codeOf, text } from "./expectations.ts";
import type { Peer } from "./task-runner.ts";

/** Attaches a segment, tells where it is and who has it, writes what it is told, and detaches when it is told nothing more. */
export async function attachSegment(
  kernel: Kernel,
  peer: Peer,
  args: { segment: SharedMemoryToken },
): Promise<{ offset: number; read: string }> {
  using segment = kernel.openToken(args.segment);
  peer.report(segment.attachedTasks);
  for (;;) {
    const told = await peer.hear();
    if (!(told instanceof Uint8Array)) break;
    segment.bytes.set(told);
    peer.report("written");
  }
  return { offset: segment.offset, read: text(segment.bytes.slice(0, 5)) };
}

/** Attaches a segment and adds one to its first number, as often as it is told. */
export function addInSegment(kernel: Kernel, _peer: Peer, args: { segment: SharedMemoryToken; times: number }): void {
  using segment = kernel.openToken(args.segment);
  const numbers = segment.view(Int32Array);
  for (let i = 0; i < args.times; i++) Atomics.add(numbers, 0, 1);
}

/** Becomes another user, and tells the code of what opening each thing throws. */
export async function openAsUser(
  kernel: Kernel,
  _peer: Peer,
  args: { user: number; name: string },
): Promise<{ [what: string]: string }> {
  for (const result of [
    kernel.sys.setgroups(0, 0),
    kernel.sys.setresgid(args.user, args.user, args.user),
    kernel.sys.setresuid(args.user, args.user, args.user),
  ]) {
    if (result < 0) throw new Error(`it cannot become user ${args.user}: ${result}`);
  }
  const { name } = args;
  return {
    queue: await codeOf(() => kernel.queue({ name }).close()),
    fifo: await codeOf(() => kernel.tryOpenFifo(name, "read").close()),
    segment: await codeOf(() => kernel.sharedMemory({ name }).close()),
    "segment to read": await codeOf(() => kernel.sharedMemory({ name, readOnly: true }).close()),
    "unlink the segment": await codeOf(() => kernel.unlinkSharedMemory(name)),
  };
}
