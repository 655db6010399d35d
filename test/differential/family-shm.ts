// System V shared memory: shmget, shmat, shmdt, shmctl, and what is written through one attachment and read through another.

import type { Random } from "../random.ts";
import { type Context, call, type Drawing, type Family, ints, symbolOf } from "./family.ts";
import * as is from "./flags.ts";
import { SCRATCH_BYTES } from "./mailbox.ts";
import { namedBy, type Observation, type Operand, type Operation } from "./operation.ts";

const BUFFER = 16_384;
const STRUCTURE = 4096;
const PAIR = 12_288;
const SHMID_DS_BYTES = 112;
const PAGE = 4096;
const KEYS = 3;
const SEGMENTS = 4;
/** Far from what either side maps by itself. */
const CHOSEN = 2 ** 45;
const BAD: readonly Operand[] = [0, -8, { at: SCRATCH_BYTES }, { at: SCRATCH_BYTES - 64 }];

interface Attached {
  readonly task: number;
  readonly symbol: string;
  readonly segment: string;
  readonly writable: boolean;
}

class Shm implements Drawing {
  readonly leftovers = {};
  readonly #context: Context;
  #live: string[] = [];
  readonly #all: string[] = [];
  readonly #bytes = new Map<string, number>();
  #attached: Attached[] = [];
  /** Pipes, a task's each, to move bytes between them and a segment. */
  readonly #pipes = new Set<number>();
  #made = 0;

  constructor(context: Context) {
    this.#context = context;
  }

