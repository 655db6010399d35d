// Tasks for tests of signals.

import {
  Kernel,
  type LockToken,
  type PipeReaderToken,
  type ReceivedSignal,
  type SharedMemoryToken,
  type Signal,
} from "../src/index.ts";
import { codeOf } from "./expectations.ts";
import type { Peer } from "./task-runner.ts";

/** Catches signals and reports each one as "name:sender:value"; told "read", it sleeps in a read; told "end", it ends. */
export async function catchSignals(
  kernel: Kernel,
  peer: Peer,
  args: { caught: readonly Signal[]; blocked?: readonly Signal[]; restart?: boolean; reader?: PipeReaderToken },
): Promise<void> {
  kernel.signals.block(...(args.blocked ?? []));
  for (const signal of args.caught) {
    kernel.signals.on(signal, ({ name, sender, value }) => peer.report(`${name}:${sender}:${value}`), {
      restart: args.restart,
    });
  }
  peer.report("ready");
  for (;;) {
    const told = await peer.hear();
    if (told === "end") return;
    if (told === "unblock") kernel.signals.unblock(...(args.blocked ?? []));
    else if (told === "read" && args.reader) {
      const reader = kernel.openToken(args.reader);
      peer.report(await codeOf(async () => void reader.readSync(new Uint8Array(1))));
    }
  }
}

/** Sends its parent a signal each time that it is told, once the parent has counted that time in the segment. */
export function signalWhenTold(
  kernel: Kernel,
  _peer: Peer,
  args: { told: LockToken<"semaphore">; rounds: SharedMemoryToken; parent: number; signal: Signal },
): void {
  const told = kernel.openToken(args.told);
  const rounds = kernel.openToken(args.rounds).view(Int32Array);
  for (let round = 1; ; round++) {
    told.waitSync();
    while (Atomics.load(rounds, 0) < round);
    kernel.kill(args.parent, args.signal);
  }
}

/** Does nothing, for ever, without a look at anything. */
export function spin(_kernel: Kernel, peer: Peer): never {
  peer.report("ready");
  for (;;);
}

/** Sleeps in a read of an empty pipe. */
export function sleepInRead(kernel: Kernel, peer: Peer): void {
  const { reader } = kernel.pipe();
  peer.report("ready");
  reader.readSync(new Uint8Array(1));
}

/** Waits for signals, asleep or as a promise, and reports each as "name:value". */
export async function waitForSignals(
  kernel: Kernel,
  peer: Peer,
  args: { signals: readonly Signal[]; form: "sync" | "awaited"; count: number },
): Promise<void> {
  kernel.signals.block(...args.signals);
  peer.report("ready");
  for (let i = 0; i < args.count; i++) {
    const { name, value } =
      args.form === "sync" ? kernel.signals.waitSync(args.signals) : await kernel.signals.wait(args.signals);
    peer.report(`${name}:${value}`);
  }
}

/** Reads signals and reports each as "name:value": asleep, as a promise, in a loop, or once a poll has said so. */
export async function readSignals(
  kernel: Kernel,
  peer: Peer,
  args: {
    signals: readonly Signal[];
    form: "sync" | "awaited" | "iterated" | "polled" | "awaited poll";
    count: number;
  },
): Promise<void> {
  using reader = kernel.signals.open(args.signals);
  const items = [{ handle: reader }, { handle: kernel.pipe().reader }];
  peer.report("ready");
  const tell = ({ name, value }: ReceivedSignal): void => peer.report(`${name}:${value}`);
  if (args.form === "iterated") {
    let left = args.count;
    for await (const signal of reader) {
      tell(signal);
      if (--left === 0) break;
    }
    return;
  }
  for (let i = 0; i < args.count; i++) {
    if (args.form === "polled") kernel.pollSync(items);
    if (args.form === "awaited poll") await kernel.poll(items);
    tell(args.form === "awaited" ? await reader.receive() : reader.receiveSync());
  }
}

/** Comes back as a task that inherits its parent's descriptors, and reads signals through one; returns what the call does. */
export function readInherited(kernel: Kernel, _peer: Peer, args: { parentPid: number; descriptor: number }): number {
  const handle = { ...kernel.handle, parentPid: args.parentPid };
  kernel.close();
  using child = Kernel.attach(handle, { inherit: true });
  return child.sys.read(args.descriptor, 1024, 128);
}
