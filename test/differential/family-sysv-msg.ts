// System V message queues: msgget, msgsnd, msgrcv, msgctl.

import type { Random } from "../random.ts";
import {
  type Context,
  call,
  type Drawing,
  drawInterrupt,
  type Family,
  idleTasks,
  ints,
  longs,
  type Sleeping,
  symbolOf,
} from "./family.ts";
import * as is from "./flags.ts";
import { SCRATCH_BYTES } from "./mailbox.ts";
import { namedBy, type Observation, type Operand, type Operation } from "./operation.ts";

const BUFFER = 16_384;
const STRUCTURE = 4096;
const MSQID_DS_BYTES = 120;
const MESSAGE_BYTES_MAX = 8192;
const QUEUE_BYTES = 16_384;
const KEYS = 4;
const QUEUES = 3;
const TYPES = [1, 1, 2, 2, 3, 4, 7, 2 ** 31, 2 ** 32 + 1] as const;
/** Bad pointers; null, one that no address space has, and the guard behind the scratch memory. */
const BAD: readonly Operand[] = [0, -8, { at: SCRATCH_BYTES }, { at: SCRATCH_BYTES + 100 }];

class SysvMsg implements Drawing {
  readonly leftovers = {};
  readonly #context: Context;
  /** Names of ids: those in use, and all that ever were. */
  #live: string[] = [];
  readonly #all: string[] = [];
  /** Linux's, for two names can be of one queue. */
  readonly #ids = new Map<string, number>();
  #made = 0;

  constructor(context: Context) {
    this.#context = context;
  }

