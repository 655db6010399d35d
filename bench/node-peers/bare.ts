// What JavaScript's own means take, with nothing around them: two atomic exchanges on a SharedArrayBuffer, or a copy into one and a
// copy out of it.

import { messageOf, order, type PeerOrder, report } from "./peer.ts";

function exchanges(): (count: number) => void {
  const words = new Int32Array(new SharedArrayBuffer(64));
  return (count) => {
    for (let i = 0; i < count; i++) {
      Atomics.exchange(words, 0, 1);
      Atomics.exchange(words, 0, 0);
    }
  };
}

function copies(asked: PeerOrder): (count: number) => void {
  const message = messageOf(asked);
  const shared = new Uint8Array(new SharedArrayBuffer(asked.bytes));
  return (count) => {
    for (let i = 0; i < count; i++) {
      shared.set(message);
      message.set(shared);
    }
  };
}

const asked = order();
const run = asked.work === "mutex-pair" ? exchanges() : copies(asked);
run(asked.warmup);
const start = process.hrtime.bigint();
run(asked.operations);
report(process.hrtime.bigint() - start, asked.operations);
