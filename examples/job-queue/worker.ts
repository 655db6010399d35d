// A worker: takes a job, does it, says so; until SIGTERM ends it. It may be killed between any two of these lines.

import { attachToParent } from "../common/children.ts";
import { doJob } from "./job.ts";
import { JobStore } from "./job-store.ts";

const number = Number(process.argv[2]);
const kernel = attachToParent();
const store = JobStore.open(kernel);
const jobs = kernel.queue({ name: "jobs" });
const done = kernel.queue({ name: "done" });

for (;;) {
  const { data } = await jobs.receive(); // killed from here on: the number is gone, the slot is READY
  const slot = data[0];
  if (!store.slots.take(slot, number)) continue; // the number came twice, and another one was faster
  store.begin(slot); // killed from here on: the slot is in our hands
  store.resultOf(slot).set(doJob(store.jobOf(slot)));
  store.slots.finish(slot); // killed from here on: the slot is DONE, and the main task finds it so
  await done.send(Uint8Array.of(slot));
}
