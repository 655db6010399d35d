// A job queue over processes, two of whose workers are killed with kill -9 in the middle of a job. See README.md.

import { switchesOf } from "../common/command-line.ts";
import { openOwnKernel } from "../common/own-kernel.ts";
import { Dispatcher, type Outcome } from "./dispatcher.ts";
import { doJob } from "./job.ts";

const HELP = `Usage: node dist/examples/job-queue/main.js [--never-twice]

Three worker processes do 200 jobs; two are killed with kill -9, each with a job in hand. What a dead worker had in hand is done
again by another (at least once). With --never-twice it is reported as lost instead (at most once).
`;
const JOBS = 200;
const KILLS_AFTER = [JOBS / 4, JOBS / 2];

const { "never-twice": neverTwice } = switchesOf(HELP, "never-twice");
using kernel = openOwnKernel("job-queue");
const dispatcher = new Dispatcher(kernel, !neverTwice, console.log);
const killings: Promise<void>[] = [];
await dispatcher.run(JOBS, (outcomes) => {
  if (KILLS_AFTER.includes(outcomes)) killings.push(dispatcher.killOne());
});
await Promise.all(killings);
await dispatcher.end();

const { outcomes } = dispatcher;
const done = outcomes.filter(({ result }) => result !== undefined);
const lost = outcomes.filter(({ result }) => result === undefined);
const twice = done.filter(({ attempts }) => attempts > 1);
console.log(`done: ${done.length}; lost: ${jobsOf(lost)}; begun more than once: ${jobsOf(twice)}`);
const jobs = new Set(outcomes.map(({ job }) => job));
const wrong = done.filter(({ job, result }) => Buffer.compare(doJob(job), result as Uint8Array) !== 0);
const promised = neverTwice ? twice.length === 0 : lost.length === 0;
const ok = promised && jobs.size === JOBS && outcomes.length === JOBS && wrong.length === 0;
console.log(ok ? "ok" : `wrong: ${jobsOf(wrong)}`);
process.exitCode = ok ? 0 : 1;

function jobsOf(of: readonly Outcome[]): string {
  const numbers = of.map(({ job }) => job).sort((a, b) => a - b);
  return numbers.length === 0 ? "none" : `job ${numbers.join(", ")}`;
}
