// process.send between a parent and its child, in one of the two serializations; the parent measures.

import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { assertLength, counter, messageOf, order, type PeerOrder } from "./peer.ts";

const IN_FLIGHT_MAX = 256;

/** JSON turns typed arrays into objects of numbers: there the bytes travel as a string of their length. */
const wireOf = (asked: PeerOrder, isJson: boolean): Uint8Array | string =>
  isJson ? "Z".repeat(asked.bytes) : messageOf(asked);

function measure(asked: PeerOrder, serialization: "json" | "advanced"): void {
  const child = fork(fileURLToPath(import.meta.url), [process.argv[2], serialization, "child"], { serialization });
  const message = wireOf(asked, serialization === "json");
  const count = counter(asked, () => child.kill("SIGKILL"));
  child.on("message", (data: Uint8Array | string) => {
    if (data === "ready") {
      child.send(message);
      return;
    }
    assertLength(data.length, asked.bytes);
    if (count() && asked.work === "roundtrip") child.send(message);
  });
}

function answer(asked: PeerOrder, serialization: string): void {
  const send = process.send?.bind(process) as (message: unknown, callback?: () => void) => void;
  if (asked.work === "roundtrip") {
    process.on("message", (data) => send(data));
  } else {
    const message = wireOf(asked, serialization === "json");
    let left = asked.warmup + asked.operations;
    const next = (): void => {
      if (left-- > 0) send(message, next);
    };
    process.on("message", () => {
      for (let i = 0; i < IN_FLIGHT_MAX; i++) next();
    });
  }
  send("ready");
}

const serialization = process.argv[3] as "json" | "advanced";
if (process.argv[4] === "child") answer(order(), serialization);
else measure(order(), serialization);
