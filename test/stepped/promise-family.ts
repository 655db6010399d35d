// Waits that are promises, stepped: the event loop of a task is a program's too. It sleeps on the bell's word, as a thread's does,
// and hears a ring, or the end of a slice. Everything that a wait writes to the region it writes before its promise settles, so a
// program need not wait for that.

import { EAGAIN } from "../../src/abi/errno.ts";
import { MessageQueue } from "../../src/api/message-queue.ts";
import { makingQueue } from "../../src/kernel/making.ts";
import type { ObjectToken } from "../../src/kernel/opening.ts";
import type { System } from "../../src/kernel/system.ts";
import { kinds } from "../../src/memory/layout.ts";
import type { MessageRing } from "../../src/objects/message-ring.ts";
import { type Attempt, type Condition, FOR_EVER } from "../../src/sync/waiting.ts";
import { type Family, made, opened } from "./object-families.ts";
import type { Program } from "./stepped-task.ts";

interface Handles {
  readonly system: System;
  readonly queue: MessageQueue;
  readonly ring: MessageRing;
}

const bytes = (of: string): Uint8Array => new TextEncoder().encode(of);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);
const letter = ({ pid }: Program): string => String.fromCharCode(96 + pid);
const TYPE = 1;

/** A wait of a handle's, begun. `result` is undefined until it has ended. */
function begin({ system, queue }: Handles, condition: Condition, want: number, attempt: Attempt): { result?: number } {
  const wait: { result?: number } = {};
  const noting: Attempt = (woken) => {
    const result = attempt(woken);
    if (result !== EAGAIN) wait.result = result;
    return result;
  };
  // A task that is stopped here has its stop for a rejection; its next access stops it again.
  system.awaits.until(queue, condition, want, noting, FOR_EVER, undefined).catch(() => {});
  return wait;
}

function awaitReceive(handles: Handles, program: Program): string {
  const into = new Uint8Array(8);
  const wait = begin(handles, handles.ring.filled, 1, () => handles.ring.tryTake(into));
  program.turnUntil(() => wait.result !== undefined);
  return text(into.subarray(0, wait.result));
}

function awaitSend(handles: Handles, program: Program): void {
  const { ring } = handles;
  const wait = begin(handles, ring.vacant, ring.wantFor(1), () => ring.tryAppend(bytes(letter(program)), TYPE));
  program.turnUntil(() => wait.result !== undefined);
}

/** Begins to wait, and does not wait on: what it was woken for is another's. */
function callOff(handles: Handles): string {
  const into = new Uint8Array(8);
  const wait = begin(handles, handles.ring.filled, 1, () => handles.ring.tryTake(into));
  if (wait.result === undefined) handles.system.awaits.cancelAll(handles.queue);
  return wait.result === undefined ? "called off" : text(into.subarray(0, wait.result));
}

/** Two waits at once, of which one only looks, as a poll does, and is called off when the other has ended. */
function awaitTwice(handles: Handles, program: Program): string {
  const { ring, system, queue } = handles;
  begin(handles, ring.filled, 0, () => (ring.filled.ready(1) ? 1 : EAGAIN));
  const received = awaitReceive(handles, program);
  system.awaits.cancelAll(queue);
  return received;
}

/** A queue of two messages. */
export const promiseFamily: Family<ObjectToken, Handles> = {
  name: "promise",
  make: (system) =>
    made(system, kinds.QUEUE, makingQueue(system.words, { depth: 2, bytesMax: 0, messageBytesMax: 8 }, 0o600)),
  open: (system, token) => {
    const one = opened(system, token, kinds.QUEUE);
    return { system, queue: new MessageQueue(system, one, "it", () => {}), ring: system.messageRingAt(one.bodyLine) };
  },
  before: {
    empty: () => {},
    full: ({ queue }) => {
      queue.trySend(bytes("1"));
      queue.trySend(bytes("2"));
    },
  },
  operations: {
    awaitReceive,
    awaitSend,
    callOff,
    awaitTwice,
    send: ({ queue }, program) => queue.sendSync(bytes(letter(program))),
    trySend: ({ queue }, program) => queue.trySend(bytes(letter(program))),
    receive: ({ queue }) => text(queue.receiveSync().data),
    tryReceive: ({ queue }) => text(queue.tryReceive()?.data ?? bytes("nothing")),
  },
  observe: ({ queue }) => {
    const found: string[] = [];
    for (let message = queue.tryReceive(); message; message = queue.tryReceive()) found.push(text(message.data));
    let room = 0;
    while (queue.trySend(bytes("x"))) room++;
    return `holds [${found}], has room for ${room}`;
  },
};
