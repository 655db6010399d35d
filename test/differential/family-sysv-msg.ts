// System V message queues: msgget, msgsnd, msgrcv, msgctl.

import { type Context, call, type Drawing, type Family, idleTasks, ints, long } from "./family.ts";
import type { Operand, Operation } from "./operation.ts";
import type { Random } from "./random.ts";
import type { Observation, Sequence } from "./sequence.ts";

const BUFFER = 4096;
const STRUCTURE = 1024;
const MSQID_DS_BYTES = 120;
const KEYS = 4;
const IPC_CREAT = 0o1000;
const IPC_EXCL = 0o2000;
const IPC_NOWAIT = 0o4000;
const MSG_NOERROR = 0o10000;
const MSG_EXCEPT = 0o20000;
const MSG_COPY = 0o40000;

class Msg implements Drawing {
  readonly #tasks: number;
  readonly #queues: string[] = [];
  /** More than an unprivileged task may ask for. Who lacks CAP_SYS_RESOURCE is so too, of whatever user. */
  readonly #above: number;
  #made = 0;

  constructor(context: Context) {
    this.#tasks = context.tasks;
    this.#above = context.maySpendMore ? 16_385 : 16_384;
  }

  draw(random: Random, sequence: Sequence): Operation | undefined {
    const idle = idleTasks(sequence, this.#tasks);
    if (idle.length === 0) return this.#interrupt(random, sequence);
    const task = random.pick(idle);
    const kind = random.weighted([
      [this.#queues.length < 3 ? 25 : 3, "get"],
      [40, "send"],
      [40, "receive"],
      [8, "status"],
      // Setting wakes all who wait, and Linux lists them again in the order they come to run: one may wait at most.
      [sequence.sleeping.size < 2 ? 4 : 0, "set"],
      [3, "remove"],
      [sequence.sleeping.size > 0 ? 4 : 0, "interrupt"],
      [1, "wrong"],
    ] as const);
    if (kind === "get") return this.#get(random, task);
    if (kind === "send") return this.#send(random, task, sequence, idle.length > 1);
    if (kind === "receive") return this.#receive(random, task, idle.length > 1);
    if (kind === "status") return this.#control(random, task, 2);
    if (kind === "set") return this.#set(random, task);
    if (kind === "remove") return this.#control(random, task, 0);
    if (kind === "wrong") return this.#control(random, task, random.pick([-1, 4, 5, 99]));
    return this.#interrupt(random, sequence);
  }

  observe({ operation, result }: Observation): void {
    if (operation.name === "msgget" && result !== "sleeps" && result >= 0) {
      const { result: as } = operation;
      if (typeof as === "object") this.#queues.push(as.symbol);
    }
    if (operation.name === "msgctl" && operation.args[1] === 0 && result === 0) {
      const id = operation.args[0] as { symbol: string };
      if (this.#queues.length > 2) this.#queues.splice(this.#queues.indexOf(id.symbol), 1);
    }
  }

  cleanUp(): Operation[] {
    return Array.from({ length: this.#made }, (_, i) => call(0, "msgctl", [{ symbol: `queue ${i}` }, 0, 0]));
  }

  #interrupt(random: Random, sequence: Sequence): Operation {
    return call(0, "interrupt", [random.pick([...sequence.sleeping.keys()])], { result: "ignored" });
  }

  #queue(random: Random): Operand {
    if (this.#queues.length === 0 || random.chance(2)) return random.pick([-1, 0x7ffffff0]);
    return { symbol: random.pick(this.#queues) };
  }

  #get(random: Random, task: number): Operation {
    const key: Operand = random.chance(15) ? 0 : { key: random.below(KEYS) };
    const flags = random.pick([0, IPC_CREAT, IPC_CREAT, IPC_CREAT | IPC_EXCL, IPC_EXCL]);
    const mode = random.pick([0o600, 0o666, 0o644, 0, 0o400, 0o777]);
    return call(task, "msgget", [key, flags | mode], { result: { symbol: `queue ${this.#made++}` } });
  }

  #send(random: Random, task: number, sequence: Sequence, mayBlock: boolean): Operation {
    const length = random.weighted([
      [40, random.below(24)],
      [20, random.below(300)],
      [4, 0],
      [4, 8192],
      [2, 8193],
      [1, -1],
      [8, 4000 + random.below(100)],
    ]);
    const type = random.weighted<bigint | number>([
      [60, 1 + random.below(4)],
      [4, 0],
      [3, -1],
      [3, 2n ** 40n + 1n],
      [2, 2n ** 63n - 1n],
      [10, 1 + random.below(100)],
    ]);
    const queue = this.#queue(random);
    const someoneSends = [...sequence.sleeping.values()].some((of) => of.name === "msgsnd");
    const blocks = mayBlock && !someoneSends && random.chance(30);
    const flags = (blocks ? 0 : IPC_NOWAIT) | (random.chance(3) ? MSG_NOERROR : 0);
    const pointer: Operand = random.chance(2) ? random.pick([0, -8]) : { at: BUFFER };
    const bytes = Math.max(0, Math.min(length, 9000));
    const data = Buffer.concat([long(type), random.bytes(bytes)]);
    return call(task, "msgsnd", [queue, pointer, length, flags], { writes: [{ at: BUFFER, bytes: data }] });
  }

  #receive(random: Random, task: number, mayBlock: boolean): Operation {
    const type = random.weighted<bigint | number>([
      [40, 0],
      [30, 1 + random.below(4)],
      [25, -(1 + random.below(6))],
      [2, 2n ** 40n + 1n],
      [2, -(2n ** 63n)],
      [2, -(2n ** 41n)],
    ]);
    const length = random.weighted([
      [60, 8192],
      [10, random.below(24)],
      [5, 0],
      [5, 300],
      [2, 20_000],
      [1, -1],
    ]);
    const blocks = mayBlock && random.chance(30);
    let flags = blocks ? 0 : IPC_NOWAIT;
    if (random.chance(25)) flags |= MSG_NOERROR;
    if (random.chance(15)) flags |= MSG_EXCEPT;
    const copies = random.chance(6);
    if (copies) flags |= MSG_COPY;
    return call(
      task,
      "msgrcv",
      [this.#queue(random), { at: BUFFER }, length, copies && !random.chance(5) ? random.below(6) : type, flags],
      { outputs: [{ at: BUFFER, bytes: 8 + 8192, as: "bytes" }] },
    );
  }

  #control(random: Random, task: number, command: number): Operation {
    const pointer: Operand = command === 2 && random.chance(4) ? random.pick([0, -8]) : { at: STRUCTURE };
    const outputs = [{ at: STRUCTURE, bytes: MSQID_DS_BYTES, as: "msqid" as const }];
    const queue = command === 0 && !random.chance(60) ? this.#queue(random) : this.#queue(random);
    return call(task, "msgctl", [queue, command, pointer], { outputs });
  }

  #set(random: Random, task: number): Operation {
    const bytes = new Uint8Array(MSQID_DS_BYTES);
    bytes.set(ints(0, random.pick([0, 1000, 1001]), random.pick([0, 100, 2000])), 0);
    bytes.set(ints(random.pick([0o600, 0o666, 0o7777, 0o200, 0o444])), 20);
    bytes.set(long(random.pick([100, 1000, 16_384, 8192, this.#above, 1, 0])), 88);
    const pointer: Operand = random.chance(4) ? random.pick([0, -8]) : { at: STRUCTURE };
    return call(task, "msgctl", [this.#queue(random), 1, pointer], { writes: [{ at: STRUCTURE, bytes }] });
  }
}

export const sysvMsg: Family = { name: "sysv-msg", begin: (context) => new Msg(context) };