  draw(random: Random, sleeping: Sleeping): Operation | undefined {
    const idle = idleTasks(this.#context.tasks, sleeping);
    if (idle.length === 0 || (sleeping.size > 0 && random.chance(4))) return drawInterrupt(random, sleeping);
    const task = random.pick(idle);
    const kind = random.weighted([
      [this.#live.length < QUEUES ? 25 : 4, "get"],
      [40, "send"],
      [42, "receive"],
      [8, "status"],
      [5, "set"],
      [2, "remove"],
      [1, "wrong"],
    ] as const);
    if (kind === "get") return this.#get(random, task);
    if (kind === "send") return this.#send(random, task);
    if (kind === "receive") return this.#receive(random, task);
    if (kind === "status") return this.#status(random, task);
    if (kind === "set") return this.#set(random, task);
    if (kind === "remove") return call(task, "msgctl", [this.#queue(random), is.IPC_RMID, random.pick([0, -8])]);
    return call(task, "msgctl", [this.#queue(random), random.pick([-1, 4, 10, 99, 256]), { at: STRUCTURE }]);
  }

  /**
   * Where several could win by luck, it is not drawn: two senders that wait for the same room; receivers that all look again
   * because the queue's rules were changed, and then wait in another order.
   */
  admits(operation: Operation, sleeping: Sleeping): boolean {
    const queue = this.#idOf(operation);
    const others = [...sleeping.values()].filter((other) => this.#idOf(other) === queue);
    const senders = others.filter(({ name }) => name === "msgsnd").length;
    if (operation.name === "msgsnd") {
      return ((operation.args[3] as number) & is.IPC_NOWAIT) !== 0 || senders === 0;
    }
    const sets = operation.name === "msgctl" && operation.args[1] === is.IPC_SET;
    return !sets || others.length < 2;
  }

  observe({ operation, result }: Observation): void {
    if (result === "sleeps" || result < 0) return;
    const made = namedBy(operation);
    if (operation.name === "msgget" && made) {
      this.#live.push(made);
      this.#all.push(made);
      this.#ids.set(made, result);
    }
    if (operation.name === "msgctl" && operation.args[1] === is.IPC_RMID) {
      this.#live = this.#live.filter((name) => name !== symbolOf(operation.args[0]));
    }
  }

  #idOf({ args }: Operation): number | undefined {
    return this.#ids.get(symbolOf(args[0]) ?? "");
  }

  #queue(random: Random): Operand {
    if (this.#live.length > 0 && !random.chance(3)) return { symbol: random.pick(this.#live) };
    return this.#all.length > 0 && random.chance(70)
      ? { symbol: random.pick(this.#all) }
      : random.pick([-1, 0x7ffffff0, -(2 ** 31)]);
  }

  #get(random: Random, task: number): Operation {
    const key: Operand = random.chance(15) ? 0 : { key: random.below(KEYS) };
    const flags = random.pick([
      0,
      is.IPC_CREAT,
      is.IPC_CREAT,
      is.IPC_CREAT,
      is.IPC_CREAT | is.IPC_EXCL,
      is.IPC_EXCL,
      0o4000,
    ]);
    const mode = random.pick([0o600, 0o666, 0o644, 0, 0o400, 0o777, 0o7000]);
    const names = `queue ${this.#made++}`;
    return call(task, "msgget", [key, flags | mode], { result: { names, as: "queue" } });
  }

  #send(random: Random, task: number): Operation {
    const length = random.weighted<number | bigint>([
      [40, random.below(24)],
      [20, random.below(300)],
      [4, 0],
      [8, MESSAGE_BYTES_MAX],
      [2, MESSAGE_BYTES_MAX + 1],
      [1, -1],
      [1, 2n ** 63n - 1n],
      [14, 3000 + random.below(2000)],
    ]);
    const type = random.weighted<number | bigint>([
      [80, random.pick(TYPES)],
      [3, 0],
      [2, -1],
      [2, -(2n ** 63n)],
      [3, 2n ** 63n - 1n],
      [20, 1 + random.below(100)],
    ]);
    const flags = (random.chance(35) ? 0 : is.IPC_NOWAIT) | (random.chance(4) ? is.MSG_NOERROR | is.MSG_EXCEPT : 0);
    const bytes = Math.min(Math.max(0, Number(length)), MESSAGE_BYTES_MAX + 1);
    // From good memory, from none, or from some that ends before the message does.
    const place = random.chance(3)
      ? random.pick([...BAD, { at: SCRATCH_BYTES - 8 }, { at: SCRATCH_BYTES - 20 }])
      : undefined;
    const value = Buffer.concat([longs(type), random.bytes(bytes)]);
    const pointer = place ?? { at: BUFFER };
    const ends = typeof pointer === "object" && "at" in pointer && pointer.at < SCRATCH_BYTES ? pointer.at : BUFFER;
    const inputs = [{ at: ends, value: value.subarray(0, SCRATCH_BYTES - ends) }];
    return call(task, "msgsnd", [this.#queue(random), pointer, length, flags], { inputs });
  }

  #receive(random: Random, task: number): Operation {
    const type = random.weighted<number | bigint>([
      [40, 0],
      [30, random.pick(TYPES)],
      [25, -(1 + random.below(8))],
      [2, -(2n ** 63n)],
      [2, -(2n ** 32n) - 2n],
      [1, 2n ** 63n - 1n],
    ]);
    const length = random.weighted<number | bigint>([
      [60, MESSAGE_BYTES_MAX],
      [10, random.below(24)],
      [5, 0],
      [5, 300],
      [3, 20_000],
      [1, -1],
      [1, -(2n ** 63n)],
    ]);
    const copies = this.#context.copiesMessages && random.chance(8);
    let flags = random.chance(40) ? 0 : is.IPC_NOWAIT;
    if (random.chance(25)) flags |= is.MSG_NOERROR;
    if (random.chance(15)) flags |= is.MSG_EXCEPT;
    if (copies) flags |= is.MSG_COPY;
    const wanted = copies && !random.chance(8) ? random.below(6) : type;
    const bytes = 8 + Math.min(Math.max(0, Number(length)), MESSAGE_BYTES_MAX);
    return call(task, "msgrcv", [this.#queue(random), { at: BUFFER }, length, wanted, flags], {
      outputs: [{ at: BUFFER, bytes, as: "bytes" }],
    });
  }

  #status(random: Random, task: number): Operation {
    const pointer: Operand = random.chance(4) ? random.pick([...BAD, { at: SCRATCH_BYTES - 64 }]) : { at: STRUCTURE };
    const outputs = pointer === 0 ? [] : [{ at: STRUCTURE, bytes: MSQID_DS_BYTES, as: "msqid" as const }];
    return call(task, "msgctl", [this.#queue(random), is.IPC_STAT, pointer], { outputs });
  }

  #set(random: Random, task: number): Operation {
    const value = new Uint8Array(MSQID_DS_BYTES);
    const owner = this.#context.isRoot
      ? [random.pick([0, 1000, 1001]), random.pick([0, 100, 2000])]
      : [this.#context.uid, this.#context.gid];
    value.set(ints(0, ...owner), 0);
    value.set(ints(random.pick([0o600, 0o666, 0o7777, 0o200, 0o444])), 20);
    const above = this.#context.testsLimits ? QUEUE_BYTES + 1 : QUEUE_BYTES;
    value.set(
      longs(random.pick([100, 1000, QUEUE_BYTES, QUEUE_BYTES, QUEUE_BYTES, MESSAGE_BYTES_MAX, above, 1, 0])),
      88,
    );
    const pointer: Operand = random.chance(4) ? random.pick([...BAD, { at: SCRATCH_BYTES - 64 }]) : { at: STRUCTURE };
    const inputs = [{ at: STRUCTURE, value }];
    return call(task, "msgctl", [this.#queue(random), is.IPC_SET, pointer], { inputs });
  }
}

export const sysvMsg: Family = { name: "sysv-msg", begin: (context) => new SysvMsg(context) };
