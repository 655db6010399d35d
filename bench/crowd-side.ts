// A crowd of processes that work at once: senders and receivers of one queue, contenders for one mutex, or for the messages of one queue.
// All meet at a barrier before the clock starts; the measured one, named `…-measured`, waits for the others.

import type { Barrier, Kernel, MessageQueue, Mutex } from "../src/index.ts";
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

/** Warmed up, each as much as one that is alone, met, and done: the same for all. Returns the nanoseconds between. */
function between(kernel: Kernel, order: SideOrder, work: (queue: MessageQueue, count: number) => void): bigint {
  const queue = kernel.queue({ name: order.object });
  const barrier = barrierOf(kernel, order);
  work(queue, order.warmup);
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

/** So long the contenders contend before it counts: what is compiled while it runs has to run for a while first. */
const WARM_UP_MS = 500;

/** A party's whole time: warmed up in the same fight, and then measured. All begin each of the two together. */
function twice(
  kernel: Kernel,
  order: SideOrder,
  party: (object: { name: string }, milliseconds: number) => Share,
): Share {
  const barrier = barrierOf(kernel, order);
  barrier.waitSync();
  party({ name: order.object }, WARM_UP_MS);
  barrier.waitSync();
  return party({ name: order.object }, order.operations / 1000);
}

/** Locks and unlocks until the time is over. */
const contend = (kernel: Kernel, order: SideOrder): Share =>
  twice(kernel, order, (object, milliseconds) => contendFor(kernel.mutex(object), milliseconds));

function contendFor(mutex: Mutex, milliseconds: number): Share {
  const end = performance.now() + milliseconds;
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

/** Sends until the time is over, and then each receiver an empty message, which ends it. */
function feed(kernel: Kernel, order: SideOrder): void {
  const message = new Uint8Array(order.bytes).fill(0x5a);
  twice(kernel, order, (object, milliseconds) => {
    const queue = kernel.queue(object);
    const end = performance.now() + milliseconds;
    while (performance.now() < end) queue.sendSync(message);
    for (let i = 0; i < (order.parties ?? 1); i++) queue.sendSync(new Uint8Array(0));
    return { pairs: 0, longestNs: 0 };
  });
}

const receiveShare = (kernel: Kernel, order: SideOrder): Share =>
  twice(kernel, order, (object) => receiveAllOf(kernel.queue(object), new Uint8Array(order.bytes)));

function receiveAllOf(queue: MessageQueue, buffer: Uint8Array): Share {
  let pairs = 0;
  let longest = 0;
  for (let before = performance.now(); queue.receiveIntoSync(buffer) > 0; pairs++) {
    const now = performance.now();
    if (now - before > longest) longest = now - before;
    before = now;
  }
  return { pairs, longestNs: longest * 1e6 };
}

const sharesOf = (kernel: Kernel, order: SideOrder): MessageQueue => kernel.queue({ name: `${order.object}-shares` });

function tell(kernel: Kernel, order: SideOrder, { pairs, longestNs }: Share): void {
  sharesOf(kernel, order).sendSync(new Uint8Array(Float64Array.of(pairs, longestNs).buffer));
}

/** Adds what the others tell to one's own share, and reports. */
function weigh(kernel: Kernel, order: SideOrder, own: Share): void {
  const { parties = 1 } = order;
  const shares = [own];
  const queue = sharesOf(kernel, order);
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
    tell(kernel, order, contend(kernel, order));
  },
  "fair-measured"(kernel, order) {
    weigh(kernel, order, contend(kernel, order));
  },
  "fair-sender"(kernel, order) {
    feed(kernel, order);
  },
  "fair-receiver"(kernel, order) {
    tell(kernel, order, receiveShare(kernel, order));
  },
  "fair-receiver-measured"(kernel, order) {
    weigh(kernel, order, receiveShare(kernel, order));
  },
});
