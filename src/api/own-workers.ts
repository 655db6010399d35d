// The worker threads that this thread has started, however it did: only who has a Worker can end its thread while that spins.

import type { Worker } from "node:worker_threads";

/** Who is told, by their numbers (a Worker's threadId). */
interface Watcher {
  readonly began: (threadId: number, worker: Worker) => void;
  readonly ended: (threadId: number) => void;
}

const workers = new Map<number, Worker>();
const watchers = new Set<Watcher>();
let watches = false;

/** Tells of each that there is, as far as this thread has watched, and of each that comes; returns how to end that. */
export function watchOwnWorkers(watcher: Watcher): () => void {
  if (!watches) process.on("worker", note);
  watches = true;
  for (const [threadId, worker] of workers) watcher.began(threadId, worker);
  watchers.add(watcher);
  return () => {
    watchers.delete(watcher);
  };
}

function note(worker: Worker): void {
  const { threadId } = worker;
  if (threadId < 0) return; // it has ended already
  workers.set(threadId, worker);
  worker.once("exit", () => {
    workers.delete(threadId);
    for (const { ended } of watchers) ended(threadId);
  });
  for (const { began } of watchers) began(threadId, worker);
}
