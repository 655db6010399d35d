// The peers: Linux's own IPC, called from C. The program is compiled for the run and removed with its directory.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Cpus } from "./placement.ts";
import { measuredNs } from "./processes.ts";

/** peers.c stands beside this file's source; the compiled file is two directories further down, in dist/bench. */
function sourcePath(): string {
  const candidates = ["peers.c", "../../bench/peers.c"].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  const found = candidates.find((path) => existsSync(path));
  if (!found) throw new Error(`bench/peers.c is missing; looked for ${candidates.join(" and ")}`);
  return found;
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

  /** Runs one subcommand; nanoseconds of one operation. */
  measure(
    work: string,
    bytes: number,
    counts: { warmup: number; operations: number },
    cpus: Cpus,
    deadlineMs: number,
  ): Promise<number> {
    const sides = work.endsWith("-pair") ? [cpus.measured] : [cpus.measured, cpus.partner];
    const numbers = [bytes, counts.warmup, counts.operations, ...sides].map(String);
    return measuredNs([[this.#program, work, ...numbers]], deadlineMs);
  }

  /** Idempotent. */
  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
