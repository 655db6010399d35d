// A supervised pool of worker processes. Workers crash, one is killed with kill -9 in the middle of a request, and each is replaced;
// at SIGTERM the pool finishes what it has in hand. See README.md.

import { killInTheMiddle } from "../common/children.ts";
import { switchesOf } from "../common/command-line.ts";
import { openOwnKernel } from "../common/own-kernel.ts";
import { PoolError, Supervisor } from "./supervisor.ts";

const HELP = `Usage: node dist/examples/worker-pool/main.js [--serve]

Three workers answer 40 requests; one request crashes whoever has it, and one worker is killed with kill -9. Then the program sends
itself SIGTERM with requests in hand. With --serve it goes on answering until SIGTERM comes from outside.
`;
const WORKERS = 3;
const REQUESTS = 40;
const CRASHES = 12;
const BELOW = 40_000;
const PRIMES_BELOW = 4203;

const { serve } = switchesOf(HELP, "serve");
using kernel = openOwnKernel("worker-pool", {}, ["SIGHUP", "SIGINT"]);
const pool = new Supervisor(kernel, new URL("./worker.js", import.meta.url), WORKERS, console.log);
const told = new Promise<void>((resolve) => process.once("SIGTERM", () => resolve()));
let answered = 0;
let wrong = 0;

const asked = Array.from({ length: REQUESTS }, (_, i) => ask(i + 1 === CRASHES ? "crash" : BELOW));
const [victim] = pool.busy;
await killInTheMiddle(victim, () => pool.isBusy(victim));
const givenUp = (await Promise.all(asked)).filter((answer) => answer !== undefined);
console.log(`${answered} of ${REQUESTS} requests answered; given up: ${givenUp.join("; ")}`);

const last = Array.from({ length: 2 * WORKERS }, () => ask(BELOW));
if (serve) serveUntilTold();
else process.kill(process.pid, "SIGTERM");
await told;
const busy = pool.busy.length;
const { waiting } = pool;
await pool.shutdown();
const refused = (await Promise.all(last)).filter((answer) => answer !== undefined).length;
console.log(`SIGTERM: in hand and answered: ${busy}; not begun and refused: ${refused}; no worker is left`);
const ended = kernel.tasks().length === 1 && refused === waiting;
const ok = wrong === 0 && givenUp.length === 1 && ended;
console.log(ok ? "ok" : "not ok");
process.exit(ok ? 0 : 1);

/** Resolves with why there is no answer, if there is none. */
async function ask(below: number | "crash"): Promise<string | undefined> {
  try {
    if ((await pool.ask(below)) !== PRIMES_BELOW) wrong++;
    answered++;
    return undefined;
  } catch (error) {
    if (!(error instanceof PoolError)) throw error;
    return error.message;
  }
}

/** One after the other, until one is refused. */
async function serveUntilTold(): Promise<void> {
  await Promise.all(last);
  console.log("serving until SIGTERM");
  while ((await ask(BELOW)) === undefined);
}
