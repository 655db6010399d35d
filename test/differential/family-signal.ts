// Signals: sending them, actions, masks, pending ones, waiting for them, and what they do to calls that sleep.
//
// A signal is mostly sent to the main thread (tgkill), for a process of Linux's has others that block nothing; to the process
// only where the main thread takes it. In most sequences every handler blocks all others, and the order in which they run is
// compared. Where they do not, Linux lets all begin that are due before the first has done a thing, so the last is the first.

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
import {
  ENTRIES_MAX,
  ENTRY_BYTES,
  ignoredByDefault,
  RESTORER,
  realTimeSignals,
  standardSignals,
  WITH_INFO,
  WITHOUT_INFO,
} from "./handlers.ts";
import type { Observation, Operand, Operation } from "./operation.ts";
import { SignalFileCalls } from "./signal-file-calls.ts";
import { bitOf, longAt, NEW_ACTION, NEW_SET, SignalModel } from "./signal-model.ts";
import { NOBODY, SIGPIPE, SignalSends } from "./signal-sends.ts";
import { ALL_SIGNALS, BAD_POINTERS, SET_BYTES, SignalSets } from "./signal-sets.ts";
import { SleepingCalls } from "./sleeping-calls.ts";

const OLD_ACTION = 5120;
const OLD_SET = 5632;
const INFO = 8192;
const TIME = 8704;
const LOG = 16_384;
const ACTION_BYTES = 32;
const INFO_BYTES = 128;
/** New processes take their time. */
const ENDS_ONE_IN = 1000;
const WAIT_NS = 2_000_000;
const USERS = [0, 1000, 1001] as const;
const threadSends = ["tgkill", "tkill", "rt_tgsigqueueinfo"];
const processSends = ["kill", "rt_sigqueueinfo"];
/** SIGKILL and SIGSTOP. */
const UNBLOCKABLE = [9, 19] as const;
/** Signals that end or stop a task by default, and leave no core. */
const endings = [1, 2, 12, 13, 14, 15, 20, 21, 22, 26, 29, 30, 34, 64] as const;

interface Sending {
  readonly signal: number;
  readonly tasks: readonly number[];
  readonly toProcess: boolean;
}

class SignalDrawing implements Drawing {
  readonly leftovers: Drawing["leftovers"];
  readonly #context: Context;
  readonly #model: SignalModel;
  /** The signals of this sequence: few, so that they meet. */
  #signals: readonly number[] = [];
  /** What is caught to begin with. */
  #first: { readonly task: number; readonly signal: number }[] = [];
  /** What is played next, whatever else could be drawn. */
  #script: Operation[] = [];
  /** Whether a task has ended or was stopped. */
  #isOver = false;
  #changesUsers = false;
  /** Whether each handler blocks all signals. */
  #ordered = true;
  readonly #sleeping: SleepingCalls;
  #readsFiles = false;
  #sets = new SignalSets([]);
  #sends: SignalSends;
  #files: SignalFileCalls;

  constructor(context: Context) {
    this.#context = context;
    this.#model = new SignalModel(context.tasks);
    this.#sleeping = new SleepingCalls(context);
    this.leftovers = this.#sleeping.leftovers;
    this.#sends = new SignalSends(context.tasks, []);
    this.#files = new SignalFileCalls(context.tasks, this.#sets);
  }

