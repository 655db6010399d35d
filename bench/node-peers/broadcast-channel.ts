// BroadcastChannel between two worker threads: the main thread measures.

import { fileURLToPath } from "node:url";
import { BroadcastChannel, isMainThread, Worker, workerData } from "node:worker_threads";
import { assertLength, counter, messageOf, order, type PeerOrder } from "./peer.ts";

const NAME = "fangaos-bench";
const POSTED_MAX = 256;

function measure(asked: PeerOrder): void {
  const channel = new BroadcastChannel(NAME);
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: asked });
  const message = messageOf(asked);
  const count = counter(asked, () => void worker.terminate().then(() => channel.close()));
  channel.onmessage = (event) => {
    const data = (event as { data: Uint8Array | "ready" }).data;
    if (data === "ready") {
      channel.postMessage(message);
      return;
    }
    assertLength(data.length, asked.bytes);
    if (count() && asked.work === "roundtrip") channel.postMessage(message);
  };
}

function answer(asked: PeerOrder): void {
  const channel = new BroadcastChannel(NAME);
  const message = messageOf(asked);
  let left = asked.warmup + asked.operations;
  const post = (): void => {
    for (let i = 0; i < POSTED_MAX && left > 0; i++, left--) channel.postMessage(message);
    if (left > 0) setImmediate(post);
  };
  channel.onmessage = (event) => {
    if (asked.work === "stream") post();
    else channel.postMessage((event as { data: Uint8Array }).data);
  };
  channel.postMessage("ready");
}

if (isMainThread) measure(order());
else answer(workerData as PeerOrder);
