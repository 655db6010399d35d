// Whether a history of concurrent operations could have been one after the other (Herlihy and Wing, "Linearizability", 1990): a
// search for an order that keeps to real time and to a plain model of the object (Wing and Gong, 1993), which remembers where it has
// been (Lowe, "Testing for linearizability", 2017).

/** One operation, as its task saw it: between `start` and `end` it took effect. */
export interface Recorded {
  readonly task: number;
  readonly operation: string;
  readonly argument: number;
  /** What it gave; -1: nothing, or not now. */
  readonly result: number;
  /** Nanoseconds of a clock that all tasks share. */
  readonly start: number;
  readonly end: number;
}

/** The state after an operation, or undefined where it could not have given what it gave. */
export type Model = (state: string, recorded: Recorded) => string | undefined;

/** The states that the history may have ended in; none where it is not linearizable. At most 30 operations. */
export function finalStates(history: readonly Recorded[], model: Model, first: Iterable<string>): Set<string> {
  const found = new Set<string>();
  const seen = new Set<string>();
  const all = 2 ** history.length - 1;
  const open = [...first].map((state) => ({ done: 0, state }));
  for (let at = open.pop(); at; at = open.pop()) {
    const { done, state } = at;
    const key = `${done} ${state}`;
    if (seen.has(key)) continue;
    seen.add(key);
    if (done === all) {
      found.add(state);
      continue;
    }
    let earliestEnd = Number.POSITIVE_INFINITY;
    history.forEach(({ end }, i) => {
      if (!(done & (1 << i))) earliestEnd = Math.min(earliestEnd, end);
    });
    history.forEach((recorded, i) => {
      if (done & (1 << i) || recorded.start > earliestEnd) return;
      const next = model(state, recorded);
      if (next !== undefined) open.push({ done: done | (1 << i), state: next });
    });
  }
  return found;
}

/** A queue of numbers with room for `depth`: trySend, tryReceive. */
export const queueModel =
  (depth: number): Model =>
  (state, { operation, argument, result }) => {
    const held = state === "" ? [] : state.split(",");
    if (operation === "trySend") {
      if (result === -1) return held.length === depth ? state : undefined;
      return held.length < depth ? [...held, argument].join() : undefined;
    }
    if (result === -1) return held.length === 0 ? state : undefined;
    return held[0] === String(result) ? held.slice(1).join() : undefined;
  };

/** A semaphore: post, tryWait. */
export const semaphoreModel: Model = (state, { operation, result }) => {
  const value = Number(state);
  if (operation === "post") return String(value + 1);
  if (result === -1) return value === 0 ? state : undefined;
  return value > 0 ? String(value - 1) : undefined;
};

/** A mutex, "" where it is free: lock, tryLock, unlock. */
export const mutexModel: Model = (state, { operation, task, result }) => {
  const self = String(task);
  if (operation === "unlock") return state === self ? "" : undefined;
  if (result === -1) return state !== "" ? state : undefined;
  return state === "" ? self : undefined;
};

/** A read/write lock, as the sorted list of those who hold it, a writer with a "w": tryRead, tryWrite, unlock. */
export const rwlockModel: Model = (state, { operation, task, result }) => {
  const holders = state === "" ? [] : state.split(",");
  if (operation === "unlock") return holders.filter((one) => Number.parseInt(one, 10) !== task).join();
  const written = holders.some((one) => one.endsWith("w"));
  if (operation === "tryRead") {
    if (result === -1) return written ? state : undefined;
    return written ? undefined : [...holders, String(task)].sort().join();
  }
  if (result === -1) return holders.length > 0 ? state : undefined;
  return holders.length === 0 ? `${task}w` : undefined;
};
