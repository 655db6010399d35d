// A filter: blurs whatever frame is next. Several run beside each other.

import { attachToParent } from "../common/children.ts";
import { Frames } from "./frames.ts";

const number = Number(process.argv[2]);
const kernel = attachToParent();
const frames = Frames.open(kernel);
const raw = kernel.queue({ name: "raw" });
const filtered = kernel.queue({ name: "filtered" });

for (;;) {
  const { data } = await raw.receive();
  const slot = data[0];
  if (!frames.slots.take(slot, number)) continue; // the number came twice
  frames.filter(slot);
  frames.slots.finish(slot);
  await filtered.send(Uint8Array.of(slot));
}
