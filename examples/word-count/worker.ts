// A worker task: takes jobs from the queue "jobs", says so, counts, keeps the totals in
// shared memory, and sends the words to the queue "results".

import { Kernel } from "../../src/index.ts";
import { patiently, receiveSetup, type Setup } from "./child.ts";
import { decodeJob, encodeNotice, encodeResult, JOB_BYTES_MAX, MESSAGE, RESULT_BYTES_MAX } from "./messages.ts";
import { Totals } from "./totals.ts";
import { WordCounter } from "./word-counter.ts";

function work(setup: Setup): void {
  using kernel = Kernel.attach(setup.handle);
  using jobs = kernel.queue({ name: "jobs" });
  using results = kernel.queue({ name: "results" });
  using totals = Totals.open(kernel);
  const send = (type: number, message: Uint8Array) =>
    patiently(setup, (options) => results.sendSync(message, { type, ...options }));
  const message = new Uint8Array(JOB_BYTES_MAX);
  const result = Buffer.alloc(RESULT_BYTES_MAX);
  const counter = new WordCounter();

  send(MESSAGE.started, encodeNotice(setup.task));
  for (;;) {
    const length = patiently(setup, (options) => jobs.receiveIntoSync(message, options));
    if (jobs.lastType === MESSAGE.end) return;
    const job = decodeJob(message.subarray(0, length));
    send(MESSAGE.taken, encodeNotice(setup.task, job.number));
    counter.clear();
    counter.push(job.text);
    counter.end();
    totals.record(job.number, counter.bytes, counter.table.words, counter.table.distinct);
    const sums = { task: setup.task, job: job.number, bytes: counter.bytes };
    send(MESSAGE.counted, result.subarray(0, encodeResult(result, sums, counter.table)));
  }
}

work(await receiveSetup());
process.exit(0);
