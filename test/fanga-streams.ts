// The fanga command between its streams: a process, what it is fed, what it prints, its end.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach } from "node:test";
import type { Kernel } from "../src/index.ts";
import { fangaFailsHere, fangaPath, HUNG_MS } from "./fanga.ts";

/** The command, in a shell. */
const definition = `'${process.execPath}' '${fangaPath}'`;

/** As in worlds.ts, for what a command does that may yet have to start: on a loaded machine that alone takes many seconds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + HUNG_MS;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited ${HUNG_MS} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** What became of a command. */
export interface Ending {
  /** As a shell tells it: 128 and its number where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: Buffer;
  readonly complaints: string;
}

/** A command that runs. */
export class RunningCommand {
  readonly child: ChildProcess;
  readonly ending: Promise<Ending>;
  readonly #output: Buffer[] = [];
  readonly #complaints: Buffer[] = [];

  constructor(program: string, words: readonly string[], kernel: string, input: "pipe" | "ignore" | number) {
    this.child = spawn(program, words, {
      detached: true, // a group of its own, so that all of a script ends
      stdio: [input, "pipe", "pipe"],
      env: { ...process.env, FANGA_KERNEL: kernel },
    });
    const hung = setTimeout(() => this.kill(), HUNG_MS);
    this.child.stdout?.on("data", (chunk: Buffer) => this.#output.push(chunk));
    this.child.stderr?.on("data", (chunk: Buffer) => this.#complaints.push(chunk));
    this.child.stdin?.on("error", () => {}); // it has ended without reading all
    this.ending = once(this.child, "close").then(([code, signal]) => {
      clearTimeout(hung);
      const complaints = Buffer.concat(this.#complaints).toString();
      return { code, signal, output: Buffer.concat(this.#output), complaints };
    });
  }

  /** Ends it, and what it has started. */
  kill(): void {
    try {
      process.kill(-this.osPid, "SIGKILL");
    } catch {
      // it has ended
    }
  }

  get osPid(): number {
    return this.child.pid as number;
  }

  /** What it has printed so far. */
  get printed(): string {
    return Buffer.concat(this.#output).toString();
  }

  /** Until it has printed a text. */
  async prints(text: string): Promise<void> {
    await until(() => this.printed.includes(text), `fanga to print ${JSON.stringify(text)}`);
  }
}

export interface Fanga {
  /** Runs a command to its end, with this standard input. */
  run(words: readonly string[], input?: string | Uint8Array): Promise<Ending>;
  /** Starts one; its standard input is a pipe, or a file. */
  start(words: readonly string[], input?: "pipe" | "ignore" | number): RunningCommand;
  /** Runs a shell's script to its end, in which `fanga` is the command. */
  shell(script: string): Promise<Ending>;
}

/** The commands of a test file; those that still run after a test are ended. `kernel` is $FANGA_KERNEL. */
export function fangaIn(kernel: () => string): Fanga {
  const running = new Set<RunningCommand>();
  afterEach(async () => {
    for (const command of running) {
      command.kill();
      await command.ending;
    }
    running.clear();
  });
  const startProgram = (program: string, words: readonly string[], input: "pipe" | "ignore" | number) => {
    const command = new RunningCommand(program, words, kernel(), input);
    running.add(command);
    return command;
  };
  const start: Fanga["start"] = (words, input = "pipe") => startProgram(process.execPath, [fangaPath, ...words], input);
  return {
    start,
    shell: (script) => startProgram("sh", ["-c", `fanga() { ${definition} "$@"; }; ${script}`], "ignore").ending,
    run: async (words, input) => {
      const command = start(words);
      command.child.stdin?.end(input);
      return command.ending;
    },
  };
}

/** That each command line is wrong, and told in one line that matches, before anything is opened: the kernel is not there. */
export async function assertWrong(wrong: readonly (readonly [line: string, complaint: RegExp])[]): Promise<void> {
  for (const [line, expected] of wrong) {
    assert.match(await fangaFailsHere(line.split(" "), 2), expected, `fanga ${line}`);
  }
}

/** The name of a kernel that lives in a file. */
export function nameOf(kernel: Kernel): string {
  if (!("name" in kernel.handle)) throw new Error("this kernel has no name");
  return kernel.handle.name;
}
