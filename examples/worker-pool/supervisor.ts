// Keeps so many workers alive, gives each one request at a time, and knows who has which. A worker that dies is replaced, at once
// at first, then ever later if they go on dying; its request is given to another one, and given up when it has cost two lives.

import type { Kernel, MessageQueue, Task, TaskStatus } from "../../src/index.ts";
import { Children } from "../common/children.ts";
import { decode, encode, type Reply, type Request } from "./messages.ts";

const ATTEMPTS_MAX = 2;
const BACK_OFF_MS = 25;
const BACK_OFF_MS_MAX = 2000;
/** How long workers may take, at the end, to finish what they have in hand. */
const GRACE_MS = 5000;

/** The answer that a request gets when there will be none. */
export class PoolError extends Error {
  override readonly name = "PoolError";
}

interface Pending {
  readonly request: Request;
  readonly resolve: (primes: number) => void;
  readonly reject: (error: PoolError) => void;
  attempts: number;
}

interface Worker {
  /** Never given again, as the pid of a dead task may be. */
  readonly number: number;
  readonly task: Task;
  pending: Pending | undefined;
}

/** Where there is always to be a worker. */
interface Place {
  worker: Worker | undefined;
  /** Deaths since a worker of this place has last answered something. */
  deaths: number;
}

export class Supervisor {
  readonly #children: Children;
  readonly #program: URL;
  readonly #print: (line: string) => void;
  readonly #requests: MessageQueue;
  readonly #replies: MessageQueue;
  readonly #places: Place[];
  readonly #waiting: Pending[] = [];
  #requestsMade = 0;
  #workersStarted = 0;
  #ending = false;
  #onEmpty: () => void = () => {};

  constructor(kernel: Kernel, program: URL, workers: number, print: (line: string) => void) {
    this.#children = new Children(kernel);
    this.#program = program;
    this.#print = print;
    this.#requests = kernel.queue({ name: "requests", create: true, depth: workers });
    this.#replies = kernel.queue({ name: "replies", create: true, depth: workers });
    kernel.signals.on("SIGCHLD", () => this.#lookAtChildren());
    this.#places = Array.from({ length: workers }, () => ({ worker: undefined, deaths: 0 }));
    for (const place of this.#places) this.#start(place);
    void this.#collect();
  }

  /** @throws PoolError (as a rejection) for a request that has cost two workers their lives, and at the end of the pool */
  ask(below: Request["below"]): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.#ending) return reject(new PoolError("the pool is shutting down"));
      const request = { id: ++this.#requestsMade, below };
      this.#waiting.push({ request, resolve, reject, attempts: 0 });
      this.#assign();
    });
  }

  /** Workers that have a request in hand. */
  get busy(): Task[] {
    return this.#workers.filter(({ pending }) => pending).map(({ task }) => task);
  }

  /** Requests that no worker has yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  isBusy(task: Task): boolean {
    return this.busy.includes(task);
  }

  /** What is in hand is finished; what waits is not begun. Resolves when all workers are gone. */
  async shutdown(): Promise<void> {
    this.#ending = true;
    for (const { reject } of this.#waiting.splice(0)) reject(new PoolError("the pool is shutting down"));
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    for (const worker of this.#workers) this.#endIfIdle(worker);
    const grace = setTimeout(() => {
      for (const { task } of this.#workers) task.kill("SIGKILL");
    }, GRACE_MS);
    if (this.#workers.length > 0) await empty;
    clearTimeout(grace);
    this.#replies.close();
  }

  get #workers(): Worker[] {
    return this.#places.flatMap(({ worker }) => worker ?? []);
  }

  #start(place: Place): void {
    const number = ++this.#workersStarted;
    place.worker = { number, task: this.#children.start(this.#program, number), pending: undefined };
    this.#assign();
  }

  /** A request to each worker that has none: through the one queue, by the worker's number as its type. */
  #assign(): void {
    for (const worker of this.#workers) {
      if (worker.pending || this.#ending) continue;
      worker.pending = this.#waiting.shift();
      if (worker.pending) this.#requests.trySend(encode(worker.pending.request), { type: worker.number });
    }
  }

  async #collect(): Promise<void> {
    for await (const { data } of this.#replies) {
      this.#accept(decode(data));
      this.#assign();
    }
  }

  #accept({ worker: number, primes }: Reply): void {
    const place = this.#places.find(({ worker }) => worker?.number === number);
    if (!place?.worker?.pending) return;
    place.worker.pending.resolve(primes);
    place.worker.pending = undefined;
    place.deaths = 0;
    this.#endIfIdle(place.worker);
  }

  #endIfIdle({ task, pending }: Worker): void {
    if (this.#ending && !pending) task.kill("SIGTERM");
  }

  /** One SIGCHLD may stand for several that have ended. */
  #lookAtChildren(): void {
    for (const place of this.#places) {
      const status = place.worker?.task.tryWait();
      if (status) this.#bury(place, place.worker as Worker, status);
    }
  }

  #bury(place: Place, worker: Worker, { signal, exitCode }: TaskStatus): void {
    for (let last = this.#replies.tryReceive(); last; last = this.#replies.tryReceive())
      this.#accept(decode(last.data));
    while (this.#requests.tryReceive({ type: worker.number })); // what it had not received yet
    place.worker = undefined;
    if (worker.pending) this.#again(worker.pending);
    if (this.#ending) {
      if (this.#workers.length === 0) this.#onEmpty();
      return;
    }
    const waitMs = place.deaths === 0 ? 0 : Math.min(BACK_OFF_MS * 2 ** (place.deaths - 1), BACK_OFF_MS_MAX);
    place.deaths++;
    this.#print(
      `worker ${worker.number} ${signal ? `was killed by ${signal}` : `ended with ${exitCode}`}` +
        `, with ${worker.pending ? `request ${worker.pending.request.id}` : "nothing"} in hand; another one in ${waitMs} ms`,
    );
    setTimeout(() => {
      if (!this.#ending) this.#start(place);
    }, waitMs);
    this.#assign();
  }

  #again(pending: Pending): void {
    pending.attempts++;
    if (this.#ending) pending.reject(new PoolError("the pool is shutting down"));
    else if (pending.attempts < ATTEMPTS_MAX) this.#waiting.unshift(pending);
    else pending.reject(new PoolError(`request ${pending.request.id} has cost ${ATTEMPTS_MAX} workers their lives`));
  }
}
