// System V shared memory: shmget, shmat, shmdt, shmctl, and what is written through one attachment and read through another.

import { type Context, call, type Drawing, type Family, ints } from "./family.ts";
import type { Operand, Operation } from "./operation.ts";
import type { Random } from "./random.ts";
import type { Observation } from "./sequence.ts";

const BUFFER = 4096;
const STRUCTURE = 1024;
const SHMID_DS_BYTES = 112;
const KEYS = 3;
const PAGE = 4096;
const IPC_CREAT = 0o1000;
const IPC_EXCL = 0o2000;
const SHM_RDONLY = 0o10000;
const SHM_RND = 0o20000;
const SHM_REMAP = 0o40000;

interface Attached {
  readonly task: number;
  readonly symbol: string;
  readonly writable: boolean;
}

class Shm implements Drawing {
  readonly #tasks: number;
  readonly #segments: string[] = [];
  #attached: Attached[] = [];
  #made = 0;

  constructor(context: Context) {
    this.#tasks = context.tasks;
  }

  draw(random: Random): Operation {
    const task = random.below(this.#tasks);
    const kind = random.weighted([
      [this.#segments.length < 3 ? 30 : 5, "get"],
      [25, "attach"],
      [20, "detach"],
      [20, "status"],
      [6, "set"],
      [5, "remove"],
      [1, "wrong"],
      [30, "touch"],
    ] as const);
    if (kind === "get") return this.#get(random, task);
    if (kind === "attach") return this.#attach(random, task);
    if (kind === "detach") return this.#detach(random, task);
    if (kind === "status") return this.#control(random, task, 2);
    if (kind === "set") return this.#set(random, task);
    if (kind === "remove") return this.#control(random, task, 0);
    if (kind === "wrong") return this.#control(random, task, random.pick([-1, 4, 77]));
    return this.#touch(random) ?? this.#attach(random, task);
  }

  observe({ operation, result }: Observation): void {
    if (result === "sleeps" || result < 0) return;
    const symbol = typeof operation.result === "object" ? operation.result.symbol : "";
    if (operation.name === "shmget") this.#segments.push(symbol);
    if (operation.name === "shmat") {
      const flags = operation.args[2] as number;
      this.#attached.push({ task: operation.task, symbol, writable: (flags & SHM_RDONLY) === 0 });
    }
    if (operation.name === "shmdt") {
      const gone = operation.args[0] as { symbol: string };
      this.#attached = this.#attached.filter((one) => one.symbol !== gone.symbol);
    }
  }

  cleanUp(): Operation[] {
    return [
      ...this.#attached.map(({ task, symbol }) => call(task, "shmdt", [{ symbol }])),
      ...this.#segments.map((symbol) => call(0, "shmctl", [{ symbol }, 0, 0])),
    ];
  }

  #segment(random: Random): Operand {
    if (this.#segments.length === 0 || random.chance(2)) return random.pick([-1, 0x7ffffff0]);
    return { symbol: random.pick(this.#segments) };
  }

  #get(random: Random, task: number): Operation {
    const key: Operand = random.chance(15) ? 0 : { key: random.below(KEYS) };
    const bytes = random.pick([0, 1, 100, PAGE, PAGE + 1, 3 * PAGE, 65_536]);
    const flags = random.pick([0, IPC_CREAT, IPC_CREAT, IPC_CREAT | IPC_EXCL, IPC_EXCL]);
    const mode = random.pick([0o600, 0o666, 0o644, 0, 0o400, 0o777]);
    return call(task, "shmget", [key, bytes, flags | mode], { result: { symbol: `segment ${this.#made++}` } });
  }

  #attach(random: Random, task: number): Operation {
    const flags = random.pick([0, 0, 0, SHM_RDONLY, SHM_RDONLY, SHM_RND, SHM_RND | SHM_RDONLY]);
    const address = random.weighted<number>([
      [95, 0],
      [3, 4097],
      [1, 123_457],
    ]);
    const wrong = address !== 0;
    const remap = !wrong && random.chance(3) ? SHM_REMAP : 0;
    return call(task, "shmat", [this.#segment(random), address, (wrong ? flags & ~SHM_RND : flags) | remap], {
      result: { symbol: `address ${this.#made++}` },
    });
  }

  #detach(random: Random, task: number): Operation {
    const own = this.#attached.filter((one) => one.task === task);
    if (own.length === 0 || random.chance(8)) return call(task, "shmdt", [random.pick([0, 1, 8192 + 1])]);
    return call(task, "shmdt", [{ symbol: random.pick(own).symbol }]);
  }

  #control(random: Random, task: number, command: number): Operation {
    const pointer: Operand = command === 2 && random.chance(4) ? random.pick([0, -8]) : { at: STRUCTURE };
    const outputs = [{ at: STRUCTURE, bytes: SHMID_DS_BYTES, as: "shmid" as const }];
    return call(task, "shmctl", [this.#segment(random), command, pointer], { outputs });
  }

  #set(random: Random, task: number): Operation {
    const bytes = new Uint8Array(SHMID_DS_BYTES);
    bytes.set(ints(0, random.pick([0, 1000, 1001]), random.pick([0, 100, 2000])), 0);
    bytes.set(ints(random.pick([0o600, 0o666, 0o7777, 0o200, 0o444])), 20);
    const pointer: Operand = random.chance(4) ? random.pick([0, -8]) : { at: STRUCTURE };
    return call(task, "shmctl", [this.#segment(random), 1, pointer], { writes: [{ at: STRUCTURE, bytes }] });
  }

  #touch(random: Random): Operation | undefined {
    if (this.#attached.length === 0) return undefined;
    const { task, symbol, writable } = random.pick(this.#attached);
    const length = 1 + random.below(64);
    if (writable && random.chance(50)) {
      const writes = [{ at: BUFFER, bytes: random.bytes(length) }];
      return call(task, "poke", [{ symbol }, { at: BUFFER }, length], { writes });
    }
    const outputs = [{ at: BUFFER, bytes: 4096, as: "bytes" as const }];
    return call(task, "peek", [{ symbol }, { at: BUFFER }, 4096], { outputs });
  }
}

export const shm: Family = { name: "shm", begin: (context) => new Shm(context) };
