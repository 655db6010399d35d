// Processes that never end by themselves, in each of the ways in which one can be stuck: for the test of who watches them.

import { openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { libc } from "../../src/platforms/libc.ts";
import { jobOf, say } from "./watched.ts";

export type Stuck = "spins" | "sleeps" | "sleeps in the host" | "ends";

const module = fileURLToPath(import.meta.url);
/** What every program begins with: a word that stays as it is. */
const ELF = 0x464c457f;
const PAGE_BYTES = 4096;

function sleepInTheHost(): void {
  const library = libc();
  if (typeof library === "string") return;
  const address = library.mapShared(openSync(process.execPath, "r"), PAGE_BYTES, 0, false);
  library.futexWait(address, ELF, 1e9);
}

function beStuck(how: Stuck): void {
  if (isMainThread) process.on("SIGTERM", () => {}); // and it is not to be asked
  const word = new Int32Array(new SharedArrayBuffer(4));
  if (how === "spins") for (;;);
  if (how === "sleeps") Atomics.wait(word, 0, 0);
  if (how === "sleeps in the host") sleepInTheHost();
  process.exit(7);
}

const job = jobOf<{ readonly how: Stuck; readonly inThread: boolean }>(module);
if (job && isMainThread) {
  say("begins");
  if (job.inThread) new Worker(module, { workerData: { stuck: job.how } });
  else beStuck(job.how);
}
const inThread = isMainThread ? undefined : (workerData as { stuck?: Stuck } | null)?.stuck;
if (inThread) beStuck(inThread);
