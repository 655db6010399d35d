// Region files that were cut short, or made longer: attaching is refused.

import { copyFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { IpcError, Kernel } from "../../src/index.ts";
import { libc } from "../../src/platforms/libc.ts";
import { regionPath } from "../../src/platforms/region-file.ts";
import { Random } from "../random.ts";

const SMALL = {
  regionBytes: 256 * 1024,
  tasksMax: 4,
  objectsMax: 16,
  descriptorsMax: 16,
  descriptionsMax: 32,
  waitersMax: 16,
};

/** What was not refused as it should be, or why nothing could be tried. */
export function tryTruncations(count: number, seed: number): string[] | string {
  const library = libc();
  if (typeof library === "string") return library;
  const random = new Random(seed);
  const name = `hostile-${process.pid}`;
  const copy = `${name}-copy`;
  const wrong: string[] = [];
  const kernel = Kernel.open(name, { create: true, exclusive: true, ...SMALL });
  try {
    const whole = statSync(regionPath(name)).size;
    for (let i = 0; i < count; i++) {
      const bytes = random.chance(20) ? whole + 1 + random.below(8192) : random.below(whole);
      copyFileSync(regionPath(name), regionPath(copy));
      truncateSync(regionPath(copy), bytes);
      try {
        Kernel.open(copy).close();
        wrong.push(`a file of ${bytes} bytes instead of ${whole} was not refused`);
      } catch (error) {
        if (!(error instanceof IpcError)) wrong.push(`a file of ${bytes} bytes: ${String(error)}`);
      } finally {
        rmSync(regionPath(copy));
      }
    }
  } finally {
    kernel.close();
    Kernel.unlink(name);
  }
  return wrong;
}
