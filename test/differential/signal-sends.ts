// Draws the calls that send signals: kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo.

import type { Random } from "../random.ts";
import { call, ints, longs, type Sleeping } from "./family.ts";
import * as is from "./flags.ts";
import { SCRATCH_BYTES } from "./mailbox.ts";
import type { Input, Operand, Operation } from "./operation.ts";
import { BAD_POINTERS } from "./signal-sets.ts";

const INFO = 8192;
const INFO_BYTES = 128;
const INFO_KNOWN_BYTES = 48;
/** No task has it, here or there. */
export const NOBODY = 0x3ffffff;
export const SIGPIPE = 13;

export class SignalSends {
  readonly #tasks: number;
  readonly #signals: readonly number[];

  constructor(tasks: number, signals: readonly number[]) {
    this.#tasks = tasks;
    this.#signals = signals;
  }

  #signal(random: Random): number {
    return random.pick(this.#signals);
  }

  #target(random: Random, sleeping: Sleeping): Operand {
    if (random.chance(4)) return random.pick([NOBODY, 0, -1, -(2 ** 31)]);
    return { pidOf: this.somebody(random, sleeping) };
  }

  /** Mostly one that sleeps, if there is one. */
  somebody(random: Random, sleeping: Sleeping): number {
    return sleeping.size > 0 && random.chance(60) ? random.pick([...sleeping.keys()]) : random.below(this.#tasks);
  }

  /** kill, tkill or tgkill. */
  draw(random: Random, task: number, sleeping: Sleeping): Operation {
    const signal = random.chance(4) ? random.pick([0, 0, -1, 65, 2 ** 31 - 1]) : this.#signal(random);
    const kind = random.below(10);
    if (kind < 6) {
      const target = this.#target(random, sleeping);
      const thread = random.chance(4) ? this.#target(random, sleeping) : target;
      return call(task, "tgkill", [target, thread, signal]);
    }
    if (kind < 8) return call(task, "tkill", [this.#target(random, sleeping), signal]);
    const wanted = random.weighted<Operand>([
      [70, { pidOf: this.somebody(random, sleeping) }],
      [10, { pidOf: random.below(this.#tasks), isGroup: true }],
      [6, 0],
      [8, NOBODY],
      [3, -NOBODY],
      [1, -(2 ** 31)],
    ]);
    return call(task, "kill", [wanted, signal]);
  }

  /** The calls that say all of a signal. */
  drawQueued(random: Random, task: number, sleeping: Sleeping): Operation {
    const code = random.weighted<number>([
      [60, is.SI_QUEUE],
      [4, -3],
      [4, -4],
      [4, is.SI_TKILL],
      [4, 0],
      [4, is.SI_KERNEL],
      [2, 7],
      [2, -7],
      [3, -8],
      [3, -60],
      [3, -100],
    ]);
    const signal = random.chance(5) ? random.pick([0, -1, 65]) : this.#signal(random);
    const value = new Uint8Array(INFO_BYTES);
    value.set(ints(99, 0, code, 0, 0, 1000 + random.below(3)));
    value.set(longs(random.pick([random.below(100), -1, 2n ** 63n])), 24);
    if (random.chance(5)) value[INFO_KNOWN_BYTES + random.below(80)] = 1;
    const inputs: Input[] = [{ at: INFO, value }];
    if (random.chance(50)) inputs.push({ at: INFO + 16, value: { word: { pidOf: task } } });
    const last = SCRATCH_BYTES - INFO_KNOWN_BYTES;
    inputs.push({ at: last, value: value.subarray(0, INFO_KNOWN_BYTES) });
    const pointer = random.chance(4) ? random.pick([0, ...BAD_POINTERS, { at: last }]) : { at: INFO };
    const target = this.#target(random, sleeping);
    if (random.chance(30)) return call(task, "rt_sigqueueinfo", [target, signal, pointer], { inputs });
    const thread = random.chance(4) ? this.#target(random, sleeping) : target;
    return call(task, "rt_tgsigqueueinfo", [target, thread, signal, pointer], { inputs });
  }
}
