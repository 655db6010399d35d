// One process of a measurement of promises: each side awaits what it receives, on its event loop. The measured roles are
// `await-client` and `await-receiver`; their partners `await-echo` and `await-sender`.

import type { MessageQueue } from "../src/index.ts";
import { assertLength, measureAsync, runSide, type SideOrder } from "./side.ts";

const messageOf = (order: SideOrder): Uint8Array => new Uint8Array(order.bytes).fill(0x5a);

async function roundtrips(there: MessageQueue, back: MessageQueue, message: Uint8Array, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await there.send(message);
    assertLength((await back.receive()).data.length, message.length);
  }
}

async function echoAll(there: MessageQueue, back: MessageQueue, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await back.send((await there.receive()).data);
}

async function receiveAll(queue: MessageQueue, bytes: number, count: number): Promise<void> {
  for (let i = 0; i < count; i++) assertLength((await queue.receive()).data.length, bytes);
}

await runSide({
  async "await-client"(kernel, order) {
    const there = kernel.queue({ name: `${order.object}-there` });
    const back = kernel.queue({ name: `${order.object}-back` });
    const message = messageOf(order);
    await measureAsync(order, (count) => roundtrips(there, back, message, count));
  },
  async "await-echo"(kernel, order) {
    const there = kernel.queue({ name: `${order.object}-there` });
    const back = kernel.queue({ name: `${order.object}-back` });
    await echoAll(there, back, order.warmup + order.operations);
  },
  async "await-sender"(kernel, order) {
    const queue = kernel.queue({ name: order.object });
    const message = messageOf(order);
    for (let i = 0; i < order.warmup + order.operations; i++) await queue.send(message);
  },
  async "await-receiver"(kernel, order) {
    const queue = kernel.queue({ name: order.object });
    await measureAsync(order, (count) => receiveAll(queue, order.bytes, count));
  },
});
