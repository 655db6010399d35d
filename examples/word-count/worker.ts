// A worker task: takes jobs from the queue "jobs", says so, counts, keeps the totals in shared memory, tells the main task by a
// signal, and sends the words to the queue "results". SIGTERM ends it.

import { IpcError, Kernel } from "../../src/index.ts";
import { receiveSetup, type Setup, unlessInterrupted } from "./child.ts";
import { decodeJob, encodeNotice, encodeResult, JOB_BYTES_MAX, MESSAGE, RESULT_BYTES_MAX } from "./messages.ts";
import { Totals } from "./totals.ts";
import { WordCounter } from "./word-counter.ts";

function work(setup: Setup): void {
  using kernel = Kernel.attach(setup.handle);
  using jobs = kernel.queue({ name: "jobs" });
  using results = kernel.queue({ name: "results" });
  using totals = Totals.open(kernel);
  const send = (type: number, message: Uint8Array) => {
    const sent = (options: { timeout: number }): true => {
      results.sendSync(message, { type, ...options });
      return true;
    };
    while (!unlessInterrupted(setup, sent)); // told to end meanwhile: what is done is sent all the same
  };
  const message = new Uint8Array(JOB_BYTES_MAX);
  const result = Buffer.alloc(RESULT_BYTES_MAX);
  const counter = new WordCounter();

  let ended = false;
  kernel.signals.on(
    "SIGTERM",
    () => {
      ended = true;
    },
    { restart: false },
  );
  send(MESSAGE.started, encodeNotice(setup.task));
  while (!ended) {
    const length = unlessInterrupted(setup, (options) => jobs.receiveIntoSync(message, options));
    if (length === undefined) continue;
    const job = decodeJob(message.subarray(0, length));
    send(MESSAGE.taken, encodeNotice(setup.task, job.number));
    counter.clear();
    counter.push(job.text);
    counter.end();
    totals.record(job.number, counter.bytes, counter.table.words, counter.table.distinct);
    tellProgress(kernel);
    const sums = { task: setup.task, job: job.number, bytes: counter.bytes };
    send(MESSAGE.counted, result.subarray(0, encodeResult(result, sums, counter.table)));
  }
}

/** The main task, whose handle this one attached with, may have died. */
function tellProgress(kernel: Kernel): void {
  try {
    kernel.kill(kernel.parentPid, "SIGUSR1");
  } catch (error) {
    if (!(error instanceof IpcError && error.code === "ESRCH")) throw error;
  }
}

work(await receiveSetup());
process.exit(0);
