// Permissions: owner, group and others on every kind of object, tasks of several users, the umask, and what changes them.

import type { Random } from "../random.ts";
import { type Context, call, type Drawing, type Family, ints, longs, type Sleeping } from "./family.ts";
import { FilesModel } from "./files-model.ts";
import * as is from "./flags.ts";
import { Identities } from "./identities.ts";
import { namedBy, type Observation, type Operand, type Operation } from "./operation.ts";
import { PATH, pathInput } from "./paths.ts";

const BUFFER = 16_384;
const STRUCTURE = 10_240;
const FIFOS = ["f", "g"] as const;
const QUEUES = ["q", "r"] as const;
const MODES = [0o600, 0o660, 0o606, 0o640, 0o604, 0o620, 0o666, 0o060, 0o006, 0o022, 0o044, 0, 0o777] as const;
const KEYS = 3;
const MSQID_DS_BYTES = 120;
const SHMID_DS_BYTES = 112;

class Permissions implements Drawing {
  readonly leftovers: { fifos: string[]; queues: string[] };
  readonly #context: Context;
  readonly #files: FilesModel;
  readonly #identities: Identities;
  #queues: string[] = [];
  #segments: string[] = [];
  #addresses: { task: number; symbol: string }[] = [];
  #made = 0;

  constructor(context: Context) {
    this.#context = context;
    this.#files = new FilesModel(context);
    this.#identities = new Identities(context);
    this.leftovers = { fifos: [...FIFOS], queues: QUEUES.map((name) => context.prefix + name) };
  }

