// ringbuf.js between two worker threads, which spin: bytes of one writer to one reader; the main thread measures.

import { fileURLToPath } from "node:url";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { counter, messageOf, order, type PeerOrder, requirePeer } from "./peer.ts";

interface Ring {
  push(bytes: Uint8Array): number;
  pop(target: Uint8Array): number;
  availableRead(): number;
  availableWrite(): number;
}

const { RingBuffer } = requirePeer("ringbuf.js") as {
  RingBuffer: (new (
    buffer: SharedArrayBuffer,
    type: Uint8ArrayConstructor,
  ) => Ring) & {
    getStorageForCapacity(capacity: number, type: Uint8ArrayConstructor): SharedArrayBuffer;
  };
};

const MESSAGES = 64;

function send(ring: Ring, message: Uint8Array): void {
  while (ring.availableWrite() < message.length) {
    // it has no way to wait
  }
  ring.push(message);
}

function receive(ring: Ring, target: Uint8Array): void {
  while (ring.availableRead() < target.length) {
    // it has no way to wait
  }
  ring.pop(target);
}

function measure(asked: PeerOrder): void {
  const storage = (): SharedArrayBuffer => RingBuffer.getStorageForCapacity(asked.bytes * MESSAGES, Uint8Array);
  const buffers = [storage(), storage()];
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { buffers, order: asked } });
  worker.once("online", () => {
    const [there, back] = buffers.map((buffer) => new RingBuffer(buffer, Uint8Array));
    const message = messageOf(asked);
    const target = new Uint8Array(asked.bytes);
    const count = counter(asked, () => {});
    for (let i = 0; i < asked.warmup + asked.operations; i++) {
      if (asked.work === "roundtrip") send(there, message);
      receive(back, target);
      count();
    }
    void worker.terminate();
  });
}

function answer({ buffers, order: asked }: { buffers: SharedArrayBuffer[]; order: PeerOrder }): void {
  const [there, back] = buffers.map((buffer) => new RingBuffer(buffer, Uint8Array));
  const message = messageOf(asked);
  for (let i = 0; i < asked.warmup + asked.operations; i++) {
    if (asked.work === "roundtrip") receive(there, message);
    send(back, message);
  }
}

if (isMainThread) measure(order());
else answer(workerData as { buffers: SharedArrayBuffer[]; order: PeerOrder });
