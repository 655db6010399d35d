// A sequence of operations, played on two sides and compared one by one: what each call gave or that it sleeps, what it wrote,
// and which calls that slept before have come back because of it.

import { numbers, OWN_NUMBERS } from "./calls.ts";
import type { Drawing } from "./family.ts";
import { type Operation, printed } from "./operation.ts";
import { type Ending, Player } from "./player.ts";
import type { Side } from "./side.ts";

export type Sides = readonly [Side, Side];

/** What was played, in words. */
export interface Line {
  readonly text: string;
  readonly differs: boolean;
}

export class Sequence {
  readonly players: readonly [Player, Player];
  readonly operations: Operation[] = [];
  readonly lines: Line[] = [];
  readonly #drawing: Drawing;

  constructor(sides: Sides, keyBase: number, drawing: Drawing) {
    this.players = [new Player(sides[0], keyBase), new Player(sides[1], keyBase)];
    this.#drawing = drawing;
  }

  get differs(): boolean {
    return this.lines.at(-1)?.differs === true;
  }

  /** Whether an operation makes sense now. */
  admits(operation: Operation): boolean {
    const { sleeping, symbols } = this.players[0];
    if (operation.name === "interrupt") return sleeping.has(operation.args[0] as number);
    if (sleeping.has(operation.task) && operation.name !== "die") return false;
    if (numbers[operation.name] >= OWN_NUMBERS) {
      const named = operation.args.every(
        (arg) => typeof arg !== "object" || !("symbol" in arg) || symbols.has(arg.symbol),
      );
      if (!named) return false;
    }
    return this.#drawing.admits(operation, sleeping);
  }

  /** Plays an operation on both sides, and compares. */
  async play(operation: Operation): Promise<void> {
    const [first, second] = await this.#playOnBoth(operation);
    this.operations.push(operation);
    const [left, right] = [first, second].map(inWords) as [string, string];
    const differs = left !== right;
    const [{ side }, { side: other }] = this.players;
    const outcome = differs ? inBoth(side.name, left, other.name, right) : shortened(left);
    this.lines.push({ text: `${printed(operation)} → ${outcome}`, differs });
    for (const { operation: ended, result, made } of first) this.#drawing.observe({ operation: ended, result, made });
  }

  /** Who dies is replaced on both sides at the same time: that takes long. */
  async #playOnBoth(operation: Operation): Promise<[Ending[], Ending[]]> {
    const [first, second] = this.players;
    if (operation.name === "die") return Promise.all([first.kill(operation), second.kill(operation)]);
    return [first.play(operation), second.play(operation)];
  }
}

const inWords = ([own, ...others]: readonly Ending[]): string =>
  [own?.text, ...others.map(({ operation, text }) => `and task ${operation.task}'s ${operation.name} ${text}`)].join(
    ", ",
  );

const SHOWN_MAX = 160;
const shortened = (text: string): string => (text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text);

/** Long ones from a little before the first difference. */
function inBoth(leftName: string, left: string, rightName: string, right: string): string {
  let same = 0;
  while (same < left.length && left[same] === right[same]) same++;
  const from = Math.max(left.length, right.length) > SHOWN_MAX && same > 40 ? same - 20 : 0;
  const part = (text: string): string => `${from > 0 ? "…" : ""}${shortened(text.slice(from))}`;
  return `${leftName} ${part(left)}, ${rightName} ${part(right)}`;
}
