// Tasks for tests of signals.

import type { Kernel, PipeReaderToken, Signal } from "../src/index.ts";
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