  draw(random: Random): Operation | undefined {
    const task = random.below(this.#context.tasks);
    const kind = random.weighted([
      [this.#live.length < SEGMENTS ? 24 : 4, "get"],
      [26, "attach"],
      [18, "detach"],
      [18, "status"],
      [6, "set"],
      [4, "remove"],
      [2, "wrong"],
      [30, "touch"],
      [8, "through"],
      [this.#context.isRoot ? 3 : 0, "lock"],
    ] as const);
    if (kind === "get") return this.#get(random, task);
    if (kind === "attach") return this.#attach(random, task);
    if (kind === "detach") return this.#detach(random, task);
    if (kind === "status") return this.#status(random, task);
    if (kind === "set") return this.#set(random, task);
    if (kind === "remove") return call(task, "shmctl", [this.#segment(random), is.IPC_RMID, random.pick([0, -8])]);
    if (kind === "wrong") return call(task, "shmctl", [this.#segment(random), random.pick([-1, 4, 10, 77, 256]), 0]);
    if (kind === "lock")
      return call(task, "shmctl", [this.#segment(random), random.pick([is.SHM_LOCK, is.SHM_UNLOCK]), 0]);
    return kind === "touch" ? this.#touch(random) : this.#throughPipe(random, task);
  }

  /** Nothing of this sleeps, and all of it is determined, so long as what is read was attached. */
  admits(operation: Operation): boolean {
    const { task, name, args } = operation;
    if (name === "read" || name === "write") {
      const isEmpty = symbolOf(args[0]) !== undefined && !this.#pipes.has(task);
      return !isEmpty && this.#isAttached(args[1]);
    }
    return (name !== "peek" && name !== "poke") || this.#isAttached(args[0]);
  }

  observe({ operation, result }: Observation): void {
    if (result === "sleeps" || result < 0) return;
    const { task, name, args } = operation;
    const made = namedBy(operation) ?? "";
    if (name === "shmget") {
      this.#live.push(made);
      this.#all.push(made);
      this.#bytes.set(made, Number(args[1]));
    }
    if (name === "shmat") {
      const writable = ((args[2] as number) & is.SHM_RDONLY) === 0;
      this.#attached.push({ task, symbol: made, segment: symbolOf(args[0]) ?? "", writable });
    }
    if (name === "shmdt") this.#attached = this.#attached.filter((one) => one.symbol !== symbolOf(args[0]));
    if (name === "pipe2") this.#pipes.add(task);
    if (name === "shmctl" && args[1] === is.IPC_RMID)
      this.#live = this.#live.filter((one) => one !== symbolOf(args[0]));
  }

  #isAttached(operand: Operand | undefined): boolean {
    return this.#attached.some(({ symbol }) => symbol === symbolOf(operand));
  }

  #segment(random: Random): Operand {
    if (this.#live.length > 0 && !random.chance(4)) return { symbol: random.pick(this.#live) };
    return this.#all.length > 0 && random.chance(75)
      ? { symbol: random.pick(this.#all) }
      : random.pick([-1, 0x7ffffff0, -(2 ** 31)]);
  }

  #get(random: Random, task: number): Operation {
    const key: Operand = random.chance(15) ? 0 : { key: random.below(KEYS) };
    const bytes = random.weighted<number | bigint>([
      [70, random.pick([1, 100, PAGE, PAGE + 1, 3 * PAGE, 65_536])],
      [8, 0],
      [3, random.pick([-1, -PAGE])],
    ]);
    const flags = random.pick([0, is.IPC_CREAT, is.IPC_CREAT, is.IPC_CREAT, is.IPC_CREAT | is.IPC_EXCL, is.IPC_EXCL]);
    const mode = random.pick([0o600, 0o666, 0o644, 0, 0o400, 0o777, 0o170000]);
    return call(task, "shmget", [key, bytes, flags | mode], {
      result: { names: `segment ${this.#made++}`, as: "segment" },
    });
  }

  #attach(random: Random, task: number): Operation {
    const own = this.#attached.filter((one) => one.task === task);
    const flags = random.pick([
      0,
      0,
      0,
      is.SHM_RDONLY,
      is.SHM_RDONLY,
      is.SHM_RND,
      is.SHM_RND | is.SHM_RDONLY,
      is.SHM_EXEC,
    ]);
    const address = random.weighted<Operand>([
      [70, 0],
      [10, CHOSEN + random.below(8) * 2 * PAGE],
      [4, CHOSEN + random.below(8) * PAGE + 1 + random.below(PAGE - 1)],
      [2, 2 ** 47 - PAGE],
      [2, -PAGE],
      [own.length > 0 ? 5 : 0, { symbol: own[0]?.symbol ?? "" }],
    ]);
    const remap = address === 0 && random.chance(3) ? is.SHM_REMAP : 0;
    const names = `address ${this.#made++}`;
    return call(task, "shmat", [this.#segment(random), address, flags | remap], { result: { names, as: "address" } });
  }

  #detach(random: Random, task: number): Operation {
    const own = this.#attached.filter((one) => one.task === task);
    if (own.length === 0 || random.chance(8)) {
      return call(task, "shmdt", [random.pick([0, 1, 2 * PAGE + 1, CHOSEN + 2 ** 30, -PAGE])]);
    }
    const { symbol } = random.pick(own);
    return call(task, "shmdt", [random.chance(95) ? { symbol } : { symbol, plus: 1 }]);
  }

  #status(random: Random, task: number): Operation {
    const pointer: Operand = random.chance(4) ? random.pick(BAD) : { at: STRUCTURE };
    const outputs = [{ at: STRUCTURE, bytes: SHMID_DS_BYTES, as: "shmid" as const }];
    return call(task, "shmctl", [this.#segment(random), is.IPC_STAT, pointer], { outputs });
  }

  #set(random: Random, task: number): Operation {
    const value = new Uint8Array(SHMID_DS_BYTES);
    const owner = this.#context.isRoot
      ? [random.pick([0, 1000, 1001]), random.pick([0, 100, 2000])]
      : [this.#context.uid, this.#context.gid];
    value.set(ints(0, ...owner), 0);
    value.set(ints(random.pick([0o600, 0o666, 0o7777, 0o200, 0o444])), 20);
    const pointer: Operand = random.chance(4) ? random.pick(BAD) : { at: STRUCTURE };
    const inputs = [{ at: STRUCTURE, value }];
    return call(task, "shmctl", [this.#segment(random), is.IPC_SET, pointer], { inputs });
  }

  #touch(random: Random): Operation | undefined {
    if (this.#attached.length === 0) return undefined;
    const { task, symbol, segment, writable } = random.pick(this.#attached);
    const length = Math.min(1 + random.below(200), this.#bytes.get(segment) ?? 1);
    const plus = random.below((this.#bytes.get(segment) ?? 1) - length + 1);
    const address = { symbol, plus };
    if (writable && random.chance(50)) {
      const inputs = [{ at: BUFFER, value: random.bytes(length) }];
      return call(task, "poke", [address, { at: BUFFER }, length], { inputs });
    }
    return call(task, "peek", [address, { at: BUFFER }, length], {
      outputs: [{ at: BUFFER, bytes: length, as: "bytes" }],
    });
  }

  /** A segment as the memory of a call: what may only be read cannot be read into. */
  #throughPipe(random: Random, task: number): Operation | undefined {
    const [reader, writer] = [`pipe ${task} reader`, `pipe ${task} writer`];
    if (!this.#pipes.has(task)) {
      const made = [reader, writer].map((symbol, i) => ({ at: PAIR + 4 * i, symbol }));
      return call(task, "pipe2", [{ at: PAIR }, is.O_NONBLOCK], { made });
    }
    const own = this.#attached.filter((one) => one.task === task);
    if (own.length === 0) return undefined;
    const { symbol, segment } = random.pick(own);
    const length = Math.min(1 + random.below(20), this.#bytes.get(segment) ?? 1);
    if (random.chance(50)) return call(task, "write", [{ symbol: writer }, { symbol }, length]);
    return call(task, "read", [{ symbol: reader }, { symbol }, length]);
  }
}

export const shm: Family = { name: "shm", begin: (context) => new Shm(context) };
