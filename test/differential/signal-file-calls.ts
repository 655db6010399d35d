// Draws the calls that read signals: signalfd, and what is done with its descriptors.

import type { Random } from "../random.ts";
import { call, ints } from "./family.ts";
import * as is from "./flags.ts";
import { namedBy, type Observation, type Operand, type Operation } from "./operation.ts";
import type { SignalSets } from "./signal-sets.ts";

const POLLED = 14_336;
const FILE = 20_480;
const FILE_BYTES = 128;
const MESSAGE = 12_288;

const fileCalls = [
  [10, "make"],
  [40, "read"],
  [14, "poll"],
  [4, "flags"],
  [2, "dup"],
  [3, "close"],
  [1, "write"],
  [1, "ioctl"],
] as const;

export class SignalFileCalls {
  readonly #sets: SignalSets;
  /** The descriptors that each task has, or had. */
  readonly #files: readonly string[][];
  #made = 0;

  constructor(tasks: number, sets: SignalSets) {
    this.#sets = sets;
    this.#files = Array.from({ length: tasks }, () => []);
  }

  draw(random: Random, task: number): Operation {
    const files = this.#files[task] as string[];
    const file: Operand =
      files.length > 0 && !random.chance(3) ? { symbol: random.pick(files) } : random.pick([-1, 9999]);
    const kind = files.length === 0 ? "make" : random.weighted(fileCalls);
    if (kind === "make") return this.#makeFile(random, task, file);
    if (kind === "read") {
      const pointer = random.chance(3) ? -8 : { at: FILE };
      const bytes = random.pick([FILE_BYTES, FILE_BYTES, 2 * FILE_BYTES, 4 * FILE_BYTES, 3 * FILE_BYTES + 5, 127, 0]);
      const outputs = [{ at: FILE, bytes: 4 * FILE_BYTES, as: "file-infos" as const }];
      return call(task, "read", [file, pointer, bytes], { outputs });
    }
    if (kind === "poll") {
      const inputs = [
        { at: POLLED, value: { word: file } },
        { at: POLLED + 4, value: ints(random.pick([1, 0xff, 4])) },
      ];
      const outputs = [{ at: POLLED, bytes: 8, as: "poll" as const }];
      return call(task, "poll", [{ at: POLLED }, 1, random.pick([0, 0, -1])], { inputs, outputs });
    }
    if (kind === "flags") {
      if (random.chance(50)) return call(task, "fcntl", [file, is.F_GETFL, 0]);
      return call(task, "fcntl", [
        file,
        is.F_SETFL,
        random.pick([0, is.O_NONBLOCK, is.O_NONBLOCK | is.O_APPEND, is.O_DIRECT]),
      ]);
    }
    if (kind === "dup") return call(task, "dup", [file], { result: this.#newFile() });
    if (kind === "close") return call(task, "close", [file]);
    if (kind === "write") return call(task, "write", [file, { at: MESSAGE }, random.pick([0, FILE_BYTES])]);
    return call(task, "ioctl", [file, is.FIONREAD, { at: FILE }]);
  }

  observe({ operation, result }: Observation): void {
    if (result === "sleeps" || result < 0) return;
    if (!["signalfd", "signalfd4", "dup"].includes(operation.name)) return;
    this.#files[operation.task]?.push(namedBy(operation) as string);
  }

  #newFile(): { names: string; as: "descriptor" } {
    return { names: `file ${this.#made++}`, as: "descriptor" };
  }

  #makeFile(random: Random, task: number, other: Operand): Operation {
    const { pointer, bytes, inputs } = this.#sets.drawArgument(random);
    const file = random.chance(70) ? -1 : random.chance(10) ? { symbol: `reader ${task}` } : other;
    const rest = { inputs, result: this.#newFile() };
    if (random.chance(30)) return call(task, "signalfd", [file, pointer, bytes], rest);
    const flags = random.pick([0, is.O_NONBLOCK, is.O_NONBLOCK, is.O_NONBLOCK | is.O_CLOEXEC, 1, is.O_APPEND]);
    return call(task, "signalfd4", [file, pointer, bytes, flags], rest);
  }
}
