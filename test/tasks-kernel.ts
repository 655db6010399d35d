// Tasks for tests of the kernel itself.

import type { Kernel } from "../src/index.ts";
import { bytes } from "./expectations.ts";
import type { Peer } from "./task-runner.ts";

/** Does nothing until it is told to end. */
export async function idle(_kernel: Kernel, peer: Peer, _args: object): Promise<void> {
  await peer.hear();
}

/** What a task sees of its kernel. */
export function facts(kernel: Kernel, _peer: Peer, _args: object): object {
  return { pid: kernel.pid, parentPid: kernel.parentPid, tasks: kernel.tasks(), limits: kernel.limits };
}

/** Opens and makes all kinds of things, and reports once it holds them. */
export async function holdThings(kernel: Kernel, peer: Peer, _args: object): Promise<void> {
  const { reader, writer } = kernel.pipe({ capacity: 65_536 });
  writer.tryWrite(bytes("unread"));
  const queue = kernel.queue({ depth: 32 });
  queue.trySend(bytes("unreceived"));
  const empty = kernel.pipe();
  const waits = [empty.reader.read(new Uint8Array(1)), kernel.queue().receive()];
  peer.report([reader.descriptor, writer.descriptor, queue.descriptor]);
  await peer.hear();
  await Promise.all(waits);
}

/** Ends the process, or the thread, with things open. */
export function leaveWithThingsOpen(kernel: Kernel, _peer: Peer, _args: object): never {
  const { writer } = kernel.pipe();
  writer.tryWrite(bytes("unread"));
  kernel.queue().trySend(bytes("unreceived"));
  process.exit(0);
}
