// Children: waiting for them, with wait4 and waitid, in all their forms; their ends, stops and continuations; groups; parents that
// do not want to know.

import type { Random } from "../random.ts";
import {
  type Context,
  call,
  type Drawing,
  drawInterrupt,
  type Family,
  idleTasks,
  longs,
  type Sleeping,
  symbolOf,
} from "./family.ts";
import * as is from "./flags.ts";
import { SCRATCH_BYTES } from "./mailbox.ts";
import type { Observation, Operand, Operation } from "./operation.ts";

const STATUS = 4096;
const INFO = 4352;
const USAGE = 4608;
const ACTION = 8192;
const OLD_ACTION = 8448;
const SIGINFO_BYTES = 128;
const ACTION_BYTES = 32;
const SIGSET_BYTES = 8;
const CHILDREN_MAX = 5;
const BAD: readonly Operand[] = [-8, { at: SCRATCH_BYTES }, { at: SCRATCH_BYTES - 2 }];
const [SIGKILL, SIGUSR2, SIGTERM, SIGCHLD, SIGCONT, SIGSTOP] = [9, 12, 15, 17, 18, 19];
const [SIG_DFL, SIG_IGN] = [0, 1];
const SA_NOCLDWAIT = 2;

interface Child {
  readonly parent: number;
  /** Signals that it ignores, as its parent did when it was made. */
  readonly ignored: ReadonlySet<number>;
  isStopped: boolean;
  /** Signals that end it once it goes on. */
  isDoomed: boolean;
  hasEnded: boolean;
  /** What has become of it is not followed any further. */
  isLost: boolean;
}

class Wait implements Drawing {
  readonly leftovers = { fifos: [], queues: [] };
  readonly #context: Context;
  /** Those that are there, zombies too. */
  readonly #children = new Map<string, Child>();
  readonly #ignored: Set<number>[];
  /** Tasks that have no zombies. */
  readonly #careless: boolean[];
  #made = 0;

  constructor(context: Context) {
    this.#context = context;
    this.#ignored = Array.from({ length: context.tasks }, () => new Set([SIGUSR2, SIGTERM]));
    this.#careless = Array.from({ length: context.tasks }, () => false);
  }