  draw(random: Random): Operation | undefined {
    const task = random.below(this.#context.tasks);
    const kind = random.weighted([
      [14, "identity"],
      [20, "queue"],
      [20, "segment"],
      [16, "mq"],
      [24, "fifo"],
      [8, "ownership"],
      [2, "pipe"],
      [2, "close"],
    ] as const);
    if (kind === "identity") return this.#identities.draw(random, task);
    if (kind === "queue") return this.#queue(random, task);
    if (kind === "segment") return this.#segment(random, task);
    if (kind === "mq") return this.#posixQueue(random, task);
    if (kind === "fifo") return this.#fifo(random, task);
    if (kind === "ownership") return this.#ownership(random, task);
    if (kind === "close") return call(task, "close", [this.#descriptor(random, task)]);
    const made = ["reader", "writer"].map((end, i) => ({ at: STRUCTURE + 4 * i, symbol: `pipe ${this.#made} ${end}` }));
    this.#made++;
    return call(task, "pipe2", [{ at: STRUCTURE }, is.O_NONBLOCK], { made });
  }

  admits(operation: Operation, sleeping: Sleeping): boolean {
    return this.#files.admits(operation, sleeping);
  }

  observe(observation: Observation): void {
    this.#files.observe(observation);
    const { operation, result } = observation;
    if (result === "sleeps" || result < 0) return;
    const symbol = namedBy(operation);
    const { task, name, args } = operation;
    if (name === "msgget" && symbol) this.#queues.push(symbol);
    if (name === "shmget" && symbol) this.#segments.push(symbol);
    if (name === "shmat" && symbol) this.#addresses.push({ task, symbol });
    const gone = (names: string[]): string[] =>
      names.length > 3 ? names.filter((one) => one !== (args[0] as { symbol?: string }).symbol) : names;
    if (name === "msgctl" && args[1] === is.IPC_RMID) this.#queues = gone(this.#queues);
    if (name === "shmctl" && args[1] === is.IPC_RMID) this.#segments = gone(this.#segments);
    if (name === "shmdt") {
      this.#addresses = this.#addresses.filter((one) => one.symbol !== (args[0] as { symbol?: string }).symbol);
    }
  }

  #queue(random: Random, task: number): Operation {
    if (this.#queues.length === 0 || random.chance(30)) {
      const flags = random.pick([0, is.IPC_CREAT, is.IPC_CREAT]) | random.pick(MODES);
      const names = `queue ${this.#made++}`;
      return call(task, "msgget", [{ key: random.below(KEYS) }, flags], { result: { names, as: "queue" } });
    }
    const queue = { symbol: random.pick(this.#queues) };
    const kind = random.below(12);
    if (kind < 3) {
      const inputs = [{ at: BUFFER, value: Buffer.concat([longs(1 + random.below(3)), random.bytes(4)]) }];
      return call(task, "msgsnd", [queue, { at: BUFFER }, 4, is.IPC_NOWAIT], { inputs });
    }
    if (kind < 6) {
      const outputs = [{ at: BUFFER, bytes: 40, as: "bytes" as const }];
      return call(task, "msgrcv", [queue, { at: BUFFER }, 32, 0, is.IPC_NOWAIT], { outputs });
    }
    if (kind < 9) return this.#status(task, "msgctl", queue, "msqid", MSQID_DS_BYTES);
    if (kind < 11) return this.#set(random, task, "msgctl", queue, MSQID_DS_BYTES);
    return call(task, "msgctl", [queue, is.IPC_RMID, 0]);
  }

  #segment(random: Random, task: number): Operation {
    if (this.#segments.length === 0 || random.chance(30)) {
      const flags = random.pick([0, is.IPC_CREAT, is.IPC_CREAT]) | random.pick(MODES);
      const names = `segment ${this.#made++}`;
      return call(task, "shmget", [{ key: random.below(KEYS) }, 4096, flags], { result: { names, as: "segment" } });
    }
    const segment = { symbol: random.pick(this.#segments) };
    const kind = random.below(13);
    const own = this.#addresses.filter((one) => one.task === task);
    if (kind === 0 && own.length > 0) return call(task, "shmdt", [{ symbol: random.pick(own).symbol }]);
    if (kind < 5) {
      const names = `address ${this.#made++}`;
      const flags = random.pick([0, 0, is.SHM_RDONLY, is.SHM_EXEC, is.SHM_EXEC | is.SHM_RDONLY]);
      return call(task, "shmat", [segment, 0, flags], { result: { names, as: "address" } });
    }
    if (kind < 9) return this.#status(task, "shmctl", segment, "shmid", SHMID_DS_BYTES);
    if (kind < 11) return this.#set(random, task, "shmctl", segment, SHMID_DS_BYTES);
    if (kind === 11) return call(task, "shmctl", [segment, random.pick([is.SHM_LOCK, is.SHM_UNLOCK]), 0]);
    return call(task, "shmctl", [segment, is.IPC_RMID, 0]);
  }

  #status(task: number, name: "msgctl" | "shmctl", id: Operand, as: "msqid" | "shmid", bytes: number): Operation {
    return call(task, name, [id, is.IPC_STAT, { at: STRUCTURE }], { outputs: [{ at: STRUCTURE, bytes, as }] });
  }

  #set(random: Random, task: number, name: "msgctl" | "shmctl", id: Operand, length: number): Operation {
    const value = new Uint8Array(length);
    value.set(ints(0, this.#identities.user(random), this.#identities.group(random)), 0);
    value.set(ints(random.pick(MODES)), 20);
    if (name === "msgctl") value.set(longs(random.pick([16_384, 16_384, 16_384, 1000, ...this.#above(16_385)])), 88);
    return call(task, name, [id, is.IPC_SET, { at: STRUCTURE }], { inputs: [{ at: STRUCTURE, value }] });
  }

  #above(value: number): number[] {
    return this.#context.testsLimits ? [value] : [];
  }

  #posixQueue(random: Random, task: number): Operation {
    const name = this.#context.prefix + random.pick(QUEUES);
    if (random.chance(15)) return call(task, "mq_unlink", [{ at: PATH }], { inputs: [pathInput(name)] });
    const flags = random.below(3) | random.pick([0, is.O_CREAT, is.O_CREAT, is.O_CREAT | is.O_EXCL]) | is.O_NONBLOCK;
    const value = longs(0, 2, 16, 0, 0, 0, 0, 0);
    return call(task, "mq_open", [{ at: PATH }, flags, random.pick(MODES), { at: STRUCTURE }], {
      inputs: [pathInput(name), { at: STRUCTURE, value }],
      result: { names: `mq ${this.#made++}`, as: "descriptor" },
    });
  }

  #descriptor(random: Random, task: number): Operand {
    const own = this.#files.symbolsOf(task);
    return own.length > 0 && random.chance(95) ? { symbol: random.pick(own) } : random.pick([-1, { descriptor: 50 }]);
  }

  /** By descriptor: who may change what has no name, or was unlinked. */
  #ownership(random: Random, task: number): Operation {
    const descriptor = this.#descriptor(random, task);
    const kind = random.below(10);
    if (kind < 4) return call(task, "fchmod", [descriptor, drawMode(random)]);
    if (kind < 8)
      return call(task, "fchown", [
        descriptor,
        this.#identities.userOrNone(random),
        this.#identities.groupOrNone(random),
      ]);
    return call(task, "fcntl", [descriptor, is.F_SETFL, is.O_NOATIME | is.O_NONBLOCK]);
  }

  #fifo(random: Random, task: number): Operation {
    const inputs = [pathInput(random.pick(FIFOS))];
    const kind = random.below(16);
    if (kind < 4) return call(task, "mknod", [{ at: PATH }, is.S_IFIFO | drawMode(random), 0], { inputs });
    if (kind < 6) return call(task, "unlink", [{ at: PATH }], { inputs });
    if (kind < 8) return call(task, "chmod", [{ at: PATH }, drawMode(random)], { inputs });
    if (kind < 10) {
      const ids = [this.#identities.userOrNone(random), this.#identities.groupOrNone(random)];
      return call(task, "chown", [{ at: PATH }, ...ids], { inputs });
    }
    const extra = random.pick([0, 0, 0, 0, is.O_NOATIME, is.O_TRUNC, is.O_CREAT]);
    const flags = random.below(4) | is.O_NONBLOCK | extra;
    return call(task, "open", [{ at: PATH }, flags, 0], {
      inputs,
      result: { names: `fifo ${this.#made++}`, as: "descriptor" },
    });
  }
}

/** Now and then with the bits beside the permissions. */
const drawMode = (random: Random): number =>
  random.pick(MODES) | (random.chance(10) ? random.pick([0o4000, 0o2000, 0o1000, 0o7000]) : 0);

export const permissions: Family = { name: "permissions", begin: (context) => new Permissions(context) };
