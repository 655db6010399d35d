// A crowd of processes that work at once: senders and receivers of one queue, or contenders for one mutex. All meet at a barrier
// before the clock starts; the measured one, `crowd-measured` or `fair-measured`, waits for the others.

import type { Barrier, Kernel, MessageQueue } from "../src/index.ts";
import { assertLength, report, runSide, type SideOrder } from "./side.ts";

const barrierOf = (kernel: Kernel, order: SideOrder): Barrier => kernel.barrier({ name: order.object });

const perParty = (count: number, { parties = 1 }: SideOrder): number => Math.ceil(count / parties);

function sendAll(queue: MessageQueue, bytes: number, count: number): void {
  const message = new Uint8Array(bytes).fill(0x5a);
  for (let i = 0; i < count; i++) queue.sendSync(message);
}

function receiveAll(queue: MessageQueue, bytes: number, count: number): void {
  const buffer = new Uint8Array(bytes);
  for (let i = 0; i < count; i++) assertLength(queue.receiveIntoSync(buffer), bytes);
}

/** Warmed up, met, and done: the same for all. Returns the nanoseconds between. */
function between(kernel: Kernel, order: SideOrder, work: (queue: MessageQueue, count: number) => void): bigint {
  const queue = kernel.queue({ name: order.object });
  const barrier = barrierOf(kernel, order);
  work(queue, perParty(order.warmup, order));
  barrier.waitSync();
  const start = process.hrtime.bigint();
  work(queue, perParty(order.operations, order));
  barrier.waitSync();
  return process.hrtime.bigint() - start;
}

/** Pairs of one contender, and the longest that one of them took. */
interface Share {
  readonly pairs: number;
  readonly longestNs: number;
}

/** Locks and unlocks until `operations` microseconds are over. */
function contend(kernel: Kernel, order: SideOrder): Share {
  const mutex = kernel.mutex({ name: order.object });
  barrierOf(kernel, order).waitSync();
  const end = performance.now() + order.operations / 1000;
  let pairs = 0;
  let longest = 0;
  let before = performance.now();
  for (; before < end; pairs++) {
    mutex.lockSync().unlock();
    const now = performance.now();
    if (now - before > longest) longest = now - before;
    before = now;
  }
  return { pairs, longestNs: longest * 1e6 };
}

await runSide({
  "crowd-sender"(kernel, order) {
    between(kernel, order, (queue, count) => sendAll(queue, order.bytes, count));
  },
  "crowd-receiver"(kernel, order) {
    between(kernel, order, (queue, count) => receiveAll(queue, order.bytes, count));
  },
  "crowd-measured"(kernel, order) {
    const elapsed = between(kernel, order, (queue, count) => receiveAll(queue, order.bytes, count));
    report(elapsed, perParty(order.operations, order) * (order.parties ?? 1));
  },
  fair(kernel, order) {
    const { pairs, longestNs } = contend(kernel, order);
    kernel.queue({ name: order.object }).sendSync(new Uint8Array(Float64Array.of(pairs, longestNs).buffer));
  },
  "fair-measured"(kernel, order) {
    const { parties = 1 } = order;
    const shares = [contend(kernel, order)];
    const queue = kernel.queue({ name: order.object });
    while (shares.length < parties) {
      const [pairs, longestNs] = new Float64Array(queue.receiveSync().data.slice().buffer);
      shares.push({ pairs, longestNs });
    }
    const sum = shares.reduce((all, { pairs }) => all + pairs, 0);
    const figure = {
      ns: (order.operations * 1000) / sum,
      longestWaitNs: Math.max(...shares.map(({ longestNs }) => longestNs)),
      leastShare: (Math.min(...shares.map(({ pairs }) => pairs)) * parties) / sum,
      shares: shares.map(({ pairs }) => Number(((pairs * parties) / sum).toFixed(3))),
    };
    process.stdout.write(`${JSON.stringify(figure)}\n`);
  },
});
