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

runSide({
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
