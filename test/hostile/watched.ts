// A process that is watched: one that says nothing for long hangs, and is killed, whatever it does; one that ends before it has said
// its last has crashed. A process and not a thread, for a thread that sleeps in a call of the host's cannot be ended from outside.

import { spawn } from "node:child_process";
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";

/** Nothing that is said is longer in coming, on a loaded machine either. */
const HANG_MS = 120_000;

export interface Watched {
  hangs: number;
  crashes: number;
  readonly violations: string[];
}

/**
 * Runs a module as a process, with a job that it finds with `jobOf`. `heard` is given what it says; where it returns true the
 * process has done. Resolves with whether it came so far.
 */
export function watch<M>(
  module: string,
  job: unknown,
  found: Watched,
  {
    where,
    heard,
    hangMs = HANG_MS,
  }: { readonly where: () => string; readonly heard: (message: M) => boolean; readonly hangMs?: number },
): Promise<boolean> {
  const child = spawn(process.execPath, [module, JSON.stringify(job)], { stdio: ["ignore", "pipe", "inherit"] });
  return new Promise((resolve) => {
    let isDone = false;
    let isHung = false;
    const hangs = (): void => {
      isHung = true;
      found.hangs++;
      found.violations.push(`no progress for ${hangMs} ms ${where()}`);
      child.kill("SIGKILL");
    };
    let timer = setTimeout(hangs, hangMs);
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (isDone || isHung) return;
      clearTimeout(timer);
      timer = setTimeout(hangs, hangMs);
      isDone = heard(JSON.parse(line) as M);
      if (isDone) child.kill("SIGKILL"); // what it would still do is not asked for
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (!isDone && !isHung) {
        found.crashes++;
        found.violations.push(`the process ended with ${signal ?? code} ${where()}`);
      }
      resolve(isDone);
    });
  });
}

/** The job that this process was started with by a module: undefined where it is not that module's process. */
export const jobOf = <J>(module: string): J | undefined =>
  process.argv[1] === module && process.argv[2] !== undefined ? (JSON.parse(process.argv[2]) as J) : undefined;

/** Says something to who watches, at once: what comes next may never end. */
export const say = (message: unknown): void => void writeSync(1, `${JSON.stringify(message)}\n`);
