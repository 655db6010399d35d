// What a second thread or process of a test runs: attaches to the kernel by its handle, and calls the function it was told.

import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { Kernel, type KernelHandle } from "../src/index.ts";
import { tasks } from "./tasks.ts";

/** What a task is started with. */
export interface TaskStart {
  readonly handle: KernelHandle;
  readonly name: string;
  readonly args: unknown;
}

/** What a task tells its test. */
export type FromTask =
  | { readonly kind: "attached"; readonly pid: number }
  | { readonly kind: "report"; readonly value: unknown }
  | { readonly kind: "returned"; readonly value: unknown }
  | {
      readonly kind: "threw";
      readonly message: string;
      readonly code: string | undefined;
      readonly stack: string | undefined;
    };

/** A task's line to its test. It keeps the task alive only while it is being listened to. */
export interface Peer {
  report(value: unknown): void;
  hear(): Promise<unknown>;
}

interface Line {
  post(message: FromTask): void;
  listen(onMessage: (value: unknown) => void): void;
  ref(): void;
  unref(): void;
}

function lineToTest(): Line {
  const port = parentPort;
  if (!isMainThread && port) {
    return {
      post: (message) => port.postMessage(message),
      listen: (onMessage) => port.on("message", onMessage),
      ref: () => port.ref(),
      unref: () => port.unref(),
    };
  }
  return {
    post: (message) => {
      process.send?.(message);
    },
    listen: (onMessage) => process.on("message", onMessage),
    ref: () => process.channel?.ref(),
    unref: () => process.channel?.unref(),
  };
}

const line = lineToTest();
const heard: unknown[] = [];
let onHeard: (() => void) | undefined;
line.listen((value) => {
  heard.push(value);
  onHeard?.();
});

const peer: Peer = {
  report: (value) => line.post({ kind: "report", value }),
  hear: async () => {
    line.ref();
    while (heard.length === 0) {
      await new Promise<void>((resolve) => {
        onHeard = resolve;
      });
    }
    line.unref();
    return heard.shift();
  },
};

async function run(): Promise<void> {
  const start = (isMainThread ? await peer.hear() : workerData) as TaskStart;
  line.unref();
  const kernel = Kernel.attach(start.handle);
  line.post({ kind: "attached", pid: kernel.pid });
  const body = (tasks as Record<string, (kernel: Kernel, peer: Peer, args: never) => unknown>)[start.name];
  if (!body) throw new Error(`no task is called ${start.name}`);
  // It does not close the kernel: a task that ends in an orderly way leaves it by itself.
  line.post({ kind: "returned", value: await body(kernel, peer, start.args as never) });
}

run().catch((error: Error & { code?: string }) => {
  line.post({ kind: "threw", message: error.message, code: error.code, stack: error.stack });
});
