// What the programs of bench/node-peers share: each measures one work of one peer, in as many threads or processes as that has, and
// writes its figure as a line of JSON. The peers from npm are installed in bench/npm-peers, apart from the package.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

export interface PeerOrder {
  readonly work: "roundtrip" | "stream" | "mutex-pair" | "queue-pair" | "await-stream";
  readonly bytes: number;
  readonly warmup: number;
  readonly operations: number;
}

export const order = (): PeerOrder => JSON.parse(process.argv[2]) as PeerOrder;

export const messageOf = ({ bytes }: PeerOrder): Uint8Array => new Uint8Array(bytes).fill(0x5a);

export function report(elapsedNs: bigint, operations: number): void {
  process.stdout.write(`${JSON.stringify({ operations, ns: Number(elapsedNs) / operations })}\n`);
}

export function assertLength(got: number, expected: number): void {
  if (got !== expected) throw new Error(`received ${got} bytes instead of ${expected}`);
}

/** For one who counts messages: begins after the warm-up, and reports at the end of the rest. Returns whether there is more to do. */
export function counter({ warmup, operations }: PeerOrder, done: () => void): () => boolean {
  let count = 0;
  let start = process.hrtime.bigint();
  return () => {
    count++;
    if (count === warmup) start = process.hrtime.bigint();
    if (count < warmup + operations) return true;
    if (count === warmup + operations) {
      report(process.hrtime.bigint() - start, operations);
      done();
    }
    return false;
  };
}

/** bench/npm-peers, seen from this file or from its compiled one in dist. */
export function npmPeersDirectory(): string {
  const candidates = ["../npm-peers/", "../../../bench/npm-peers/"].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  const found = candidates.find((path) => existsSync(`${path}package.json`));
  if (found === undefined) throw new Error("bench/npm-peers is missing");
  return found;
}

/** A package that is installed there. */
export function requirePeer(name: string): unknown {
  return createRequire(`${npmPeersDirectory()}package.json`)(name);
}
