// System V semaphore sets: semget, semop, semtimedop, semctl, and what SEM_UNDO does when a task ends.

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
import { Identities } from "./identities.ts";
import { SCRATCH_BYTES } from "./mailbox.ts";
import { namedBy, type Observation, type Operand, type Operation } from "./operation.ts";

const OPERATIONS = 16_384;
const TIME = 8192;
const STRUCTURE = 4096;
const VALUES = 32_768;
const SEMID_DS_BYTES = 104;
const SEMINFO_BYTES = 40;
const OPERATIONS_MAX = 500;
const VALUE_MAX = 32_767;
const KEYS = 4;
const SETS = 3;
/** Values are compared so far. */
const SHOWN = 8;
const WAIT_NS = 2_000_000;
/** Bad pointers; null, one that no address space has, and the guard behind the scratch memory. */
const BAD: readonly Operand[] = [0, -8, { at: SCRATCH_BYTES }, { at: SCRATCH_BYTES - 4 }];

class SysvSem implements Drawing {
  readonly leftovers = { fifos: [], queues: [] };
  readonly #context: Context;
  readonly #identities: Identities;
  /** Names of ids: those in use, and all that ever were. */
  #live: string[] = [];
  readonly #all: string[] = [];
  /** How many semaphores each has. */
  readonly #counts = new Map<string, number>();
  /** Whether in this sequence tasks change users; else they may end. */
  #changesUsers: boolean | undefined;
  #made = 0;

  constructor(context: Context) {
    this.#context = context;
    this.#identities = new Identities(context);
  }

