// A task that takes room in the kernel, one step after the other as it is told, and reports what came of each.

import { errnoName } from "../src/abi/errno.ts";
import type { Kernel, PipeWriter, QueueToken } from "../src/index.ts";
import { codeOf } from "./expectations.ts";
import type { Peer } from "./task-runner.ts";

export type Step =
  | { readonly make: "pipe"; readonly capacity?: number }
  | { readonly make: "queue"; readonly name: string }
  | { readonly make: "segment"; readonly bytes: number }
  | { readonly attach: number }
  | { readonly removeSet: number }
  | { readonly hold: QueueToken }
  | { readonly fill: number; readonly bytes: number }
  | { readonly await: string }
  | { readonly resizeTo: number }
  | "let go"
  | "end";

const CREATE = 0o1600;

/** Reports the code of the error, or "nothing"; `fill` sends to the queue of a key until there is one. */
export async function takeRoom(kernel: Kernel, peer: Peer, _args: object): Promise<void> {
  const held: { close(): void }[] = [];
  let writer: PipeWriter | undefined;
  const nameOf = (result: number): string => (result < 0 ? errnoName(result) : "nothing");
  const take = (step: Exclude<Step, "end">): string | undefined => {
    if (step === "let go") for (const one of held.splice(0)) one.close();
    else if ("attach" in step) return nameOf(kernel.sys.shmat(step.attach, 0, 0));
    else if ("removeSet" in step) return nameOf(kernel.sys.semctl(step.removeSet, 0, 0, 0));
    else if ("hold" in step) held.push(kernel.openToken(step.hold));
    else if ("await" in step) void kernel.queue({ name: step.await }).receive();
    else if ("resizeTo" in step) writer?.resize(step.resizeTo);
    else if ("fill" in step) {
      const queue = kernel.queue({ key: step.fill });
      for (;;) queue.sendSync(new Uint8Array(step.bytes), { timeout: 1 });
    } else if (step.make === "pipe") {
      ({ writer } = kernel.pipe(step.capacity === undefined ? {} : { capacity: step.capacity }));
    } else if (step.make === "queue") held.push(kernel.queue({ name: step.name, create: true }));
    else return nameOf(kernel.sys.shmget(0, step.bytes, CREATE));
    return undefined;
  };
  for (;;) {
    const step = (await peer.hear()) as Step;
    if (step === "end") return;
    let said: string | undefined;
    const code = await codeOf(() => {
      said = take(step);
    });
    peer.report(said ?? code);
  }
}
