// A pipeline of processes through which pictures go without being copied: a source, two filters, and a sink, which is this task and
// shows the frames in their order. One filter is killed in the middle of a frame. See README.md.

import type { MessageQueue, Semaphore, Task } from "../../src/index.ts";
import { Children, killInTheMiddle } from "../common/children.ts";
import { switchesOf } from "../common/command-line.ts";
import { openOwnKernel } from "../common/own-kernel.ts";
import { dealAgain } from "../common/slots.ts";
import { Frames, HEIGHT, PICTURE_BYTES, SLOTS, WIDTH } from "./frames.ts";

const HELP = `Usage: node dist/examples/frame-pipeline/main.js

A source, two filters and a sink, each a process, hand 200 pictures on through shared memory. A filter is killed with kill -9 in
the middle of a frame; another one does it again, and all come out in their order.
`;
const FRAMES = 200;
const FILTERS = 2;
const KILL_AFTER = FRAMES / 10;

switchesOf(HELP);
using kernel = openOwnKernel("frame-pipeline");
const children = new Children(kernel);
const frames = Frames.make(kernel);
const { slots } = frames;
/** How many slots are free: the source waits on it, the sink posts. */
const room: Semaphore = kernel.semaphore({ name: "room", create: true, value: SLOTS });
const raw: MessageQueue = kernel.queue({ name: "raw", create: true, depth: 2 * SLOTS + FILTERS });
const filtered: MessageQueue = kernel.queue({ name: "filtered", create: true, depth: 2 * SLOTS });
const filters = new Map<number, Task>();
let filtersStarted = 0;
let shown = 0;
let wrong = 0;

const began = performance.now();
const source = children.start(new URL("./source.js", import.meta.url), FRAMES);
source.wait().then(({ exitCode }) => {
  if (exitCode === 0) return;
  console.log(`the source has died, and ${FRAMES - shown} frames with it`);
  process.exit(1);
});
for (let i = 0; i < FILTERS; i++) startFilter();
let killing: Promise<unknown> | undefined;
while (shown < FRAMES) {
  await filtered.receive(); // some frame is done; which, the slots say
  while (slots.isDone(Frames.slotOf(shown))) show(shown++);
  if (shown >= KILL_AFTER) killing ??= killFilter();
}
const seconds = (performance.now() - began) / 1000;
await killing;
const remaining = [...filters.values()];
filters.clear();
for (const filter of remaining) filter.kill("SIGTERM");
for (const filter of remaining) await filter.wait();

const megabytes = (FRAMES * PICTURE_BYTES) / 1e6;
console.log(
  `${shown} frames of ${WIDTH} × ${HEIGHT} in their order, ${wrong} wrong; ${megabytes.toFixed(1)} MB of pictures`,
);
console.log(`${(shown / seconds).toFixed(0)} frames a second, and one byte a frame through each queue`);
console.log(wrong === 0 ? "ok" : "not ok");
process.exitCode = wrong === 0 ? 0 : 1;

function show(frame: number): void {
  const slot = Frames.slotOf(frame);
  if (frames.frameIn(slot) !== frame || !frames.isRight(slot)) wrong++;
  slots.release(slot);
  room.post();
}

function startFilter(): void {
  const number = ++filtersStarted;
  const filter = children.start(new URL("./filter.js", import.meta.url), number);
  filters.set(number, filter);
  filter.wait().then(() => bury(number));
}

async function killFilter(): Promise<void> {
  const [[number, filter]] = filters;
  await killInTheMiddle(filter, () => slots.heldBy(number).length > 0 || shown === FRAMES);
}

async function bury(number: number): Promise<void> {
  if (!filters.delete(number)) return; // it was told to end
  const held = slots.giveBack(number).map((slot) => frames.frameIn(slot));
  console.log(
    `filter ${number} was killed in the middle of frame ${held.join(", ") || "none"}; filter ${filtersStarted + 1} is started`,
  );
  startFilter();
  await dealAgain(slots, raw);
  for (const slot of slots.done) await filtered.send(Uint8Array.of(slot)); // it may have been about to say so
}
