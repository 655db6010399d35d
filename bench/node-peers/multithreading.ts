// multithreading's mutex, uncontended: a lock and an unlock in one thread.

import { availableParallelism } from "node:os";
import { pathToFileURL } from "node:url";
import { npmPeersDirectory, order, report } from "./peer.ts";

interface Mutex {
  blockingLock(): { dispose(): void };
}

// It asks for `navigator` as it is loaded, which Node has from version 21 on.
if (!("navigator" in globalThis)) {
  Object.defineProperty(globalThis, "navigator", { value: { hardwareConcurrency: availableParallelism() } });
}
const entry = pathToFileURL(`${npmPeersDirectory()}node_modules/multithreading/src/node/lib.js`).href;
const { Mutex } = (await import(entry)) as { Mutex: new () => Mutex };

function pairs(mutex: Mutex, count: number): void {
  for (let i = 0; i < count; i++) mutex.blockingLock().dispose();
}

const { warmup, operations } = order();
const mutex = new Mutex();
pairs(mutex, warmup);
const start = process.hrtime.bigint();
pairs(mutex, operations);
report(process.hrtime.bigint() - start, operations);
process.exit();
