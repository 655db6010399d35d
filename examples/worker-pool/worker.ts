// A worker of the pool: answers the requests of its own type, one after the other. At SIGTERM it finishes what it has in hand.

import { attachToParent } from "../common/children.ts";
import { decode, encode, type Reply, type Request } from "./messages.ts";

const CRASH_STATUS = 70;

const number = Number(process.argv[2]);
const kernel = attachToParent();
const requests = kernel.queue({ name: "requests" });
const replies = kernel.queue({ name: "replies" });
const ending = new AbortController();
kernel.signals.on("SIGTERM", () => ending.abort());
process.on("SIGINT", () => {}); // a terminal sends Ctrl-C to all; it is for the supervisor to decide who ends

while (!ending.signal.aborted) {
  const message = await requests.receive({ type: number, signal: ending.signal }).catch((error) => {
    if (!ending.signal.aborted) throw error;
  });
  if (!message) break;
  const { id, below } = decode<Request>(message.data);
  if (below === "crash") process.exit(CRASH_STATUS); // a fault of the program's that this request sets off
  const reply: Reply = { id, worker: number, primes: countPrimes(below) };
  await replies.send(encode(reply));
}
process.exit(0);

function countPrimes(below: number): number {
  let primes = 0;
  for (let candidate = 2; candidate < below; candidate++) if (isPrime(candidate)) primes++;
  return primes;
}

function isPrime(candidate: number): boolean {
  for (let divisor = 2; divisor * divisor <= candidate; divisor++) if (candidate % divisor === 0) return false;
  return true;
}
