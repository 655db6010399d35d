// A command that runs while a lock is held: readied before, started once the lock is there, and ended with this process.

import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import type { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { EXIT_SIGNALLED, Failure } from "./failure.ts";
import { GO, GO_DESCRIPTOR, GO_OWNER_DIED } from "./go.ts";

const RUNNER = fileURLToPath(new URL("command-runner.js", import.meta.url));

/** What is passed on to the command when it is sent to this process. */
const FORWARDED = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGALRM"] as const;
/** What a terminal sends to all processes of its foreground, the command among them. */
const FROM_KEYBOARD: readonly string[] = ["SIGINT", "SIGQUIT"];

export class GuardedCommand {
  readonly #child: ChildProcess;
  readonly #go: Writable;
  readonly #ended: Promise<number>;

  /** Readies the process, which takes as long as Node needs to start; the lock can be waited for meanwhile. */
  constructor(words: readonly string[]) {
    const stdio = ["inherit", "inherit", "inherit", "pipe"] as const;
    this.#child = spawn(process.execPath, [RUNNER, String(process.pid), ...words], { stdio: [...stdio] });
    this.#go = this.#child.stdio[GO_DESCRIPTOR] as Writable;
    this.#go.on("error", () => {}); // it has been killed: its end tells
    this.#ended = new Promise((resolve, reject) => {
      this.#child.once("error", ({ message }) => reject(new Failure(`lock: no process can be started: ${message}`)));
      this.#child.once("exit", (code, signal) =>
        resolve(signal ? EXIT_SIGNALLED + constants.signals[signal] : (code as number)),
      );
    });
    this.#ended.catch(() => {}); // whoever runs it is told
  }

  /** Runs the command: its exit code, or 128 and the signal that has ended it. */
  async run(ownerDied: boolean): Promise<number> {
    for (const name of FORWARDED) process.on(name, () => this.#forward(name));
    this.#go.end(ownerDied ? GO_OWNER_DIED : GO);
    return this.#ended;
  }

  /** There is nothing to run. */
  cancel(): void {
    this.#child.kill("SIGKILL");
  }

  #forward(name: (typeof FORWARDED)[number]): void {
    if (!FROM_KEYBOARD.includes(name) || !isInForeground()) this.#child.kill(name);
  }
}

/** Whether this process is in the foreground of a terminal: fields 5, 7 and 8 of proc_pid_stat(5). */
function isInForeground(): boolean {
  const stat = readFileSync("/proc/self/stat", "latin1");
  const [, , group, , terminal, foreground] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return terminal !== "0" && group === foreground;
}
