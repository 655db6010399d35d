// A process of many tasks that do nothing but be there: a worker thread each. It says when all have attached, and ends with its
// standard input.

import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { Kernel } from "../src/index.ts";

/** Threads that start at one time. */
const STARTING = 4;

function startOne(kernel: string): Promise<void> {
  const worker = new Worker(fileURLToPath(import.meta.url), {
    workerData: kernel,
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
  });
  return new Promise((resolve, reject) => {
    worker.once("message", () => resolve());
    worker.once("error", reject);
  });
}

async function startAll(kernel: string, count: number): Promise<void> {
  let left = count;
  const startSome = async (): Promise<void> => {
    while (left-- > 0) await startOne(kernel);
  };
  await Promise.all(Array.from({ length: STARTING }, startSome));
  process.stdout.write(`${JSON.stringify({ ns: 1 })}\n`);
  process.stdin.on("end", () => process.exit()).resume();
}

if (isMainThread) await startAll(process.argv[2], Number(process.argv[3]));
else {
  Kernel.open(workerData as string);
  parentPort?.postMessage("attached");
  parentPort?.on("message", () => {}); // stays
}
