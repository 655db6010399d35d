// The rows of the table, tried in several threads: each takes the next that nobody has taken.

import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { type Tally, tryDeaths } from "./deaths.ts";
import { rows } from "./rows.ts";

/** No death takes so long: what goes round in it touches no memory, or the harness would have ended it. */
const HANG_MS = 10 * 60_000;
/** What a thread says between two deaths: that it is there. */
const BEAT = "beat";

export interface Tried {
  /** An index of `rows`. */
  readonly row: number;
  readonly tally: Tally;
}

interface Share {
  readonly chosen: readonly number[];
  readonly every: number;
  /** One word: how many of those chosen have been taken. */
  readonly taken: Int32Array;
}

/** Tries the rows chosen, by their index; `tell` is told of each as it is done. */
export async function tryRows(
  chosen: readonly number[],
  { every, threads }: { readonly every: number; readonly threads: number },
  tell: (tried: Tried) => void,
): Promise<void> {
  const share: Share = { chosen, every, taken: new Int32Array(new SharedArrayBuffer(4)) };
  await Promise.all(Array.from({ length: Math.min(threads, chosen.length) }, () => tryShare(share, tell)));
}

function tryShare(share: Share, tell: (tried: Tried) => void): Promise<void> {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { crash: share } });
  return new Promise((resolve, reject) => {
    let last = "no operation";
    const hangs = (): void => reject(new Error(`a thread has done nothing for ${HANG_MS} ms after ${last}`));
    let timer = setTimeout(hangs, HANG_MS);
    worker.on("message", (tried: Tried | typeof BEAT) => {
      clearTimeout(timer);
      timer = setTimeout(hangs, HANG_MS);
      if (tried === BEAT) return;
      last = rows[tried.row]?.name ?? last;
      tell(tried);
    });
    worker.on("error", reject);
    worker.on("exit", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

const share = (workerData as { crash?: Share } | null)?.crash;
if (!isMainThread && share) {
  for (;;) {
    const row = share.chosen[Atomics.add(share.taken, 0, 1)];
    if (row === undefined) break;
    const tally = tryDeaths(rows[row] as (typeof rows)[number], share.every, () => parentPort?.postMessage(BEAT));
    parentPort?.postMessage({ row, tally } satisfies Tried);
  }
}
