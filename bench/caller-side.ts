// One process that makes one kind of call again and again, in a kernel that holds little else or much: the role `caller`.

import type { Kernel } from "../src/index.ts";
import { measure, runSide, type SideOrder } from "./side.ts";

/** A call is prepared once; what comes back makes it `count` times. */
type Prepare = (kernel: Kernel, order: SideOrder) => (count: number) => void;

const KEY = 0x46414e47;
const MODE_CREATE = 0o1600;

/** By name. Each cleans up what it makes. */
const calls: Record<string, Prepare> = {
  "send and receive": (kernel, order) => {
    const queue = kernel.queue({ name: order.object, create: true });
    const message = new Uint8Array(order.bytes);
    kernel.unlinkQueue(order.object);
    return (count) => {
      for (let i = 0; i < count; i++) {
        queue.sendSync(message);
        queue.receiveIntoSync(message);
      }
    };
  },
  "lock and unlock": (kernel) => {
    const mutex = kernel.mutex();
    return (count) => {
      for (let i = 0; i < count; i++) mutex.lockSync().unlock();
    };
  },
  "open and close by name": (kernel, order) => {
    kernel.semaphore({ name: order.object, create: true });
    const { object: name } = order;
    return (count) => {
      for (let i = 0; i < count; i++) kernel.semaphore({ name }).close();
    };
  },
  "make and close a pipe": (kernel) => (count) => {
    for (let i = 0; i < count; i++) {
      const { reader, writer } = kernel.pipe();
      reader.close();
      writer.close();
    }
  },
  "msgget by key": (kernel) => {
    const { sys } = kernel;
    sys.msgget(KEY, MODE_CREATE);
    return (count) => {
      for (let i = 0; i < count; i++) sys.msgget(KEY, 0);
    };
  },
  "kill with signal 0": (kernel) => (count) => {
    for (let i = 0; i < count; i++) kernel.sys.kill(kernel.pid, 0);
  },
  poll: (kernel, order) => {
    const queue = kernel.queue({ name: order.object, create: true });
    kernel.unlinkQueue(order.object);
    const items = [{ handle: queue, write: true }];
    return (count) => {
      for (let i = 0; i < count; i++) kernel.pollSync(items, { timeout: 0 });
    };
  },
};

await runSide({
  caller(kernel, order) {
    const prepare = calls[order.call ?? ""];
    if (!prepare) throw new Error(`there is no call ${JSON.stringify(order.call)}`);
    measure(order, prepare(kernel, order));
  },
});
