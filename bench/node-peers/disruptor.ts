// shared-memory-disruptor between two processes, which spin; the parent measures. One producer and one consumer a direction.

import { fork } from "node:child_process";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { assertLength, counter, messageOf, order, type PeerOrder, requirePeer } from "./peer.ts";

interface Ring {
  produceClaimSync(): { buf?: Buffer } & Buffer;
  produceCommitSync(): boolean;
  consumeNewSync(): { bufs?: Buffer[] } & Buffer[];
  consumeCommit(): boolean;
  release(callback: () => void): void;
}

const { Disruptor } = requirePeer("shared-memory-disruptor") as {
  Disruptor: new (
    name: string,
    elements: number,
    elementBytes: number,
    consumers: number,
    consumer: number,
    create: boolean,
    spin: boolean,
  ) => Ring;
};

const ELEMENTS = 64;

const ringOf = (name: string, asked: PeerOrder, consumes: boolean, create: boolean): Ring =>
  new Disruptor(name, ELEMENTS, asked.bytes, 1, consumes ? 0 : -1, create, true);

/** It would leave its files behind. */
function removeFiles(name: string): void {
  for (const way of ["there", "back"]) rmSync(`/dev/shm${name}-${way}`, { force: true });
}

function produce(ring: Ring, message: Uint8Array): void {
  const claimed = ring.produceClaimSync();
  (claimed.buf ?? claimed).set(message);
  ring.produceCommitSync();
}

/** Consumes what there is; calls back for each element with its bytes. */
function consume(ring: Ring, bytes: number, each: (element: Buffer) => void): void {
  const consumed = ring.consumeNewSync();
  for (const part of consumed.bufs ?? consumed) {
    for (let at = 0; at < part.length; at += bytes) each(part.subarray(at, at + bytes));
  }
  ring.consumeCommit();
}

function measure(asked: PeerOrder): void {
  const name = `/fangaos-bench-${process.pid}`;
  process.on("exit", () => removeFiles(name));
  const there = ringOf(`${name}-there`, asked, false, true);
  const back = ringOf(`${name}-back`, asked, true, true);
  const child = fork(fileURLToPath(import.meta.url), [process.argv[2], name]);
  const message = messageOf(asked);
  const target = new Uint8Array(asked.bytes);
  let left = asked.warmup + asked.operations;
  const count = counter(asked, () => {});
  while (left > 0) {
    if (asked.work === "roundtrip") produce(there, message);
    consume(back, asked.bytes, (element) => {
      if (left === asked.warmup + asked.operations) removeFiles(name); // the child has both open: it has answered
      assertLength(element.length, asked.bytes);
      target.set(element);
      left--;
      count();
    });
  }
  child.kill("SIGKILL");
}

function answer(asked: PeerOrder, name: string): void {
  const there = ringOf(`${name}-there`, asked, true, false);
  const back = ringOf(`${name}-back`, asked, false, false);
  const message = messageOf(asked);
  for (let left = asked.warmup + asked.operations; left > 0; ) {
    if (asked.work === "stream") {
      produce(back, message);
      left--;
    } else {
      consume(there, asked.bytes, (element) => {
        produce(back, element);
        left--;
      });
    }
  }
}

if (process.argv[3] === undefined) measure(order());
else answer(order(), process.argv[3]);
