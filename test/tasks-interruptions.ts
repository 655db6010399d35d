// Tasks for tests of what signals do to calls that wait.

import { type Kernel, PipeWriter } from "../src/index.ts";
import { codeOf } from "./expectations.ts";
import type { Peer } from "./task-runner.ts";

const MORE_THAN_FITS = 5000;
const PLACE = 1024;

const errno = (kernel: Kernel, result: number): void => {
  if (result === -4) throw "EINTR";
  if (result < 0) throw result;
  kernel.sys.getpid();
};

const waits: { readonly [name: string]: (kernel: Kernel) => unknown } = {
  "queue.receiveSync": (kernel) => kernel.queue({ name: "q" }).receiveSync(),
  "semaphore.waitSync": (kernel) => kernel.semaphore({ name: "s" }).waitSync(),
  "reader.readSync": (kernel) => readerOf(kernel).readSync(new Uint8Array(1)),
  "writer.writeSync": (kernel) => {
    const count = kernel.openFifoSync("written", "write").writeSync(new Uint8Array(MORE_THAN_FITS));
    if (count < MORE_THAN_FITS) throw `${count} bytes`;
  },
  "kernel.openFifoSync": (kernel) => kernel.openFifoSync("opened", "read").close(),
  "kernel.pollSync": (kernel) => kernel.pollSync([{ handle: kernel.queue({ name: "q" }) }]),
  "sys.msgrcv": (kernel) => errno(kernel, kernel.sys.msgrcv(kernel.sys.msgget(1, 0), PLACE, 8, 0, 0)),
  "sys.semop": (kernel) => {
    kernel.memory.fill(0, PLACE, PLACE + 8);
    new DataView(kernel.memory.buffer).setInt16(PLACE + 2, -1, true);
    errno(kernel, kernel.sys.semop(kernel.sys.semget(2, 0, 0), PLACE, 1));
  },
  "sys.rt_sigtimedwait": (kernel) => {
    kernel.signals.block("SIGURG");
    new DataView(kernel.memory.buffer).setBigUint64(PLACE, 1n << 22n, true);
    errno(kernel, kernel.sys.rt_sigtimedwait(PLACE, 0, 0, 8));
  },
};

/** A read end whose FIFO has a writer: this task. */
function readerOf(kernel: Kernel) {
  const writer = kernel.tryOpenFifo("read", "write");
  if (!(writer instanceof PipeWriter)) throw new Error("no writer");
  return kernel.tryOpenFifo("read", "read");
}

/** What to wait in, and whether the handler of SIGUSR1 wants it to go on. */
export interface WaitStep {
  readonly wait: string;
  readonly restart: boolean;
}

/** Waits in each call that it is told, and reports what came of it: "nothing" where it went well. SIGUSR1 is caught, and reported. */
export async function waitInCalls(kernel: Kernel, peer: Peer): Promise<void> {
  for (;;) {
    const step = (await peer.hear()) as WaitStep | "end";
    if (step === "end") return;
    const tell = ({ name }: { readonly name: string }): void => peer.report(name);
    kernel.signals.on("SIGUSR1", tell, { restart: step.restart });
    peer.report("ready");
    peer.report(await codeOf(() => waits[step.wait]?.(kernel)));
    kernel.signals.off("SIGUSR1", tell);
  }
}

/** Reports what its handlers throw, and lives on. */
export async function surviveHandlers(kernel: Kernel, peer: Peer): Promise<void> {
  process.on("uncaughtException", (error) => peer.report(`uncaught ${error.message}`));
  kernel.signals.on("SIGUSR1", ({ value }) => {
    throw new Error(`${value}`);
  });
  kernel.signals.on("SIGUSR2", ({ name }) => peer.report(name));
  peer.report("ready");
  await peer.hear();
}

/** What becomes of interrupting another user's task, of sending it a signal, and SIGCONT. */
export async function interruptAs(
  kernel: Kernel,
  _peer: Peer,
  { uid, pid }: { uid: number; pid: number },
): Promise<string[]> {
  kernel.sys.setresuid(uid, uid, uid);
  return [
    await codeOf(() => kernel.interrupt(pid)),
    await codeOf(() => kernel.kill(pid, "SIGUSR1")),
    await codeOf(() => kernel.kill(pid, "SIGCONT")),
  ];
}

/** Locks its own mutex and then the other's, in so many rounds, and lets itself be refused; returns how often it was. */
export function raceForLocks(
  kernel: Kernel,
  _peer: Peer,
  { names, rounds }: { names: readonly [string, string]; rounds: number },
): { refused: number[]; longestMs: number } {
  const [own, other] = names.map((name) => kernel.mutex({ name }));
  const barrier = kernel.barrier({ name: "start" });
  const refused: number[] = [];
  let longestMs = 0;
  for (let round = 0; round < rounds; round++) {
    own?.lockSync();
    barrier.waitSync();
    const began = performance.now();
    try {
      other?.lockSync({ refuseDeadlock: true }).unlock();
    } catch {
      refused.push(round);
    }
    longestMs = Math.max(longestMs, performance.now() - began);
    own?.unlock();
    barrier.waitSync();
  }
  return { refused, longestMs };
}
