// The processes that measure. Each writes its figure to standard output as one line of JSON, { "ns": … }.

import { type ChildProcess, spawn } from "node:child_process";

/** What one run of one contender showed. */
export interface Figure {
  /** Nanoseconds of one operation. */
  readonly ns: number;
  /** Of contenders for one lock: the longest that one of them waited, and the least share of what would have been fair. */
  readonly longestWaitNs?: number;
  readonly leastShare?: number;
  /** The share of each of them, 1 what would have been fair. */
  readonly shares?: readonly number[];
}

const running = new Set<ChildProcess>();

/** Ends every process that is still measuring; for the way out. */
export function killProcesses(): void {
  for (const child of running) child.kill("SIGKILL");
}

/** Resolves when a process that stays has written its first line; it ends with this one. */
export function spawned(child: ChildProcess): Promise<void> {
  running.add(child);
  return new Promise((resolve, reject) => {
    child.stdout?.once("data", () => resolve());
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      running.delete(child);
      reject(new Error(`it ended before it was ready: ${signal ?? `exit ${code}`}`));
    });
  });
}

/**
 * Runs the commands at once, and answers with the figure that the last one wrote.
 * The first to fail, or the deadline, ends them all.
 */
export async function measured(commands: readonly string[][], deadlineMs: number): Promise<Figure> {
  const started = commands.map((command) => start(command));
  const killAll = (): void => {
    for (const { child } of started) child.kill("SIGKILL");
  };
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    killAll();
  }, deadlineMs);
  const outputs = started.map(({ output }) => output);
  try {
    return figure((await Promise.all(outputs)).at(-1) ?? "");
  } catch (error) {
    if (!late) throw error;
    throw new Error(
      `no figure after ${deadlineMs} ms from ${commands.map((command) => command.join(" ")).join(" and ")}`,
    );
  } finally {
    clearTimeout(timer);
    killAll();
    await Promise.allSettled(outputs);
  }
}

function start(command: string[]): { child: ChildProcess; output: Promise<string> } {
  const child = spawn(command[0], command.slice(1), { stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  const output = new Promise<string>((resolve, reject) => {
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      running.delete(child);
      if (code === 0) resolve(stdout);
      else
        reject(new Error(`${command.join(" ")}: ${signal ? `ended by ${signal}` : `exit ${code}`}\n${stderr}`.trim()));
    });
  });
  return { child, output };
}

function figure(output: string): Figure {
  const seen = JSON.parse(output) as Figure;
  if (typeof seen.ns !== "number" || !(seen.ns > 0)) throw new Error(`no figure in ${JSON.stringify(output)}`);
  return seen;
}
