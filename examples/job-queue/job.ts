// What a job is: some milliseconds of work, with a result that anyone can check.

import { createHash } from "node:crypto";

const ROUNDS = 1500;

/** Hashes the job's number, and what comes of it, again and again. */
export function doJob(job: number): Uint8Array {
  let result: Uint8Array = Buffer.from(`job ${job}`);
  for (let round = 0; round < ROUNDS; round++) result = createHash("sha256").update(result).digest();
  return result;
}