  draw(random: Random, sleeping: Sleeping): Operation | undefined {
    this.#changesUsers ??= this.#context.isRoot && random.chance(30);
    const idle = idleTasks(this.#context.tasks, sleeping);
    if (idle.length === 0 || (sleeping.size > 0 && random.chance(4))) return drawInterrupt(random, sleeping);
    const task = random.pick(idle);
    const kind = random.weighted([
      [this.#live.length < SETS ? 25 : 3, "get"],
      [70, "operate"],
      [14, "timed"],
      [22, "read"],
      [10, "setValue"],
      [6, "all"],
      [6, "status"],
      [4, "setOwner"],
      [3, "information"],
      [2, "remove"],
      [4, "task"],
      [2, "wrong"],
    ] as const);
    switch (kind) {
      case "get":
        return this.#get(random, task);
      case "operate":
        return this.#operate(random, task);
      case "timed":
        return this.#timed(random, task);
      case "read":
        return this.#read(random, task);
      case "setValue":
        return this.#setValue(random, task);
      case "all":
        return this.#setOrGetAll(random, task);
      case "status":
        return this.#status(random, task);
      case "setOwner":
        return this.#setOwner(random, task);
      case "information":
        return this.#information(random, task);
      case "remove":
        return call(task, "semctl", [this.#set(random), random.pick([0, -1, 99]), is.IPC_RMID, random.pick([0, -8])]);
      case "task":
        return this.#changesUsers ? this.#identities.draw(random, task) : call(task, "undo", []);
      case "wrong":
        return call(task, "semctl", [this.#set(random), 0, random.pick([-1, 4, 10, 99, 256, 268]), { at: STRUCTURE }]);
    }
  }

  admits(): boolean {
    return true;
  }

  observe({ operation, result }: Observation): void {
    if (result === "sleeps" || result < 0) return;
    const made = namedBy(operation);
    if (operation.name === "semget" && made) {
      this.#live.push(made);
      this.#all.push(made);
      this.#counts.set(made, operation.args[1] as number);
    }
    if (operation.name === "semctl" && operation.args[2] === is.IPC_RMID) {
      this.#live = this.#live.filter((name) => name !== symbolOf(operation.args[0]));
    }
  }

  #set(random: Random): Operand {
    if (this.#live.length > 0 && !random.chance(3)) return { symbol: random.pick(this.#live) };
    return this.#all.length > 0 && random.chance(70)
      ? { symbol: random.pick(this.#all) }
      : random.pick([-1, 0x7ffffff0, -(2 ** 31)]);
  }

  /** Mostly one of the first few, so that tasks meet. */
  #index(random: Random): number {
    return random.weighted<number>([
      [50, 0],
      [30, 1],
      [8, 2],
      [2, 4],
    ]);
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
    const mode = random.pick([0o600, 0o666, 0o644, 0o666, 0, 0o400, 0o200, 0o777, 0o7000]);
    const count = random.weighted<number>([
      [20, 1],
      [50, 2],
      [20, 3],
      [10, 5],
      [6, 0],
      [2, 65],
      [1, 32_000],
      [1, 32_001],
      [1, -1],
    ]);
    const names = `set ${this.#made++}`;
    return call(task, "semget", [key, count, flags | mode], { result: { names, as: "set" } });
  }

  #operations(random: Random): { count: Operand; value: Uint8Array } {
    const several = random.weighted<number>([
      [55, 1],
      [25, 2],
      [10, 3],
      [4, 9],
      [1, OPERATIONS_MAX],
    ]);
    const waits = random.chance(65);
    const undoes = random.chance(30);
    const value = new Uint8Array(6 * several);
    const view = new DataView(value.buffer);
    for (let i = 0; i < several; i++) {
      const index = random.chance(2) ? random.pick([5, 64, 65, 0xffff]) : this.#index(random);
      const change = random.weighted<number>([
        [34, -1],
        [36, 1],
        [20, 0],
        [6, -2],
        [5, 2],
        [3, random.pick([VALUE_MAX, -VALUE_MAX, 20_000, -20_000, -32_768])],
      ]);
      view.setUint16(6 * i, several === OPERATIONS_MAX ? i % 2 : index, true);
      view.setInt16(6 * i + 2, several === OPERATIONS_MAX && change < 0 ? 1 : change, true);
      const nowait = waits ? random.chance(10) : random.chance(95);
      const undo = undoes && random.chance(80);
      const flags = (nowait ? is.IPC_NOWAIT : 0) | (undo ? is.SEM_UNDO : 0) | (random.chance(2) ? 0o100 : 0);
      view.setInt16(6 * i + 4, flags, true);
    }
    const count = random.chance(2) ? random.pick([0, -1, OPERATIONS_MAX + 1]) : several;
    return { count, value };
  }

  #operate(random: Random, task: number): Operation {
    const { count, value } = this.#operations(random);
    const pointer = random.chance(2) ? random.pick(BAD) : { at: OPERATIONS };
    return call(task, "semop", [this.#set(random), pointer, count], { inputs: [{ at: OPERATIONS, value }] });
  }

  #timed(random: Random, task: number): Operation {
    const { count, value } = this.#operations(random);
    const pointer = random.chance(2) ? random.pick(BAD) : { at: OPERATIONS };
    const [seconds, nanoseconds] = random.weighted<readonly [number, number]>([
      [30, [0, WAIT_NS]],
      [15, [0, 0]],
      [30, [1000, 0]],
      [5, [2 ** 40, 5]],
      [3, [-1, 0]],
      [3, [0, -1]],
      [3, [0, 1_000_000_000]],
      [2, [0, 1]],
    ]);
    const place = random.chance(4) ? random.pick(BAD) : { at: TIME };
    const inputs = [
      { at: OPERATIONS, value },
      { at: TIME, value: longs(seconds, nanoseconds) },
    ];
    const returns = place !== 0 && seconds <= 0;
    return call(task, "semtimedop", [this.#set(random), pointer, count, place], {
      inputs,
      ...(returns && { returns }),
    });
  }

  #read(random: Random, task: number): Operation {
    const index = random.chance(4) ? random.pick([-1, 5, 65, 32_000]) : this.#index(random);
    const command = random.pick([is.GETVAL, is.GETVAL, is.GETPID, is.GETNCNT, is.GETNCNT, is.GETZCNT]);
    return call(task, "semctl", [this.#set(random), index, command, 0], {
      ...(command === is.GETPID && { result: "task" as const }),
    });
  }

  #setValue(random: Random, task: number): Operation {
    const index = random.chance(4) ? random.pick([-1, 5, 65, 32_000]) : this.#index(random);
    const value = random.weighted<number>([
      [40, 0],
      [30, 1],
      [20, 2],
      [4, VALUE_MAX],
      [2, VALUE_MAX + 1],
      [2, -1],
    ]);
    return call(task, "semctl", [this.#set(random), index, is.SETVAL, value]);
  }

  #setOrGetAll(random: Random, task: number): Operation {
    const set = this.#set(random);
    const count = this.#counts.get(symbolOf(set) ?? "") ?? 0;
    const pointer = random.chance(5) ? random.pick([0, -8, { at: SCRATCH_BYTES }]) : { at: VALUES };
    const bytes = 2 * Math.min(count || SHOWN, SHOWN);
    if (random.chance(60)) {
      return call(task, "semctl", [set, random.pick([0, 99]), is.GETALL, pointer], {
        outputs: [{ at: VALUES, bytes, as: "halves" }],
      });
    }
    const value = new Uint8Array(2 * 32_000);
    const view = new DataView(value.buffer);
    for (let i = 0; i < SHOWN; i++) {
      view.setUint16(2 * i, random.chance(3) ? random.pick([VALUE_MAX, VALUE_MAX + 1, 0xffff]) : random.below(3), true);
    }
    return call(task, "semctl", [set, 0, is.SETALL, pointer], { inputs: [{ at: VALUES, value }] });
  }

  #status(random: Random, task: number): Operation {
    const pointer: Operand = random.chance(4) ? random.pick(BAD) : { at: STRUCTURE };
    const outputs = pointer === 0 ? [] : [{ at: STRUCTURE, bytes: SEMID_DS_BYTES, as: "semid" as const }];
    return call(task, "semctl", [this.#set(random), random.pick([0, -1]), is.IPC_STAT, pointer], { outputs });
  }

  #setOwner(random: Random, task: number): Operation {
    const value = new Uint8Array(SEMID_DS_BYTES);
    const owner = this.#context.isRoot
      ? [random.pick([0, 1000, 1001, -1]), random.pick([0, 100, 2000])]
      : [this.#context.uid, this.#context.gid];
    value.set(ints(0, ...owner), 0);
    value.set(ints(random.pick([0o600, 0o666, 0o7777, 0o200, 0o444])), 20);
    const pointer: Operand = random.chance(4) ? random.pick(BAD) : { at: STRUCTURE };
    return call(task, "semctl", [this.#set(random), 0, is.IPC_SET, pointer], { inputs: [{ at: STRUCTURE, value }] });
  }

  /** What is used is the same on both only where nobody else uses any. */
  #information(random: Random, task: number): Operation {
    const command = this.#context.prefix === "" ? random.pick([is.IPC_INFO, is.SEM_INFO]) : is.IPC_INFO;
    const pointer: Operand = random.chance(4) ? random.pick(BAD) : { at: STRUCTURE };
    const outputs = pointer === 0 ? [] : [{ at: STRUCTURE, bytes: SEMINFO_BYTES, as: "seminfo" as const }];
    return call(task, "semctl", [random.pick([0, 0, 5, -1]), 0, command, pointer], { outputs, result: "any" });
  }
}

export const sysvSem: Family = { name: "sysv-sem", begin: (context) => new SysvSem(context) };
