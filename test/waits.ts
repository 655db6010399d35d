// Every call of the API that waits, each made ready so that it does: one list for whatever must hold of them all.

import { json, type Kernel, type SyncWaitOptions, type WaitOptions } from "../src/index.ts";
import { bytes } from "./expectations.ts";

/** A call that cannot go on now. */
export interface Wait {
  /** What errors name. */
  readonly syscall: string;
  readonly promised: (options?: WaitOptions) => Promise<unknown>;
  /** The same, asleep, where there is such a form. */
  readonly asleep?: ((options?: SyncWaitOptions) => unknown) | undefined;
  /** The same, without waiting: what it returns where it would have to. */
  readonly tried?: { readonly call: () => unknown; readonly result: unknown } | undefined;
  /** Closes the handle that waits; absent where only the kernel can be closed. */
  readonly close?: (() => void) | undefined;
  /** Lets one wait go on. */
  readonly release?: (() => unknown) | undefined;
}

const buffer = new Uint8Array(8);

/** Makes a call wait, in a kernel that is there for it alone. */
export const waits: { readonly [name: string]: (kernel: Kernel) => Wait } = {
  "queue.receive": (kernel) => {
    const queue = kernel.queue();
    return {
      syscall: "msgrcv",
      promised: (options) => queue.receive(options),
      asleep: (options) => queue.receiveSync(options),
      tried: { call: () => queue.tryReceive(), result: undefined },
      close: () => queue.close(),
      release: () => queue.trySend(bytes("x")),
    };
  },
  "queue.receive of a type": (kernel) => {
    const queue = kernel.queue();
    queue.sendSync(bytes("another"), { type: 2 });
    return {
      syscall: "msgrcv",
      promised: (options) => queue.receive({ ...options, type: 7 }),
      asleep: (options) => queue.receiveSync({ ...options, type: 7 }),
      tried: { call: () => queue.tryReceive({ type: 7 }), result: undefined },
      close: () => queue.close(),
      release: () => queue.trySend(bytes("x"), { type: 7 }),
    };
  },
  "queue.receiveInto": (kernel) => {
    const queue = kernel.queue();
    return {
      syscall: "msgrcv",
      promised: (options) => queue.receiveInto(buffer, options),
      asleep: (options) => queue.receiveIntoSync(buffer, options),
      tried: { call: () => queue.tryReceiveInto(buffer), result: -1 },
      close: () => queue.close(),
      release: () => queue.trySend(bytes("x")),
    };
  },
  "queue.receiveMany": (kernel) => {
    const queue = kernel.queue();
    return {
      syscall: "msgrcv",
      promised: (options) => queue.receiveMany(2, options),
      asleep: (options) => queue.receiveManySync(2, options),
      tried: { call: () => queue.tryReceiveMany(2).length, result: 0 },
      close: () => queue.close(),
      release: () => queue.trySend(bytes("x")),
    };
  },
  "queue.values": (kernel) => {
    const queue = kernel.queue();
    return {
      syscall: "msgrcv",
      promised: (options) => queue.values(options).next(),
      release: () => queue.trySend(bytes("x")),
    };
  },
  "queue.send": (kernel) => {
    const queue = kernel.queue({ depth: 1 });
    queue.sendSync(bytes("full"));
    return {
      syscall: "msgsnd",
      promised: (options) => queue.send(bytes("x"), options),
      asleep: (options) => queue.sendSync(bytes("x"), options),
      tried: { call: () => queue.trySend(bytes("x")), result: false },
      close: () => queue.close(),
      release: () => queue.tryReceive(),
    };
  },
  "queue.sendMany": (kernel) => {
    const queue = kernel.queue({ depth: 1 });
    queue.sendSync(bytes("full"));
    return {
      syscall: "msgsnd",
      promised: (options) => queue.sendMany([bytes("x")], options),
      asleep: (options) => queue.sendManySync([bytes("x")], options),
      tried: { call: () => queue.trySendMany([bytes("x")]), result: 0 },
      close: () => queue.close(),
      release: () => queue.tryReceive(),
    };
  },
  "queue.notified": (kernel) => {
    const queue = kernel.queue();
    return {
      syscall: "mq_notify",
      promised: (options) => queue.notified(options),
      close: () => queue.close(),
      release: () => queue.trySend(bytes("x")),
    };
  },
  "typedQueue.receive": (kernel) => {
    const queue = kernel.queue({ codec: json() });
    return {
      syscall: "msgrcv",
      promised: (options) => queue.receive(options),
      asleep: (options) => queue.receiveSync(options),
      tried: { call: () => queue.tryReceive(), result: undefined },
      close: () => queue.close(),
      release: () => queue.trySend(1),
    };
  },
  "typedQueue.receiveMany": (kernel) => {
    const queue = kernel.queue({ codec: json() });
    return {
      syscall: "msgrcv",
      promised: (options) => queue.receiveMany(2, options),
      asleep: (options) => queue.receiveManySync(2, options),
      tried: { call: () => queue.tryReceiveMany(2).length, result: 0 },
      close: () => queue.close(),
      release: () => queue.trySend(1),
    };
  },
  "typedQueue.send": (kernel) => {
    const queue = kernel.queue({ depth: 1, codec: json() });
    queue.sendSync(0);
    return {
      syscall: "msgsnd",
      promised: (options) => queue.send(1, options),
      asleep: (options) => queue.sendSync(1, options),
      tried: { call: () => queue.trySend(1), result: false },
      close: () => queue.close(),
      release: () => queue.tryReceive(),
    };
  },
  "reader.read": (kernel) => {
    const { reader, writer } = kernel.pipe();
    return {
      syscall: "read",
      promised: (options) => reader.read(buffer, options),
      asleep: (options) => reader.readSync(buffer, options),
      tried: { call: () => reader.tryRead(buffer), result: -1 },
      close: () => reader.close(),
      release: () => writer.tryWrite(bytes("x")),
    };
  },
  "reader.values": (kernel) => {
    const { reader, writer } = kernel.pipe();
    return {
      syscall: "read",
      promised: (options) => reader.values(options).next(),
      release: () => writer.tryWrite(bytes("x")),
    };
  },
  "writer.write": (kernel) => {
    const { reader, writer } = kernel.pipe();
    writer.writeSync(new Uint8Array(writer.capacity));
    return {
      syscall: "write",
      promised: (options) => writer.write(bytes("x"), options),
      asleep: (options) => writer.writeSync(bytes("x"), options),
      tried: { call: () => writer.tryWrite(bytes("x")), result: -1 },
      close: () => writer.close(),
      release: () => reader.tryRead(buffer),
    };
  },
  "kernel.openFifo": (kernel) => {
    kernel.mkfifo("fifo");
    return {
      syscall: "open",
      promised: (options) => kernel.openFifo("fifo", "read", options),
      asleep: (options) => kernel.openFifoSync("fifo", "read", options),
      release: () => kernel.tryOpenFifo("fifo", "write"),
    };
  },
  "semaphore.wait": (kernel) => {
    const semaphore = kernel.semaphore();
    return {
      syscall: "sem_wait",
      promised: (options) => semaphore.wait(options),
      asleep: (options) => semaphore.waitSync(options),
      tried: { call: () => semaphore.tryWait(), result: false },
      close: () => semaphore.close(),
      release: () => semaphore.post(),
    };
  },
  "mutex.lock": (kernel) => {
    const mutex = kernel.mutex();
    const guard = mutex.lockSync();
    return {
      syscall: "pthread_mutex_lock",
      promised: (options) => mutex.lock(options),
      asleep: (options) => mutex.lockSync(options),
      tried: { call: () => mutex.tryLock(), result: undefined },
      close: () => mutex.close(),
      release: () => guard.unlock(),
    };
  },
  "rwlock.readLock": (kernel) => {
    const rwlock = kernel.rwlock();
    const guard = rwlock.writeLockSync();
    return {
      syscall: "pthread_rwlock_rdlock",
      promised: (options) => rwlock.readLock(options),
      tried: { call: () => rwlock.tryReadLock(), result: undefined },
      close: () => rwlock.close(),
      release: () => guard.unlock(),
    };
  },
  "rwlock.writeLock": (kernel) => {
    const rwlock = kernel.rwlock();
    const guard = rwlock.readLockSync();
    return {
      syscall: "pthread_rwlock_wrlock",
      promised: (options) => rwlock.writeLock(options),
      tried: { call: () => rwlock.tryWriteLock(), result: undefined },
      close: () => rwlock.close(),
      release: () => guard.unlock(),
    };
  },
  "condition.wait": (kernel) => {
    const mutex = kernel.mutex();
    const condition = kernel.condition();
    mutex.lockSync();
    return {
      syscall: "pthread_cond_wait",
      promised: (options) => condition.wait(mutex, options),
      asleep: (options) => condition.waitSync(mutex, options),
      close: () => condition.close(),
      release: () => condition.signal(),
    };
  },
  "barrier.wait": (kernel) => {
    const barrier = kernel.barrier({ parties: 2 });
    return {
      syscall: "pthread_barrier_wait",
      promised: (options) => barrier.wait(options),
      asleep: (options) => barrier.waitSync(options),
      close: () => barrier.close(),
      release: () => barrier.wait(),
    };
  },
  "signals.wait": (kernel) => {
    kernel.signals.block("SIGUSR1");
    return {
      syscall: "sigwaitinfo",
      promised: (options) => kernel.signals.wait(["SIGUSR1"], options),
      asleep: (options) => kernel.signals.waitSync(["SIGUSR1"], options),
      tried: { call: () => kernel.signals.tryWait(["SIGUSR1"]), result: undefined },
      release: () => kernel.kill(kernel.pid, "SIGUSR1"),
    };
  },
  "signalReader.receive": (kernel) => {
    const reader = kernel.signals.open(["SIGUSR1"]);
    return {
      syscall: "read",
      promised: (options) => reader.receive(options),
      asleep: (options) => reader.receiveSync(options),
      tried: { call: () => reader.tryReceive(), result: undefined },
      close: () => reader.close(),
      release: () => kernel.kill(kernel.pid, "SIGUSR1"),
    };
  },
  "signalReader.values": (kernel) => {
    const reader = kernel.signals.open(["SIGUSR1"]);
    return {
      syscall: "read",
      promised: (options) => reader.values(options).next(),
      release: () => kernel.kill(kernel.pid, "SIGUSR1"),
    };
  },
};
