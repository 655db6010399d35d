// Four processes share one allowance of calls a second. One is killed with kill -9 while it holds the mutex that guards the bucket,
// with the bucket half changed; the others go on, and never is more granted than may be.
//
// What is promised: whatever client dies whenever, the others get the mutex at once, and in no stretch of time are more calls
// granted than the burst and what the rate allows. A dead client may take with it the token that it was about to get, and those
// that had gathered in the bucket.
//
// (A bucket can do without the mutex: keep only the time at which it will be full again, as 64 bits, and move that on by
// Atomics.compareExchange. One store is there or not, whoever dies. With two numbers and more a mutex it is.)

import { Children } from "../common/children.ts";
import { switchesOf } from "../common/command-line.ts";
import { openOwnKernel } from "../common/own-kernel.ts";
import { RATE } from "./rate.ts";
import { TokenBucket } from "./token-bucket.ts";

const HELP = `Usage: node dist/examples/rate-limiter/main.js

Four processes make 30 calls each; all together may make ${RATE.perSecond} a second, and ${RATE.burst} at once. One is killed with
kill -9 in the middle of its tenth, with the mutex in its hands. Then the times of all calls are checked.
`;
const CLIENTS = 4;
const CALLS = 30;
const DIES_AT = 10;
/** Of the clock's doubles. */
const ROUNDING_MS = 0.01;

switchesOf(HELP);
using kernel = openOwnKernel("rate-limiter");
const bucket = TokenBucket.make(kernel, RATE, CLIENTS * CALLS);
const children = new Children(kernel);
const program = new URL("./client.js", import.meta.url);
const clients = Array.from({ length: CLIENTS }, (_, i) => children.start(program, CALLS, i === 0 ? DIES_AT : 0));
const ends = await Promise.all(clients.map((client) => client.wait()));
ends.forEach(({ signal, exitCode }, i) => {
  console.log(`client ${i + 1}: ${signal ? `killed by ${signal} with the mutex locked` : `ended with ${exitCode}`}`);
});

const times = await bucket.times();
const seconds = (times[times.length - 1] - times[0]) / 1000;
const expected = CLIENTS * CALLS - CALLS + DIES_AT - 1;
console.log(`${times.length} calls in ${seconds.toFixed(2)} s, ${expected} expected; too early: ${tooEarly(times)}`);
const asTold = ends.every(({ signal, exitCode }, i) => (i === 0 ? signal === "SIGKILL" : exitCode === 0));
const ok = asTold && times.length === expected && tooEarly(times) === 0;
console.log(ok ? "ok" : "not ok");
process.exitCode = ok ? 0 : 1;

/** Calls that were one too many for some stretch of time that ends with them. */
function tooEarly(granted: readonly number[]): number {
  const mayBe = (ms: number): number => RATE.burst + ((ms + ROUNDING_MS) * RATE.perSecond) / 1000;
  return granted.filter((end, i) => granted.slice(0, i).some((begin, j) => i - j + 1 > mayBe(end - begin))).length;
}
