// The source: records frames as fast as slots come free, as a camera's driver would fill its buffers.

import { attachToParent } from "../common/children.ts";
import { Frames } from "./frames.ts";

const count = Number(process.argv[2]);
const kernel = attachToParent();
const frames = Frames.open(kernel);
const room = kernel.semaphore({ name: "room" });
const raw = kernel.queue({ name: "raw" });

for (let frame = 0; frame < count; frame++) {
  await room.wait(); // until the sink has shown the frame that lies in this one's slot
  frames.record(frame);
  await raw.send(Uint8Array.of(Frames.slotOf(frame)));
}
process.exit(0);
