// zeromq over a socket of the file system between two processes; the parent measures.

import { fork } from "node:child_process";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { assertLength, counter, messageOf, order, type PeerOrder, requirePeer } from "./peer.ts";

interface Socket {
  bind(address: string): Promise<void>;
  connect(address: string): void;
  send(message: Uint8Array): Promise<void>;
  receive(): Promise<Uint8Array[]>;
  close(): void;
}

const { Pair } = requirePeer("zeromq") as { Pair: new () => Socket };

async function measure(asked: PeerOrder): Promise<void> {
  const path = join(tmpdir(), `fangaos-bench-zeromq-${process.pid}`);
  const socket = new Pair();
  await socket.bind(`ipc://${path}`);
  const child = fork(fileURLToPath(import.meta.url), [process.argv[2], `ipc://${path}`]);
  const message = messageOf(asked);
  const count = counter(asked, () => {});
  for (let i = 0; i < asked.warmup + asked.operations; i++) {
    if (asked.work === "roundtrip") await socket.send(message);
    const [data] = await socket.receive();
    assertLength(data.length, asked.bytes);
    count();
  }
  child.kill("SIGKILL");
  socket.close();
  rmSync(path, { force: true });
}

async function answer(asked: PeerOrder, address: string): Promise<void> {
  const socket = new Pair();
  socket.connect(address);
  const message = messageOf(asked);
  for (let i = 0; i < asked.warmup + asked.operations; i++) {
    if (asked.work === "roundtrip") await socket.send((await socket.receive())[0]);
    else await socket.send(message);
  }
  process.on("disconnect", () => process.exit()); // it has its messages until it is asked for the last
}

await (process.argv[3] === undefined ? measure(order()) : answer(order(), process.argv[3]));
