// One process of a measurement of semaphores and mutexes. The measured roles are `pair` and `contender`; the partner of the
// latter, `rival`, locks and unlocks until it is told to stop. A round is warmed up as in queue-side.ts.

import type { Mutex, Semaphore } from "../src/index.ts";
import { measure, runSide } from "./side.ts";

const LOOK_EVERY = 64;

function semaphorePairs(semaphore: Semaphore, count: number): void {
  for (let i = 0; i < count; i++) {
    semaphore.waitSync();
    semaphore.post();
  }
}

function mutexPairs(mutex: Mutex, count: number): void {
  for (let i = 0; i < count; i++) mutex.lockSync().unlock();
}

await runSide({
  counter(kernel, order) {
    const semaphore = kernel.semaphore({ name: order.object });
    measure(order, (count) => semaphorePairs(semaphore, count));
  },
  locker(kernel, order) {
    const mutex = kernel.mutex({ name: order.object });
    measure(order, (count) => mutexPairs(mutex, count));
  },
  contender(kernel, order) {
    const mutex = kernel.mutex({ name: order.object });
    const stop = kernel.semaphore({ name: order.object });
    measure(order, (count) => mutexPairs(mutex, count));
    stop.post();
  },
  rival(kernel, order) {
    const mutex = kernel.mutex({ name: order.object });
    const stop = kernel.semaphore({ name: order.object });
    while (stop.value === 0) mutexPairs(mutex, LOOK_EVERY);
  },
});
