// A worker thread that is watched: one that makes no progress hangs, one that ends before it has said its last has crashed.

import { Worker } from "node:worker_threads";

const HANG_MS = 60_000;

export interface Watched {
  hangs: number;
  crashes: number;
  readonly violations: string[];
}

/** Starts a module as a thread. `heard` is given each message; where it returns true the thread has done. */
export function watch<M>(
  module: string,
  workerData: unknown,
  found: Watched,
  { where, heard }: { readonly where: () => string; readonly heard: (message: M) => boolean },
): Promise<void> {
  const worker = new Worker(module, { workerData });
  return new Promise((resolve) => {
    let ended = false;
    const end = (): void => {
      ended = true;
      clearTimeout(timer);
      resolve();
      void worker.terminate();
    };
    const hangs = (): void => {
      found.hangs++;
      found.violations.push(`no progress for ${HANG_MS} ms ${where()}`);
      end();
    };
    let timer = setTimeout(hangs, HANG_MS);
    worker.on("message", (message: M) => {
      if (ended) return;
      clearTimeout(timer);
      timer = setTimeout(hangs, HANG_MS);
      if (heard(message)) end();
    });
    const crashed = (why: unknown): void => {
      if (ended) return;
      found.crashes++;
      found.violations.push(`the thread ended ${where()}: ${String(why)}`);
      end();
    };
    worker.on("error", crashed);
    worker.on("exit", crashed);
  });
}
