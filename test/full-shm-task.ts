// Run by full-shm.test.ts where /dev/shm is a small file system of its own. Prints what happened, as JSON.

import { readdirSync } from "node:fs";
import { IpcError, Kernel } from "../src/index.ts";

const codeOf = (run: () => unknown): string => {
  try {
    run();
    return "done";
  } catch (error) {
    if (error instanceof IpcError) return error.code;
    throw error;
  }
};

/** Makes and fills pipes until one cannot be made: how many, and why not more. */
function fillWithPipes(kernel: Kernel): { pipes: number; refused: string } {
  const chunk = new Uint8Array(256 * 1024).fill(7);
  for (let pipes = 0; ; pipes++) {
    const refused = codeOf(() => kernel.pipe({ capacity: chunk.length }).writer.writeSync(chunk));
    if (refused !== "done") return { pipes, refused };
  }
}

const tooLarge = codeOf(() => Kernel.open("full", { create: true, waitersMax: 1_000_000 }));
const leftBehind = readdirSync("/dev/shm");
const kernel = Kernel.open("full", { create: true });
const usageBefore = kernel.usage();
const filled = fillWithPipes(kernel);
const { reader } = kernel.pipe({ capacity: 4096 });
const usageAfter = kernel.usage();
reader.close();
kernel.close();
Kernel.unlink("full");
console.log(JSON.stringify({ tooLarge, leftBehind, filled, usageBefore, usageAfter, atEnd: readdirSync("/dev/shm") }));