  draw(random: Random, sleeping: Sleeping): Operation | undefined {
    if (this.#isOver) return undefined;
    const next = this.#script.shift();
    if (next) return next;
    const drawn = this.#drawn(random, sleeping);
    return drawn && (this.#isLethal(drawn) || this.#isFatal(drawn)) ? undefined : drawn;
  }

  #drawn(random: Random, sleeping: Sleeping): Operation | undefined {
    if (this.#signals.length === 0) this.#begin(random);
    const idle = idleTasks(this.#context.tasks, sleeping);
    const first = this.#first.pop();
    if (first && random.chance(80)) return this.#take(random, first.task, first.signal, "caught");
    if (idle.length === 0 || (sleeping.size > 0 && random.chance(3))) return drawInterrupt(random, sleeping);
    const task = random.pick(idle);
    if (random.below(ENDS_ONE_IN) === 0) {
      this.#script = this.#end(random, task, sleeping);
      return undefined;
    }
    const kind = random.weighted([
      [40, "send"],
      [16, "queue"],
      [16, "act"],
      [20, "mask"],
      [12, "pending"],
      [20, "handled"],
      [10, "wait"],
      [5, "suspend"],
      [12, "sleep"],
      [this.#readsFiles ? 40 : 0, "file"],
      [5, "group"],
      [2, "alarm"],
      [this.#changesUsers ? 6 : 0, "user"],
      [4, "broken"],
    ] as const);
    switch (kind) {
      case "send":
        return this.#sends.draw(random, task, sleeping);
      case "queue":
        return this.#sends.drawQueued(random, task, sleeping);
      case "act":
        return this.#act(random, task);
      case "mask":
        return this.#mask(random, task);
      case "pending":
        return this.#pending(random, task);
      case "handled":
        return this.#handled(task);
      case "wait":
        return this.#wait(random, task);
      case "suspend":
        return this.#suspend(random, task);
      case "sleep":
        return this.#sleeping.draw(random, task);
      case "file":
        return this.#files.draw(random, task);
      case "group":
        return this.#group(random, task);
      case "alarm":
        return call(task, "alarm", [random.pick([0, 0, 100, 2 ** 31, 0xffffffff])]);
      case "user":
        return call(task, "setresuid", [random.pick(USERS), random.pick(USERS), 0]);
      case "broken":
        return this.#sleeping.drawBroken(random, task);
    }
  }

  admits(operation: Operation, sleeping: Sleeping): boolean {
    if (this.#isOver || !this.#sleeping.admits(operation)) return false;
    if (operation.name === "rt_sigaction") return this.#model.mayAct(operation);
    const sending = this.#sendingOf(operation);
    if (!sending) return true;
    const { signal, tasks, toProcess } = sending;
    const reaches = (task: number): boolean => {
      const asleep = sleeping.get(task)?.name ?? "";
      return !["rt_sigsuspend", "rt_sigtimedwait"].includes(asleep) && this.#model.reachesMain(task, signal);
    };
    if (toProcess && !tasks.every(reaches)) return false;
    for (const task of tasks) this.#model.sent(task, signal);
    return true;
  }

  observe(observation: Observation): void {
    this.#isOver ||= this.#isFatal(observation.operation);
    this.#model.observe(observation);
    this.#sleeping.observe(observation);
    this.#files.observe(observation);
  }

  #begin(random: Random): void {
    const some = (all: readonly number[], count: number): number[] =>
      Array.from({ length: count }, () => random.pick(all));
    this.#signals = [...new Set([...some(standardSignals, 3), ...some(realTimeSignals, 2)])];
    const tasks = Array.from({ length: this.#context.tasks }, (_, task) => task);
    this.#first = tasks.flatMap((task) => this.#signals.map((signal) => ({ task, signal })));
    this.#changesUsers = this.#context.isRoot && random.chance(25);
    this.#ordered = random.chance(65);
    this.#readsFiles = random.chance(35);
    this.#sets = new SignalSets(this.#signals);
    this.#sends = new SignalSends(this.#context.tasks, this.#signals);
    this.#files = new SignalFileCalls(this.#context.tasks, this.#sets);
  }

  /** What an operation sends, and to which tasks; undefined where it sends nothing. */
  #sendingOf({ task, name, args }: Operation): Sending | undefined {
    const isBroken = name === "write" && symbolOf(args[0])?.startsWith("writer");
    const to: Operand | undefined = isBroken ? { pidOf: task } : args[0];
    const toProcess = processSends.includes(name);
    if (!isBroken && !toProcess && !threadSends.includes(name)) return undefined;
    const signal = isBroken ? SIGPIPE : (args[name === "tgkill" || name === "rt_tgsigqueueinfo" ? 2 : 1] as number);
    if (signal < 1 || signal > 64) return undefined;
    const everybody = Array.from({ length: this.#context.tasks }, (_, one) => one);
    const isNamed = typeof to === "object" && "pidOf" in to;
    const tasks = isNamed && !to.isGroup ? [to.pidOf] : isNamed || to === 0 ? everybody : [];
    return { signal, tasks, toProcess };
  }

  /** Whether a task ends or stops by an operation. */
  #isFatal(operation: Operation): boolean {
    const sending = this.#sendingOf(operation);
    if (!sending) return this.#model.unblocksFatal(operation, longAt(operation, NEW_SET));
    return sending.tasks.some((task) => this.#model.isFatal(task, sending.signal));
  }

  #isLethal(operation: Operation): boolean {
    const sending = this.#sendingOf(operation);
    return sending?.tasks.some((task) => this.#model.isLethal(task, sending.signal)) ?? false;
  }

  /** What ends or stops a task, and the sequence: a signal that nobody catches, or that is let through, SIGKILL, or SIGSTOP. */
  #end(random: Random, task: number, sleeping: Sleeping): Operation[] {
    const target = random.chance(70) ? this.#sends.somebody(random, sleeping) : task;
    const send = (to: number, signal: number): Operation =>
      call(task, "tgkill", [{ pidOf: to }, { pidOf: to }, signal]);
    if (random.chance(40)) return [send(target, random.pick(UNBLOCKABLE))];
    const signal = random.pick(endings);
    const inputs = [{ at: NEW_SET, value: longs(bitOf(signal)) }];
    const mask = (how: number): Operation =>
      call(task, "rt_sigprocmask", [how, { at: NEW_SET }, 0, SET_BYTES], { inputs });
    const action = [{ at: NEW_ACTION, value: longs(is.SIG_DFL, 0, 0, 0) }];
    const forget = call(task, "rt_sigaction", [signal, { at: NEW_ACTION }, 0, SET_BYTES], { inputs: action });
    if (random.chance(50)) return [mask(is.SIG_UNBLOCK), forget, send(task, signal)];
    return [mask(is.SIG_BLOCK), forget, send(task, signal), mask(is.SIG_UNBLOCK)];
  }

  #act(random: Random, task: number): Operation {
    const signal = random.chance(5) ? random.pick([0, -1, 9, 19, 65]) : random.pick(this.#signals);
    const kind = random.weighted([
      [60, "caught"],
      [16, "ignored"],
      [10, "default"],
      [8, "asked"],
      [3, "bad"],
    ] as const);
    const set = random.chance(3) ? random.pick([0, 4, 16]) : SET_BYTES;
    if (kind === "bad") return call(task, "rt_sigaction", [signal, random.pick(BAD_POINTERS), { at: OLD_ACTION }, set]);
    if (kind === "asked") {
      const old = random.chance(90) ? { at: OLD_ACTION } : random.pick(BAD_POINTERS);
      return call(task, "rt_sigaction", [signal, 0, old, set], { outputs: oldAction });
    }
    return this.#take(random, task, signal, kind, set);
  }

  #take(
    random: Random,
    task: number,
    signal: number,
    kind: "caught" | "ignored" | "default",
    set = SET_BYTES,
  ): Operation {
    const inputs = [{ at: NEW_ACTION, value: this.#action(random, signal, kind) }];
    const old = random.chance(50) ? { at: OLD_ACTION } : 0;
    return call(task, "rt_sigaction", [signal, { at: NEW_ACTION }, old, set], {
      inputs,
      outputs: old === 0 ? [] : oldAction,
    });
  }

  #action(random: Random, signal: number, kind: "caught" | "ignored" | "default"): Uint8Array {
    const withInfo = random.chance(70);
    let flags = withInfo ? is.SA_SIGINFO : 0;
    if (random.chance(50)) flags += is.SA_RESTART;
    if (random.chance(20)) flags += is.SA_NODEFER;
    if (random.chance(ignoredByDefault.includes(signal) ? 30 : 0)) flags += is.SA_RESETHAND;
    if (random.chance(10)) flags += random.pick([1, 2, 0x20, 0x800, 0x1000, 2 ** 40]);
    const mask = this.#ordered ? ALL_SIGNALS : this.#sets.draw(random);
    if (kind !== "caught") {
      return longs(
        kind === "ignored" ? is.SIG_IGN : is.SIG_DFL,
        random.chance(80) ? 0 : flags,
        0,
        random.chance(80) ? 0 : mask,
      );
    }
    return longs(withInfo ? WITH_INFO : WITHOUT_INFO, flags + is.SA_RESTORER, RESTORER, mask);
  }

  #mask(random: Random, task: number): Operation {
    const how = random.chance(3)
      ? random.pick([3, -1])
      : random.pick([is.SIG_BLOCK, is.SIG_BLOCK, is.SIG_UNBLOCK, is.SIG_SETMASK]);
    const { pointer, bytes, inputs } = this.#sets.drawArgument(random);
    const asks = random.chance(15);
    // Where the old mask finds no place, Linux has set the new one.
    const old = asks && random.chance(10) ? random.pick(BAD_POINTERS) : random.chance(50) ? { at: OLD_SET } : 0;
    const outputs = old === 0 ? [] : [{ at: OLD_SET, bytes: SET_BYTES, as: "set" as const }];
    return call(task, "rt_sigprocmask", [how, asks ? 0 : pointer, old, bytes], { inputs, outputs });
  }

  #pending(random: Random, task: number): Operation {
    const pointer = random.chance(3) ? random.pick(BAD_POINTERS) : { at: OLD_SET };
    const bytes = random.chance(5) ? random.pick([0, 4, 9, -1]) : SET_BYTES;
    const as = bytes === SET_BYTES ? ("set" as const) : ("bytes" as const);
    return call(task, "rt_sigpending", [pointer, bytes], { outputs: [{ at: OLD_SET, bytes: SET_BYTES, as }] });
  }

  #handled(task: number): Operation {
    const as = this.#ordered ? ("handled" as const) : ("handled-somehow" as const);
    return call(task, "handled", [{ at: LOG }], { outputs: [{ at: LOG, bytes: ENTRIES_MAX * ENTRY_BYTES, as }] });
  }

  #wait(random: Random, task: number): Operation {
    const { pointer, bytes, inputs } = this.#sets.drawArgument(random);
    const [seconds, nanoseconds] = random.weighted<readonly [number, number]>([
      [50, [0, 0]],
      [15, [0, WAIT_NS]],
      [15, [1000, 0]],
      [3, [2 ** 40, 5]],
      [3, [-1, 0]],
      [3, [0, -1]],
      [3, [0, 1_000_000_000]],
    ]);
    const time: Operand = random.weighted<Operand>([
      [70, { at: TIME }],
      [15, 0],
      [3, random.pick(BAD_POINTERS)],
    ]);
    inputs.push({ at: TIME, value: longs(seconds, nanoseconds) });
    const info = random.chance(80) ? { at: INFO } : 0;
    const outputs = info === 0 ? [] : [{ at: INFO, bytes: INFO_BYTES, as: "info" as const }];
    const returns = time !== 0 && seconds <= 0;
    return call(task, "rt_sigtimedwait", [pointer, info, time, bytes], {
      inputs,
      outputs,
      ...(returns && { returns }),
    });
  }

  #suspend(random: Random, task: number): Operation {
    if (random.chance(30)) return call(task, "pause", []);
    const { pointer, bytes, inputs } = this.#sets.drawArgument(random);
    return call(task, "rt_sigsuspend", [pointer, bytes], { inputs });
  }

  #group(random: Random, task: number): Operation {
    const some = (): Operand =>
      random.pick<Operand>([0, 0, { pidOf: task }, { pidOf: random.below(this.#context.tasks) }, NOBODY, -1]);
    const kind = random.below(8);
    if (kind < 5) return call(task, "setpgid", [some(), some()]);
    if (kind < 7) return call(task, "getpgid", [some()], { result: "task" });
    return call(task, "getpgrp", [], { result: "task" });
  }
}

const oldAction = [{ at: OLD_ACTION, bytes: ACTION_BYTES, as: "action" as const }];

export const signal: Family = { name: "signal", begin: (context) => new SignalDrawing(context) };
