// Two atomic exchanges on a SharedArrayBuffer, with nothing around them: what JavaScript's own Atomics take.

import { order, report } from "./peer.ts";

function pairs(words: Int32Array, count: number): void {
  for (let i = 0; i < count; i++) {
    Atomics.exchange(words, 0, 1);
    Atomics.exchange(words, 0, 0);
  }
}

const { warmup, operations } = order();
const words = new Int32Array(new SharedArrayBuffer(64));
pairs(words, warmup);
const start = process.hrtime.bigint();
pairs(words, operations);
report(process.hrtime.bigint() - start, operations);
