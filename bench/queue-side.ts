// One process of a queue measurement. The measured roles are `pair`, `receiver` and `client`; their partners are nobody,
// `sender` and `echo`. The warm-up runs through the same functions, so the clock starts on hot code and after both sides
// have met.

import type { Kernel, MessageQueue } from "../src/index.ts";
import { assertLength, measure, runSide, type SideOrder } from "./side.ts";

function pairs(queue: MessageQueue, message: Uint8Array, buffer: Uint8Array, count: number): void {
  for (let i = 0; i < count; i++) {
    queue.sendSync(message);
    assertLength(queue.receiveIntoSync(buffer), message.length);
  }
}

function sendAll(queue: MessageQueue, message: Uint8Array, count: number): void {
  for (let i = 0; i < count; i++) queue.sendSync(message);
}

function receiveAll(queue: MessageQueue, buffer: Uint8Array, count: number): void {
  for (let i = 0; i < count; i++) assertLength(queue.receiveIntoSync(buffer), buffer.length);
}

/** Messages in one batch: as many as a peer's queue of 16 KiB holds of 256 bytes. */
const BATCH = 64;

function sendBatches(queue: MessageQueue, messages: readonly Uint8Array[], count: number): void {
  for (let left = count; left > 0; left -= messages.length) {
    queue.sendManySync(left >= messages.length ? messages : messages.slice(0, left));
  }
}

function receiveBatches(queue: MessageQueue, bytes: number, count: number): void {
  const buffer = new Uint8Array(BATCH * bytes);
  const lengths = new Int32Array(BATCH);
  for (let left = count; left > 0; ) {
    const places = left >= BATCH ? lengths : lengths.subarray(0, left); // no more than what is this run's
    const received = queue.receiveManyIntoSync(buffer, places);
    for (let i = 0; i < received; i++) assertLength(lengths[i], bytes);
    left -= received;
  }
}

function roundtrips(there: MessageQueue, back: MessageQueue, message: Uint8Array, buffer: Uint8Array, count: number) {
  for (let i = 0; i < count; i++) {
    there.sendSync(message);
    assertLength(back.receiveIntoSync(buffer), message.length);
  }
}

function echoAll(there: MessageQueue, back: MessageQueue, buffer: Uint8Array, count: number): void {
  for (let i = 0; i < count; i++) {
    assertLength(there.receiveIntoSync(buffer), buffer.length);
    back.sendSync(buffer);
  }
}

function messageOf(order: SideOrder): Uint8Array {
  return new Uint8Array(order.bytes).fill(0x5a);
}

function roundtripQueues(kernel: Kernel, order: SideOrder): { there: MessageQueue; back: MessageQueue } {
  return {
    there: kernel.queue({ name: `${order.object}-there` }),
    back: kernel.queue({ name: `${order.object}-back` }),
  };
}

await runSide({
  pair(kernel, order) {
    const queue = kernel.queue({ name: order.object });
    const message = messageOf(order);
    const buffer = new Uint8Array(order.bytes);
    measure(order, (count) => pairs(queue, message, buffer, count));
  },
  sender(kernel, order) {
    sendAll(kernel.queue({ name: order.object }), messageOf(order), order.warmup + order.operations);
  },
  receiver(kernel, order) {
    const queue = kernel.queue({ name: order.object });
    const buffer = new Uint8Array(order.bytes);
    measure(order, (count) => receiveAll(queue, buffer, count));
  },
  "batch-sender"(kernel, order) {
    const messages = new Array(BATCH).fill(messageOf(order));
    sendBatches(kernel.queue({ name: order.object }), messages, order.warmup + order.operations);
  },
  "batch-receiver"(kernel, order) {
    const queue = kernel.queue({ name: order.object });
    measure(order, (count) => receiveBatches(queue, order.bytes, count));
  },
  client(kernel, order) {
    const { there, back } = roundtripQueues(kernel, order);
    const message = messageOf(order);
    const buffer = new Uint8Array(order.bytes);
    measure(order, (count) => roundtrips(there, back, message, buffer, count));
  },
  echo(kernel, order) {
    const { there, back } = roundtripQueues(kernel, order);
    echoAll(there, back, new Uint8Array(order.bytes), order.warmup + order.operations);
  },
});
