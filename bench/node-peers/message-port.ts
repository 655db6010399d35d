// MessagePort between two worker threads: the main thread measures.

import { fileURLToPath } from "node:url";
import { isMainThread, MessageChannel, type MessagePort, Worker, workerData } from "node:worker_threads";
import { assertLength, counter, messageOf, order, type PeerOrder } from "./peer.ts";

function measure(asked: PeerOrder): void {
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(fileURLToPath(import.meta.url), {
    workerData: { port: port2, order: asked },
    transferList: [port2],
  });
  const message = messageOf(asked);
  const count = counter(asked, () => void worker.terminate().then(() => port1.close()));
  port1.on("message", (data: Uint8Array) => {
    assertLength(data.length, asked.bytes);
    if (count() && asked.work === "roundtrip") port1.postMessage(message);
  });
  if (asked.work === "roundtrip") port1.postMessage(message);
}

/** Messages that are posted before the event loop turns: a port has no bound, and would fill the memory. */
const POSTED_MAX = 256;

function answer({ port, order: asked }: { port: MessagePort; order: PeerOrder }): void {
  const message = messageOf(asked);
  if (asked.work === "roundtrip") {
    port.on("message", (data: Uint8Array) => port.postMessage(data));
    return;
  }
  let left = asked.warmup + asked.operations;
  const post = (): void => {
    for (let i = 0; i < POSTED_MAX && left > 0; i++, left--) port.postMessage(message);
    if (left > 0) setImmediate(post);
    else port.on("message", () => {}); // until the other side ends us
  };
  post();
}

if (isMainThread) measure(order());
else answer(workerData as { port: MessagePort; order: PeerOrder });
