// One process of a round trip of signals: the `signaller` is the measured one, `signalled` answers each.

import type { Kernel } from "../src/index.ts";
import { measure, runSide, type SideOrder } from "./side.ts";

/** Tells the other side our pid, and learns its. */
function introduce(kernel: Kernel, told: string, learned: string): number {
  const pid = new Uint8Array(Int32Array.of(kernel.pid).buffer);
  kernel.queue({ name: told }).sendSync(pid);
  return new Int32Array(kernel.queue({ name: learned }).receiveSync().data.slice().buffer)[0];
}

const there = (order: SideOrder): string => `${order.object}-there`;
const back = (order: SideOrder): string => `${order.object}-back`;

await runSide({
  signaller(kernel, order) {
    kernel.signals.block("SIGUSR1");
    const partner = introduce(kernel, there(order), back(order));
    measure(order, (count) => {
      for (let i = 0; i < count; i++) {
        kernel.kill(partner, "SIGUSR1");
        kernel.signals.waitSync(["SIGUSR1"]);
      }
    });
  },
  signalled(kernel, order) {
    kernel.signals.block("SIGUSR1");
    const partner = introduce(kernel, back(order), there(order));
    for (let i = 0; i < order.warmup + order.operations; i++) {
      kernel.signals.waitSync(["SIGUSR1"]);
      kernel.kill(partner, "SIGUSR1");
    }
  },
});
