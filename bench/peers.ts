// The peers: Linux's own IPC, called from C, and what else there is for JavaScript. The program in C is compiled for the run and
// removed with its directory; the peers from npm are installed once, in bench/npm-peers.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { npmPeersDirectory } from "./node-peers/peer.ts";
import { type Cpus, onCpu, onCpus } from "./placement.ts";
import { type Figure, measured } from "./processes.ts";
import type { Peer } from "./rows.ts";

/** peers.c stands beside this file's source; the compiled file is two directories further down, in dist/bench. */
function sourcePath(): string {
  const candidates = ["peers.c", "../../bench/peers.c"].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  const found = candidates.find((path) => existsSync(path));
  if (!found) throw new Error(`bench/peers.c is missing; looked for ${candidates.join(" and ")}`);
  return found;
}

/** Installs the peers from npm where they are not; what went wrong, or nothing. */
export function installNpmPeers(): string | undefined {
  const directory = npmPeersDirectory();
  if (existsSync(join(directory, "node_modules"))) return undefined;
  const { status, stderr, error } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: directory,
    encoding: "utf8",
  });
  return status === 0 ? undefined : (error?.message ?? stderr.trim().split("\n").at(-1) ?? "npm ci failed");
}

export interface PeerMeasurement {
  readonly bytes: number;
  readonly warmup: number;
  readonly operations: number;
  readonly cpus: Cpus;
  readonly parties: number | undefined;
}

export class Peers {
  readonly #directory = mkdtempSync(join(tmpdir(), "fangaos-bench-"));
  readonly #program = join(this.#directory, "peers");

  /** Compiles; throws with what is missing. */
  constructor() {
    const command = ["-O2", "-Wall", "-o", this.#program, sourcePath(), "-lrt", "-pthread"];
    const { error, status, stderr } = spawnSync("cc", command, { encoding: "utf8" });
    if (!error && status === 0) return;
    this.remove();
    if ((error as NodeJS.ErrnoException | undefined)?.code === "ENOENT") {
      throw new Error("no C compiler: the peers are compiled with cc, and there is no cc on the PATH");
    }
    throw new Error(`cc cannot compile bench/peers.c: ${error?.message ?? stderr}`);
  }

  measure(program: Peer["program"], measurement: PeerMeasurement, deadlineMs: number): Promise<Figure> {
    const command = "c" in program ? this.#native(program.c, measurement) : nodeCommand(program, measurement);
    return measured([command], deadlineMs);
  }

  #native(work: string, { bytes, warmup, operations, cpus, parties }: PeerMeasurement): string[] {
    const isAlone = /-pair$|^memcpy$|^segment-/.test(work);
    const sides = isAlone ? [cpus.measured] : [cpus.measured, cpus.partner];
    const numbers = [bytes, warmup, operations, ...sides, ...(parties === undefined ? [] : [parties])];
    return [this.#program, work, ...numbers.map(String)];
  }

  /** Idempotent. */
  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Its threads and processes share the CPUs of the placement, and the host places them. */
function nodeCommand(program: Extract<Peer["program"], { node: string }>, measurement: PeerMeasurement): string[] {
  const own = fileURLToPath(import.meta.url);
  const file = fileURLToPath(new URL(`./node-peers/${program.node}${extname(own)}`, import.meta.url));
  const { bytes, warmup, operations, cpus } = measurement;
  const order = JSON.stringify({ work: program.work, bytes, warmup, operations });
  const command = [process.execPath, file, order, ...(program.args ?? [])];
  return cpus.measured === cpus.partner
    ? onCpu(cpus.measured, command)
    : onCpus([cpus.measured, cpus.partner], command);
}
