// A client: makes so many calls, each as soon as the bucket lets it. One is told to die in the middle of taking a token.

import { attachToParent } from "../common/children.ts";
import { RATE } from "./rate.ts";
import { TokenBucket } from "./token-bucket.ts";

const calls = Number(process.argv[2]);
const diesAt = Number(process.argv[3]);
const bucket = TokenBucket.open(attachToParent(), RATE);

for (let call = 1; call <= calls; call++) {
  await bucket.take(() => {
    if (call === diesAt) process.kill(process.pid, "SIGKILL"); // with the mutex locked, and the bucket half changed
  });
}
process.exit(0);
