// One process that copies between a shared memory segment and an array of its own: the role `copier`. An operation is one KiB.

import { report, runSide } from "./side.ts";

const KIB = 1024;

function copyAll(target: Uint8Array, source: Uint8Array, kibs: number): number {
  const copies = Math.ceil((kibs * KIB) / source.length);
  for (let i = 0; i < copies; i++) target.set(source);
  return (copies * source.length) / KIB;
}

await runSide({
  copier(kernel, order) {
    const segment = kernel.sharedMemory({ name: order.object });
    const own = new Uint8Array(order.bytes).fill(0x5a);
    const shared = segment.view(Uint8Array, 0, order.bytes);
    const [target, source] = order.call === "in" ? [shared, own] : [own, shared];
    copyAll(target, source, order.warmup);
    const start = process.hrtime.bigint();
    const copied = copyAll(target, source, order.operations);
    report(process.hrtime.bigint() - start, copied);
  },
});