  draw(random: Random, sleeping: Sleeping): Operation | undefined {
    const idle = idleTasks(this.#context.tasks, sleeping);
    if (idle.length === 0 || (sleeping.size > 0 && random.chance(4))) return drawInterrupt(random, sleeping);
    const task = random.pick(idle);
    const kind = random.weighted([
      [this.#children.size < CHILDREN_MAX ? 24 : 0, "spawn"],
      [14, "end"],
      [22, "kill"],
      [20, "wait4"],
      [20, "waitid"],
      [8, "group"],
      [8, "act"],
    ] as const);
    if (kind === "spawn") return call(task, "spawn", [], { result: { names: `child ${++this.#made}`, as: "child" } });
    if (kind === "wait4") return this.#wait4(random, task);
    if (kind === "waitid") return this.#waitid(random, task);
    if (kind === "act") return this.#act(random, task);
    const child = this.#child(random);
    if (child === undefined) return undefined;
    if (kind === "group") return this.#group(random, task, child);
    if (kind === "end") return call(task, "end_child", [{ symbol: child }, random.pick([0, 1, 7, 255])]);
    const signal = random.weighted<number>([
      [6, SIGKILL],
      [10, SIGTERM],
      [6, SIGUSR2],
      [14, SIGSTOP],
      [14, SIGCONT],
      [3, 0],
      [1, 65],
      [1, -1],
    ]);
    return call(task, "kill", [{ symbol: child, ...(random.chance(10) && { isGroup: true }) }, signal]);
  }

  /** What is left of a child that has been waited for may be another process by now. */
  admits({ name, task, args }: Operation, sleeping: Sleeping): boolean {
    const symbols = args.map(symbolOf).filter((symbol) => symbol !== undefined);
    if (name === "spawn") return this.#children.size < CHILDREN_MAX;
    const children = symbols.map((symbol) => this.#children.get(symbol));
    if (children.includes(undefined)) return false;
    const [child] = children;
    if (name === "end_child") return !child?.hasEnded && !child?.isStopped && !child?.isLost;
    // Whether one that goes on and dies is told of between the two is luck.
    if (name === "kill" && child?.isDoomed && sleeping.has(child.parent)) return false;
    return name !== "rt_sigaction" || !sleeping.has(task);
  }

  observe({ operation, result }: Observation): void {
    const { task, name, args } = operation;
    if (result === "sleeps") return;
    const child = this.#children.get(symbolOf(args[0]) ?? "");
    if (name === "spawn" && result > 0) {
      const symbol = `child ${operationNumber(operation)}`;
      const state = { isStopped: false, isDoomed: false, hasEnded: false, isLost: false };
      this.#children.set(symbol, { parent: task, ignored: new Set(this.#ignored[task]), ...state });
    } else if (name === "end_child" && child) this.#ends(child);
    else if (name === "rt_sigaction" && result === 0) this.#acted(operation);
    else if (name === "wait4" || name === "waitid") this.#waited(operation, result);
    else if (name === "kill" && result === 0) {
      const isGroup = typeof args[0] === "object" && "isGroup" in args[0];
      if (isGroup) for (const one of this.#children.values()) one.isLost = true;
      else if (child) this.#signalled(child, Number(args[1]));
    }
  }

  #ends(child: Child): void {
    child.hasEnded = true;
    if (!this.#careless[child.parent]) return;
    for (const [symbol, other] of this.#children) if (other === child) this.#children.delete(symbol);
  }

  #signalled(child: Child, signal: number): void {
    if (child.hasEnded) return;
    if (signal === SIGSTOP) child.isStopped = true;
    else if (signal === SIGCONT) {
      child.isStopped = false;
      if (child.isDoomed) this.#ends(child);
    } else if (signal === SIGKILL) this.#ends(child);
    else if ((signal === SIGTERM || signal === SIGUSR2) && !child.ignored.has(signal)) {
      if (child.isStopped) child.isDoomed = true;
      else this.#ends(child);
    }
  }

  #acted({ task, args, inputs = [] }: Operation): void {
    const [signal] = args as [number];
    const value = inputs[0]?.value;
    if (!(value instanceof Uint8Array)) return;
    const view = new DataView(value.buffer, value.byteOffset);
    const [handler, flags] = [view.getBigInt64(0, true), view.getBigInt64(8, true)].map(Number) as [number, number];
    if (handler === SIG_IGN) this.#ignored[task]?.add(signal);
    else this.#ignored[task]?.delete(signal);
    if (signal === SIGCHLD) this.#careless[task] = handler === SIG_IGN || (flags & SA_NOCLDWAIT) !== 0;
  }

  /** Which child it was is not told here: all that it can have been are left alone from now on. */
  #waited({ task, name, args }: Operation, result: number): void {
    const isLeft = name === "waitid" && (Number(args[3]) & is.WNOWAIT) !== 0;
    if (result < 0 || (name === "wait4" && result === 0) || isLeft) return;
    for (const [symbol, child] of this.#children)
      if (child.parent === task && (child.hasEnded || child.isLost)) this.#children.delete(symbol);
  }

  #child(random: Random): string | undefined {
    return this.#children.size === 0 ? undefined : random.pick([...this.#children.keys()]);
  }

  /** One child, whoever's; any; a group. */
  #pid(random: Random): Operand {
    const child = this.#child(random);
    const isOne = child !== undefined && random.chance(50);
    if (isOne) return { symbol: child, ...(random.chance(15) && { isGroup: true }) };
    return random.weighted<Operand>([
      [60, -1],
      [20, 0],
      [2, -(2 ** 31)],
      [2, 0x3ffffff],
      [2, -0x3ffffff],
    ]);
  }

  #wait4(random: Random, task: number): Operation {
    const options =
      (random.chance(60) ? is.WNOHANG : 0) | this.#more(random, [is.WUNTRACED, is.WCONTINUED], is.WEXITED);
    const isBad = random.chance(4);
    const status = isBad ? random.pick(BAD) : random.chance(10) ? 0 : { at: STATUS };
    const usage = random.chance(80) ? 0 : random.chance(5) ? random.pick(BAD) : { at: USAGE };
    const outputs = status === 0 || isBad ? [] : [{ at: STATUS, bytes: 4, as: "bytes" as const }];
    return call(task, "wait4", [this.#pid(random), status, options, usage], {
      result: "task",
      outputs,
      ...returning(options),
    });
  }

