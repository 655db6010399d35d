// Permissions: owner, group and others on every kind of object, tasks of several users, umask, and what changes them.

import { type Context, call, type Drawing, type Family, ints, long, text } from "./family.ts";
import type { Operand, Operation } from "./operation.ts";
import type { Random } from "./random.ts";
import type { Observation } from "./sequence.ts";

const BUFFER = 4096;
const PATH = 512;
const STRUCTURE = 1024;
const IDS = 1536;
const UIDS = [0, 1000, 1001] as const;
const GIDS = [0, 100, 2000] as const;
const MODES = [0o600, 0o660, 0o606, 0o640, 0o604, 0o620, 0o666, 0o060, 0o006, 0, 0o777] as const;
const KEEP = -1;
const IPC_CREAT = 0o1000;
const IPC_NOWAIT = 0o4000;
const SHM_RDONLY = 0o10000;
const O_RDWR = 2;
const O_CREAT = 0o100;
const O_NONBLOCK = 0o4000;
const S_IFIFO = 0o010000;
const UMASK = 0o022;

class Permissions implements Drawing {
  readonly #tasks: number;
  readonly #mq: readonly string[];
  readonly #paths = ["p", "q"];
  readonly #queues: string[] = [];
  readonly #segments: string[] = [];
  readonly #files: { task: number; symbol: string }[] = [];
  readonly #addresses: { task: number; symbol: string }[] = [];
  #begun = 0;
  #made = 0;

  constructor(context: Context) {
    this.#tasks = context.tasks;
    this.#mq = ["a", "b"].map((name) => `fangaos-permissions-${context.run}-${name}`);
  }

