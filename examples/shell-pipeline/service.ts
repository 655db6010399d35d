// The TypeScript process in the middle of a shell's pipeline: takes names of files from one queue, and sends how many lines each has
// to another, until a message of type END.

import { readFileSync } from "node:fs";
import { Kernel } from "../../src/index.ts";

const END = 2;

/** So that there is a death to show: which message it dies of, by kill -9, before it has answered. */
const diesAt = Number(process.env.DIES_AT ?? 0);

using kernel = Kernel.open(process.env.FANGA_KERNEL ?? "");
using names = kernel.queue({ name: "names" });
using counts = kernel.queue({ name: "counts" });
let received = 0;
for await (const { data, type } of names) {
  if (type === END) break;
  if (++received === diesAt) process.kill(process.pid, "SIGKILL");
  const path = Buffer.from(data).toString();
  const lines = readFileSync(path).filter((byte) => byte === 0x0a).length;
  await counts.send(Buffer.from(`${lines} ${path}`));
}
kernel.unlinkQueue("names");
kernel.unlinkQueue("counts"); // with that `fanga recv --follow` ends, once it has printed what was there
