// fanga top: what moves, and who waits, again and again.

import { setTimeout as delay } from "node:timers/promises";
import type { InspectedKernel } from "../../api/inspected.ts";
import type { Arguments } from "../arguments.ts";
import type { Command, Context } from "../command.ts";
import { EXIT_OK } from "../failure.ts";
import { lookAtChosen } from "../looks.ts";
import { kernelOption } from "../option.ts";
import { Screen } from "../screen.ts";
import { type Frame, frameLines } from "../top-frame.ts";

const INTERVAL_SECONDS = 1;
const INTERVAL_SECONDS_LEAST = 0.1;
const MS_PER_S = 1000;

export const top: Command = {
  name: "top",
  summary: "show, again and again, what moves and who waits",
  notes: `Messages and bytes a second of each queue and pipe, and tasks with what they wait for:
the busiest objects and the longest waits first. In a terminal, q or Ctrl-C ends it. Else,
or with -n, it prints one frame after the other; without -n to no terminal, one alone.`,
  options: {
    ...kernelOption,
    interval: { type: "string", short: "d", value: "SECONDS", description: "between frames; default 1, at least 0.1" },
    frames: { type: "string", short: "n", value: "COUNT", description: "print so many frames as plain text, and end" },
  },
  async run(context, given) {
    const intervalMs =
      MS_PER_S *
      (given.number("interval", { least: INTERVAL_SECONDS_LEAST, most: 3600, whole: false }) ?? INTERVAL_SECONDS);
    const frames = given.number("frames", { least: 1 });
    if (frames === undefined && context.isTTY) return onScreen(context, given, intervalMs);
    return inText(context, given, intervalMs, frames ?? 1);
  },
};

async function inText(context: Context, given: Arguments, intervalMs: number, frames: number): Promise<number> {
  let before: Frame | undefined;
  for (let left = frames; left > 0; left--) {
    const frame = takeFrame(context, given);
    context.stdout.write(`${frameLines(frame, before).join("\n")}\n${left > 1 ? "\n" : ""}`);
    before = frame;
    if (left > 1) await delay(intervalMs);
  }
  return EXIT_OK;
}

async function onScreen(context: Context, given: Arguments, intervalMs: number): Promise<number> {
  using screen = new Screen(context.stdin, context.stdout);
  const ended = AbortSignal.any([context.signal, screen.ended]);
  let before: Frame | undefined;
  while (!ended.aborted) {
    const frame = takeFrame(context, given);
    const earlier = before;
    screen.show((rows) => frameLines(frame, earlier, rows));
    before = frame;
    await delay(intervalMs, undefined, { signal: ended }).catch(() => {});
  }
  return EXIT_OK;
}

function takeFrame(context: Context, given: Arguments): Frame {
  const looks = lookAtChosen(context, given);
  const kernels = looks.map(({ kernel }) => kernel).filter((kernel): kernel is InspectedKernel => kernel !== undefined);
  return { atMs: performance.now(), clock: new Date(), kernels, unreadable: looks.length - kernels.length };
}
