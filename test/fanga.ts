// Runs the built fanga command as a shell does, and tasks for it to look at.

import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { after } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { commands } from "../src/cli/commands.ts";
import { runCommandLine } from "../src/cli/run.ts";
import { type InspectedKernel, Kernel, KernelObserver } from "../src/index.ts";
import { packageUrl } from "./child-script.ts";

export const fangaPath = fileURLToPath(new URL("../src/cli/main.js", import.meta.url));

/** What takes longer hangs. */
export const HUNG_MS = 240_000;

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface FangaOptions {
  readonly input?: string | Buffer;
  readonly environment?: NodeJS.ProcessEnv;
  /** A command that is to run it, such as ["unshare", "-rm"]. */
  readonly under?: readonly string[];
}

/** Runs a command line of fanga's to its end. */
export async function fanga(words: readonly string[], options: FangaOptions = {}): Promise<Ended> {
  const child = startFanga(words, options);
  child.stdin?.end(options.input ?? "");
  return endOf(child);
}

/** Starts one. */
export function startFanga(words: readonly string[], { environment, under = [] }: FangaOptions = {}): ChildProcess {
  const [program, ...behind] = [...under, process.execPath, fangaPath, ...words];
  const { FANGA_KERNEL: _, ...own } = process.env;
  const child = spawn(program as string, behind, { env: { ...own, ...environment }, timeout: HUNG_MS });
  child.stdin.on("error", () => {}); // it has ended without reading
  return child;
}

/** What it has printed, and how it ended. */
export async function endOf(child: ChildProcess): Promise<Ended> {
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (part: string) => {
      output[name] += part;
    });
  }
  const [status, signal] = await once(child, "close");
  return { status, signal, ...output };
}

/** Runs a command line in this process, where a test has many: the same function, with other streams. */
export async function fangaHere(words: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const output = { stdout: "", stderr: "" };
  const into = (name: "stdout" | "stderr"): NodeJS.WriteStream => {
    const write = (text: string): boolean => {
      output[name] += text;
      return true;
    };
    return { write } as unknown as NodeJS.WriteStream;
  };
  const { signal } = new AbortController();
  const streams = { stdin: process.stdin, stdout: into("stdout"), stderr: into("stderr") };
  const status = await runCommandLine({ commands, ...streams, environment, isTTY: false, signal }, words);
  return { status, signal: null, ...output };
}

/** Runs it, and expects that it is content. */
export async function fangaOk(words: readonly string[], options?: FangaOptions): Promise<string> {
  const { status, stdout, stderr } = await fanga(words, options);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" }, `fanga ${words.join(" ")}: ${stdout}`);
  return stdout;
}

/** Runs it, and expects one line on standard error and nothing else. */
export async function fangaFails(words: readonly string[], status: 1 | 2, options?: FangaOptions): Promise<string> {
  return failureOf(words, status, await fanga(words, options));
}

/** The same in this process. */
export async function fangaFailsHere(words: readonly string[], status: 1 | 2): Promise<string> {
  return failureOf(words, status, await fangaHere(words));
}

function failureOf(words: readonly string[], status: number, ended: Ended): string {
  assert.equal(ended.status, status, `fanga ${words.join(" ")}: ${ended.stdout}${ended.stderr}`);
  assert.equal(ended.stdout, "");
  assert.match(ended.stderr, /^fanga: [^\n]+\n$/, "one line, and no stack trace");
  return ended.stderr.slice("fanga: ".length, -1);
}

let kernels = 0;

/** The name of a kernel that nobody else uses; its file is removed after the tests. */
export function kernelName(): string {
  const name = `test-${process.pid}-cli${++kernels}`;
  after(() => {
    if (Kernel.names().includes(name)) Kernel.unlink(name);
  });
  return name;
}

/** A kernel of this process, which it leaves after the tests. */
export function openKernel(): { readonly kernel: Kernel; readonly name: string } {
  const name = kernelName();
  const kernel = Kernel.open(name, { create: true });
  after(() => kernel.close());
  return { kernel, name };
}

/** A process that runs `source`, a module with this package as `ipc` and a kernel as `kernel`; it lives until the tests end. */
export function startTask(name: string, source: string): ChildProcess {
  const script = `import * as ipc from ${JSON.stringify(packageUrl)};
const kernel = ipc.Kernel.open(${JSON.stringify(name)}, { create: true });
${source}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  after(() => child.kill("SIGKILL"));
  return child;
}

/** The same of a program in the directory of the tests, which is given the kernel's name. */
export function startProgram(file: string, name: string): ChildProcess {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child = spawn(process.execPath, [path, name], { stdio: ["ignore", "ignore", "inherit"] });
  after(() => child.kill("SIGKILL"));
  return child;
}

/** Kills a process as nothing can be caught, and waits until it has ended. */
export async function killHard(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

const LOOK_EVERY_MS = 10;

/** Looks at a kernel until it is as it should be, and returns what was seen then. */
export async function until(name: string, isSo: (kernel: InspectedKernel) => boolean): Promise<InspectedKernel> {
  const deadline = Date.now() + HUNG_MS;
  for (;;) {
    const seen = Kernel.names().includes(name) ? lookAt(name) : undefined;
    if (seen && isSo(seen)) return seen;
    assert.ok(Date.now() < deadline, `kernel ${name} never was as it should be: ${textOf(seen)}`);
    await delay(LOOK_EVERY_MS);
  }
}

export function lookAt(name: string): InspectedKernel {
  using observer = KernelObserver.open(name);
  return observer.look();
}

const textOf = (value: unknown): string =>
  JSON.stringify(value, (_, one) => (typeof one === "bigint" ? String(one) : one)) ?? "it is not there";

/** Why a program that a test needs is not there, or undefined where it is. */
export function missing(program: string, ...words: readonly string[]): string | undefined {
  const { error, status } = spawnSync(program, words, { stdio: "ignore" });
  if (error) return `${program} is not installed`;
  return status === 0 ? undefined : `${program} ${words.join(" ")} does not work here`;
}

/** Runs what follows with a /dev/shm of its own, in which there is nothing; or why that cannot be had. */
export const ALONE = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs tmpfs /dev/shm && exec "$@"', "sh"] as const;
export const notAlone = (): string | undefined => missing(ALONE[0], ...ALONE.slice(1), "true");
