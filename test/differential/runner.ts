// Runs a family: sequence after sequence until enough calls were made, and for each mismatch finds the shortest sequence that
// shows one.

import type { Random } from "../random.ts";
import { OBJECTS, objectKinds } from "./calls.ts";
import { allTasks, type Context, call, type Drawing, type Family, text } from "./family.ts";
import * as is from "./flags.ts";
import { KernelSide } from "./kernel-side.ts";
import type { Operation } from "./operation.ts";
import type { Player } from "./player.ts";
import { Sequence, type Sides } from "./sequence.ts";
import { shortest } from "./shrink.ts";

const SEQUENCE_CALLS_MIN = 20;
const SEQUENCE_CALLS_MAX = 120;
/** Draws that come to nothing before a sequence ends early. */
const VAIN_DRAWS_MAX = 200;
/** Where a task hangs each try takes long, and a sequence that is not quite the shortest will do. */
const SHORTENING_MS_MAX = 20_000;
const NAME = 4096;
/** Keys of one sequence. */
const KEYS = 16;
const KEY_BASES = 1 << 20;

/** A sequence that differs, in words: a line a call, the last of which differs. */
export type Report = readonly string[];

export class Runner {
  readonly #sides: Sides;
  readonly #context: Context;
  readonly #firstKey: number;
  #sequences = 0;
  #freeLines: number | undefined;

  constructor(sides: Sides, context: Context, firstKey: number) {
    this.#sides = sides;
    this.#context = context;
    this.#firstKey = firstKey;
  }

  /** Draws and plays one sequence, of at most so many calls. Returns how many there were, and a report where the sides differ. */
  async drawn(family: Family, random: Random, callsMax: number): Promise<{ calls: number; report?: Report }> {
    const drawing = family.begin(this.#context);
    const sequence = this.#begin(drawing);
    const wanted = SEQUENCE_CALLS_MIN + random.below(SEQUENCE_CALLS_MAX - SEQUENCE_CALLS_MIN);
    const length = Math.min(wanted, callsMax);
    for (let vain = 0; sequence.operations.length < length && !sequence.differs && vain < VAIN_DRAWS_MAX; vain++) {
      const operation = drawing.draw(random, sequence.players[0].sleeping);
      if (!operation || !sequence.admits(operation)) continue;
      await sequence.play(operation);
      vain = 0;
    }
    await this.#rouse(sequence, drawing);
    const left = await this.#cleanUp(sequence, drawing);
    const calls = Math.max(1, sequence.operations.length);
    if (!sequence.differs && left === undefined) return { calls };
    const lines = [...sequence.lines.map((line) => line.text), ...(left === undefined ? [] : [left])];
    return { calls, report: await this.#shortened(family, sequence.operations, lines) };
  }

  /** Plays a given sequence; its lines, and whether the last differs. */
  async played(family: Family, operations: readonly Operation[]): Promise<{ lines: Report; differs: boolean }> {
    const drawing = family.begin(this.#context);
    const sequence = this.#begin(drawing);
    for (const operation of operations) {
      if (sequence.admits(operation)) await sequence.play(operation);
      if (sequence.differs) break;
    }
    const lines = sequence.lines.map((line) => line.text);
    const left = await this.#cleanUp(sequence, drawing);
    await new Promise((resolve) => setImmediate(resolve)); // so that a signal can end it
    if (left !== undefined && !sequence.differs) lines.push(left);
    return { lines, differs: sequence.differs || left !== undefined };
  }

  async #shortened(family: Family, operations: readonly Operation[], first: Report): Promise<Report> {
    let report = first;
    const end = performance.now() + SHORTENING_MS_MAX;
    const kept = await shortest(operations, async (some) => {
      if (performance.now() > end) return false;
      const { lines, differs } = await this.played(family, some);
      if (differs) report = lines;
      return differs;
    });
    const again = (await this.played(family, kept)).differs;
    return again ? report : [...report, "(so once; it did not differ when it was played again)"];
  }

  #begin(drawing: Drawing): Sequence {
    const base = this.#firstKey + ((KEYS * this.#sequences++) % KEY_BASES);
    return new Sequence(this.#sides, base, drawing);
  }

  /** Wakes those who sleep: a task that is in a call which nothing interrupts would have to be replaced, which takes long. */
  async #rouse(sequence: Sequence, drawing: Drawing): Promise<void> {
    for (;;) {
      const operation = sequence.differs ? undefined : drawing.rouse?.(sequence.players[0].sleeping);
      if (!operation || !sequence.admits(operation)) return;
      await sequence.play(operation);
    }
  }

  /** Leaves both sides as they were found. Says what our kernel still holds, if that is anything. */
  async #cleanUp({ players }: Sequence, drawing: Drawing): Promise<string | undefined> {
    for (const player of players) await this.#cleanUpSide(player, drawing);
    const ours = this.#sides.find((side) => side instanceof KernelSide);
    if (!ours) return undefined;
    const { objects, freeLines } = ours.usage();
    this.#freeLines ??= freeLines;
    const lost = this.#freeLines - freeLines;
    if (objects === 0 && lost === 0) return undefined;
    for (let task = 0; task < ours.count; task++) await ours.replace(task);
    this.#freeLines = ours.usage().freeLines;
    return `after all was closed and removed → ours still holds ${objects} objects, ${lost} lines of memory`;
  }

  async #cleanUpSide(player: Player, { leftovers }: Drawing): Promise<void> {
    const { side, symbols } = player;
    for (const [task] of [...player.sleeping]) player.play(call(0, "interrupt", [task]));
    for (const [task, symbol] of player.attached) {
      if (!player.broken.has(task)) player.play(call(task, "shmdt", [{ symbol }]));
    }
    side.killChildren();
    await this.#reset(player);
    for (const symbol of symbols.all("queue")) player.play(call(0, "msgctl", [{ symbol }, is.IPC_RMID, 0]));
    for (const symbol of symbols.all("segment")) player.play(call(0, "shmctl", [{ symbol }, is.IPC_RMID, 0]));
    for (const symbol of symbols.all("set")) player.play(call(0, "semctl", [{ symbol }, 0, is.IPC_RMID, 0]));
    const names = (name: "unlink" | "mq_unlink" | "sem_unlink", of: readonly string[] = []): void => {
      for (const one of of) player.play(call(0, name, [{ at: NAME }], { inputs: [{ at: NAME, value: text(one) }] }));
    };
    names("unlink", leftovers.fifos);
    names("mq_unlink", leftovers.queues);
    names("sem_unlink", leftovers.semaphores);
    for (const kind of leftovers.objects ?? []) {
      for (let object = 0; object < OBJECTS; object++)
        player.play(call(0, "forget", [objectKinds.indexOf(kind), object]));
    }
    for (let task = 0; task < side.count; task++) player.play(call(task, "reset", []));
  }

  /** What a task holds, others may wait for: who comes back when it lets go is reset in its turn, who does not is replaced. */
  async #reset(player: Player): Promise<void> {
    const left = new Set(allTasks(player.side.count));
    for (let before = left.size + 1; left.size < before; ) {
      before = left.size;
      for (const task of left) {
        if (player.sleeping.has(task) || player.broken.has(task)) continue;
        if (player.play(call(task, "reset", []))[0]?.result === 0) left.delete(task);
      }
    }
    for (const task of left) await player.replace(task);
  }
}
