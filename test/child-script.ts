// Runs a small script in a process of its own, with this package in it as `ipc`.

import { spawn } from "node:child_process";

export const packageUrl = new URL("../src/index.js", import.meta.url).href;

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `source` as a module, after `import * as ipc`; under another command where `before` names one. */
export async function runScript(
  source: string,
  { nodeArguments = [], before = [] }: { nodeArguments?: string[]; before?: string[] } = {},
): Promise<Ended> {
  const script = `import * as ipc from ${JSON.stringify(packageUrl)};\n${source}`;
  const line = [...before, process.execPath, ...nodeArguments, "--input-type=module", "-e", script];
  const child = spawn(line[0] as string, line.slice(1), { stdio: ["ignore", "pipe", "pipe"], timeout: 20_000 });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (part: string) => {
      output[name] += part;
    });
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status, signal) => resolve({ status, signal, ...output }));
  });
}
