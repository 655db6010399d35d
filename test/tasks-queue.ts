// Tasks for tests of message queues.

import type { Kernel, Message, MessageQueue, QueueToken } from "../src/index.ts";
import { bytes, codeOf, LAST, text } from "./expectations.ts";
import type { Peer } from "./task-runner.ts";
import type { Form } from "./tasks-pipe.ts";

/** How a task finds a queue. */
export type QueueWay = { readonly name: string } | { readonly key: number } | { readonly token: QueueToken };

const open = (kernel: Kernel, way: QueueWay): MessageQueue =>
  "token" in way ? kernel.openToken(way.token) : kernel.queue(way);

/** Sends `<prefix>:0` to `<prefix>:<count - 1>`, one by one or in batches. */
export async function sendNumbered(
  kernel: Kernel,
  peer: Peer,
  args: { queue: QueueWay; prefix: string; count: number; batch?: number; form: Form },
): Promise<number> {
  const queue = open(kernel, args.queue);
  peer.report("open");
  const batch = args.batch ?? 1;
  for (let i = 0; i < args.count; i += batch) {
    const some: Uint8Array[] = [];
    for (let j = i; j < Math.min(i + batch, args.count); j++) some.push(bytes(`${args.prefix}:${j}`));
    if (args.form === "sync") {
      if (batch > 1) queue.sendManySync(some);
      else queue.sendSync(some[0] as Uint8Array);
    } else if (batch > 1) await queue.sendMany(some);
    else await queue.send(some[0] as Uint8Array);
  }
  return kernel.pid;
}

/** Receives until the message that says LAST. */
export async function receiveUntilLast(
  kernel: Kernel,
  peer: Peer,
  args: { queue: QueueWay; form: Form },
): Promise<string[]> {
  const queue = open(kernel, args.queue);
  const received: string[] = [];
  peer.report("open");
  for (;;) {
    const message = args.form === "sync" ? queue.receiveSync() : await queue.receive();
    if (text(message.data) === LAST) return received;
    received.push(text(message.data));
  }
}

/** Receives one message; tells what it was. */
export async function receiveOne(
  kernel: Kernel,
  peer: Peer,
  args: { queue: QueueWay; form: Form },
): Promise<{ data: Uint8Array; sender: number; type: number }> {
  const queue = open(kernel, args.queue);
  peer.report("open");
  const { data, sender, type }: Message = args.form === "sync" ? queue.receiveSync() : await queue.receive();
  return { data, sender, type };
}

/** Sends one message; tells "nothing", or the code of what went wrong. */
export async function sendOne(
  kernel: Kernel,
  peer: Peer,
  args: { queue: QueueWay; data: Uint8Array; type?: number; form: Form },
): Promise<string> {
  const queue = open(kernel, args.queue);
  peer.report("open");
  const { data, type } = args;
  return codeOf(() => (args.form === "sync" ? queue.sendSync(data, { type }) : queue.send(data, { type })));
}

/** Receives for ever, asleep: to be killed. */
export function receiveForEver(kernel: Kernel, peer: Peer, args: { queue: QueueWay }): never {
  const queue = open(kernel, args.queue);
  peer.report("open");
  for (;;) queue.receiveSync();
}

/** Awaits a message on each of many queues at once, and tells them all. */
export async function awaitMany(kernel: Kernel, peer: Peer, args: { queues: QueueWay[] }): Promise<string[]> {
  const queues = args.queues.map((way) => open(kernel, way));
  const waits = queues.map(async (queue) => text((await queue.receive()).data));
  peer.report("waiting");
  return Promise.all(waits);
}

/** Goes on for ever in the middle of writing a message in place: to be killed. */
export function stallInPlace(kernel: Kernel, peer: Peer, args: { queue: QueueWay }): void {
  const queue = open(kernel, args.queue);
  queue.trySendInPlace(4, (room) => {
    room.fill(1);
    peer.report("inside");
    for (;;);
  });
}

/** Answers each message with its echo, until LAST. */
export async function echo(
  kernel: Kernel,
  peer: Peer,
  args: { from: QueueWay; to: QueueWay; form: Form },
): Promise<number> {
  const from = open(kernel, args.from);
  const to = open(kernel, args.to);
  peer.report("open");
  for (let count = 0; ; count++) {
    const message = args.form === "sync" ? from.receiveSync() : await from.receive();
    if (text(message.data) === LAST) return count;
    if (args.form === "sync") to.sendSync(message.data);
    else await to.send(message.data);
  }
}