  draw(random: Random): Operation | undefined {
    if (this.#begun < this.#tasks) return call(this.#begun++, "umask", [UMASK], { result: "ignored" });
    const task = random.below(this.#tasks);
    const kind = random.weighted([
      [14, "identity"],
      [24, "queue"],
      [24, "segment"],
      [16, "mq"],
      [22, "fifo"],
      [4, "umask"],
    ] as const);
    if (kind === "identity") return this.#identity(random, task);
    if (kind === "queue") return this.#queue(random, task);
    if (kind === "segment") return this.#segment(random, task);
    if (kind === "mq") return this.#posixQueue(random, task);
    if (kind === "fifo") return this.#fifo(random, task);
    return call(task, "umask", [random.pick([0, 0o022, 0o077, 0o777, 0o7027])]);
  }

  observe({ operation, result }: Observation): void {
    if (result === "sleeps" || result < 0) return;
    if (operation.name === "shmdt") this.#forget(operation.args[0] as { symbol: string });
    if (typeof operation.result !== "object") return;
    const { symbol } = operation.result;
    const { task } = operation;
    if (operation.name === "msgget") this.#queues.push(symbol);
    else if (operation.name === "shmget") this.#segments.push(symbol);
    else if (operation.name === "shmat") this.#addresses.push({ task, symbol });
    else this.#files.push({ task, symbol });
  }

  cleanUp(): Operation[] {
    const named = (name: string): Operation =>
      call(0, "mq_unlink", [{ at: PATH }], { writes: [{ at: PATH, bytes: text(name) }] });
    return [
      ...Array.from({ length: this.#tasks }, (_, task) => becomeRoot(task)).flat(),
      ...this.#files.map(({ task, symbol }) => call(task, "close", [{ symbol }])),
      ...this.#addresses.map(({ task, symbol }) => call(task, "shmdt", [{ symbol }])),
      ...this.#queues.map((symbol) => call(0, "msgctl", [{ symbol }, 0, 0])),
      ...this.#segments.map((symbol) => call(0, "shmctl", [{ symbol }, 0, 0])),
      ...this.#mq.map(named),
      ...this.#paths.map((name) => call(0, "unlink", [{ at: PATH }], { paths: [{ at: PATH, name }] })),
    ];
  }

  /** An address that is free again may be given again, on each side when it likes. */
  #forget({ symbol }: { symbol: string }): void {
    const at = this.#addresses.findIndex((one) => one.symbol === symbol);
    if (at >= 0) this.#addresses.splice(at, 1);
  }

  /** The effective ids change and change back; the saved ones stay those of user 0. */
  #identity(random: Random, task: number): Operation {
    const kind = random.below(10);
    if (kind < 4) return call(task, "setresuid", [KEEP, random.pick([0, 0, 1000, 1001, 1000]), KEEP]);
    if (kind < 6) return call(task, "setresgid", [KEEP, random.pick([...GIDS]), KEEP]);
    if (kind === 6) {
      const groups = Array.from({ length: random.below(4) }, () => random.pick([100, 2000, 3000]));
      const unique = [...new Set(groups)];
      return call(task, "setgroups", [unique.length, { at: IDS }], { writes: [{ at: IDS, bytes: ints(...unique) }] });
    }
    const outputs = [{ at: IDS, bytes: 64, as: "bytes" as const }];
    if (kind === 7) {
      const name = random.pick(["getresuid", "getresgid"] as const);
      return call(task, name, [{ at: IDS }, { at: IDS + 4 }, { at: IDS + 8 }], { outputs });
    }
    if (kind === 8) return call(task, "getgroups", [random.pick([0, 1, 32]), { at: IDS }], { outputs });
    return call(task, random.pick(["getuid", "geteuid", "getgid", "getegid"] as const), []);
  }

  #queue(random: Random, task: number): Operation {
    if (this.#queues.length === 0 || random.chance(30)) {
      const flags = random.pick([0, IPC_CREAT, IPC_CREAT]) | random.pick(MODES);
      return call(task, "msgget", [{ key: random.below(3) }, flags], { result: { symbol: `queue ${this.#made++}` } });
    }
    const queue = { symbol: random.pick(this.#queues) };
    const kind = random.below(12);
    if (kind < 3) {
      const writes = [{ at: BUFFER, bytes: Buffer.concat([long(1 + random.below(3)), random.bytes(4)]) }];
      return call(task, "msgsnd", [queue, { at: BUFFER }, 4, IPC_NOWAIT], { writes });
    }
    if (kind < 6) {
      const outputs = [{ at: BUFFER, bytes: 64, as: "bytes" as const }];
      return call(task, "msgrcv", [queue, { at: BUFFER }, 32, 0, IPC_NOWAIT], { outputs });
    }
    if (kind < 9) return this.#status(task, "msgctl", queue, "msqid", 120);
    if (kind < 11) return this.#set(random, task, "msgctl", queue, 120);
    return call(task, "msgctl", [queue, 0, 0]);
  }

  #segment(random: Random, task: number): Operation {
    if (this.#segments.length === 0 || random.chance(30)) {
      const flags = random.pick([0, IPC_CREAT, IPC_CREAT]) | random.pick(MODES);
      const symbol = `segment ${this.#made++}`;
      return call(task, "shmget", [{ key: random.below(3) }, 4096, flags], { result: { symbol } });
    }
    const segment = { symbol: random.pick(this.#segments) };
    const kind = random.below(12);
    const own = this.#addresses.filter((one) => one.task === task);
    if (kind === 0 && own.length > 0) return call(task, "shmdt", [{ symbol: random.pick(own).symbol }]);
    if (kind < 5) {
      const symbol = `address ${this.#made++}`;
      return call(task, "shmat", [segment, 0, random.pick([0, SHM_RDONLY])], { result: { symbol } });
    }
    if (kind < 9) return this.#status(task, "shmctl", segment, "shmid", 112);
    if (kind < 11) return this.#set(random, task, "shmctl", segment, 112);
    return call(task, "shmctl", [segment, 0, 0]);
  }

  #status(task: number, name: "msgctl" | "shmctl", id: Operand, as: "msqid" | "shmid", bytes: number): Operation {
    return call(task, name, [id, 2, { at: STRUCTURE }], { outputs: [{ at: STRUCTURE, bytes, as }] });
  }

  #set(random: Random, task: number, name: "msgctl" | "shmctl", id: Operand, length: number): Operation {
    const bytes = new Uint8Array(length);
    bytes.set(ints(0, random.pick(UIDS), random.pick(GIDS)), 0);
    bytes.set(ints(random.pick(MODES)), 20);
    if (name === "msgctl") bytes.set(long(random.pick([16_384, 1000])), 88);
    return call(task, name, [id, 1, { at: STRUCTURE }], { writes: [{ at: STRUCTURE, bytes }] });
  }

  #posixQueue(random: Random, task: number): Operation {
    const writes = [{ at: PATH, bytes: text(random.pick(this.#mq)) }];
    const kind = random.below(10);
    if (kind === 0) return call(task, "mq_unlink", [{ at: PATH }], { writes });
    if (kind === 1 && this.#files.length > 0) return this.#ownership(random, task);
    const flags = random.below(3) | random.pick([0, O_CREAT, O_CREAT]) | O_NONBLOCK;
    const symbol = `file ${this.#made++}`;
    return call(task, "mq_open", [{ at: PATH }, flags, random.pick(MODES), 0], { writes, result: { symbol } });
  }

  /** By descriptor. */
  #ownership(random: Random, task: number): Operation {
    const own = this.#files.filter((one) => one.task === task);
    const file: Operand = own.length > 0 ? { symbol: random.pick(own).symbol } : 9999;
    if (random.chance(50)) return call(task, "fchmod", [file, random.pick(MODES)]);
    return call(task, "fchown", [file, random.pick([KEEP, ...UIDS]), random.pick([KEEP, ...GIDS])]);
  }

  #fifo(random: Random, task: number): Operation {
    const paths = [{ at: PATH, name: random.pick(this.#paths) }];
    const kind = random.below(14);
    if (kind < 3) return call(task, "mknod", [{ at: PATH }, S_IFIFO | random.pick(MODES), 0], { paths });
    if (kind < 4) return call(task, "unlink", [{ at: PATH }], { paths });
    if (kind < 6) return call(task, "chmod", [{ at: PATH }, random.pick(MODES)], { paths });
    if (kind < 8) {
      return call(task, "chown", [{ at: PATH }, random.pick([KEEP, ...UIDS]), random.pick([KEEP, ...GIDS])], { paths });
    }
    if (kind < 9) return this.#ownership(random, task);
    const direction = random.pick([0, 1, O_RDWR]);
    const symbol = `file ${this.#made++}`;
    return call(task, "open", [{ at: PATH }, direction | O_NONBLOCK, 0], { paths, result: { symbol } });
  }
}

function becomeRoot(task: number): Operation[] {
  return [
    call(task, "setresuid", [KEEP, 0, KEEP]),
    call(task, "setresgid", [KEEP, 0, KEEP]),
    call(task, "setgroups", [0, { at: IDS }]),
  ];
}

export const permissions: Family = { name: "permissions", begin: (context) => new Permissions(context) };
