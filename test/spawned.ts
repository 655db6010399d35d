// A program that tests of tasks spawn: it attaches, reports through the queue that is its descriptor 3, and does what its
// arguments say, one after the other.

import { Kernel, type MessageQueue } from "../src/index.ts";
import { bytes, codeOf } from "./expectations.ts";

const program = new URL(import.meta.url);
const kernel = Kernel.attach();
const report = (value: unknown): void =>
  (kernel.fromDescriptor(3) as MessageQueue).sendSync(bytes(JSON.stringify(value)));

/** Sleeps in a wait for a signal that nobody sends; other signals do what they do. */
async function sleep(): Promise<void> {
  kernel.signals.block("SIGURG");
  report(await codeOf(() => kernel.signals.waitSync(["SIGURG"])));
}

const steps: { readonly [name: string]: (value: string) => unknown } = {
  identify: () => report([kernel.pid, kernel.parentPid, kernel.sys.getppid()]),
  credentials: () => report([kernel.sys.getuid(), kernel.sys.getgid(), kernel.sys.getpgrp() === kernel.pid]),
  signals: () => report([kernel.signals.blocked, kernel.signals.pending]),
  ready: () => report("ready"),
  catch: (signal) => kernel.signals.on(signal as "SIGUSR1", ({ name }) => report(name)),
  exit: (code) => process.exit(Number(code)),
  sysExit: (code) => kernel.sys.exit(Number(code)),
  close: () => kernel.close(),
  fail: () => {
    throw new Error("this error is a test's");
  },
  raise: (signal) => kernel.kill(kernel.pid, signal as "SIGUSR1"),
  sleep,
  await: () => kernel.signals.wait(["SIGURG"]),
  spin: () => {
    for (;;);
  },
  /** Is in the middle of a change of the kernel's tables most of the time. */
  busy: () => {
    for (;;) {
      kernel.semaphore({ name: `busy-${kernel.pid}`, create: true, value: 0 }).close();
      kernel.kill(kernel.pid, 0); // delivers to a thread what has come
    }
  },
  openDescriptors: () => {
    const isOpen = (descriptor: number): boolean => kernel.sys.fcntl(descriptor, 1) >= 0;
    report(Array.from({ length: 16 }, (_, i) => i).filter(isOpen));
  },
  /** Spawns children of its own, one that has ended and one that sleeps, and reports the latter's pid. */
  family: async () => {
    kernel.spawn(program, { argv: ["exit:1"] });
    const sleeper = kernel.spawn(program, { argv: ["ready", "await", "identify"] });
    report(sleeper.pid);
    kernel.signals.block("SIGURG");
    await kernel.signals.wait(["SIGURG"]);
  },
};

for (const argument of process.argv.slice(2)) {
  const [step, value = ""] = argument.split(":") as [string, string | undefined];
  await steps[step]?.(value);
}