  #waitid(random: Random, task: number): Operation {
    const none = random.chance(3) ? 0 : is.WEXITED;
    const options =
      (random.chance(60) ? is.WNOHANG : 0) |
      (random.chance(80) ? none : 0) |
      (random.chance(25) ? is.WNOWAIT : 0) |
      this.#more(random, [is.WSTOPPED, is.WCONTINUED], 0x100);
    const child = this.#child(random);
    const which: readonly [number, Operand] = random.weighted([
      [20, [is.P_ALL, random.pick([0, -1])]],
      [child === undefined ? 0 : 20, [is.P_PID, { symbol: child ?? "" }]],
      [child === undefined ? 0 : 6, [is.P_PGID, { symbol: child ?? "" }]],
      [6, [is.P_PGID, random.pick([0, -1])]],
      [2, [is.P_PID, random.pick([0, -1, 0x3ffffff])]],
      [1, [is.P_PIDFD, random.pick([-1, 0x3fff])]],
      [1, [random.pick([4, -1]), 1]],
    ]);
    const isBad = random.chance(4);
    const info = isBad ? random.pick(BAD) : random.chance(10) ? 0 : { at: INFO };
    const usage = random.chance(85) ? 0 : random.chance(5) ? random.pick(BAD) : { at: USAGE };
    const outputs = info === 0 || isBad ? [] : [{ at: INFO, bytes: SIGINFO_BYTES, as: "news" as const }];
    return call(task, "waitid", [...which, info, options, usage], { outputs, ...returning(options) });
  }

  #more(random: Random, some: readonly number[], bad: number): number {
    const known = [...some, is.WNOTHREAD].filter(() => random.chance(40));
    const rare = random.weighted<number>([
      [90, 0],
      [3, is.WALL],
      [3, is.WCLONE],
      [3, bad],
    ]);
    return known.reduce((all, one) => all | one, rare);
  }

  #group(random: Random, task: number, child: string): Operation {
    if (random.chance(30)) return call(task, "getpgid", [{ symbol: child }], { result: "task" });
    const other = this.#child(random);
    const group: Operand = random.chance(40) || other === undefined ? random.pick([0, -1]) : { symbol: other };
    return call(task, "setpgid", [{ symbol: child }, group]);
  }

  #act(random: Random, task: number): Operation {
    const signal = random.weighted<number>([
      [40, SIGCHLD],
      [30, SIGTERM],
      [10, SIGUSR2],
    ]);
    const flags = signal === SIGCHLD && random.chance(30) ? random.pick([SA_NOCLDWAIT, 1, SA_NOCLDWAIT | 1]) : 0;
    const handler = random.chance(signal === SIGCHLD ? 25 : 40) ? SIG_IGN : SIG_DFL;
    return call(task, "rt_sigaction", [signal, { at: ACTION }, { at: OLD_ACTION }, SIGSET_BYTES], {
      inputs: [{ at: ACTION, value: longs(handler, flags, 0, 0) }],
      outputs: [{ at: OLD_ACTION, bytes: ACTION_BYTES, as: "bytes" }],
    });
  }
}

/** The number in the name that a spawn gives. */
const operationNumber = ({ result }: Operation): string =>
  typeof result === "object" ? (result.names.split(" ")[1] ?? "") : "";

/** Who does not wait is marked as asleep for a moment, while Linux looks at the children; and may lose the CPU in that moment. */
const returning = (options: number): Pick<Operation, "returns"> => (options & is.WNOHANG ? { returns: true } : {});

export const wait: Family = { name: "wait", begin: (context) => new Wait(context) };
