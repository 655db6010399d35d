// Draws the calls that ask for and change who a task is: users, groups, the umask.

import type { Random } from "../random.ts";
import { type Context, call, ints } from "./family.ts";
import { SCRATCH_BYTES } from "./mailbox.ts";
import type { Operand, Operation } from "./operation.ts";

const IDS = 12_288;
const IDS_BYTES = 128;
const NONE = -1;
const USERS = [0, 1000, 1001] as const;
const GROUPS = [0, 100, 2000] as const;
const LISTED = [100, 2000, 3000, 0] as const;
/** Null is none where nothing is wanted. */
const BAD: readonly Operand[] = [-8, { at: SCRATCH_BYTES }];

export class Identities {
  readonly #context: Context;
  /** Whether in this sequence a task may give up what it cannot get back: a process is lost by it. */
  #drops: boolean | undefined;

  constructor(context: Context) {
    this.#context = context;
  }

  user(random: Random): number {
    return this.#context.isRoot ? random.pick(USERS) : this.#context.uid;
  }

  group(random: Random): number {
    return this.#context.isRoot ? random.pick(GROUPS) : this.#context.gid;
  }

  userOrNone(random: Random): number {
    return random.chance(35) ? NONE : this.user(random);
  }

  groupOrNone(random: Random): number {
    return random.chance(35) ? NONE : this.group(random);
  }

  draw(random: Random, task: number): Operation {
    this.#drops ??= random.chance(4);
    const kind = random.below(24);
    if (kind < 8)
      return call(
        task,
        "setresuid",
        this.#triple(random, () => this.userOrNone(random)),
      );
    if (kind < 11)
      return call(
        task,
        "setresgid",
        this.#triple(random, () => this.groupOrNone(random)),
      );
    if (kind < 14) return this.#setGroups(random, task);
    if (kind < 16) return call(task, "umask", [random.pick([0, 0o022, 0o077, 0o777, 0o7027, -1])]);
    const outputs = [{ at: IDS, bytes: IDS_BYTES, as: "bytes" as const }];
    if (kind < 19) {
      const first: Operand = random.chance(95) ? { at: IDS } : random.pick(BAD);
      return call(task, random.pick(["getresuid", "getresgid"] as const), [first, { at: IDS + 4 }, { at: IDS + 8 }], {
        outputs,
      });
    }
    if (kind < 21) {
      const place: Operand = random.chance(95) ? { at: IDS } : random.pick(BAD);
      return call(task, "getgroups", [random.pick([0, 1, 2, 32, 32, -1]), place], { outputs });
    }
    if (kind < 22 && this.#drops) {
      return random.chance(50) ? call(task, "setuid", [this.user(random)]) : call(task, "setgid", [this.group(random)]);
    }
    return call(task, random.pick(["getuid", "geteuid", "getgid", "getegid"] as const), []);
  }

  /** The effective one alone, so that there is a way back, unless this sequence drops. */
  #triple(random: Random, draw: () => number): number[] {
    if (!this.#drops) return [NONE, draw(), NONE];
    return random.chance(50) ? [NONE, draw(), NONE] : [draw(), draw(), draw()];
  }

  #setGroups(random: Random, task: number): Operation {
    const count = random.weighted<number>([
      [90, random.below(5)],
      [3, -1],
      [3, 65_537],
      [3, 32],
    ]);
    const groups = Array.from({ length: Math.max(0, Math.min(count, 32)) }, () => random.pick(LISTED));
    const place: Operand = random.chance(95) ? { at: IDS } : random.pick(BAD);
    return call(task, "setgroups", [count, place], { inputs: [{ at: IDS, value: ints(...groups) }] });
  }
}
