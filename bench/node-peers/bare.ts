// What JavaScript's own means take, with nothing around them: two atomic exchanges on a SharedArrayBuffer; a copy into one and a copy out
// of it; or a message that is copied out of one into bytes of its own, and awaited.

import { assertLength, messageOf, order, type PeerOrder, report } from "./peer.ts";

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

/** Bytes that hold many messages, as those that a receiver is given. */
const POOL_BYTES = 32 * 1024;

function promises({ bytes }: PeerOrder): (count: number) => Promise<void> {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes)).fill(0x5a);
  const pool = new ArrayBuffer(POOL_BYTES);
  let used = 0;
  const receive = (): Promise<{ data: Uint8Array; sender: number; type: number; priority: number }> => {
    const data = new Uint8Array(pool, used, bytes);
    used = used + 2 * bytes > POOL_BYTES ? 0 : used + bytes;
    data.set(shared);
    return Promise.resolve({ data, sender: 1, type: 1, priority: 0 });
  };
  return async (count) => {
    for (let i = 0; i < count; i++) assertLength((await receive()).data.length, bytes);
  };
}

const asked = order();
const works: Partial<Record<PeerOrder["work"], (count: number) => void | Promise<void>>> = {
  "mutex-pair": exchanges(),
  "queue-pair": copies(asked),
  "await-stream": promises(asked),
};
const run = works[asked.work];
if (run === undefined) throw new Error(`nothing bare does ${asked.work}`);
await run(asked.warmup);
const start = process.hrtime.bigint();
await run(asked.operations);
report(process.hrtime.bigint() - start, asked.operations);
